"""Durations from records: the times between failures of each asset, censored where watching ended.

A log of failures says when; how long a gap lasted, and whether its end was seen,
has to be worked out from the window in which failures were recorded.
Axis: n gaps. Durations are in years of 365.25 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["DAYS_PER_YEAR", "Gaps", "day_of", "gap_times", "heaps"]

DAYS_PER_YEAR = 365.25
Dates = npt.NDArray[np.datetime64]


@dataclass(frozen=True, eq=False)
class Gaps:
    """Times from one failure of an asset to its next.

    Parameters
    ----------
    asset : ndarray of str, shape (n,)
        Whose gap it is; sorted, so that the gaps of one asset stand together.
    start : ndarray of datetime64[D], shape (n,)
        Day of the failure that opens the gap.
    stop : ndarray of datetime64[D], shape (n,)
        Day of the next failure, or the last day watched.
    event : ndarray of bool, shape (n,)
        True: the gap ended in a failure. False: watching ended first (right-censored).
    order : ndarray of int, shape (n,)
        1 for the first gap of the asset in the window, 2 for the second, ...
    same_day : int
        Records left out because the asset already had one on that day.
    outside : int
        Records left out because they lie outside the window.
    """

    asset: npt.NDArray[np.str_]
    start: Dates
    stop: Dates
    event: npt.NDArray[np.bool_]
    order: npt.NDArray[np.int64]
    same_day: int = 0
    outside: int = 0

    def __len__(self) -> int:
        return len(self.asset)

    @property
    def years(self) -> npt.NDArray[np.float64]:
        """Length of each gap in years, shape (n,)."""
        return (self.stop - self.start) / np.timedelta64(1, "D") / DAYS_PER_YEAR

    def pick(self, rows: npt.ArrayLike) -> Gaps:
        """Return the gaps for which `rows`, shape (n,), is True."""
        keep = checks.binary("rows", rows)
        checks.same_length(rows=keep, gaps=self.asset)
        names = ("asset", "start", "stop", "event", "order")
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def known_at(self, day: str | np.datetime64) -> Gaps:
        """Return what was known on the morning of `day`: gaps open or closed by then, the open ones censored.

        Nothing that happened on `day` or later is in it, so it is what a model may learn from.

        Examples
        --------
        >>> gaps = gap_times(["a", "a"], ["2001-01-01", "2009-01-01"], start="2000-01-01", end="2010-01-01")
        >>> past = gaps.known_at("2005-01-01")
        >>> past.event.tolist(), past.stop.astype(str).tolist()
        ([False], ['2005-01-01'])
        """
        moment = day_of("day", day)
        past = self.pick(self.start < moment)
        return replace(past, stop=np.minimum(past.stop, moment), event=past.event & (past.stop < moment))

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with a row a gap: asset, order, start, stop, years, event."""
        return pd.DataFrame(
            {
                "asset": self.asset,
                "order": self.order,
                "start": self.start.astype("datetime64[ns]"),
                "stop": self.stop.astype("datetime64[ns]"),
                "years": self.years,
                "event": self.event,
            }
        )


def gap_times(
    asset: npt.ArrayLike,
    date: npt.ArrayLike,
    *,
    start: str | np.datetime64,
    end: str | np.datetime64,
    installed: Mapping[str, Any] | None = None,
    removed: Mapping[str, Any] | None = None,
) -> Gaps:
    """Return the times between the failures of each asset within a window of recording.

    A gap opens at each recorded failure and ends at the asset's next one. The last gap of an
    asset is right-censored where watching ended: at `end`, or earlier if it was removed.
    Two records of one asset on one day are one failure; how many were merged is counted.

    Parameters
    ----------
    asset : array_like of str, shape (records,)
        Asset of each record.
    date : array_like of datetime64, shape (records,)
        Day of each record.
    start, end : str or datetime64
        First day on which failures were recorded systematically, and the day on which watching
        stopped. A failure on `end` itself counts as not seen.
    installed : mapping of asset to date, optional
        A failure before its asset was laid is refused: it belongs to what stood there before.
    removed : mapping of asset to date, optional
        When an asset was taken out; NaT or absent: still there.

    Returns
    -------
    Gaps

    Raises
    ------
    InputError
        No record in the window, a missing date, a window that ends before it starts, failures
        before installation or after removal.

    Examples
    --------
    >>> gaps = gap_times(["a", "b", "a"], ["2001-01-01", "2002-01-01", "2003-01-01"],
    ...                  start="2000-01-01", end="2005-01-01")
    >>> gaps.to_frame()[["asset", "years", "event"]].round(2).values.tolist()
    [['a', 2.0, True], ['a', 2.0, False], ['b', 3.0, False]]
    """
    first, last = day_of("start", start), day_of("end", end)
    if last <= first:
        raise InputError("end", f"be after start ({first})", last)
    who = np.asarray(asset)
    if pd.isna(who).any():
        raise InputError("asset", "have no missing values", f"{int(pd.isna(who).sum())} missing")
    who = who.astype(np.str_)
    when = _days("date", date)
    checks.same_length(asset=who, date=when)
    _respect(who, when, installed, removed)
    inside = (when >= first) & (when < last)
    if not inside.any():
        raise InputError("date", f"have a record from {first} up to {last}", f"{len(when)} records, all outside")
    pairs = pd.DataFrame({"who": who[inside], "when": when[inside]}).drop_duplicates().sort_values(["who", "when"])
    who, when = pairs["who"].to_numpy().astype(np.str_), pairs["when"].to_numpy().astype("datetime64[D]")
    same = np.append(who[1:] == who[:-1], False)
    stop = np.where(same, np.append(when[1:], last), _watched_until(who, last, removed))
    return Gaps(
        asset=who,
        start=when,
        stop=stop,
        event=same,
        order=_order(who),
        same_day=int(inside.sum()) - len(who),
        outside=int((~inside).sum()),
    )


