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

__all__ = ["LANES", "SETTLED", "complete_errors", "first_column", "products"]

LANES = 8
SETTLED = 1e-14  # a change of the covariance, in variances of the shock, that no longer counts


@njit(cache=True, nogil=True)
def first_column(a, b, out):
    """Covariances of the state at the start with the process, for shocks of variance 1; whether it is stationary."""
    r = len(a)
    p = r
    while p > 0 and a[p - 1] == 0.0:
        p -= 1
    q = r - 1
    while q > 0 and b[q] == 0.0:
        q -= 1
    # Autoregressions of each shorter order, from the longest down.
    ladder = np.zeros((p + 1, p + 1))
    for j in range(p):
        ladder[p, j] = a[j]
    variance = 1.0
    for k in range(p, 0, -1):
        last = ladder[k, k - 1]
        rest = 1.0 - last * last
        if not rest > 0.0:
            return False
        variance /= rest
        for j in range(k - 1):
            ladder[k - 1, j] = (ladder[k, j] + last * ladder[k, k - 2 - j]) / rest
    reach = r + q + 1
    covariance = np.zeros(reach)  # of the autoregression without its moving average
    covariance[0] = variance
    left = variance
    for k in range(1, reach):
        total = 0.0
        if k <= p:
            for j in range(k - 1):
                total += ladder[k - 1, j] * covariance[k - 1 - j]
            last = ladder[k, k - 1]
            total += last * left
            left *= 1.0 - last * last
        else:
            for j in range(p):
                total += a[j] * covariance[k - 1 - j]
        covariance[k] = total
    own = np.zeros(r + 1)
    for m in range(q + 1):
        c = 0.0
        for i in range(q + 1 - m):
            c += b[i] * b[i + m]
        for k in range(r):
            own[k] += c * covariance[k] if m == 0 else c * (covariance[k + m] + covariance[abs(k - m)])
    # Of the process with shocks before: the weights psi.
    psi = np.zeros(r + 1)
    psi[0] = 1.0
    for k in range(1, r + 1):
        total = b[k] if k < r else 0.0
        for j in range(min(k, p)):
            total += a[j] * psi[k - 1 - j]
        psi[k] = total
    out[0] = own[0]
    for i in range(1, r):
        total = 0.0
        for j in range(i, r):
            total += a[j] * own[j - i + 1] + b[j] * psi[j - i]
        out[i] = total
    return True


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
        M[lane] = -1.0 / start[0]
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
            errors[t, lane] = error / np.sqrt(F[lane])
            product[lane] *= F[lane]
            g[lane] = error / F[lane]
            z[lane] = s[0, lane]
        for i in range(r):
            for lane in range(LANES):
                s[i, lane] = A[i, lane] * z[lane] + s[i + 1, lane] + K[i, lane] * g[lane]
        if settled < 0:
            for lane in range(LANES):
                z[lane] = W[0, lane]
                mz[lane] = M[lane] * z[lane]
                M[lane] += mz[lane] * mz[lane] / F[lane]
                F[lane] += mz[lane] * z[lane]
                g[lane] = z[lane] / F[lane]
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
    _by_recursion(w, t, a_lags, a, b_lags, b, errors)


@njit(cache=True, nogil=True)
def _by_recursion(w, t, a_lags, a, b_lags, b, errors):
    """Errors from step t on, where those before it and the readings are all that counts."""
    steps = len(w)
    p = len(a_lags)
    q = len(b_lags)
    if p == 2 and a_lags[1] == 2:
        for u in range(t, steps):
            one, two, now = w[u - 1], w[u - 2], w[u]
            for lane in range(LANES):
                errors[u, lane] = now - a[0, lane] * one - a[1, lane] * two
    else:
        for u in range(t, steps):
            for lane in range(LANES):
                errors[u, lane] = w[u]
            for i in range(p):
                past = w[u - a_lags[i]]
                for lane in range(LANES):
                    errors[u, lane] -= a[i, lane] * past
    if q == 0:
        return
    first = b_lags[0]
    if q == 1:
        for u in range(t, steps):
            for lane in range(LANES):
                errors[u, lane] -= b[0, lane] * errors[u - first, lane]
    elif q == 2:
        second = b_lags[1]
        for u in range(t, steps):
            for lane in range(LANES):
                errors[u, lane] -= b[1, lane] * errors[u - second, lane] + b[0, lane] * errors[u - first, lane]
    elif q == 3:
        second, third = b_lags[1], b_lags[2]
        for u in range(t, steps):
            for lane in range(LANES):
                far = b[2, lane] * errors[u - third, lane] + b[1, lane] * errors[u - second, lane]
                errors[u, lane] -= far + b[0, lane] * errors[u - first, lane]
    else:
        for u in range(t, steps):
            for i in range(q - 1, -1, -1):
                for lane in range(LANES):
                    errors[u, lane] -= b[i, lane] * errors[u - b_lags[i], lane]


@njit(cache=True, nogil=True)
def products(errors, gram, whole):
    """Products of the errors at the points with each other, or of each with itself alone."""
    for i in range(LANES):
        for j in range(LANES):
            gram[i, j] = 0.0
    if whole:
        for t in range(len(errors)):
            for i in range(LANES):
                one = errors[t, i]
                for j in range(LANES):
                    gram[i, j] += one * errors[t, j]
        return
    own = np.zeros(LANES)
    for t in range(len(errors)):
        for j in range(LANES):
            own[j] += errors[t, j] * errors[t, j]
    for j in range(LANES):
        gram[j, j] = own[j]


@njit(cache=True, nogil=True)
def complete_errors(w_nT, which_M, a_lags, a_MGpL, b_lags, b_MGqL, r, whole, gram_MGLL, log_F_MGL):
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
    whole : bool
        Whether products of errors at different points are wanted.
    gram_MGLL, log_F_MGL : ndarray, shapes (M, G, LANES, LANES) and (M, G, LANES)
        Filled in; NaN where a point is not stationary.
    """
    errors = np.empty((w_nT.shape[1], LANES))
    for k in range(len(which_M)):
        for g in range(a_MGpL.shape[1]):
            w = w_nT[which_M[k]]
            _one_complete(w, a_lags, a_MGpL[k, g], b_lags, b_MGqL[k, g], r, errors, log_F_MGL[k, g])
            products(errors, gram_MGLL[k, g], whole)
