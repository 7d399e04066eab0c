"""The neural chapters held to their bars: forecasts, few labels, small models, kills, processes, leaks.

``python -m benchmarks.neural`` shows what was recorded and measures what is quick; ``--only POINT`` makes a point anew.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from benchmarks import (
    neural_beijing,
    neural_beijing_all,
    neural_compress,
    neural_congestion,
    neural_killed,
    neural_losloop,
    neural_processes,
    neural_text,
    rows,
)
from benchmarks.rows import Point, Raw, Verdict

LEAKS = "leak or shuffled or future or across_the_split or crosses_the_split"
FOLDERS = ("tests/neural", "tests/notebooks", "tests/benchmarks")


def leaks(quick: bool) -> Raw:
    """Run every test that shuffles what comes after the cut, or after the origin, or cuts a window across the split."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-k", LEAKS, *FOLDERS]
    done = subprocess.run(words, cwd=rows.ROOT, capture_output=True, text=True, check=False)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error|skipped)", done.stdout)}
    return {"code": done.returncode, **counts}


def judge_leaks(raw: Raw) -> Verdict:
    """Hold that all pass and none is skipped."""
    text = ", ".join(f"{raw.get(word, 0)} {word}" for word in ("passed", "failed", "skipped"))
    return Verdict(text, ok=raw["code"] == 0 and raw.get("passed", 0) > 0 and not raw.get("skipped"))


POINTS = (
    Point("leaks", "values after the cut shuffled, values after each origin shuffled, windows across the split",
          "weights, scalers, epochs and forecasts unchanged bit for bit; refused", leaks, judge_leaks,
          ("torch", "pytest")),
)  # fmt: skip
PARTS = (
    neural_losloop,
    neural_beijing,
    neural_beijing_all,
    neural_congestion,
    neural_text,
    neural_compress,
    neural_killed,
    neural_processes,
)
EVERY = (*(point for part in PARTS for point in part.POINTS), *POINTS)


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and smaller sizes")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point, and keep it if it is long")
    given = parser.parse_args()
    return rows.run(EVERY, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
