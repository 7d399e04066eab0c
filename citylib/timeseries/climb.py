"""Maximise many functions at once: damped Newton steps, their derivatives by differences, all series side by side.

A likelihood is evaluated for all series and several points of each in one call, so that a compiled one runs
several points through the same readings for little more than the cost of one. Legend: N series, L points of
each, k parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks

__all__ = ["Optimum", "climb", "curvature", "derivatives", "neighbours"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Function = Callable[[FloatArray, IntArray], FloatArray]
Slope = Callable[[FloatArray, FloatArray, IntArray], tuple[FloatArray, FloatArray]]

WIDTH = 1e-4  # of the differences, of parameters that are free of a unit
LONGEST = 3.0  # of a step
# What is tried at each turn: how much the curvature is damped, and how far the step then goes.
DAMPING = np.array([0.0, 0.0, 0.0, 0.0, 1e-3, 1e-2, 1e-1, 1.0])
REACH = np.array([1.0, 2.5, 6.0, 0.4, 1.0, 1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where the climb of each series ended.

    Parameters
    ----------
    at : ndarray, shape (N, k)
        The highest point found.
    value : ndarray, shape (N,)
        Its height.
    gain : ndarray, shape (N,)
        What the last turn gained.
    turns : ndarray of int, shape (N,)
        Turns it took.
    converged : ndarray of bool, shape (N,)
        Whether the last turn gained less than the tolerance, before turns ran out.
    """

    at: FloatArray
    value: FloatArray
    gain: FloatArray
    turns: IntArray
    converged: npt.NDArray[np.bool_]


def climb(
    function: Function,
    start_Nk: npt.ArrayLike,
    *,
    slope: Slope | None = None,
    tolerance: float = 1e-6,
    turns: int = 60,
    farthest: float = 12.0,
) -> Optimum:
    """Climb from a start of each series to the top of the hill it stands on.

    Each turn takes gradient and curvature, by default by central differences, and goes on from the best of several
    steps: Newton's, shortened, stretched, and damped as Levenberg and Marquardt do, all evaluated in one call.

    Parameters
    ----------
    function : callable
        ``function(points, which)`` returns the heights, shape (M, L), of points of shape (M, L, k) for the M series
        numbered in `which`; NaN or -inf where there is none.
    start_Nk : array_like, shape (N, k)
        Where to start.
    slope : callable, optional
        ``slope(at, heights, which)`` returns gradients (M, k) and curvatures (M, k, k), where something better than
        `curvature` is known.
    tolerance : float, default 1e-6
        A series is through when a turn gains less.
    turns : int, default 60
        At most so many.
    farthest : float, default 12
        No parameter goes further from zero.

    Returns
    -------
    Optimum

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). Numerical Optimization, 2nd ed. Springer, sections 3.4 and 8.1.

    Examples
    --------
    >>> def hill(points, which):
    ...     return -((points - which[:, None, None]) ** 2).sum(axis=2)
    >>> climb(hill, np.zeros((3, 2))).at.round(6).tolist()
    [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    """
    at_Nk = checks.matrix("start_Nk", start_Nk).copy()
    series, parameters = at_Nk.shape
    everyone = np.arange(series)
    value_N = function(at_Nk[:, None, :], everyone)[:, 0]
    gain_N = np.full(series, np.inf)
    turns_N = np.zeros(series, dtype=np.int64)
    active = everyone[np.isfinite(value_N)] if parameters else everyone[:0]
    if not parameters:
        gain_N[:] = 0.0
    for _ in range(turns):
        if not len(active):
            break
        at, value = at_Nk[active], value_N[active]
        gradient, hessian = slope(at, value, active) if slope else curvature(function, at, value, active)
        tried = np.clip(at[:, None, :] + _steps(gradient, hessian), -farthest, farthest)
        heights = function(tried, active)
        heights = np.where(np.isfinite(heights), heights, -np.inf)
        best = heights.argmax(axis=1)
        rows = np.arange(len(active))
        higher = heights[rows, best] > value
        gain_N[active] = np.where(higher, heights[rows, best] - value, 0.0)
        at_Nk[active] = np.where(higher[:, None], tried[rows, best], at)
        value_N[active] = np.where(higher, heights[rows, best], value)
        turns_N[active] += 1
        active = active[gain_N[active] >= tolerance]
    return Optimum(at_Nk, value_N, gain_N, turns_N, np.isfinite(value_N) & (gain_N < tolerance))


