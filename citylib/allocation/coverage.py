"""Maximal covering: the sites from which most demand is reached in time, exact and greedy.

Legend: P demand points, S sites, D districts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from citylib import checks
from citylib.allocation.mixed_integer import ROUNDING, Outcome, maximise
from citylib.allocation.placement import Placement, SiteProblem, judged, positions, site_problem
from citylib.errors import CitylibError, InputError

__all__ = ["covered", "greedy", "maximal_covering"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def covered(minutes: npt.ArrayLike, sites: Sequence[int] | IntArray, *, within: float) -> BoolArray:
    """Return which points some of the sites reach in time.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    sites : sequence of int
        Positions of those with a unit.
    within : float
        Minutes that count as in time, above 0.

    Returns
    -------
    ndarray of bool, shape (P,)

    Raises
    ------
    InputError
        Minutes that are missing; a limit of 0 or less; a site twice or beyond the last.

    Examples
    --------
    >>> covered([[1.0, 9.0], [7.0, 8.0]], [0], within=5).tolist()
    [True, False]
    """
    far = checks.matrix("minutes", minutes)
    limit = checks.number("within", within, above=0)
    chosen = positions("sites", list(sites), far.shape[1])
    return np.asarray((far[:, chosen] <= limit).any(axis=1))


def greedy(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    within: float,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
) -> Placement:
    """Choose site after site, each where it adds most covered demand.

    Coverage is submodular, so the answer covers at least 1 - 1/e of what the best does; in cities it is mostly far
    closer.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Sites to choose, those that are fixed included.
    within : float
        Minutes that count as in time, above 0.
    fixed : sequence of int or str
        Sites that are there already.
    names : sequence of str, optional
        Names of the sites.

    Returns
    -------
    Placement
        Its bound is that of submodularity: what the best additions, each taken alone, could add.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`.

    References
    ----------
    Nemhauser, G. L., Wolsey, L. A. and Fisher, M. L. (1978). An analysis of approximations for maximizing submodular
    set functions. Mathematical Programming 14, 265-294.

    Examples
    --------
    >>> greedy([[1.0, 9.0], [9.0, 1.0]], [2.0, 3.0], 1, within=5).sites.tolist()
    [1]
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names)
    limit = checks.number("within", within, above=0)
    cover = posed.minutes <= limit
    units, left = _greedy(posed, cover)
    total = float(posed.demand.sum())
    value = float(posed.demand[~left].sum())
    more = np.sort((posed.demand * left) @ cover)[::-1][: posed.budget].sum()
    bound = min(total, value + float(more))
    gap = (bound - value) / value if value else np.inf
    return Placement(units, value, value / total, bound, gap, "greedy", "greedy")


def maximal_covering(
    minutes: npt.ArrayLike,
    demand: npt.ArrayLike,
    budget: int,
    *,
    within: float,
    fixed: Sequence[int | str] = (),
    names: Sequence[str] | None = None,
    district: npt.ArrayLike | None = None,
    floor: float = 0.0,
    seconds: float = 60.0,
) -> Placement:
    """Return the sites that cover most demand (MCLP, Church and ReVelle 1974), proven or with a gap.

    With x_j = 1 where site j has a unit and y_i the share of point i that is covered,

        maximise sum_i d_i y_i   subject to   y_i <= sum_{j reaches i in time} x_j,   sum_j x_j = budget,   y <= 1.

    Only x must be whole: y then is by itself. Points that the same sites reach are put together first, which loses
    nothing.

    Parameters
    ----------
    minutes : array_like, shape (P, S)
        From each site to each point.
    demand : array_like, shape (P,)
        Weights.
    budget : int
        Sites to choose, those that are fixed included.
    within : float
        Minutes that count as in time, above 0.
    fixed : sequence of int or str
        Sites that are there already.
    names : sequence of str, optional
        Names of the sites.
    district : array_like, shape (P,), optional
        The district of each point, for `floor`.
    floor : float, default 0
        Share of the demand of every district that must be covered.
    seconds : float, default 60
        Time limit of the solver, by the clock on the wall.

    Returns
    -------
    Placement
        The better of the solver's and the greedy answer where the solver stopped early; its status, bound and gap.

    Raises
    ------
    InputError
        As `citylib.allocation.placement.site_problem`; no sites that keep the floor; a district that is missing.
    CitylibError
        The solver stopped before it found sites that keep the floor.

    References
    ----------
    Church, R. and ReVelle, C. (1974). The maximal covering location problem. Papers of the Regional Science
    Association 32, 101-118.

    Examples
    --------
    >>> found = maximal_covering([[1.0, 9.0], [9.0, 1.0], [9.0, 2.0]], [2.0, 1.0, 3.0], 1, within=5)
    >>> found.sites.tolist(), found.value, found.told()
    ([1], 4.0, 'proven the best (gap 0)')
    """
    posed = site_problem(minutes, demand, budget, fixed=fixed, names=names)
    limit = checks.number("within", within, above=0)
    least = checks.fraction("floor", floor, closed=True)
    cover = posed.minutes <= limit
    where = _districts(district, len(cover), least)
    pattern, group = np.unique(np.column_stack([cover, where]), axis=0, return_inverse=True)
    weight = np.bincount(group.ravel(), posed.demand).astype(np.float64)
    reach, home = pattern[:, :-1].astype(bool), pattern[:, -1]
    outcome = _solve(reach, weight, home, posed, least, seconds)
    units, left = _greedy(posed, cover)
    backup, fallback = float(posed.demand[~left].sum()), units
    if least and not _keeps(~left, posed.demand, where, least):  # the greedy rule knows no floor
        if outcome.x is None:
            raise CitylibError(
                f"no sites that keep the floor of {least:g} were found in {seconds:g} s: allow more time"
            )
        backup, fallback = 0.0, np.zeros_like(units)
    chosen = units if outcome.x is None else outcome.x[: cover.shape[1]].astype(np.int64)
    value = float(posed.demand[cover[:, chosen > 0].any(axis=1)].sum())
    return judged(chosen, value, outcome, fallback, backup, float(posed.demand.sum()))


def _solve(
    reach: BoolArray, weight: FloatArray, home: IntArray, posed: SiteProblem, least: float, seconds: float
) -> Outcome:
    points, sites = reach.shape
    eye, cover = sparse.eye_array(points, format="csr"), sparse.csr_array(reach.astype(float))
    rows = [sparse.hstack([-cover, eye]), sparse.csr_array(np.r_[np.ones(sites), np.zeros(points)][None])]
    all_of_them = np.array([float(posed.budget)])  # where all is covered the last ones stand anywhere
    low, high = [np.full(points, -np.inf), all_of_them], [np.zeros(points), all_of_them]
    if least:
        places = np.unique(home)
        inside = (home == places[:, None]) * weight
        rows.append(sparse.csr_array(np.hstack([np.zeros((len(places), sites)), inside])))
        low.append(least * inside.sum(axis=1) * (1 - ROUNDING))
        high.append(np.full(len(places), np.inf))
    start = np.zeros(sites + points)
    start[posed.fixed] = 1.0
    return maximise(
        np.r_[np.zeros(sites), weight],
        matrix=sparse.csr_array(sparse.vstack(rows)),
        low=np.concatenate(low),
        high=np.concatenate(high),
        whole=np.arange(sites + points) < sites,
        least=start,
        most=np.ones(sites + points),
        seconds=seconds,
        what="maximal covering",
    )


def _greedy(posed: SiteProblem, cover: BoolArray) -> tuple[IntArray, BoolArray]:
    """Return units by site, and which points are left uncovered."""
    units = np.zeros(cover.shape[1], dtype=np.int64)
    units[posed.fixed] = 1
    left: BoolArray = ~np.asarray(cover[:, posed.fixed].any(axis=1))
    for _ in range(posed.budget - len(posed.fixed)):
        adds = (posed.demand * left) @ cover
        adds[units > 0] = -1.0
        best = int(np.argmax(adds))
        units[best] = 1
        left &= ~cover[:, best]
    return units, left


def _districts(district: npt.ArrayLike | None, points: int, floor: float) -> IntArray:
    if district is None:
        if floor:
            raise InputError("district", "be given where a floor is asked for", None)
        return np.zeros(points, dtype=np.int64)
    named = np.asarray(district)
    checks.same_length(district=named, minutes=np.empty(points))
    if pd.isna(named).any():
        raise InputError("district", "be known of every point", f"missing at {int(pd.isna(named).argmax())}")
    where = pd.factorize(named.ravel(), sort=False)[0]
    return np.asarray(where, dtype=np.int64) if floor else np.zeros(points, dtype=np.int64)


def _keeps(reached: BoolArray, demand: FloatArray, where: IntArray, floor: float) -> bool:
    whole = np.bincount(where, demand)
    return bool((np.bincount(where, demand * reached) >= floor * whole * (1 - ROUNDING)).all())
