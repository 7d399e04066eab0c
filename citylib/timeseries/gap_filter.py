"""The Kalman filter in full for series with gaps, compiled: eight sets of parameters at a time.

In levels, so that no reading beside a gap is lost to differencing; the first d levels must be there. Where readings
have come for so long that the covariance of the state is at rest, it is left alone until the next gap.
Legend: T time steps, n series, M of them asked for, G groups of LANES points, r states of the ARMA part, d levels,
m = r + d.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.kalman import start
from citylib.timeseries.lanes import LANES
from citylib.timeseries.recursion import SETTLED, products

__all__ = ["gappy_errors"]

FADED = 1e-30  # what is less is taken for nothing: it would fade into numbers that are slow to work with


@njit(cache=True, nogil=True)
def _ahead(a, b, c, s, P, spread, move):
    """Step the state (m, LANES) and, if it moves, its covariance (m, m, LANES) one step ahead."""
    r, d = a.shape[0], len(c)
    m = r + d
    process = s[0].copy()
    level = process.copy()
    for j in range(d):
        for lane in range(LANES):
            level[lane] += c[j] * s[r + j, lane]
    for i in range(r):
        for lane in range(LANES):
            s[i, lane] = a[i, lane] * process[lane] + (s[i + 1, lane] if i + 1 < r else 0.0)
    for j in range(d - 1, 0, -1):
        for lane in range(LANES):
            s[r + j, lane] = s[r + j - 1, lane]
    if d:
        for lane in range(LANES):
            s[r, lane] = level[lane]
    if not move:
        return
    for k in range(m):  # rows, then columns, by the same sparse step
        for lane in range(LANES):
            level[lane] = P[0, k, lane]
        for j in range(d):
            for lane in range(LANES):
                level[lane] += c[j] * P[r + j, k, lane]
        for i in range(r - 1):
            for lane in range(LANES):
                spread[i, k, lane] = a[i, lane] * P[0, k, lane] + P[i + 1, k, lane]
        for lane in range(LANES):
            spread[r - 1, k, lane] = a[r - 1, lane] * P[0, k, lane]
        for j in range(d - 1, 0, -1):
            for lane in range(LANES):
                spread[r + j, k, lane] = P[r + j - 1, k, lane]
        if d:
            for lane in range(LANES):
                spread[r, k, lane] = level[lane]
    for k in range(m):
        for lane in range(LANES):
            level[lane] = spread[k, 0, lane]
        for j in range(d):
            for lane in range(LANES):
                level[lane] += c[j] * spread[k, r + j, lane]
        for i in range(r - 1):
            for lane in range(LANES):
                P[k, i, lane] = a[i, lane] * spread[k, 0, lane] + spread[k, i + 1, lane]
        for lane in range(LANES):
            P[k, r - 1, lane] = a[r - 1, lane] * spread[k, 0, lane]
        for j in range(d - 1, 0, -1):
            for lane in range(LANES):
                P[k, r + j, lane] = spread[k, r + j - 1, lane]
        if d:
            for lane in range(LANES):
                P[k, r, lane] = level[lane]
    for i in range(r):
        for j in range(r):
            for lane in range(LANES):
                P[i, j, lane] += b[i, lane] * b[j, lane]


@njit(cache=True, nogil=True)
def _seen(c, r, P, gain, F):
    """Fill in the covariances of the state with the reading to come, and the reading's variance."""
    d = len(c)
    for i in range(r + d):
        for lane in range(LANES):
            gain[i, lane] = P[i, 0, lane]
        for j in range(d):
            for lane in range(LANES):
                gain[i, lane] += P[i, r + j, lane] * c[j]
    for lane in range(LANES):
        F[lane] = gain[0, lane]
    for j in range(d):
        for lane in range(LANES):
            F[lane] += c[j] * gain[r + j, lane]


@njit(cache=True, nogil=True)
def _learned(r, P, gain, F):
    """Take off the covariance what the reading has told; return the largest variance that is left of the process."""
    m = P.shape[0]
    share = np.empty(LANES)
    for i in range(m):
        for lane in range(LANES):
            share[lane] = gain[i, lane] / F[lane]
        for j in range(m):
            for lane in range(LANES):
                left = P[i, j, lane] - share[lane] * gain[j, lane]
                P[i, j, lane] = left if abs(left) > FADED else 0.0
    largest = 0.0
    for i in range(r):
        for lane in range(LANES):
            largest = max(largest, P[i, i, lane])
    return largest


