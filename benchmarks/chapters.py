"""Chapters held to the budget of a chapter: a CPU minute and 2 GiB, cold, at the book's parameters.

``python -m benchmarks.neural --only neural_chapters`` and ``python -m benchmarks.allocation --only
allocation_chapters`` run every chapter of their part by the embedded plan, one at a time,
and record what its receipt says.
"""

from __future__ import annotations

import fnmatch
import tempfile
from pathlib import Path

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict
from citylib.batch import plan, run

PLAN = rows.ROOT / "book" / "plans" / "embedded.toml"
SECONDS, BYTES = 60.0, 2 * 2**30


def point(name: str, patterns: tuple[str, ...], files: tuple[str, ...]) -> Point:
    """Return the point of the chapters that the patterns name, such as ``"neural/*"``."""

    def measure(quick: bool) -> Raw:
        found = []
        for planned in plan.load(PLAN).runs:
            if any(fnmatch.fnmatch(planned.notebook, pattern) for pattern in patterns):
                with tempfile.TemporaryDirectory() as folder:
                    found.append(_spent(planned, Path(folder) / "run"))
                if quick:
                    break
        return {"chapters": found}

    what = f"{', '.join(patterns)} at the parameters of the embedded book: CPU seconds, GiB at most"
    return Point(
        name, what, "60 CPU s and 2 GiB each", measure, judge, ("torch", "numpy", "papermill"), files, long=True
    )


def judge(raw: Raw) -> Verdict:
    """Hold each chapter to its minute and its memory."""
    told = [f"{one['chapter']} {one['cpu']:.0f} s, {one['bytes'] / 2**30:.1f} GiB" for one in raw["chapters"]]
    over = [one for one in raw["chapters"] if one["cpu"] > SECONDS or one["bytes"] > BYTES]
    return Verdict("; ".join(told), ok=bool(told) and not over)


def _spent(planned: plan.PlannedRun, folder: Path) -> Raw:
    outcome = run.run_one(planned, folder)
    if outcome.status != "ok":
        raise SystemExit(f"{planned.notebook}: {outcome.error}")
    receipt = rows.json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
    return {"chapter": planned.notebook, "cpu": receipt["cpu_seconds"], "bytes": receipt["peak_memory_bytes"]}
