"""Exponential smoothing, compiled: one pass over a series. The plain form is `citylib.timeseries.smoothing.smoothed`.

Legend: T time steps, O steps before which the states are wanted, m steps in a season.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["states"]


@njit(cache=True, nogil=True)
def states(y, level, season, parameters, wanted, errors, levels, slopes, seasons):
    """Fill in the one-step errors, and the states before the steps that are wanted.

    Parameters
    ----------
    y : ndarray, shape (T,)
        Readings; NaN where one is missing.
    level, season : float, ndarray of shape (m,)
        Before the first step.
    parameters : tuple of float
        alpha, beta, gamma, phi.
    wanted : ndarray of int, shape (O,)
        Steps, increasing, up to T.
    errors : ndarray, shape (T,)
        Filled in.
    levels, slopes, seasons : ndarray, shapes (O,), (O,) and (O, m)
        Filled in: the states before those steps, the phase of the step first.
    """
    alpha, beta, gamma, phi = parameters
    m = len(season)
    now = season.copy()
    slope = 0.0
    k = 0
    for t in range(len(y) + 1):
        while k < len(wanted) and wanted[k] == t:
            levels[k], slopes[k] = level, slope
            for i in range(m):
                seasons[k, i] = now[(t + i) % m]
            k += 1
        if t == len(y):
            break
        error = y[t] - (level + phi * slope + now[t % m])
        errors[t] = error
        if np.isnan(error):
            error = 0.0
        level += phi * slope + alpha * error
        slope = phi * slope + beta * error
        now[t % m] += gamma * error
