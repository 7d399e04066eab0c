"""Figures of events that come again: who was watched when, what of a log is used, rates by age, estimates compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["by_age", "forest", "lexis", "log_by_year"]

FloatArray = npt.NDArray[np.float64]
MOST_MARKS = 25  # points of a line that are marked; more run into each other


def lexis(
    name: str,
    laid: npt.ArrayLike,
    watched_from: npt.ArrayLike,
    watched_until: npt.ArrayLike,
    of: npt.ArrayLike,
    failed: npt.ArrayLike,
    *,
    recorded_from: float,
    caption: str = "",
) -> results.Payload:
    """Draw some assets as lines over the calendar, rising with age: dashed unwatched, solid watched, dots failures.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    laid, watched_from, watched_until : array_like, shape (N,)
        Years (with decimals) in which each was laid, came under watch, and left it.
    of : array_like of int, shape (B,)
        Asset of each failure, as a place in `laid`.
    failed : array_like, shape (B,)
        Year of each failure, with decimals.
    recorded_from : float
        Year from which failures were recorded.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, missing values.
    """
    born, opens, closes = (checks.series("laid", v) for v in (laid, watched_from, watched_until))
    checks.same_length(laid=born, watched_from=opens, watched_until=closes)
    who, when = checks.array("of", of, ndim=1).astype(np.int64), checks.array("failed", failed, ndim=1)
    checks.same_length(of=who, failed=when)
    late = int((opens > born).sum())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        blue, red = mode["colours"][:2]
        axes.axvline(recorded_from, color=mode["ink"], linewidth=0.8)
        for k in range(len(born)):
            dark, light = ("watched", "in the ground, not watched") if k == 0 else (None, None)
            axes.plot([opens[k], closes[k]], [opens[k] - born[k], closes[k] - born[k]], color=blue, label=dark)
            axes.plot([born[k], opens[k]], [0, opens[k] - born[k]], ":", color=blue, linewidth=0.9, label=light)
        axes.plot(when, when - born[who], "o", color=red, markersize=4, label="break")
        axes.set(xlabel="calendar year", ylabel="age of the pipe [years]", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        frame.legend_above(axes, 3)

    alt = (
        f"{len(born)} pipes as lines over calendar year and age. {late} of them were laid before they came under watch "
        f"and enter it at an age above 0; {len(when)} breaks are marked. Recording began in {recorded_from:g}."
    )
    return style.show(name, draw, alt=alt, caption=caption, height=3.4)


def log_by_year(
    name: str, years: npt.ArrayLike, parts: Mapping[str, npt.ArrayLike], *, caption: str = ""
) -> results.Payload:
    """Draw the records of each year as bars, one part upon the other.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    years : array_like, shape (Y,)
        Calendar years.
    parts : mapping of str to array_like, shape (Y,)
        Records of each year by what becomes of them; at most six.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, no part or too many.
    """
    year = checks.series("years", years)
    held = {label: checks.series(label, part) for label, part in parts.items()}
    checks.integer("number of parts", len(held), minimum=1, maximum=len(style.COLOURS))
    checks.same_length(years=year, **held)
    stack = np.cumsum([np.zeros(len(year)), *held.values()], axis=0)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for k, label in enumerate(held):
            axes.bar(
                year, held[label], bottom=stack[k], width=0.85, label=label, color=mode["colours"][k],
                hatch=("", "///", "..", "xx", "\\\\", "++")[k], edgecolor=mode["ink"], linewidth=0.3,
            )  # fmt: skip
        axes.set(xlabel="calendar year", ylabel="records in the log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="x", visible=False)
        frame.legend_above(axes, 2)

    totals = "; ".join(f"{label} {part.sum():,.0f}" for label, part in held.items())
    alt = f"Bars of the records of each year from {year.min():.0f} to {year.max():.0f}. In all: {totals}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.4)


def by_age(
    name: str,
    age: npt.ArrayLike,
    lines: Mapping[str, intervals.Estimates],
    *,
    label: str,
    truth: npt.ArrayLike | None = None,
    x_label: str = "age of the pipe [years]",
    level: float | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw what changes with age: estimates with their bands, and the truth where it is known.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    age : array_like, shape (K,)
        Ages, increasing.
    lines : mapping of str to (value, low, high), each array_like, shape (K,)
        At most six; NaN where nothing is known.
    label : str
        What it is, with its unit.
    truth : array_like, shape (K,), optional
        Planted values.
    x_label : str, optional
        What stands below the axis.
    level : float, optional
        A horizontal line at this value, such as a coefficient that does not change.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, ages that do not increase, no line or too many.
    """
    x = checks.increasing("age", age)
    held = intervals.checked(lines, what="lines", most=len(style.COLOURS), age=x)
    planted = None if truth is None else checks.series("truth", truth, missing=True)
    signs = marks.UNLIKE_MARKS if len(x) <= MOST_MARKS else ("",) * len(held)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        if level is not None:
            axes.axhline(level, color=mode["ink"], linewidth=0.8)
        for k, (key, (value, low, high)) in enumerate(held.items()):
            colour = mode["colours"][k]
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(x, value, color=colour, linestyle=marks.SIX_DASHES[k], marker=signs[k], markersize=3.5, label=key)
        if planted is not None:
            axes.plot(x, planted, color=mode["ink"], linewidth=1.2, label="truth")
        axes.set(xlabel=x_label, ylabel=label)
        frame.legend_above(axes, 2)

    ends = "; ".join(f"{key} from {_ends(value)}" for key, (value, _, _) in held.items())
    known = "" if planted is None else f" The truth goes from {_ends(planted)}."
    alt = f"{label} by {x_label}, {x[0]:g} to {x[-1]:g}: {ends}.{known}"
    return style.show(name, draw, alt=alt, caption=caption, height=3.6)


