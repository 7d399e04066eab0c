"""Figures of several ways to end: cumulative incidence by cause, shares by group, groups held to their average.

An incidence is anything with the attributes of `CauseCurves`; the families need not be imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter, PercentFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, steps, style

__all__ = ["CauseCurves", "against_average", "by_cause", "promises", "shares_by_group"]

FloatArray = npt.NDArray[np.float64]
MAX_ROWS = 40
DASHES = (*marks.DASHES, (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))


class CauseCurves(steps.Banded, Protocol):
    """What is drawn of an incidence: see `citylib.survival.cumulative_incidence.Incidence`."""

    @property
    def causes(self) -> tuple[str, ...]:
        """Ways to end."""
        ...

    @property
    def incidence(self) -> FloatArray:
        """Probability of having ended so, shape (K, C)."""
        ...


def by_cause(
    name: str, curves: CauseCurves, *, until: float, unit: str = "days", what: str = "share", caption: str = ""
) -> results.Payload:
    """Draw the cumulative incidence of each cause of one group, with its band.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    curves : CauseCurves
        At most six causes, the palette's length.
    until : float
        Right end of the time axis, in `unit`.
    unit : str, default "days"
        Of the times.
    what : str
        Label of the vertical axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives each cause's share at the right end.
    """
    number = checks.number("number of causes", len(curves.causes), minimum=1, maximum=len(style.COLOURS))
    until = checks.number("until", until, above=0)
    inside = steps.inside(curves.time, until)
    last = curves.incidence[inside[-1]] if len(inside) else np.zeros(int(number))
    order = np.argsort(-last, kind="stable")
    said = "; ".join(f"{curves.causes[c]} {last[c]:.0%}" for c in order)
    alt = f"Cumulative incidence by way of ending over {until:g} {unit}. At the end: {said}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        x = np.concatenate([[0.0], curves.time[inside], [until]])
        for k, c in enumerate(order):
            value = curves.incidence[inside, c]
            ends = [np.where(np.isnan(end[inside, c]), value, end[inside, c]) for end in (curves.lower, curves.upper)]
            line, low, high = (_held(part) for part in (value, *ends))
            axes.step(x, line, where="post", color=mode["colours"][k], linestyle=DASHES[k], label=curves.causes[c])
            axes.fill_between(x, low, high, step="post", color=mode["colours"][k], alpha=0.2, linewidth=0)
        axes.set(xlim=(0, until), ylabel=what, xlabel=f"{unit} since it was opened")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        frame.legend_above(axes, 3)

    return style.show(name, draw, alt=alt, caption=caption, height=3.6)


def shares_by_group(name: str, shares: pd.DataFrame, *, what: str, caption: str = "") -> results.Payload:
    """Draw, group by group, a bar cut into shares; what is missing to one is left empty.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shares : pandas.DataFrame
        A row a group, from top to bottom, and a column a part, at most six; 0 to 1, rows adding up to at most 1.
    what : str
        Label of the axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many groups or parts, shares below 0 or above 1 together.
    """
    values = checks.array("shares", shares.to_numpy(dtype=np.float64), ndim=2, at_least=1, minimum=0)
    checks.number("number of parts", values.shape[1], minimum=1, maximum=len(style.COLOURS))
    checks.number("number of groups", len(values), minimum=1, maximum=MAX_ROWS)
    if (values.sum(axis=1) > 1 + 1e-9).any():
        raise InputError("shares", "add up to at most 1 in each row", float(values.sum(axis=1).max()))
    parts = [str(column) for column in shares.columns]
    said = "; ".join(
        f"{group}: "
        + ", ".join(f"{part} {share:.0%}" for part, share in zip(parts, row, strict=True) if share >= 0.005)
        for group, row in zip(shares.index, values, strict=True)
    )
    rows = np.arange(len(values))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        left = np.zeros(len(values))
        for k, part in enumerate(parts):
            axes.barh(rows, values[:, k], left=left, height=0.7, color=mode["colours"][k], label=part)
            left = left + values[:, k]
        frame.rows(axes, [str(group) for group in shares.index], label=what, room=0.6)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        frame.legend_above(axes, 3)

    alt = f"Shares of {', '.join(parts)} by group ({what}). {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.6 + 0.3 * len(rows))


def against_average(
    name: str,
    groups: Sequence[str],
    ratio: npt.ArrayLike,
    alone: tuple[npt.ArrayLike, npt.ArrayLike],
    together: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    what: str,
    caption: str = "",
) -> results.Payload:
    """Draw groups as ratios to their average, with intervals for each alone and for all at once.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    groups : sequence of str, length G
        From top to bottom, at most 40.
    ratio : array_like, shape (G,)
        To the average, above 0; 1 is the average.
    alone, together : pair of array_like, each (G,)
        Ends of the intervals, above 0; those of `together` are the wider.
    what : str
        Label of the axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    middle = checks.array("ratio", ratio, ndim=1, at_least=1, minimum=0)
    near = [checks.array("alone", end, ndim=1, minimum=0) for end in alone]
    far = [checks.array("together", end, ndim=1, minimum=0) for end in together]
    checks.same_length(groups=groups, ratio=middle, alone=near[0], together=far[0])
    checks.number("number of groups", len(middle), minimum=1, maximum=MAX_ROWS)
    rows = np.arange(len(middle))
    apart = [g for g, low, high in zip(groups, *far, strict=True) if low > 1 or high < 1]
    pairs = "; ".join(f"{g} {r:.2f}" for g, r in zip(groups, middle, strict=True))
    far_off = ", ".join(apart) or "none"
    alt = f"Ratios to the average ({what}): {pairs}. Apart from 1 with all intervals at once: {far_off}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.axvline(1, color=mode["ink"], lw=0.8)
        axes.hlines(rows, far[0], far[1], color=mode["colours"][0], lw=1.0, label="all at once")
        axes.hlines(rows, near[0], near[1], color=mode["colours"][0], lw=3.4, label="each alone")
        axes.plot(middle, rows, "o", ms=5, color=mode["colours"][1], label="estimate")
        axes.set_xscale("log")
        _plain_ratios(axes.xaxis)
        frame.rows(axes, groups, label=what)
        frame.legend_above(axes, 3)

    return style.show(name, draw, alt=alt, caption=caption, height=1.5 + 0.27 * len(rows))


