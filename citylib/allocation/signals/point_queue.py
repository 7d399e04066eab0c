"""A model of the grid without vehicles: queues that fill and drain, many runs side by side, for training.

A vehicle takes four steps of 5 s along a block, joins the queue of its lane group, and leaves at the saturation flow
while it has green. A full block takes nobody in; a full left-turn lane takes one of the two other lanes with it. Turns
are shares, arrivals are the simulator's own. A change of phase is one step without flow: yellow still lets some pass,
red and starting up cost as much.

Legend: B runs, J = 16 junctions, X axes, S sides, P phases, K kinds (through and right; left), L = 4 steps of a block.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from citylib import checks
from citylib.allocation.signals import demand as demands
from citylib.allocation.signals import grid
from citylib.allocation.signals.state import GridState, Lights
from citylib.errors import InputError

__all__ = ["PointQueue", "arrivals"]

STEP, TRAVEL = 5, 4  # seconds; steps from one junction to the next
SATURATION = (1.0, 0.45)  # vehicles/s of green: two lanes through, one left
STANDS = (12.0, 6.0)  # vehicles that the last 60 m hold
BLOCK_HOLDS = 76.0  # vehicles on a block, standing
NEAR = 0.6  # of the last step's vehicles, those within 60 m of the stop line


def arrivals(seeds: Sequence[int], demand: demands.Demand = demands.DEMANDS["grid4-v1"]) -> torch.Tensor:
    """Return how many vehicles want to enter in each step.

    Parameters
    ----------
    seeds : sequence of int
        One a run.
    demand : Demand, optional
        By default that of `grid4-v1`.

    Returns
    -------
    torch.Tensor, shape (B, T, J, X, S)
    """
    size, steps = grid.JUNCTIONS * grid.AXES * grid.SIDES, demands.DURATION // STEP
    found = np.zeros((len(seeds), steps, size), dtype=np.float32)
    places = np.array([grid.approach(*place) for place in grid.entries()])
    for b, seed in enumerate(seeds):
        known = demands.trips(seed, demand)
        np.add.at(found[b], ((known.departs_V // STEP).astype(int), places[known.entry_V]), 1)
    return torch.tensor(found).reshape(len(seeds), steps, grid.JUNCTIONS, grid.AXES, grid.SIDES)


class PointQueue:
    """B runs of the model, side by side.

    Parameters
    ----------
    arrivals_BTJXS : torch.Tensor, shape (B, T, J, X, S)
        As `arrivals` returns them.
    limit : int, default 2700
        Seconds until a run is ended.

    Raises
    ------
    InputError
        Shapes that don't fit, negative arrivals.

    References
    ----------
    Vickrey, W. S. (1969). Congestion theory and transport investment. American Economic Review, 59(2), 251-260.

    Examples
    --------
    >>> from citylib.allocation.signals.controllers.fixed_time import FixedTime
    >>> from citylib.allocation.signals.state import drive
    >>> model = PointQueue(arrivals([1, 2]), limit=600)
    >>> drive(model, FixedTime())
    600
    >>> model.delay_B().shape
    torch.Size([2])
    """

    step = STEP

    def __init__(self, arrivals_BTJXS: torch.Tensor, *, limit: int = 2700) -> None:
        whole = (grid.JUNCTIONS, grid.AXES, grid.SIDES)
        if arrivals_BTJXS.ndim != 5 or tuple(arrivals_BTJXS.shape[2:]) != whole:
            raise InputError("arrivals_BTJXS", f"have the shape (B, T, {whole})", tuple(arrivals_BTJXS.shape))
        if not bool((arrivals_BTJXS >= 0).all()):
            raise InputError("arrivals_BTJXS", "be none negative", float(arrivals_BTJXS.min()))
        self.limit = checks.integer("limit", limit, minimum=STEP)
        self.arrivals_BTA = arrivals_BTJXS.flatten(2)
        runs, _, size = self.arrivals_BTA.shape
        self.lights, self.seconds = Lights(runs), 0
        self.moving_BAL = torch.zeros(runs, size, TRAVEL)
        self.queue_BAK = torch.zeros(runs, size, 2)
        self.outside_BA = torch.zeros(runs, size)
        self.waiting_B = torch.zeros(runs)
        self.count_B = self.arrivals_BTA.sum(dim=(1, 2))
        left, through, right = (grid.TURNS[turn] for turn in ("left", "through", "right"))
        self.share_K = torch.tensor([through + right, left])
        self.saturation_K, self.stands_K = torch.tensor(SATURATION) * STEP, torch.tensor(STANDS)
        self.onto_KAA = torch.zeros(2, size, size)  # of what leaves an approach's lane group, the share to each other
        for turn, k, share in (("through", 0, through), ("right", 0, right), ("left", 1, left)):
            to = torch.tensor(grid.downstream(turn)).flatten()
            there = to >= 0
            self.onto_KAA[k, torch.arange(size)[there], to[there]] += share / float(self.share_K[k])

    def state(self) -> GridState:
        """Return the grid as it is."""
        lights, stop_BAK = self.lights, self._at_line()
        shape = (-1, grid.JUNCTIONS, grid.AXES, grid.SIDES)
        back_BA = (self.queue_BAK - self.stands_K).clamp(min=0).sum(dim=2)
        far_BA = self.moving_BAL.sum(dim=2) - NEAR * self.moving_BAL[..., -1] + back_BA
        stop_BJPS = stop_BAK.reshape(*(stop_BAK.shape[0], *shape[1:]), 2).permute(0, 1, 2, 4, 3).flatten(2, 3)
        return GridState(
            self.seconds, lights.phase_BJ, lights.left_BJ > 0, lights.green_BJ, lights.waited_BJP, lights.empty_BJP,
            stop_BJPS, far_BA.reshape(shape), back_BA.reshape(shape),
        )  # fmt: skip

    def advance(self, phase_BJ: torch.Tensor, seconds: int) -> None:
        """Want these phases for that long, a multiple of 5 s."""
        for _ in range(seconds // STEP):
            self.lights.want(phase_BJ)
            self._flow()
            self.lights.tick(STEP)
            self.seconds += STEP
            self.lights.seen(self.state().stop_BJPS, STEP)

    def done(self) -> bool:
        """Return whether the time is over, or nobody is left."""
        if self.seconds >= self.limit:
            return True
        return self.seconds >= demands.DURATION and float(self.inside_B().max()) < 0.5

    def inside_B(self) -> torch.Tensor:
        """Return the vehicles in the grid and before it, shape (B,)."""
        return self.moving_BAL.sum(dim=(1, 2)) + self.queue_BAK.sum(dim=(1, 2)) + self.outside_BA.sum(dim=1)

    def delay_B(self) -> torch.Tensor:
        """Return the mean delay so far [s a vehicle], shape (B,)."""
        return self.waiting_B / self.count_B.clamp(min=1)

    def _at_line(self) -> torch.Tensor:
        near_BAK = NEAR * self.moving_BAL[..., -1:] * self.share_K
        return torch.minimum(self.queue_BAK + near_BAK, self.stands_K)

    def _flow(self) -> None:
        """One step: those on their way get nearer, queues drain where there is green, blocks take in whom they can."""
        runs = len(self.moving_BAL)
        changing = self.lights.left_BJ > 0
        green_BJP = torch.nn.functional.one_hot(self.lights.phase_BJ, grid.PHASES) * ~changing[..., None]
        green_BAK = green_BJP.reshape(runs, -1, grid.AXES, 1, 2).expand(-1, -1, -1, grid.SIDES, -1).reshape(runs, -1, 2)
        self.queue_BAK = self.queue_BAK + self.moving_BAL[..., -1:] * self.share_K
        over_BA = ((self.queue_BAK[..., 1] - STANDS[1]) / 2).clamp(0, 1)
        blocked_BAK = torch.stack([1 - 0.5 * over_BA, torch.ones_like(over_BA)], dim=2)
        out_BAK = torch.minimum(self.queue_BAK, self.saturation_K * green_BAK * blocked_BAK)
        held_BA = self.moving_BAL[..., :-1].sum(dim=2) + self.queue_BAK.sum(dim=2)
        into_BA = self._into(out_BAK)
        fits_BA = ((BLOCK_HOLDS - held_BA).clamp(min=0) / into_BA.clamp(min=1e-6)).clamp(max=1)
        short_BAK = torch.stack([(1 - fits_BA) @ self.onto_KAA[k].T for k in (0, 1)], dim=2)
        out_BAK = out_BAK * (1 - short_BAK)
        into_BA = self._into(out_BAK)
        step = self.seconds // STEP
        if step < self.arrivals_BTA.shape[1]:
            self.outside_BA = self.outside_BA + self.arrivals_BTA[:, step]
        enter_BA = torch.minimum(self.outside_BA, (BLOCK_HOLDS - held_BA - into_BA).clamp(min=0))
        self.outside_BA = self.outside_BA - enter_BA
        self.queue_BAK = self.queue_BAK - out_BAK
        new_BA = into_BA + enter_BA
        self.moving_BAL = torch.cat([new_BA[..., None], self.moving_BAL[..., :-1]], dim=2)
        self.waiting_B = self.waiting_B + STEP * (self.queue_BAK.sum(dim=(1, 2)) + self.outside_BA.sum(dim=1))

    def _into(self, out_BAK: torch.Tensor) -> torch.Tensor:
        """Return who comes onto each block of those who leave others, shape (B, A)."""
        return out_BAK[..., 0] @ self.onto_KAA[0] + out_BAK[..., 1] @ self.onto_KAA[1]
