"""The los-loop network of `benchmarks.neural_losloop` made small: size, CPU latency and test score of each form.

One item is one sensor at one moment, described as the network takes it; 207 items are one forecast of the whole
network of sensors. All forms are ONNX files run by ONNX Runtime on one thread, timed in turns. Making the description
takes the same for all forms and is not timed. The size of the student is chosen on the last day of the learning part:
the smallest that loses less than 1 % of RMSE and of MAE there to its teacher.

``python -m benchmarks.neural_compress --only compress`` records it, also for chapter neural/07.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import neural_losloop as losloop
from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

SIZES, LOSS, SEEDS, SHARE = ((96, 48), (64, 32), (48, 24), (32, 16)), 0.01, (0, 1, 2), 0.5
TURNS, ITEMS = 9, (1, 64, 207, 13248)
CALLS = {1: 2000, 64: 600, 207: 200, 13248: 4}
SMALLER, FASTER, WORSE = 4.0, 2.0, 0.02
ORIGINAL, COMPRESSED = "original, 32 bits", "student, 8 bits"
PACKAGES = ("torch", "onnxruntime", "onnx", "numpy")
FILES = (
    *(f"citylib/neural/{name}.py" for name in (
        "compress", "onnx_files", "sensor_features", "sensor_forecast", "models/sensor_mlp", "setting",
        "train", "windows")),
    "citylib/data/sources/traffic_metr_la.py", "citylib/seeds.py", "benchmarks/neural_losloop.py",
    "benchmarks/neural_compress.py",
)  # fmt: skip
Form = tuple[Any, bytes]  # the network, and the file


def teacher(cut: int) -> Any:
    """Fit the network on the rows before a cut."""
    import torch

    from citylib import seeds
    from citylib.neural import sensor_forecast

    torch.set_num_threads(1)
    values, times, _ = losloop.speeds()
    given: Any = {"cut": cut, "neighbour": losloop.near(losloop.NEIGHBOURS), "lags": losloop.LAGS}
    return sensor_forecast.fit(values, times, generator=seeds.torch_generator(SEEDS[0], "losloop"), **given)


def learned(made: Any) -> Any:
    """Return the examples before the cut, with what the teacher says of them."""
    from citylib.neural import compress, sensor_forecast

    at = np.arange(losloop.LAGS, made.features.cut - losloop.HORIZON + 1)
    return compress.taught(made.model, sensor_forecast.examples(made.features, losloop.speeds()[0], at))


def retrained(made: Any, model: Any, examples: Any, *, rate: float, seed: int = SEEDS[0]) -> Any:
    """Train a small network on what the teacher says and what came."""
    from citylib import seeds
    from citylib.neural import compress
    from citylib.neural.train import train

    recipe = made.recipe
    loss = compress.distilling(recipe.delta / made.features.unit, share=SHARE)
    given: Any = {"epochs": recipe.epochs, "batch": recipe.batch, "decay": recipe.decay, "rate": rate}
    given |= {"schedule": "cosine", "warm": 0.1, "generator": seeds.torch_generator(seed, "small")}
    train(model, loss, examples, **given)
    return model


def student(made: Any, hidden: tuple[int, ...], examples: Any, *, seed: int = SEEDS[0]) -> Any:
    """Teach a small network."""
    from citylib import seeds
    from citylib.neural import compress

    drawn = compress.student(made.model, hidden, generator=seeds.torch_generator(seed, "student"))
    return retrained(made, drawn, examples, rate=made.recipe.rate, seed=seed)


def scored(made: Any, run: Callable[..., Any], at: Any) -> dict[str, float]:
    """Return test scores of whatever computes like the network."""
    from citylib.neural import sensor_forecast

    return losloop.scores(sensor_forecast.foretold(made.features, run, losloop.speeds()[0], at), at)


def chosen() -> tuple[tuple[int, ...], list[Raw]]:
    """Return the size of the student, and what was tried on the last day of the learning part."""
    from citylib.neural import onnx_files

    cut = losloop.CUT - losloop.HELD
    made = teacher(cut)
    examples, at = learned(made), losloop.origins(cut)
    before = scored(made, onnx_files.Runner(onnx_files.plain(made.model)), at)
    told: list[Raw] = [{"hidden": list(made.model.hidden)} | before]
    taken = SIZES[0]
    for hidden in SIZES:
        run = onnx_files.Runner(onnx_files.plain(student(made, hidden, examples)))
        after = scored(made, run, at)
        told.append({"hidden": list(hidden)} | after)
        print(told[-1], flush=True)
        if all(after[name] / before[name] - 1 < LOSS for name in ("rmse", "mae")):
            taken = hidden
    return taken, told


def forms(made: Any, hidden: tuple[int, ...]) -> dict[str, Form]:
    """Return the network and what is made of it."""
    from citylib.neural import compress, onnx_files

    examples = learned(made)
    inputs = examples[:3]
    cut_down = compress.pruned(made.model, hidden, inputs)
    small = {
        "original": made.model,
        "pruned, not trained on": compress.pruned(made.model, hidden, inputs),
        "pruned": retrained(made, cut_down, examples, rate=made.recipe.rate / 2),
        "student": student(made, hidden, examples),
    }
    out: dict[str, Form] = {}
    for name, model in small.items():
        out[f"{name}, 32 bits"] = model, onnx_files.plain(model)
        out[f"{name}, 8 bits"] = model, onnx_files.eight_bits(model, inputs)
    return out


def compressed(quick: bool) -> Raw:
    """Fit, make small, score and time."""
    from citylib.neural import compress, onnx_files

    hidden, tried = (SIZES[1], []) if quick else chosen()
    made = losloop.network(SEEDS[0])
    at, found = losloop.origins(losloop.CUT), forms(made, hidden)
    runners = {name: onnx_files.Runner(content) for name, (_, content) in found.items()}
    table = []
    for name, (model, content) in found.items():
        one: Raw = {"model": name, "hidden": list(model.hidden), "parameters": model.parameters_held}
        one |= {"bytes": len(content), "multiply_adds": model.multiply_adds}
        one["memory"] = compress.memory(model, 64, bits=8 if "8 bits" in name else 32)
        table.append(one | scored(made, runners[name], at))
        print(table[-1], flush=True)
    raw: Raw = {"hidden": list(hidden), "tried": tried, "forms": table, "microseconds": {}}
    raw["data"] = {file.file: file.sha256 for file in losloop.week().files}
    raw["seeds"] = [again(seed, hidden, at) for seed in (SEEDS[:1] if quick else SEEDS)]
    inputs = [one.numpy() for one in learned(made)[:3]]
    for items in ITEMS:
        raw["microseconds"][str(items)] = timed(runners, [one[:items] for one in inputs], 3 if quick else TURNS)
    return raw


def again(seed: int, hidden: tuple[int, ...], at: Any) -> Raw:
    """Return test scores of the original and the compressed network from another seed."""
    from citylib.neural import onnx_files

    made = losloop.network(seed)
    examples = learned(made)
    small = onnx_files.eight_bits(student(made, hidden, examples, seed=seed), examples[:3])
    out: Raw = {"seed": seed}
    for name, content in ((ORIGINAL, onnx_files.plain(made.model)), (COMPRESSED, small)):
        out[name] = scored(made, onnx_files.Runner(content), at)
    print(out, flush=True)
    return out


def timed(runners: dict[str, Any], batch: list[Any], turns: int) -> dict[str, list[float]]:
    """Return CPU microseconds a call of each form, in turns."""
    calls, out = CALLS[len(batch[0])], dict[str, list[float]]()
    for runner in runners.values():
        runner.run(*batch)
    for _ in range(turns):
        for name, runner in runners.items():
            before = time.process_time()
            for _ in range(calls):
                runner.run(*batch)
            out.setdefault(name, []).append(1e6 * (time.process_time() - before) / calls)
    return out


def judge(raw: Raw) -> Verdict:
    """Hold the compressed network to the original."""
    table = {one["model"]: one for one in raw["forms"]}
    before, after = table[ORIGINAL], table[COMPRESSED]
    smaller = before["bytes"] / after["bytes"]
    faster = {items: median(told[ORIGINAL]) / median(told[COMPRESSED]) for items, told in raw["microseconds"].items()}
    worse = {
        name: max(one[COMPRESSED][name] / one[ORIGINAL][name] - 1 for one in raw["seeds"]) for name in ("rmse", "mae")
    }
    complete = len(raw["seeds"]) == len(SEEDS)
    ok = complete and smaller >= SMALLER and max(faster["1"], faster["64"]) >= FASTER and max(worse.values()) < WORSE
    spent = {
        items: [median(told[name]) for name in (ORIGINAL, COMPRESSED)] for items, told in raw["microseconds"].items()
    }
    ours = f"{after['bytes']:,} bytes; " + ", ".join(f"{k} items {v[1]:.0f} us" for k, v in spent.items())
    peer = f"{before['bytes']:,} bytes; " + ", ".join(f"{k} items {v[0]:.0f} us" for k, v in spent.items())
    ratio = f"{smaller:.1f} times smaller; faster " + ", ".join(f"{v:.2f} ({k} items)" for k, v in faster.items())
    score = "; RMSE {:.3f}, MAE {:.3f}"
    ours, peer = (text + score.format(one["rmse"], one["mae"]) for text, one in ((ours, after), (peer, before)))
    return Verdict(ours, peer, f"{ratio}; RMSE {worse['rmse']:+.2%}, MAE {worse['mae']:+.2%} (worst seed)", ok)


POINTS = (
    Point(
        "compress",
        "the los-loop network taught to a smaller one in 8 bits against itself in 32 bits, ONNX Runtime, one thread; "
        "one item is one sensor at one moment",
        "4 times smaller, 2 times faster with 64 items, test RMSE and MAE less than 2 % worse in each of 3 seeds",
        compressed, judge, PACKAGES, FILES, long=True,
    ),
)  # fmt: skip


def keep() -> None:
    """Put the record where the chapter reads it."""
    from citylib.data.recorded import KEPT

    content = json.loads((rows.RECORDED / "compress.json").read_text(encoding="utf-8"))
    raw = content.pop("raw")
    table = []
    for one in raw["forms"]:
        spent = {f"microseconds_{k}": median(told[one["model"]]) for k, told in raw["microseconds"].items()}
        table.append(one | spent)
    content["runs"] = [{"source": losloop.SOURCE, "forms": table, "tried": raw["tried"], "data": raw["data"]}]
    half = KEPT / "neural_compress.part"
    half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    half.rename(KEPT / "neural_compress.json")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="size not chosen, fewer turns")
    parser.add_argument("--only", help="one point")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    given = parser.parse_args()
    code = rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)
    if given.only and not given.quick:
        keep()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
