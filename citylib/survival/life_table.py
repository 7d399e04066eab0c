"""Risk sets of many groups in one pass: who was under watch, who ended, who went out of sight, at each time.

Every estimate from censored durations is made of these counts. Watching is the
half-open stretch (entry, duration]: who enters at a time is not yet at risk at it,
who ends at a time still is (as in R's survival).
Legend: n durations, G groups, K rows: the distinct times of each group, group by group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.survival import counting, sorting

__all__ = ["Durations", "LifeTable", "codes", "count", "durations", "moderate", "totals"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Durations:
    """Durations that have been checked; see `durations`.

    Parameters
    ----------
    exit : ndarray, shape (n,)
        When watching ended.
    event : ndarray of bool, shape (n,)
        True: because it ended.
    entry : ndarray, shape (n,), or None
        When watching began; None: at the very beginning.
    weight : ndarray, shape (n,), or None
        How many each row stands for; None: one.
    """

    exit: FloatArray
    event: BoolArray
    entry: FloatArray | None
    weight: FloatArray | None


@dataclass(frozen=True, eq=False)
class LifeTable:
    """Counts at each distinct time of each group.

    Parameters
    ----------
    names : tuple of str
        The groups.
    bounds : ndarray of int, shape (G + 1,)
        Group g has the rows from bounds[g] up to bounds[g + 1].
    time : ndarray, shape (K,)
        Distinct times of a group at which somebody left or entered, rising within a group.
    at_risk, events, ended, entered : ndarray, shape (K,)
        Weight under watch just before; of events; of all who left; of those who enter, at risk from then on.
        Whole numbers where no weights were given.
    members : ndarray of int, shape (G,)
        Durations of each group.
    """

    names: tuple[str, ...]
    bounds: IntArray
    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    ended: FloatArray
    entered: FloatArray
    members: IntArray

    @property
    def group(self) -> IntArray:
        """Number of the group that each row belongs to, shape (K,)."""
        return np.repeat(np.arange(len(self.names)), np.diff(self.bounds))

    @property
    def after(self) -> FloatArray:
        """Weight under watch just after each row's time, shape (K,)."""
        return self.at_risk - self.ended + self.entered

    @property
    def status(self) -> tuple[str, ...]:
        """Of each group ``"ok"``, or what to know before reading an estimate from it.

        ``"no events"``. ``"one member"``. ``"risk set empties"``: with delayed entry nobody was under watch
        for a while, or all under watch ended while others were still to come; what is said of later times
        rests on nobody.
        """
        later = np.ones(len(self.time), dtype=bool)
        later[self.bounds[1:] - 1] = False
        gaps = np.add.reduceat(later & (self.after <= 0), self.bounds[:-1])
        words = np.where(gaps > 0, "risk set empties", "ok")
        words = np.where(np.add.reduceat(self.events, self.bounds[:-1]) == 0, "no events", words)
        return tuple(str(w) for w in np.where(self.members == 1, "one member", words))

    def pick(self, keep: BoolArray) -> LifeTable:
        """Return the rows for which `keep`, shape (K,), is True."""
        bounds = np.append(0, np.cumsum(keep))[self.bounds]
        names = ("time", "at_risk", "events", "ended", "entered")
        return replace(self, bounds=bounds, **{name: getattr(self, name)[keep] for name in names})


def durations(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    argument: str = "duration",
) -> Durations:
    """Return durations once they are known to be sound.

    Parameters
    ----------
    duration : array_like, shape (n,)
        When watching ended, 0 or more.
    event : array_like of bool, shape (n,)
        True: because it ended. False: it went out of sight.
    entry : array_like, shape (n,), optional
        When watching began, before `duration`.
    weight : array_like, shape (n,), optional
        How many each row stands for, more than 0.
    argument : str, default "duration"
        What the caller's signature calls the durations.

    Returns
    -------
    Durations

    Raises
    ------
    InputError
        No rows, negative or missing durations, entry not before the end, weights not above 0,
        lengths that differ.

    Examples
    --------
    >>> durations([2.0, 3.0], [True, False], entry=[0.0, 3.0])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: entry must lie before the duration's end, got '1 rows, first at row 1: 3 against 3'
    """
    exit_n = checks.array(argument, duration, ndim=1, at_least=1, minimum=0)
    event_n = checks.binary("event", event)
    checks.same_length(**{argument: exit_n, "event": event_n})
    entry_n, weight_n = None, None
    if entry is not None:
        entry_n = checks.array("entry", entry, ndim=1, minimum=0)
        checks.same_length(**{argument: exit_n, "entry": entry_n})
        late = entry_n >= exit_n
        if late.any():
            at = int(np.argmax(late))
            value = f"{int(late.sum())} rows, first at row {at}: {entry_n[at]:g} against {exit_n[at]:g}"
            raise InputError("entry", "lie before the duration's end", value)
    if weight is not None:
        weight_n = checks.array("weight", weight, ndim=1)
        checks.same_length(**{argument: exit_n, "weight": weight_n})
        low = weight_n <= 0
        if low.any():
            at = int(np.argmax(low))
            raise InputError("weight", "be more than 0", f"{weight_n[at]:g}, first at row {at}", "leave such rows out")
        moderate("weight", weight_n)
    return Durations(exit_n, event_n, entry_n, weight_n)