def curvature(
    function: Function, at_Nk: FloatArray, value_N: FloatArray, which_N: IntArray, *, width: float = WIDTH
) -> tuple[FloatArray, FloatArray]:
    """Return gradients and matrices of second derivatives, by central differences.

    Parameters
    ----------
    function : callable
        As for `climb`.
    at_Nk : ndarray, shape (N, k)
        Where.
    value_N : ndarray, shape (N,)
        The heights there.
    which_N : ndarray of int, shape (N,)
        Numbers of the series.
    width : float, default 1e-4
        Half the width of a difference.

    Returns
    -------
    (gradient, hessian) : ndarray
        Shapes (N, k) and (N, k, k).
    """
    parameters = at_Nk.shape[1]
    heights = function(at_Nk[:, None, :] + neighbours(parameters, width), which_N)
    return derivatives(heights, value_N, parameters, width)


def neighbours(parameters: int, width: float = WIDTH) -> FloatArray:
    """Return the steps (2 k + k (k - 1), k) to the points that `derivatives` asks for.

    Parameters
    ----------
    parameters : int
        How many there are, k.
    width : float, default 1e-4
        Half the width of a difference.
    """
    first, second = np.triu_indices(parameters, 1)
    unit = np.eye(parameters) * width
    return np.concatenate([unit, -unit, unit[first] + unit[second], -unit[first] - unit[second]])


def derivatives(
    heights: FloatArray, value_N: FloatArray, parameters: int, width: float = WIDTH
) -> tuple[FloatArray, FloatArray]:
    """Return gradients (N, k) and matrices of second derivatives (N, k, k) from the heights of the `neighbours`.

    Parameters
    ----------
    heights : ndarray, shape (N, 2 k + k (k - 1))
        Of the neighbours.
    value_N : ndarray, shape (N,)
        Of the points themselves.
    parameters : int
        How many there are, k.
    width : float, default 1e-4
        As for `neighbours`.
    """
    first, second = np.triu_indices(parameters, 1)
    up, down = heights[:, :parameters], heights[:, parameters : 2 * parameters]
    both, neither = np.split(heights[:, 2 * parameters :], 2, axis=1)
    gradient = (up - down) / (2 * width)
    hessian = np.empty((len(heights), parameters, parameters))
    middle = value_N[:, None]
    diagonal = np.arange(parameters)
    hessian[:, diagonal, diagonal] = (up + down - 2 * middle) / width**2
    singles = (up + down)[:, first] + (up + down)[:, second]
    mixed = (both + neither + 2 * middle - singles) / (2 * width**2)
    hessian[:, first, second] = hessian[:, second, first] = mixed
    return gradient, hessian


def _steps(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Return the steps to try, shape (N, 8, k): along the gradient in the coordinates of the curvature."""
    hessian = np.where(np.isfinite(hessian), hessian, 0.0)
    gradient = np.where(np.isfinite(gradient), gradient, 0.0)
    curve_Nk, axes_Nkk = np.linalg.eigh(-hessian)
    along_Nk = np.einsum("nik,ni->nk", axes_Nkk, gradient)
    scale_N1 = np.abs(curve_Nk).max(axis=1, keepdims=True) + 1e-12
    # Where it curves upwards, Newton's step would go down: its length is kept, its direction is the gradient's.
    bent_N1k = np.maximum(np.abs(curve_Nk), 1e-9 * scale_N1)[:, None, :]
    damped = bent_N1k + DAMPING[None, :, None] * scale_N1[:, None, :]
    moved = REACH[None, :, None] * along_Nk[:, None, :] / damped
    steps = np.einsum("nik,nlk->nli", axes_Nkk, moved)
    length = np.abs(steps).max(axis=2, keepdims=True)
    return np.asarray(steps * np.minimum(1.0, LONGEST / np.maximum(length, 1e-300)))