def heaps(date: npt.ArrayLike, *, share: float = 1e-8) -> pd.DataFrame:
    """Return the days on which far more was recorded than chance allows: dates of entry, most likely.

    Parameters
    ----------
    date : array_like of datetime64, shape (records,)
        Day of each record.
    share : float, default 1e-8
        A day is a heap if so many records, or more, had a smaller probability than this on any
        day of its calendar year by a Poisson count with the year's mean, the day itself left out.

    Returns
    -------
    pandas.DataFrame
        Columns date, records, expected (per day); the largest heap first.

    Examples
    --------
    >>> quiet = np.arange("2008-01-01", "2008-12-31", 7, dtype="datetime64[D]")
    >>> heaps(np.append(quiet, [np.datetime64("2008-12-01")] * 20))["records"].tolist()
    [20]
    """
    when = _days("date", date)
    share = checks.fraction("share", share)
    days, records = np.unique(when, return_counts=True)
    year = days.astype("datetime64[Y]")
    in_year = pd.Series(records).groupby(year).transform("sum").to_numpy()
    expected = np.maximum(in_year - records, 1) / DAYS_PER_YEAR
    odd = stats.poisson.sf(records - 1, expected) < share
    found = pd.DataFrame(
        {"date": days[odd].astype("datetime64[ns]"), "records": records[odd], "expected": expected[odd]}
    )
    return found.sort_values(["records", "date"], ascending=[False, True], ignore_index=True)


def _respect(
    who: npt.NDArray[np.str_], when: Dates, installed: Mapping[str, Any] | None, removed: Mapping[str, Any] | None
) -> None:
    """Refuse failures of an asset that was not yet, or no longer, there."""
    for given, rule, wrong in (
        (installed, "not lie before its asset's installation", np.less),
        (removed, "not lie after its asset's removal", np.greater),
    ):
        bound = None if given is None else _lookup(who, given)
        if bound is None:
            continue
        bad = ~np.isnat(bound) & wrong(when, bound)
        if bad.any():
            at = int(np.argmax(bad))
            value = f"{int(bad.sum())} records, first {who[at]} on {when[at]} against {bound[at]}"
            raise InputError("date", rule, value, "drop such records and say how many")


def _watched_until(who: npt.NDArray[np.str_], last: np.datetime64, removed: Mapping[str, Any] | None) -> Dates:
    if removed is None:
        return np.full(len(who), last)
    bound = _lookup(who, removed)
    return np.where(np.isnat(bound), last, np.minimum(bound, last))


def _lookup(who: npt.NDArray[np.str_], by_asset: Mapping[str, Any]) -> Dates:
    names, code = np.unique(who, return_inverse=True)
    given = {str(k): v for k, v in by_asset.items()}
    found = pd.to_datetime(pd.Series([given.get(str(n)) for n in names], dtype=object))
    return found.to_numpy().astype("datetime64[D]")[code]


def _order(who: npt.NDArray[np.str_]) -> npt.NDArray[np.int64]:
    """Number the rows of each asset 1, 2, ...; `who` is sorted."""
    row = np.arange(len(who))
    opens = np.append(True, who[1:] != who[:-1])
    return row - np.maximum.accumulate(np.where(opens, row, 0)) + 1


def _days(argument: str, value: npt.ArrayLike) -> Dates:
    refuse_numbers(argument, value)
    try:
        out = np.asarray(value).astype("datetime64[D]")
    except (ValueError, TypeError):
        raise InputError(argument, "be dates", value) from None
    if np.isnat(out).any():
        missing = int(np.isnat(out).sum())
        raise InputError(argument, "have no missing values", f"{missing} NaT, first at row {np.argmax(np.isnat(out))}")
    return out


def refuse_numbers(argument: str, value: npt.ArrayLike) -> None:
    """Refuse numbers where dates are asked for: 2001 would be read as a count of days or nanoseconds since 1970.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like
        What was given; nothing but missing values is fine.

    Raises
    ------
    InputError
        It holds numbers.

    Examples
    --------
    >>> refuse_numbers("date", ["2001-01-01", "NaT"])
    """
    given = np.asarray(value)
    if given.dtype.kind in "iufb" and not pd.isna(given).all():
        raise InputError(argument, "be dates", f"numbers such as {given[~pd.isna(given)].flat[0]}", "write 2001-01-01")


def day_of(argument: str, value: str | np.datetime64) -> np.datetime64:
    """Return `value` as a day.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : str or datetime64
        What was given.

    Returns
    -------
    datetime64[D]

    Raises
    ------
    InputError
        It is no date.

    Examples
    --------
    >>> day_of("start", "1997-01-01")
    np.datetime64('1997-01-01')
    """
    try:
        moment = pd.Timestamp(value)
    except (ValueError, TypeError):
        raise InputError(argument, "be a date like 2016-01-31", value) from None
    if pd.isna(moment):
        raise InputError(argument, "be a date like 2016-01-31", value)
    return np.datetime64(moment.date(), "D")
