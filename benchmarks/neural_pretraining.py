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
from benchmarks.rows import Point, Raw, Verdict
from citylib.batch import plan, run
from citylib.data.recorded import KEPT

CHAPTER = rows.ROOT / "notebooks" / "neural" / "03_masked_pretraining.ipynb"
REAL = {
    "sources": ["air-beijing-multisite", "traffic-scats-boroondara", "electricity-pjm", "traffic-i94"],
    "variables": "main",
    "test_from": "2016-09-01",
}
RUNS: tuple[dict[str, Any], ...] = (REAL | {"steps": 500, "tuning": 150, "repeats": 5},)
TABLES = ("contenders", "paired", "strengths", "augmentation", "fills")
PACKAGES = ("numpy", "torch")
MODULES = (
    "augment", "calendar", "finetune", "masks", "plain_fills", "pretrain", "scaling", "sequences", "series_bank",
    "setting", "train", "models/patch_transformer", "layers/*",
)  # fmt: skip
FILES = tuple(f"citylib/neural/{name}.py" for name in MODULES)


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


def recorded(quick: bool) -> Raw:
    """Return what was recorded, and which files have changed since; no runs where nothing was."""
    path = KEPT / "neural_pretraining.json"
    if not path.is_file():
        return {"runs": [], "changed": []}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {"runs": found["runs"], "changed": rows.changed(found["files"], FILES)}


def judge(raw: Raw) -> Verdict:
    """Say what pre-training by masks bought, and what made-up variety did; a report."""
    again = "python -m benchmarks.neural_pretraining"
    if not raw["runs"]:
        return Verdict(f"not recorded: {again}")
    if raw["changed"]:
        return Verdict(f"recorded before these changed: {', '.join(raw['changed'][:3])}; {again}")
    run = raw["runs"][0]
    mae = {one["contender"]: one["mae"] for one in run["contenders"]}
    ours = "; ".join(f"{name} {value:.1f}" for name, value in mae.items() if name.startswith(("plain", "with tails")))
    peers = "; ".join(f"{name} {mae[name]:.1f}" for name in mae if name.startswith(("persist", "season", "scratch")))
    gaps = [f"{one['first']} - {one['against']}: {one['difference']:+.1f} ({one['low']:+.1f} to {one['high']:+.1f}; "
            f"proven: {one['proven']})" for one in run["paired"]]  # fmt: skip
    return Verdict(f"MAE [{run['unit']}]: {ours}", peers, "; ".join(gaps))


POINTS = (
    Point("pretraining", "Beijing's PM2.5 a day ahead with few labels, after pre-training by masks on four sources; "
          "intervals hold together, and a difference is proven only if each seed has it", "", recorded, judge,
          PACKAGES, FILES),
)  # fmt: skip


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
