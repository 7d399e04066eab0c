"""The usual day, and each day's level against it; the usual year for series of days or months.

Legend: T time steps, R rounds (days, or years), S slots of a round (24 hours, or 12 months), K kinds of rounds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["KINDS", "Rounds", "block", "levels", "means", "rounds"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
KINDS = ("working day", "Saturday", "Sunday")
FEWEST, ENOUGH = 4, 12  # blocks: below four an interval says next to nothing, beyond twelve it hardly gains
HOUR, DAY = np.timedelta64(3600, "s"), np.timedelta64(86400, "s")


@dataclass(frozen=True, eq=False)
class Rounds:
    """A series cut into rounds of equal slots.

    Parameters
    ----------
    values_RS : ndarray, shape (R, S)
        Mean of the readings in each slot of each round; NaN where too few are there.
    starts : ndarray of datetime64[D], shape (R,)
        First day of each round.
    kinds : ndarray of int, shape (R,)
        Index into `names`: working days, Saturdays, Sundays; all 0 where a round is a year.
    names : tuple of str
        What each kind is called.
    slot : {"hour", "month"}
        What a slot is: hours count from 0, months from 1.
    """

    values_RS: FloatArray
    starts: npt.NDArray[np.datetime64]
    kinds: IntArray
    names: tuple[str, ...]
    slot: str

    @property
    def slots(self) -> IntArray:
        """Number of each slot as people count it, shape (S,)."""
        return np.arange(self.values_RS.shape[1]) + (self.slot == "month")

    @property
    def week(self) -> int:
        """Rounds after which their kinds repeat: 7 days, 1 year."""
        return 7 if self.slot == "hour" else 1


def rounds(values: npt.ArrayLike, times: npt.ArrayLike, *, complete: float = 0.75) -> Rounds:
    """Cut a series into days of 24 hours or, where a step is a day or more, into years of 12 months.

    Parameters
    ----------
    values : array_like, shape (T,)
        Readings; NaN where one is missing.
    times : array_like of datetime64, shape (T,)
        Start of each step, evenly spaced, local.
    complete : float, default 0.75
        Share of its steps, above 0, that a slot must have to count.

    Returns
    -------
    Rounds
        From the first round that has a reading to the last.

    Raises
    ------
    InputError
        No readings, uneven times, or steps between an hour and a day.

    Examples
    --------
    >>> times = np.arange("2026-01-02T00", "2026-01-04T00", dtype="datetime64[h]")
    >>> cut = rounds(np.arange(48.0), times)
    >>> cut.values_RS[:, 17].tolist(), [cut.names[k] for k in cut.kinds]
    ([17.0, 41.0], ['working day', 'Saturday'])
    """
    value = checks.series("values", values, missing=True, at_least=2)
    when = checks.increasing("times", np.asarray(times).astype("datetime64[s]"))
    checks.same_length(values=value, times=when)
    least = checks.number("complete", complete, above=0, maximum=1)
    if np.isnan(value).all():
        raise InputError("values", "hold at least one reading", f"{len(value)}, all missing")
    step = (when[1:] - when[:-1]).min()
    hourly = step <= HOUR
    if (step < DAY and not hourly) or (hourly and HOUR % step):
        raise InputError("times", "have steps that divide an hour, or of a day or more", str(step))
    if hourly:
        row = when.astype("datetime64[D]").astype(np.int64)
        slot = (when.astype("datetime64[h]").astype(np.int64) % 24).astype(np.int64)
        full = np.full(24, HOUR // step)
    else:
        months = when.astype("datetime64[M]").astype(np.int64)
        row, slot = months // 12, months % 12
        full = np.full(12, max(1, int(np.timedelta64(28, "D") // step)))
    read = ~np.isnan(value)
    first = int(row[read].min())
    shape = (int(row[read].max()) - first + 1, len(full))
    at = ((row - first)[read], slot[read])
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, at, value[read])
    np.add.at(count, at, 1)
    found = np.divide(total, count, out=np.full(shape, np.nan), where=count >= np.maximum(1, least * full))
    return _named(found, first, hourly)


def block(rounds: int, week: int = 1) -> int:
    """Return how many rounds to draw together, for an interval of a mean over rounds that resemble their neighbours.

    Whole weeks, so that its days cancel, and as many as leave twelve blocks: longer blocks forget less, and with twelve
    Student's t is but an eighth wider than with any number. Where even single weeks leave fewer than four blocks,
    a fourth of the rounds.

    Parameters
    ----------
    rounds : int
        How many there are, at least 1.
    week : int, default 1
        Rounds after which their kinds repeat.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> [block(days, 7) for days in (10, 31, 90, 181, 365)]
    [2, 7, 7, 14, 28]
    """
    count, of = checks.integer("rounds", rounds, minimum=1), checks.integer("week", week, minimum=1)
    return max(1, min(of, count // FEWEST), of * (count // (ENOUGH * of)))


def means(cut: Rounds, upto: int | None = None) -> FloatArray:
    """Return the mean of each slot over the rounds of each kind: the usual day.

    Parameters
    ----------
    cut : Rounds
        From `rounds`.
    upto : int, optional
        Use only so many rounds, from the first; by default all.

    Returns
    -------
    ndarray, shape (K, S)
        NaN where no round of a kind has the slot.
    """
    rows, kinds = cut.values_RS[:upto], cut.kinds[:upto]
    out = np.full((len(cut.names), rows.shape[1]), np.nan)
    for kind in range(len(cut.names)):
        of_kind = rows[kinds == kind]
        count = (~np.isnan(of_kind)).sum(axis=0)
        np.divide(np.nansum(of_kind, axis=0), count, out=out[kind], where=count > 0)
    return out


def levels(cut: Rounds, means_KS: npt.ArrayLike, *, complete: float = 0.5) -> FloatArray:
    """Return the level of each round, judged on the slots it has against the same slots of the usual round.

    With p the usual round and S_r the slots that round r has, its level is the mean of p plus the mean over S_r of
    (y_rs - p_s). A day whose nights are missing is so not taken for a busy one.

    Parameters
    ----------
    cut : Rounds
        From `rounds`.
    means_KS : array_like, shape (K, S)
        The usual round of each kind, from `means`.
    complete : float, default 0.5
        Share of its slots, above 0, that a round must have to get a level.

    Returns
    -------
    ndarray, shape (R,)
        In the unit of the readings; NaN where a round has too few slots.
    """
    usual = checks.matrix("means_KS", means_KS, missing=True)
    if usual.shape != (len(cut.names), cut.values_RS.shape[1]):
        raise InputError("means_KS", f"have shape {(len(cut.names), cut.values_RS.shape[1])}", usual.shape)
    least = checks.number("complete", complete, above=0, maximum=1)
    off = cut.values_RS - usual[cut.kinds]
    count = (~np.isnan(off)).sum(axis=1)
    enough = count >= np.maximum(1, least * off.shape[1])
    middle = np.array([np.nanmean(row) if not np.isnan(row).all() else np.nan for row in usual])
    moved = np.full(len(off), np.nan)
    np.divide(np.nansum(off, axis=1), count, out=moved, where=enough)
    out: FloatArray = middle[cut.kinds] + moved
    return out


def _named(values_RS: FloatArray, first: int, hourly: bool) -> Rounds:
    number = first + np.arange(len(values_RS))
    if not hourly:
        starts = number.astype("datetime64[Y]").astype("datetime64[D]")
        return Rounds(values_RS, starts, np.zeros(len(number), dtype=np.int64), ("year",), "month")
    kinds = np.maximum((number + 3) % 7 - 4, 0)  # day 0 of the epoch was a Thursday: Monday is 0, Saturday 5
    return Rounds(values_RS, number.astype("datetime64[D]"), kinds, KINDS, "hour")
