"""The fast filter of complete series, compiled: whitened one-step errors at eight sets of parameters at a time.

The covariance of the state is never formed: only what changes in it is, which has rank one (Morf, Sidhu and
Kailath's filter, also named Chandrasekhar's), and once nothing changes the errors follow from the recursion of the
process itself. Legend: T time steps, n series, M of them asked for, G groups of LANES points, r states.

References
----------
Morf, M., Sidhu, G. S. and Kailath, T. (1974). Some new algorithms for recursive estimation in constant, linear,
discrete-time systems. IEEE Transactions on Automatic Control 19(4), 315-323.
Mélard, G. (1984). Algorithm AS 197: a fast algorithm for the exact likelihood of autoregressive-moving average
models. Applied Statistics 33(1), 104-114.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.lanes import LANES
from citylib.timeseries.presample import FEW, whitened
from citylib.timeseries.recursion import SETTLED, by_recursion, first_column, products

__all__ = ["complete_errors", "one_series"]


@njit(cache=True, nogil=True)
def _one_complete(w, a_lags, a, b_lags, b, r, errors, log_F):
    """Whitened errors (T, LANES) of one series at LANES points, and the sums of the logarithms of their variances."""
    steps = len(w)
    A = np.zeros((r, LANES))
    B = np.zeros((r, LANES))
    K = np.zeros((r + 1, LANES))
    W = np.zeros((r + 1, LANES))
    s = np.zeros((r + 1, LANES))
    F = np.ones(LANES)
    inverse = np.ones(LANES)  # of F: divisions are what costs most
    M = np.zeros(LANES)
    g = np.zeros(LANES)
    z = np.zeros(LANES)
    mz = np.zeros(LANES)
    product = np.ones(LANES)
    start = np.zeros(r)
    ar_l = np.zeros(r)
    ma_l = np.zeros(r)
    for lane in range(LANES):
        log_F[lane] = 0.0
        B[0, lane] = 1.0
        for i in range(len(a_lags)):
            A[a_lags[i] - 1, lane] = a[i, lane]
        for i in range(len(b_lags)):
            B[b_lags[i], lane] = b[i, lane]
        for i in range(r):
            ar_l[i] = A[i, lane]
            ma_l[i] = B[i, lane]
        if not first_column(ar_l, ma_l, start):
            log_F[lane] = np.nan
            for i in range(r):
                A[i, lane] = 0.0
                B[i, lane] = 1.0 if i == 0 else 0.0
                start[i] = 1.0 if i == 0 else 0.0
        F[lane] = start[0]
        inverse[lane] = 1.0 / start[0]
        M[lane] = -inverse[lane]
        for i in range(r):
            K[i, lane] = A[i, lane] * start[0] + (start[i + 1] if i + 1 < r else 0.0)
            W[i, lane] = K[i, lane]
    t = 0
    settled = -1
    often = max(r, 8)
    while t < steps and (settled < 0 or t < settled + r):
        reading = w[t]
        for lane in range(LANES):
            error = reading - s[0, lane]
            errors[t, lane] = error * np.sqrt(inverse[lane])
            product[lane] *= F[lane]
            g[lane] = error * inverse[lane]
            z[lane] = s[0, lane]
        for i in range(r):
            for lane in range(LANES):
                s[i, lane] = A[i, lane] * z[lane] + s[i + 1, lane] + K[i, lane] * g[lane]
        if settled < 0:
            for lane in range(LANES):
                z[lane] = W[0, lane]
                mz[lane] = M[lane] * z[lane]
                M[lane] += mz[lane] * mz[lane] * inverse[lane]
                F[lane] += mz[lane] * z[lane]
                inverse[lane] = 1.0 / F[lane]
                g[lane] = z[lane] * inverse[lane]
            for i in range(r):
                for lane in range(LANES):
                    moved = A[i, lane] * z[lane] + W[i + 1, lane]
                    K[i, lane] += moved * mz[lane]
                    W[i, lane] = moved - K[i, lane] * g[lane]
        t += 1
        if t % 16 == 0:
            for lane in range(LANES):
                log_F[lane] += np.log(product[lane])
                product[lane] = 1.0
        if settled < 0 and t % often == 0:
            moving = 0
            for lane in range(LANES):
                largest = 0.0
                for i in range(r):
                    largest = max(largest, -M[lane] * W[i, lane] * W[i, lane])
                if largest < SETTLED:  # stilled, or it would fade into numbers that are slow to work with
                    M[lane] = 0.0
                    for i in range(r):
                        W[i, lane] = 0.0
                else:
                    moving += 1
            if moving == 0:
                settled = t
    for lane in range(LANES):
        log_F[lane] += np.log(product[lane])
    by_recursion(w, t, a_lags, a, b_lags, b, errors)


@njit(cache=True, nogil=True)
def complete_errors(w_nT, which_M, a_lags, a_MGpL, b_lags, b_MGqL, r, wanted, gram_MGLL, log_F_MGL):
    """Fill in products and logarithms for series without gaps or regressors.

    Parameters
    ----------
    w_nT : ndarray, shape (n, T)
        Differenced series.
    which_M : ndarray of int, shape (M,)
        Rows of it, one for each set of points.
    a_lags, b_lags : ndarray of int, shapes (p,) and (q,)
        Lags at which the multiplied polynomials may have coefficients, increasing.
    a_MGpL, b_MGqL : ndarray, shapes (M, G, p, LANES) and (M, G, q, LANES)
        Coefficients as on the right-hand side, G groups of LANES points.
    r : int
        States.
    wanted : int
        Points, at most LANES, of whose errors the products with all others are wanted; 0: of each with itself only.
    gram_MGLL, log_F_MGL : ndarray, shapes (M, G, LANES, LANES) and (M, G, LANES)
        Filled in; NaN where a point is not stationary.
    """
    steps = w_nT.shape[1]
    errors, weights = np.empty((steps + r, LANES)), np.empty((steps, LANES))
    for k in range(len(which_M)):
        for g in range(a_MGpL.shape[1]):
            log_F = log_F_MGL[k, g]
            one_series(w_nT[which_M[k]], a_lags, a_MGpL[k, g], b_lags, b_MGqL[k, g], r, errors, log_F, weights)
            products(errors, gram_MGLL[k, g], wanted)


@njit(cache=True, nogil=True)
def one_series(w, a_lags, a, b_lags, b, r, errors, log_F, weights):
    """Whitened errors of one series at LANES points by the faster way; see `presample.whitened`."""
    steps = len(w)
    if r <= FEW and steps > 2 * r:
        whitened(w, a_lags, a, b_lags, b, r, errors, log_F, weights)
    else:
        errors[steps:] = 0.0
        _one_complete(w, a_lags, a, b_lags, b, r, errors[:steps], log_F)
