"""Sorting of a million numbers: what every count over durations begins with.

Numbers that spread over their range are thrown into as many equal boxes as there are numbers, and then
only neighbours remain to be swapped: linear in time, stable, several times as fast as a general sort. Where
the numbers crowd into few boxes it gives up early, and numpy's general sort does it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["dense_ranks", "order"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
PATIENCE = 12  # swaps per number after which the numbers are taken to crowd


def order(value: FloatArray, start: IntArray | None = None) -> IntArray:
    """Return the rows that put numbers in rising order, ties as they stand.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Numbers, none missing or infinite.
    start : ndarray of int, shape (n,), optional
        An order in which rows stand already; by default 0, 1, ...

    Returns
    -------
    ndarray of int, shape (n,)

    Examples
    --------
    >>> order(np.array([3.0, 1.0, 2.0, 1.0])).tolist()
    [1, 3, 2, 0]
    """
    rows = np.arange(len(value)) if start is None else start
    sorted_rows, done = _by_boxes(value, rows)
    if not done:
        sorted_rows = rows[np.argsort(value[rows], kind="stable")]
    return np.asarray(sorted_rows)


def dense_ranks(value: FloatArray) -> tuple[IntArray, int]:
    """Return the rank of each number, 0 for all the smallest, and how many ranks there are.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Numbers, none missing or infinite.

    Returns
    -------
    rank : ndarray of int, shape (n,)
    ranks : int

    Examples
    --------
    >>> rank, ranks = dense_ranks(np.array([0.5, 0.2, 0.5]))
    >>> rank.tolist(), ranks
    ([1, 0, 1], 2)
    """
    rank, ranks = _ranks(value, order(value))
    return np.asarray(rank), int(ranks)


@njit(cache=True, nogil=True)
def _by_boxes(value, start):
    """Return rows in rising order and True, or anything and False where it would take too long."""
    n = len(value)
    if n < 2:
        return start.copy(), True
    low, high = value.min(), value.max()
    if low == high:
        return start.copy(), True
    scale = (n - 1) / (high - low)
    if not scale < np.inf or scale == 0.0:  # too narrow or too wide for the arithmetic
        return start, False
    ends = np.zeros(n + 2, dtype=np.int64)
    for i in range(n):
        ends[np.uint64((value[i] - low) * scale) + np.uint64(1)] += 1
    for k in range(n + 1):
        ends[k + 1] += ends[k]
    keys, rows = np.empty(n), np.empty(n, dtype=np.int64)
    for i in range(n):
        row = start[i]
        v = value[row]
        box = np.uint64((v - low) * scale)
        at = ends[box]
        ends[box] = at + 1
        keys[at], rows[at] = v, row
    left = PATIENCE * n
    for i in range(1, n):
        v, row, j = keys[i], rows[i], i - 1
        while j >= 0 and keys[j] > v:
            keys[j + 1], rows[j + 1] = keys[j], rows[j]
            j -= 1
        keys[j + 1], rows[j + 1] = v, row
        left -= i - 1 - j
        if left < 0:
            return rows, False
    return rows, True


@njit(cache=True, nogil=True)
def _ranks(value, rows):
    rank = np.empty(len(value), dtype=np.int64)
    last = -1
    for i in range(len(rows)):
        if i == 0 or value[rows[i]] != value[rows[i - 1]]:
            last += 1
        rank[rows[i]] = last
    return rank, last + 1
