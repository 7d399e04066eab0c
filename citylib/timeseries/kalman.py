"""The Kalman filter in full, compiled: for series with gaps or regressors, in levels.

No reading beside a gap is lost to differencing: the first levels are part of the state, known where they were read
and otherwise projected out, as regressors are. Legend: T time steps, n series, M of them asked for, P points,
r states of the ARMA part, d levels that enter by differencing, m = r + d, C columns (the readings, K regressors,
unknown first levels).

References
----------
de Jong, P. (1991). The diffuse Kalman filter. Annals of Statistics 19(2), 1073-1083.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from citylib.timeseries.recursion import first_column

__all__ = ["general_errors", "start", "states_at"]

SETTLED = 1e-14  # a change of the covariance, in variances of the shock, that no longer counts


@njit(cache=True, nogil=True)
def start(a, b, d, P):
    """Fill in the covariance that the state starts with: levels known, the rest as it is in the long run."""
    r = len(a)
    P[:, :] = 0.0
    column = np.zeros(r + 1)
    if not first_column(a, b, column[:r]):
        return False
    for i in range(r):
        P[i, 0] = P[0, i] = column[i]
    for i in range(r - 1, 0, -1):
        for j in range(i, 0, -1):
            after = P[i + 1, j + 1] if i + 1 < r else 0.0
            total = a[i] * a[j] * column[0] + a[i] * column[j + 1] + a[j] * column[i + 1] + after + b[i] * b[j]
            P[i, j] = P[j, i] = total
    return True


@njit(cache=True, nogil=True)
def _ahead(a, b, c, s, P, spread, move):
    """Step the states (m, C) and, if they move, their covariance (m, m) one step ahead."""
    r, d = len(a), len(c)
    m = r + d
    for k in range(s.shape[1]):
        process = s[0, k]
        level = process
        for j in range(d):
            level += c[j] * s[r + j, k]
        for i in range(r - 1):
            s[i, k] = a[i] * process + s[i + 1, k]
        s[r - 1, k] = a[r - 1] * process
        for j in range(d - 1, 0, -1):
            s[r + j, k] = s[r + j - 1, k]
        if d:
            s[r, k] = level
    if not move:
        return
    # Rows, then columns, by the same sparse step.
    for k in range(m):
        process = P[0, k]
        level = process
        for j in range(d):
            level += c[j] * P[r + j, k]
        for i in range(r - 1):
            spread[i, k] = a[i] * process + P[i + 1, k]
        spread[r - 1, k] = a[r - 1] * process
        for j in range(d - 1, 0, -1):
            spread[r + j, k] = P[r + j - 1, k]
        if d:
            spread[r, k] = level
    for k in range(m):
        process = spread[k, 0]
        level = process
        for j in range(d):
            level += c[j] * spread[k, r + j]
        for i in range(r - 1):
            P[k, i] = a[i] * process + spread[k, i + 1]
        P[k, r - 1] = a[r - 1] * process
        for j in range(d - 1, 0, -1):
            P[k, r + j] = spread[k, r + j - 1]
        if d:
            P[k, r] = level
    for i in range(r):
        for j in range(r):
            P[i, j] += b[i] * b[j]


@njit(cache=True, nogil=True)
def _seen(c, r, P, gain):
    """Fill in the covariance of the state with the reading to come; return the reading's variance."""
    d = len(c)
    for i in range(r + d):
        total = P[i, 0]
        for j in range(d):
            total += P[i, r + j] * c[j]
        gain[i] = total
    F = gain[0]
    for j in range(d):
        F += c[j] * gain[r + j]
    return F


@njit(cache=True, nogil=True)
def _filtered(known, columns, a, b, c, s, P, white):
    """Run the filter over the columns (T, C); fill in whitened errors from step d on; return the sum of log F."""
    r, d = len(a), len(c)
    m = r + d
    steps, wide = columns.shape
    gain = np.zeros(m)
    spread = np.zeros((m, m))
    error = np.zeros(wide)
    total = 0.0
    F = 1.0
    seen = 0  # readings in a row
    steady = False
    for t in range(d, steps):
        white[t, :] = 0.0
        if known[t]:
            seen += 1
            if not steady:
                before = F
                F = _seen(c, r, P, gain)
            root = np.sqrt(F)
            total += np.log(F)
            for k in range(wide):
                expected = s[0, k]
                for j in range(d):
                    expected += c[j] * s[r + j, k]
                error[k] = columns[t, k] - expected
                white[t, k] = error[k] / root
                for i in range(m):
                    s[i, k] += gain[i] * error[k] / F
            if not steady:
                change = 0.0
                for i in range(m):
                    for j in range(m):
                        P[i, j] -= gain[i] * gain[j] / F
                for i in range(r):
                    change = max(change, abs(P[i, i]))
                steady = seen > max(m, 2) and change < SETTLED and abs(F - before) < SETTLED
                if steady:  # what is left of the covariance is the next shock's, from here to the next gap
                    _ahead(a, b, c, s, P, spread, False)
                    P[:, :] = 0.0
                    for i in range(r):
                        for j in range(r):
                            P[i, j] = b[i] * b[j]
                    continue
        else:
            seen = 0
            steady = False
        _ahead(a, b, c, s, P, spread, not steady)
    return total


