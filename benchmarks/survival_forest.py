"""The random survival forest of chapter survival/04, recorded by running it where scikit-survival is installed.

``python -m benchmarks.survival_forest`` writes ``citylib/data/kept/survival_forest.json``: for each set of parameters
the forest's rows of the chapter's tables, those of the reference beside them (by which the chapter tells whether the
record is of what it sees), and with what they were made.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import rows
from citylib.batch import plan, run
from citylib.data.recorded import KEPT

CHAPTER = rows.ROOT / "notebooks" / "survival" / "04_which_model.ipynb"
KITCHENER = {"source": "infra-water-mains-kitchener", "kinds": ["material"]}
RUNS: tuple[dict[str, Any], ...] = (
    {"source": "synthetic"},
    KITCHENER,
    KITCHENER | {"clock": "first", "folds": 3},
    {"source": "synthetic:tiny", "folds": 3},
)
KEEP = ("Kaplan-Meier", "random forest")
PACKAGES = ("lifelines", "numpy", "scikit-learn", "scikit-survival")
FILES = (
    "citylib/survival/*.py",
    "citylib/data/sources/infra_water_mains_kitchener.py",
    "citylib/data/synthetic/assets.py",
    "notebooks/survival/04_which_model.ipynb",
)


def once(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the chapter and return what is kept of it."""
    planned = plan.single(CHAPTER, {**given, "worlds": 3, "mains": 500}).runs[0]
    outcome = run.run_one(planned, folder)
    if outcome.status != "ok":
        raise SystemExit(json.dumps(outcome.error, indent=1))
    receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
    tables = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))["tables"]
    files = {table["name"]: outcome.folder / table["file"] for table in tables}
    kept: dict[str, Any] = {"parameters": receipt["parameters"], "cpu_seconds": receipt["cpu_seconds"]}
    kept["data"] = [{"file": one["file"], "sha256": one["sha256"]} for one in receipt["data"]]
    for name, source in (
        ("everything", "everything"),
        ("against", "against_reference"),
        ("against_cox", "against_cox"),
    ):
        frame = pd.read_parquet(files[source])
        frame = frame[frame["model"].isin(KEEP)].drop(columns="made")
        kept[name] = json.loads(frame.to_json(orient="records", double_precision=15))
    if not any(row["model"] == "random forest" for row in kept["everything"]):
        raise SystemExit("the kernel does not see scikit-survival: install citylib[forest] in its environment")
    return kept


def main() -> int:
    """Record all runs."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if importlib.util.find_spec("sksurv") is None:
        print("needs scikit-survival: pip install 'citylib[forest]'", file=sys.stderr)
        return 2
    before = rows.digests(FILES)
    with tempfile.TemporaryDirectory() as folder:
        runs = [once(given, Path(folder) / str(k)) for k, given in enumerate(RUNS)]
    content = {"command": "python -m benchmarks.survival_forest", "versions": rows.versions(PACKAGES)}
    content |= {"machine": rows.machine(), "files": before, "runs": runs}
    KEPT.mkdir(exist_ok=True)
    path = KEPT / "survival_forest.json"
    half = path.with_suffix(".part")
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(path)
    for one in runs:
        found = pd.DataFrame(one["against"])
        print(one["parameters"]["source"], one["parameters"]["clock"], f"{one['cpu_seconds']:.0f} CPU s")
        print(found[["design", "model", "value", "error", "difference", "difference_low", "difference_high"]].round(4))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
