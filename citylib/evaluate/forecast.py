"""Losses of forecasts and of intervals; a missing reading is masked, never counted as zero.

Arrays of any equal shape, such as (T,) or (origins, horizon, sensors). Where the
actual reading is NaN, or `mask` is False, there is nothing to score. Where the
actual reading exists and the forecast is NaN the call is refused: a model that
stays silent in hard hours must not look better for it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["bias", "coverage", "errors", "interval_score", "mae", "mase", "pinball", "rmse", "scaled_by", "width"]

FloatArray = npt.NDArray[np.float64]


def errors(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, mask: npt.ArrayLike | None = None) -> FloatArray:
    """Return forecast minus actual, NaN where there is nothing to score.

    Parameters
    ----------
    actual : array_like
        Readings; NaN where there is none.
    forecast : array_like
        Of the same shape; a number wherever a reading counts.
    mask : array_like of bool, optional
        True where the reading counts (an unfilled one, say).

    Returns
    -------
    ndarray
        Of the shape given, in the unit of the readings.

    Raises
    ------
    InputError
        Shapes that differ, infinities, a missing forecast where a reading counts, nothing to score.

    Examples
    --------
    >>> errors([10.0, float("nan"), 12.0], [11.0, 0.0, 12.0]).tolist()
    [1.0, nan, 0.0]
    """
    truth = checks.array("actual", actual, missing=True)
    scored = _scored(truth, mask)
    guess = _spoken("forecast", forecast, scored)
    return np.where(scored, guess - truth, np.nan)


def mae(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, mask: npt.ArrayLike | None = None) -> float:
    """Return the mean absolute error over what can be scored; see `errors`.

    Examples
    --------
    >>> mae([10.0, float("nan"), 12.0], [11.0, 0.0, 12.0])
    0.5
    """
    return float(np.nanmean(np.abs(errors(actual, forecast, mask=mask))))


def rmse(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, mask: npt.ArrayLike | None = None) -> float:
    """Return the root of the mean squared error over what can be scored; see `errors`."""
    return float(np.sqrt(np.nanmean(errors(actual, forecast, mask=mask) ** 2)))


def bias(actual: npt.ArrayLike, forecast: npt.ArrayLike, *, mask: npt.ArrayLike | None = None) -> float:
    """Return the mean of forecast minus actual: above zero the forecast is too high; see `errors`."""
    return float(np.nanmean(errors(actual, forecast, mask=mask)))


def mase(
    actual: npt.ArrayLike,
    forecast: npt.ArrayLike,
    *,
    train: npt.ArrayLike,
    season: int = 1,
    mask: npt.ArrayLike | None = None,
) -> float:
    """Return the mean absolute scaled error: below 1 it beats the seasonal naive's training error.

    Parameters
    ----------
    actual, forecast, mask
        As in `errors`.
    train : array_like, shape (T,)
        The training readings of the same series, on a regular time axis, NaN where missing.
    season : int, default 1
        Steps in a season; 1 compares with repeating the last value.

    Returns
    -------
    float
        A pure number.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy.
    International Journal of Forecasting 22(4), 679-688.
    """
    return mae(actual, forecast, mask=mask) / scaled_by(train, season=season)


def scaled_by(train: npt.ArrayLike, *, season: int = 1) -> float:
    """Return the seasonal naive's mean absolute error within the training readings, in their unit.

    Raises
    ------
    InputError
        No pair of readings a season apart, or all such pairs equal.
    """
    known = checks.series("train", train, missing=True)
    lag = checks.integer("season", season, minimum=1)
    steps = np.abs(known[lag:] - known[:-lag])
    steps = steps[~np.isnan(steps)]
    if not len(steps):
        raise InputError("train", f"hold two readings {lag} steps apart", f"{len(known)} steps")
    scale = float(steps.mean())
    if scale == 0:
        raise InputError("train", "change from one season to the next", f"{len(steps)} equal pairs {lag} steps apart")
    return scale


def coverage(
    actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, *, mask: npt.ArrayLike | None = None
) -> float:
    """Return the share of readings within their interval, ends included, 0 to 1.

    Parameters
    ----------
    actual, mask
        As in `errors`.
    lower, upper : array_like
        Ends of the interval for each reading.

    Examples
    --------
    >>> coverage([1.0, 5.0, float("nan")], [0.0, 0.0, 0.0], [2.0, 2.0, 2.0])
    0.5
    """
    truth, low, high, scored = _interval(actual, lower, upper, mask)
    return float(((truth >= low) & (truth <= high))[scored].mean())


def width(
    actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, *, mask: npt.ArrayLike | None = None
) -> float:
    """Return the mean width of the intervals where a reading counts, in its unit; see `coverage`."""
    _, low, high, scored = _interval(actual, lower, upper, mask)
    return float((high - low)[scored].mean())


def interval_score(
    actual: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    *,
    level: float,
    mask: npt.ArrayLike | None = None,
) -> float:
    """Return the mean interval score: width, and a fine for each reading outside; lower is better.

    Parameters
    ----------
    actual, lower, upper, mask
        As in `coverage`.
    level : float
        Coverage that the intervals claim, between 0 and 1.

    References
    ----------
    Gneiting, T. and Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and
    estimation. Journal of the American Statistical Association 102(477), 359-378, section 6.2.
    """
    alpha = 1 - checks.fraction("level", level)
    truth, low, high, scored = _interval(actual, lower, upper, mask)
    outside = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return float(((high - low) + 2 / alpha * outside)[scored].mean())


def pinball(
    actual: npt.ArrayLike, quantile: npt.ArrayLike, *, level: float, mask: npt.ArrayLike | None = None
) -> FloatArray:
    """Return the quantile loss of each reading, in its unit; NaN where there is nothing to score.

    With q the forecast quantile of level p it is p (y - q) where the reading is above, (1 - p) (q - y) where it is
    below. Its expectation is lowest where q is the true quantile. Single losses are returned, not their mean, so that
    they can be resampled in blocks: `citylib.evaluate.compare.block_bootstrap`.

    Parameters
    ----------
    actual, mask
        As in `errors`.
    quantile : array_like
        Forecast quantiles, of the shape of `actual`.
    level : float
        Share of the readings that should lie below, between 0 and 1.

    Returns
    -------
    ndarray
        Of the shape given.

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.

    Examples
    --------
    >>> pinball([10.0, float("nan"), 12.0], [11.0, 0.0, 8.0], level=0.75).tolist()
    [0.25, nan, 3.0]
    """
    p = checks.fraction("level", level)
    above = -errors(actual, quantile, mask=mask)
    return np.asarray(np.maximum(p * above, (p - 1) * above))


def _scored(truth: FloatArray, mask: npt.ArrayLike | None) -> npt.NDArray[np.bool_]:
    scored: npt.NDArray[np.bool_] = ~np.isnan(truth)
    if mask is not None:
        wanted = checks.binary("mask", mask)
        if wanted.shape != truth.shape:
            raise InputError("mask", f"have the shape of actual {truth.shape}", wanted.shape)
        scored = scored & wanted
    if not scored.any():
        raise InputError("actual", "hold at least one reading to score", f"{truth.size} readings, all masked")
    return scored


def _spoken(argument: str, value: npt.ArrayLike, scored: npt.NDArray[np.bool_]) -> FloatArray:
    out = checks.array(argument, value, missing=True)
    if out.shape != scored.shape:
        raise InputError(argument, f"have the shape of actual {scored.shape}", out.shape)
    silent = scored & np.isnan(out)
    if silent.any():
        raise InputError(argument, "be a number wherever a reading counts", f"{int(silent.sum())} NaN")
    return out


def _interval(
    actual: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, mask: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    truth = checks.array("actual", actual, missing=True)
    scored = _scored(truth, mask)
    low = _spoken("lower", lower, scored)
    high = _spoken("upper", upper, scored)
    crossed = scored & (low > high)
    if crossed.any():
        raise InputError("lower", "be at most upper", f"{int(crossed.sum())} crossed intervals")
    return truth, low, high, scored
