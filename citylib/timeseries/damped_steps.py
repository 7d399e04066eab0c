"""Newton's steps for many small hills, compiled: damped by Levenberg and Marquardt until the curvature is a hill's.

Legend: M hills, k parameters.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["damped_steps"]

LEAST, MORE, TRIES = 1e-3, 4.0, 40
PIVOT = 1e-10  # of a diagonal, below which what is left of it is rounding


@njit(cache=True, nogil=True, error_model="numpy")
def damped_steps(bend_Mkk, slope_Mk, damping_M, step_Mk):
    """Fill in (bend + damping * |diagonal of bend|)^-1 slope, the damping raised where that is no positive matrix.

    Parameters
    ----------
    bend_Mkk : ndarray, shape (M, k, k)
        Curvatures, turned to be positive at a top.
    slope_Mk : ndarray, shape (M, k)
        Gradients.
    damping_M : ndarray, shape (M,)
        Dampings; what was needed is filled in, infinite where nothing helped.
    step_Mk : ndarray, shape (M, k)
        Filled in; zero where nothing helped.
    """
    k = slope_Mk.shape[1]
    lower = np.empty((k, k))
    for m in range(len(slope_Mk)):
        largest = 0.0
        for i in range(k):
            largest = max(largest, abs(bend_Mkk[m, i, i]))
        damping, positive = damping_M[m], False
        for _ in range(TRIES):
            positive = True
            for i in range(k):
                size = abs(bend_Mkk[m, i, i]) + 1e-9 * largest
                for j in range(i + 1):
                    left = bend_Mkk[m, i, j] + (damping * size if i == j else 0.0)
                    for h in range(j):
                        left -= lower[i, h] * lower[j, h]
                    if i > j:
                        lower[i, j] = left / lower[j, j]
                    elif left > PIVOT * size:
                        lower[i, i] = np.sqrt(left)
                    else:
                        positive = False
                if not positive:
                    break
            if positive:
                break
            damping = max(MORE * damping, LEAST)
        damping_M[m] = damping if positive else np.inf
        for i in range(k):
            left = slope_Mk[m, i]
            for h in range(i):
                left -= lower[i, h] * step_Mk[m, h]
            step_Mk[m, i] = left / lower[i, i]
        for i in range(k - 1, -1, -1):
            left = step_Mk[m, i]
            for h in range(i + 1, k):
                left -= lower[h, i] * step_Mk[m, h]
            step_Mk[m, i] = left / lower[i, i]
        if not positive:
            for i in range(k):
                step_Mk[m, i] = 0.0
