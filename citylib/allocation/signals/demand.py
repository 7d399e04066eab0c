"""Who drives through the grid, from where, when and which way: `grid4-v1`'s demand, and the one held out.

Legend: E = 16 entries (see `grid.entries`), V vehicles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks, seeds
from citylib.allocation.signals import grid
from citylib.errors import InputError

__all__ = ["BASE", "DEMANDS", "DURATION", "LIMIT", "Demand", "Trips", "flows", "rates", "trips"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BASE, DURATION, LIMIT = 260.0, 1800, 5400  # vehicles/h an entry; seconds of demand; seconds until a run is ended


@dataclass(frozen=True)
class Demand:
    """A pattern of demand.

    Parameters
    ----------
    name : str
        As controllers are scored on.
    scale : float
        Times the base of 260 vehicles/h an entry.
    surge : tuple of float
        Factors of west, east, south and north from second 1,500 to 2,400.
    """

    name: str
    scale: float
    surge: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        checks.number("scale", self.scale, minimum=0)
        for factor in self.surge:
            checks.number("surge", factor, minimum=0)


DEMANDS = {"grid4-v1": Demand("grid4-v1", 0.9), "held out": Demand("held out", 1.0, (1.0, 2.8, 1.8, 1.0))}


@dataclass(frozen=True, eq=False)
class Trips:
    """Vehicles in the order in which they want to enter.

    Parameters
    ----------
    departs_V : ndarray, shape (V,)
        Seconds.
    entry_V : ndarray of int, shape (V,)
        Place in `grid.entries`.
    ways : tuple of tuple of (int, int)
        For each vehicle the approaches (junction, side) that it passes, in order.
    leaves_V : ndarray of int, shape (V,)
        The side on which it leaves the grid after its last junction.
    """

    departs_V: FloatArray
    entry_V: IntArray
    ways: tuple[tuple[tuple[int, int], ...], ...]
    leaves_V: IntArray

    def until(self, seconds: float) -> Trips:
        """Return those who want to enter before a moment; a run that is ended early has not heard of the others."""
        count = int(np.searchsorted(self.departs_V, seconds))
        return Trips(self.departs_V[:count], self.entry_V[:count], self.ways[:count], self.leaves_V[:count])


def rates(seconds: npt.ArrayLike, demand: Demand = DEMANDS["grid4-v1"]) -> FloatArray:
    """Return the rate at which vehicles arrive at each entry [1/s].

    Parameters
    ----------
    seconds : array_like, shape (T,)
        Since the start.
    demand : Demand, optional
        By default that of `grid4-v1`.

    Returns
    -------
    ndarray, shape (T, 16)
        0 after the 1,800 s of demand.

    Examples
    --------
    >>> rates([900.0]).shape
    (1, 16)
    """
    t = checks.array("seconds", seconds, ndim=1)
    first, second = np.exp(-(((t - 900) / 700) ** 2)), np.exp(-(((t - 2600) / 700) ** 2))
    by_side = np.stack([1 + 1.4 * first, 0.8 + 0.2 * second, 0.7 + 0.3 * first, 0.7 + 1.6 * second], axis=1)
    during = ((t >= 1500) & (t < 2400))[:, None]
    by_side = np.where(during, by_side * np.array(demand.surge), by_side)
    factor = np.full(16, 0.85)  # west rows, east rows, south columns, north columns
    factor[[1, 2, 14, 12]] = [1.5, 1.2, 1.5, 1.2]
    there = ((t >= 0) & (t < DURATION))[:, None]
    found: FloatArray = BASE / 3600 * demand.scale * np.repeat(by_side, grid.SIZE, axis=1) * factor * there
    return found


def trips(seed: int, demand: Demand = DEMANDS["grid4-v1"]) -> Trips:
    """Draw the vehicles of a run: Poisson arrivals, thinned to the rates; a turn at every junction until one leaves.

    Parameters
    ----------
    seed : int
        Of the run, 0 or more.
    demand : Demand, optional
        By default that of `grid4-v1`.

    Returns
    -------
    Trips

    Raises
    ------
    InputError
        A negative seed; a demand of no vehicle.

    Examples
    --------
    >>> first = trips(1)
    >>> bool((np.diff(first.departs_V) >= 0).all()), int(first.entry_V.max())
    (True, 15)
    """
    draw = seeds.generator(seed, "signals", demand.name)
    most = rates(np.arange(0.0, DURATION, 5), demand).max(axis=0) * 1.02  # above the rate between the points, too
    times, places = [], []
    for entry, top in enumerate(most):
        count = int(draw.poisson(top * DURATION))
        wanted = np.sort(draw.uniform(0, DURATION, count))
        kept = draw.uniform(0, 1, count) * top < rates(wanted, demand)[:, entry]
        times.append(wanted[kept])
        places.append(np.full(int(kept.sum()), entry))
    departs, entry_V = np.concatenate(times), np.concatenate(places).astype(np.int64)
    if not len(departs):
        raise InputError("demand", "bring at least one vehicle", demand.scale)
    order = np.argsort(departs, kind="stable")
    departs, entry_V = departs[order], entry_V[order]
    starts = grid.entries()
    ways = [_way(starts[entry], draw) for entry in entry_V.tolist()]
    leaves = np.array([side for _, side in ways], dtype=np.int64)
    return Trips(departs, entry_V, tuple(way for way, _ in ways), leaves)


def flows(demand: Demand = DEMANDS["grid4-v1"]) -> FloatArray:
    """Return the mean flow on each approach over the time of demand [vehicles/s], had nobody to wait.

    Parameters
    ----------
    demand : Demand, optional
        By default that of `grid4-v1`.

    Returns
    -------
    ndarray, shape (16, 2, 2)
        By junction, axis and side.

    Examples
    --------
    >>> bool((flows() > 0).all())
    True
    """
    size = grid.JUNCTIONS * grid.AXES * grid.SIDES
    into = np.zeros(size)
    mean = rates(np.arange(0.5, DURATION, 1.0), demand).mean(axis=0)
    for place, rate in zip(grid.entries(), mean, strict=True):
        into[grid.approach(*place)] += rate
    passed = np.zeros((size, size))
    for turn, share in grid.TURNS.items():
        to = grid.downstream(turn).ravel()
        passed[to[to >= 0], np.flatnonzero(to >= 0)] += share
    found = np.linalg.solve(np.eye(size) - passed, into).astype(np.float64)
    return found.reshape(grid.JUNCTIONS, grid.AXES, grid.SIDES)


def _way(start: tuple[int, int], draw: np.random.Generator) -> tuple[tuple[tuple[int, int], ...], int]:
    """Return the approaches that a vehicle passes, and the side on which it leaves."""
    passed = []
    here: int | None
    here, side = start
    names, chances = list(grid.TURNS), np.cumsum(list(grid.TURNS.values()))
    out = side
    while here is not None:
        passed.append((here, side))
        out = grid.exit_side(side, names[int(np.searchsorted(chances, draw.random() * chances[-1], side="right"))])
        here, side = grid.neighbour(here, out), (out + 2) % 4
    return tuple(passed), out