def moderate(argument: str, value: FloatArray) -> None:
    """Refuse weights whose squares would leave the range of a number, or beside which others are lost in sums.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : ndarray, shape (n,)
        Numbers above 0.

    Raises
    ------
    InputError
        One is below 1e-100, above 1e100, or more than 1e12 times another.
    """
    bad = (value < 1e-100) | (value > 1e100)
    if bad.any():
        at = int(np.argmax(bad))
        told = f"{value[at]:g}, first at row {at}"
        raise InputError(argument, "lie between 1e-100 and 1e+100", told, "give it in another unit")
    if value.max() > 1e12 * value.min():
        raise InputError(argument, "be at most 1e+12 times the smallest", f"{value.min():g} to {value.max():g}")


def codes(argument: str, label: npt.ArrayLike | None, rows: int) -> tuple[tuple[str, ...], IntArray]:
    """Return sorted names of groups and the number of each row's group.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    label : array_like of str, int or category, shape (n,), or None
        Group of each row; None: all are in the one group ``"all"``.
    rows : int
        Number of rows n.

    Returns
    -------
    names : tuple of str
        Numbers are sorted as numbers, all else as words.
    code : ndarray of int, shape (n,)

    Raises
    ------
    InputError
        Labels missing, or not one a row.

    Examples
    --------
    >>> names, code = codes("group", [10, 9, 10], 3)
    >>> names, code.tolist()
    (('9', '10'), [1, 0, 1])
    """
    if label is None:
        return ("all",), np.zeros(rows, dtype=np.int64)
    values = label if isinstance(label, (pd.Series, pd.Index, pd.Categorical)) else np.asarray(label)
    if values.ndim != 1 or len(values) != rows:
        raise InputError(argument, f"hold one label for each of {rows} rows", np.shape(values))
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        values = values.astype(object)
    if isinstance(values, np.ndarray) and values.dtype.kind == "i" and rows:
        low, high = int(values.min()), int(values.max())
        if high - low < 4 * rows:  # few numbers close together: counting them is faster than hashing
            shifted = values.astype(np.int64) - low
            there = np.bincount(shifted, minlength=high - low + 1) > 0
            names = tuple(str(k + low) for k in np.flatnonzero(there))
            return names, shifted if there.all() else (np.cumsum(there) - 1)[shifted]
    code, found = pd.factorize(values)
    if (code < 0).any():
        raise InputError(argument, "have no missing values", f"{int((code < 0).sum())} missing")
    found = np.asarray(found)
    words = found.astype(np.str_)
    place = np.empty(len(found), dtype=np.int64)
    order = np.argsort(found if found.dtype.kind in "iuf" else words, kind="stable")
    kept, first = words[order], np.append(True, words[order][1:] != words[order][:-1])[: len(order)]
    place[order] = np.cumsum(first) - 1
    return tuple(str(name) for name in kept[first]), place[code]


