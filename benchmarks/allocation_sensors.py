"""Which sensors to read: rules side by side, on one Kalman filter, on real data and on `sensors-v1`.

Real readings are in standard deviations of their sensor, `sensors-v1` is in its own unit. Everything is learned and
chosen before the part that is judged: the scale, the usual day, the dynamics (one choice a source, while sensors are
read in turn), the fixed sets, the selectors.
``python -m benchmarks.allocation_sensors --only sensors_read`` records it; what is finished is kept under
``_build/sensors``, so that a run that was killed goes on. ``--keep`` writes what the chapter allocation/06 shows to
``citylib/data/kept/allocation_sensors.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

KEPT = rows.ROOT / "citylib" / "data" / "kept" / "allocation_sensors.json"
REAL: dict[str, dict[str, Any]] = {
    "los-loop": {
        "source": "traffic-metr-la",
        "variable": "speed",
        "per_day": 288,
        "block": 24,
        "reads": (4, 10, 21, 41),
    },
    "Beijing": {
        "source": "air-beijing-multisite",
        "variable": "PM2.5",
        "per_day": 24,
        "block": 168,
        "reads": (1, 2, 3, 4),
    },
}
DRAWN = {"sensors-v1": True, "sensors-v1 without jams": False}
NOISE, SEEDS, LEARNED, LAST_YEAR = 0.1, tuple(range(5)), 4000, 8760
NETWORKS, FIELD_NOISE = range(5), 0.3
FIELD_CANDIDATES = tuple({"harmonics": 0, "kind": "level", "shrink": share} for share in (0.0, 0.05))
REFERENCE = "in turn"
FILES = ("citylib/allocation/sensor_*.py", "citylib/allocation/policies/attention.py", "citylib/neural/train.py",
         "citylib/neural/setting.py", "citylib/neural/scaling.py", "citylib/seeds.py",
         "citylib/data/sources/traffic_metr_la.py", "citylib/data/sources/air_beijing_multisite.py",
         "benchmarks/allocation_sensors.py")  # fmt: skip


def contenders(world: Any, reads: int, noise: float, seed: int) -> dict[str, Any]:
    """Return the rules: simple ones, fixed sets, greedy ones, learned ones."""
    from citylib import seeds
    from citylib.allocation import sensor_choice as choice
    from citylib.allocation import sensor_learned

    part = slice(max(0, world.cut - LEARNED), world.cut)
    given = {"usual_TN": world.usual_TN[part], "reads": reads, "noise": noise, "seed": seed}
    index, network, _ = sensor_learned.learn(world.scaled_TN[part], world.moves, **given)
    cov, turn = world.moves.start_NN, choice.InTurn()
    return {
        "chance": choice.Chance(seeds.generator(seed, "chance")),
        "in turn": turn,
        "fixed, QR pivots": choice.by_pivots(cov, reads),
        "fixed, D-optimal": choice.by_determinant(cov, reads, noise=noise),
        "fixed, A-optimal": choice.by_variance(cov, reads, noise=noise),
        "greedy, variance": choice.Greedy("variance"),
        "greedy, deviation": choice.Greedy("deviation"),
        "index": index,
        "attention": network,
        "index and in turn": choice.Alternating((index, turn)),
        "attention and in turn": choice.Alternating((network, turn)),
        "none (ceiling)": turn,
        "all (floor)": choice.Everything(),
    }


def watched(world: Any, reads: int, noise: float, chosen: Sequence[int], block: int) -> Raw:
    """Watch the judged part by every rule; return scores, and differences to the reference.

    With each seed the selectors are trained anew, and all rules meet the same noise. Differences are of the means over
    seeds, and their intervals say what other hours would change.
    """
    from citylib import seeds
    from citylib.allocation import sensor_filter, sensor_world
    from citylib.evaluate import compare

    began = time.process_time()
    values, usual = world.judged(), world.usual_TN[world.cut :]
    sensors, out = values.shape[2], {}
    losses: dict[str, Any] = {}
    for seed in chosen:
        for name, rule in contenders(world, reads, noise, seed).items():
            given = {"reads": {"none (ceiling)": 0, "all (floor)": sensors}.get(name, reads), "noise": noise}
            given |= {"generator": seeds.generator(seed, "reading"), "usual_TN": usual}
            seen = sensor_filter.watch(values, world.moves, rule, **given)
            out.setdefault(name, {"runs": []})["runs"].append(sensor_world.score(seen, values))
            losses[name] = losses.get(name, 0.0) + np.abs(values - seen.estimate_BTN)[0] / len(chosen)
    for name, loss in losses.items():
        draw = seeds.generator(chosen[0], "bootstrap")
        found = compare.paired_bootstrap(loss, losses[REFERENCE], block=block, generator=draw)
        out[name]["against"] = [found.estimate, found.low, found.high]
    return {
        "reads": reads,
        "noise": noise,
        "sensors": sensors,
        "rules": out,
        "cpu_seconds": time.process_time() - began,
    }


def real(name: str) -> Any:
    """Return a real panel made ready."""
    from citylib import data, seeds
    from citylib.allocation import sensor_world

    told = REAL[name]
    panel = data.load(told["source"]).panel(told["variable"]).regular()
    values = np.log1p(panel.values) if name == "Beijing" else panel.values
    cut = len(values) - LAST_YEAR if name == "Beijing" else int(0.8 * len(values))
    middle = told["reads"][1]
    given = {"cut": cut, "per_day": told["per_day"], "reads": middle, "noise": NOISE}
    return sensor_world.prepare(values, generator=seeds.generator(0, "prepare"), **given)


def drawn(seed: int, jams: bool) -> Any:
    """Return a field of `sensors-v1` made ready."""
    from citylib import seeds
    from citylib.allocation import sensor_field, sensor_world

    field = sensor_field.field(seed=seed, jams=jams)
    values = np.vstack([field.learned_TN, field.values_TN])
    given = {"cut": len(field.learned_TN), "per_day": 24, "reads": sensor_field.READ, "noise": FIELD_NOISE}
    draw = seeds.generator(seed, "prepare")
    return sensor_world.prepare(values, generator=draw, candidates=FIELD_CANDIDATES, scaled=False, **given)


def measure(quick: bool) -> Raw:
    """Carry out everything that is not kept yet, the middle budgets first."""
    folder = rows.ROOT / "_build" / "sensors"
    world = cache(real)  # made once a source, for the middle budget, and used for all
    work: dict[tuple[str, int, int], Callable[[], Raw]] = {}
    for name, told in REAL.items():
        for reads in told["reads"][1:2] if quick else told["reads"]:
            work[name, reads, 0] = partial(of_real, world, name, reads, SEEDS[:1] if quick else SEEDS)
    for name in DRAWN:
        for seed in [0] if quick else NETWORKS:
            work[name, 4, seed] = partial(of_drawn, name, seed)
    first = sorted(work, key=lambda key: key[0] in REAL and key[1] != REAL[key[0]]["reads"][1])
    done = {key: kept(folder / f"{'-'.join(map(str, key))}-{quick}.json", work[key]) for key in first}
    raw: Raw = {"real": {name: [] for name in REAL}, "drawn": {name: [] for name in DRAWN}}
    for key in work:
        raw["real" if key[0] in REAL else "drawn"][key[0]].append(done[key])
    return raw


def of_real(world: Callable[[str], Any], name: str, reads: int, chosen: Sequence[int]) -> Raw:
    """Return what came of a real panel with one budget."""
    ready = world(name)
    found = watched(ready, reads, NOISE, chosen, REAL[name]["block"])
    return found | {"filter": dict(ready.chosen), "tried": [dict(t) for t in ready.tried]}


def of_drawn(name: str, seed: int) -> Raw:
    """Return what came of one network of `sensors-v1`."""
    return watched(drawn(seed, DRAWN[name]), 4, FIELD_NOISE, [seed], 50)


def kept(path: Path, work: Callable[[], Raw]) -> Raw:
    """Return what is kept at `path` for these files, or do the work and keep it."""
    state = hashlib.sha256(json.dumps(rows.digests(FILES), sort_keys=True).encode()).hexdigest()
    if path.is_file():
        found: Raw = json.loads(path.read_text(encoding="utf-8"))
        if found["state"] == state:
            return dict(found["raw"])
    raw = work()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"state": state, "raw": raw}), encoding="utf-8")
    return raw


def error(one: Raw, rule: str) -> float:
    """Return the median over runs of a rule's mean absolute error."""
    return median(run["error"] for run in one["rules"][rule]["runs"])


