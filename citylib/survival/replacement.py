"""Which assets to inspect or replace under a budget: an integer programme, its proof, and the greedy list beside it.

Maximise the sum of benefit_ij x_ij, with x_ij = 1 where action j is taken on asset i, at most one action an asset, and

    sum cost_ij x_ij + sum opening z_s <= budget,    x_ij <= z_s for assets of place s and actions j that open it

so that digging in a street is paid once, however many of its mains are replaced.
Legend: N assets, J actions, S places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, sparse

from citylib import checks
from citylib.errors import InputError

__all__ = ["NONE", "Plan", "best", "greedy"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
NONE = -1
OPTIMAL, LIMIT = "optimal within the gap", "stopped at the limit of nodes"


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be done.

    Parameters
    ----------
    action : ndarray of int, shape (N,)
        Number of the action taken on each asset; -1: none.
    opened : ndarray of bool, shape (S,)
        Places that are opened.
    benefit, cost : float
        Of the whole plan.
    bound : float
        No plan within the budget has a larger benefit; NaN for the greedy list, which proves nothing.
    status : str
        How the search ended.
    """

    action: IntArray
    opened: npt.NDArray[np.bool_]
    benefit: float
    cost: float
    bound: float
    status: str

    @property
    def gap(self) -> float:
        """How far the plan may be below the best, as a share of the bound; NaN where there is no bound."""
        return (self.bound - self.benefit) / self.bound if self.bound > 0 else float(self.bound - self.benefit)


@dataclass(frozen=True, eq=False)
class _Problem:
    benefit: FloatArray
    cost: FloatArray
    budget: float
    place: IntArray
    opening: float
    opens: npt.NDArray[np.bool_]
    places: int


def best(
    benefit: npt.ArrayLike,
    cost: npt.ArrayLike,
    *,
    budget: float,
    place: npt.ArrayLike | None = None,
    opening: float = 0.0,
    opens: npt.ArrayLike | None = None,
    gap: float = 1e-3,
    nodes: int = 2000,
) -> Plan:
    """Return a plan of largest benefit within the budget, and how far from the best it can be.

    Parameters
    ----------
    benefit : array_like, shape (N,) or (N, J)
        What each action on each asset is worth, 0 or more, such as failures avoided times the cost of one.
    cost : array_like, of that shape
        What it costs, above 0, in the unit of the budget.
    budget : float
        What may be spent, above 0.
    place : array_like, shape (N,), optional
        Where each asset lies; missing: a place of its own.
    opening : float, default 0
        What it costs to open a place, once.
    opens : array_like of bool, shape (J,), optional
        Which actions open the place; None: all.
    gap : float, default 1e-3
        The search ends when no plan can be better by more than this share.
    nodes : int, default 2000
        The search ends after so many branches; a limit of time would give other plans on other machines.

    Returns
    -------
    Plan

    Raises
    ------
    InputError
        Shapes that differ, no action, benefits below 0, costs not above 0, a budget not above 0.

    References
    ----------
    Martello, S. and Toth, P. (1990). Knapsack Problems: Algorithms and Computer Implementations. Wiley.
    Huangfu, Q. and Hall, J. A. J. (2018). Parallelizing the dual revised simplex method. Mathematical Programming
    Computation 10, 119-142.

    Examples
    --------
    Greedy takes the best ratio first, and then has no room for the two that are worth more together:

    >>> plan = best([6.0, 5.0, 5.0], [5.0, 4.5, 4.5], budget=9.0, gap=0.0)
    >>> plan.action.tolist(), plan.benefit, plan.status
    ([-1, 0, 0], 10.0, 'optimal within the gap')
    >>> greedy([6.0, 5.0, 5.0], [5.0, 4.5, 4.5], budget=9.0).benefit
    6.0
    """
    p = _problem(benefit, cost, budget, place, opening, opens)
    tolerance, most = checks.number("gap", gap, minimum=0), checks.integer("nodes", nodes, minimum=1)
    asset, action = np.nonzero((p.benefit > 0) & (p.cost <= p.budget))
    fallback = greedy(benefit, cost, budget=budget, place=place, opening=opening, opens=opens)
    if not len(asset):
        return Plan(fallback.action, fallback.opened, 0.0, 0.0, 0.0, OPTIMAL)
    matrix, upper = _rows(p, asset, action)
    worth = np.append(p.benefit[asset, action], np.zeros(matrix.shape[1] - len(asset)))
    scale = worth.max()
    found = optimize.milp(
        -worth / scale, constraints=optimize.LinearConstraint(matrix, ub=upper), integrality=np.ones(len(worth)),
        bounds=optimize.Bounds(0, 1), options={"mip_rel_gap": tolerance, "node_limit": most},
    )  # fmt: skip
    bound = float(np.where(p.cost <= p.budget, p.benefit, 0.0).max(axis=1).sum())  # no search needed for this one
    if found.mip_dual_bound is not None:
        bound = min(bound, -float(found.mip_dual_bound) * scale)
    status = OPTIMAL if found.status == 0 else f"stopped: {found.message}"
    if found.status != 0 and (found.mip_node_count or 0) >= most:  # for which HiGHS and scipy have no status in common
        status = LIMIT
    told = f"{status}; the greedy list was better"
    if found.x is not None:
        own = np.full(len(p.cost), NONE)
        chosen = found.x[: len(asset)] > 0.5
        own[asset[chosen]] = action[chosen]
        plan = _closed(p, own, bound, status)
        affordable = plan.cost <= p.budget * (1 + 1e-9)
        if affordable and plan.benefit >= fallback.benefit:
            return replace(plan, bound=max(bound, plan.benefit))
        if not affordable:
            told = f"{status}; rounded to whole actions it went over the budget, so the greedy list stands"
    return _closed(p, fallback.action, max(bound, fallback.benefit), told)


