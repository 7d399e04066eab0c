"""Figures of regression: a line through clouds of points, coefficients, residuals, what was expected and what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["coefficients", "expected", "fitted_line", "residuals", "shares_by_group"]

FloatArray = npt.NDArray[np.float64]
BINS = 24
MAX_ROWS = 40  # coefficients in one figure
MAX_STEPS = 1500  # points of one line


def fitted_line(
    name: str,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    intercept: float,
    slope: float,
    x_label: str,
    y_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw a straight line over the readings, these as median and middle 80 % within bins of equal count.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    x, y : array_like, shape (T,)
        The readings, none missing.
    intercept, slope : float
        Of the line.
    x_label, y_label : str
        With units.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    across, up = checks.series("x", x, at_least=2), checks.series("y", y, at_least=2)
    checks.same_length(x=across, y=up)
    centre, low, middle, high = _binned(across, up)
    ends = np.array([across.min(), across.max()])

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.fill_between(
            centre, low, high, color=mode["colours"][5], alpha=0.35, lw=0, label="middle 80 % of readings"
        )
        axes.plot(centre, middle, "o", ms=3.5, color=mode["colours"][0], label="median")
        axes.plot(ends, intercept + slope * ends, "--", color=mode["colours"][1], label="least squares line")
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.legend()

    alt = (
        f"{y_label} against {x_label}: the least squares line {'rises' if slope > 0 else 'falls'} by {abs(slope):.4g} "
        f"per unit; the medians of {len(centre)} bins run from {middle[0]:.3g} to {middle[-1]:.3g}."
    )
    return style.show(name, draw, alt=alt, caption=caption)


def coefficients(
    name: str,
    labels: Sequence[str],
    estimates: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    x_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw coefficients as dots with their intervals, one under the other.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : sequence of str, length K
        From top to bottom; at most 40.
    estimates, low, high : array_like, shape (K,)
        Values and ends of their intervals.
    x_label : str
        With the unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many to be read, or lengths that differ.
    """
    values = checks.series("estimates", estimates)
    lower, upper = checks.series("low", low), checks.series("high", high)
    checks.same_length(labels=labels, estimates=values, low=lower, high=upper)
    if len(values) > MAX_ROWS:
        raise InputError("estimates", f"be at most {MAX_ROWS} to be read in one figure", len(values))
    rows = np.arange(len(values))[::-1]

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.axvline(0, color=mode["ink"], lw=0.8)
        intervals.by_row(axes, rows, (values, lower, upper), mode["colours"][0])
        axes.set_yticks(rows, list(labels))
        axes.set(xlabel=x_label)
        axes.grid(axis="y", visible=False)

    apart = int(((lower > 0) | (upper < 0)).sum())
    widest = int(np.argmax(np.abs(values)))
    alt = (
        f"{len(values)} coefficients with intervals, {apart} of which exclude zero; "
        f"the largest is {labels[widest]} at {values[widest]:.4g} ({x_label})."
    )
    return style.show(name, draw, alt=alt, caption=caption, height=max(2.0, 0.7 + 0.24 * len(values)))