def forest(
    name: str,
    labels: Sequence[str],
    columns: Mapping[str, intervals.Estimates],
    *,
    x_label: str,
    truth: npt.ArrayLike | None = None,
    reference: float | None = None,
    log: bool = False,
    caption: str = "",
) -> results.Payload:
    """Draw estimates with their intervals side by side, a block of rows a label, and the truth where it is known.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : sequence of str, length K
        Down the side.
    columns : mapping of str to (value, low, high), each array_like, shape (K,)
        At most six answers to each label; NaN where there is none.
    x_label : str
        What is estimated, with its unit.
    truth : array_like, shape (K,), optional
        Planted values; NaN where there is none.
    reference : float, optional
        A vertical line, such as a ratio of 1.
    log : bool, default False
        A logarithmic axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, no column or too many, a logarithmic axis with values not above 0.
    """
    rows = np.arange(len(labels), dtype=np.float64)
    held = intervals.checked(columns, what="columns", most=len(style.COLOURS), labels=rows)
    planted = np.full(len(labels), np.nan) if truth is None else checks.series("truth", truth, missing=True)
    every = np.concatenate([planted, *(part for three in held.values() for part in three)])
    checks.same_length(labels=rows, truth=planted)
    if log and (every <= 0).any():
        raise InputError("columns", "be above 0 on a logarithmic axis", float(np.nanmin(every)))
    step = 0.8 / len(held)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        if reference is not None:
            axes.axvline(reference, color=mode["ink"], linewidth=0.8)
        for k, (key, three) in enumerate(held.items()):
            at, mark = rows + (k - (len(held) - 1) / 2) * step, marks.UNLIKE_MARKS[k]
            intervals.by_row(axes, at, three, mode["colours"][k], mark=mark, size=4.5, label=key)
        if truth is not None:
            label = "truth"
            for row in np.flatnonzero(~np.isnan(planted)):
                axes.vlines(planted[row], row - 0.45, row + 0.45, color=mode["ink"], linewidth=1.6, label=label)
                label = "_again"
        frame.rows(axes, labels, label=x_label)
        if log:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        frame.legend_above(axes, 2 if len(held) > 3 else 3)

    told = "; ".join(
        f"{label}: " + ", ".join(f"{key} {three[0][k]:.3g}" for key, three in held.items() if np.isfinite(three[0][k]))
        for k, label in enumerate(labels)
    )
    known = "" if truth is None else f" The truth is marked for {int((~np.isnan(planted)).sum())} of them."
    alt = f"{x_label}, with intervals. {told}.{known}"
    height = 1.1 + len(labels) * max(0.3, 0.16 * len(held)) + 0.2 * (len(held) // 3)
    return style.show(name, draw, alt=alt, caption=caption, height=height)


def _ends(values: FloatArray) -> str:
    known = values[np.isfinite(values)]
    return f"{known[0]:.3g} to {known[-1]:.3g}" if len(known) else "nothing to nothing"