@njit(cache=True, nogil=True)
def _one(y, known, first, a, b, c, errors, log_F):
    """Whitened errors (T, LANES) of one series at LANES points, and sums of logarithms of variances."""
    r, d = a.shape[0], len(c)
    m = r + d
    s, gain = np.zeros((m, LANES)), np.zeros((m, LANES))
    P, spread = np.zeros((m, m, LANES)), np.zeros((m, m, LANES))
    F, product, expected = np.ones(LANES), np.ones(LANES), np.zeros(LANES)
    one = np.zeros((m, m))
    for lane in range(LANES):
        log_F[lane] = 0.0
        if start(a[:, lane].copy(), b[:, lane].copy(), d, one):
            P[:, :, lane] = one
        else:
            log_F[lane] = np.nan
            for i in range(r):
                P[i, i, lane] = 1.0
    for j in range(d):
        s[r + j, :] = y[first + d - 1 - j]
    errors[: first + d] = 0.0
    seen, settled = 0, False
    for t in range(first + d, len(y)):
        if not known[t]:
            errors[t] = 0.0
            seen, settled = 0, False
            _ahead(a, b, c, s, P, spread, True)
            continue
        seen += 1
        if not settled:
            _seen(c, r, P, gain, F)
        for lane in range(LANES):
            expected[lane] = s[0, lane]
        for j in range(d):
            for lane in range(LANES):
                expected[lane] += c[j] * s[r + j, lane]
        for lane in range(LANES):
            error = y[t] - expected[lane]
            errors[t, lane] = error / np.sqrt(F[lane])
            product[lane] *= F[lane]
            expected[lane] = error / F[lane]
        for i in range(m):
            for lane in range(LANES):
                s[i, lane] += gain[i, lane] * expected[lane]
        if t % 16 == 0:
            for lane in range(LANES):
                log_F[lane] += np.log(product[lane])
                product[lane] = 1.0
        if not settled and _learned(r, P, gain, F) < SETTLED and seen > m:
            settled = True  # from here to the next gap what is left is the next shock's
            P[:, :, :] = 0.0
            for i in range(r):
                for j in range(r):
                    for lane in range(LANES):
                        P[i, j, lane] = b[i, lane] * b[j, lane]
            _ahead(a, b, c, s, P, spread, False)
            _seen(c, r, P, gain, F)
            continue
        _ahead(a, b, c, s, P, spread, not settled)
    for lane in range(LANES):
        log_F[lane] += np.log(product[lane])


@njit(cache=True, nogil=True)
def gappy_errors(y_nT, first_n, which_M, a_MGrL, b_MGrL, c, wanted, gram_MGLL, log_F_MGL):
    """Fill in products and logarithms for series with gaps, without regressors.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Levels; NaN where there is no reading.
    first_n : ndarray of int, shape (n,)
        Step from which on d levels are all there.
    which_M : ndarray of int, shape (M,)
        Rows of `y_nT`, one for each set of points.
    a_MGrL, b_MGrL : ndarray, shape (M, G, r, LANES)
        Coefficients of the ARMA part, dense; b begins with 1.
    c : ndarray, shape (d,)
        Coefficients with which past levels enter by differencing.
    wanted : int
        Points, at most LANES, of whose errors the products with all others are wanted; 0: of each with itself only.
    gram_MGLL, log_F_MGL : ndarray, shapes (M, G, LANES, LANES) and (M, G, LANES)
        Filled in; NaN where a point is not stationary.
    """
    errors = np.empty((y_nT.shape[1], LANES))
    for k in range(len(which_M)):
        y = y_nT[which_M[k]]
        known = ~np.isnan(y)
        for g in range(a_MGrL.shape[1]):
            _one(y, known, first_n[which_M[k]], a_MGrL[k, g], b_MGrL[k, g], c, errors, log_F_MGL[k, g])
            products(errors, gram_MGLL[k, g], wanted)
