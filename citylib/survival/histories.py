"""An inventory of assets and a log of their failures brought together, every record of the log accounted for.

Legend: N assets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.survival.durations import day_of, refuse_numbers
from citylib.survival.recurrent import AFTER, Histories

__all__ = ["REASONS", "end_of_watch", "histories"]

Dates = npt.NDArray[np.datetime64]
IntArray = npt.NDArray[np.int64]
REASONS = (  # why a record is not used, in the order in which it is asked
    "of an asset that is not in the inventory",
    "of an asset whose day of laying is not known",
    "in a year before the asset was laid: of what stood there before",
    "in the year the asset was laid, up to the day it was laid",
    "before recording, or before the asset was watched",
    AFTER,
    "after the asset was taken out, or no longer watched",
    "second of the asset on the same day",
)


def histories(
    asset: npt.ArrayLike,
    installed: npt.ArrayLike,
    failed: npt.ArrayLike,
    date: npt.ArrayLike,
    *,
    start: str | np.datetime64,
    end: str | np.datetime64,
    removed: npt.ArrayLike | None = None,
    observed_from: npt.ArrayLike | None = None,
    observed_until: npt.ArrayLike | None = None,
) -> Histories:
    """Bring an inventory and a log of failures together, and account for every record of the log.

    Parameters
    ----------
    asset : array_like of str, shape (N,)
        Names of the assets in the inventory, each once.
    installed : array_like of datetime64, shape (N,)
        When each was laid; NaT: not known.
    failed : array_like of str, shape (records,)
        Asset of each record of the log; missing or unknown: counted, and left out.
    date : array_like of datetime64, shape (records,)
        Day of each record.
    start, end : str or datetime64
        First day on which failures were recorded systematically, and the day on which watching stopped: a failure on
        `end` itself counts as not seen.
    removed : array_like of datetime64, shape (N,), optional
        When each was taken out; NaT: still there. A failure on that day is its last.
    observed_from, observed_until : array_like of datetime64, shape (N,), optional
        First and last day on which each was watched, where that differs from one to the other; NaT: as all.

    Returns
    -------
    Histories

    Raises
    ------
    InputError
        An empty inventory, an asset named twice, a record without a date, a window that ends before it starts, an
        asset removed before it was laid, lengths that differ.

    Examples
    --------
    >>> found = histories(["a", "b"], ["1990-01-01", "2005-01-01"], ["a", "b", "c"],
    ...                   ["2001-01-01", "2001-01-01", "2001-01-01"], start="1997-01-01", end="2010-01-01")
    >>> found.of.tolist(), [number for number in found.dropped.values() if number]
    ([0], [1, 1])
    """
    first, last = day_of("start", start), day_of("end", end)
    if last <= first:
        raise InputError("end", f"be after start ({first})", last)
    names = np.asarray(asset).astype(np.str_)
    laid, when = _dates("installed", installed), _dates("date", date)
    who = pd.Series(np.asarray(failed), dtype=object).map(str, na_action="ignore").to_numpy()
    checks.same_length(asset=names, installed=laid)
    checks.same_length(failed=who, date=when)
    if not len(names):
        raise InputError("asset", "name at least one asset", len(names))
    if np.isnat(when).any():
        raise InputError("date", "have no missing values", f"{int(np.isnat(when).sum())} NaT")
    place = pd.Index(names)
    if not place.is_unique:
        raise InputError("asset", "name each asset once", str(place[place.duplicated()][0]))
    opens, closes, gone = _window(names, laid, first, last, removed, observed_from, observed_until)
    of = np.asarray(place.get_indexer(pd.Index(who)), dtype=np.int64)
    reason = _reasons(of, when, laid, opens, gone, last)
    dropped = {name: int((reason == k).sum()) for k, name in enumerate(REASONS)}
    used = reason < 0
    of, when = of[used], when[used]
    order = np.lexsort((when, of))
    return Histories(names, laid, opens, closes, gone <= last, of[order], when[order], first, last, dropped)


def end_of_watch(
    date: npt.ArrayLike,
    *,
    since: str,
    until: str | None = None,
    observed_until: npt.ArrayLike | None = None,
    recorded_until: int | None = None,
) -> tuple[str, str]:
    """Return the day on which watching stopped, and how that is known.

    Assets that have not failed for long stand behind the last failure: whoever stops watching there leaves out quiet
    days. So the day given goes first, then the last day on which an asset is said to be watched, then the end of the
    log's last whole year (one with a quarter at least of a usual year's records); only then the last failure.

    Parameters
    ----------
    date : array_like of datetime64, shape (records,)
        Days of the log.
    since : str
        First day on which failures were recorded systematically.
    until : str, optional
        The day given.
    observed_until : array_like of datetime64, optional
        Last day on which each asset was watched.
    recorded_until : int, optional
        Last year of the log, as its source says.

    Returns
    -------
    (end, why) : str
        The first day not watched, and a clause that says how it is known.

    Raises
    ------
    InputError
        The end does not lie after `since`; a day of the log is missing.

    Examples
    --------
    >>> end_of_watch(["2001-05-01", "2002-06-01"], since="2000-01-01", recorded_until=2002)
    ('2003-01-01', 'the log has its last whole year before it')
    """
    when = _dates("date", date)
    if np.isnat(when).any():
        raise InputError("date", "have no missing values", f"{int(np.isnat(when).sum())} NaT")
    year = when[when >= day_of("since", since)].astype("datetime64[Y]").astype(np.int64) + 1970
    years, records = np.unique(year, return_counts=True)
    whole = years[records >= np.median(records) / 4] if len(years) else years
    watched = (
        np.array([], dtype="datetime64[D]") if observed_until is None else _dates("observed_until", observed_until)
    )
    watched = watched[~np.isnat(watched)]
    if until is not None:
        end, why = day_of("until", until), "the day given"
    elif len(watched):
        end, why = watched.max() + 1, "the records of assets end there"
    elif recorded_until is not None and len(whole):
        end = np.datetime64(f"{min(int(recorded_until), int(whole.max())) + 1}-01-01", "D")
        why = "the log has its last whole year before it"
    elif len(when):
        end, why = when.max() + 1, "the day after the last failure"
    else:
        raise InputError("until", "be given where the log holds no record", until)
    if not end > day_of("since", since):
        raise InputError("since", f"lie before the end of watching, {end}", since)
    return str(end), why


def _window(
    names: npt.NDArray[np.str_],
    laid: Dates,
    first: np.datetime64,
    last: np.datetime64,
    removed: npt.ArrayLike | None,
    observed_from: npt.ArrayLike | None,
    observed_until: npt.ArrayLike | None,
) -> tuple[Dates, Dates, Dates]:
    """Return from when and until when each asset is watched, and when its watching ended of itself, or NaT."""
    nothing = np.full(len(names), np.datetime64("NaT"), dtype="datetime64[D]")
    given = {"removed": removed, "observed_from": observed_from, "observed_until": observed_until}
    dates = {name: nothing if value is None else _dates(name, value) for name, value in given.items()}
    checks.same_length(asset=names, **dates)
    early = dates["removed"] < laid
    if early.any():
        at = int(np.argmax(early))
        told = f"{int(early.sum())} of them, first {names[at]}: {laid[at]} to {dates['removed'][at]}"
        raise InputError("removed", "not lie before installation", told)
    gone = np.fmin(dates["removed"], dates["observed_until"]) + np.timedelta64(1, "D")
    opens = np.maximum(np.fmax(first, dates["observed_from"]), laid)
    return opens.astype("datetime64[D]"), np.fmin(last, gone).astype("datetime64[D]"), gone.astype("datetime64[D]")


def _reasons(of: IntArray, when: Dates, laid: Dates, opens: Dates, gone: Dates, end: np.datetime64) -> IntArray:
    """Return of each record why it is not used, as a place in `REASONS`; -1: it is."""
    own, began, gone = laid[of], opens[of], gone[of]
    earlier = when <= own  # on the day itself: what broke was replaced the same day
    year = when.astype("datetime64[Y]") < own.astype("datetime64[Y]")
    asked = [of < 0, np.isnat(own), earlier & year, earlier, when < began, when >= end, when >= gone]
    reason = np.select(asked, np.arange(len(asked)), default=-1)
    again = pd.DataFrame({"of": of, "when": when})[reason < 0].duplicated()
    reason[np.flatnonzero(reason < 0)[again.to_numpy()]] = len(asked)
    return reason


def _dates(argument: str, value: npt.ArrayLike) -> Dates:
    refuse_numbers(argument, value)
    try:
        return np.asarray(pd.to_datetime(pd.Series(np.asarray(value)))).astype("datetime64[D]")
    except (ValueError, TypeError):
        raise InputError(argument, "be dates", value) from None
