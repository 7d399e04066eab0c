"""Figures that hold places against each other: their order with intervals, a curve each on common axes, a map.

Each returns HTML, for these figures stand on pages that no notebook makes; in a notebook `citylib.results.figure`
shows it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from citylib import checks
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["MOST_CURVES", "MOST_ROWS", "curves", "lines_of", "ranking"]

FloatArray = npt.NDArray[np.float64]
MOST_ROWS, MOST_CURVES = 60, 60  # places drawn; a table beside the figure has all
COLUMNS, MOST_LINES = 4, len(marks.DASHES)
LOW, HIGH = "_low", "_high"


def ranking(
    name: str,
    places: Sequence[str],
    values: npt.ArrayLike,
    *,
    label: str,
    intervals: npt.ArrayLike | None = None,
    joint: npt.ArrayLike | None = None,
    baselines: npt.ArrayLike | None = None,
    level: float = 0.95,
    caption: str = "",
) -> str:
    """Draw places in their order, each with its value, its interval and its baseline.

    Parameters
    ----------
    name : str
        Snake-case name, unique on the page.
    places : sequence of str, length P
        In order, the first on top; of more than `MOST_ROWS` those in the middle are left out.
    values : array_like, shape (P,)
        What they are ordered by.
    label : str
        What it is, with its unit.
    intervals, joint : array_like, shape (P, 2), optional
        Each value's own interval (drawn thick), and the wider one with which all hold at once (thin); NaN for none.
    baselines : array_like, shape (P,), optional
        Marked beside the values; NaN for none.
    level : float, default 0.95
        Coverage that the intervals claim.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    str
        HTML; the alternative text gives both ends of the order.

    Raises
    ------
    InputError
        No places, or lengths that differ.
    """
    names = [str(place) for place in places]
    value = checks.series("values", values)
    checks.same_length(places=names, values=value)
    own, all_of = (_pairs(key, pairs, len(value)) for key, pairs in (("intervals", intervals), ("joint", joint)))
    base = np.full(len(value), np.nan) if baselines is None else checks.series("baselines", baselines, missing=True)
    checks.same_length(values=value, baselines=base)
    rows, y = _rows(len(value))
    height = 0.85 + 0.235 * (y[-1] + 1)
    ends = f"first {names[0]} ({value[0]:.3g}), last {names[-1]} ({value[-1]:.3g})"
    alt = f"{label} of {len(value)} places in order: {ends}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        first, second = mode["colours"][:2]
        if not np.isnan(all_of).all():
            axes.hlines(y, *all_of[rows].T, color=first, linewidth=1, label=f"{level:.0%}, all places at once")
        if not np.isnan(own).all():
            axes.hlines(y, *own[rows].T, color=first, linewidth=3.4, alpha=0.55, label=f"{level:.0%}, one place")
        axes.plot(value[rows], y, "o", color=first, markersize=5, label="value")
        if not np.isnan(base).all():
            axes.plot(base[rows], y, "|", color=second, markersize=11, markeredgewidth=2, label="baseline")
        axes.set_yticks(y, [textwrap.shorten(names[k], 34, placeholder="…") for k in rows])
        if len(rows) < len(value):
            at = float(y[int(np.argmax(np.diff(y) > 1))]) + 1
            across = axes.get_yaxis_transform()
            axes.text(0.5, at, f"{len(value) - len(rows)} more", transform=across, va="center")
        axes.set(xlabel=label, ylim=(y[-1] + 0.7, -0.7))
        axes.grid(axis="y", visible=False)
        frame.legend_outside(figure, axes, 4, side="upper", size=9)

    return style.framed(name, style.both(name, draw, alt=alt, height=height), caption)


def lines_of(table: pd.DataFrame) -> dict[str, tuple[str, str] | None]:
    """Return the lines that a table has beside its first column, each with the columns of its band, if it has one.

    Raises
    ------
    InputError
        No column of numbers beside the first, or more than 4 that are no band.

    Examples
    --------
    >>> lines_of(pd.DataFrame({"hour": [0], "mean": [1.0], "mean_low": [0.0], "mean_high": [2.0], "last": [3.0]}))
    {'mean': ('mean_low', 'mean_high'), 'last': None}
    """
    numbers = [str(c) for c in table.columns[1:] if pd.api.types.is_numeric_dtype(table[c].dtype)]
    ends = {c for c in numbers for end in (LOW, HIGH) if c.endswith(end) and c.removesuffix(end) in numbers}
    lines = {c: (c + LOW, c + HIGH) if {c + LOW, c + HIGH} <= ends else None for c in numbers if c not in ends}
    if not 1 <= len(lines) <= MOST_LINES:
        raise InputError("table", f"have 1 to {MOST_LINES} columns of numbers to draw beside the first", list(lines))
    return lines


def curves(name: str, tables: Mapping[str, pd.DataFrame], *, label: str, caption: str = "") -> str:
    """Draw a small figure for each place, all on the same axes, with the middle of all places in grey.

    Parameters
    ----------
    name : str
        Snake-case name, unique on the page.
    tables : mapping of str to pandas.DataFrame
        By place, with the same columns: what goes along first, then up to 4 lines, each with a band if columns of
        its name with ``_low`` and ``_high`` follow. Of more than `MOST_CURVES` places the first are drawn.
    label : str
        What the lines are, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    InputError
        No places, columns that differ, no lines or too many.
    """
    if not tables:
        raise InputError("tables", "hold at least one place", 0)
    shown = dict(list(tables.items())[:MOST_CURVES])
    one = next(iter(shown.values()))
    lines, along = lines_of(one), str(one.columns[0])
    for place, table in shown.items():
        if list(table.columns) != list(one.columns):
            raise InputError("tables", f"have the columns {list(one.columns)}", f"{list(table.columns)} of {place}")
    columns = min(COLUMNS, len(shown))
    down = -(-len(shown) // columns)
    leading = next(iter(lines))
    middle = pd.concat([t.set_index(along)[leading] for t in shown.values()], axis=1).median(axis=1)
    spread = [t[leading].mean() for t in shown.values()]
    alt = (
        f"{label} by {along.replace('_', ' ')}, a small figure for each of {len(shown)} places on common axes; the "
        f"mean of {leading.replace('_', ' ')} goes from {min(spread):.3g} to {max(spread):.3g}."
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(down, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axes, (place, table) in zip(grid, shown.items(), strict=False):
            axes.plot(middle, color=mode["ink"], alpha=0.45, linewidth=0.9)
            for k, (line, band) in enumerate(lines.items()):
                colour = mode["colours"][k]
                if band is not None:
                    axes.fill_between(table[along], *(table[c] for c in band), color=colour, alpha=0.2, linewidth=0)
                axes.plot(table[along], table[line], color=colour, linestyle=marks.DASHES[k], linewidth=1.2)
            axes.set_title(textwrap.shorten(place, 24, placeholder="…"), fontsize=8.5)
            axes.tick_params(labelsize=8)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        _legend(figure, mode, list(lines), leading)
        figure.supxlabel(along.replace("_", " "), fontsize=9)
        figure.supylabel(label, fontsize=9)

    height = 0.9 + 1.15 * down
    return style.framed(name, style.both(name, draw, alt=alt, height=height), caption)


def _legend(figure: Figure, mode: dict[str, Any], lines: Sequence[str], leading: str) -> None:
    axes = figure.axes[0]
    for k, line in enumerate(lines):
        axes.plot([], [], color=mode["colours"][k], linestyle=marks.DASHES[k], label=line.replace("_", " "))
    words = f"middle of all places ({leading.replace('_', ' ')})"
    axes.plot([], [], color=mode["ink"], alpha=0.45, linewidth=0.9, label=words)
    frame.legend_outside(figure, axes, len(lines) + 1, side="upper", size=8.5)


def _rows(count: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Return which places are drawn, and how far down; with a gap where some are left out."""
    if count <= MOST_ROWS:
        return np.arange(count), np.arange(count, dtype=float)
    half = MOST_ROWS // 2
    rows = np.concatenate([np.arange(half), np.arange(count - half, count)])
    return rows, np.concatenate([np.arange(half), half + 2 + np.arange(half)]).astype(float)


def _pairs(argument: str, pairs: npt.ArrayLike | None, count: int) -> FloatArray:
    if pairs is None:
        return np.full((count, 2), np.nan)
    out = checks.matrix(argument, pairs, missing=True)
    if out.shape != (count, 2):
        raise InputError(argument, f"have shape ({count}, 2)", out.shape)
    return out
