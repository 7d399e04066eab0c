"""GARCH's likelihood of normal shocks with its derivatives, compiled: eight series side by side, each at its own point.

With u = 1 / s and q = e^2 / s a step adds -(log 2 pi + log s + q) / 2. By the parameters its derivative is
u (q - 1) / 2 ds, and for mu e u besides; by two of them it is u (q - 1) / 2 dds + u^2 (1 - 2 q) / 2 ds ds', and for mu
-e u^2 ds' and -u besides. The plain form of ds and dds is `citylib.timeseries.garch_model.recursion_slopes`.
Legend: T time steps, n series, M points, 5 parameters: mu, omega, alpha, gamma, beta; LANES points side by side.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["LANES", "curves", "slopes", "symmetric_curves", "symmetric_slopes"]

LANES = 8
STRIDE = 2  # steps that sums stay in registers for
OFTEN = 16  # factors between two logarithms, a multiple of it
CHUNK = 64  # steps whose readings are laid side by side at a time, a multiple of that

# Rows of the scratch array: the point, s and its derivatives, what is summed up, the next readings.
P, S, TOTAL, NOW = 0, 5, 19, 42
ROWS = NOW + STRIDE


# Loops over lanes become vector instructions only while they read and write one array, at rows known when they are
# compiled. Divisions by zero give infinity, as numpy's do: to look for them would keep the lanes apart.
@njit(inline="always", error_model="numpy")
def _score(y, point, state, total, scores, lopsided):
    """Take one step: add what it tells, and bring s and its derivatives to the next."""
    p_mu, p_omega, p_alpha, p_gamma, keep = point
    s, mu, omega, alpha, gamma, beta = state
    product, tail, inverse, g0, g1, g2, g3, g4, mm, mo, ma, mg, mb, oo, oa, og, ob, aa, ag, ab, gg, gb, bb = total
    e = y - p_mu
    u = 1.0 / s
    square = e * e
    q = square * u
    half = 0.5 * u * (q - 1.0)
    pushed = e * u
    weight = half if scores else u
    v_mu = weight * mu + (pushed if scores else 0.0)
    v_omega, v_alpha, v_beta = weight * omega, weight * alpha, weight * beta
    if lopsided:
        v_gamma = weight * gamma
        g3 += half * gamma
        mg += v_mu * v_gamma
        og += v_omega * v_gamma
        ag += v_alpha * v_gamma
        gg += v_gamma * v_gamma
        gb += v_gamma * v_beta
    total = (
        product * s, tail + q, inverse + u,
        g0 + (half * mu + pushed), g1 + half * omega, g2 + half * alpha, g3, g4 + half * beta,
        mm + v_mu * v_mu, mo + v_mu * v_omega, ma + v_mu * v_alpha, mg, mb + v_mu * v_beta,
        oo + v_omega * v_omega, oa + v_omega * v_alpha, og, ob + v_omega * v_beta,
        aa + v_alpha * v_alpha, ag, ab + v_alpha * v_beta, gg, gb, bb + v_beta * v_beta,
    )  # fmt: skip
    pull = p_alpha
    if lopsided:
        fallen = 1.0 if e < 0.0 else 0.0
        pull = p_alpha + p_gamma * fallen
        gamma = keep * gamma + square * fallen
    state = (
        p_omega + pull * square + keep * s,
        keep * mu - 2.0 * pull * e,
        keep * omega + 1.0,
        keep * alpha + square,
        gamma,
        keep * beta + s,
    )
    return state, total


@njit(inline="always", error_model="numpy")
def _bend(y, point, state, total, lopsided):
    """Take one step, second derivatives included."""
    p_mu, p_omega, p_alpha, p_gamma, keep = point
    s, mu, omega, alpha, gamma, beta, mu_mu, mu_alpha, mu_gamma, mu_beta, omega_beta, alpha_beta, gamma_beta, two = (
        state
    )
    product, tail, inverse, g0, g1, g2, g3, g4, mm, mo, ma, mg, mb, oo, oa, og, ob, aa, ag, ab, gg, gb, bb = total
    e = y - p_mu
    u = 1.0 / s
    square = e * e
    q = square * u
    half = 0.5 * u * (q - 1.0)
    bend = 0.5 * u * u * (1.0 - 2.0 * q)
    cross = -e * u * u
    v_mu, v_omega, v_alpha = bend * mu + cross, bend * omega, bend * alpha
    if lopsided:
        v_gamma = bend * gamma
        g3 += half * gamma
        mg += half * mu_gamma + v_mu * gamma
        og += v_omega * gamma
        ag += v_alpha * gamma
        gg += v_gamma * gamma
        gb += half * gamma_beta + v_gamma * beta
    total = (
        product * s, tail + q, inverse + u,
        g0 + (half * mu + e * u), g1 + half * omega, g2 + half * alpha, g3, g4 + half * beta,
        mm + (half * mu_mu + (v_mu + cross) * mu), mo + v_mu * omega, ma + (half * mu_alpha + v_mu * alpha),
        mg, mb + (half * mu_beta + v_mu * beta),
        oo + v_omega * omega, oa + v_omega * alpha, og, ob + (half * omega_beta + v_omega * beta),
        aa + v_alpha * alpha, ag, ab + (half * alpha_beta + v_alpha * beta),
        gg, gb, bb + (half * two + bend * beta * beta),
    )  # fmt: skip
    pull = p_alpha
    if lopsided:
        fallen = 1.0 if e < 0.0 else 0.0
        pull = p_alpha + p_gamma * fallen
        mu_gamma = keep * mu_gamma - 2.0 * e * fallen
        gamma_beta = keep * gamma_beta + gamma
        gamma = keep * gamma + square * fallen
    state = (
        p_omega + pull * square + keep * s,
        keep * mu - 2.0 * pull * e,
        keep * omega + 1.0,
        keep * alpha + square,
        gamma,
        keep * beta + s,
        keep * mu_mu + 2.0 * pull,
        keep * mu_alpha - 2.0 * e,
        mu_gamma,
        keep * mu_beta + mu,
        keep * omega_beta + omega,
        keep * alpha_beta + alpha,
        gamma_beta,
        keep * two + 2.0 * beta,
    )
    return state, total


@njit(inline="always")
def _begun(w, first_n, which_M, points_M5, begin):
    """Put points and first variances into their lanes; the last point fills what is left."""
    for row in range(ROWS):
        for lane in range(LANES):
            w[row, lane] = 0.0
    for lane in range(LANES):
        m = min(begin + lane, len(which_M) - 1)
        first = first_n[which_M[m]]
        for row in range(5):
            w[P + row, lane] = points_M5[m, row]
        w[S, lane] = w[P + 1, lane] + (w[P + 2, lane] + 0.5 * w[P + 3, lane] + w[P + 4, lane]) * first
        w[S + 2, lane] = 1.0
        w[S + 3, lane] = first
        w[S + 4, lane] = 0.5 * first
        w[S + 5, lane] = first
        w[TOTAL, lane] = 1.0


@njit(inline="always")
def _few_scores(w, lane, few, scores, lopsided):
    """Take `few` steps in one lane, whose sums are kept at hand meanwhile."""
    point = (w[P, lane], w[P + 1, lane], w[P + 2, lane], w[P + 3, lane], w[P + 4, lane])
    state = (
        w[S, lane], w[S + 1, lane], w[S + 2, lane], w[S + 3, lane], w[S + 4, lane], w[S + 5, lane],
    )  # fmt: skip
    total = (
        w[TOTAL, lane], w[TOTAL + 1, lane], w[TOTAL + 2, lane], w[TOTAL + 3, lane], w[TOTAL + 4, lane],
        w[TOTAL + 5, lane], w[TOTAL + 6, lane], w[TOTAL + 7, lane], w[TOTAL + 8, lane], w[TOTAL + 9, lane],
        w[TOTAL + 10, lane], w[TOTAL + 11, lane], w[TOTAL + 12, lane], w[TOTAL + 13, lane], w[TOTAL + 14, lane],
        w[TOTAL + 15, lane], w[TOTAL + 16, lane], w[TOTAL + 17, lane], w[TOTAL + 18, lane], w[TOTAL + 19, lane],
        w[TOTAL + 20, lane], w[TOTAL + 21, lane], w[TOTAL + 22, lane],
    )  # fmt: skip
    state, total = _score(w[NOW, lane], point, state, total, scores, lopsided)
    if few == STRIDE:
        state, total = _score(w[NOW + 1, lane], point, state, total, scores, lopsided)
    (
        w[S, lane], w[S + 1, lane], w[S + 2, lane], w[S + 3, lane], w[S + 4, lane], w[S + 5, lane],
    ) = state  # fmt: skip
    (
        w[TOTAL, lane], w[TOTAL + 1, lane], w[TOTAL + 2, lane], w[TOTAL + 3, lane], w[TOTAL + 4, lane],
        w[TOTAL + 5, lane], w[TOTAL + 6, lane], w[TOTAL + 7, lane], w[TOTAL + 8, lane], w[TOTAL + 9, lane],
        w[TOTAL + 10, lane], w[TOTAL + 11, lane], w[TOTAL + 12, lane], w[TOTAL + 13, lane], w[TOTAL + 14, lane],
        w[TOTAL + 15, lane], w[TOTAL + 16, lane], w[TOTAL + 17, lane], w[TOTAL + 18, lane], w[TOTAL + 19, lane],
        w[TOTAL + 20, lane], w[TOTAL + 21, lane], w[TOTAL + 22, lane],
    ) = total  # fmt: skip


@njit(inline="always")
def _few_bends(w, lane, few, lopsided):
    point = (w[P, lane], w[P + 1, lane], w[P + 2, lane], w[P + 3, lane], w[P + 4, lane])
    state = (
        w[S, lane], w[S + 1, lane], w[S + 2, lane], w[S + 3, lane], w[S + 4, lane], w[S + 5, lane], w[S + 6, lane],
        w[S + 7, lane], w[S + 8, lane], w[S + 9, lane], w[S + 10, lane], w[S + 11, lane], w[S + 12, lane],
        w[S + 13, lane],
    )  # fmt: skip
    total = (
        w[TOTAL, lane], w[TOTAL + 1, lane], w[TOTAL + 2, lane], w[TOTAL + 3, lane], w[TOTAL + 4, lane],
        w[TOTAL + 5, lane], w[TOTAL + 6, lane], w[TOTAL + 7, lane], w[TOTAL + 8, lane], w[TOTAL + 9, lane],
        w[TOTAL + 10, lane], w[TOTAL + 11, lane], w[TOTAL + 12, lane], w[TOTAL + 13, lane], w[TOTAL + 14, lane],
        w[TOTAL + 15, lane], w[TOTAL + 16, lane], w[TOTAL + 17, lane], w[TOTAL + 18, lane], w[TOTAL + 19, lane],
        w[TOTAL + 20, lane], w[TOTAL + 21, lane], w[TOTAL + 22, lane],
    )  # fmt: skip
    state, total = _bend(w[NOW, lane], point, state, total, lopsided)
    if few == STRIDE:
        state, total = _bend(w[NOW + 1, lane], point, state, total, lopsided)
    (
        w[S, lane], w[S + 1, lane], w[S + 2, lane], w[S + 3, lane], w[S + 4, lane], w[S + 5, lane], w[S + 6, lane],
        w[S + 7, lane], w[S + 8, lane], w[S + 9, lane], w[S + 10, lane], w[S + 11, lane], w[S + 12, lane],
        w[S + 13, lane],
    ) = state  # fmt: skip
    (
        w[TOTAL, lane], w[TOTAL + 1, lane], w[TOTAL + 2, lane], w[TOTAL + 3, lane], w[TOTAL + 4, lane],
        w[TOTAL + 5, lane], w[TOTAL + 6, lane], w[TOTAL + 7, lane], w[TOTAL + 8, lane], w[TOTAL + 9, lane],
        w[TOTAL + 10, lane], w[TOTAL + 11, lane], w[TOTAL + 12, lane], w[TOTAL + 13, lane], w[TOTAL + 14, lane],
        w[TOTAL + 15, lane], w[TOTAL + 16, lane], w[TOTAL + 17, lane], w[TOTAL + 18, lane], w[TOTAL + 19, lane],
        w[TOTAL + 20, lane], w[TOTAL + 21, lane], w[TOTAL + 22, lane],
    ) = total  # fmt: skip


@njit(inline="always")
def _slopes(y_nT, first_n, which_M, points_M5, scores, value_M, slope_M5, two_M55, lopsided):
    w = np.empty((ROWS, LANES))
    now = np.empty((CHUNK, LANES))
    log_s = np.empty(LANES)
    row_L = np.empty(LANES, dtype=np.int64)
    steps = y_nT.shape[1]
    for begin in range(0, len(which_M), LANES):
        _begun(w, first_n, which_M, points_M5, begin)
        for lane in range(LANES):
            log_s[lane] = 0.0
            row_L[lane] = which_M[min(begin + lane, len(which_M) - 1)]
        for t in range(0, steps, CHUNK):
            many = min(CHUNK, steps - t)
            for lane in range(LANES):
                y_T = y_nT[row_L[lane], t : t + many]
                for i in range(many):
                    now[i, lane] = y_T[i]
            i = 0
            while i < many:
                few = STRIDE if i + STRIDE <= many else 1
                for j in range(few):
                    for lane in range(LANES):
                        w[NOW + j, lane] = now[i + j, lane]
                if few == STRIDE:
                    for lane in range(LANES):
                        _few_scores(w, lane, STRIDE, scores, lopsided)
                else:
                    for lane in range(LANES):
                        _few_scores(w, lane, 1, scores, lopsided)
                i += few
                if i % OFTEN == 0 or i == many:
                    for lane in range(LANES):
                        log_s[lane] += np.log(w[TOTAL, lane])
                        w[TOTAL, lane] = 1.0
        for lane in range(min(LANES, len(which_M) - begin)):
            m = begin + lane
            value_M[m] = -0.5 * (steps * np.log(2.0 * np.pi) + log_s[lane] + w[TOTAL + 1, lane])
            row = TOTAL + 8
            for i in range(5):
                slope_M5[m, i] = w[TOTAL + 3 + i, lane]
                for j in range(i, 5):
                    two_M55[m, i, j] = two_M55[m, j, i] = w[row, lane] if scores else 0.5 * w[row, lane]
                    row += 1
            if not scores:
                two_M55[m, 0, 0] += w[TOTAL + 2, lane]


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(y_nT, first_n, which_M, points_M5, scores, value_M, slope_M5, two_M55):
    """Fill in log-likelihoods, their gradients and the curvature that is expected, or the products of scores.

    Parameters
    ----------
    y_nT : ndarray, shape (n, T)
        Series.
    first_n : ndarray, shape (n,)
        Variance that stands for what came before the first step.
    which_M : ndarray of int, shape (M,)
        Rows, one for each point.
    points_M5 : ndarray, shape (M, 5)
        mu, omega, alpha, gamma, beta.
    scores : bool
        Whether products of each step's derivatives are wanted in place of the expected information.
    value_M, slope_M5, two_M55 : ndarray, shapes (M,), (M, 5) and (M, 5, 5)
        Filled in.
    """
    _slopes(y_nT, first_n, which_M, points_M5, scores, value_M, slope_M5, two_M55, True)


@njit(cache=True, nogil=True, error_model="numpy")
def symmetric_slopes(y_nT, first_n, which_M, points_M5, scores, value_M, slope_M5, two_M55):
    """As `slopes` where gamma is zero and not asked for: what belongs to it is left at zero."""
    _slopes(y_nT, first_n, which_M, points_M5, scores, value_M, slope_M5, two_M55, False)


@njit(inline="always")
def _curves(y_nT, first_n, which_M, points_M5, value_M, slope_M5, two_M55, lopsided):
    w = np.empty((ROWS, LANES))
    now = np.empty((CHUNK, LANES))
    log_s = np.empty(LANES)
    row_L = np.empty(LANES, dtype=np.int64)
    steps = y_nT.shape[1]
    for begin in range(0, len(which_M), LANES):
        _begun(w, first_n, which_M, points_M5, begin)
        for lane in range(LANES):
            log_s[lane] = 0.0
            row_L[lane] = which_M[min(begin + lane, len(which_M) - 1)]
        for t in range(0, steps, CHUNK):
            many = min(CHUNK, steps - t)
            for lane in range(LANES):
                y_T = y_nT[row_L[lane], t : t + many]
                for i in range(many):
                    now[i, lane] = y_T[i]
            i = 0
            while i < many:
                few = STRIDE if i + STRIDE <= many else 1
                for j in range(few):
                    for lane in range(LANES):
                        w[NOW + j, lane] = now[i + j, lane]
                if few == STRIDE:
                    for lane in range(LANES):
                        _few_bends(w, lane, STRIDE, lopsided)
                else:
                    for lane in range(LANES):
                        _few_bends(w, lane, 1, lopsided)
                i += few
                if i % OFTEN == 0 or i == many:
                    for lane in range(LANES):
                        log_s[lane] += np.log(w[TOTAL, lane])
                        w[TOTAL, lane] = 1.0
        for lane in range(min(LANES, len(which_M) - begin)):
            m = begin + lane
            value_M[m] = -0.5 * (steps * np.log(2.0 * np.pi) + log_s[lane] + w[TOTAL + 1, lane])
            row = TOTAL + 8
            for i in range(5):
                slope_M5[m, i] = w[TOTAL + 3 + i, lane]
                for j in range(i, 5):
                    two_M55[m, i, j] = two_M55[m, j, i] = w[row, lane]
                    row += 1
            two_M55[m, 0, 0] -= w[TOTAL + 2, lane]


@njit(cache=True, nogil=True, error_model="numpy")
def curves(y_nT, first_n, which_M, points_M5, value_M, slope_M5, two_M55):
    """Fill in log-likelihoods, gradients and matrices of second derivatives.

    Parameters
    ----------
    y_nT, first_n, which_M, points_M5 : ndarray
        As in `slopes`.
    value_M, slope_M5, two_M55 : ndarray, shapes (M,), (M, 5) and (M, 5, 5)
        Filled in.
    """
    _curves(y_nT, first_n, which_M, points_M5, value_M, slope_M5, two_M55, True)


@njit(cache=True, nogil=True, error_model="numpy")
def symmetric_curves(y_nT, first_n, which_M, points_M5, value_M, slope_M5, two_M55):
    """As `curves` where gamma is zero and not asked for: what belongs to it is left at zero."""
    _curves(y_nT, first_n, which_M, points_M5, value_M, slope_M5, two_M55, False)