def residuals(
    name: str,
    fitted: npt.ArrayLike,
    errors: npt.ArrayLike,
    autocorrelation: npt.ArrayLike,
    *,
    unit: str,
    step: str,
    count: int,
    caption: str = "",
) -> results.Payload:
    """Draw residuals against fitted values, and how they resemble themselves later.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    fitted, errors : array_like, shape (T,)
        Fitted values and residuals.
    autocorrelation : array_like, shape (L + 1,)
        At lags 0 to L; see `citylib.regression.diagnostics.autocorrelation`.
    unit : str
        Of the readings.
    step : str
        Name of one lag, such as ``"hours"``.
    count : int
        Number of residuals; sets the band of no memory.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    across, rest = checks.series("fitted", fitted, at_least=2), checks.series("errors", errors, at_least=2)
    memory = checks.series("autocorrelation", autocorrelation, missing=True)
    checks.same_length(fitted=across, errors=rest)
    centre, low, middle, high = _binned(across, rest)
    band = 1.96 / np.sqrt(checks.integer("count", count, minimum=1))
    lags = np.arange(1, len(memory))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        left, right = figure.subplots(1, 2)
        left.axhline(0, color=mode["ink"], lw=0.8)
        left.fill_between(centre, low, high, color=mode["colours"][5], alpha=0.35, lw=0)
        left.plot(centre, middle, "o-", ms=3, color=mode["colours"][0])
        left.set(xlabel=f"fitted [{unit}]", ylabel=f"residual [{unit}]", title="median and middle 80 %")
        right.axhspan(-band, band, color=mode["colours"][5], alpha=0.35, lw=0)
        right.vlines(lags, 0, memory[1:], color=mode["colours"][0], lw=1.2)
        right.set(xlabel=f"lag [{step}]", ylabel="autocorrelation of residuals", ylim=(min(-0.2, np.nanmin(memory)), 1))

    spread = high - low
    first = f"{memory[1]:.2f}" if len(memory) > 1 else "not known"
    alt = (
        f"Left: the middle 80 % of residuals is {spread.min():.3g} {unit} wide where narrowest and {spread.max():.3g} "
        f"where widest. Right: autocorrelation of residuals, {first} at lag 1, over {len(lags)} lags in {step}."
    )
    return style.show(name, draw, alt=alt, caption=caption)


def expected(
    name: str,
    times: npt.ArrayLike,
    actual: npt.ArrayLike,
    forecast: npt.ArrayLike,
    lower: npt.ArrayLike,
    upper: npt.ArrayLike,
    *,
    y_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw readings over what was expected with its band; readings outside are marked.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (T,)
        At most 1,500.
    actual, forecast, lower, upper : array_like, shape (T,)
        Readings (NaN where missing), what was expected, ends of the prediction interval.
    y_label : str
        With the unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many steps for one figure, or lengths that differ.
    """
    when = np.asarray(times, dtype="datetime64[s]")
    shown = {"actual": actual, "forecast": forecast, "lower": lower, "upper": upper}
    lines = {label: checks.series(label, line, missing=True) for label, line in shown.items()}
    checks.same_length(times=when, **lines)
    if len(when) > MAX_STEPS:
        raise InputError("times", f"be at most {MAX_STEPS} in one figure", len(when))
    outside = (lines["actual"] < lines["lower"]) | (lines["actual"] > lines["upper"])

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.fill_between(
            when, lines["lower"], lines["upper"], color=mode["colours"][5], alpha=0.35, lw=0, label="expected range"
        )
        axes.plot(when, lines["forecast"], color=mode["colours"][0], lw=1, label="expected")
        axes.plot(when, lines["actual"], color=mode["ink"], lw=0.9, label="read")
        axes.plot(
            when[outside], lines["actual"][outside], "o", ms=4.5, mfc="none", color=mode["colours"][1], label="unusual"
        )
        frame.dates(axes, least=5, most=8)
        axes.set(ylabel=y_label, xlabel="local time")
        frame.legend_above(axes, 4, small=True)

    alt = (
        f"{y_label} from {when[0]} to {when[-1]}: readings, what was expected, and the expected range; "
        f"{int(outside.sum())} of {int((~np.isnan(lines['actual'])).sum())} readings lie outside it."
    )
    return style.show(name, draw, alt=alt, caption=caption)


def shares_by_group(
    name: str,
    groups: Sequence[str],
    shares: Mapping[str, npt.ArrayLike],
    *,
    level: float,
    x_label: str,
    y_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw a share for each group, for two or more methods, against the level they aim at.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    groups : sequence of str, length G
        From left to right.
    shares : mapping of str to array_like, shape (G,)
        By method; 0 to 1, NaN where a group is empty.
    level : float
        Drawn as a line.
    x_label, y_label : str
        Names of the axes.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    values = {label: checks.series(label, line, missing=True) for label, line in shares.items()}
    checks.same_length(groups=groups, **values)
    level = checks.fraction("level", level)
    every = max(1, len(groups) // 12)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.axhline(level, color=mode["ink"], lw=0.9, label=f"aim: {level:.0%}")
        marks.lines(axes, np.arange(len(groups)), values, mode, marks=marks.THIN_MARKS, size=3.5)
        axes.set_xticks(np.arange(0, len(groups), every), list(groups)[::every])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.legend()

    told = "; ".join(f"{label} {np.nanmin(v):.0%} to {np.nanmax(v):.0%}" for label, v in values.items())
    alt = f"{y_label} by {x_label}, against an aim of {level:.0%}: {told}."
    return style.show(name, draw, alt=alt, caption=caption)


def _binned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mean of x, and tenth, half and nine tenths of y, in bins of equal count (fewer where x repeats)."""
    edges = np.unique(np.quantile(x, np.linspace(0, 1, min(BINS, len(x)) + 1)))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = [
        (x[place == k].mean(), *np.quantile(y[place == k], [0.1, 0.5, 0.9]))
        for k in range(place.max() + 1)
        if (place == k).any()
    ]
    centre, low, middle, high = np.array(found).T
    return centre, low, middle, high
