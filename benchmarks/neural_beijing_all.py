"""All data of one station of Beijing, the same windows for all: the network of chapter neural/04 beside its rivals.

``python -m benchmarks.neural_beijing_all --only beijing_all`` records it, where statsforecast and neuralforecast are
installed (extra `bench`). Dongsi, PM2.5, 168 h in and 24 h out, a forecast at each midnight of the test; learned from
all windows to 2016-02-29, recipes chosen by the readings to 2016-08-31. AutoARIMA, PatchTST and NHITS see PM2.5 alone,
with gaps filled by the same hour of the day before; the network and LightGBM see the weather of the week before too.
AutoARIMA is fitted once, on the twelve weeks before the test, with a season of a day, and carried forward to each
origin with its twelve weeks.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import neural_beijing_peers as peers
from benchmarks import rows
from benchmarks.neural_beijing import FILES
from benchmarks.neural_beijing_rivals import boosted, features, rival_errors, targets
from benchmarks.neural_beijing_runs import CHOOSE, CUT, STOP, Station, places
from citylib import seeds
from citylib.evaluate import contest
from citylib.neural.few_labels import Recipe, learn

Raw = dict[str, Any]
STATION, EVERY = "Dongsi", 8
RECIPES = tuple(Recipe(steps, rate, batch=128) for steps in (300, 600, 1200) for rate in (1e-3, 3e-3))


def measure(quick: bool) -> Raw:
    """Record every contender's loss by day."""
    torch.set_num_threads(1)
    world, names, files = places()
    target = names.index(STATION)
    spent: dict[str, float] = {}
    choosing = Station(world, target, (target,), CUT, CHOOSE)
    here = Station(world, target, (target,), CHOOSE, STOP)
    midnight = (here.test[0].numpy() % 24) == 0
    here.test = tuple(part[torch.as_tensor(midnight)] for part in here.test)
    known = world.windows(here.sequences, (target,))
    before = time.process_time()
    tried = []
    for recipe in RECIPES:
        model = world.model(here.sequences, seed=0)
        learn(model, here.sequences, known, recipe, seed=0)
        tried.append((float(np.nanmean(choosing.errors(model))), recipe, model))
    _, recipe, model = min(tried, key=lambda one: one[0])
    lost = {"network": here.errors(model)}
    spent["network, all tries"] = time.process_time() - before
    lost |= rival_errors(here, (), share=0.05, seed=0)
    before = time.process_time()
    fewer = tuple(part[::EVERY] for part in known)
    x_BT, _, _ = here.sequences.take(*here.test)
    truth = x_BT[:, 168:].numpy() * here.unit
    guess = boosted(features(here, fewer), targets(here, fewer), features(here, here.test), 0)
    lost["LightGBM"] = np.abs(guess - truth)
    spent["LightGBM"] = time.process_time() - before
    before = time.process_time()
    lost["AutoARIMA"] = np.abs(peers.arima(world.values[:, target], here.test[0].numpy()) - truth)
    spent["AutoARIMA"] = time.process_time() - before
    rows_of = [int(np.searchsorted(world.times, np.datetime64(day))) for day in (CUT, CHOOSE)]
    picked: Raw = {}
    for name in peers.SIZES:
        before = time.process_time()
        guess, picked[name] = peers.network(name, world.values[:, target], here.test[0].numpy(), *rows_of)
        lost[name] = np.abs(guess - truth)
        spent[f"{name}, all tries"] = time.process_time() - before
    losses = {name: np.round(np.nanmean(error, axis=1), 4).tolist() for name, error in lost.items()}
    chosen = {"network": {"steps": recipe.steps, "rate": recipe.rate}} | picked
    return {"losses": losses, "cpu": spent, "chosen": chosen, "origins": len(truth), "files": files}


def judge(raw: Raw) -> rows.Verdict:
    """Report who is where, and whether weeks can tell the network from each other one."""
    losses = {name: np.array(lost) for name, lost in raw["losses"].items()}
    pairs = [("network", name) for name in losses if name != "network"]
    told = contest.duels(losses, pairs, block=7, generator=seeds.generator(0, "weeks"))
    mean = {name: float(np.nanmean(lost)) for name, lost in losses.items()}
    others = ", ".join(f"{name} {mean[name]:.1f}" for name in sorted(mean, key=lambda n: mean[n]) if name != "network")
    settled = "; ".join(f"against {row.second}: {row.better}" for row in told.itertuples())
    return rows.Verdict(f"{mean['network']:.1f} µg/m³", others, settled)


POINTS = (
    rows.Point(
        "beijing_all",
        f"{STATION}, PM2.5, all of its data, 168 h in, 24 h out, a forecast a day: MAE of the network and of rivals",
        "",
        measure,
        judge,
        ("torch", "numpy", "lightgbm", "statsforecast", "neuralforecast"),
        (*FILES, "benchmarks/neural_beijing_all.py", "benchmarks/neural_beijing_peers.py"),
        long=True,
    ),
)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="record or measure one point")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, help="write the rows here")
    given = parser.parse_args()
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    sys.exit(main())
