"""What a training is told: steps, rates, schedule; checked once, before work starts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from citylib import checks

__all__ = ["METHODS", "SCHEDULES", "Setting"]

METHODS = ("adam", "sgd")
SCHEDULES = ("constant", "cosine", "one-cycle")


@dataclass(frozen=True)
class Setting:
    """Numbers of a training; see `citylib.neural.train.train` for what each means.

    Examples
    --------
    >>> [round(Setting(epochs=1, schedule="cosine", warm=0.5).factor(k / 4), 3) for k in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    epochs: int
    rate: float = 1e-2
    batch: int = 128
    decay: float = 0.0
    patience: int = 10
    method: str = "adam"
    momentum: float = 0.9
    schedule: str = "constant"
    warm: float = 0.0
    clip: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "patience"):
            checks.integer(name, getattr(self, name), minimum=1)
        checks.number("rate", self.rate, above=0)
        checks.number("decay", self.decay, minimum=0)
        checks.one_of("method", self.method, METHODS)
        checks.one_of("schedule", self.schedule, SCHEDULES)
        checks.number("momentum", self.momentum, minimum=0, maximum=1)
        checks.fraction("warm", self.warm, closed=True)
        if self.clip is not None:
            checks.number("clip", self.clip, above=0)
        if self.steps is not None:
            checks.integer("steps", self.steps, minimum=1)

    def factor(self, done: float, *, step: float = 0.0) -> float:
        """Return what the rate is multiplied by when a share `done` (0 to 1) of all steps lies behind.

        A step, its share of all being `step`, counts as taken while the rate rises, so that no step is in vain.
        """
        warm = 0.3 if self.schedule == "one-cycle" and self.warm == 0 else self.warm
        if done < warm:
            return min(1.0, (done + step) / warm)
        if self.schedule == "constant" or warm == 1:
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))

    def total(self, examples: int) -> int:
        """Return the number of steps of the whole training on so many examples."""
        whole = self.epochs * math.ceil(examples / self.batch)
        return whole if self.steps is None else min(self.steps, whole)

    def optimiser(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return the optimiser of the weights that learn."""
        weights = [p for p in model.parameters() if p.requires_grad]
        if self.method == "sgd":
            return torch.optim.SGD(weights, lr=self.rate, momentum=self.momentum, weight_decay=self.decay)
        return torch.optim.AdamW(weights, lr=self.rate, weight_decay=self.decay)
