"""GARCH recursions, compiled: the parts of the likelihood of one series at eight sets of parameters at a time.

s_t = omega + (alpha + gamma [e_(t-1) < 0]) e_(t-1)^2 + beta s_(t-1), with e_t = y_t - mu.
Where a reading is missing the square of its shock is replaced by its expectation, the conditional variance:
s_t = omega + (alpha + gamma / 2 + beta) s_(t-1); nothing is added to the likelihood.
Legend: T time steps, n series, M of them asked for, LANES points side by side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["LANES", "MU", "NU", "logarithms", "sums"]

LANES = 8
MU, OMEGA, ALPHA, GAMMA, BETA, NU = range(6)  # rows of the points
OFTEN = 8  # factors between two logarithms


@njit(cache=True, nogil=True)
def _one(y, first, points, heavy, whole, log_s, tail, gram, steer):
    """Fill in, for one series and LANES points, the sums that `sums` is asked for, over the readings there are."""
    s = np.empty(LANES)
    e = np.empty(LANES)
    weight = np.empty(LANES)
    change = np.empty(LANES)
    product = np.ones(LANES)
    other = np.ones(LANES)
    above = np.empty(LANES)
    for lane in range(LANES):
        log_s[lane] = 0.0
        tail[lane] = 0.0
        steer[lane] = 0.0
        above[lane] = points[5, lane] - 2.0
        weight[lane] = points[2, lane] + 0.5 * points[3, lane] + points[4, lane]
        s[lane] = first
        for j in range(LANES):
            gram[lane, j] = 0.0
    known = False  # whether the step before was read
    held = 0
    for t in range(len(y)):
        now = y[t]
        if known:
            for lane in range(LANES):
                square = e[lane] * e[lane]
                pull = points[2, lane] + (points[3, lane] if e[lane] < 0.0 else 0.0)
                s[lane] = points[1, lane] + pull * square + points[4, lane] * s[lane]
        else:
            for lane in range(LANES):
                s[lane] = points[1, lane] + weight[lane] * s[lane]
        known = not np.isnan(now)
        if not known:
            continue
        for lane in range(LANES):
            e[lane] = now - points[0, lane]
            product[lane] *= s[lane]
            ratio = e[lane] * e[lane] / s[lane]
            if heavy:
                other[lane] *= 1.0 + ratio / above[lane]
            else:
                tail[lane] += ratio
        if whole:
            inverse = 1.0 / s[0]
            for lane in range(LANES):
                change[lane] = s[lane] * inverse - 1.0
            for i in range(LANES):
                one = change[i]
                for j in range(LANES):
                    gram[i, j] += one * change[j]
            steer[0] += inverse
        held += 1
        if held == OFTEN:
            held = 0
            for lane in range(LANES):
                log_s[lane] += np.log(product[lane])
                product[lane] = 1.0
                if heavy:
                    tail[lane] += np.log(other[lane])
                    other[lane] = 1.0
    for lane in range(LANES):
        log_s[lane] += np.log(product[lane])
        if heavy:
            tail[lane] += np.log(other[lane])


@njit(cache=True, nogil=True)
def sums(y_nT, first_n, which_M, points_MGPL, heavy, whole, log_s_MGL, tail_MGL, gram_MGLL, steer_MGL):
    """Fill in the parts of the likelihoods of many series.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Series; NaN where a reading is missing.
    first_n : ndarray, shape (n,)
        Variance that stands for what came before the first step.
    which_M : ndarray of int, shape (M,)
        Rows, one for each set of points.
    points_MGPL : ndarray, shape (M, G, 6, LANES)
        mu, omega, alpha, gamma, beta, nu of G groups of LANES points.
    heavy : bool
        Student's t in place of the normal distribution.
    whole : bool
        Whether products of relative changes of s against the first point's are wanted, and the sum of 1 / s.
    log_s_MGL, tail_MGL : ndarray, shape (M, G, LANES)
        Filled in: the sum of log s; the sum of e^2 / s, or of log(1 + e^2 / ((nu - 2) s)).
    gram_MGLL, steer_MGL : ndarray, shapes (M, G, LANES, LANES) and (M, G, LANES)
        Filled in: those products; the sum of 1 / s, in lane 0.
    """
    for k in range(len(which_M)):
        n = which_M[k]
        for g in range(points_MGPL.shape[1]):
            _one(
                y_nT[n], first_n[n], points_MGPL[k, g], heavy, whole,
                log_s_MGL[k, g], tail_MGL[k, g], gram_MGLL[k, g], steer_MGL[k, g],
            )  # fmt: skip


@njit(cache=True, nogil=True)
def logarithms(y_T, first, points_PL, s_TL, e_TL):
    """Fill in the conditional variances and errors of one series at L points (6, L); errors NaN where none was read."""
    for lane in range(points_PL.shape[1]):
        mu, omega, alpha = points_PL[0, lane], points_PL[1, lane], points_PL[2, lane]
        gamma, beta = points_PL[3, lane], points_PL[4, lane]
        s = first
        for t in range(len(y_T)):
            if t and not np.isnan(y_T[t - 1]):
                before = e_TL[t - 1, lane]
                s = omega + (alpha + (gamma if before < 0.0 else 0.0)) * before * before + beta * s
            else:
                s = omega + (alpha + 0.5 * gamma + beta) * s
            s_TL[t, lane] = s
            e_TL[t, lane] = y_T[t] - mu
