"""Attention over phases: each looks at the phases of its own junction and of the four around, then gets its index.

Legend: B runs, N = 64 phases (4 a junction), G = 7 features (six, and 1 for a left phase), D = 4 numbers of a query,
C candidates; B is a multiple of C.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from citylib import checks
from citylib.allocation.signals import features, grid
from citylib.allocation.signals.controllers.weights import as_weights, spread
from citylib.allocation.signals.state import GridState

__all__ = ["COUNT", "Attention", "near"]

INPUTS, WIDTH = len(features.FEATURES) + 1, 4
_SIZES = {"linear": INPUTS, "query": INPUTS * WIDTH, "key": INPUTS * WIDTH, "value": INPUTS * WIDTH}
_SIZES |= {"out": WIDTH, "place": 3}
COUNT = sum(_SIZES.values())


def near() -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return how two phases lie: 0 same junction, 1 next ones along north-south, 2 along east-west, -1 far.

    Returns
    -------
    ndarray of int, shape (64, 64)

    Examples
    --------
    >>> int((near() == 0).sum(axis=1)[0]), int((near() >= 0).sum(axis=1).max())
    (4, 20)
    """
    found = np.full((grid.JUNCTIONS, grid.JUNCTIONS), -1)
    for junction in range(grid.JUNCTIONS):
        found[junction, junction] = 0
        for side in range(4):
            other = grid.neighbour(junction, side)
            if other is not None:
                found[junction, other] = 1 if side in (0, 2) else 2
    return found.repeat(grid.PHASES, axis=0).repeat(grid.PHASES, axis=1)


class Attention:
    """One head of attention among phases, and a linear index of what a phase is and what it has seen.

    With `out` all 0 it is a linear index with a seventh weight, for left phases: the search starts at 0 for all of
    these, and whatever attention adds is on top.

    Parameters
    ----------
    weights : array_like, shape (98,) or (C, 98)
        Linear part (7), query, key, value (28 each), out (4), and what it adds to be one's own junction or a neighbour
        along an axis (3).
    interval : int, default 5
        Seconds between decisions; in the queue model a multiple of its step.
    least : float, default 0
        Seconds of green at least.

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS.

    Examples
    --------
    >>> COUNT
    98
    """

    def __init__(self, *, weights: object, interval: int = 5, least: float = 0.0) -> None:
        self.every = checks.integer("interval", interval, minimum=1)
        self.least = checks.number("least", least, minimum=0)
        self.weights_CF = as_weights(weights, COUNT)
        place = torch.tensor(near())
        self.far_NN, self.place_NN = place < 0, place.clamp(min=0)

    def __call__(self, state: GridState) -> torch.Tensor:
        """Return the phase wanted at each junction, shape (B, J)."""
        want_BJ = self.index(state).argmax(dim=2)
        return torch.where(state.green_BJ < self.least, state.phase_BJ, want_BJ)

    def index(self, state: GridState) -> torch.Tensor:
        """Return the index of each phase, shape (B, J, P)."""
        x_BNG, part = self._read(state)
        map_BNN = self._map(x_BNG, part)
        seen_BND = torch.tanh(map_BNN @ torch.bmm(x_BNG, part["value"]))
        index_BN = torch.bmm(x_BNG, part["linear"]) + torch.bmm(seen_BND, part["out"])
        return index_BN.reshape(len(x_BNG), grid.JUNCTIONS, grid.PHASES)

    def map(self, state: GridState) -> torch.Tensor:
        """Return how much each phase (second axis) takes of each other (last), shape (B, N, N)."""
        return self._map(*self._read(state))

    def _read(self, state: GridState) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        x_BJPF = features.of_phases(state)
        left_BJP1 = torch.tensor([0.0, 1.0] * grid.AXES)[:, None].expand(*x_BJPF.shape[:3], 1)
        x_BNG = torch.cat([x_BJPF, left_BJP1], dim=3).flatten(1, 2)
        pieces = torch.split(spread(self.weights_CF, len(x_BNG)), list(_SIZES.values()), dim=1)
        part = dict(zip(_SIZES, pieces, strict=True))
        wide = {key: part[key].reshape(len(x_BNG), INPUTS, WIDTH) for key in ("query", "key", "value")}
        return x_BNG, part | wide | {key: part[key][..., None] for key in ("linear", "out")}

    def _map(self, x_BNG: torch.Tensor, part: dict[str, torch.Tensor]) -> torch.Tensor:
        query_BND, key_BND = torch.bmm(x_BNG, part["query"]), torch.bmm(x_BNG, part["key"])
        fit_BNN = query_BND @ key_BND.transpose(1, 2) / math.sqrt(WIDTH) + part["place"][:, self.place_NN]
        return torch.softmax(fit_BNN.masked_fill(self.far_NN, -math.inf), dim=2)
