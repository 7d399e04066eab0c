"""What a series remembers: autocorrelation and partial autocorrelation, with gaps left out, not filled.

Legend: T time steps, L lags.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["autocorrelation", "kpss", "partial_autocorrelation", "seasonal_strength", "white_band"]

FloatArray = npt.NDArray[np.float64]
FEWEST = 10  # readings of a test


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


def kpss(y: npt.ArrayLike, *, lags: int | None = None) -> float:
    """Return the KPSS statistic for a level: large where a series wanders.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings; those missing are left out.
    lags : int, optional
        Of the long-run variance (Bartlett weights); by default 3 sqrt(T) / 13.

    Returns
    -------
    float
        Above 0.463 a level is rejected at 5 %; NaN for a constant series or fewer than 10 readings.

    References
    ----------
    Kwiatkowski, D., Phillips, P. C. B., Schmidt, P. and Shin, Y. (1992). Testing the null hypothesis of
    stationarity against the alternative of a unit root. Journal of Econometrics 54, 159-178.

    Examples
    --------
    >>> shocks = np.random.default_rng(0).standard_normal(200)
    >>> kpss(shocks.cumsum()) > 0.463 > kpss(shocks)
    True
    """
    y_T = checks.series("y", y, missing=True)
    y_T = y_T[~np.isnan(y_T)]
    if len(y_T) < FEWEST or np.ptp(y_T) == 0:
        return float("nan")
    reach = int(3 * np.sqrt(len(y_T)) / 13) if lags is None else checks.integer("lags", lags, minimum=0)
    rest = y_T - y_T.mean()
    sums = _lagged_sums(rest, reach) if reach else np.array([rest @ rest])
    weights = 1 - np.arange(1, reach + 1) / (reach + 1)
    variance = (sums[0] + 2 * weights @ sums[1:]) / len(rest)
    return float((np.cumsum(rest) ** 2).sum() / (len(rest) ** 2 * variance))


def seasonal_strength(y: npt.ArrayLike, *, season: int) -> float:
    """Return how much of a series, its trend taken off, is a season that repeats: between 0 and 1.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings; NaN where one is missing.
    season : int
        Steps in a season, 2 or more.

    Returns
    -------
    float
        NaN for fewer than two seasons of readings, or a constant series.

    References
    ----------
    Wang, X., Smith, K. A. and Hyndman, R. J. (2006). Characteristic-based clustering for time series data. Data
    Mining and Knowledge Discovery 13, 335-364.

    Examples
    --------
    >>> seasonal_strength(np.tile([1.0, 2.0, 4.0], 20), season=3)
    1.0
    """
    y_T = checks.series("y", y, missing=True)
    season = checks.integer("season", season, minimum=2)
    read = ~np.isnan(y_T)
    if len(y_T) < 2 * season or read.sum() < 2 * season or np.nanmin(y_T) == np.nanmax(y_T):
        return float("nan")
    rest = y_T - _level(y_T, season)
    phase = np.arange(len(rest)) % season
    known = ~np.isnan(rest)
    counts = np.bincount(phase[known], minlength=season)
    if (counts == 0).any():
        return float("nan")
    usual = (np.bincount(phase[known], rest[known], minlength=season) / counts)[phase]
    whole = float(np.var(rest[known]))
    return max(0.0, 1 - float(np.var((rest - usual)[known])) / whole) if whole > 0 else float("nan")


def _level(y_T: FloatArray, season: int) -> FloatArray:
    """Return the mean over the season around each step; NaN near the ends and where half of it is missing."""
    weights = np.ones(season + 1 - season % 2)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    read = ~np.isnan(y_T)
    total = np.convolve(np.where(read, y_T, 0.0), weights, mode="same")
    share = np.convolve(read.astype(np.float64), weights, mode="same") / weights.sum()
    half = len(weights) // 2
    share[:half] = share[len(share) - half :] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(share > 0.5, total / (share * weights.sum()), np.nan)
