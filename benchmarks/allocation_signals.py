"""Traffic lights on `grid4-v1` in SUMO: all controllers tuned with the same budget, then tested once.

Learned rules are trained on seeds 1000 to 1999, first on a model of queues, then in SUMO. ``python -m
benchmarks.allocation_signals --only signals`` trains, tunes, tests and records, in ``benchmarks/recorded`` and, for
the chapter, in ``citylib/data/kept/signals.json``. It may be stopped at any time and goes on where it was: every
simulation is kept under ``_build/signals``. A controller is taken over from the record where all that made its figures
is as it was then: what simulates, tunes and trains it, and the versions.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict

STORE = rows.ROOT / "_build" / "signals"
LEARNED = ("linear index", "attention")
ORDER = ("max-pressure", "linear index", "attention", "actuated", "webster", "equal")
DEMANDS = ("grid4-v1", "held out")
SIMULATED = ("citylib/allocation/signals/*.py", "citylib/allocation/signals/controllers/*.py", "citylib/seeds.py")
FILES = (*SIMULATED, "benchmarks/allocation_signals.py")
TRAINED = ("evolution", "point_queue")  # modules that only learned rules hang on
PACKAGES = ("eclipse-sumo", "libsumo", "numpy", "scipy", "torch")
TRAINING = {  # generations on the model of queues and in SUMO, and pairs in each of the latter
    "linear index": {"model": 30, "simulated": 12, "pairs": 4},
    "attention": {"model": 40, "simulated": 10, "pairs": 5},
}
PACES = ({"interval": 5, "least": 0}, {"interval": 2, "least": 0})
START = (0.7, 1.0, 0.1, -0.3, 1.5, 0.2)
KEPT = rows.ROOT / "citylib" / "data" / "kept" / "signals.json"
RIVAL = "max-pressure"


@functools.cache
def program(controller: str) -> str:
    """Return a digest of what simulates a controller, by its syntax without words: no new comment makes it stale."""
    from citylib.allocation.signals.controllers.catalogue import CONTROLLERS

    unused = {kind.__module__.rpartition(".")[2] for name, kind in CONTROLLERS.items() if name != controller}
    unused |= {*TRAINED, "tuning", "catalogue", "__init__"}
    return syntax(tuple(name for name in rows.digests(SIMULATED) if Path(name).stem not in unused))


def syntax(names: tuple[str, ...]) -> str:
    """Return a digest of files by their syntax, without docstrings."""
    whole = hashlib.sha256()
    for name in names:
        tree = ast.parse((rows.ROOT / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        whole.update(ast.dump(tree).encode())
    return whole.hexdigest()[:16]


def made_by(controller: str) -> str:
    """Return a digest of all that a controller's figures come from: what simulates, tunes and trains it."""
    from citylib.allocation.signals import tuning
    from citylib.allocation.signals.controllers import catalogue

    learned = controller in LEARNED
    parts = {"tuning": syntax(("citylib/allocation/signals/tuning.py",)), "program": program(controller)}
    parts["ranges"] = {k: asdict(r) for k, r in (catalogue.PACE if learned else catalogue.TUNED[controller]).items()}
    parts["usual"] = catalogue.USUAL.get(controller)
    parts["seeds"] = [tuning.CHOICE, tuning.TEST, tuning.CANDIDATES]
    if learned:
        parts["trained"] = syntax(tuple(f"citylib/allocation/signals/{module}.py" for module in TRAINED))
        parts["training"] = [TRAINING, PACES, START] + [program(other) for other in LEARNED]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def carried() -> dict[str, Any]:
    """Return what is recorded of controllers of which nothing has changed since."""
    path = rows.RECORDED / "signals.json"
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["versions"] != rows.versions(PACKAGES):
        return {}
    known = found["raw"]["controllers"]
    return {name: known[name] for name in ORDER if name in known and known[name].get("made_by") == made_by(name)}


