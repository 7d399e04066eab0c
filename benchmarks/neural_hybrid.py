"""The hybrid of chapter timeseries/05 by seeds, recorded by running the chapter again.

``python -m benchmarks.neural_hybrid`` writes ``citylib/data/kept/hybrid.json``: for each set of parameters of the real
book and each seed the chapter's table of scores, its parameters and what it was made of; then it prints the rows. A
single run takes about a minute of CPU; runs already recorded by the same files are not repeated. ``--rows`` prints the
rows from the record alone, ``--seeds`` says how many seeds there are to be.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict
from citylib.batch import plan, run
from citylib.data.recorded import KEPT

CHAPTER = rows.ROOT / "notebooks" / "timeseries" / "05_hybrid.ipynb"
RUNS: tuple[dict[str, Any], ...] = (
    {
        "source": "traffic-metr-la",
        "variable": "speed_as_published",
        "measured": "speed",
        "graph": "adjacency_directed",
        "stretch_days": 1,
        "season": "daily",
        "block_hours": 2,
    },
    {"source": "traffic-scats-boroondara", "cut": "2006-10-25", "stretch_days": 4},
)
PACKAGES = ("numba", "numpy", "scipy", "torch")
FILES = (
    "citylib/neural/models/residual_net.py",
    "citylib/neural/train.py",
    "citylib/spatial/space_time*.py",
    "citylib/timeseries/many.py",
    "citylib/timeseries/arima_fits.py",
    "citylib/timeseries/decompose.py",
)
TGCN = {"rmse": 5.126, "mae": 3.180}  # its stored predictions on the same windows (Zhao et al., 2020)
WHOLE = "ARMA + neighbours + net"
SHOWN = ("persistence", "ARMA", "neighbours", "ARMA + neighbours", "net", WHOLE, "ARMA + neighbours + linear", "ridge")
POINTS_OF = {"traffic-metr-la": "hybrid los-loop", "traffic-scats-boroondara": "hybrid Boroondara"}


def once(given: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """Run the chapter with one seed and return what is kept of it."""
    planned = plan.single(CHAPTER, {**given, "device": "cpu", "seed": seed}, limits={"minutes": 120}).runs[0]
    outcome = run.run_one(planned, folder)
    if outcome.status != "ok":
        raise SystemExit(json.dumps(outcome.error, indent=1))
    receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
    tables = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))["tables"]
    files = {table["name"]: outcome.folder / table["file"] for table in tables}
    scores = pd.read_parquet(files["scores"]).set_index("forecast")
    kept: dict[str, Any] = {"parameters": receipt["parameters"], "cpu_seconds": receipt["cpu_seconds"]}
    kept["data"] = [
        {"file": one["file"], "sha256": one["sha256"]} for one in receipt["data"] if one["origin"] != "recorded"
    ]
    kept["scores"] = json.loads(scores.to_json(orient="index", double_precision=12))
    return kept


def report(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row a source and forecast: means over seeds and their range; reports, no bars."""
    out = []
    for source, point in POINTS_OF.items():
        runs = [one["scores"] for one in found["runs"] if one["parameters"]["source"] == source]
        for name in SHOWN if runs else ():
            row: dict[str, Any] = {"point": point, "kind": "report", "what": name, "seeds": len(runs)}
            for kind in ("rmse", "mae", "rmse_measured", "mae_measured"):
                values = [one[name][kind] for one in runs]
                row |= {kind: statistics.fmean(values), f"{kind}_range": [min(values), max(values)]}
            out.append(row)
    return out


def record(path: Path, seeds: int) -> None:
    """Run what is not yet recorded by these files, and write the record after each run."""
    made_of = rows.digests(FILES)
    content: dict[str, Any] = {"command": "python -m benchmarks.neural_hybrid", "versions": rows.versions(PACKAGES)}
    content |= {"machine": rows.machine(), "files": made_of, "runs": []}
    if path.exists():
        earlier = json.loads(path.read_text(encoding="utf-8"))
        content["runs"] = earlier["runs"] if earlier["files"] == made_of else []
    for seed, given in itertools.product(range(seeds), RUNS):
        asked = {**given, "seed": seed}
        if any(asked.items() <= one["parameters"].items() for one in content["runs"]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            content["runs"].append(once(given, seed, Path(folder) / "run"))
        half = path.with_suffix(".part")
        half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        half.replace(path)


def kept(source: str) -> Raw:
    """Return the recorded rows of a source, and which files have changed since; no rows where none is recorded."""
    path = KEPT / "hybrid.json"
    if not path.is_file():
        return {"rows": [], "changed": []}
    found = json.loads(path.read_text(encoding="utf-8"))
    named = [row for row in report(found) if row["point"] == POINTS_OF[source]]
    return {"rows": named, "changed": rows.changed(found["files"], FILES)}


def judge(raw: Raw) -> Verdict:
    """Say how far the whole comes, and each part alone; a report."""
    again = "python -m benchmarks.neural_hybrid"
    if not raw["rows"]:
        return Verdict(f"not recorded: {again}")
    if raw["changed"]:
        return Verdict(f"recorded before these changed: {', '.join(raw['changed'][:3])}; {again}")
    said = {
        row["what"]: f"{row['what']} {row['rmse']:.2f} ({row['rmse_range'][0]:.2f} to {row['rmse_range'][1]:.2f})"
        f" / {row['mae']:.2f}" for row in raw["rows"]
    }  # fmt: skip
    others = "; ".join(text for name, text in said.items() if name != WHOLE)
    return Verdict(said[WHOLE], others, f"mean of {raw['rows'][0]['seeds']} seeds, RMSE (range) / MAE")


def _point(name: str, source: str) -> Point:
    what = f"{POINTS_OF[source]}: ARMA, neighbours and a small network on the residual, each part alone beside it"
    return Point(name, what, "", lambda quick: kept(source), judge, PACKAGES, FILES)


POINTS = (
    _point("hybrid_los_loop", "traffic-metr-la"),
    _point("hybrid_boroondara", "traffic-scats-boroondara"),
)


def main() -> int:
    """Record all runs, print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", action="store_true", help="print the rows of the record that is there")
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    path = KEPT / "hybrid.json"
    if not asked.rows:
        record(path, asked.seeds)
    for row in report(json.loads(path.read_text(encoding="utf-8"))):
        low, high = row["rmse_range"]
        told = f"RMSE {row['rmse']:.3f} ({low:.3f} to {high:.3f}), MAE {row['mae']:.3f}, {row['seeds']} seeds"
        print(f"{row['point']:<18} {row['what']:<27} {told}")
    print(f"T-GCN on the windows of los-loop, quoted: RMSE {TGCN['rmse']}, MAE {TGCN['mae']:.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
