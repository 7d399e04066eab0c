"""Quality of readings: gaps, repeats, straight and stuck runs, impossible values; flags only, nothing is changed.

Shapes: T time steps, N sensors; a flag array is True where a cell is concerned.
Each fast form has its plain form beside it, and a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel

__all__ = [
    "gap_table",
    "impossible",
    "interpolated",
    "off_grid",
    "repeated_times",
    "run_lengths",
    "straight_runs",
    "stuck",
    "summary",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def run_lengths(flags_TN: npt.ArrayLike) -> IntArray:
    """Return, for each True cell, how many True cells in a row down its column it belongs to.

    Parameters
    ----------
    flags_TN : array_like of bool, shape (T, N)
        Flags, time down.

    Returns
    -------
    ndarray of int64, shape (T, N)
        0 where the flag is False.

    Examples
    --------
    >>> run_lengths([[True], [True], [False], [True]]).ravel().tolist()
    [2, 2, 0, 1]
    """
    flags = _flags(flags_TN)
    steps, sensors = flags.shape
    padded = np.zeros((steps + 1, sensors), dtype=np.int8)
    padded[:steps] = flags
    line = padded.T.ravel()  # column after column, a False between two
    edges = np.diff(line, prepend=np.int8(0))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    out = np.zeros(line.size, dtype=np.int64)
    lengths = ends - starts
    out[line == 1] = np.repeat(lengths, lengths)
    return np.ascontiguousarray(out.reshape(sensors, steps + 1)[:, :steps].T)


def run_lengths_plain(flags_TN: npt.ArrayLike) -> IntArray:
    """Return what `run_lengths` returns, cell by cell."""
    flags = _flags(flags_TN)
    out = np.zeros(flags.shape, dtype=np.int64)
    for column in range(flags.shape[1]):
        start = 0
        for row in range(flags.shape[0] + 1):
            if row == flags.shape[0] or not flags[row, column]:
                out[start:row, column] = row - start
                start = row + 1
    return out


def straight_runs(values_TN: npt.ArrayLike, min_length: int = 4, tolerance: float = 1e-6) -> BoolArray:
    """Flag the cells that lie on a straight line with their neighbours, level runs included.

    Readings of a city do not move on straight lines; whoever published the file
    did, by interpolating its gaps, mostly with a value from after the gap.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings, evenly spaced in time; NaN where missing (it ends a run).
    min_length : int, default 4
        Fewest cells of a run, its two ends included; at least 3.
    tolerance : float, default 1e-6
        A cell is on a line with the cells before and after it when its second
        difference is smaller than this, in the unit of the readings.

    Returns
    -------
    ndarray of bool, shape (T, N)
        True for all cells of a run, its two ends too.

    Raises
    ------
    InputError
        `min_length` under 3, `tolerance` not positive, values not a matrix.

    Examples
    --------
    >>> straight_runs([[5.0], [1.0], [2.0], [3.0], [4.0], [9.0]]).ravel().tolist()
    [False, True, True, True, True, False]
    """
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    inner_needed = checks.integer("min_length", min_length, minimum=3) - 2
    inner = _on_a_line(values, checks.number("tolerance", tolerance, above=0))
    long = run_lengths(inner) >= inner_needed
    out = long.copy()
    out[:-1] |= long[1:]
    out[1:] |= long[:-1]
    return out


def straight_runs_plain(values_TN: npt.ArrayLike, min_length: int = 4, tolerance: float = 1e-6) -> BoolArray:
    """Return what `straight_runs` returns, window by window."""
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    out = np.zeros(values.shape, dtype=bool)
    for column in range(values.shape[1]):
        for start in range(values.shape[0] - min_length + 1):
            window = values[start : start + min_length, column]
            if (np.abs((window[2:] - window[1:-1]) - (window[1:-1] - window[:-2])) < tolerance).all():
                out[start : start + min_length, column] = True
    return out


def off_grid(values_TN: npt.ArrayLike, steps: Sequence[float], tolerance: float = 6e-5) -> BoolArray:
    """Flag readings that are a multiple of none of the steps the instrument is published in.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings; NaN is not flagged.
    steps : sequence of float
        Resolutions in use, such as ``(1, 0.2856)`` for whole µg/m³ and tenths of ppb.
    tolerance : float, default 6e-5
        Distance from a multiple that still counts as on it (values rounded to four decimals).

    Returns
    -------
    ndarray of bool, shape (T, N)

    Examples
    --------
    >>> off_grid([[3.0, 3.5, 0.5712]], steps=(1, 0.2856)).tolist()
    [[False, True, False]]
    """
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    if not len(steps):
        raise InputError("steps", "hold at least one resolution", tuple(steps))
    out = ~np.isnan(values)
    for step in steps:
        size = checks.number("steps", step, above=0)
        out &= np.abs(values - np.round(values / size) * size) > tolerance
    return out


def interpolated(
    values_TN: npt.ArrayLike, steps: Sequence[float], min_length: int = 8, tolerance: float = 1e-6
) -> BoolArray:
    """Flag readings that were filled in on a straight line between two real ones.

    A straight, sloping run counts as filled when one of its inner cells lies off
    the instrument's resolution (then three cells are enough: no reading could
    have that value), or when it has `min_length` cells or more (longer than chance
    makes them on whole numbers). Its two ends are readings and are not flagged.
    Level runs are not flagged: instruments at their floor make them (see `stuck`).

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings, evenly spaced in time; NaN where missing.
    steps : sequence of float
        Resolutions of the instrument, see `off_grid`.
    min_length : int, default 8
        Fewest cells, ends included, of a run that stays on the resolution.
    tolerance : float, default 1e-6
        Of the second difference, see `straight_runs`.

    Returns
    -------
    ndarray of bool, shape (T, N)

    Examples
    --------
    >>> interpolated([[4.0], [4.5], [5.0], [7.0], [8.0], [9.0]], steps=(1,)).ravel().tolist()
    [False, True, False, False, False, False]
    """
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    long = checks.integer("min_length", min_length, minimum=3) - 2
    inner = _on_a_line(values, checks.number("tolerance", tolerance, above=0))
    inner[1:] &= np.abs(np.diff(values, axis=0)) > tolerance  # sloping; NaN is not
    lengths = run_lengths(inner)
    impossible_TN = off_grid(values, steps) & inner
    return inner & ((lengths >= long) | _whole_runs(inner, impossible_TN))


def interpolated_plain(
    values_TN: npt.ArrayLike, steps: Sequence[float], min_length: int = 8, tolerance: float = 1e-6
) -> BoolArray:
    """Return what `interpolated` returns, run by run."""
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    odd = off_grid(values, steps)
    out = np.zeros(values.shape, dtype=bool)
    for column in range(values.shape[1]):
        v, row = values[:, column], 1
        while row < len(v) - 1:
            end = row
            while (
                end < len(v) - 1
                and abs((v[end + 1] - v[end]) - (v[end] - v[end - 1])) < tolerance
                and abs(v[end] - v[end - 1]) > tolerance
            ):
                end += 1
            if odd[row:end, column].any() or end - row >= min_length - 2:
                out[row:end, column] = True
            row = max(end, row + 1)
    return out


def stuck(values_TN: npt.ArrayLike, min_length: int, above: npt.ArrayLike = -np.inf) -> BoolArray:
    """Flag readings that repeat the very same value for at least `min_length` steps.

    Parameters
    ----------
    values_TN : array_like, shape (T, N)
        Readings; NaN where missing.
    min_length : int
        Fewest equal readings in a row; at least 2.
    above : array_like, shape () or (N,), optional
        Only values above this count: at its floor an instrument may rightly repeat itself.

    Returns
    -------
    ndarray of bool, shape (T, N)

    Examples
    --------
    >>> stuck([[7.0], [7.0], [7.0], [8.0]], min_length=3).ravel().tolist()
    [True, True, True, False]
    """
    values = checks.matrix("values_TN", values_TN, missing=True, at_least=0)
    needed = checks.integer("min_length", min_length, minimum=2) - 1
    same = np.zeros(values.shape, dtype=bool)
    same[1:] = values[1:] == values[:-1]
    long = run_lengths(same) >= needed
    long[:-1] |= long[1:]
    return long & (values > np.asarray(above, dtype=np.float64))


def impossible(panel: Panel, low: float, high: float) -> BoolArray:
    """Flag readings outside [`low`, `high`], the range physics or law of the place allows.

    Parameters
    ----------
    panel : Panel
        Readings.
    low, high : float
        In the panel's unit; infinite for no bound.

    Returns
    -------
    ndarray of bool, shape (T, N)
        Missing readings are not flagged.
    """
    if not low <= high:
        raise InputError("low, high", "be in order", (low, high))
    return (panel.values < low) | (panel.values > high)


def repeated_times(times: npt.ArrayLike) -> BoolArray:
    """Flag rows whose time occurred in an earlier row (the first of equals is not flagged).

    Examples
    --------
    >>> repeated_times(["2026-01-01T00", "2026-01-01T01", "2026-01-01T00"]).tolist()
    [False, False, True]
    """
    return np.asarray(pd.Series(np.asarray(times)).duplicated(), dtype=bool)


def gap_table(panel: Panel, top: int | None = 10) -> pd.DataFrame:
    """Return the longest gaps, whether their steps are there as missing or absent altogether.

    Parameters
    ----------
    panel : Panel
        Readings, evenly spaced or not; the most frequent step counts.
    top : int or None, default 10
        How many; None: all.

    Returns
    -------
    pandas.DataFrame
        sensor, since (first missing step), until (last missing step), steps, hours; longest first.
    """
    step = _usual_step(panel.times)
    parts = [
        _gaps_of(panel.times[seen], panel.times, step, s) for s, seen in zip(panel.sensors, panel.mask.T, strict=True)
    ]
    columns = ["sensor", "since", "until", "steps", "hours"]
    found = [p for p in parts if len(p)]
    if not found:
        return pd.DataFrame({c: pd.Series(dtype=t) for c, t in zip(columns, _GAP_TYPES, strict=True)})
    gaps = pd.concat(found, ignore_index=True).sort_values("steps", ascending=False, kind="stable", ignore_index=True)
    return gaps if top is None else gaps.head(checks.integer("top", top, minimum=1))


def summary(panel: Panel) -> pd.DataFrame:
    """Return one row a sensor: how much is there, how it is spread, and what looks wrong.

    Returns
    -------
    pandas.DataFrame
        sensor, readings, missing_share, longest_gap_hours, lowest, mean, highest, zero_share,
        repeat_share (equal to the reading before) and straight_share (cells of straight, sloping or
        level, runs of four or more); shares are of the readings that are there.
    """
    values, seen = panel.values, panel.mask
    count = seen.sum(axis=0)
    per = np.maximum(count, 1)
    filled = np.where(seen, values, 0.0)
    empty = count == 0
    longest = gap_table(panel, top=None).groupby("sensor")["hours"].max()
    repeats = (values[1:] == values[:-1]).sum(axis=0)
    return pd.DataFrame(
        {
            "sensor": list(panel.sensors),
            "readings": count,
            "missing_share": 1 - count / max(len(values), 1),
            "longest_gap_hours": longest.reindex(list(panel.sensors)).fillna(0.0).to_numpy(),
            "lowest": np.where(empty, np.nan, np.where(seen, values, np.inf).min(axis=0, initial=np.inf)),
            "mean": np.where(empty, np.nan, filled.sum(axis=0) / per),
            "highest": np.where(empty, np.nan, np.where(seen, values, -np.inf).max(axis=0, initial=-np.inf)),
            "zero_share": (values == 0).sum(axis=0) / per,
            "repeat_share": repeats / per,
            "straight_share": straight_runs(values).sum(axis=0) / per,
        }
    )


_GAP_TYPES = ("object", "datetime64[ns]", "datetime64[ns]", "int64", "float64")


def _gaps_of(
    seen: npt.NDArray[np.datetime64], times: npt.NDArray[np.datetime64], step: np.timedelta64, sensor: str
) -> pd.DataFrame:
    """Return the gaps of one sensor: between its readings, and before the first and after the last."""
    before, after = times[:1] - step, times[-1:] + step
    line = np.concatenate([before, seen, after])
    jumps = np.diff(line)
    at = np.flatnonzero(jumps > step * 1.5)
    since, until = line[at] + step, line[at + 1] - step
    inside = np.isin(since, times, assume_unique=False) | (since <= until)
    at, since, until = at[inside], since[inside], np.maximum(until, since)[inside]
    steps = np.maximum(np.round(jumps[at] / step).astype(np.int64) - 1, 1)
    hours = steps * (step / np.timedelta64(1, "h"))
    return pd.DataFrame({"sensor": sensor, "since": since, "until": until, "steps": steps, "hours": hours})


def _usual_step(times: npt.NDArray[np.datetime64]) -> np.timedelta64:
    if len(times) < 2:
        return np.timedelta64(3_600_000_000_000, "ns")
    sizes, counts = np.unique(np.diff(times), return_counts=True)
    return cast("np.timedelta64", sizes[np.argmax(counts)])


def _on_a_line(values: FloatArray, tolerance: float) -> BoolArray:
    inner = np.zeros(values.shape, dtype=bool)
    if len(values) > 2:
        inner[1:-1] = np.abs(np.diff(values, n=2, axis=0)) < tolerance
    return inner


def _whole_runs(flags_TN: BoolArray, marked_TN: BoolArray) -> BoolArray:
    """Flag every cell of the runs of `flags_TN` that hold at least one marked cell."""
    starts = flags_TN.copy()
    starts[1:] &= ~flags_TN[:-1]
    label = np.cumsum(starts.T.ravel()).reshape(flags_TN.shape[::-1]).T
    label = np.where(flags_TN, label, 0)
    return flags_TN & np.isin(label, label[marked_TN])


def _flags(value: npt.ArrayLike) -> BoolArray:
    flags = checks.binary("flags_TN", value)
    if flags.ndim != 2:
        raise InputError("flags_TN", "have 2 dimension(s)", flags.shape)
    return flags
