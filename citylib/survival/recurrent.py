"""Rows for events that come again: from an inventory of assets and a log of their failures to (entry, exit, event].

A failure happens at noon of its day, and an asset is taken out right after it; watching begins and ends in the morning.
So no row has length zero, and the failure that ended an asset has its place. Nothing here knows any column of the
inventory but the dates: what each row's asset is made of is looked up by `Rows.of`.
Legend: N assets, B failures used, n rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.survival.durations import DAYS_PER_YEAR, Gaps, day_of, gap_times

__all__ = ["Histories", "Rows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
HOURS = 24
AFTER = "on the day watching stopped, or later"


@dataclass(frozen=True, eq=False)
class Rows:
    """Stretches (entry, exit] under watch, each ending in a failure or not.

    Parameters
    ----------
    of : ndarray of int, shape (n,)
        Row of the inventory that each belongs to; rows of one asset stand together, in order of time.
    asset : ndarray of str, shape (n,)
        Its name.
    begin, finish : ndarray of datetime64[h], shape (n,)
        When the stretch began and ended.
    entry, exit : ndarray, shape (n,)
        The same as age: years since the asset was laid.
    event : ndarray of bool, shape (n,)
        True: it ends in a failure.
    order : ndarray of int, shape (n,)
        Number of the failure the asset waits for, counted from when it came under watch: 1, 2, ...
    recent : ndarray of int, shape (n,)
        Failures in the years before (as many as asked for); 0 throughout where none were.
    waited : ndarray, shape (n,)
        Years from the last failure under watch, or from laying where there was none, to the beginning of the stretch.
    """

    of: IntArray
    asset: npt.NDArray[np.str_]
    begin: Dates
    finish: Dates
    entry: FloatArray
    exit: FloatArray
    event: npt.NDArray[np.bool_]
    order: IntArray
    recent: IntArray
    waited: FloatArray

    def __len__(self) -> int:
        return len(self.of)

    @property
    def since_last(self) -> tuple[FloatArray, FloatArray]:
        """Ends of each stretch by a clock that is set to 0 at each failure, (entry, exit), each of shape (n,)."""
        return self.waited, self.waited + (self.finish - self.begin) / np.timedelta64(1, "h") / HOURS / DAYS_PER_YEAR

    def pick(self, rows: npt.ArrayLike) -> Rows:
        """Return the rows for which `rows`, shape (n,), is True."""
        keep = checks.binary("rows", rows)
        checks.same_length(rows=keep, of=self.of)
        return Rows(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame with a row a stretch and a column a field."""
        frame = pd.DataFrame({name: getattr(self, name) for name in self.__dataclass_fields__})
        return frame.astype({"begin": "datetime64[ns]", "finish": "datetime64[ns]"})