def once(name: str, parameters: dict[str, Any], seed: int, demand: str = "grid4-v1") -> dict[str, Any]:
    """Return the figures of a simulation: kept ones, or of a run now."""
    from citylib.allocation.signals import sumo
    from citylib.allocation.signals.worker import simulate

    key = json.dumps([name, parameters, seed, demand, sumo.versions(), program(name)], sort_keys=True)
    path = STORE / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["figures"]
        return found
    STORE.mkdir(parents=True, exist_ok=True)
    found = simulate(name, parameters, seed, demand, streets=sumo.network(STORE))
    half = path.with_suffix(".part")
    half.write_text(json.dumps({"key": json.loads(key), "figures": found}), encoding="utf-8")
    half.rename(path)
    return found


def trained(name: str) -> list[dict[str, Any]]:
    """Return ten candidates: what was learned on the model of queues, at two paces, then points along the way in SUMO.

    Of the latter the last one comes first. Both searches see seeds 1000 to 1999 only.
    """
    made = hashlib.sha256(
        json.dumps([program(name), rows.digests(FILES), TRAINING, rows.versions(("torch",))]).encode()
    )
    path = STORE / f"trained-{name.replace(' ', '-')}-{made.hexdigest()[:12]}.json"
    if path.is_file():
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return found
    from citylib.allocation.signals import evolution, tuning
    from citylib.allocation.signals.controllers.linear_index import LinearIndex

    start = on_model(name)
    begin = start.copy()
    if name == "attention":  # its linear part moves on by what the linear index learned in the simulator
        begin[: len(START)] += np.array(trained("linear index")[len(PACES)]["weights"]) - on_model("linear index")
    options = {"pairs": TRAINING[name]["pairs"], "runs": 1, "width": 0.12, "rate": 0.05, "seed": 1}
    search = evolution.evolve(
        LinearIndex, begin, generations=TRAINING[name]["simulated"], score=partial(simulated, name), **options
    )
    along = search.snapshots(tuning.GUESSES - len(PACES))[::-1]
    found = [{"weights": rounded(start)} | pace for pace in PACES]
    found += [{"weights": rounded(weights)} | PACES[-1] for weights in along]
    STORE.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")
    return found


@functools.cache
def on_model(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the weights that a search on the model of queues ends at."""
    import torch

    from citylib import seeds
    from citylib.allocation.signals import evolution
    from citylib.allocation.signals.controllers import attention, linear_index

    torch.set_num_threads(1)
    start, kind = np.array(START), linear_index.LinearIndex
    if name == "attention":  # begins as the linear index that was found, since out and place are 0
        rest = 0.3 * seeds.generator(0, "signals", "attention").standard_normal(attention.COUNT - 7)
        rest[-7:] = 0.0
        start = np.concatenate([on_model("linear index"), [0.0], rest])
        kind = attention.Attention
    options = {"generations": TRAINING[name]["model"], "pairs": 8, "runs": 3, "width": 0.12, "rate": 0.05}
    return evolution.evolve(lambda weights: kind(weights=weights), start, seed=0, **options).weights_GF[-1]


def rounded(weights: Any) -> list[float]:
    """Return weights as they are kept."""
    return [round(float(v), 6) for v in weights]


def simulated(name: str, weights_CF: Any, chosen: list[int]) -> Any:
    """Return the mean delay of each candidate in SUMO, at the second pace; infinite where somebody was moved."""
    from citylib.allocation.signals import tuning

    tries = [{"weights": rounded(weights)} | PACES[-1] for weights in weights_CF]
    runs = every([(name, one, seed) for one in tries for seed in chosen])
    delay = np.array([tuning.worth(runs[k : k + len(chosen)]) for k in range(0, len(runs), len(chosen))])
    print(f"{name}, training in SUMO: {np.median(delay):.1f} s, best {delay.min():.1f} s", file=sys.stderr, flush=True)
    return delay


def every(asked: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Return the figures of several simulations, one a core at a time."""
    from citylib.allocation.signals import sumo

    STORE.mkdir(parents=True, exist_ok=True)
    sumo.network(STORE)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda one: once(*one), asked))


