"""A linear index: six figures of a phase, each with a weight; the phase with the largest sum has green.

Legend: B runs, J junctions, P phases, F = 6 features, C candidates; B is a multiple of C.
"""

from __future__ import annotations

import torch

from citylib import checks
from citylib.allocation.signals import features
from citylib.allocation.signals.controllers.weights import as_weights, spread
from citylib.allocation.signals.state import GridState

__all__ = ["COUNT", "LinearIndex"]

COUNT = len(features.FEATURES)


class LinearIndex:
    """The phase with the largest weighted sum of `citylib.allocation.signals.features.of_phases`.

    Parameters
    ----------
    weights : array_like, shape (6,) or (C, 6)
        In the order of `FEATURES`; several: candidates, which share the runs equally, in order.
    interval : int, default 5
        Seconds between decisions; in the queue model a multiple of its step.
    least : float, default 0
        Seconds of green at least.

    Examples
    --------
    >>> LinearIndex(weights=[1.0, 1.0, 0.5, -0.2, 0.3, 0.5]).every
    5
    """

    def __init__(self, *, weights: object, interval: int = 5, least: float = 0.0) -> None:
        self.every = checks.integer("interval", interval, minimum=1)
        self.least = checks.number("least", least, minimum=0)
        self.weights_CF = as_weights(weights, COUNT)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        x_BJPF = features.of_phases(state)
        weights_BF = spread(self.weights_CF, len(x_BJPF))
        want_BJ = torch.einsum("bjpf,bf->bjp", x_BJPF, weights_BF).argmax(dim=2)
        return torch.where(state.green_BJ < self.least, state.phase_BJ, want_BJ)