def promises(
    name: str,
    groups: Sequence[str],
    kept: Sequence[tuple[str, npt.ArrayLike]],
    *,
    goal: float | None = None,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    what: str,
    caption: str = "",
) -> results.Payload:
    """Draw, group by group, the share of cases for which a promise was kept, by each rule to make it or to count it.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    groups : sequence of str, length G
        From top to bottom, at most 40.
    kept : sequence of (str, array_like of shape (G,))
        Rules and the shares they kept, the one whose intervals are drawn first; at most six. NaN where a rule promised
        nothing.
    goal : float, optional
        Share that every rule promises.
    low, high : array_like, shape (G,)
        Ends of the first rule's intervals.
    what : str
        Label of the axis.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    goal = None if goal is None else checks.fraction("goal", goal)
    checks.number("number of rules", len(kept), minimum=1, maximum=len(style.COLOURS))
    checks.number("number of groups", len(groups), minimum=1, maximum=MAX_ROWS)
    lines = [(rule, checks.series("kept", shares, missing=True)) for rule, shares in kept]
    ends = checks.series("low", low), checks.series("high", high)
    for _, shares in lines:
        checks.same_length(groups=groups, kept=shares, low=ends[0], high=ends[1])
    rows = np.arange(len(groups))
    said = "; ".join(f"{rule}: {np.nanmean(s):.0%} kept on average of {len(groups)} groups" for rule, s in lines)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        if goal is not None:
            axes.axvline(goal, color=mode["ink"], lw=0.8)
        axes.hlines(rows, *ends, color=mode["colours"][0], lw=2.2)
        for k, (rule, shares) in enumerate(lines):
            axes.plot(shares, rows, "os^Dv*"[k], ms=5, color=mode["colours"][k], label=rule)
        frame.rows(axes, groups, label=what)
        axes.set_xlim(right=1.02)
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        frame.legend_above(axes, 3)

    promised = "" if goal is None else f", promised {goal:.0%}"
    alt = f"{what}{promised}. {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.6 + 0.27 * len(rows))


def _held(values: FloatArray) -> FloatArray:
    """Return a line from 0 on, its last value held to the right end."""
    line = np.concatenate([[0.0], values])
    return np.append(line, line[-1])


def _plain_ratios(axis: Any) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    low, high = axis.get_view_interval()
    ticks = [t for t in (0.1, 0.2, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3, 5, 10) if low <= t <= high]
    axis.set_ticks(ticks if len(ticks) > 1 else [low, 1, high])
