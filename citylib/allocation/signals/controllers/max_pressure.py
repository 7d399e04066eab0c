"""Max-pressure: green for the phase with the largest difference between who waits here and who stands ahead."""

from __future__ import annotations

import torch

from citylib import checks
from citylib.allocation.signals import features, grid
from citylib.allocation.signals.state import GridState

__all__ = ["MaxPressure"]


TIE = 1e-3  # of a vehicle: between equals the one that has green keeps it


class MaxPressure:
    """The phase of the largest pressure; a bound on the time without green, or left turns starve.

    Parameters
    ----------
    interval : int
        Seconds between decisions; in the queue model a multiple of its step.
    least : float
        Seconds of green at least.
    red_most : float
        Seconds after which a phase with somebody at its line is next, whatever the pressures.
    coming : float, default 1
        How much a vehicle on its way counts, beside one that stands.

    References
    ----------
    Varaiya, P. (2013). Max pressure control of a network of signalized intersections. Transportation Research Part C,
    36, 177-195.
    """

    def __init__(self, *, interval: int, least: float, red_most: float, coming: float = 1.0) -> None:
        self.every = checks.integer("interval", interval, minimum=1)
        self.least = checks.number("least", least, minimum=0)
        self.red_most = checks.number("red_most", red_most, minimum=grid.CHANGE)
        self.coming = checks.number("coming", coming, minimum=0)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        line, behind, coming, ahead = features.queues(state)
        lanes_P = torch.tensor([2.0, 1.0] * grid.AXES)[:, None]
        spread = ahead * lanes_P / 4  # those ahead are on the lanes of all movements; these are the movement's own
        relief = (line + behind + self.coming * coming - spread).clamp(min=0)  # whom it would not help need not drive
        pressure_BJP = relief.sum(dim=3) * lanes_P[:, 0]
        now_BJP = torch.nn.functional.one_hot(state.phase_BJ, grid.PHASES)
        best_BJ = (pressure_BJP + TIE * now_BJP).argmax(dim=2)
        longest_BJ, who_BJ = state.waited_BJP.max(dim=2)
        want_BJ = torch.where(longest_BJ >= self.red_most, who_BJ, best_BJ)
        return torch.where((state.green_BJ < self.least) | state.changing_BJ, state.phase_BJ, want_BJ)
