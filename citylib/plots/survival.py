"""Figures of survival: curves with bands and the numbers at risk under them, forecasts of shares.

A curve is anything with the attributes of `SurvivalCurve`; the families need not be imported.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from citylib import checks, results
from citylib.plots import frame, marks, steps, style

__all__ = ["SurvivalCurve", "shares", "survival_curves"]

FloatArray = npt.NDArray[np.float64]


class SurvivalCurve(steps.Banded, Protocol):
    """What is drawn of a curve: see `citylib.survival.kaplan_meier.Curve`."""

    @property
    def group(self) -> str:
        """Name in the legend."""
        ...

    @property
    def survival(self) -> FloatArray:
        """Value from each time on."""
        ...

    @property
    def median(self) -> float:
        """Time at which the curve reaches one half; inf: never."""
        ...

    def at_risk_at(self, time: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the numbers at risk just before given times."""
        ...


def survival_curves(
    name: str,
    curves: Iterable[SurvivalCurve],
    *,
    until: float,
    unit: str = "years",
    what: str = "share still without failure",
    since: str = "the gap began",
    lowest: float = 0.0,
    caption: str = "",
) -> results.Payload:
    """Draw survival curves with their bands, and the numbers at risk in a table under the axis.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    curves : iterable of SurvivalCurve
        At most six, the palette's length.
    until : float
        Right end of the time axis, in `unit`.
    unit : str, default "years"
        Of the times.
    what : str
        Label of the vertical axis.
    since : str, default "the gap began"
        What time is counted from.
    lowest : float, default 0
        Where the vertical axis begins; above 0 it is said beside it.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives each curve's median.
    """
    drawn = list(curves)
    checks.number("number of curves", len(drawn), minimum=1, maximum=len(style.COLOURS))
    until = checks.number("until", until, above=0)
    lowest = checks.number("lowest", lowest, minimum=0, maximum=0.99)
    what = f"{what}\n(the axis begins at {lowest:.0%})" if lowest else what
    ticks = _ticks(until)
    medians = "; ".join(f"{c.group} {_median_text(c.median, unit)}" for c in drawn)
    begins = f" The vertical axis begins at {lowest:.0%}." if lowest else ""
    alt = f"Survival curves over {until:g} {unit} with bands and numbers at risk.{begins} Median: {medians}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[5, 0.35 + 0.45 * len(drawn)])
        for k, curve in enumerate(drawn):
            colour = mode["colours"][k]
            x, y, low, high = _corners(curve, until)
            top.step(x, y, where="post", color=colour, linestyle=marks.DASHES[k % len(marks.DASHES)], label=curve.group)
            top.fill_between(x, low, high, step="post", color=colour, alpha=0.18, linewidth=0)
            counts = curve.at_risk_at(ticks)
            for tick, count in zip(ticks, counts, strict=True):
                bottom.text(tick, -k, f"{count:,}", ha="center", va="center", fontsize=8.5, color=colour)
        top.set(ylim=(lowest, 1 + 0.02 * (1 - lowest)), xlim=(0, until), ylabel=what)
        top.yaxis.set_major_formatter(PercentFormatter(1, decimals=0 if lowest < 0.9 else 1))
        top.tick_params(labelbottom=True)
        frame.legend_above(top, min(len(drawn), 4))
        bottom.set(ylim=(-len(drawn) + 0.4, 0.6), xlabel=f"{unit} since {since}; below the axis: number at risk")
        bottom.set_yticks([-k for k in range(len(drawn))], [c.group for c in drawn], fontsize=8.5)
        bottom.set_xticks(ticks)
        bottom.grid(False)
        bottom.tick_params(length=0, labelbottom=False)
        bottom.tick_params(axis="y", pad=24)  # room for the count at time 0, which is centred on the axis
        for side in bottom.spines.values():
            side.set_visible(False)

    return style.show(name, draw, alt=alt, caption=caption, height=3.2 + 0.22 * len(drawn))


def shares(
    name: str,
    groups: Sequence[str],
    predicted: npt.ArrayLike,
    observed: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    what: str,
    caption: str = "",
) -> results.Payload:
    """Draw, group by group, a forecast share beside the share observed and its interval.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    groups : sequence of str, length G
        Names down the side.
    predicted, observed, low, high : array_like, shape (G,)
        Forecast share; observed share with the ends of its interval, all 0 to 1.
    what : str
        Label of the axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    said, seen = checks.series("predicted", predicted), checks.series("observed", observed)
    left, right = checks.series("low", low), checks.series("high", high)
    rows = np.arange(checks.same_length(groups=groups, predicted=said, observed=seen, low=left, high=right))
    pairs = "; ".join(f"{g} {p:.0%} forecast, {o:.0%} observed" for g, p, o in zip(groups, said, seen, strict=True))
    alt = f"Forecast and observed: {what}. {pairs}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        reach = np.vstack([seen - left, right - seen]).clip(min=0)
        axes.errorbar(seen, rows, xerr=reach, fmt="o", color=mode["colours"][0], capsize=3, label="observed")
        axes.plot(said, rows, "D", color=mode["colours"][1], markersize=7, fillstyle="none", label="forecast")
        frame.rows(axes, groups, label=what)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

    return style.show(name, draw, alt=alt, caption=caption, height=1.3 + 0.4 * len(rows))


def _corners(curve: SurvivalCurve, until: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return what is drawn of a curve up to `until`, thinned to what the eye can tell apart."""
    inside = steps.inside(curve.time, until)
    x = np.concatenate([[0.0], curve.time[inside]])
    lines = [np.concatenate([[1.0], values[inside]]) for values in (curve.survival, curve.lower, curve.upper)]
    if len(inside) < len(curve.time):  # the step that holds at the right end goes on to it
        x = np.append(x, until)
        lines = [np.append(line, line[-1]) for line in lines]
    return x, lines[0], lines[1], lines[2]


def _ticks(until: float) -> FloatArray:
    rough = until / 6
    size = 10 ** math.floor(math.log10(rough))
    step = min((k * size for k in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return np.arange(0, until + 1e-9, step)


def _median_text(median: float, unit: str) -> str:
    return f"{median:.3g} {unit}" if math.isfinite(median) else "not reached"
