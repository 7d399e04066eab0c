"""Figures of variance: what news does to it, shapes of shocks, thresholds beside readings, how often they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["exceedance", "news_impact", "shapes", "thresholds"]

FloatArray = npt.NDArray[np.float64]
MOST_ROWS, MOST_POINTS = 12, 600


def news_impact(
    name: str, shocks: npt.ArrayLike, curves: Mapping[str, npt.ArrayLike], *, unit: str, caption: str = ""
) -> results.Payload:
    """Draw the spread expected of the next step against the shock of this one, a line a model.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shocks : array_like, shape (P,)
        Increasing, in standard deviations.
    curves : mapping of str to array_like, shape (P,)
        Standard deviation of the next step, by model; at most 4.
    unit : str
        Of both axes.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives both ends and the middle.
    """
    across = checks.series("shocks", checks.increasing("shocks", shocks))
    lines = {label: checks.series(label, line) for label, line in curves.items()}
    checks.same_length(shocks=across, **lines)
    checks.number("number of curves", len(lines), minimum=1, maximum=len(marks.DASHES))
    middle = int(np.abs(across).argmin())
    said = "; ".join(f"{k} {v[0]:.2f} after {across[0]:g}, {v[middle]:.2f} after none, {v[-1]:.2f} after {across[-1]:g}"
                     for k, v in lines.items())  # fmt: skip

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, across, lines, mode)
        axes.axvline(0, color=mode["faint"], linewidth=0.8)
        axes.set(xlabel=f"shock of this step [{unit}]", ylabel=f"spread of the next [{unit}]")
        axes.set_ylim(bottom=0)
        axes.legend()

    alt = f"Standard deviation of the next step by the shock of this one, in {unit}: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=2.9)


def shapes(
    name: str, panels: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]], *, caption: str = ""
) -> results.Payload:
    """Draw quantiles of standardised shocks against those of the distribution assumed, a panel a model.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    panels : mapping of str to (assumed, seen)
        Quantiles at the same shares, each of shape (Q,), increasing; at most 3.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives the ends.
    """
    checks.number("number of panels", len(panels), minimum=1, maximum=3)
    pairs = {k: (checks.series("assumed", a), checks.series("seen", s)) for k, (a, s) in panels.items()}
    for assumed, seen in pairs.values():
        checks.same_length(assumed=assumed, seen=seen)
    said = "; ".join(
        f"{k}: lowest {s[0]:.1f} where {a[0]:.1f} is assumed, highest {s[-1]:.1f} where {a[-1]:.1f} is"
        for k, (a, s) in pairs.items()
    )
    ends = [float(f(both)) for f, both in ((np.min, list(pairs.values())), (np.max, list(pairs.values())))]

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(pairs), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (label, (assumed, seen)) in zip(grid, pairs.items(), strict=True):
            axes.plot(ends, ends, color=mode["ink"], linewidth=0.8)
            axes.plot(assumed, seen, "o", color=mode["colours"][0], markersize=2.5)
            axes.set_title(label, fontsize=9.5)
            axes.set_xlabel("quantile assumed")
        grid[0].set_ylabel("quantile seen")

    alt = f"Quantiles of standardised shocks against those assumed. {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=2.9)


def thresholds(
    name: str,
    times: npt.ArrayLike,
    readings: npt.ArrayLike,
    limits: Mapping[str, npt.ArrayLike],
    *,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw readings beside thresholds that were set one step before, a panel a threshold; readings above are marked.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (T,)
        At most 600.
    readings : array_like, shape (T,)
        NaN where one is missing.
    limits : mapping of str to array_like, shape (T,)
        NaN where none was set; at most 3.
    label : str
        What is read, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text counts what lies above.

    Raises
    ------
    InputError
        Too many steps or thresholds, or lengths that differ.
    """
    when = np.asarray(times).astype("datetime64[s]")
    value = checks.series("readings", readings, missing=True)
    lines = {k: checks.series(k, v, missing=True) for k, v in limits.items()}
    total = checks.same_length(times=when, readings=value, **lines)
    if total > MOST_POINTS or not 1 <= len(lines) <= 3:
        rule = f"be at most {MOST_POINTS} steps and 1 to 3 thresholds"
        raise InputError("readings, limits", rule, f"{total} and {len(lines)}")
    above = {k: np.flatnonzero(value > line) for k, line in lines.items()}
    said = "; ".join(f"{k}, {len(at)} of {int((~np.isnan(value)).sum())} readings above" for k, at in above.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(len(lines), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
        for axes, (title, line) in zip(grid, lines.items(), strict=True):
            axes.plot(when, value, color=mode["ink"], linewidth=1)
            axes.plot(when, line, color=mode["colours"][0], linewidth=1)
            at = above[title]
            axes.plot(when[at], value[at], "o", color=mode["colours"][1], markersize=4)
            axes.set_title(title, fontsize=9.5)
            axes.set_ylabel(label)
        frame.dates(grid[-1])

    alt = f"{label} from {str(when[0])[:10]} to {str(when[-1])[:10]} beside thresholds: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=0.5 + 1.9 * len(lines))


def exceedance(
    name: str, labels: Sequence[str], levels: Mapping[float, npt.ArrayLike], *, caption: str = ""
) -> results.Payload:
    """Draw the share of readings above each threshold with its interval, a panel a level, beside the share claimed.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : sequence of str, length K
        Contenders, from top to bottom; at most 12.
    levels : mapping of float to array_like, shape (K, 3)
        By level, 0 to 1: measured share and ends of its interval; NaN where a contender has none. At most 4.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives all shares.

    Raises
    ------
    InputError
        Too many to be read, or shapes that differ.
    """
    given = {checks.fraction("level", level): part for level, part in levels.items()}
    parts = intervals.tables(("labels", "levels"), labels, given, most=(MOST_ROWS, 4))
    rows = np.arange(len(labels))[::-1]
    said = "; ".join(
        f"above the {level:.0%} threshold "
        + ", ".join(f"{label} {part[k, 0]:.1%}" for k, label in enumerate(labels) if part[k, 0] == part[k, 0])
        for level, part in parts.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
        for axes, (level, part) in zip(grid, parts.items(), strict=True):
            axes.axvline(1 - level, color=mode["colours"][1], linewidth=1, linestyle="--")
            intervals.by_row(axes, rows, part.T, mode["colours"][0])
            axes.set_title(f"{level:.0%} threshold", fontsize=9.5)
            axes.set_xlim(left=0)
            axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
            axes.grid(axis="y", visible=False)
        grid[0].set_yticks(rows, list(labels))
        grid[len(parts) // 2].set_xlabel("readings above it; dashed: claimed")

    alt = f"Share of readings above thresholds, with intervals: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=max(2.4, 1.1 + 0.3 * len(labels)))
