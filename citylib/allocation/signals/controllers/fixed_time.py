"""Equal fixed times: each phase in its turn for as long as any other. The baseline that any claim must stand beside."""

from __future__ import annotations

import torch

from citylib import checks
from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState
from citylib.errors import InputError

__all__ = ["FixedTime"]


class FixedTime:
    """The four phases in turn, all with the same green.

    Parameters
    ----------
    green : int, default 20
        Seconds of green, a multiple of 5; a cycle has four of them and four changes.

    Raises
    ------
    InputError
        A green that decisions every 5 s cannot show: phases would not be equal.
    """

    every = 5

    def __init__(self, *, green: int = 20) -> None:
        self.green = checks.integer("green", green, minimum=5)
        if self.green % self.every:
            raise InputError("green", f"be a multiple of {self.every} s", green)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        phase = state.seconds // (self.green + grid.CHANGE) % grid.PHASES
        return torch.full_like(state.phase_BJ, phase)