@dataclass(frozen=True, eq=False)
class Histories:
    """What is known of each asset: when it was laid, from when to when it was watched, when it failed meanwhile.

    Parameters
    ----------
    asset : ndarray of str, shape (N,)
        Names, in the order of the inventory.
    installed : ndarray of datetime64[D], shape (N,)
        When each was laid; NaT: not known, so it has no rows.
    opens, closes : ndarray of datetime64[D], shape (N,)
        First day watched, and the first day not watched; an asset with opens >= closes has no rows.
    left : ndarray of bool, shape (N,)
        Whether watching ended because the asset was taken out, or no longer watched, at noon of its last day; else it
        ended with the window.
    of : ndarray of int, shape (B,)
        Asset of each failure used, as a row of the inventory; sorted, and each asset's by day.
    day : ndarray of datetime64[D], shape (B,)
        When it was.
    start, end : datetime64[D]
        First day on which failures were recorded systematically, and the day on which watching stopped.
    dropped : dict of str to int
        Records of the log that are not used, by reason, in the order in which reasons are asked for.
    """

    asset: npt.NDArray[np.str_]
    installed: Dates
    opens: Dates
    closes: Dates
    left: npt.NDArray[np.bool_]
    of: IntArray
    day: Dates
    start: np.datetime64
    end: np.datetime64
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def watched(self) -> npt.NDArray[np.bool_]:
        """Whether each asset is under watch at all, shape (N,)."""
        return np.asarray(self.opens < self.closes)

    @property
    def from_laying(self) -> npt.NDArray[np.bool_]:
        """Whether each asset is watched from the day it was laid: its first failure is known to be its first."""
        return np.asarray(self.watched & (self.opens == self.installed))

    def account(self) -> pd.DataFrame:
        """Return a data frame that accounts for every record of the log: what, records."""
        rows = list(self.dropped.items())
        total = sum(self.dropped.values()) + len(self.day)
        return pd.DataFrame([("in the log", total), *rows, ("used", len(self.day))], columns=["what", "records"])

    def known_at(self, day: str | np.datetime64) -> Histories:
        """Return what was known on the morning of `day`.

        Failures of that day or later, assets laid that day or later, and removals to come are not in it. What the
        inventory itself forgot, assets that were removed before it was made, no date can bring back.

        Examples
        --------
        >>> from citylib.survival.histories import histories
        >>> whole = histories(["a"], ["2000-05-01"], ["a", "a"], ["2003-01-01", "2009-01-01"], start="1997-01-01",
        ...                   end="2010-01-01")
        >>> past = whole.known_at("2005-01-01")
        >>> past.of.tolist(), past.end
        ([0], np.datetime64('2005-01-01'))
        """
        moment = day_of("day", day)
        if not self.start < moment <= self.end:
            raise InputError("day", f"lie after {self.start}, and by {self.end}", moment)
        seen = self.day < moment
        dropped = self.dropped | {AFTER: self.dropped.get(AFTER, 0) + int((~seen).sum())}
        return replace(
            self,
            closes=np.minimum(self.closes, moment),
            left=self.left & (self.closes <= moment),
            of=self.of[seen],
            day=self.day[seen],
            end=moment,
            dropped=dropped,
        )

    def count(self, since: str | np.datetime64, until: str | np.datetime64) -> tuple[IntArray, FloatArray]:
        """Return failures of each asset from `since` up to, not including, `until`, and the years it was watched then.

        Parameters
        ----------
        since, until : str or datetime64
            Days.

        Returns
        -------
        (failures, years) : ndarray
            Each of shape (N,).
        """
        first, last = day_of("since", since), day_of("until", until)
        if last <= first:
            raise InputError("until", f"be after since ({first})", last)
        inside = (self.day >= first) & (self.day < last)
        failures = np.bincount(self.of[inside], minlength=len(self.asset)).astype(np.int64)
        hours = np.minimum(self._until, _hours(last)) - np.maximum(_hours(self.opens), _hours(first))
        return failures, np.where(self.watched, np.maximum(hours, 0), 0) / (HOURS * DAYS_PER_YEAR)

    def rows(self, *, recent: float | None = None, ages: Sequence[float] = ()) -> Rows:
        """Return rows of a counting process: each asset's time under watch, cut at its failures.

        These are the rows of Andersen and Gill: an asset is at risk of its next failure at once after the last. With
        `Rows.order` as strata they are those of Prentice, Williams and Peterson; see also `Rows.since_last`.

        Parameters
        ----------
        recent : float, optional
            Count the failures of so many years before. The log must have been kept so long, and an asset not watched
            from laying must have been watched so long, so no row begins before then; and rows are cut also where a
            failure comes to lie more than so many years back.
        ages : sequence of float, optional
            Ages in years at which rows are cut besides, increasing: for effects that change with age.

        Returns
        -------
        Rows

        Raises
        ------
        InputError
            Nobody is under watch, ages that do not increase, `recent` not above 0.

        References
        ----------
        Andersen, P. K. and Gill, R. D. (1982). Cox's regression model for counting processes: a large sample study.
        Annals of Statistics 10(4), 1100-1120.
        Prentice, R. L., Williams, B. J. and Peterson, A. V. (1981). On the regression analysis of multivariate failure
        time data. Biometrika 68(2), 373-379.

        Examples
        --------
        >>> from citylib.survival.histories import histories
        >>> whole = histories(["a", "b"], ["1990-01-01", "2001-01-01"], ["a"], ["2003-01-01"], start="1997-01-01",
        ...                   end="2007-01-01")
        >>> whole.rows().to_frame()[["asset", "entry", "exit", "event", "order"]].round(1).values.tolist()
        [['a', 7.0, 13.0, True, 1], ['a', 13.0, 17.0, False, 2], ['b', 0.0, 6.0, False, 1]]
        """
        reach = 0 if recent is None else round(checks.number("recent", recent, above=0) * DAYS_PER_YEAR) * HOURS
        failed, laid = _hours(self.day) + HOURS // 2, _hours(self.installed)
        of, begin, finish = self._cut(failed, laid, reach, ages)
        own = _Own(self.of, failed, len(self.asset))
        before = own.up_to(of, begin)
        last = np.append(failed, 0)[own.first[of] + before - 1]  # read only where there is one
        year = HOURS * DAYS_PER_YEAR
        return Rows(
            of=of,
            asset=self.asset[of],
            begin=begin.astype("datetime64[h]"),
            finish=finish.astype("datetime64[h]"),
            entry=(begin - laid[of]) / year,
            exit=(finish - laid[of]) / year,
            event=own.up_to(of, finish) > own.up_to(of, finish - 1),
            order=before + 1,
            recent=before - own.up_to(of, begin - reach) if reach else np.zeros(len(of), dtype=np.int64),
            waited=(begin - np.where(before > 0, last, laid[of])) / year,
        )

    def by_age(self, edges: npt.ArrayLike) -> tuple[IntArray, FloatArray]:
        """Return failures of each asset in each band of age, and the years it was watched in it.

        Their sums over assets give rates by age that know who was there; what was before an asset came under watch
        counts for neither.

        Parameters
        ----------
        edges : array_like, shape (K + 1,)
            Ages in years, increasing; what lies outside is left out.

        Returns
        -------
        (failures, years) : ndarray
            Each of shape (N, K).

        Examples
        --------
        >>> from citylib.survival.histories import histories
        >>> whole = histories(["a"], ["1980-01-01"], ["a"], ["2003-01-01"], start="1997-01-01", end="2007-01-01")
        >>> failures, years = whole.by_age([0, 20, 40])
        >>> failures.tolist(), years.round(1).tolist()
        ([[0, 1]], [[3.0, 7.0]])
        """
        cut = np.asarray(checks.increasing("edges", edges), dtype=np.float64)
        if len(cut) < 2:
            raise InputError("edges", "hold at least two ages", len(cut))
        rows = self.rows(ages=cut.tolist())
        band = np.searchsorted(cut, (rows.entry + rows.exit) / 2) - 1
        inside = (band >= 0) & (band < len(cut) - 1)
        shape = (len(self.asset), len(cut) - 1)
        failures, years = np.zeros(shape, dtype=np.int64), np.zeros(shape)
        where = (rows.of[inside], band[inside])
        np.add.at(failures, where, rows.event[inside])
        np.add.at(years, where, (rows.exit - rows.entry)[inside])
        return failures, years

    def first_event(self) -> Rows:
        """Return a row for each asset watched from the day it was laid: its age at the first failure, or at the end.

        Of an asset laid before recording began nobody knows whether it had failed by then, so it has no row.

        Returns
        -------
        Rows

        Raises
        ------
        InputError
            No asset was laid since recording began.
        """
        if not self.from_laying.any():
            raise InputError("installed", f"lie after {self.start} for some asset", f"{len(self.asset)} assets")
        found = self.rows()
        return found.pick(self.from_laying[found.of] & (found.order == 1))

    def gaps(self) -> Gaps:
        """Return the times from each failure to the asset's next; see `citylib.survival.durations.gap_times`.

        A failure that ended its asset opens no gap.

        Returns
        -------
        Gaps
        """
        closes = dict(zip(self.asset.tolist(), self.closes, strict=True))
        found = gap_times(self.asset[self.of], self.day, start=self.start, end=self.end, removed=closes)
        left = self.left[pd.Index(self.asset).get_indexer(pd.Index(found.asset))]
        return found.pick(found.event | ~left | (found.stop > found.start + np.timedelta64(1, "D")))

    @property
    def _until(self) -> IntArray:
        return _hours(self.closes) - np.where(self.left, HOURS // 2, 0)

    def _cut(
        self, failed: IntArray, laid: IntArray, reach: int, ages: Sequence[float]
    ) -> tuple[IntArray, IntArray, IntArray]:
        """Return asset, beginning and end of each row, in hours."""
        opens, closes = _hours(self.opens), self._until
        if reach:  # what an asset did before it came under watch is not known, whenever the log began
            opens = np.maximum(opens + np.where(self.from_laying, 0, reach), _hours(self.start) + reach)
        who = np.flatnonzero(self.watched & (opens < closes))
        if not len(who):
            raise InputError("recent" if reach else "end", "leave somebody under watch", f"{len(self.asset)} assets")
        marks = [(who, opens[who]), (who, closes[who]), (self.of, failed)]
        marks += [(self.of, failed + reach)] if reach else []
        for age in checks.increasing("ages", checks.series("ages", ages)) if len(ages) else ():
            marks.append((who, laid[who] + round(float(age) * DAYS_PER_YEAR) * HOURS))
        of, time = (np.concatenate(part) for part in zip(*marks, strict=True))
        inside = self.watched[of] & (time >= opens[of]) & (time <= closes[of])
        of, time = np.unique(np.column_stack([of[inside], time[inside]]), axis=0).T
        same = of[1:] == of[:-1]
        return of[1:][same], time[:-1][same], time[1:][same]


class _Own:
    """Counts of an asset's own failures up to a time."""

    def __init__(self, of: IntArray, time: IntArray, assets: int) -> None:
        self.low = int(time.min()) if len(time) else 0
        self.span = (int(time.max()) - self.low if len(time) else 0) + 2
        self.keys = of * self.span + time - self.low + 1
        self.first = np.searchsorted(self.keys, np.arange(assets) * self.span)

    def up_to(self, of: IntArray, time: IntArray) -> IntArray:
        """Return how many each of the assets `of` has had by `time`, itself counted."""
        key = of * self.span + np.clip(time - self.low + 1, 0, self.span - 1)
        return np.asarray(np.searchsorted(self.keys, key, side="right") - self.first[of], dtype=np.int64)


def _hours(days: Dates | np.datetime64) -> IntArray:
    return np.asarray(days).astype("datetime64[h]").astype(np.int64)
