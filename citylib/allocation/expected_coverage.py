"""Maximal expected covering: where to place units that are busy part of the time, exact and greedy.

Legend: P demand points, S sites.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citylib import checks
from citylib.allocation.mixed_integer import Outcome, maximise
from citylib.allocation.placement import Placement, SiteProblem, judged, site_problem
from citylib.errors import InputError

__all__ = ["expected", "greedy", "maximal_expected_covering"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def expected(minutes: npt.ArrayLike, units: npt.ArrayLike, *, within: float, busy: float) -> FloatArray:
    """Return the probability that some unit that reaches a point in time is free, 1 - busy^k.

    Every unit is taken to be busy with one probability, whatever the others do. Both are simplifications; a simulation
    of dispatch says what they cost.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    units : array_like of int, shape (S,)
        Units at each site.
    within : float
        Minutes that count as in time, above 0.
    busy : float
        Probability that a unit is busy, 0 or more and below 1.

    Returns
    -------
    ndarray, shape (P,)

    Raises
    ------
    InputError
        Missing minutes, negative or broken units, a probability outside [0, 1).

    Examples
    --------
    >>> expected([[1.0, 2.0], [1.0, 9.0]], [1, 1], within=5, busy=0.3).round(2).tolist()
    [0.91, 0.7]
    """
    far = checks.matrix("minutes", minutes)
    limit, q = checks.number("within", within, above=0), _busy(busy)
    have = checks.array("units", units, ndim=1, minimum=0)
    if len(have) != far.shape[1] or (have != np.round(have)).any():
        raise InputError("units", f"be a whole number for each of the {far.shape[1]} sites", have.shape)
    reach = (far <= limit) @ have
    return np.asarray(1 - q**reach)


def greedy(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    within: float,
    busy: float,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
    per_site: int = 1,
) -> Placement:
    """Place unit after unit, each where it adds most expected coverage.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Units to place, those that are fixed included.
    within : float
        Minutes that count as in time, above 0.
    busy : float
        Probability that a unit is busy, 0 or more and below 1.
    fixed : sequence of int or str
        Sites that have a unit already.
    names : sequence of str, optional
        Names of the sites.
    per_site : int, default 1
        Units that fit into a site.

    Returns
    -------
    Placement
        With no bound of its own.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`; a probability outside [0, 1).

    Examples
    --------
    >>> found = greedy([[1.0, 9.0], [9.0, 1.0]], [9.0, 1.0], 2, within=5, busy=0.5, per_site=2)
    >>> found.units.tolist(), found.value
    ([2, 0], 6.75)
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names, per_site=per_site)
    limit, q = checks.number("within", within, above=0), _busy(busy)
    units = _greedy(posed, limit, q, per_site)
    value = float(posed.demand @ expected(posed.minutes, units, within=limit, busy=q))
    total = float(posed.demand.sum())
    return Placement(units, value, value / total, np.inf, np.inf, "greedy", "greedy")


def maximal_expected_covering(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    within: float,
    busy: float = 0.3,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
    per_site: int = 1,
    seconds: float = 60.0,
) -> Placement:
    """Return where to place units so that most demand finds a free one in time (MEXCLP, Daskin 1983).

    The k-th unit that reaches a point adds (1 - q) q^(k-1) of its demand, q the probability that a unit is busy. With
    x_j units at site j and y_ik = 1 where point i has at least k in reach,

        maximise sum_i d_i sum_k (1 - q) q^(k-1) y_ik   subject to   sum_k y_ik <= sum_{j reaches i} x_j,
        sum_j x_j <= budget,   x_j <= per_site.

    What units add falls with k, so y fills up in order by itself and only x must be whole.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Units to place, those that are fixed included.
    within : float
        Minutes that count as in time, above 0.
    busy : float, default 0.3
        Probability that a unit is busy, 0 or more and below 1.
    fixed : sequence of int or str
        Sites that have a unit already.
    names : sequence of str, optional
        Names of the sites.
    per_site : int, default 1
        Units that fit into a site.
    seconds : float, default 60
        Time limit of the solver, by the clock on the wall.

    Returns
    -------
    Placement
        The better of the solver's and the greedy answer where the solver stopped early; its status, bound and gap.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`; a probability outside [0, 1).

    References
    ----------
    Daskin, M. S. (1983). A maximum expected covering location model: formulation, properties and heuristic solution.
    Transportation Science 17(1), 48-70.

    Examples
    --------
    >>> minutes = [[1.0, 9.0], [9.0, 1.0]]
    >>> found = maximal_expected_covering(minutes, [9.0, 1.0], 2, within=5, busy=0.5, per_site=2)
    >>> found.units.tolist(), found.told()
    ([2, 0], 'proven the best (gap 0)')
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names, per_site=per_site)
    limit, q = checks.number("within", within, above=0), _busy(busy)
    pattern, group = np.unique(posed.minutes <= limit, axis=0, return_inverse=True)
    weight = np.bincount(group.ravel(), posed.demand).astype(np.float64)
    outcome = _solve(pattern, weight, posed, q, per_site, seconds)
    rough = _greedy(posed, limit, q, per_site)
    chosen = rough if outcome.x is None else outcome.x[: pattern.shape[1]].astype(np.int64)
    value, backup = (float(posed.demand @ expected(posed.minutes, u, within=limit, busy=q)) for u in (chosen, rough))
    return judged(chosen, value, outcome, rough, backup, float(posed.demand.sum()))


