"""The p-median: the sites from which the mean way is shortest, exact and greedy.

Legend: P demand points, S sites.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citylib.allocation.mixed_integer import Outcome, maximise
from citylib.allocation.placement import Placement, SiteProblem, judged, site_problem

__all__ = ["greedy", "p_median", "weighted_minutes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def weighted_minutes(minutes: FloatArray, demand: FloatArray, sites: IntArray) -> float:
    """Return the demand's minutes to the nearest of the sites, added up.

    Parameters
    ----------
    minutes : ndarray, shape (P, S)
        From each site to each point.
    demand : ndarray, shape (P,)
        Weights.
    sites : ndarray of int
        Positions of those with a unit.

    Returns
    -------
    float
    """
    return float(demand @ minutes[:, sites].min(axis=1))


def greedy(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
) -> Placement:
    """Choose site after site, each where it saves most, then swap one for another while that saves anything.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Sites to choose, those that are fixed included.
    fixed : sequence of int or str
        Sites that are there already, and stay.
    names : sequence of str, optional
        Names of the sites.

    Returns
    -------
    Placement
        With no bound of its own.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`.

    References
    ----------
    Teitz, M. B. and Bart, P. (1968). Heuristic methods for estimating the generalized vertex median of a weighted
    graph. Operations Research 16(5), 955-961.

    Examples
    --------
    >>> found = greedy([[0.0, 2.0, 4.0], [2.0, 0.0, 2.0], [4.0, 2.0, 0.0]], [1.0, 1.0, 1.0], 1)
    >>> found.sites.tolist(), found.value
    ([1], 4.0)
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names)
    units = _swapped(posed, _greedy(posed))
    value = weighted_minutes(posed.minutes, posed.demand, np.flatnonzero(units))
    return Placement(units, value, value / float(posed.demand.sum()), 0.0, np.inf, "greedy", "greedy")


def p_median(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
    seconds: float = 60.0,
) -> Placement:
    """Return the sites from which the mean way is shortest (Hakimi 1964), proven or with a gap.

    Written by rings instead of by pairs of point and site: with D_i1 < D_i2 < ... the distances from point i to sites,
    z_ik = 1 where no site is open within D_ik, a point pays D_i1 + sum_k (D_i,k+1 - D_ik) z_ik. That is the same
    problem with far fewer numbers, and with `budget` sites open the rings beyond the last that can matter are left out.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Sites to choose, those that are fixed included.
    fixed : sequence of int or str
        Sites that are there already.
    names : sequence of str, optional
        Names of the sites.
    seconds : float, default 60
        Time limit of the solver, by the clock on the wall.

    Returns
    -------
    Placement
        `value` are weighted minutes, `share` their mean; the better of the solver's and the greedy answer where the
        solver stopped early.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`.

    References
    ----------
    Hakimi, S. L. (1964). Optimum locations of switching centers and the absolute centers and medians of a graph.
    Operations Research 12(3), 450-459. Elloumi, S. (2010). A tighter formulation of the p-median problem. Journal of
    Combinatorial Optimization 19, 69-83.

    Examples
    --------
    >>> found = p_median([[0.0, 2.0, 4.0], [2.0, 0.0, 2.0], [4.0, 2.0, 0.0]], [1.0, 1.0, 5.0], 1)
    >>> found.sites.tolist(), found.value, found.told()
    ([2], 6.0, 'proven the best (gap 0)')
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names)
    rough = _swapped(posed, _greedy(posed))
    outcome = _solve(posed, seconds)
    chosen = rough if outcome.x is None else outcome.x[: posed.minutes.shape[1]].astype(np.int64)
    value, backup = (weighted_minutes(posed.minutes, posed.demand, np.flatnonzero(u)) for u in (chosen, rough))
    return judged(chosen, value, outcome, rough, backup, float(posed.demand.sum()), sign=-1.0)


def _solve(posed: SiteProblem, seconds: float) -> Outcome:
    used = posed.demand > 0
    far, weight = posed.minutes[used], posed.demand[used]
    points, sites = far.shape
    enough = sites - posed.budget  # so many can be shut; the next nearest is open for sure
    ring_cost, rows, columns, row_low, constant = [], [], [], [], 0.0
    entries: list[FloatArray] = []
    row = z = 0
    for i in range(points):
        order = np.argsort(far[i], kind="stable")
        level, start = np.unique(far[i][order], return_index=True)
        if len(posed.fixed):
            level = level[level <= far[i][posed.fixed].min()]
        last = int(np.searchsorted(start, enough, side="right"))  # levels beyond are never needed
        level = level[: max(last, 1)]
        constant += weight[i] * level[0]
        for k in range(len(level) - 1):
            here = order[start[k] : start[k + 1]]
            before = [sites + z - 1] if k else []
            rows.append(np.full(len(here) + 1 + len(before), row))
            columns.append(np.r_[here, sites + z, before])
            entries.append(np.r_[np.ones(len(here) + 1), -np.ones(len(before))])
            row_low.append(0.0 if k else 1.0)
            ring_cost.append(weight[i] * (level[k + 1] - level[k]))
            row, z = row + 1, z + 1
    count = np.r_[np.ones(sites), np.zeros(z)]
    where = (np.concatenate([*rows, np.zeros(0)]), np.concatenate([*columns, np.zeros(0)]))
    rings = sparse.csr_array((np.concatenate([*entries, np.zeros(0)]), where), shape=(row, sites + z))
    least = np.zeros(sites + z)
    least[posed.fixed] = 1.0
    found = maximise(
        np.r_[np.zeros(sites), -np.array(ring_cost)],
        matrix=sparse.csr_array(sparse.vstack([rings, sparse.csr_array(count[None])])),
        low=np.r_[row_low, float(posed.budget)],
        high=np.r_[np.full(row, np.inf), float(posed.budget)],
        whole=np.arange(sites + z) < sites,
        least=least,
        most=np.ones(sites + z),
        seconds=seconds,
        what="p-median",
    )
    return Outcome(found.x, found.value - constant, found.bound - constant, found.status, found.message, found.nodes)


def _greedy(posed: SiteProblem) -> IntArray:
    units = np.zeros(posed.minutes.shape[1], dtype=np.int64)
    units[posed.fixed] = 1
    now = posed.minutes[:, posed.fixed].min(axis=1) if len(posed.fixed) else np.full(len(posed.demand), np.inf)
    for _ in range(posed.budget - len(posed.fixed)):
        cost = posed.demand @ np.minimum(now[:, None], posed.minutes)
        cost[units > 0] = np.inf
        best = int(np.argmin(cost))
        units[best] = 1
        now = np.minimum(now, posed.minutes[:, best])
    return units


def _swapped(posed: SiteProblem, units: IntArray) -> IntArray:
    """Return the choice after the best swaps, one at a time, until none saves anything."""
    units = units.copy()
    free = np.setdiff1d(np.arange(len(units)), posed.fixed)
    while True:
        sites = np.flatnonzero(units)
        cost, best = weighted_minutes(posed.minutes, posed.demand, sites), None
        for out in np.intersect1d(sites, free):
            rest = np.setdiff1d(sites, [out])
            now = posed.minutes[:, rest].min(axis=1) if len(rest) else np.full(len(posed.demand), np.inf)
            costs = posed.demand @ np.minimum(now[:, None], posed.minutes)
            costs[units > 0] = np.inf
            come = int(np.argmin(costs))
            if costs[come] < cost * (1 - 1e-12):
                cost, best = float(costs[come]), (int(out), come)
        if best is None:
            return units
        units[best[0]], units[best[1]] = 0, 1