def tuned(candidates: int, bar: Any) -> dict[str, dict[str, Any]]:
    """Return each controller's candidates, their scores on the choice seeds, and which was chosen.

    Controllers take turns, so that whenever it is stopped all have had the same budget.
    """
    from citylib.allocation.signals import tuning

    kept = carried()
    first = {n: trained(n) if n in LEARNED else tuning.guesses(n) for n in ORDER if n not in kept}
    known: dict[str, dict[str, Any]] = {n: {"made_by": made_by(n), "tried": [], "scores": []} for n in first}
    for k in range(candidates):
        for name, so_far in known.items():
            tried, scores = so_far["tried"], so_far["scores"]
            one = first[name][k] if k < tuning.GUESSES else tuning.nearby(tried, scores, name)
            found = every([(name, one, seed) for seed in tuning.CHOICE])
            bar.update(len(found))
            tried.append(one)
            scores.append(tuning.worth(found))
            bar.write(f"{name} {k + 1}/{candidates}: {scores[-1]:.1f} s, best {min(scores):.1f} s", file=sys.stderr)
    for so_far in known.values():
        so_far["chosen"] = so_far["tried"][int(np.argmin(so_far["scores"]))]
    return {name: (known | kept)[name] for name in ORDER}


def played(quick: bool) -> Raw:
    """Tune, then test once: on the demand tuned for, and on the one held out."""
    from tqdm import tqdm

    from citylib.allocation.signals import sumo, tuning

    if not sumo.available():
        raise SystemExit("needs SUMO: pip install 'citylib[sumo]'")
    if quick:
        return {"quick": once("max-pressure", tuning.guesses("max-pressure")[0], 1)}
    many = tuning.CANDIDATES
    raw: Raw = {"choice_seeds": list(tuning.CHOICE), "test_seeds": list(tuning.TEST), "candidates": many}
    total = (many * len(tuning.CHOICE) + 2 * len(tuning.TEST)) * sum(n not in carried() for n in ORDER)
    with tqdm(total=total, unit="simulation") as bar:
        raw["controllers"] = tuned(many, bar)
        for demand in DEMANDS:
            for name in (n for n in ORDER if demand not in raw["controllers"][n]):
                chosen = raw["controllers"][name]["chosen"]
                found = every([(name, chosen, seed, demand) for seed in tuning.TEST])
                bar.update(len(found))
                raw["controllers"][name][demand] = found
                bar.write(f"{name}, {demand}: {np.mean([one['mean'] for one in found]):.1f} s", file=sys.stderr)
    return raw


def measure(quick: bool) -> Raw:
    """Tune and test all, and keep the grid's minutes under the rival and the policy chosen."""
    raw = played(quick)
    if quick:
        return raw
    return raw | {"frames": watched(raw)}


def watched(raw: Raw) -> dict[str, list[dict[str, Any]]]:
    """Return the grid minute by minute under the rival and the policy chosen, on the first seed."""
    return {
        name: _minutes(name, raw["controllers"][name]["chosen"], raw["test_seeds"][0]) for name in (RIVAL, policy(raw))
    }