def _solve(
    reach: npt.NDArray[np.bool_], weight: FloatArray, posed: SiteProblem, q: float, per_site: int, seconds: float
) -> Outcome:
    points, sites = reach.shape
    most = np.minimum(reach.sum(axis=1) * per_site, posed.budget)
    if q == 0:
        most = np.minimum(most, 1)
    point = np.repeat(np.arange(points), most)
    k = np.arange(len(point)) - np.repeat(np.cumsum(most) - most, most)
    keep = q**k > 1e-16  # beyond, a unit more is worth nothing that can be written down
    point, k = point[keep], k[keep]
    adds = weight[point] * (1 - q) * q**k
    ones = sparse.csr_array((np.ones(len(point)), (point, np.arange(len(point)))), shape=(points, len(point)))
    rows = [
        sparse.hstack([-sparse.csr_array(reach.astype(float)), ones]),
        sparse.csr_array(np.r_[np.ones(sites), np.zeros(len(point))][None]),
    ]
    least = np.zeros(sites + len(point))
    least[posed.fixed] = 1.0
    return maximise(
        np.r_[np.zeros(sites), adds],
        matrix=sparse.csr_array(sparse.vstack(rows)),
        low=np.full(points + 1, -np.inf),
        high=np.r_[np.zeros(points), float(posed.budget)],
        whole=np.arange(sites + len(point)) < sites,
        least=least,
        most=np.r_[np.full(sites, float(per_site)), np.ones(len(point))],
        seconds=seconds,
        what="maximal expected covering",
    )


def _greedy(posed: SiteProblem, limit: float, q: float, per_site: int) -> IntArray:
    cover = posed.minutes <= limit
    units = np.zeros(cover.shape[1], dtype=np.int64)
    units[posed.fixed] = 1
    missed = posed.demand * q ** (cover @ units)  # no free unit in reach
    for _ in range(posed.budget - len(posed.fixed)):
        adds = np.where(units < per_site, (1 - q) * (missed @ cover), -1.0)
        best = int(np.argmax(adds))
        units[best] += 1
        missed = np.where(cover[:, best], missed * q, missed)
    return units


def _busy(busy: float) -> float:
    q = checks.number("busy", busy, minimum=0)
    if q >= 1:
        raise InputError("busy", "be below 1: units that are never free reach nobody", busy)
    return q
