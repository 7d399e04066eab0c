"""Figures of stations: what each number of them reaches, and which district waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["districts", "reach"]

FloatArray = npt.NDArray[np.float64]


def reach(
    name: str,
    counts: npt.ArrayLike,
    lines: Mapping[str, npt.ArrayLike],
    *,
    today: tuple[float, float],
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw what each number of stations reaches under several plans, and where the city stands today.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    counts : array_like, shape (K,)
        Numbers of stations.
    lines : mapping of str to array_like, shape (K,)
        By plan: the share reached.
    today : (float, float)
        Today's number, and the share that it reaches.
    label : str
        Of the vertical axis.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x = checks.series("counts", counts)
    drawn = marks.checked(lines, most=len(style.COLOURS) - 1, counts=x)
    if len(today) != 2 or not np.isfinite(today).all():
        raise InputError("today", "be a number of stations and a share", today)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, x, drawn, mode, marks=marks.MARKS)
        axes.plot(*today, "*", ms=13, color=mode["ink"], linestyle="none", label="today's stations")
        frame.percent(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set(xlabel="stations", ylabel=label)
        frame.legend_outside(figure, axes, 2, side="upper")

    alt = f"{label} with {x[0]:.0f} to {x[-1]:.0f} stations: {marks.ends(drawn, '.0%')}. "
    alt += f"Today {today[0]:.0f} stations reach {today[1]:.0%}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.4)


def districts(
    name: str,
    places: Sequence[str],
    share: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    then: npt.ArrayLike,
    city: float,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw the share reached in each district with its interval, what a plan would reach there, and the city's share.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    places : sequence of str, length D
        Names down the side.
    share, low, high : array_like, shape (D,)
        Today's, with the ends of its interval.
    then : array_like, shape (D,)
        Under the plan.
    city : float
        Today's share of the whole city.
    label : str
        Of the axis.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    now, left, right = (checks.series(k, v) for k, v in {"share": share, "low": low, "high": high}.items())
    later = checks.series("then", then)
    checks.same_length(places=list(places), share=now, low=left, high=right, then=later)
    level = checks.number("city", city, minimum=0, maximum=1)
    order = np.argsort(now, kind="stable")  # the least served on top

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        row = np.arange(len(now))
        today = (part[order] for part in (now, left, right))
        intervals.by_row(axes, row, today, mode["colours"][0], size=5, width=1.6, label="today, with its interval")
        open_mark: dict[str, Any] = {"ms": 6, "mfc": "none", "mew": 1.4}  # round the dot where the plan changes nothing
        axes.plot(later[order], row, "D", color=mode["colours"][1], label="under the plan", **open_mark)
        axes.axvline(level, color=mode["ink"], lw=1, linestyle="--", label="city today")
        frame.rows(axes, [places[k] for k in order], label=label)
        axes.set_xlim(min(0.98 * float(left.min()), 0.95), 1.01)
        frame.percent(axes.xaxis)
        frame.legend_above(axes, 3, small=True)

    worst, best = int(order[0]), int(order[-1])
    alt = f"{label} in {len(now)} districts: least in {places[worst]} ({now[worst]:.0%}, under the plan "
    alt += f"{later[worst]:.0%}), most in {places[best]} ({now[best]:.0%}); the city {level:.0%}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.4 + 0.2 * len(now))
