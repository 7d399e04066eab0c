"""Few labels at a new station of Beijing: the bar, from the raw figures that were recorded.

``python -m benchmarks.neural_beijing --only beijing`` runs `benchmarks.neural_beijing_runs` and records it; a station
that is finished is kept under ``_build/neural_beijing``, so that a run that was killed goes on. ``--keep`` writes what
chapter neural/04 shows of it to ``citylib/data/kept/few_labels.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from benchmarks.neural_beijing_runs import DRAWS, model_size, places, record
from citylib import seeds
from citylib.data.recorded import KEPT as SHOWN
from citylib.evaluate import compare

FILES = (
    "benchmarks/neural_beijing_r*.py",
    "citylib/neural/calendar.py",
    "citylib/neural/few_labels.py",
    "citylib/neural/finetune.py",
    "citylib/neural/layers/*.py",
    "citylib/neural/masks.py",
    "citylib/neural/models/patch_transformer.py",
    "citylib/neural/pretrain.py",
    "citylib/neural/sequences.py",
    "citylib/neural/setting.py",
    "citylib/neural/train.py",
    "citylib/seeds.py",
    "citylib/data/sources/air_beijing_multisite.py",
)
KEPT = rows.ROOT / "_build" / "neural_beijing"
Raw = dict[str, Any]


def measure(quick: bool) -> Raw:
    """Record all stations."""
    torch.set_num_threads(1)
    world, names, files = places()
    digest = hashlib.sha256(json.dumps(rows.digests(FILES)).encode()).hexdigest()[:12]
    before = time.process_time()
    runs = record(world, names, KEPT / digest)
    print(f"{time.process_time() - before:.0f} CPU s in this process", file=sys.stderr)
    return {"runs": runs, "files": files, "parameters": model_size(world)}


def gains(raw: Raw) -> Raw:
    """Work the bar out from daily losses: what pre-training gains, mean over stations, with its interval over weeks."""
    out: Raw = {}
    for how in DRAWS[:2]:
        scratch = {name: per_station(raw, f"{name} | {how}") for name in ("scratch", "scratch, all steps")}
        ours = per_station(raw, f"pre-trained, tuned | {how}")
        means = {name: float(np.mean(list(found.values()))) for name, found in scratch.items()}
        rival = min(means, key=lambda name: means[name])
        lost = [daily(raw, f"{name} | {how}") for name in (rival, "pre-trained, tuned")]
        interval = compare.paired_bootstrap(*lost, block=7, generator=seeds.generator(0, "weeks", how))
        mine = float(np.mean(list(ours.values())))
        wins = sum(ours[station] < scratch[rival][station] for station in ours)
        out[how] = {"scratch": means, "ours": mine, "share": 1 - mine / means[rival], "interval": interval.ends}
        out[how] |= {"wins": wins, "stations": len(ours)}
    return out


def judge(raw: Raw) -> rows.Verdict:
    """The bar: 10 % lower in both draws, and the interval above zero."""
    found = gains(raw)
    longest = max(run["cpu"]["pretrain"] for run in raw["runs"] if "station" in run)
    good = all(one["share"] >= 0.10 and one["interval"][0] > 0 for one in found.values()) and longest <= 300
    ours = ", ".join(f"{how}: {one['ours']:.1f}" for how, one in found.items())
    peer = ", ".join(f"{how}: {min(one['scratch'].values()):.1f}" for how, one in found.items())
    ratio = "; ".join(
        f"{how}: {one['share']:.1%} lower, {one['interval'][0]:.1f} to {one['interval'][1]:.1f} µg/m³"
        for how, one in found.items()
    )
    return rows.Verdict(ours, f"from scratch, {peer}", f"{ratio}; a pre-training {longest:.0f} CPU s", good)


def summary(raw: Raw) -> list[Raw]:
    """Return the mean absolute error of every contender on every station and seed."""
    return [
        {"station": run["station"], "seed": run["seed"], "contender": name, "mae": _mae(run, name)}
        for run in raw["runs"]
        if "station" in run
        for name in run["losses"]
    ]


def recorded(_: bool) -> Raw:
    """Return the two stations where every contender was tried with every draw, from the record."""
    path = rows.RECORDED / "beijing.json"
    if not path.is_file():
        raise SystemExit("not recorded: python -m benchmarks.neural_beijing --only beijing")
    whole = json.loads(path.read_text(encoding="utf-8"))
    return two(whole["raw"]) | {"changed": rows.changed(whole["files"], FILES)}


def two(raw: Raw) -> Raw:
    """Return each contender's mean error at those stations, and how far it is from the tuned network of its draw."""
    shared = {**raw, "runs": [run for run in raw["runs"] if any("random" in name for name in run.get("losses", {}))]}
    names = sorted({name for run in shared["runs"] for name in run["losses"]})
    mean = {name: float(np.mean(list(per_station(shared, name).values()))) for name in names}
    return {"mae": mean, "against": against(shared, level=1 - 0.05 / len(names))}


