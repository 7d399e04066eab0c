"""A small training with dropout that can be killed at a step: ``python -m tests.neural.killed KEEP WEIGHTS``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from citylib import seeds
from citylib.neural import store
from citylib.neural.train import train

SETTING = {"epochs": 8, "rate": 0.03, "batch": 10, "every": 2, "decay": 0.01, "schedule": "cosine", "clip": 1.0}


def model(seed: int = 0) -> nn.Sequential:
    made = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Dropout(0.3), nn.Linear(6, 1))
    draw = seeds.torch_generator(seed, "weights")
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.randn(weight.shape, generator=draw) / 3)
    return made


def examples() -> tuple[torch.Tensor, torch.Tensor]:
    draw = seeds.torch_generator(1, "examples")
    x = torch.randn(37, 3, generator=draw)
    return x, x.sum(dim=1, keepdim=True)


def square(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    error: torch.Tensor = (model(x) - y) ** 2
    return error.mean()


CALLS: dict[str, int | None] = {"made": 0, "kill_at": None}


def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    CALLS["made"] = (CALLS["made"] or 0) + 1
    if CALLS["made"] == CALLS["kill_at"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return square(model, x, y)


def train_it(keep: Path | None, kill_at: int | None = None) -> nn.Module:
    made = model()
    CALLS.update(made=0, kill_at=kill_at)
    train(made, loss, examples(), generator=seeds.torch_generator(5), keep=keep, **SETTING)  # type: ignore[arg-type]
    return made


if __name__ == "__main__":
    at = os.environ.get("KILL_AT")
    found = train_it(Path(sys.argv[1]), None if at is None else int(at))
    store.write(Path(sys.argv[2]), found.state_dict(), {"kind": "test"})
