"""``python -m tests.faults.survey [--full] [--json FILE]``: bring all faults of the table about and count the survived.

`survey` is what ``benchmarks/batch.py`` calls. A fault is survived if all its tests have passed and at least one has
run; one that cannot be brought about here (a disk that may not be mounted) counts as not survived, with the reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.faults.table import FAULTS

__all__ = ["count", "survey"]

ROOT = Path(__file__).parents[2]


def survey(*, full: bool = False, workers: int = 2) -> dict[str, Any]:
    """Run the suite in a process of its own and return what came out.

    Parameters
    ----------
    full : bool, default False
        Whether to bring faults about in their full sizes too, which takes some minutes.
    workers : int, default 2
        Tests at a time.

    Returns
    -------
    dict
        ``faults``, ``survived`` (numbers), ``failed`` (names, with their tests), ``skipped`` (names, with reasons),
        ``others`` (tests that failed and are about no one fault, such as whether processes are left over),
        ``tests``, ``seconds``, ``full``, ``ok``.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="citylib-faults-") as folder:
        report = Path(folder) / "report.xml"
        chosen = [] if full else ["-m", "not slow"]
        command = [sys.executable, "-m", "pytest", "tests/faults", "-q", "-n", str(workers), f"--junitxml={report}"]
        done = subprocess.run([*command, *chosen], cwd=ROOT, capture_output=True, text=True, check=False)
        if not report.is_file():
            raise RuntimeError(f"the suite did not run:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        found = count(report.read_text(encoding="utf-8"))
    return found | {"seconds": round(time.monotonic() - began, 1), "full": full}


def count(xml: str) -> dict[str, Any]:
    """Return what a report of pytest in JUnit's form says of the faults of the table.

    Parameters
    ----------
    xml : str
        The report; each test names its faults as properties.
    """
    passed: dict[str, int] = defaultdict(int)
    failed: dict[str, list[str]] = defaultdict(list)
    skipped: dict[str, str] = {}
    cases = list(ElementTree.fromstring(xml).iter("testcase"))
    others: list[str] = []
    for case in cases:
        skip, bad = case.find("skipped"), case.find("failure") is not None or case.find("error") is not None
        about = {one.get("value", "") for one in case.iter("property") if one.get("name") == "fault"}
        if bad and not about:
            others.append(case.get("name", ""))
        for name in about:
            if bad:
                failed[name].append(case.get("name", ""))
            elif skip is not None:
                skipped[name] = skip.get("message", "")
            else:
                passed[name] += 1
    for name in FAULTS.keys() - passed.keys() - failed.keys() - skipped.keys():
        failed[name].append("no test has run")
    survived = [name for name in FAULTS if passed[name] and name not in failed]
    return {
        "faults": len(FAULTS),
        "survived": len(survived),
        "failed": dict(failed),
        "skipped": {name: reason for name, reason in skipped.items() if name not in survived},
        "others": others,
        "tests": len(cases),
        "ok": len(survived) == len(FAULTS) and not others,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Bring all faults of the table about and count the survived.")
    parser.add_argument("--full", action="store_true", help="in their full sizes too")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    arguments = parser.parse_args()
    result = survey(full=arguments.full)
    print(json.dumps(result, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if result["ok"] else 1)
