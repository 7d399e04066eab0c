"""budget-v1: every method of the table, learned from 500 to 20,000 contexts, five seeds; where attention lands.

Settings are chosen, for each method, on the last fifth of the training contexts of seed 0, with what is trained taken
from the rest: the weight decay for each size (beyond what is tried first, where an end of that is best), then the rate
at 2,000 and 20,000 contexts, and width and epochs at 2,000; these hold for the sizes nearest to them. A method trained
in two stages is chosen by the loss of its first stage, all others by their decisions under the effects observed; the
recommended method of a size is the one that decides best there. Then every method is trained on all contexts. The test
contexts, with true effects, judge once.

``python -m benchmarks.allocation_budget --only budget`` records it (about half an hour of one core; what is done is
kept under ``_build`` and not done again) and writes ``citylib/data/kept/allocation_budget.json`` for the chapter too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

Setting = dict[str, Any]
METHODS: dict[str, tuple[str, str, str]] = {
    "pointwise, softmax": ("pointwise", "softmax", "decision-focused"),
    "pointwise, water-filling, two-stage": ("pointwise", "water-filling", "two-stage"),
    "pointwise, water-filling, decision-focused": ("pointwise", "water-filling", "decision-focused"),
    "DeepSets, softmax": ("DeepSets", "softmax", "decision-focused"),
    "DeepSets, water-filling, two-stage": ("DeepSets", "water-filling", "two-stage"),
    "DeepSets, water-filling, decision-focused": ("DeepSets", "water-filling", "decision-focused"),
    "attention, softmax": ("attention", "softmax", "decision-focused"),
    "attention, water-filling, two-stage": ("attention", "water-filling", "two-stage"),
    "attention, water-filling, decision-focused": ("attention", "water-filling", "decision-focused"),
    "LSTM, softmax": ("LSTM", "softmax", "decision-focused"),
}
CURVE = tuple(m for m, (_, head, way) in METHODS.items() if (head, way) != ("water-filling", "decision-focused"))
WIDTH = {"pointwise": 64, "DeepSets": 64, "attention": 32, "LSTM": 32}
LARGE, SMALL = 20_000, 2_000
SIZES = (SMALL, LARGE, 500, 5_000, 1_000)  # what the bars need comes first
EPOCHS = {500: 60, 1_000: 40, 2_000: 40, 5_000: 20, 20_000: 10}
DECAYS = {500: (0.1, 0.3, 1.0), 1_000: (0.1, 0.3, 1.0), 2_000: (0.1, 0.3, 1.0), 5_000: (0.03, 0.1, 0.3),
          20_000: (0.01, 0.1)}  # fmt: skip
FURTHER = 3  # decays tried beyond an end
LIKE = {500: SMALL, 1_000: SMALL, 5_000: LARGE}  # where rate, width and epochs are taken from
SEEDS, CURVE_SEEDS = (0, 1, 2, 3, 4), (0, 1, 2)
HELD, RATE = 0.2, 1e-2
TESTS = {"12": (1_000, 12), "50": (300, 50), "4": (500, 4)}  # contexts and resources
BAR = {"large": 0.30, "gap": 0.97, "small": 0.35, "sizes": 1.5, "permutation": 1e-5}
PACKAGES = ("torch", "numpy", "numba")
FILES = (
    *(f"citylib/allocation/{name}.py" for name in ("problem", "learn", "policy", "water_filling*", "policies/*")),
    "citylib/neural/train.py", "citylib/neural/setting.py", "citylib/seeds.py", "benchmarks/allocation_budget.py",
)  # fmt: skip
PARTIAL = rows.ROOT / "_build" / "allocation_budget.json"


def body(name: str, inputs: int, width: int, generator: Any) -> Any:
    """Return a body by its name."""
    from citylib.allocation.policies.attention import SetAttention
    from citylib.allocation.policies.deep_sets import DeepSets
    from citylib.allocation.policies.lstm import Recurrent
    from citylib.allocation.policies.pointwise import Pointwise

    made: dict[str, Callable[[], Any]] = {
        "pointwise": lambda: Pointwise(inputs, width, generator=generator),
        "DeepSets": lambda: DeepSets(inputs, width, generator=generator),
        "attention": lambda: SetAttention(inputs, width, 4, 1, generator=generator),
        "LSTM": lambda: Recurrent(inputs, width, generator=generator),
    }
    return made[name]()


def examples(known: Any) -> Any:
    """Return what is learned from: the effects as observed, not as they are."""
    from citylib.allocation import learn

    return learn.examples(known.features_BNF, known.budget_B, known.observed_BN, known.rate_BN)


def trained(method: str, seen: Any, seed: int, setting: Setting) -> tuple[Any, float]:
    """Train a method, and return it with its CPU seconds."""
    import torch

    from citylib import seeds
    from citylib.allocation import learn, problem
    from citylib.allocation.policies.network import Network

    torch.set_num_threads(1)
    kind, head, way = METHODS[method]
    inputs = Network.inputs(len(problem.FEATURES), head)
    model = Network(body(kind, inputs, setting["width"], seeds.torch_generator(seed, method, "weights")), head)
    how = {k: setting[k] for k in ("epochs", "rate", "decay")}
    order = seeds.torch_generator(seed, method, "order")
    seconds, _ = rows.spent(lambda: learn.fit(model, seen, way=way, generator=order, **how))
    return model, seconds


def tried(method: str, size: int, setting: Setting) -> dict[str, Any]:
    """Train on four fifths of the contexts of seed 0, and return the losses on the last fifth."""
    import torch

    from citylib.allocation import learn, problem

    every = examples(problem.contexts(size, seed=SEEDS[0], part="train"))
    cut = size - round(HELD * size)
    model, seconds = trained(method, tuple(t[:cut] for t in every), SEEDS[0], setting)
    held = tuple(t[cut:] for t in every)
    stage = learn.effects_loss if METHODS[method][2] == "two-stage" else learn.decision_loss
    with torch.no_grad():
        losses = {"loss": float(stage(model, *held)), "decision": float(learn.decision_loss(model, *held))}
    return {"method": method, "size": size, "setting": setting, "cpu_seconds": seconds} | losses


def tested(method: str, size: int, seed: int, setting: Setting) -> dict[str, Any]:
    """Train on all contexts of a seed and judge on its test contexts, of as many resources and of other numbers."""
    import torch

    from citylib import seeds
    from citylib.allocation import policy, problem

    model, seconds = trained(method, examples(problem.contexts(size, seed=seed, part="train")), seed, setting)
    out: dict[str, Any] = {"method": method, "size": size, "seed": seed, "cpu_seconds": seconds}
    for name, (count, resources) in TESTS.items():
        known = problem.contexts(count, resources, seed=seed, part="test")
        given = policy.state(known.features_BNF, known.budget_B)
        found = policy.shares(model, given)
        out[f"regret_{name}"] = 100 * float(problem.regret(found, known).mean())
        out[f"gap_{name}"] = problem.gap_closed(found, known)
        order = torch.randperm(resources, generator=seeds.torch_generator(seed, "shuffle"))
        moved = policy.state(known.features_BNF[:, order.numpy()], known.budget_B)
        off = float(np.abs(policy.shares(model, moved) - found[:, order.numpy()]).max())
        out["permutation"] = max(off, out.get("permutation", 0.0))
    return out


def simple(seed: int) -> dict[str, dict[str, float]]:
    """Return the regret of the rules that learn nothing."""
    from citylib.allocation import problem

    out: dict[str, dict[str, float]] = {"equal": {}, "proportional to the true a": {}}
    for name, (count, resources) in TESTS.items():
        known = problem.contexts(count, resources, seed=seed, part="test")
        split = {"equal": np.full(known.scale_BN.shape, 1 / resources)}
        split["proportional to the true a"] = known.scale_BN / known.scale_BN.sum(axis=1, keepdims=True)
        for rule, w in split.items():
            out[rule] |= {f"regret_{name}": 100 * float(problem.regret(w, known).mean())}
            out[rule] |= {f"gap_{name}": problem.gap_closed(w, known)}
    return out


class Done:
    """What has been worked out, kept in a file under `_build` as long as no file it hangs on changes."""

    def __init__(self, path: Path, files: tuple[str, ...]) -> None:
        self.path, self.files = path, rows.digests(files)  # what was asked for stands in the keys
        held = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.found: dict[str, Any] = held["found"] if held.get("files") == self.files else {}

    def get(self, key: str, work: Callable[[], Any]) -> Any:
        """Return what was kept under a key, or work it out and keep it."""
        if key not in self.found:
            self.found[key] = work()
            self.path.parent.mkdir(exist_ok=True)
            half = self.path.with_suffix(".part")
            half.write_text(json.dumps({"files": self.files, "found": self.found}), encoding="utf-8")
            half.replace(self.path)
            print(time.strftime("%H:%M:%S"), key, flush=True)
        return self.found[key]


def chosen(method: str, size: int, like: Setting | None, done: Done) -> tuple[Setting, list[dict[str, Any]]]:
    """Choose the setting of a method at a size, of another size's form if there is one; return all that were tried."""

    def attempt(setting: Setting) -> dict[str, Any]:
        key = f"tried {size} {method} {json.dumps(setting)}"
        found: dict[str, Any] = done.get(key, lambda: tried(method, size, setting))
        return found

    form = {"epochs": EPOCHS[size], "rate": RATE, "width": WIDTH[METHODS[method][0]]}
    if like is not None:
        form = {"epochs": EPOCHS[size] * like["epochs"] // EPOCHS[LIKE[size]]} | {k: like[k] for k in ("rate", "width")}
    found = [attempt(form | {"decay": decay}) for decay in DECAYS[size]]
    for _ in range(FURTHER):  # a decay that is best at an end of those tried is no choice: one more beyond it
        known = sorted(one["setting"]["decay"] for one in found)
        decay = min(found, key=lambda one: float(one["loss"]))["setting"]["decay"]
        if known[0] < decay < known[-1]:
            break
        found.append(attempt(form | {"decay": round(decay * 3 if decay == known[-1] else decay / 3, 6)}))
    if like is None:
        best = min(found, key=lambda one: float(one["loss"]))["setting"]
        others = [{"rate": RATE / 2}]
        if size == SMALL:
            others += [{"width": form["width"] // 2}, {"epochs": 3 * form["epochs"] // 2}]
        found += [attempt(best | other) for other in others]
    best = min(found, key=lambda one: float(one["loss"]))["setting"]
    return best, found


def recommended(attempts: list[dict[str, Any]], settings: dict[str, Setting]) -> str:
    """Return the method whose chosen setting decides best on the contexts held out of training."""
    value = {one["method"]: float(one["decision"]) for one in attempts if one["setting"] == settings[one["method"]]}
    return min(value, key=lambda method: value[method])


def measure(quick: bool) -> Raw:
    """Choose, train and judge every method at every size."""
    raw: Raw = {"sizes": {}, "seeds": list(SEEDS[:1] if quick else SEEDS), "held": HELD}
    raw["simple"] = {rule: [] for rule in ("equal", "proportional to the true a")}
    for seed in raw["seeds"]:
        for rule, value in simple(seed).items():
            raw["simple"][rule].append(value)
    if quick:
        setting = {"epochs": 3, "rate": RATE, "decay": 0.1, "width": 32}
        runs = [tested(method, 500, 0, setting) for method in METHODS]
        raw["sizes"]["500"] = {"runs": runs, "settings": dict.fromkeys(METHODS, setting), "tried": []}
        return raw
    done = Done(PARTIAL, FILES[:-1])
    for size in SIZES:
        like = raw["sizes"][str(LIKE[size])]["settings"] if size in LIKE else {}
        raw["sizes"][str(size)] = at(size, like, done)
    kept(raw)
    return raw


def at(size: int, like: dict[str, Setting], done: Done) -> dict[str, Any]:
    """Choose, train and judge at one size: every method where bars are, those of the curve elsewhere."""
    methods, use = (CURVE, CURVE_SEEDS) if like else (tuple(METHODS), SEEDS)
    settings: dict[str, Setting] = {}
    attempts: list[dict[str, Any]] = []
    for method in methods:
        settings[method], more = chosen(method, size, like.get(method), done)
        attempts += more
    runs = []
    for method in methods:
        for seed in use:
            work = partial(tested, method, size, seed, settings[method])
            runs.append(done.get(f"tested {size} {method} {seed} {json.dumps(settings[method])}", work))
    return {"runs": runs, "settings": settings, "tried": attempts, "recommended": recommended(attempts, settings)}


def figures(raw: Raw, size: int, method: str, name: str) -> list[float]:
    """Return one figure of a method at a size, a seed each."""
    return [float(one[name]) for one in raw["sizes"][str(size)]["runs"] if one["method"] == method]


def kept(raw: Raw) -> None:
    """Keep what the chapter shows."""
    from citylib.data.recorded import KEPT

    content: dict[str, Any] = {"command": "python -m benchmarks.allocation_budget --only budget"}
    content |= {"versions": rows.versions(PACKAGES), "machine": rows.machine(), "files": rows.digests(FILES)}
    table = [
        {k: v for k, v in one.items() if k != "permutation"} | {"setting": part["settings"][one["method"]]}
        for part in raw["sizes"].values()
        for one in part["runs"]
    ]
    best = {size: part["recommended"] for size, part in raw["sizes"].items()}
    seconds = sum(one["cpu_seconds"] for part in raw["sizes"].values() for one in part["runs"] + part["tried"])
    run = {"table": table, "simple": raw["simple"], "recommended": best, "seeds": raw["seeds"], "cpu_seconds": seconds}
    content["runs"] = [run]
    half = KEPT / "allocation_budget.part"
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(KEPT / "allocation_budget.json")


def told(values: list[float], digits: int = 3) -> str:
    """Return a median with its range."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def judge(raw: Raw) -> Verdict:
    """Hold the methods recommended at both sizes to their bars, worked out again from what was tried."""
    if str(LARGE) not in raw["sizes"]:
        return Verdict("few contexts only", ok=False)
    best = {size: recommended(part["tried"], part["settings"]) for size, part in raw["sizes"].items()}
    large, small = best[str(LARGE)], best[str(SMALL)]
    regret, gap = figures(raw, LARGE, large, "regret_12"), figures(raw, LARGE, large, "gap_12")
    fewer = figures(raw, SMALL, small, "regret_12")
    ratio = [m / t for m, t in zip(figures(raw, LARGE, large, "regret_50"), regret, strict=True)]
    off = max(figures(raw, LARGE, large, "permutation") + figures(raw, SMALL, small, "permutation"))
    held = median(regret) <= BAR["large"] and median(gap) >= BAR["gap"] and median(fewer) <= BAR["small"]
    held = held and median(ratio) <= BAR["sizes"] and off < BAR["permutation"]
    whole = all(len(x) == len(SEEDS) for x in (regret, fewer, ratio))
    ours = f"{LARGE:,}: {large} {told(regret)} %, gap {told(gap, 4)}; {SMALL:,}: {small} {told(fewer)} %"
    ours += f"; N=50 {told(ratio, 2)} times N=12; permutation {off:.0e}"
    need = [one["regret_12"] for one in raw["simple"]["proportional to the true a"]]
    peer = f"proportional to the true a {told(need, 2)} %"
    return Verdict(ours, peer, ok=held and whole)


def recorded(name: str, files: tuple[str, ...]) -> Raw:
    """Return what was recorded, with the files that have changed since; nothing where nothing was."""
    path = rows.RECORDED / f"{name}.json"
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return dict(found["raw"]) | {"changed": rows.changed(found["files"], files)}


def unusable(raw: Raw, command: str) -> Verdict | None:
    """Say that nothing was recorded, or that it is old."""
    if not raw:
        return Verdict(f"not recorded: {command}")
    if raw.get("changed"):
        return Verdict(f"recorded before these changed: {', '.join(raw['changed'][:3])}; {command}")
    return None


def judge_methods(raw: Raw) -> Verdict:
    """Say where each method lands, attention too."""
    if missing := unusable(raw, "python -m benchmarks.allocation_budget --only budget"):
        return missing
    sizes = sorted(int(size) for size in raw["sizes"])
    words, medians = [], {}
    for method in METHODS:
        found = {size: figures(raw, size, method, "regret_12") for size in sizes}
        medians[method] = {size: median(values) for size, values in found.items() if values}
        words.append(f"{method}: " + " / ".join(f"{medians[method].get(size, float('nan')):.3f}" for size in sizes))
    rules = "; ".join(f"{rule} {told([o['regret_12'] for o in of], 2)}" for rule, of in raw["simple"].items())
    place = {}
    for size in sizes:
        order = sorted((m for m in METHODS if size in medians[m]), key=lambda m, size=size: medians[m][size])
        place[size] = 1 + min(k for k, method in enumerate(order) if method.startswith("attention"))
    rank = ", ".join(f"{size:,}: {k}" for size, k in place.items())
    head = " / ".join(f"{size:,}" for size in sizes)
    return Verdict(f"regret in % at {head} contexts: " + "; ".join(words), rules, f"attention's best place: {rank}")


POINTS = (
    Point(
        "budget", "budget-v1, methods recommended by validation at 20,000 and 2,000 contexts, 5 seeds",
        "20,000: regret 0.30 % or less, 0.97 of the gap; 2,000: 0.35 %; N=50 at most 1.5 times N=12; permutation 1e-5",
        measure, judge, PACKAGES, FILES, long=True,
    ),
    Point(
        "budget_methods", "the same, all methods, 500 to 20,000 contexts, medians of 5 seeds (3 where no bar is)", "",
        lambda quick: recorded("budget", FILES), judge_methods, PACKAGES, FILES,
    ),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