@njit(cache=True, nogil=True)
def _one_general(y, x, a, b, c, errors, beta, spread):
    """Whitened errors of one series at one point, regressors and unknown first levels projected out.

    Returns the sum of the logarithms of variances, the readings that count (NaN and 0 if it has no likelihood).
    """
    r, d = len(a), len(c)
    steps, wide = x.shape
    known = ~np.isnan(y)
    unknown = 0
    for t in range(d):
        unknown += not known[t]
    C = 1 + wide + unknown
    columns = np.zeros((steps, C))
    s = np.zeros((r + d, C))
    for t in range(steps):
        if known[t]:
            columns[t, 0] = y[t]
            columns[t, 1 : 1 + wide] = x[t]
    at = 1 + wide
    for j in range(d):
        t = d - 1 - j
        if known[t]:
            s[r + j, :] = columns[t, :]
        else:
            s[r + j, at] = 1.0
            at += 1
    P = np.zeros((r + d, r + d))
    if not start(a, b, d, P):
        return np.nan, 0
    white = np.zeros((steps, C))
    total = _filtered(known, columns, a, b, c, s, P, white)
    count = known[d:].sum() - unknown
    if C > 1:
        others = white[d:, 1:].copy()
        gram = others.T @ others
        if unknown:
            total += np.linalg.slogdet(gram[wide:, wide:])[1]
        if wide:
            spread[:, :] = np.linalg.inv(gram)[:wide, :wide]
        solved = np.linalg.solve(gram, others.T @ white[d:, 0].copy())
        beta[:] = solved[:wide]
        errors[:] = white[:, 0]
        errors[d:] -= others @ solved
    else:
        errors[:] = white[:, 0]
    return total, count


@njit(cache=True, nogil=True)
def general_errors(y_nT, x_TK, which_M, a_MPr, b_MPr, c, whole, gram_MPP, log_F_MP, count_M, beta_MK, spread_MKK):
    """Fill in products and logarithms for series with gaps or regressors, each of P points; beta is the last point's.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Levels; NaN where there is no reading.
    x_TK : ndarray, shape (T, K)
        Regressors of all series.
    which_M : ndarray of int, shape (M,)
        Rows of `y_nT`.
    a_MPr, b_MPr : ndarray, shape (M, P, r)
        Coefficients of the ARMA part, dense; b begins with 1.
    c : ndarray, shape (d,)
        Coefficients with which past levels enter by differencing.
    whole : bool
        Whether products of errors at different points are wanted.
    gram_MPP, log_F_MP, count_M, beta_MK, spread_MKK : ndarray
        Filled in: products, sums of logarithms, readings that count, coefficients of the regressors and the
        inverse of their products.
    """
    points = a_MPr.shape[1]
    steps = y_nT.shape[1]
    errors = np.zeros((points, steps))
    for k in range(len(which_M)):
        for i in range(points):
            y = y_nT[which_M[k]]
            log_F_MP[k, i], counted = _one_general(
                y, x_TK, a_MPr[k, i], b_MPr[k, i], c, errors[i], beta_MK[k], spread_MKK[k]
            )
            if counted:
                count_M[k] = counted
            for j in range(i + 1):
                if whole or i == j:
                    gram_MPP[k, i, j] = gram_MPP[k, j, i] = (errors[i] * errors[j]).sum()


@njit(cache=True, nogil=True)
def states_at(n_T, a, b, c, origins, s_Om, P_Omm):
    """Fill in the state expected at each origin from what came before it, and its covariance (shocks of variance 1).

    Parameters
    ----------
    n_T : ndarray, shape (T,)
        The series without its regression; NaN where there is no reading. The first d must be there.
    a, b, c : ndarray, shapes (r,), (r,), (d,)
        As for `general_errors`.
    origins : ndarray of int, shape (O,)
        Steps known at each, d or more, increasing.
    s_Om, P_Omm : ndarray, shapes (O, m) and (O, m, m)
        Filled in.

    Returns
    -------
    bool
        Whether the process is stationary.
    """
    r, d = len(a), len(c)
    m = r + d
    P = np.zeros((m, m))
    if not start(a, b, d, P):
        return False
    s = np.zeros((m, 1))
    for j in range(d):
        s[r + j, 0] = n_T[d - 1 - j]
    gain = np.zeros(m)
    spread = np.zeros((m, m))
    known = ~np.isnan(n_T)
    at = 0
    for t in range(d, len(n_T) + 1):
        while at < len(origins) and origins[at] == t:
            s_Om[at] = s[:, 0]
            P_Omm[at] = P
            at += 1
        if t == len(n_T) or at == len(origins):
            break
        if known[t]:
            F = _seen(c, r, P, gain)
            expected = s[0, 0]
            for j in range(d):
                expected += c[j] * s[r + j, 0]
            for i in range(m):
                s[i, 0] += gain[i] * (n_T[t] - expected) / F
            for i in range(m):
                for j in range(m):
                    P[i, j] -= gain[i] * gain[j] / F
        _ahead(a, b, c, s, P, spread, True)
    return True
