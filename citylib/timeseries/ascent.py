"""Climb many hills at once by their own derivatives: Newton's steps, damped where they lead down.

Beside `citylib.timeseries.climb`, for likelihoods whose gradient and curvature cost little more than their value: one
point of each hill is looked at in a turn. Legend: N hills, M of them still climbed, k parameters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.timeseries.climb import Optimum
from citylib.timeseries.damped_steps import damped_steps

__all__ = ["ascend"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Slopes = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray, FloatArray]]

LONGEST = 3.0  # of a step, in any parameter
LIGHT, HEAVY = 1e-3, 1.0  # dampings below which there is none; above which a small step says nothing of the top
RELAXED, TIGHTENED = 0.1, 10.0  # damping after a step that rose, and after one that did not
ALIKE = 0.3  # of a step: no more apart from the one before, it is stretched, for the top lies far out that way


def ascend(
    slopes: Slopes, start_Nk: npt.ArrayLike, *, tolerance: float = 1e-8, turns: int = 60, farthest: float = 12.0
) -> Optimum:
    """Climb from a start of each hill to the top of it.

    Parameters
    ----------
    slopes : callable
        ``slopes(points, which)`` returns the heights (M,), gradients (M, k) and curvatures (M, k, k), turned to be
        positive at a top, of points (M, k) on the hills numbered in `which`; what Fisher expects of the curvature
        serves too. A height that is not finite is no place to go.
    start_Nk : array_like, shape (N, k)
        Where to start.
    tolerance : float, default 1e-8
        A hill is through when a turn gains less, or promises to.
    turns : int, default 60
        At most so many.
    farthest : float, default 12
        No parameter goes further from zero.

    Returns
    -------
    Optimum

    References
    ----------
    Nocedal, J. and Wright, S. J. (2006). Numerical Optimization, 2nd ed. Springer, sections 3.4 and 10.3.

    Examples
    --------
    >>> def hill(points, which):
    ...     away = points - which[:, None]
    ...     return -(away**2).sum(axis=1), -2 * away, np.tile(2 * np.eye(2), (len(which), 1, 1))
    >>> ascend(hill, np.zeros((3, 2))).at.round(6).tolist()
    [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    """
    at_Nk = checks.matrix("start_Nk", start_Nk).copy()
    everyone = np.arange(len(at_Nk))
    value_N, slope_Nk, bend_Nkk = slopes(at_Nk, everyone)
    damping_N = np.zeros(len(at_Nk))
    gain_N = np.full(len(at_Nk), np.inf)
    turns_N = np.zeros(len(at_Nk), dtype=np.int64)
    reach_N, before_Nk = np.ones(len(at_Nk)), np.full(at_Nk.shape, np.inf)
    active = everyone[np.isfinite(value_N)]
    for _ in range(turns):
        damping = damping_N[active]
        step = np.empty((len(active), at_Nk.shape[1]))
        damped_steps(bend_Nkk[active], slope_Nk[active], damping, step)
        step = _shortened(step)
        promised = 0.5 * (slope_Nk[active] * _within(at_Nk[active], step, farthest)).sum(axis=1)
        through = promised < tolerance
        gain_N[active[through]] = np.where(damping[through] <= HEAVY, np.maximum(promised[through], 0.0), np.inf)
        active, step, damping = active[~through], step[~through], damping[~through]
        if not len(active):
            break
        again = np.abs(step - before_Nk[active]).max(axis=1) < ALIKE * np.abs(step).max(axis=1)
        reach_N[active] = np.where(again, 2.0 * reach_N[active], 1.0)
        stretched = _shortened(reach_N[active][:, None] * step)
        tried = at_Nk[active] + _within(at_Nk[active], stretched, farthest)
        value, slope, bend = slopes(tried, active)
        higher = np.isfinite(value) & (value > value_N[active])
        before_Nk[active] = np.where(higher[:, None], step, np.inf)
        heavier = np.where(again, damping, np.maximum(damping * TIGHTENED, LIGHT * TIGHTENED))
        damping = np.where(higher, damping * RELAXED, heavier)
        damping_N[active] = np.where(damping < LIGHT, 0.0, damping)
        turns_N[active] += 1
        up = active[higher]
        gain_N[up] = value[higher] - value_N[up]
        at_Nk[up], value_N[up], slope_Nk[up], bend_Nkk[up] = tried[higher], value[higher], slope[higher], bend[higher]
        active = active[~(higher & (gain_N[active] < tolerance) & (damping_N[active] <= HEAVY * RELAXED))]
    return Optimum(at_Nk, value_N, gain_N, turns_N, np.isfinite(value_N) & (gain_N < tolerance))


def _shortened(step_Mk: FloatArray) -> FloatArray:
    """No parameter moves further than it may in one turn; the direction stays."""
    length = np.abs(step_Mk).max(axis=1, keepdims=True)
    return np.asarray(step_Mk * (LONGEST / np.maximum(length, LONGEST)))


def _within(at_Mk: FloatArray, step_Mk: FloatArray, farthest: float) -> FloatArray:
    return np.asarray(np.clip(at_Mk + step_Mk, -farthest, farthest) - at_Mk)
