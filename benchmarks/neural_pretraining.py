"""Chapter neural/03 with more steps than a page may take, recorded.

``python -m benchmarks.neural_pretraining`` writes ``citylib/data/kept/neural_pretraining.json``: for each set of its
parameters the tables of contenders, pairs, augmentation and fills, with what they were made of. Some minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import rows
from citylib.batch import plan, run
from citylib.data.recorded import KEPT

CHAPTER = rows.ROOT / "notebooks" / "neural" / "03_masked_pretraining.ipynb"
REAL = {
    "sources": ["air-beijing-multisite", "traffic-scats-boroondara", "electricity-pjm", "traffic-i94"],
    "variables": "main",
    "test_from": "2016-09-01",
}
RUNS: tuple[dict[str, Any], ...] = (REAL | {"steps": 500, "tuning": 150, "repeats": 3},)
TABLES = ("contenders", "paired", "augmentation", "fills")
PACKAGES = ("numpy", "torch")
FILES = ("citylib/neural/*.py", "citylib/neural/layers/*.py", "citylib/neural/models/patch_transformer.py")


def once(given: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the chapter and return what is kept of it."""
    planned = plan.single(CHAPTER, given, limits={"minutes": 120}).runs[0]
    outcome = run.run_one(planned, folder)
    if outcome.status != "ok":
        raise SystemExit(json.dumps(outcome.error, indent=1))
    receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
    found = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))
    kept: dict[str, Any] = {"parameters": receipt["parameters"], "cpu_seconds": receipt["cpu_seconds"]}
    kept["data"] = [{"file": one["file"], "sha256": one["sha256"]} for one in receipt["data"]]
    kept["unit"] = next(one["unit"] for one in found["records"] if one["name"] == "chosen_mae")
    files = {table["name"]: outcome.folder / table["file"] for table in found["tables"]}
    for name in TABLES:
        kept[name] = json.loads(pd.read_parquet(files[name]).to_json(orient="records", double_precision=10))
    return kept


def main() -> int:
    """Record all runs."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    before = rows.digests(FILES)
    with tempfile.TemporaryDirectory() as folder:
        runs = [once(given, Path(folder) / str(k)) for k, given in enumerate(RUNS)]
    content: dict[str, Any] = {"command": "python -m benchmarks.neural_pretraining"}
    content["versions"] = rows.versions(PACKAGES)
    content |= {"machine": rows.machine(), "files": before, "runs": runs}
    KEPT.mkdir(exist_ok=True)
    path = KEPT / "neural_pretraining.json"
    half = path.with_suffix(".part")
    half.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    half.rename(path)
    for one in runs:
        print(one["parameters"]["sources"], f"{one['cpu_seconds']:.0f} CPU s")
        print(pd.DataFrame(one["paired"]).round(4))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