def judge_two(raw: Raw) -> rows.Verdict:
    """Say what beats the pre-trained, tuned network, what it beats, and what is open."""
    if raw["changed"]:
        again = "python -m benchmarks.neural_beijing --only beijing"
        return rows.Verdict(f"recorded before these changed: {', '.join(raw['changed'][:3])}; {again}")
    words = {name: f"{name} {mae:.1f}" for name, mae in sorted(raw["mae"].items(), key=lambda one: one[1])}
    ours = [name for name in words if name.startswith("pre-trained, tuned")]
    sides: dict[str, list[str]] = {"it beats": [], "it is beaten by": [], "open": []}
    for one in raw["against"]:
        side = "it beats" if one["low"] > 0 else "it is beaten by" if one["high"] < 0 else "open"
        sides[side].append(f"{one['contender']} ({one['low']:+.1f} to {one['high']:+.1f})")
    ratio = "; ".join(f"{side}: {', '.join(found) or 'nobody'}" for side, found in sides.items())
    others = "; ".join(word for name, word in words.items() if name not in ours)
    return rows.Verdict("; ".join(words[name] for name in ours), others, ratio)


POINTS = (
    rows.Point(
        "beijing",
        "PM2.5, 168 h in, 24 h out, 5 % of a station's windows: pre-trained on the other 11 against from scratch, MAE",
        "10 % lower by the mean over stations, interval (weeks) above 0, whole days and most recent; 5 CPU minutes",
        measure,
        judge,
        ("torch", "numpy", "lightgbm"),
        FILES,
        long=True,
    ),
    rows.Point(
        "beijing_two",
        "the same at Dongsi and Huairou, one seed, MAE in µg/m³ of every contender (networks pre-trained by masks were "
        "tuned by one recipe that nobody chose); each minus the pre-trained, tuned network of its draw (of whole days "
        "where it has none), weeks drawn, intervals held together to 95 %; by the record",
        "",
        recorded,
        judge_two,
        (),
        ("benchmarks/recorded/beijing.json",),
    ),
)


def per_station(raw: Raw, contender: str) -> dict[str, float]:
    """Return the mean absolute error of a contender at each station, mean over seeds."""
    found: dict[str, list[float]] = {}
    for run in raw["runs"]:
        if contender in run.get("losses", {}):
            found.setdefault(run["station"], []).append(_mae(run, contender))
    return {station: float(np.mean(values)) for station, values in found.items()}


def daily(raw: Raw, contender: str) -> np.ndarray:
    """Return its mean absolute error by day of the origin and station, (days, stations), mean over seeds."""
    found: dict[str, list[np.ndarray]] = {}
    for run in raw["runs"]:
        if contender in run.get("losses", {}):
            lost = np.where(np.array(run["count"]) > 0, np.array(run["losses"][contender]), np.nan)
            found.setdefault(run["station"], []).append(lost)
    return np.column_stack([np.mean(values, axis=0) for values in found.values()])


def _mae(run: Raw, name: str) -> float:
    count = np.array(run["count"])
    return float(np.sum(np.array(run["losses"][name]) * count) / count.sum())


def keep() -> None:
    """Write what the chapter shows: errors of every contender, what was chosen, and the gain with its interval."""
    whole = json.loads((rows.RECORDED / "beijing.json").read_text(encoding="utf-8"))
    raw = whole["raw"]
    content = {name: whole[name] for name in ("versions", "machine", "files")}
    content |= {"command": "python -m benchmarks.neural_beijing --only beijing, then --keep", "runs": summary(raw)}
    content |= {
        "gains": gains(raw),
        "against": against(raw, level=together(raw)),
        "parameters": raw["parameters"],
        "data": raw["files"],
    }
    content["chosen"] = [run["choice"] for run in raw["runs"] if "choice" in run]
    content["pretraining_cpu_seconds"] = [run["cpu"]["pretrain"] for run in raw["runs"] if "station" in run]
    half = (SHOWN / "few_labels.json").with_suffix(".part")
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(SHOWN / "few_labels.json")


def together(raw: Raw) -> float:
    """Return the level of each interval with which all comparisons of `against` hold together with 95 %."""
    names = {name for run in raw["runs"] for name in run.get("losses", {})}
    return 1 - 0.05 / sum(not name.startswith("pre-trained, tuned") for name in names)


def against(raw: Raw, *, level: float = 0.95) -> list[Raw]:
    """Compare the tuned network with every other contender, by day over the stations where both were tried."""
    out = []
    names = sorted({name for run in raw["runs"] for name in run.get("losses", {})})
    for name in names:
        how = name.rpartition(" | ")[2] if " | " in name else "days"
        ours = f"pre-trained, tuned | {how}"
        if name == ours:
            continue
        shared = {**raw, "runs": [r for r in raw["runs"] if {name, ours} <= set(r.get("losses", {}))]}
        lost = [daily(shared, one) for one in (name, ours)]
        draw = seeds.generator(0, "weeks", name)
        found = compare.paired_bootstrap(*lost, block=7, generator=draw, level=level)
        row = {"contender": name, "draw": how, "stations": sorted(per_station(shared, name)), "low": found.low}
        out.append({**row, "difference": found.estimate, "high": found.high})
    return out


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
    raise SystemExit(main())
