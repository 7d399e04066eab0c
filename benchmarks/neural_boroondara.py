"""Few labels at a crossing of Boroondara, each of the 40 in turn left out with all of its detectors.

``python -m benchmarks.neural_boroondara --only boroondara`` records it; a crossing that is finished is kept under
``_build/neural_boroondara``. Counts in 15 minutes, a day in, three hours out, October 2006: learned from the first 18
days, rates and steps chosen on a crossing of the other half by the 19th to the 23rd, tested from the 24th on. A
crossing left out is judged at its detector with most readings, and has 15 % of its training days. ``--keep`` writes
what chapter neural/04 shows of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from benchmarks.neural_beijing_rivals import rival_errors
from benchmarks.neural_beijing_runs import Station, best, daily, kept
from citylib import data, seeds
from citylib.data.recorded import KEPT as SHOWN
from citylib.evaluate import contest
from citylib.neural.few_labels import Places, Recipe

FILES = (
    "benchmarks/neural_beijing_r*.py",
    "benchmarks/neural_boroondara.py",
    "citylib/neural/calendar.py",
    "citylib/neural/few_labels.py",
    "citylib/neural/layers/attention.py",
    "citylib/neural/layers/patches.py",
    "citylib/neural/models/patch_transformer.py",
    "citylib/neural/pretrain.py",
    "citylib/neural/sequences.py",
    "citylib/neural/setting.py",
    "citylib/neural/train.py",
    "citylib/seeds.py",
    "citylib/data/sources/traffic_scats_boroondara.py",
)
CUT, CHOOSE, STOP = (np.datetime64(day) for day in ("2006-10-19", "2006-10-24", "2006-11-01"))
SHARE, DRAWS, DAY = 0.15, ("days", "recent"), 96
SIZE = {"history": DAY, "horizon": 12, "patch": 12, "least": 12}
PRETRAIN = tuple(Recipe(300, rate, batch=128) for rate in (1e-3, 3e-3, 1e-2))
TUNE = (Recipe(0, 1e-4), *(Recipe(steps, rate) for steps in (30, 100) for rate in (1e-4, 5e-4)))
SCRATCH = tuple(Recipe(steps, rate) for steps in (100, 400) for rate in (1e-3, 3e-3))
KEPT = rows.ROOT / "_build" / "neural_boroondara"
Raw = dict[str, Any]


def crossings() -> tuple[Places, dict[str, tuple[int, ...]], list[dict[str, str]]]:
    """Return the counts, the detectors of each crossing (that with most readings first) and the files read."""
    city = data.load("traffic-scats-boroondara")
    panel = city.panel().regular()
    owner = city.table("sensors").set_index("sensor").loc[list(panel.sensors), "scats"].astype(str).to_numpy()
    read = panel.mask.sum(axis=0)
    sites = {
        str(site): tuple(int(k) for k in sorted(np.flatnonzero(owner == site), key=lambda k: (-read[k], k)))
        for site in np.unique(owner)
    }
    cut = int(np.searchsorted(panel.times, CUT))
    files = [{"file": one.file, "sha256": one.sha256} for one in city.files]
    return Places(panel.values, panel.times, cut, **SIZE), sites, files


def choose(world: Places, here: Station) -> Raw:
    """Choose recipes where a crossing of the other half is the target, by its readings between the cut and the test."""
    tried: Raw = {}
    models = {recipe: here.pretrained(recipe, 0) for recipe in PRETRAIN}
    tried["pretrain"] = [{**asdict(recipe), "mae": _mean(here, model)} for recipe, model in models.items()]
    start = models[best(tried["pretrain"])]
    for how in DRAWS:
        for name, grid, begin in (("tune", TUNE, start), ("scratch", SCRATCH, None)):
            found = [{**asdict(recipe), "mae": _mean(here, here.taught(begin, how, recipe, 0))} for recipe in grid]
            tried[f"{name} {how}"] = found
    return tried


def judged(here: Station, tried: Raw) -> Raw:
    """Return the daily losses of every contender at one crossing."""
    before = time.process_time()
    start = here.pretrained(best(tried["pretrain"]), 0)
    found = {"pre-trained, zero-shot": here.errors(start)}
    for how in DRAWS:
        found[f"pre-trained, tuned | {how}"] = here.errors(here.taught(start, how, best(tried[f"tune {how}"]), 0))
        found[f"scratch | {how}"] = here.errors(here.taught(None, how, best(tried[f"scratch {how}"]), 0))
    found |= rival_errors(here, DRAWS, share=SHARE, seed=0, day=DAY)
    return {"cpu": time.process_time() - before, **daily(here.day, found)}


def measure(quick: bool) -> Raw:
    """Record every crossing."""
    torch.set_num_threads(1)
    world, sites, files = crossings()
    folder = KEPT / hashlib.sha256(json.dumps(rows.digests(FILES)).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    names = list(sites)
    halves = names[::2], names[1::2]

    def station(site: str, beside: tuple[str, ...], first: np.datetime64, last: np.datetime64) -> Station:
        others = tuple(k for name in beside if name != site for k in sites[name])
        return Station(world, sites[site][0], others, first, last, SHARE)

    runs: list[Raw] = []
    for k, half in enumerate(halves):  # the crossings of one half are judged with what was chosen in the other
        other = halves[1 - k]
        proxy = max(other, key=lambda site: int((~np.isnan(world.values[:, sites[site][0]])).sum()))
        tried = kept(folder / f"choice-{k}.json", partial(choose, world, station(proxy, other, CUT, CHOOSE)))
        runs.append({"choice": tried})
        for site in half:
            here = station(site, tuple(names), CHOOSE, STOP)
            if len(here.day) and len(world.labels(here.sequences, here.target, share=SHARE, how="recent", seed=0)[0]):
                runs.append({"site": site, **kept(folder / f"{site}.json", partial(judged, here, tried))})
    return {"runs": runs, "files": files, "sites": len(sites)}


def judge(raw: Raw) -> rows.Verdict:
    """Report what pre-training gains over the crossings, and who is ahead of it."""
    told = {how: _gain(raw, how) for how in DRAWS}
    ours = ", ".join(f"{how}: {one['ours']:.2f}" for how, one in told.items())
    peer = ", ".join(f"{how}: {one['scratch']:.2f}" for how, one in told.items())
    ratio = "; ".join(f"{how}: {one['low']:+.2f} to {one['high']:+.2f} veh" for how, one in told.items())
    mean = {
        name: float(np.mean([row["mae"] for row in summary(raw) if row["contender"] == name])) for name in _names(raw)
    }
    first = min(mean, key=lambda name: mean[name])
    return rows.Verdict(
        ours, f"from scratch, {peer}", f"{ratio} (95 % over crossings); lowest: {first} {mean[first]:.2f}"
    )


def summary(raw: Raw) -> list[Raw]:
    """Return the mean absolute error of every contender at every crossing."""
    return [
        {"site": run["site"], "contender": name, "mae": float(np.average(lost, weights=run["count"]))}
        for run in raw["runs"]
        if "site" in run
        for name, lost in run["losses"].items()
    ]


def _gain(raw: Raw, how: str) -> Raw:
    """Return scratch minus pre-trained, with an interval over crossings (eight days are too few to draw again)."""
    by = {name: np.array([row["mae"] for row in summary(raw) if row["contender"] == f"{name} | {how}"])
          for name in ("scratch", "pre-trained, tuned")}  # fmt: skip
    table = contest.duels(by, [("scratch", "pre-trained, tuned")], block=1, generator=seeds.generator(0, "sites", how))
    row = next(table.itertuples())
    wins = int((by["scratch"] > by["pre-trained, tuned"]).sum())
    out = {"scratch": by["scratch"].mean(), "ours": by["pre-trained, tuned"].mean(), "wins": wins, "low": row.low}
    return {**{k: float(v) for k, v in out.items()}, "high": float(row.high), "sites": len(by["scratch"])}


def _names(raw: Raw) -> list[str]:
    return list(next(run["losses"] for run in raw["runs"] if "site" in run))


def _mean(here: Station, model: Any) -> float:
    return float(np.nanmean(here.errors(model)))


POINTS = (
    rows.Point(
        "boroondara",
        "Boroondara, 24 h in, 3 h out, 15 % of a crossing's days: pre-trained on the other 39 or from scratch, MAE",
        "",
        measure,
        judge,
        ("torch", "numpy", "lightgbm"),
        FILES,
        long=True,
    ),
)


def keep() -> None:
    """Write what the chapter shows."""
    whole = json.loads((rows.RECORDED / "boroondara.json").read_text(encoding="utf-8"))
    raw = whole["raw"]
    content = {name: whole[name] for name in ("versions", "machine", "files")}
    content |= {"command": "python -m benchmarks.neural_boroondara --only boroondara, then --keep"}
    content |= {"runs": summary(raw), "gains": {how: _gain(raw, how) for how in DRAWS}, "data": raw["files"]}
    content |= {"sites": raw["sites"], "chosen": [run["choice"] for run in raw["runs"] if "choice" in run]}
    half = (SHOWN / "few_labels_crossings.json").with_suffix(".part")
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(SHOWN / "few_labels_crossings.json")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="record or measure one point")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--keep", action="store_true", help="write what the chapter shows of what was recorded")
    given = parser.parse_args()
    if given.keep:
        keep()
        return 0
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    sys.exit(main())
