"""The usual week of every sensor, and what is left once it is taken off; the season of one series.

Legend: T time steps, N sensors, S slots of a day, D kinds of days, m steps in a season.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.timeseries.arima_fits import readings

__all__ = ["UsualDays", "classical_season", "usual_days"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

DAY = np.timedelta64(1, "D")
KINDS = {"none": 1, "daily": 1, "weekly": 2}


@dataclass(frozen=True, eq=False)
class UsualDays:
    """The usual value of each sensor at each slot of the day, by kind of day.

    Parameters
    ----------
    means_DSN : ndarray, shape (D, S, N)
        Working days first, then weekends; one kind for all days, and one slot for a season of none. NaN where a sensor
        has no reading.
    step : timedelta64
        Between readings.
    counts_DSN : ndarray, shape (D, S, N)
        Readings that each mean is of.
    """

    means_DSN: FloatArray
    step: np.timedelta64
    counts_DSN: FloatArray

    def at(self, times: npt.ArrayLike) -> FloatArray:
        """Return the usual values at times, shape (T, N)."""
        kind, slot = _slots(np.asarray(times), self.step, *self.means_DSN.shape[:2])
        return np.asarray(self.means_DSN[kind, slot])

    def of_other_days(self, values: npt.ArrayLike, times: npt.ArrayLike, *, known: npt.ArrayLike) -> FloatArray:
        """Return the usual values at times, each without the reading of that very time.

        A mean of few days holds a part of each of them. A model that is taught with it on the days that it was made
        of trusts it more than it deserves on a new day; so those days are shown the mean of the others.

        Parameters
        ----------
        values : array_like, shape (T, N)
            Readings; NaN where one is missing.
        times : array_like of datetime64, shape (T,)
            Theirs.
        known : array_like of bool, shape (T,)
            Steps that the means were worked out from.

        Returns
        -------
        ndarray, shape (T, N)
            At other steps, and where no reading of another day is left, that of `at`.

        Examples
        --------
        >>> hours = np.arange("2026-11-23", "2026-11-25", np.timedelta64(12, "h"), dtype="datetime64[h]")
        >>> y, all_of_them = [[1.0], [5.0], [3.0], [7.0]], [True] * 4
        >>> found = usual_days(y, hours, step=np.timedelta64(12, "h"), season="daily", known=all_of_them)
        >>> found.of_other_days(y, hours, known=all_of_them).ravel().tolist()
        [3.0, 7.0, 1.0, 5.0]
        """
        y_TN, _ = readings(values)
        used = checks.binary("known", known)
        usual = self.at(times)
        checks.same_length(values=y_TN, times=usual, known=used)
        kind, slot = _slots(np.asarray(times), self.step, *self.means_DSN.shape[:2])
        count = self.counts_DSN[kind, slot]
        own = used[:, None] & ~np.isnan(y_TN) & (count > 1)
        return np.where(own, (count * usual - np.nan_to_num(y_TN)) / np.maximum(count - 1, 1), usual)


def usual_days(
    values: npt.ArrayLike, times: npt.ArrayLike, *, step: np.timedelta64, season: str, known: npt.ArrayLike
) -> UsualDays:
    """Work out the usual days of all sensors, from the steps that may be known.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings; NaN where one is missing.
    times : array_like of datetime64, shape (T,)
        Local.
    step : timedelta64
        Between readings, a day at most.
    season : {"none", "daily", "weekly"}
        One mean for all; one for each slot of the day; one for each on working days and one on weekends.
    known : array_like of bool, shape (T,)
        Which steps may be used: those before the cut.

    Returns
    -------
    UsualDays

    Raises
    ------
    InputError
        No step that may be known, steps that do not divide a day.

    Examples
    --------
    >>> hours = np.arange("2026-11-23", "2026-11-25", np.timedelta64(12, "h"), dtype="datetime64[h]")
    >>> found = usual_days([[1.0], [5.0], [3.0], [7.0]], hours, step=np.timedelta64(12, "h"), season="daily",
    ...                    known=[True] * 4)
    >>> found.at(hours).ravel().tolist()
    [2.0, 6.0, 2.0, 6.0]
    """
    y_TN, _ = readings(values)
    checks.one_of("season", season, tuple(KINDS))
    used = checks.binary("known", known)
    when = np.asarray(times)
    checks.same_length(values=y_TN, times=when, known=used)
    if not used.any():
        raise InputError("known", "hold a step", "none")
    kinds, slots = KINDS[season], 1 if season == "none" else int(DAY / step)
    if season != "none" and (slots < 1 or slots * step != DAY):
        raise InputError("step", "divide a day", step)
    kind, slot = _slots(when[used], step, kinds, slots)
    cell = kind * slots + slot
    read = ~np.isnan(y_TN[used])
    total, count = np.zeros((2, kinds * slots, y_TN.shape[1]))
    np.add.at(total, cell, np.where(read, y_TN[used], 0.0))
    np.add.at(count, cell, read)
    with np.errstate(invalid="ignore"):
        means = (total / count).reshape(kinds, slots, -1)
    if kinds == 2:  # a slot never read on one kind of day takes the other's
        means = np.where(np.isnan(means), means[::-1], means)
    return UsualDays(means, step, count.reshape(kinds, slots, -1))


def classical_season(y: npt.ArrayLike, period: int) -> FloatArray:
    """Return what each phase of the season adds, shape (m,): mean distance from a moving average a season long.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings; NaN where one is missing.
    period : int
        Steps in a season m.

    Returns
    -------
    ndarray
        The phase of the first step first; they add up to zero.

    Raises
    ------
    InputError
        Less than two seasons, or a phase of which no reading has neighbours on both sides.

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). Forecasting: Principles and Practice, 3rd ed., OTexts, section 3.4.

    Examples
    --------
    >>> classical_season([1.0, 3.0] * 6, 2).tolist()
    [-1.0, 1.0]
    """
    m = checks.integer("period", period, minimum=2)
    y_T = checks.series("y", y, missing=True, at_least=2 * m)
    weights = np.ones(m) if m % 2 else np.r_[0.5, np.ones(m - 1), 0.5]
    read = ~np.isnan(y_T)
    sums = np.convolve(np.where(read, y_T, 0.0), weights, mode="same")
    counts = np.convolve(read.astype(float), weights, mode="same")
    half = len(weights) // 2
    inner = np.zeros(len(y_T), dtype=bool)
    inner[half : len(y_T) - half] = True
    inner &= read & (counts > m / 2)
    away = np.where(inner, y_T - sums / np.maximum(counts, 1.0), 0.0)
    phase = np.arange(len(y_T)) % m
    cases = np.bincount(phase, inner, minlength=m)
    if (cases == 0).any():
        rule = "hold a reading of each phase of the season, with most of a season read around it"
        raise InputError("y", rule, f"none of {int((cases == 0).sum())} of {m} phases")
    means = np.bincount(phase, away, minlength=m) / cases
    return np.asarray(means - means.mean())


def _slots(
    times: npt.NDArray[np.datetime64], step: np.timedelta64, kinds: int, slots: int
) -> tuple[IntArray, IntArray]:
    days = times.astype("datetime64[D]")
    slot = ((times - days) // step).astype(np.int64) if slots > 1 else np.zeros(len(times), dtype=np.int64)
    weekend = (days.astype(np.int64) + 3) % 7 >= 5
    return (weekend.astype(np.int64) if kinds == 2 else np.zeros(len(times), dtype=np.int64)), slot