def count(
    data: Durations, names: tuple[str, ...] = ("all",), code: IntArray | None = None, *, by_table: bool | None = None
) -> LifeTable:
    """Count risk sets of all groups: whole times in a table of group by time, other times after one sort.

    Parameters
    ----------
    data : Durations
        From `durations`.
    names : tuple of str, default ("all",)
        Names of the G groups.
    code : ndarray of int, shape (n,), optional
        Number of each row's group.
    by_table : bool, optional
        Whether to count in a table; by default where times are whole and the table isn't much larger
        than the data. Either way gives the same.

    Returns
    -------
    LifeTable

    Examples
    --------
    >>> sets = count(durations([1.0, 2.0, 2.0], [True, True, False], entry=[0.0, 0.0, 1.0]))
    >>> sets.time.tolist(), sets.at_risk.tolist(), sets.events.tolist()
    ([0.0, 1.0, 2.0], [0.0, 2.0, 2.0], [0.0, 1.0, 1.0])
    """
    code = np.zeros(len(data.exit), dtype=np.int64) if code is None else code
    groups = len(names)
    top = -1 if by_table is False else _width(data)
    fits = groups * (top + 1) <= 4 * len(code) + 1000
    if top >= 0 and (by_table or fits):
        counted = _in_a_table(data, code, groups, top + 1)
    else:
        counted = _after_a_sort(data, code, groups)
    group, time, events, ended, entered = counted
    bounds = np.searchsorted(group, np.arange(groups + 1))
    if data.entry is None:
        at_risk = np.add.reduceat(ended, bounds[:-1])[group] - _before(ended, group, bounds)
    else:
        at_risk = _before(entered - ended, group, bounds)
    if data.weight is not None:  # sums in another order: who leaves last would leave a speck behind, or one too few
        at_risk = np.where(np.isclose(at_risk, ended, rtol=1e-12, atol=0), ended, np.maximum(at_risk, ended))
    return LifeTable(names, bounds, time, at_risk, events, ended, entered, np.bincount(code, minlength=groups))


def totals(code: IntArray, value: FloatArray, size: int) -> FloatArray:
    """Return the sum of the values of each number 0 .. size - 1.

    Parameters
    ----------
    code : ndarray of int, shape (n,)
        Number of each value.
    value : ndarray, shape (n,)
        Values.
    size : int
        How many numbers there are.

    Returns
    -------
    ndarray, shape (size,)

    Examples
    --------
    >>> totals(np.array([1, 0, 1]), np.array([2.0, 3.0, 4.0]), 3).tolist()
    [3.0, 6.0, 0.0]
    """
    return np.asarray(np.bincount(code, weights=value, minlength=size), dtype=np.float64)


Counted = tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]


def _in_a_table(data: Durations, code: IntArray, groups: int, width: int) -> Counted:
    both = _tally(code, data.exit, data.event, data.weight, groups, width)
    events, ended = both[..., 1].ravel(), (both[..., 0] + both[..., 1]).ravel()
    entered = np.zeros(len(ended))
    if data.entry is not None:
        entered = _tally(code, data.entry, np.ones(len(code), dtype=bool), data.weight, groups, width)[..., 1].ravel()
    rows = np.flatnonzero((ended > 0) | (entered > 0))
    group, time = np.divmod(rows, width)
    events, ended, entered = (c[rows].astype(np.float64) for c in (events, ended, entered))
    return group, time.astype(np.float64), events, ended, entered


def _tally(
    code: IntArray, time: FloatArray, event: BoolArray, weight: FloatArray | None, groups: int, width: int
) -> npt.NDArray[Any]:
    if weight is None:
        out = counting.tally(code, time, event, groups, width)
    else:
        out = counting.tally_weighted(code, time, event, weight, groups, width)
    return np.asarray(out)


def _after_a_sort(data: Durations, code: IntArray, groups: int) -> Counted:
    weight = np.ones(len(code)) if data.weight is None else data.weight
    time, ended, events = data.exit, weight, weight * data.event
    entered = None
    if data.entry is not None:
        zero = np.zeros(len(code))
        time, code = np.concatenate([data.exit, data.entry]), np.concatenate([code, code])
        ended, events = np.concatenate([weight, zero]), np.concatenate([events, zero])
        entered = np.concatenate([zero, weight])
    order = sorting.order(time)
    if groups > 1:
        small = code.astype(np.uint16) if groups <= 2**16 else code  # 16 bits: numpy sorts them by radix
        order = order[np.argsort(small[order], kind="stable")]
    time, code = time[order], code[order]
    opens = np.flatnonzero(np.append(True, (time[1:] != time[:-1]) | (code[1:] != code[:-1])))
    ended, events = np.add.reduceat(ended[order], opens), np.add.reduceat(events[order], opens)
    entered = np.zeros(len(opens)) if entered is None else np.add.reduceat(entered[order], opens)
    return code[opens], time[opens], events, ended, entered


def _before(value: FloatArray, group: IntArray, bounds: IntArray) -> FloatArray:
    """Return, for each row, the sum of the earlier rows of its group."""
    total = np.append(0.0, np.cumsum(value))
    return np.asarray(total[:-1] - total[bounds[:-1]][group])


def _width(data: Durations) -> int:
    """Return the largest time if all times are whole and few enough to be counted, else -1."""
    if data.exit.max() > 2**31 or (data.entry is not None and counting.whole(data.entry) < 0):
        return -1
    return int(counting.whole(data.exit))
