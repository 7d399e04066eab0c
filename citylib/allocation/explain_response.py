"""Why this share, from the problem itself: shadow price, worth of one more unit, and exact derivatives of the best.

At the best split all resources that get anything have one marginal benefit, the price. Differentiating that condition
(the implicit function theorem) says how every share answers to every effect, and through the effects to every feature.

Legend: B instances, N resources, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation.problem import Contexts, effects, effects_of
from citylib.allocation.water_filling import fill
from citylib.allocation.water_filling_kernel import FREE
from citylib.errors import InputError

__all__ = ["Response", "planted", "response", "worth"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Response:
    """How the best share of one resource answers to the effects of all.

    Parameters
    ----------
    shares_BN : ndarray, shape (B, N)
        The best.
    price_B : ndarray, shape (B,)
        What one more unit of the budget adds.
    to_scale_BN, to_rate_BN : ndarray, shape (B, N)
        Derivatives of the explained share to ln a and ln b of each resource; 0 for those that get nothing.
    first_unit_BN : ndarray, shape (B, N)
        a b: what the first unit is worth. Who is below the price gets nothing.
    """

    shares_BN: FloatArray
    price_B: FloatArray
    to_scale_BN: FloatArray
    to_rate_BN: FloatArray
    first_unit_BN: FloatArray


def worth(
    shares_BN: npt.ArrayLike, scale_BN: npt.ArrayLike, rate_BN: npt.ArrayLike, budget_B: npt.ArrayLike
) -> FloatArray:
    """Return what one more unit is worth to each resource at given shares: a b exp(-b w R).

    Parameters
    ----------
    shares_BN, scale_BN, rate_BN : array_like, shape (..., N)
        w, a, b.
    budget_B : array_like, shape (...) or ()
        R, above 0.

    Returns
    -------
    ndarray, shape (..., N)

    Raises
    ------
    InputError
        Not finite, a or b below 0, a budget that is not above 0, shapes that don't fit.

    Examples
    --------
    >>> worth([0.0, 1.0], [2.0, 2.0], [1.0, 1.0], 1.0).round(3).tolist()
    [2.0, 0.736]
    """
    w, a, b, units = effects_of(shares_BN, scale_BN, rate_BN, budget_B)
    return np.asarray(a * b * np.exp(-b * w * units))


def response(scale_BN: npt.ArrayLike, rate_BN: npt.ArrayLike, budget_B: npt.ArrayLike, of: npt.ArrayLike) -> Response:
    """Return the best shares, their price, and how one of them answers to all effects.

    With free resources j (those that get something), u_j = 1 / b_j, t_j = u_j - s_j, s = w R and Q the sum of u:
    d s_i / d ln a_j = [i = j] u_i - u_i u_j / Q, and d s_i / d ln b_j = [i = j] t_i - u_i t_j / Q.

    Parameters
    ----------
    scale_BN, rate_BN : array_like, shape (B, N)
        a and b.
    budget_B : array_like, shape (B,)
        R.
    of : array_like of int, shape (B,)
        The resource whose share is explained.

    Returns
    -------
    Response

    Raises
    ------
    InputError
        As `citylib.allocation.water_filling.fill`; a resource that is not there.

    References
    ----------
    Fiacco, A. V. (1983). Introduction to Sensitivity and Stability Analysis in Nonlinear Programming.

    Examples
    --------
    >>> found = response([[1.0, 2.0]], [[1.0, 1.0]], [1.0], [1])
    >>> found.to_scale_BN.tolist(), found.first_unit_BN.tolist()
    ([[-0.5, 0.5]], [[1.0, 2.0]])
    """
    a_BN, b_BN = checks.array("scale", scale_BN, ndim=2), checks.array("rate", rate_BN, ndim=2)
    best = fill(a_BN, b_BN, budget_B)
    rows = np.asarray(of)
    if rows.shape != (len(a_BN),) or rows.dtype.kind not in "iu" or (rows < 0).any() or (rows >= a_BN.shape[1]).any():
        raise InputError("of", f"be {len(a_BN)} positions of {a_BN.shape[1]} resources", rows)
    money_B1 = np.broadcast_to(checks.array("budget", budget_B), len(a_BN))[:, None]
    free_BN = best.side == FREE
    u_BN = np.where(free_BN, 1 / b_BN, 0.0)
    t_BN = np.where(free_BN, 1 / b_BN - best.shares * money_B1, 0.0)
    mine_BN = np.arange(a_BN.shape[1]) == rows[:, None]
    own_B1 = np.take_along_axis(u_BN, rows[:, None], axis=1) / u_BN.sum(axis=1, keepdims=True)
    to_scale_BN, to_rate_BN = (np.where(mine_BN, d, 0.0) - own_B1 * d for d in (u_BN, t_BN))
    stays_B1 = ~np.take_along_axis(free_BN, rows[:, None], axis=1)  # who gets nothing keeps it under small changes
    to_scale_BN, to_rate_BN = (np.where(stays_B1, 0.0, d) / money_B1 for d in (to_scale_BN, to_rate_BN))
    return Response(best.shares, best.price, to_scale_BN, to_rate_BN, a_BN * b_BN)


def planted(known: Contexts, of: npt.ArrayLike) -> FloatArray:
    """Return the exact derivative of a best share of `budget-v1` to the features of every resource.

    Parameters
    ----------
    known : Contexts
        B instances.
    of : array_like of int, shape (B,)
        The resource whose share is explained.

    Returns
    -------
    ndarray, shape (B, N, 8)
        The third feature counts against the instance's mean, so that every resource's moves all effects. The two
        shared ones are taken as each resource's own. The length over the last axis is what explanations are judged by.
    """
    found = response(known.scale_BN, known.rate_BN, known.budget_B, of)
    scale_BNF, rate_BNF = _slopes(known.features_BNF)
    out = found.to_scale_BN[..., None] * scale_BNF + found.to_rate_BN[..., None] * rate_BNF
    own_BN = found.to_scale_BN * scale_BNF[..., 3]
    out[..., 3] = own_BN - own_BN.mean(axis=1, keepdims=True)  # d r_i / d x_j3 = [i = j] - 1 / N
    return np.asarray(out)


def _slopes(features_BNF: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return derivatives of ln a and ln b to a resource's own features, the third to its difference from the mean."""
    effects(features_BNF)  # refuses other features
    x0, x1, x2, x3, x4, x5, g0, g1 = np.moveaxis(features_BNF, 2, 0)
    relative = x3 - x3.mean(axis=1, keepdims=True)
    logistic = 1 / (1 + np.exp(-2 * x5))
    zero = np.zeros_like(x0)
    scale = [
        0.7 / np.cosh(x0) ** 2,
        0.75 * np.cos(1.5 * x1) * np.tanh(x2),
        0.5 * np.sin(1.5 * x1) / np.cosh(x2) ** 2,
        0.8 / np.cosh(relative) ** 2,
        0.5 * g0 / np.cosh(x4) ** 2,
        zero,
        0.5 * np.tanh(x4),
        zero,
    ]
    rate = [
        zero,
        0.3 * g1 / np.cosh(x1) ** 2,
        0.5 / np.cosh(x2) ** 2,
        zero,
        zero,
        -0.8 * logistic * (1 - logistic),
        zero,
        0.3 * np.tanh(x1),
    ]
    return np.stack(scale, axis=2), np.stack(rate, axis=2)
