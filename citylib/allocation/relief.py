"""Relief supplies: the cheapest way of whole loads from stores to those in need, as a flow of least cost.

Legend: E arcs, N nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from citylib import checks
from citylib.errors import CitylibError, InputError

__all__ = ["Flow", "min_cost_flow"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Flow:
    """What goes along each arc, and how it is known that nothing is cheaper.

    Parameters
    ----------
    amount : ndarray, shape (E,)
        Loads along each arc.
    cost : float
        In all.
    price : ndarray, shape (N,)
        What one load more asked for at a node would add to the cost (with broken loads, what the next bit would, a
        load); 0 where there is more than is asked for, infinite where no more can be brought.
    gap : float
        By how much the cost exceeds what the dual prices prove to be the least, relative; 0: proven the least.
    whole : bool
        Whether every amount is a whole number.
    """

    amount: FloatArray
    cost: float
    price: FloatArray
    gap: float
    whole: bool


def min_cost_flow(
    tail: npt.ArrayLike,
    head: npt.ArrayLike,
    cost: npt.ArrayLike,
    supply: npt.ArrayLike,
    *,
    capacity: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> Flow:
    """Return the cheapest flow that meets every need from what stores have.

    The matrix of a network is totally unimodular: with whole supplies and capacities every corner of the constraints is
    whole, so a linear programme gives whole loads. That is checked, not trusted.

    Parameters
    ----------
    tail, head : array_like of int, shape (E,)
        Where each arc leaves and where it arrives: positions of nodes.
    cost : array_like, shape (E,)
        Of one load along an arc, 0 or more.
    supply : array_like, shape (N,)
        Above 0: loads in store. Below 0: loads needed. Stores may keep what nobody needs.
    capacity : array_like, shape (E,), optional
        Loads an arc can carry; by default no limit.
    names : sequence of str, optional
        Names of the nodes, for messages.

    Returns
    -------
    Flow

    Raises
    ------
    InputError
        Arcs to nodes that are not there, negative or missing costs or capacities, nobody in need, less in store than
        needed, needs that cannot be reached (named, with what is missing).
    CitylibError
        The solver gave up.

    References
    ----------
    Ahuja, R. K., Magnanti, T. L. and Orlin, J. B. (1993). Network Flows. Prentice-Hall. Chapters 9 and 11.

    Examples
    --------
    >>> found = min_cost_flow([0, 0], [1, 2], [3.0, 1.0], [5.0, -2.0, -3.0])
    >>> found.amount.tolist(), found.cost, found.gap, found.whole
    ([2.0, 3.0], 9.0, 0.0, True)
    """
    stock = checks.series("supply", supply)
    start, end = _nodes("tail", tail, len(stock)), _nodes("head", head, len(stock))
    fee = checks.array("cost", cost, ndim=1, minimum=0)
    room = np.full(len(fee), np.inf) if capacity is None else checks.array("capacity", capacity, ndim=1, minimum=0)
    checks.same_length(tail=start, head=end, cost=fee, capacity=room)
    called = [str(n) for n in names] if names is not None else [f"node {k}" for k in range(len(stock))]
    checks.same_length(names=called, supply=stock)
    need, have = -stock[stock < 0].sum(), stock[stock > 0].sum()
    if not need > 0:
        raise InputError("supply", "be below 0 at some node, where loads are needed", stock.tolist())
    if have < need * (1 - ROUNDING):
        raise InputError("supply", "hold as much as is needed", f"{have:g} in store, {need:g} needed")
    arcs = np.arange(len(fee))
    leaves = sparse.csr_array((np.ones(len(fee)), (start, arcs)), shape=(len(stock), len(fee)))
    arrives = sparse.csr_array((np.ones(len(fee)), (end, arcs)), shape=(len(stock), len(fee)))
    net = sparse.csr_array(leaves - arrives)
    dear = float(fee.max(initial=0.0)) or 1.0
    # in units of all need and of the dearest arc: the solver's tolerances are absolute; no store gives more than all
    parts, least, wide = np.minimum(stock, need) / need, fee / dear, room / need
    ends = np.column_stack([np.zeros(len(fee)), wide])
    found: Any = optimize.linprog(least, A_ub=net, b_ub=parts, bounds=ends, method="highs-ds")
    if found.status == 2:
        raise InputError("arcs", "reach every need", _missing(net, parts, ends, called, need), "add arcs or capacity")
    if found.status != 0:
        raise CitylibError(f"the cheapest flow was not found: {found.message}")
    amount = _whole(np.asarray(found.x) * need, net, stock, room, need)
    price = np.maximum(-np.asarray(found.ineqlin.marginals), 0.0)
    left = np.minimum(least + net.T @ price, 0.0)  # what a full arc is worth
    finite = np.isfinite(wide)
    proven = float(-(parts @ price) + (left[finite] @ wide[finite] if finite.any() else 0.0))
    if (left[~finite] < -ROUNDING).any():
        proven = -np.inf  # these prices prove nothing
    total = float(least @ (amount / need))
    apart = (total - proven) / max(abs(total), 1e-12)
    gap, whole = 0.0 if apart <= ROUNDING else apart, bool((amount == np.round(amount)).all())
    return Flow(
        amount, float(fee @ amount), _next(start, end, fee, amount, room, stock - net @ amount, need), gap, whole
    )


def _whole(amount: FloatArray, net: sparse.csr_array, stock: FloatArray, room: FloatArray, need: float) -> FloatArray:
    """Return the flow in whole loads where that is what it is but for rounding, and it still meets every need."""
    near, off = np.round(amount), ROUNDING * need
    kept = np.abs(near - amount).max() < 1e-6 * max(1.0, need) and (near <= room).all()
    return near if kept and (net @ near <= stock + off).all() else amount


def _next(
    tail: IntArray,
    head: IntArray,
    cost: FloatArray,
    amount: FloatArray,
    room: FloatArray,
    spare: FloatArray,
    need: float,
) -> FloatArray:
    """Return what the next load at each node costs: the shortest way from a node that has one to spare.

    It goes along arcs that have room, and against those that carry something, whose cost it saves. Dual prices will not
    do: where a store is used up to the last load there are many, and only the largest say what comes next.
    """
    off = ROUNDING * need
    on, back = amount < room - off, amount > off
    start, end = np.concatenate([tail[on], head[back]]), np.concatenate([head[on], tail[back]])
    adds = np.concatenate([cost[on], -cost[back]])
    price = np.where(spare > off, 0.0, np.inf)
    for _ in range(len(price)):  # Bellman and Ford: a cheapest flow leaves no circle that saves
        nearer = price.copy()
        np.minimum.at(nearer, end, price[start] + adds)
        if not (nearer < price).any():
            break
        price = nearer
    return np.maximum(price, 0.0)


def _missing(net: sparse.csr_array, stock: FloatArray, ends: FloatArray, called: list[str], need: float) -> str:
    """Return, in words, what is missing where least is: the flow that leaves the smallest need unmet.

    `stock` and `ends` are in units of all need.
    """
    n, e = net.shape
    lacking = np.flatnonzero(stock < 0)
    gift = sparse.csr_array((-np.ones(len(lacking)), (lacking, np.arange(len(lacking)))), shape=(n, len(lacking)))
    least: Any = optimize.linprog(
        np.r_[np.zeros(e), np.ones(len(lacking))],
        A_ub=sparse.hstack([net, gift]),
        b_ub=stock,
        bounds=np.vstack([ends, np.column_stack([np.zeros(len(lacking)), -stock[lacking]])]),
        method="highs-ds",
    )
    if least.status != 0:
        return f"the solver says: {least.message}"
    short = least.x[e:]
    told = [f"{called[k]} lacks {v * need:g}" for k, v in zip(lacking, short, strict=True) if v > 1e-7]
    return ", ".join(told[:6]) + (f" and {len(told) - 6} more" if len(told) > 6 else "")


def _nodes(argument: str, value: npt.ArrayLike, nodes: int) -> IntArray:
    raw = checks.series(argument, value)
    if (raw != np.round(raw)).any() or (raw < 0).any() or (raw >= nodes).any():
        raise InputError(argument, f"hold positions of nodes, 0 to {nodes - 1}", raw.tolist())
    return raw.astype(np.int64)
