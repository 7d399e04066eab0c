"""Equal fixed times: each phase in its turn for as long as any other. The baseline that any claim must stand beside."""

from __future__ import annotations

import math

import torch

from citylib import checks
from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState

__all__ = ["FixedTime"]


class FixedTime:
    """The four phases in turn, all with the same green.

    Parameters
    ----------
    green : int, default 20
        Whole seconds of green, 5 or more; a cycle has four of them and four changes. In the queue model a multiple of
        its step, or it is refused there: phases would not be equal.
    """

    def __init__(self, *, green: int = 20) -> None:
        self.green = checks.integer("green", green, minimum=5)
        self.every = math.gcd(self.green + grid.CHANGE, grid.CHANGE)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        phase = state.seconds // (self.green + grid.CHANGE) % grid.PHASES
        return torch.full_like(state.phase_BJ, phase)
