"""Figures of failures foreseen: what a ranking finds, counts year by year with their intervals, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from citylib import checks, results
from citylib.plots import frame, intervals, marks, style

__all__ = ["calibration", "catch_curves", "yearly_counts"]

FloatArray = npt.NDArray[np.float64]
POINTS = 200  # of a curve; more cannot be told apart and only make the page heavy


def catch_curves(
    name: str,
    curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    tops: Sequence[float] = (0.05, 0.1),
    until: float = 1.0,
    caption: str = "",
) -> results.Payload:
    """Draw the share of the failures found against the share of the length looked at.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    curves : mapping of str to (taken, found), each array_like, from 0 to 1
        At most six.
    tops : sequence of float
        Shares of the length that are marked, and told in the alternative text.
    until : float, default 1
        Right end of the axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No curve or too many, lengths that differ.
    """
    checks.integer("number of curves", len(curves), minimum=1, maximum=len(style.COLOURS))
    end = checks.number("until", until, above=0, maximum=1)
    grid = np.linspace(0.0, end, POINTS)
    drawn, told = {}, []
    for label, (taken, found) in curves.items():
        x, y = checks.series(label, taken), checks.series(label, found)
        checks.same_length(**{f"{label}, taken": x, f"{label}, found": y})
        at = np.maximum(np.searchsorted(x, np.append(grid, tops) + 1e-12, side="right") - 1, 0)
        drawn[label] = y[at[: len(grid)]]
        told.append(f"{label} " + ", ".join(f"{y[k]:.0%}" for k in at[len(grid) :]))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for top in tops:
            axes.axvline(top, color=mode["faint"], linewidth=1.0)
        axes.plot([0, end], [0, end], color=mode["ink"], linewidth=0.8, label="at random")
        for k, (label, y) in enumerate(drawn.items()):
            axes.step(grid, y, where="post", color=mode["colours"][k], linestyle=marks.SIX_DASHES[k], label=label)
        axes.set(xlabel="share of the length looked at", ylabel="share of the breaks found", xlim=(0, end), ylim=(0, 1))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        frame.legend_above(axes, 2)

    marked = ", ".join(f"{top:.0%}" for top in tops)
    axes_told = "Share of the breaks found against share of the length looked at"
    alt = f"{axes_told}. At {marked} of the length: {'; '.join(told)}."
    return style.show(name, draw, alt=alt, caption=caption, height=4.0)


def yearly_counts(
    name: str,
    years: npt.ArrayLike,
    came: npt.ArrayLike,
    bands: Mapping[str, intervals.Estimates],
    *,
    level: float,
    since: float | None = None,
    label: str = "breaks in the year",
    caption: str = "",
) -> results.Payload:
    """Draw counts that came, year by year, and beside them forecasts with their intervals.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    years, came : array_like, shape (Y,)
        Calendar years and counts.
    bands : mapping of str to (middle, low, high), each array_like, shape (Y,)
        Forecasts, at most five; NaN where there is none.
    level : float
        Coverage that the intervals claim.
    since : float, optional
        From which year on nothing was learned any more; a line is drawn before it.
    label : str
        What is counted.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, no forecast or too many.
    """
    x, y = checks.increasing("years", years), checks.series("came", came)
    held = intervals.checked(bands, what="forecasts", most=len(style.COLOURS) - 1, years=x, came=y)
    step = 0.6 / len(held)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        if since is not None:
            axes.axvline(since - 0.5, color=mode["ink"], linewidth=0.8)
        for k, (key, (middle, low, high)) in enumerate(held.items()):
            at = x + (k - (len(held) - 1) / 2) * step
            axes.vlines(at, low, high, color=mode["colours"][k], linewidth=2.2, alpha=0.75)
            look = {"color": mode["colours"][k], "markersize": 4.5, "label": f"{key}, {level:.0%}"}
            axes.plot(at, middle, marks.UNLIKE_MARKS[k], **look)
        axes.plot(x, y, "_", color=mode["ink"], markersize=16, markeredgewidth=2.2, label="came")
        axes.set(xlabel="calendar year", ylabel=label, ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        frame.legend_above(axes, 3)

    told = []
    for key, (_, low, high) in held.items():
        asked = ~np.isnan(low)
        told.append(f"{key} holds {int(((y >= low) & (y <= high))[asked].sum())} of {int(asked.sum())} counts")
    range_told = f"{label} from {x[0]:g} to {x[-1]:g}, {y.min():g} to {y.max():g}"
    alt = f"{range_told}, with intervals of {level:.0%}: {'; '.join(told)}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.6)


def calibration(
    name: str,
    expected: npt.ArrayLike,
    came: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    caption: str = "",
) -> results.Payload:
    """Draw what came against what was expected, a point a group, on axes of logarithms.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    expected, came, low, high : array_like, shape (G,)
        Of each group, from the least expected up; a group in which nothing came shows its interval only.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, nothing expected of a group.
    """
    named = (("expected", expected), ("came", came), ("low", low), ("high", high))
    x, y, bottom, top = (checks.series(key, value) for key, value in named)
    checks.same_length(expected=x, came=y, low=bottom, high=top)
    checks.number("expected", float(x.min()), above=0)
    least = 0.7 * min(x.min(), y[y > 0].min() if (y > 0).any() else x.min(), top.min())
    most = 1.4 * max(x.max(), top.max())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.plot([least, most], [least, most], color=mode["ink"], linewidth=0.8, label="as many as expected")
        axes.vlines(x, np.maximum(bottom, least), top, color=mode["colours"][0], linewidth=1.6)
        axes.plot(x[y > 0], y[y > 0], "o", color=mode["colours"][0], markersize=5, label="came, 95 % interval")
        axes.set(xscale="log", yscale="log", xlim=(least, most), ylim=(least, most))
        axes.set(xlabel="breaks expected in the group", ylabel="breaks that came")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
        frame.legend_above(axes, 2)

    inside = int(((x >= bottom) & (x <= top)).sum())
    alt = (
        f"Breaks that came against breaks expected in {len(x)} groups of mains, from {x.min():.3g} to {x.max():.3g} "
        f"expected; the intervals of {inside} groups hold what was expected."
    )
    return style.show(name, draw, alt=alt, caption=caption, height=4.2)