def judge(raw: Raw) -> Verdict:
    """Say which rule errs least, and how it stands between floor and ceiling."""
    told = []
    for name, several in (raw["real"] | raw["drawn"]).items():
        by_reads: dict[int, list[Raw]] = {}
        for one in several:
            by_reads.setdefault(one["reads"], []).append(one)
        for reads, group in by_reads.items():
            errors = {rule: median(error(one, rule) for one in group) for rule in group[0]["rules"]}
            best = min((v, r) for r, v in errors.items() if "(" not in r)
            words = f"{name} k={reads}: {best[1]} {best[0]:.3f}, {REFERENCE} {errors[REFERENCE]:.3f}"
            words += f", floor {errors['all (floor)']:.3f}, ceiling {errors['none (ceiling)']:.3f}"
            z = median(r["z_variance"] for one in group for r in one["rules"][best[1]]["runs"])
            told.append(f"{words}, variance of z {z:.2f}")
    return Verdict("; ".join(told))


POINTS = (
    Point(
        "sensors_read", "which sensors to read: every rule's error between floor and ceiling, and calibration",
        "", measure, judge, ("numpy", "numba", "torch"), FILES, long=True,
    ),
)  # fmt: skip


def keep() -> None:
    """Write what the chapter shows, from what was recorded."""
    found = json.loads((rows.RECORDED / "sensors_read.json").read_text(encoding="utf-8"))
    runs = []
    for name, several in (found["raw"]["real"] | found["raw"]["drawn"]).items():
        source = REAL[name]["source"] if name in REAL else name
        for k, one in enumerate(several):
            table = []
            for rule, got in one["rules"].items():
                means = {m: median(run[m] for run in got["runs"]) for m in got["runs"][0]}
                low, high = (f(run["error"] for run in got["runs"]) for f in (min, max))
                ends = dict(zip(("difference", "low", "high"), got["against"], strict=True))
                table.append({"rule": rule, **means, "least": low, "most": high, **ends})
            told = {
                "source": source,
                "reads": one["reads"],
                "noise": one["noise"],
                "sensors": one["sensors"],
                "draw": k,
            }
            runs.append({**told, "cpu_seconds": one["cpu_seconds"], "filter": one.get("filter", {}), "rules": table})
    content = {name: found[name] for name in ("versions", "machine", "files")}
    content |= {"command": "python -m benchmarks.allocation_sensors --only sensors_read", "runs": runs}
    KEPT.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one k, one run")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point")
    parser.add_argument("--keep", action="store_true", help="write what the chapter shows, from what was recorded")
    given = parser.parse_args()
    if given.keep:
        keep()
        return 0
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
