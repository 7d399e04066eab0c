"""Sums and recursions in a fixed order, so that no BLAS or thread count decides the last bit.

A library's matrix product may add in any order, and so differ between machines in
the last digits. Here every sum is written out, one term after the other. Letters:
T times, N sensors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["autoregression", "chain", "garch", "inverse", "product", "rounded", "row_mean"]

FloatArray = npt.NDArray[np.float64]


def autoregression(noise_TN: FloatArray, coefficients: Sequence[float], burn: int) -> FloatArray:
    """Return x_t = sum_k c_k x_(t-k) + noise_t, started at zero and the first `burn` steps dropped.

    Parameters
    ----------
    noise_TN : ndarray, shape (burn + T, ...)
        Innovations.
    coefficients : sequence of float
        c_1, c_2, ...; a stationary set.
    burn : int
        Steps in which the start is forgotten.

    Returns
    -------
    ndarray, shape (T, ...)

    Examples
    --------
    >>> autoregression(np.array([1.0, 0.0, 0.0]), [0.5], burn=0).tolist()
    [1.0, 0.5, 0.25]
    """
    x_TN = noise_TN.copy()
    for t in range(1, len(x_TN)):
        for lag, coefficient in enumerate(coefficients[:t], start=1):
            x_TN[t] += coefficient * x_TN[t - lag]
    return x_TN[burn:]


def garch(shocks_TN: FloatArray, omega: float, alpha: float, beta: float) -> FloatArray:
    """Return e_t = s_t shock_t with s_t^2 = omega + alpha e_(t-1)^2 + beta s_(t-1)^2.

    Parameters
    ----------
    shocks_TN : ndarray, shape (T, ...)
        Independent, mean 0, variance 1.
    omega, alpha, beta : float
        GARCH(1,1) parameters; alpha + beta below 1. Started at the stationary variance.

    Returns
    -------
    ndarray, shape (T, ...)

    References
    ----------
    Bollerslev (1986), Generalized autoregressive conditional heteroskedasticity.
    """
    e_TN = np.empty_like(shocks_TN)
    variance = np.full(shocks_TN.shape[1:], omega / (1 - alpha - beta))
    for t in range(len(shocks_TN)):
        e_TN[t] = np.sqrt(variance) * shocks_TN[t]
        variance = omega + alpha * (e_TN[t] * e_TN[t]) + beta * variance
    return e_TN


def chain(uniform_T: FloatArray, start: float, stay: float) -> npt.NDArray[np.bool_]:
    """Return a two-state Markov chain: off to on with probability `start`, on to on with `stay`.

    The first state is drawn from the stationary law.

    Parameters
    ----------
    uniform_T : ndarray, shape (T,)
        Uniform draws on [0, 1), one a step.
    start : float
        Probability to go on when off.
    stay : float
        Probability to stay on when on.

    Returns
    -------
    ndarray of bool, shape (T,)
        The states.
    """
    state = bool(uniform_T[0] < start / (start + 1 - stay))
    states = [state]
    for u in uniform_T[1:].tolist():
        state = u < (stay if state else start)
        states.append(state)
    return np.array(states, dtype=np.bool_)


def inverse(matrix: FloatArray) -> FloatArray:
    """Return the inverse of a matrix by Gauss-Jordan elimination with row exchange.

    Examples
    --------
    >>> inverse(np.array([[0.0, 2.0], [1.0, 0.0]])).tolist()
    [[0.0, 1.0], [0.5, 0.0]]
    """
    n = len(matrix)
    both = np.concatenate([matrix.astype(np.float64), np.eye(n)], axis=1)
    for column in range(n):
        pivot = column + int(np.argmax(np.abs(both[column:, column])))
        both[[column, pivot]] = both[[pivot, column]]
        both[column] /= both[column, column]
        factor = both[:, column].copy()
        factor[column] = 0.0
        both -= factor[:, None] * both[column][None, :]
    return both[:, n:] + 0.0


def product(left_TN: FloatArray, right_NM: FloatArray) -> FloatArray:
    """Return the matrix product, summed over N one term after the other."""
    out = np.zeros((left_TN.shape[0], right_NM.shape[1]))
    for n in range(right_NM.shape[0]):
        out += left_TN[:, n, None] * right_NM[None, n, :]
    return out


def row_mean(values_TN: FloatArray) -> FloatArray:
    """Return the mean over N, summed one column after the other."""
    total = np.zeros(len(values_TN))
    for n in range(values_TN.shape[1]):
        total += values_TN[:, n]
    return np.asarray(total / values_TN.shape[1])


def rounded(values: npt.ArrayLike, digits: int) -> FloatArray:
    """Return values at the resolution an instrument reports, and no negative zero."""
    return np.asarray(np.round(np.asarray(values, dtype=np.float64), digits) + 0.0)
