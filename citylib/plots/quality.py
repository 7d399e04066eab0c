"""Figures of data quality: when there are readings, what a filled gap looks like, times that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import style

__all__ = ["CLASSES", "presence", "split_histogram"]

FloatArray = npt.NDArray[np.float64]
CLASSES = ("all there", "up to a tenth missing", "up to half missing", "more than half missing", "all missing")
SHORT = np.timedelta64(70, "D")  # a shorter period is drawn by day and hour, a longer one by year and week
HATCHES = ("", "", "", "//", "xx")  # so that the classes are told apart without colour too


def presence(
    name: str, times: npt.ArrayLike, present: npt.ArrayLike, *, what: str = "readings", caption: str = ""
) -> results.Payload:
    """Draw when there are readings: a row a year, a cell a week; a row a day, a cell an hour if the period is short.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (T,)
        Regular steps, the absent ones included.
    present : array_like of bool, shape (T,) or (T, N)
        True where a reading is there and to be believed.
    what : str, default "readings"
        What is drawn, for the alternative text.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No times, or lengths that differ.
    """
    index = pd.DatetimeIndex(np.asarray(times))
    flags = np.asarray(present, dtype=float)
    if not len(index):
        raise InputError("times", "hold at least one time", 0)
    checks.same_length(times=index.to_numpy(), present=flags)
    there = flags.reshape(len(flags), -1).mean(axis=1)
    rows, columns, row_label, column_label = _grid(index)
    cells = pd.Series(1 - there).groupby([rows, columns]).mean()
    labels = sorted(set(rows))
    codes = cells.map(lambda share: int(np.searchsorted([0.0, 0.1, 0.5, 0.999999], share, side="left")))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        shades = _shades(mode)
        for row, label in enumerate(labels):
            for code, start, width in _runs(codes.loc[label]):
                axes.broken_barh([(start, width)], (row - 0.42, 0.84), hatch=HATCHES[code], **shades[code])
        axes.set_yticks(range(len(labels)), [str(label) for label in labels])
        axes.invert_yaxis()
        axes.set(xlabel=column_label, ylabel=row_label)
        axes.grid(visible=False)
        keys = [Patch(label=CLASSES[c], hatch=HATCHES[c], **shades[c]) for c in sorted(set(codes))]
        axes.legend(handles=keys, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), fontsize="small")

    worst = cells.groupby(level=0).mean()
    alt = (
        f"When there are {what}, {row_label} down and {column_label} across: {np.mean(1 - there):.1%} missing in all; "
        f"most in {worst.idxmax()} ({worst.max():.0%} of what is expected there)."
    )
    return style.show(name, draw, alt=alt, caption=caption, height=1.3 + 0.27 * len(labels))


def split_histogram(
    name: str,
    values: npt.ArrayLike,
    *,
    at: float,
    labels: Sequence[str],
    x_label: str,
    y_label: str,
    bins: int = 40,
    caption: str = "",
) -> results.Payload:
    """Draw a histogram whose part below a limit cannot be, in another colour.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    values : array_like, shape (n,)
        None missing.
    at : float
        The limit, an edge of the bins.
    labels : sequence of two str
        What lies below the limit, and from it on.
    x_label, y_label : str
        With units.
    bins : int, default 40
        About how many.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    found = checks.series("values", values)
    below, above = labels
    wanted = checks.integer("bins", bins, minimum=2)
    width = (max(float(found.max()), at) - min(float(found.min()), at)) / wanted or 1.0
    low, high = np.floor((found.min() - at) / width), np.floor((found.max() - at) / width) + 1
    edges = at + width * np.arange(min(low, 0.0), max(high, 1.0) + 1)
    counts, _ = np.histogram(found, edges)
    wrong = edges[:-1] < at - width / 2

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        looks = ((wrong, mode["colours"][1], "//", below), (~wrong, mode["colours"][0], "", above))
        for part, colour, hatch, label in looks:
            axes.bar(
                edges[:-1][part],
                counts[part],
                width,
                align="edge",
                color=colour,
                hatch=hatch,
                label=label,
                edgecolor=mode["faint"],
                linewidth=0.4,
            )
        axes.axvline(at, color=mode["ink"], lw=1)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.legend()

    alt = (
        f"Histogram of {x_label}: {int((found < at).sum())} of {len(found)} values lie below {at:g} ({below}); "
        f"the median is {np.median(found):.3g}."
    )
    return style.show(name, draw, alt=alt, caption=caption)


def _grid(index: pd.DatetimeIndex) -> tuple[npt.NDArray[Any], npt.NDArray[Any], str, str]:
    if index[-1] - index[0] < SHORT:
        return np.asarray(index.strftime("%Y-%m-%d %a")), np.asarray(index.hour), "day", "hour of the day"
    return np.asarray(index.year), np.asarray((index.dayofyear - 1) // 7 + 1), "year", "week of the year"


def _runs(codes: pd.Series[int]) -> list[tuple[int, int, int]]:
    """Neighbouring cells of one class, as (class, start, width): a handful of bars instead of hundreds of cells."""
    places, kinds = np.asarray(codes.index), np.asarray(codes)
    breaks = np.flatnonzero((np.diff(kinds) != 0) | (np.diff(places) != 1)) + 1
    parts = np.split(np.arange(len(kinds)), breaks)
    return [(int(kinds[p[0]]), int(places[p[0]]), len(p)) for p in parts]


def _shades(mode: dict[str, Any]) -> list[dict[str, Any]]:
    blue, orange = mode["colours"][0], mode["colours"][1]
    faint = mode["faint"]
    looks = [(blue, 1.0), (blue, 0.6), (blue, 0.3), (orange, 0.5), (orange, 1.0)]
    return [{"facecolor": colour, "alpha": alpha, "edgecolor": faint, "linewidth": 0.3} for colour, alpha in looks]
