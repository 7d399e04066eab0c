"""Water-filling: the exact best split of a budget among resources whose returns diminish exponentially.

Legend: B instances, N resources, Q rows: 1 (the same for all instances) or B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation import bounds
from citylib.allocation.water_filling_kernel import fill_rows
from citylib.errors import InputError

__all__ = ["Filling", "fill"]

FloatArray = npt.NDArray[np.float64]
LOOSEST = 1e-6  # KKT residual above which an answer is none


@dataclass(frozen=True, eq=False)
class Filling:
    """The best shares, and how it is known that they are the best.

    Parameters
    ----------
    shares : ndarray, shape (..., N)
        Sum 1; 0 where there is no resource.
    price : ndarray, shape (...)
        Shadow price: what one more unit of the budget would add to the sum of the benefits, bounds staying the
        amounts that they are. 0 where all caps are reached.
    residual : ndarray, shape (...)
        Largest breach of the Karush-Kuhn-Tucker conditions, relative to the price: marginal benefits that differ
        from it, and shares that don't add up to 1.
    side : ndarray of int, shape (..., N)
        0: between its bounds, 1: at its minimum, 2: at its cap, 3: no resource.
    """

    shares: FloatArray
    price: FloatArray
    residual: FloatArray
    side: npt.NDArray[np.int8]


def fill(
    scale: npt.ArrayLike,
    rate: npt.ArrayLike,
    budget: npt.ArrayLike,
    *,
    mask: npt.ArrayLike | None = None,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> Filling:
    """Return the shares w that maximise the sum of a_i (1 - exp(-b_i w_i R)), one instance or many.

    The conditions of Karush, Kuhn and Tucker say that all resources between their bounds have one marginal benefit,
    the shadow price p: w_i R = (ln a_i b_i - ln p) / b_i. The level ln p is found exactly, in finitely many steps, by
    fixing resources at their bounds (Bretthauer and Shetty's variable fixing).

    Parameters
    ----------
    scale : array_like, shape (..., N)
        a, the benefit that is never quite reached; above 0.
    rate : array_like, shape (..., N)
        b, how fast a unit of the budget brings it nearer; above 0.
    budget : array_like, shape (...) or ()
        R, above 0.
    mask : array_like of bool, shape (..., N) or (N,), optional
        Which resources there are; the others get nothing, and may hold anything, NaN too.
    low, high : array_like, shape (..., N) or (N,), optional
        Smallest and largest shares; by default 0 and no cap.
    names : sequence of str, optional
        Names of the resources, for messages.

    Returns
    -------
    Filling

    Raises
    ------
    InputError
        A budget that is not above 0; effects that are not concave and rising; missing values; an instance without
        resources; bounds between which no shares lie, the resources named; numbers so far apart that rounding leaves no
        answer.

    References
    ----------
    Boyd, S. and Vandenberghe, L. (2004). Convex Optimization. Example 5.2. Bretthauer, K. M. and Shetty, B. (2002).
    The nonlinear knapsack problem - algorithms and applications. European Journal of Operational Research 138(3).
    Kiwiel, K. C. (2008). Variable fixing algorithms for the continuous quadratic knapsack problem. JOTA 136.

    Examples
    --------
    >>> best = fill([1.0, 2.0], [1.0, 1.0], 1.0)
    >>> best.shares.round(4).tolist(), round(float(best.price), 4)
    ([0.1534, 0.8466], 0.8578)
    >>> fill([1.0, 2.0], [1.0, 1.0], 1.0, low=[0.3, 0.0]).shares.tolist()
    [0.3, 0.7]
    """
    try:
        a = np.asarray(scale, dtype=np.float64) if not isinstance(scale, np.ndarray) else scale
    except (TypeError, ValueError):
        raise InputError("scale", "be numeric, as many in every row", scale) from None
    if a.ndim == 0 or a.shape[-1] == 0:
        raise InputError("scale", "hold at least one resource", a.shape)
    before, n = a.shape[:-1], a.shape[-1]
    mask_QN = np.ones((1, n), dtype=np.bool_) if mask is None else _rows(checks.binary("mask", mask), a.shape, "mask")
    if not mask_QN.any(axis=1).all():
        raise InputError(
            "mask", "leave every instance a resource", f"none in instance {int(mask_QN.any(axis=1).argmin())}"
        )
    a_BN = _effects("scale", scale, a.shape, mask_QN)
    b_BN = _effects("rate", rate, a.shape, mask_QN)
    money = checks.array("budget", budget)
    if (money <= 0).any():
        raise InputError("budget", "be above 0", float(money.min()))
    if money.ndim and money.shape != before:
        raise InputError("budget", f"be one number, or of shape {before}", money.shape)
    money_B = np.ascontiguousarray(np.broadcast_to(money, before).reshape(-1))
    low_QN = np.zeros((1, n)) if low is None else _rows(checks.array("low", low), a.shape, "low")
    high_QN = np.full((1, n), np.inf) if high is None else _rows(checks.array("high", high), a.shape, "high")
    bounds.check(low_QN, high_QN, mask_QN, names=names)
    count = len(a_BN)
    shares, side = np.empty((count, n)), np.empty((count, n), dtype=np.int8)
    level, residual = np.empty(count), np.empty(count)
    worth_BN = np.log(a_BN)
    worth_BN += np.log(b_BN)
    fill_rows(worth_BN, b_BN, low_QN, high_QN, mask_QN, money_B, shares, level, residual, side)
    exact = np.isfinite(shares.sum(axis=1)) & (residual < LOOSEST)
    if not exact.all():
        row = int(exact.argmin())
        told = (
            f"instance {row}: b R from {(b_BN[row] * money_B[row]).min():.2g} to {(b_BN[row] * money_B[row]).max():.2g}"
        )
        raise InputError("rate times budget", "lie within what 64 bits can tell apart", told)
    price = np.exp(level)
    return Filling(shares.reshape(a.shape), price.reshape(before), residual.reshape(before), side.reshape(a.shape))


def _effects(argument: str, value: npt.ArrayLike, shape: tuple[int, ...], mask_QN: npt.NDArray[np.bool_]) -> FloatArray:
    """Return a or b as rows, checked where there are resources and 1 where there are none."""
    raw = np.asarray(value)
    if raw.shape != shape and raw.shape != shape[-1:]:
        raise InputError(argument, f"have the shape of scale, {shape}", raw.shape)
    rows_BN = np.broadcast_to(raw, shape).reshape(-1, shape[-1])
    if not mask_QN.all():
        rows_BN = np.where(mask_QN, rows_BN, 1.0)
    found = np.ascontiguousarray(checks.array(argument, rows_BN))
    if found.size and found.min() <= 0:
        row, i = (int(at) for at in np.argwhere(found <= 0)[0])
        raise InputError(
            argument,
            "be above 0, for the closed form holds for rising effects with diminishing returns",
            f"{found[row, i]:g} (instance {row}, resource {i})",
            "mask a resource that does nothing; for other shapes use a convex solver",
        )
    return found


def _rows(value: npt.NDArray[Any], shape: tuple[int, ...], argument: str) -> npt.NDArray[Any]:
    """Return what is given for all instances as one row, and what is given for each as many."""
    if value.shape == shape[-1:]:
        return np.ascontiguousarray(value[None, :])
    if value.shape == shape:
        return np.ascontiguousarray(value.reshape(-1, shape[-1]))
    raise InputError(argument, f"have the shape {shape} or {shape[-1:]}", value.shape)
