"""What a series remembers: autocorrelation and partial autocorrelation, with gaps left out, not filled.

Legend: T time steps, L lags.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["autocorrelation", "partial_autocorrelation", "white_band"]

FloatArray = npt.NDArray[np.float64]


def autocorrelation(y: npt.ArrayLike, *, lags: int) -> FloatArray:
    """Return the autocorrelation at lags 0 .. `lags`, over the pairs of readings that exist.

    Each lag's covariance is the sum over existing pairs, scaled up by the share of pairs that are
    missing, over T as the textbook has it. Without gaps this is statsmodels' ``acf``.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings on a regular axis; NaN where one is missing.
    lags : int
        Largest lag L, below T.

    Returns
    -------
    ndarray, shape (L + 1,)
        From 1 at lag 0.

    Raises
    ------
    InputError
        A constant series, or a lag at which no two readings exist.

    References
    ----------
    Box, G. E. P., Jenkins, G. M., Reinsel, G. C. and Ljung, G. M. (2015). Time Series Analysis, 5th ed.
    Wiley, section 2.1.

    Examples
    --------
    >>> autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0, 2.0], lags=2).round(3).tolist()
    [1.0, -0.833, 0.667]
    """
    y_T = checks.series("y", y, missing=True, at_least=2)
    lags = checks.integer("lags", lags, minimum=1, maximum=len(y_T) - 1)
    read = ~np.isnan(y_T)
    if not read.any() or np.nanmin(y_T) == np.nanmax(y_T):
        raise InputError("y", "vary", f"{int(read.sum())} readings, all equal" if read.any() else "no readings")
    centred = np.where(read, y_T - np.nanmean(y_T), 0.0)
    products = _lagged_sums(centred, lags)
    pairs = np.rint(_lagged_sums(read.astype(np.float64), lags))
    if (pairs == 0).any():
        raise InputError("y", "hold a pair of readings at each lag", f"none at lag {int(np.argmin(pairs))}")
    share = pairs / (len(y_T) - np.arange(lags + 1))
    covariance = products / share
    return np.asarray(covariance / covariance[0])


def partial_autocorrelation(y: npt.ArrayLike, *, lags: int) -> FloatArray:
    """Return the partial autocorrelation at lags 0 .. `lags` by the Durbin-Levinson recursion.

    At lag k it is the last coefficient of an AR(k): what y k steps ago adds once the steps between are known.

    Parameters
    ----------
    y, lags
        As in `autocorrelation`.

    Returns
    -------
    ndarray, shape (L + 1,)
        From 1 at lag 0.

    References
    ----------
    Durbin, J. (1960). The fitting of time-series models. Review of the International Statistical
    Institute 28(3), 233-244.

    Examples
    --------
    >>> partial_autocorrelation([1.0, 2.0, 1.0, 2.0, 1.0, 2.0], lags=2).round(3).tolist()
    [1.0, -0.833, -0.091]
    """
    rho = autocorrelation(y, lags=lags)
    partial = np.ones(len(rho))
    phi = np.zeros(0)
    left = 1.0  # variance that an AR(k) leaves, over that of the series
    for k in range(1, len(rho)):
        last = (rho[k] - phi @ rho[k - 1 : 0 : -1]) / left
        phi = np.append(phi - last * phi[::-1], last)
        left *= 1 - last**2
        partial[k] = last
        if left <= 0:  # gaps can leave correlations that no series has: nothing more can be told
            partial[k + 1 :] = np.nan
            break
    return partial


def white_band(readings: int, *, level: float = 0.95) -> float:
    """Return the half width within which autocorrelations of white noise lie with probability `level`.

    Examples
    --------
    >>> round(white_band(400), 3)
    0.098
    """
    count = checks.integer("readings", readings, minimum=2)
    return float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2) / np.sqrt(count))


def _lagged_sums(x_T: FloatArray, lags: int) -> FloatArray:
    """Sum of x[t] x[t + k] for k = 0 .. lags, by the Fourier transform: O(T log T)."""
    size = 1 << (len(x_T) + lags - 1).bit_length()
    spectrum = np.fft.rfft(x_T, size)
    return np.fft.irfft(spectrum * spectrum.conj(), size)[: lags + 1]
