"""ARIMA likelihood in plain form: polynomials, autocovariances and the Kalman filter as textbooks have them.

phi(B) PHI(B^s) (1 - B)^d (1 - B^s)^D y_t = theta(B) THETA(B^s) e_t. Everything here is short and slow; what runs
for a whole city is in `citylib.timeseries.kalman` and held equal to this by a test.
Legend: T time steps, p and q orders of the multiplied polynomials, r = max(p, q + 1) states.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg

from citylib import checks
from citylib.errors import InputError

__all__ = ["arma_loglikelihood", "arma_states", "differenced", "from_partial", "multiplied", "to_partial"]

FloatArray = npt.NDArray[np.float64]


def multiplied(short: npt.ArrayLike, seasonal: npt.ArrayLike, season: int, *, sign: int = -1) -> FloatArray:
    """Multiply a polynomial with its seasonal one; return the coefficients after the leading 1.

    Parameters
    ----------
    short, seasonal : array_like, shapes (..., p) and (..., P)
        phi and PHI, or theta and THETA.
    season : int
        Steps in a season s.
    sign : {-1, 1}
        -1 for 1 - phi_1 B - ..., whose coefficients are returned as those of the right-hand side; 1 for
        1 + theta_1 B + ...

    Returns
    -------
    ndarray, shape (..., p + P s)

    Examples
    --------
    >>> multiplied([0.5], [0.2], 4).tolist()
    [0.5, 0.0, 0.0, 0.2, -0.1]
    >>> multiplied([0.5], [0.2], 4, sign=1).tolist()
    [0.5, 0.0, 0.0, 0.2, 0.1]
    """
    a, b = np.asarray(short, dtype=np.float64), np.asarray(seasonal, dtype=np.float64)
    p, many = a.shape[-1], b.shape[-1]
    out = np.zeros((*np.broadcast_shapes(a.shape[:-1], b.shape[:-1]), p + many * season))
    out[..., :p] = a
    for k in range(many):
        out[..., (k + 1) * season - 1] += b[..., k]
        out[..., (k + 1) * season : (k + 1) * season + p] += sign * a * b[..., k : k + 1]
    return out


def from_partial(partial: npt.ArrayLike) -> FloatArray:
    """Return the coefficients of the autoregression with these partial autocorrelations (Durbin and Levinson).

    Parameters
    ----------
    partial : array_like, shape (..., p)
        Each between -1 and 1: then, and only then, the autoregression is stationary.

    Returns
    -------
    ndarray, shape (..., p)

    References
    ----------
    Barndorff-Nielsen, O. and Schou, G. (1973). On the parametrization of autoregressive models by partial
    autocorrelations. Journal of Multivariate Analysis 3, 408-419.

    Examples
    --------
    >>> from_partial([0.6, -0.5]).round(6).tolist()
    [0.9, -0.5]
    """
    out = np.array(partial, dtype=np.float64)
    for k in range(1, out.shape[-1]):
        out[..., :k] -= out[..., k : k + 1] * out[..., :k][..., ::-1]
    return out


def to_partial(coefficients: npt.ArrayLike) -> FloatArray:
    """Return the partial autocorrelations of an autoregression: the inverse of `from_partial`.

    Examples
    --------
    >>> to_partial([0.9, -0.5]).round(6).tolist()
    [0.6, -0.5]
    """
    out = np.array(coefficients, dtype=np.float64)
    for k in range(out.shape[-1] - 1, 0, -1):
        last = out[..., k : k + 1]
        with np.errstate(divide="ignore", invalid="ignore"):  # on the edge of stationarity there is none
            out[..., :k] = (out[..., :k] + last * out[..., :k][..., ::-1]) / (1 - last**2)
    return out


def differenced(y: npt.ArrayLike, differences: int, seasonal: int = 0, season: int = 1) -> FloatArray:
    """Return (1 - B)^d (1 - B^s)^D y along the first axis, the d + s D first steps left off.

    Parameters
    ----------
    y : array_like, shape (T, ...)
        Levels.
    differences, seasonal : int
        d and D.
    season : int
        Steps in a season s.

    Examples
    --------
    >>> differenced([1.0, 2.0, 4.0, 7.0], 1).tolist()
    [1.0, 2.0, 3.0]
    """
    out = np.asarray(y, dtype=np.float64)
    for _ in range(differences):
        out = out[1:] - out[:-1]
    for _ in range(seasonal):
        out = out[season:] - out[:-season]
    return out


def arma_states(ar: npt.ArrayLike, ma: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Harvey's state-space form of an ARMA process and the covariance that its state starts with.

    Parameters
    ----------
    ar, ma : array_like, shapes (p,) and (q,)
        Coefficients, as on the right-hand side.

    Returns
    -------
    (transition, entry, covariance) : ndarray, shapes (r, r), (r,), (r, r)
        state' = transition state + entry e; the first state is the process; the variance of e is 1.

    References
    ----------
    Harvey, A. C. (1989). Forecasting, Structural Time Series Models and the Kalman Filter. Cambridge, section 3.3.
    """
    a, b = checks.series("ar", ar, at_least=0), checks.series("ma", ma, at_least=0)
    states = max(len(a), len(b) + 1)
    transition = np.eye(states, k=1)
    transition[: len(a), 0] += a
    entry = np.zeros(states)
    entry[0], entry[1 : len(b) + 1] = 1.0, b
    return transition, entry, linalg.solve_discrete_lyapunov(transition, np.outer(entry, entry))


def arma_loglikelihood(w: npt.ArrayLike, *, ar: npt.ArrayLike, ma: npt.ArrayLike, variance: float) -> float:
    """Return the exact Gaussian log-likelihood of an ARMA process, by the Kalman filter step by step.

    Parameters
    ----------
    w : array_like, shape (T,)
        The process, differenced if need be; NaN where it is not known.
    ar, ma : array_like, shapes (p,) and (q,)
        Coefficients; stationary.
    variance : float
        Of the shocks.

    Raises
    ------
    InputError
        An autoregression that is not stationary.

    Examples
    --------
    White noise:

    >>> round(arma_loglikelihood([1.0, -1.0], ar=[], ma=[], variance=1.0), 6)
    -2.837877
    """
    w_T = checks.series("w", w, missing=True)
    variance = checks.number("variance", variance, above=0)
    if len(np.atleast_1d(ar)) and (np.abs(to_partial(ar)) >= 1).any():
        raise InputError("ar", "be stationary (roots outside the unit circle)", list(np.atleast_1d(ar)))
    transition, entry, spread = arma_states(ar, ma)
    state = np.zeros(len(entry))
    total = 0.0
    for reading in w_T:
        if not np.isnan(reading):
            error, expected = reading - state[0], spread[0, 0]
            total -= 0.5 * (np.log(2 * np.pi * variance * expected) + error**2 / (variance * expected))
            gain = spread[:, 0] / expected
            state = state + gain * error
            spread = spread - np.outer(gain, spread[0])
        state = transition @ state
        spread = transition @ spread @ transition.T + np.outer(entry, entry)
    return float(total)
