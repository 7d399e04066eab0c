"""Whether shocks come in bursts: tests of what their squares remember, gaps left out.

Legend: T time steps, L lags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.timeseries import identify

__all__ = ["Whiteness", "engle", "ljung_box"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Whiteness:
    """Outcome of a test that nothing is remembered.

    Parameters
    ----------
    statistic : float
        Chi-squared if nothing is.
    p_value : float
        Its upper tail.
    degrees : int
        Degrees of freedom.
    rows : int
        Readings, or rows of the regression, that it rests on.
    """

    statistic: float
    p_value: float
    degrees: int
    rows: int


def engle(shocks: npt.ArrayLike, *, lags: int) -> Whiteness:
    """Test for bursts: squares regressed on their own past, rows with a missing one left out.

    The statistic is the number of rows times the share of the variance of the squares that their past explains. Without
    gaps it is statsmodels' ``het_arch``.

    Parameters
    ----------
    shocks : array_like, shape (T,)
        Of mean zero, on a regular axis; NaN where one is missing.
    lags : int
        Squares of so many steps before, L.

    Returns
    -------
    Whiteness

    Raises
    ------
    InputError
        Hardly more whole rows than lags.

    References
    ----------
    Engle, R. F. (1982). Autoregressive conditional heteroscedasticity with estimates of the variance of United Kingdom
    inflation. Econometrica 50(4), 987-1007.

    Examples
    --------
    >>> calm = np.random.default_rng(0).standard_normal(1000)
    >>> rough = calm * np.repeat([1.0, 3.0] * 10, 50)
    >>> engle(calm, lags=5).p_value > 0.05, engle(rough, lags=5).p_value < 1e-6
    (True, True)
    """
    e_T = checks.series("shocks", shocks, missing=True)
    lags = checks.integer("lags", lags, minimum=1)
    square_T = e_T**2
    if len(square_T) <= lags:
        raise InputError("shocks", f"have more than {lags} steps", len(square_T))
    past = np.lib.stride_tricks.sliding_window_view(square_T, lags + 1)
    past = past[~np.isnan(past).any(axis=1)]
    if len(past) < 2 * lags + 2:
        raise InputError("shocks", f"hold {2 * lags + 2} runs of {lags + 1} steps without a gap", len(past))
    design, now = np.column_stack([np.ones(len(past)), past[:, :-1]]), past[:, -1]
    left = now - design @ np.linalg.lstsq(design, now, rcond=None)[0]
    centred = now - now.mean()
    if not centred @ centred > 0:
        raise InputError("shocks", "vary in size", "all squares equal")
    statistic = len(past) * float(1 - (left @ left) / (centred @ centred))
    return Whiteness(statistic, float(stats.chi2.sf(statistic, lags)), lags, len(past))


def ljung_box(series: npt.ArrayLike, *, lags: int, fitted: int = 0) -> Whiteness:
    """Test that autocorrelations up to a lag are zero, over the pairs of readings that exist.

    With n readings, n_k pairs of them k steps apart and c_k the mean product of such a pair over the variance, the
    statistic is (n + 2) / n sum_k n_k c_k^2. Without gaps it is statsmodels' ``acorr_ljungbox``; of squares, the test
    of McLeod and Li.

    Parameters
    ----------
    series : array_like, shape (T,)
        Shocks, or their squares; NaN where one is missing.
    lags : int
        Largest lag L.
    fitted : int, default 0
        Parameters that were estimated from the very autocorrelations, taken off the degrees of freedom.

    Returns
    -------
    Whiteness

    Raises
    ------
    InputError
        A constant series, a lag without pairs, not fewer parameters than lags.

    References
    ----------
    Ljung, G. M. and Box, G. E. P. (1978). On a measure of lack of fit in time series models. Biometrika 65(2), 297-303.

    McLeod, A. I. and Li, W. K. (1983). Diagnostic checking ARMA time series models using squared-residual
    autocorrelations. Journal of Time Series Analysis 4(4), 269-273.

    Examples
    --------
    >>> calm = np.random.default_rng(0).standard_normal(1000)
    >>> ljung_box(calm, lags=10).p_value > 0.05, ljung_box(np.cumsum(calm), lags=10).p_value < 1e-6
    (True, True)
    """
    y_T = checks.series("series", series, missing=True, at_least=3)
    lags = checks.integer("lags", lags, minimum=1, maximum=len(y_T) - 2)
    fitted = checks.integer("fitted", fitted, minimum=0, maximum=lags - 1)
    back_L = np.arange(1, lags + 1)
    read = ~np.isnan(y_T)
    number = int(read.sum())
    pairs_L = np.array([int((read[k:] & read[:-k]).sum()) for k in back_L])
    mean_L = identify.autocorrelation(y_T, lags=lags)[1:] * len(y_T) / (len(y_T) - back_L)  # per pair, not per step
    statistic = (number + 2) / number * float(pairs_L @ mean_L**2)
    return Whiteness(statistic, float(stats.chi2.sf(statistic, lags - fitted)), lags - fitted, number)
