"""Trainings killed by SIGKILL at steps drawn by seed, begun again until they end: the same weights bit for bit.

As a script, one training in a process of its own: ``python -m benchmarks.neural_killed KEEP WEIGHTS [KILL_AT]``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict
from citylib import seeds
from citylib.neural import store
from citylib.neural.train import train

EPOCHS, BATCH, EXAMPLES, TRIALS = 6, 32, 500, 5
STEPS = EPOCHS * -(-EXAMPLES // BATCH)
FILES = tuple(f"citylib/neural/{name}.py" for name in ("devices", "resume", "setting", "store", "train"))


STEPS_TAKEN: dict[str, int | None] = {}  # not in what the loss closes over: that is held against what was kept


def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error; at the step asked for, kill the process."""
    STEPS_TAKEN["count"] = (STEPS_TAKEN["count"] or 0) + model.training
    if STEPS_TAKEN["count"] == STEPS_TAKEN["kill_at"]:
        os.kill(os.getpid(), signal.SIGKILL)
    error: torch.Tensor = (model(x) - y) ** 2
    return error.mean()


def trained(keep: Path | None, kill_at: int | None = None) -> nn.Module:
    """Return a trained network with dropout; the process kills itself at a step, if asked."""
    weights, draw = seeds.torch_generator(0, "weights"), seeds.torch_generator(0, "examples")
    model = nn.Sequential(nn.Linear(16, 48), nn.GELU(), nn.Dropout(0.2), nn.Linear(48, 1))
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=weights) / value.shape[-1] ** 0.5)
    x = torch.randn(EXAMPLES + 200, 16, generator=draw)
    y = x.abs().sum(dim=1, keepdim=True) / 4
    STEPS_TAKEN.update(count=0, kill_at=kill_at)
    told = {"epochs": EPOCHS, "batch": BATCH, "every": 3, "schedule": "one-cycle", "clip": 1.0, "keep": keep}
    told |= {"validation": (x[EXAMPLES:], y[EXAMPLES:]), "generator": seeds.torch_generator(0)}
    train(model, loss, (x[:EXAMPLES], y[:EXAMPLES]), **told)  # type: ignore[arg-type]
    return model


def measure(quick: bool) -> Raw:
    """Kill each training twice, and return the sha256 of its weights beside that of one never killed."""
    draw = np.random.default_rng(0)
    raw: Raw = {"killed": [], "at": [], "codes": []}
    with tempfile.TemporaryDirectory() as folder:
        one(Path(folder) / "keep", Path(folder) / "weights", None)
        raw["whole"] = digest(Path(folder) / "weights")
    for _ in range(1 if quick else TRIALS):
        with tempfile.TemporaryDirectory() as folder:
            keep, weights = Path(folder) / "keep", Path(folder) / "weights"
            at = [int(draw.integers(2, STEPS // 2)), int(draw.integers(2, STEPS // 2))]  # second: after the first's
            codes = [one(keep, weights, step) for step in (*at, None)]
            raw["killed"].append(digest(weights))
            raw["at"].append(at)
            raw["codes"].append(codes)
    return raw


def digest(folder: Path) -> str:
    """Return the sha256 of weights in the order of their names."""
    weights, _ = store.read(folder)
    return store.digest(*(weights[name] for name in sorted(weights)))


def one(keep: Path, weights: Path, kill_at: int | None) -> int:
    """Train in a process of its own, and return how it ended."""
    words = [sys.executable, "-m", "benchmarks.neural_killed", str(keep), str(weights)]
    place = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(rows.ROOT), *sys.path])}
    return subprocess.run(words + ([] if kill_at is None else [str(kill_at)]), env=place, check=False).returncode


def judge(raw: Raw) -> Verdict:
    """Hold every killed training to the weights of the whole one, and every kill to have been one."""
    same = [found == raw["whole"] for found in raw["killed"]]
    kills = all(codes == [-signal.SIGKILL, -signal.SIGKILL, 0] for codes in raw["codes"])
    return Verdict(f"{sum(same)} of {len(same)} the same, killed twice each", ok=bool(kills and all(same)))


POINTS = (
    Point("killed", "trainings killed by SIGKILL at two steps each, begun again", "same final weights bit for bit, CPU",
          measure, judge, ("torch", "lightning-fabric", "safetensors"), FILES),
)  # fmt: skip

if __name__ == "__main__":
    end = trained(Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
    store.write(Path(sys.argv[2]), end.state_dict(), {"kind": "benchmark"})
