"""Webster's fixed times: green in proportion to the critical flows, a cycle, and offsets along streets.

Legend: J = 16 junctions, P = 4 phases.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks
from citylib.allocation.signals import demand, grid
from citylib.allocation.signals.state import GridState

__all__ = ["Webster", "splits"]

SATURATION = (1.0, 0.45)  # vehicles/s of green: two lanes through, one left
LEAST = 5.0  # seconds of green


def splits(cycle: float) -> npt.NDArray[np.float64]:
    """Return the green of each phase, in proportion to its critical flow: the larger of the two sides.

    Parameters
    ----------
    cycle : float
        Seconds; the four changes are part of it.

    Returns
    -------
    ndarray, shape (J, P)
        Seconds; at least 5 each.

    References
    ----------
    Webster, F. V. (1958). Traffic signal settings. Road Research Technical Paper 39, HMSO.

    Examples
    --------
    >>> splits(100.0).sum(axis=1)[:2].round(6).tolist()
    [80.0, 80.0]
    """
    time = checks.number("cycle", cycle, minimum=grid.PHASES * (LEAST + grid.CHANGE)) - grid.PHASES * grid.CHANGE
    flow = demand.flows()
    left = grid.TURNS["left"]
    kinds = np.stack([flow * (1 - left) / SATURATION[0], flow * left / SATURATION[1]], axis=2)  # J, X, K, S
    critical = kinds.max(axis=3).reshape(grid.JUNCTIONS, grid.PHASES)
    spare = time - grid.PHASES * LEAST
    green = np.full(critical.shape, LEAST)
    short = np.zeros(critical.shape, dtype=bool)
    for _ in range(grid.PHASES):  # a phase that would get less than the least gets it, the others share the rest
        weight = np.where(short, 0, critical)
        rest = time - LEAST * short.sum(axis=1, keepdims=True)
        green = np.where(short, LEAST, rest * weight / weight.sum(axis=1, keepdims=True))
        short = short | (green < LEAST)
    assert spare >= 0
    return green


class Webster:
    """A plan worked out once from the mean flows.

    Parameters
    ----------
    cycle : float
        Seconds.
    east, north : float
        Seconds by which the plan of the next junction to the east, or to the north, is later.
    """

    every = 1

    def __init__(self, *, cycle: float, east: float, north: float) -> None:
        self.cycle = checks.number("cycle", cycle)
        green = splits(cycle) + grid.CHANGE
        self.ends_JP = torch.tensor(np.cumsum(green, axis=1), dtype=torch.float32)
        place = np.arange(grid.JUNCTIONS)
        late = checks.number("east", east) * (place % grid.SIZE) + checks.number("north", north) * (place // grid.SIZE)
        self.late_J = torch.tensor(late, dtype=torch.float32)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        at_J = (state.seconds - self.late_J) % self.cycle
        phase_J = (at_J[:, None] >= self.ends_JP[:, :-1]).sum(dim=1)
        return phase_J.expand_as(state.phase_BJ)