def _minutes(name: str, parameters: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    from citylib.allocation.signals import sumo
    from citylib.allocation.signals.worker import simulate

    found: list[dict[str, Any]] = simulate(name, parameters, seed, frames=60, streets=sumo.network(STORE))["frames"]
    return found


def keep(raw: Raw, like: dict[str, Any]) -> None:
    """Write what the chapter shows."""
    known = raw["controllers"]
    content = {key: like[key] for key in ("command", "versions", "machine", "files")}
    content |= {"chosen": {n: one["chosen"] for n, one in known.items()}, "candidates": raw["candidates"]}
    content["frames"], content["frames_seed"] = raw["frames"], raw["test_seeds"][0]
    content["tuning"] = [
        {"controller": n, "candidate": k, "score": score if np.isfinite(score) else None}
        for n, one in known.items() for k, score in enumerate(one["scores"])
    ]  # fmt: skip
    content["runs"] = [
        {"controller": n, "demand": demand, "seed": seed} | {k: v for k, v in run.items() if k != "cpu_seconds"}
        for n, one in known.items() for demand in DEMANDS if demand in one
        for seed, run in zip(raw["test_seeds"], one[demand], strict=True)
    ]  # fmt: skip
    half = KEPT.with_suffix(".part")
    half.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")) + "\n", encoding="utf-8")
    half.rename(KEPT)


def policy(raw: Raw) -> str:
    """Return the policy chosen on the choice seeds, among all but the rival."""
    known = raw["controllers"]
    return min((name for name in known if name != RIVAL), key=lambda n: min(known[n]["scores"]))


def paired(raw: Raw, name: str, demand: str = "grid4-v1") -> tuple[float, float, float]:
    """Return the mean of a policy's delay less the rival's over the test seeds, and its 95 % interval (Student's t)."""
    from scipy import stats

    mine, theirs = ([one["mean"] for one in raw["controllers"][n][demand]] for n in (name, RIVAL))
    apart = np.subtract(mine, theirs)
    half = stats.t.ppf(0.975, len(apart) - 1) * apart.std(ddof=1) / np.sqrt(len(apart))
    return float(apart.mean()), float(apart.mean() - half), float(apart.mean() + half)


def judge(raw: Raw) -> Verdict:
    """Hold the chosen policy against tuned max-pressure: less delay, nobody moved by force, everybody arrived."""
    if "quick" in raw:
        return Verdict(f"{raw['quick']['mean']:.1f} s, one simulation", ok=None)
    name = policy(raw)
    mean, low, high = paired(raw, name)
    tests = [one for n in (name, RIVAL) for one in raw["controllers"][n]["grid4-v1"]]
    clean = all(one["teleports"] + one["unfinished"] + one["undeparted"] == 0 for one in tests)
    delay = {n: np.mean([one["mean"] for one in raw["controllers"][n]["grid4-v1"]]) for n in (name, RIVAL)}
    whole = all(len(raw["controllers"][n]["scores"]) == 20 for n in raw["controllers"])
    ours = f"{name} {delay[name]:.1f} s a vehicle; {mean:+.1f} s [{low:+.1f}, {high:+.1f}]"
    ok = bool(high < 0 and clean and whole and len(raw["test_seeds"]) == 20)
    return Verdict(ours, f"max-pressure {delay[RIVAL]:.1f} s", f"{delay[name] / delay[RIVAL]:.2f}", ok)


def judge_all(raw: Raw) -> Verdict:
    """Say what every controller came to."""
    if "quick" in raw:
        return Verdict(f"{raw['quick']['mean']:.1f} s, one simulation")
    words = []
    for demand in DEMANDS:
        known = {n: one[demand] for n, one in raw["controllers"].items()}
        told = [
            f"{n} {np.mean([r['mean'] for r in runs]):.0f}/{np.mean([r['p95'] for r in runs]):.0f}"
            for n, runs in known.items()
        ]
        broken = sum(r["teleports"] + r["unfinished"] + r["undeparted"] for runs in known.values() for r in runs)
        words.append(f"{demand}: {', '.join(told)}; {broken} teleported or unfinished")
    return Verdict("; ".join(words))


POINTS = (
    Point(
        "signals", "grid4-v1 in SUMO: the policy chosen on seeds 1-5 against tuned max-pressure, test seeds 11-30",
        "mean delay lower, paired 95 % interval excludes 0; 0 teleports, all arrived",
        measure, judge, PACKAGES, FILES, long=True,
    ),
    Point(
        "signals_all", "all controllers on grid4-v1 and the demand held out: mean delay/95th percentile [s]",
        "", played, judge_all, PACKAGES, FILES, long=True,
    ),
)  # fmt: skip


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one simulation")
    parser.add_argument("--train", action="store_true", help="train the learned rules, no more")
    parser.add_argument("--tune", type=int, metavar="N", help="try N candidates of each controller, no more")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point")
    given = parser.parse_args()
    if given.train:
        print({name: trained(name)[0] for name in LEARNED})
        return 0
    if given.tune is not None:
        from tqdm import tqdm

        with tqdm(total=given.tune * 5 * len(ORDER), unit="simulation") as bar:
            tuned(given.tune, bar)
        return 0
    code = rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)
    if given.only == "signals" and not given.quick:
        recorded = json.loads((rows.RECORDED / f"{given.only}.json").read_text(encoding="utf-8"))
        keep(recorded["raw"], recorded)
    return code


if __name__ == "__main__":
    sys.exit(main())
