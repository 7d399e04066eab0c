"""Chapters neural/03 and neural/04 on a GPU: examples a second, peak memory, and what the chapters then say.

``python -m benchmarks.neural_gpu`` needs a CUDA device; where none is there it says so and ends with 3, and nothing is
written. It trains the networks of both chapters at the sizes of plan ``gpu`` for some hundreds of steps at several
batches, runs the two chapters of that plan whole, and writes ``benchmarks/gpu.json``. ``--quick`` leaves the chapters
out and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from citylib import data, seeds
from citylib.batch import plan, run
from citylib.neural import devices, few_labels, masks, pretrain, train
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.series_bank import CHANNELS, SeriesBank

NO_GPU = 3
PLAN = rows.ROOT / "book" / "plans" / "gpu.toml"
CHAPTERS = ("neural/03_masked_pretraining", "neural/04_few_labels")
KEPT = Path(__file__).parent / "gpu.json"
BATCHES, STEPS, WARM = (64, 512, 4096), 200, 20
PACKAGES = ("torch", "lightning-fabric", "numpy")
FILES = ("citylib/neural/*.py", "citylib/neural/layers/*.py", "citylib/neural/models/patch_transformer.py",
         "book/plans/gpu.toml", "benchmarks/neural_gpu.py")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Work:
    """What a chapter trains: a network to draw, a loss, and the windows it learns from."""

    chapter: str
    model: Callable[[], PatchTransformer]
    loss: Callable[..., torch.Tensor]
    examples: tuple[torch.Tensor, ...]


def set_in(chapter: str) -> dict[str, Any]:
    """Return the parameters of a chapter in plan ``gpu``."""
    found = plan.load(PLAN).runs
    return next(dict(one.parameters) for one in found if one.notebook == chapter)


def filling(given: dict[str, Any]) -> Work:
    """Return the pre-training of neural/03: hidden patches of the series of all sources are filled."""
    cities = {name: data.load(name) for name in given["sources"]}
    panels = {name: city.panel().regular() for name, city in cities.items()}
    first = next(iter(panels.values()))
    size = {name: given[name] for name in ("history", "horizon", "patch")}
    test = given["test_from"] or first.times[int(0.8 * len(first.times))]
    check = np.datetime64(test, "D") - np.timedelta64(given["check_days"], "D")
    bank = SeriesBank(panels, learn_before=check, **size)
    origin, series = bank.windows(until=check, stride=7, least=given["history"] // 2)
    how = {"ratio": given["ratio"], "shape": given["shape"], "tail_patches": given["horizon"] // given["patch"]}
    hidden = masks.draw(
        len(origin), bank.patches, tail_share=given["tails"], generator=seeds.torch_generator(0, "masks"), **how
    )

    def model() -> PatchTransformer:
        draw = seeds.torch_generator(0, "weights")
        return PatchTransformer(
            given["patch"], bank.patches, channels=len(CHANNELS), width=given["width"], layers=2, generator=draw
        )

    return Work(CHAPTERS[0], model, pretrain.filling(bank), (origin, series, hidden))


def borrowing(given: dict[str, Any]) -> Work:
    """Return the pre-training of neural/04: the forecasting task of all places."""
    panel = data.load(given["source"]).panel(given["variable"]).regular()
    size = {name: given[name] for name in ("history", "horizon", "patch", "width")}
    cut = int(given["parts"][0] * len(panel.times))
    world = few_labels.Places(panel.values, panel.times, cut, least=given["patch"], **size)
    every = tuple(range(len(panel.sensors)))
    sequences, _ = world.sequences(every)
    windows = world.windows(sequences, every)
    return Work(CHAPTERS[1], lambda: world.model(sequences, seed=0), pretrain.forecasting(sequences), windows)


def speed(work: Work, place: devices.Place, batch: int, *, steps: int = STEPS, warm: int = WARM) -> dict[str, Any]:
    """Train for some steps that are not counted and some that are; return examples a second and peak memory."""
    model, on_gpu = work.model(), place.device.type == "cuda"
    told: dict[str, Any] = {"batch": batch, "rate": 1e-3, "clip": 1.0, "epochs": 10**6, "on": place}
    generator = seeds.torch_generator(0, "order")
    train.train(model, work.loss, work.examples, generator=generator, steps=warm, **told)
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    history = train.train(model, work.loss, work.examples, generator=generator, steps=steps, **told)
    if on_gpu:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    count = len(work.examples[0])
    whole, more = divmod(steps, -(-count // batch))  # the last batch of a pass is smaller
    seen = whole * count + more * batch
    return {
        "chapter": work.chapter,
        "device": place.device.type,
        "precision": place.precision,
        "batch": batch,
        "steps": steps,
        "weights": sum(p.numel() for p in model.parameters()),
        "seconds": seconds,
        "examples_per_second": seen / seconds,
        "peak_memory_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
        "loss": [float(np.mean(part)) for part in (history.steps[:5], history.steps[-5:])],
    }


def chapters(folder: Path) -> list[dict[str, Any]]:
    """Run the two chapters of the plan and return what each took and recorded."""
    out = []
    for one in plan.load(PLAN).runs:
        if one.notebook not in CHAPTERS:
            continue
        outcome = run.run_one(one, one.folder(folder))
        if outcome.status != "ok":
            raise SystemExit(json.dumps(outcome.error, indent=1))
        receipt = json.loads((outcome.folder / "receipt.json").read_text(encoding="utf-8"))
        found = json.loads((outcome.folder / "results.json").read_text(encoding="utf-8"))
        kept = {key: receipt[key] for key in ("parameters", "seconds", "cpu_seconds", "peak_memory_bytes")}
        kept["data"] = [{"file": file["file"], "sha256": file["sha256"]} for file in receipt["data"]]
        out.append({"chapter": one.notebook, **kept, "records": found["records"]})
    return out


def measure(*, quick: bool) -> dict[str, Any]:
    """Train and run everything on the GPU."""
    made_of = rows.digests(FILES)
    works = (filling(set_in(CHAPTERS[0])), borrowing(set_in(CHAPTERS[1])))
    about = torch.cuda.get_device_properties(0)
    content: dict[str, Any] = {"command": "python -m benchmarks.neural_gpu", "versions": rows.versions(PACKAGES)}
    content |= {"machine": rows.machine(), "files": made_of, "training": [], "chapters": []}
    content["gpu"] = {"name": about.name, "memory_bytes": about.total_memory, "cuda": torch.version.cuda}
    for work in works:
        for precision in ("32-true", "bf16-mixed"):
            for batch in BATCHES[:1] if quick else BATCHES:
                one = speed(work, devices.place("cuda", precision=precision), batch)  # type: ignore[arg-type]
                content["training"].append(one)
                print(one, flush=True)
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            content["chapters"] = chapters(Path(folder))
    return content


def main(arguments: Sequence[str] | None = None) -> int:
    """Record what a GPU does; say so and end with 3 where there is none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one batch, no chapter; nothing is written")
    given = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        print(
            f"No CUDA device is there for torch {torch.__version__}, so nothing was measured and {KEPT.name} was not "
            "written. The chapters run on a CPU as well: citylib run book/plans/embedded.toml",
            file=sys.stderr,
        )
        return NO_GPU
    content = measure(quick=given.quick)
    if not given.quick:
        half = KEPT.with_suffix(".part")
        half.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        half.rename(KEPT)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
