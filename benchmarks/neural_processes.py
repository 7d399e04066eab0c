"""One training by one process and by two under torchrun (gloo): the same loss at each step.

As a script, what one of the processes does: ``torchrun --nproc-per-node 2 -m benchmarks.neural_processes FILE`` writes
the losses of the steps. Without torchrun it is the one process that the two are held against.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict
from citylib import seeds
from citylib.neural import devices
from citylib.neural.train import train

STEPS, BATCH, EXAMPLES = 100, 48, 1211  # batches that two cannot share evenly come up: 1211 = 25 * 48 + 11
FILES = tuple(f"citylib/neural/{name}.py" for name in ("devices", "resume", "setting", "store", "train"))


def losses() -> list[float]:
    """Train a small network for 100 steps wherever this process is, and return the loss of each step."""
    draw = seeds.torch_generator(2, "examples")
    x = torch.randn(EXAMPLES, 12, generator=draw, dtype=torch.float64)
    y = torch.sin(x.sum(dim=1, keepdim=True)) + 0.1 * torch.randn(EXAMPLES, 1, generator=draw, dtype=torch.float64)
    model = nn.Sequential(nn.Linear(12, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)).double()
    weights = seeds.torch_generator(2, "weights")
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(torch.randn(value.shape, generator=weights, dtype=torch.float64) / value.shape[-1] ** 0.5)
    place = devices.place("cpu", precision="64-true")
    told = {"epochs": 10, "steps": STEPS, "batch": BATCH, "rate": 3e-3, "clip": 5.0, "on": place}
    history = train(model, squared, (x, y), generator=seeds.torch_generator(2), **told)  # type: ignore[arg-type]
    return list(history.steps)


def squared(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error."""
    error: torch.Tensor = (model(x) - y) ** 2
    return error.mean()


def started(processes: int) -> list[float]:
    """Return the losses of a training by so many processes."""
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "losses.json"
        words = [sys.executable, "-m"]
        if processes > 1:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            words += ["torch.distributed.run", "--nproc-per-node", str(processes), "--master-addr", "127.0.0.1"]
            words += ["--master-port", str(port), "-m"]
        place = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(rows.ROOT), *sys.path])}
        done = subprocess.run(
            [*words, "benchmarks.neural_processes", str(to)], env=place, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        found: list[float] = json.loads(to.read_text(encoding="utf-8"))
    return found


def measure(quick: bool) -> Raw:
    """Train by one and by two."""
    return {"one": started(1), "two": started(2), "steps": STEPS}


def judge(raw: Raw) -> Verdict:
    """Hold each step's loss by two within 1e-5 of the loss by one."""
    apart = max(abs(a - b) / abs(a) for a, b in zip(raw["one"], raw["two"], strict=True))
    fell = sum(raw["one"][:10]) / sum(raw["one"][-10:])
    text = f"{apart:.1e} apart at most over {len(raw['one'])} steps; the loss fell {fell:.1f}-fold"
    return Verdict(text, ok=bool(apart <= 1e-5 and len(raw["one"]) == raw["steps"] and fell > 1.2))


POINTS = (
    Point("processes", "torchrun with 2 gloo processes against one: same batch, dropout off, float64, 100 steps",
          "losses within 1e-5, relative", measure, judge, ("torch", "lightning-fabric"), FILES),
)  # fmt: skip

if __name__ == "__main__":
    found = losses()
    if int(os.environ.get("RANK", "0")) == 0:
        Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
