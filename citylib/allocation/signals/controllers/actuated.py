"""Actuated lights: green goes on while somebody comes, up to a maximum; phases that nobody waits for are left out."""

from __future__ import annotations

import torch

from citylib import checks
from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState

__all__ = ["Actuated"]


class Actuated:
    """The phases in turn, each until a gap or its maximum, if somebody waits elsewhere.

    Parameters
    ----------
    gap : float
        Seconds for which the stop lines must be empty for the green to end.
    through_most, left_most : float
        Seconds of green at most.
    least : float, default 5
        Seconds of green at least.
    """

    every = 1

    def __init__(self, *, gap: float, through_most: float, left_most: float, least: float = 5.0) -> None:
        self.gap, self.least = checks.number("gap", gap, minimum=0), checks.number("least", least, minimum=0)
        most = [checks.number("through_most", through_most, minimum=least)]
        most.append(checks.number("left_most", left_most, minimum=least))
        self.most_P = torch.tensor(most * grid.AXES)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        now_BJ = state.phase_BJ
        empty_BJ = state.empty_BJP.gather(2, now_BJ[..., None])[..., 0]
        over_BJ = (empty_BJ >= max(self.gap, 1.0)) | (state.green_BJ >= self.most_P[now_BJ])
        over_BJ &= (state.green_BJ >= self.least) & ~state.changing_BJ
        turn = (now_BJ[..., None] + torch.arange(1, grid.PHASES)) % grid.PHASES
        called = state.waited_BJP.gather(2, turn) > 0
        first = called.to(torch.int64).argmax(dim=2, keepdim=True)
        after_BJ = turn.gather(2, first)[..., 0]
        return torch.where(over_BJ & called.any(dim=2), after_BJ, now_BJ)
