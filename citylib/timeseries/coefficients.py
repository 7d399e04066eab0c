"""Coefficients of a (seasonal) ARMA process from numbers without bounds, compiled.

Legend: k parameters, p and q lags at which the multiplied polynomials have coefficients.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["at_lags", "slopes"]


@njit(cache=True, nogil=True)
def _from_partial(partial, sizes, natural, a, b):
    """Fill in coefficients at all lags from partial autocorrelations (k,); `natural` (k,) is room to work in."""
    place = 0
    for part in range(4):
        size = sizes[part]
        for k in range(size):
            last = partial[place + k]
            natural[place + k] = last
            for i in range((k + 1) // 2):
                one, other = natural[place + i], natural[place + k - 1 - i]
                natural[place + i] = one - last * other
                natural[place + k - 1 - i] = other - last * one
        if part % 2:
            for i in range(size):
                natural[place + i] = -natural[place + i]
        place += size
    p, q = sizes[0], sizes[1]
    _multiplied(natural, 0, p, p + q, sizes[2], -1.0, a)
    _multiplied(natural, p, q, p + q + sizes[2], sizes[3], 1.0, b)


@njit(cache=True, nogil=True)
def _multiplied(natural, short, p, seasonal, many, sign, out):
    for i in range(p):
        out[i] = natural[short + i]
    at = p
    for k in range(many):
        out[at] = natural[seasonal + k]
        for i in range(p):
            out[at + 1 + i] = sign * natural[short + i] * natural[seasonal + k]
        at += p + 1


@njit(cache=True, nogil=True)
def at_lags(free, sizes, a, b):
    """Fill in the coefficients at parameters without bounds, point by point.

    Parameters
    ----------
    free : ndarray, shape (k, LANES)
        Points: AR, MA, seasonal AR, seasonal MA.
    sizes : ndarray of int, shape (4,)
        p, q, P, Q.
    a, b : ndarray, shapes (p, LANES) and (q, LANES)
        Filled in, as on the right-hand side, in the order of `Specification.lags`.
    """
    k, lanes = free.shape
    partial, natural, a_one, b_one = np.empty(k), np.empty(k), np.empty(len(a)), np.empty(len(b))
    for lane in range(lanes):
        for i in range(k):
            partial[i] = np.tanh(free[i, lane])
        _from_partial(partial, sizes, natural, a_one, b_one)
        a[:, lane] = a_one
        b[:, lane] = b_one


@njit(cache=True, nogil=True)
def slopes(free, sizes, partial, natural, lower, moves):
    """Fill in the derivatives of the coefficients at one point: each is linear in each partial autocorrelation.

    Parameters
    ----------
    free : ndarray, shape (k,)
        The point.
    sizes : ndarray of int, shape (4,)
        p, q, P, Q.
    partial, natural, lower : ndarray, shapes (k,), (k,) and (m,)
        Room to work in.
    moves : ndarray, shape (k, m)
        Filled in: of AR coefficients, then of MA coefficients, m in all.
    """
    ar = sizes[0] + sizes[2] * (sizes[0] + 1)
    for i in range(len(free)):
        partial[i] = np.tanh(free[i])
    for i in range(len(free)):
        here = partial[i]
        half = 0.5 * (1.0 - here * here)
        partial[i] = -1.0
        _from_partial(partial, sizes, natural, lower[:ar], lower[ar:])
        partial[i] = 1.0
        _from_partial(partial, sizes, natural, moves[i, :ar], moves[i, ar:])
        for j in range(len(lower)):
            moves[i, j] = half * (moves[i, j] - lower[j])
        partial[i] = here
