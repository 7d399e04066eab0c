"""An inventory of assets and a log of their failures brought together, every record of the log accounted for.

Legend: N assets.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.survival.durations import day_of
from citylib.survival.recurrent import AFTER, Histories

__all__ = ["REASONS", "histories"]

Dates = npt.NDArray[np.datetime64]
IntArray = npt.NDArray[np.int64]
REASONS = (  # why a record is not used, in the order in which it is asked
    "of an asset that is not in the inventory",
    "of an asset whose day of laying is not known",
    "in a year before the asset was laid: of what stood there before",
    "before the asset was laid, in the same year",
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
    earlier = when < own
    year = when.astype("datetime64[Y]") < own.astype("datetime64[Y]")
    asked = [of < 0, np.isnat(own), earlier & year, earlier, when < began, when >= end, when >= gone]
    reason = np.select(asked, np.arange(len(asked)), default=-1)
    again = pd.DataFrame({"of": of, "when": when})[reason < 0].duplicated()
    reason[np.flatnonzero(reason < 0)[again.to_numpy()]] = len(asked)
    return reason


def _dates(argument: str, value: npt.ArrayLike) -> Dates:
    try:
        return np.asarray(pd.to_datetime(pd.Series(np.asarray(value)))).astype("datetime64[D]")
    except (ValueError, TypeError):
        raise InputError(argument, "be dates", value) from None