def greedy(
    benefit: npt.ArrayLike,
    cost: npt.ArrayLike,
    *,
    budget: float,
    place: npt.ArrayLike | None = None,
    opening: float = 0.0,
    opens: npt.ArrayLike | None = None,
) -> Plan:
    """Return the list by benefit over cost: the best ratio that still fits, again and again.

    An asset may move to a better action, for what that brings and costs beyond the one it has. Opening a place counts
    as cost until the place is open.

    Parameters
    ----------
    benefit, cost : array_like, shape (N,) or (N, J)
        As in `best`.
    budget : float
        As there.
    place : array_like, shape (N,), optional
        As there.
    opening : float, default 0
        As there.
    opens : array_like of bool, shape (J,), optional
        As there.

    Returns
    -------
    Plan
        Its bound is NaN.

    Examples
    --------
    >>> greedy([1.0, 3.0, 2.0], [1.0, 1.0, 1.0], budget=2.0).action.tolist()
    [-1, 0, 0]
    """
    p = _problem(benefit, cost, budget, place, opening, opens)
    own, left = np.full(len(p.cost), NONE), p.budget
    shut = np.ones(p.places, dtype=bool)
    more, price = p.benefit.copy(), p.cost + p.opening * p.opens
    while True:
        fits = (more > 0) & (price <= left)
        if not fits.any():
            return _closed(p, own, float("nan"), "a list, not a proof")
        ratio = np.where(fits, more / np.maximum(price, 1e-12 * p.budget), -np.inf)  # better and cheaper: at once
        i, j = divmod(int(np.argmax(ratio)), p.cost.shape[1])
        left, own[i] = left - price[i, j], j
        if p.opens[j]:
            shut[p.place[i]] = False
        same = np.flatnonzero(p.place == p.place[i])
        now = own[same]
        has = now != NONE
        more[same] = p.benefit[same] - np.where(has, p.benefit[same, now], 0.0)[:, None]
        price[same] = p.cost[same] - np.where(has, p.cost[same, now], 0.0)[:, None]
        price[same] += p.opening * p.opens * shut[p.place[i]]


def _problem(
    benefit: npt.ArrayLike,
    cost: npt.ArrayLike,
    budget: float,
    place: npt.ArrayLike | None,
    opening: float,
    opens: npt.ArrayLike | None,
) -> _Problem:
    worth, price = (checks.array(name, v, at_least=1) for name, v in (("benefit", benefit), ("cost", cost)))
    if worth.shape != price.shape or worth.ndim not in (1, 2):
        raise InputError("benefit, cost", "have one shape, (N,) or (N, J)", (worth.shape, price.shape))
    worth, price = (v if v.ndim == 2 else v[:, None] for v in (worth, price))
    if not worth.shape[1]:
        raise InputError("benefit, cost", "have at least one action", worth.shape)
    if (worth < 0).any():
        raise InputError("benefit", "be 0 or more", float(worth.min()))
    if (price <= 0).any():
        raise InputError("cost", "be above 0", float(price.min()))
    flags = np.ones(worth.shape[1], dtype=bool) if opens is None else checks.binary("opens", opens)
    if len(flags) != worth.shape[1]:
        raise InputError("opens", f"say of {worth.shape[1]} action(s)", len(flags))
    code = np.arange(len(worth))
    if place is not None:
        code = pd.factorize(np.asarray(place, dtype=object))[0].astype(np.int64)
        checks.same_length(place=code, benefit=worth)
        alone = code < 0
        code[alone] = code.max() + 1 + np.arange(alone.sum())
    spend = checks.number("budget", budget, above=0)
    return _Problem(worth, price, spend, code, checks.number("opening", opening, minimum=0), flags, int(code.max()) + 1)


def _rows(p: _Problem, asset: IntArray, action: IntArray) -> tuple[sparse.csr_array, FloatArray]:
    """Return the constraints, matrix times (x, z) at most `upper`: budget, one action an asset, open before digging."""
    digs = p.opens[action] & (p.opening > 0)
    street, z = np.unique(p.place[asset[digs]], return_inverse=True)
    of_asset, row = np.unique(asset, return_inverse=True)
    x = np.arange(len(asset))
    parts = [(np.zeros(len(x), dtype=np.int64), x, p.cost[asset, action])]
    parts.append(
        (np.zeros(len(street), dtype=np.int64), len(x) + np.arange(len(street)), np.full(len(street), p.opening))
    )
    if p.cost.shape[1] > 1:
        parts.append((1 + row, x, np.ones(len(x))))
        first = 1 + len(of_asset)
        upper = np.ones(len(of_asset))
    else:
        first, upper = 1, np.empty(0)
    dug = np.arange(int(digs.sum()))
    parts.append((first + dug, x[digs], np.ones(len(dug))))
    parts.append((first + dug, len(x) + z, -np.ones(len(dug))))
    i, j, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    shape = (first + len(dug), len(x) + len(street))
    return sparse.csr_array((value, (i, j)), shape=shape), np.concatenate([[p.budget], upper, np.zeros(len(dug))])


def _closed(p: _Problem, own: IntArray, bound: float, status: str) -> Plan:
    """Return a plan with what it costs and brings."""
    taken = np.flatnonzero(own != NONE)
    opened = np.zeros(p.places, dtype=bool)
    opened[p.place[taken[p.opens[own[taken]]]]] = True
    cost = p.cost[taken, own[taken]].sum() + p.opening * opened.sum()
    return Plan(own, opened, float(p.benefit[taken, own[taken]].sum()), float(cost), bound, status)
