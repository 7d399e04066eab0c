"""Rolling-origin backtest: forecasts made again and again as time passes, each from what was known by then.

Legend: T time steps, O origins, H steps ahead. An origin is a number of known
steps: at origin o the readings 0 .. o-1 are known and o .. o+H-1 are forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.evaluate import splits

__all__ = ["Backtest", "Forecaster", "backtest", "leak"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Three = tuple[FloatArray, FloatArray, FloatArray]


class Forecaster(Protocol):
    """What can be backtested: it learns from a past, and forecasts from many origins in one call."""

    def fit(self, y_T: FloatArray, /) -> Any:
        """Learn from the readings so far; NaN where one is missing."""
        ...

    def forecast(self, y_T: FloatArray, /, *, origins: IntArray, horizon: int, level: float) -> Three:
        """Return centre, lower and upper ends, each of shape (O, H).

        A forecast may use only readings before its own origin, whatever else `y_T` holds: `leak` finds out.
        """
        ...


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts from all origins, beside what came.

    Parameters
    ----------
    origins : ndarray of int, shape (O,)
        Steps known at each origin.
    centre : ndarray, shape (O, H)
        Point forecasts.
    lower, upper : ndarray, shape (O, H)
        Ends of the intervals.
    actual : ndarray, shape (O, H)
        What came; NaN where nothing was read.
    level : float
        Coverage that the intervals claim.
    fits : tuple of int
        Steps known at each fit.
    """

    origins: IntArray
    centre: FloatArray
    lower: FloatArray
    upper: FloatArray
    actual: FloatArray
    level: float
    fits: tuple[int, ...]

    @property
    def absolute(self) -> FloatArray:
        """Absolute errors, shape (O, H); NaN where nothing was read."""
        return np.abs(self.centre - self.actual)

    def by_origin(self) -> FloatArray:
        """Return the mean absolute error from each origin, shape (O,): the losses that blocks are drawn of."""
        return _mean(self.absolute, axis=1)

    def by_step(self) -> FloatArray:
        """Return the mean absolute error at each step ahead, shape (H,)."""
        return _mean(self.absolute, axis=0)

    def transformed(self, function: Callable[[FloatArray], FloatArray]) -> Backtest:
        """Return the backtest on another scale, by a strictly increasing function such as ``np.exp``.

        Ends stay ends. A centre that was mean and median on the old scale is the median on the new one.
        """
        return replace(
            self,
            centre=function(self.centre),
            lower=function(self.lower),
            upper=function(self.upper),
            actual=function(self.actual),
        )


def backtest(
    forecaster: Forecaster,
    y: npt.ArrayLike,
    *,
    first: int,
    horizon: int,
    every: int = 1,
    refit: int | None = None,
    level: float = 0.95,
) -> Backtest:
    """Forecast from every origin, `every` steps apart, with what was known there.

    Parameters
    ----------
    forecaster : Forecaster
        Anything with `fit` and `forecast`; it is fitted anew for each stretch between refits.
    y : array_like, shape (T,)
        Readings on a regular axis; NaN where one is missing. Those are not scored.
    first : int
        Steps known at the first origin.
    horizon : int
        Steps ahead H.
    every : int, default 1
        Steps from one origin to the next. For hourly readings a number without a common divisor with
        24 lets every step ahead meet every hour of the day.
    refit : int, optional
        Steps from one fit to the next; by default the first fit serves all origins.
    level : float, default 0.95
        Coverage asked of the intervals.

    Returns
    -------
    Backtest

    Raises
    ------
    InputError
        No origin fits, or forecasts of the wrong shape or missing.
    """
    y_T = checks.series("y", y, missing=True)
    origins = _origins(len(y_T), first, horizon, every)
    stretch = np.zeros(len(origins), dtype=np.int64)
    if refit is not None:
        stretch = (origins - first) // checks.integer("refit", refit, minimum=1)
    level = checks.fraction("level", level)
    parts: list[Three] = []
    fits: list[int] = []
    for number in np.unique(stretch):
        here = origins[stretch == number]
        fits.append(int(here[0]))
        forecaster.fit(y_T[: here[0]])
        parts.append(_forecast(forecaster, y_T[: here[-1]], here, horizon, level))
    centre, lower, upper = (np.concatenate([part[k] for part in parts]) for k in range(3))
    actual = y_T[origins[:, None] + np.arange(horizon)]
    return Backtest(origins, centre, lower, upper, actual, level, tuple(fits))


def leak(
    forecaster: Forecaster, y: npt.ArrayLike, *, first: int, horizon: int, every: int = 1, tries: int = 5
) -> float:
    """Return how far forecasts move when everything after their origin is withheld; 0: nothing leaks.

    The forecaster is taken as it was fitted. At some origins its forecast among all others is compared
    with the one it makes when the readings simply end there. What it learned in the fit is not tried.

    Parameters
    ----------
    forecaster : Forecaster
        Already fitted, on the steps before `first`.
    y, first, horizon, every
        As in `backtest`.
    tries : int, default 5
        Origins tried, spread over all of them.

    Returns
    -------
    float
        Largest difference of centres and ends, in the unit of the readings. Rounding gives about 1e-9 of them.
    """
    y_T = checks.series("y", y, missing=True)
    origins = _origins(len(y_T), first, horizon, every)
    together = _forecast(forecaster, y_T, origins, horizon, 0.95)
    worst = 0.0
    rows = np.unique(np.linspace(0, len(origins) - 1, checks.integer("tries", tries, minimum=1)).round().astype(int))
    for row in rows:
        alone = _forecast(forecaster, y_T[: origins[row]], origins[row : row + 1], horizon, 0.95)
        worst = max(worst, *(float(np.abs(a[0] - t[row]).max()) for a, t in zip(alone, together, strict=True)))
    return worst


def _origins(length: int, first: int, horizon: int, every: int) -> IntArray:
    known = [known.stop for known, _ in splits.origins(length, first=first, horizon=horizon, every=every)]
    return np.array(known, dtype=np.int64)


def _forecast(forecaster: Forecaster, y_T: FloatArray, origins: IntArray, horizon: int, level: float) -> Three:
    centre, lower, upper = forecaster.forecast(y_T, origins=origins, horizon=horizon, level=level)
    for name, part in (("centre", centre), ("lower", lower), ("upper", upper)):
        if part.shape != (len(origins), horizon):
            rule = f"have shape (origins, horizon) = ({len(origins)}, {horizon})"
            raise InputError(f"{name} of {type(forecaster).__name__}", rule, part.shape)
        if np.isnan(part).any():
            rule = "have no missing values"
            raise InputError(f"{name} of {type(forecaster).__name__}", rule, f"{int(np.isnan(part).sum())} NaN")
    return centre, lower, upper


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean without NaN; NaN, and no warning, where there is nothing."""
    counts = (~np.isnan(values)).sum(axis=axis)
    sums = np.nansum(values, axis=axis)
    means: FloatArray = np.divide(sums, counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return means
