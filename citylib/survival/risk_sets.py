"""Who is at risk when: rows of (entry, exit, event) as numbers of event times, so that a fit need not sort them.

Only times at which something ended matter. They are numbered through all strata, one stratum after the other, in order
of time. A row is at risk at those after its entry, up to and including its exit: one that enters at the time of an
event is not yet at risk at it.
Legend: n rows, K event times, G strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["RiskSets", "risk_sets"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Event times, and for each row the numbers of those at which it is at risk.

    Parameters
    ----------
    time : ndarray, shape (K,)
        Event times, increasing within each stratum.
    stratum : ndarray of int, shape (K,)
        Number of the stratum.
    opens : ndarray of bool, shape (K,)
        First of its stratum.
    deaths : ndarray of int, shape (K,)
        Events at each.
    last : ndarray of int32, shape (n,)
        Last event time at which a row is at risk; -1: at none.
    before : ndarray of int32, shape (n,)
        Last event time of its stratum at which a row has not yet entered; -1: none.
    """

    time: FloatArray
    stratum: npt.NDArray[np.int64]
    opens: npt.NDArray[np.bool_]
    deaths: npt.NDArray[np.int64]
    last: IntArray
    before: IntArray

    def part(self, event: npt.NDArray[np.bool_], every: int) -> RiskSets:
        """Return the risk sets of every so-manieth row, at the event times of these.

        Parameters
        ----------
        event : ndarray of bool
            Whether each of these rows ended in an event.
        every : int
            1: all rows, 2: every second, ...

        Returns
        -------
        RiskSets
        """
        last, before = self.last[::every].copy(), self.before[::every].copy()
        deaths = np.bincount(last[event], minlength=len(self.time))
        kept = deaths > 0
        number = (np.cumsum(kept) - 1).astype(np.int32)
        number[self.stratum[kept][np.maximum(number, 0)] != self.stratum] = -1  # the kept one is of a stratum before
        for of in (last, before):
            of[of >= 0] = number[of[of >= 0]]
        last[last <= before] = -1
        before[last < 0] = -1
        stratum = self.stratum[kept]
        opens = np.append(True, stratum[1:] != stratum[:-1])
        return RiskSets(self.time[kept], stratum, opens, deaths[kept], last, before)


def risk_sets(
    stop: FloatArray, event: npt.NDArray[np.bool_], *, entry: FloatArray | None, stratum: npt.NDArray[np.int64] | None
) -> RiskSets:
    """Number the event times of checked rows.

    Parameters
    ----------
    stop : ndarray, shape (n,)
        Exit times.
    event : ndarray of bool, shape (n,)
        Whether the row ended in an event; at least one did.
    entry : ndarray, shape (n,), optional
        Times after which a row is at risk; none: from ever.
    stratum : ndarray of int, shape (n,), optional
        Number of the stratum, from 0.

    Returns
    -------
    RiskSets

    Examples
    --------
    >>> found = risk_sets(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]),
    ...                   entry=np.array([0.0, 1.0, 1.0]), stratum=None)
    >>> found.time.tolist(), found.last.tolist(), found.before.tolist()
    ([1.0, 3.0], [0, -1, 1], [-1, -1, 0])
    """
    ended = stop[event]
    grid, whole = _distinct(ended)
    last = _up_to(grid, stop, whole)
    before = None if entry is None else _up_to(grid, entry, whole)
    if stratum is None:
        time, of_time, opens = grid, np.zeros(len(grid), dtype=np.int64), np.zeros(len(grid), dtype=np.bool_)
        opens[0] = True
        last -= 1
        if before is not None:
            before -= 1
    else:
        time, of_time, opens, last, before = _by_stratum(grid, event, stratum, last, before)
    if before is None:
        before = np.full(len(last), -1, dtype=np.int32)
    else:
        last[last <= before] = -1
        before[last < 0] = -1
    deaths = np.bincount(last[event], minlength=len(time))
    return RiskSets(time, of_time, opens, deaths, last, before)


def _by_stratum(
    grid: FloatArray,
    event: npt.NDArray[np.bool_],
    stratum: npt.NDArray[np.int64],
    last: IntArray,
    before: IntArray | None,
) -> tuple[FloatArray, npt.NDArray[np.int64], npt.NDArray[np.bool_], IntArray, IntArray | None]:
    """Turn counts of event times of the whole into numbers of event times of each row's stratum."""
    wide = len(grid) + 1
    ended = stratum[event] * wide + last[event]
    strata = int(stratum.max()) + 1
    if strata * wide <= 4 * len(last) + 10_000:  # a table of all that could be is quicker than sorting
        seen = np.zeros(strata * wide, dtype=np.bool_)
        seen[ended] = True
        keys = np.flatnonzero(seen)
        count = np.cumsum(seen, dtype=np.int32)

        def number(of: IntArray) -> IntArray:
            return np.asarray(count[stratum * wide + of] - 1, dtype=np.int32)
    else:
        keys = np.unique(ended)

        def number(of: IntArray) -> IntArray:
            return np.searchsorted(keys, stratum * wide + of, side="right").astype(np.int32) - np.int32(1)

    of_time = keys // wide
    opens = np.append(True, of_time[1:] != of_time[:-1])
    # below the first of its own stratum a number belongs to the stratum before
    first = np.searchsorted(of_time, np.arange(strata)).astype(np.int32)[stratum]

    def within(of: IntArray) -> IntArray:
        found = number(of)
        found[found < first] = -1
        return found

    return grid[keys % wide - 1], of_time, opens, within(last), None if before is None else within(before)


def _distinct(ended: FloatArray) -> tuple[FloatArray, bool]:
    """Return the sorted distinct times, and whether they are whole numbers in a range worth a table."""
    low, high = float(ended.min()), float(ended.max())
    whole = high - low < 4 * len(ended) + 10_000 and abs(low) < 1e15 and abs(high) < 1e15
    if whole:
        seen = np.zeros(int(high) - int(low) + 2, dtype=np.bool_)
        whole = bool(low.is_integer()) and bool(_mark(ended, low, seen))
        if whole:
            return np.asarray(low + np.flatnonzero(seen), dtype=np.float64), True
    return np.unique(ended), False


def _up_to(grid: FloatArray, time: FloatArray, whole: bool) -> IntArray:
    """Return how many of the grid's times are at or before each time."""
    if not whole:
        if len(grid) < 10_000:
            return np.searchsorted(grid, time, side="right").astype(np.int32)
        out = np.empty(len(time), dtype=np.int32)
        order = np.argsort(time)  # looked up in order, each finds its place near the one before
        out[order] = np.searchsorted(grid, time[order], side="right")
        return out
    low = grid[0]
    count = np.zeros(int(grid[-1] - low) + 1, dtype=np.int32)
    count[(grid - low).astype(np.int64)] = 1
    out = np.empty(len(time), dtype=np.int32)
    _look_up(time, low, np.cumsum(count, dtype=np.int32), out)
    return out


@njit(cache=True, nogil=True)
def _mark(time_n, low, seen_R):
    """Mark times, all at least `low`, in a table; return whether they are whole numbers."""
    for i in range(len(time_n)):
        at = int(time_n[i] - low)
        if at != time_n[i] - low:
            return False
        seen_R[at] = True
    return True


@njit(cache=True, nogil=True)
def _look_up(time_n, low, count_R, out_n):
    """Fill in the count at the whole part of each time above `low`."""
    high = len(count_R) - 1
    for i in range(len(time_n)):
        above = time_n[i] - low
        if above < 0:
            out_n[i] = 0
        else:
            out_n[i] = count_R[int(above)] if above < high else count_R[high]
