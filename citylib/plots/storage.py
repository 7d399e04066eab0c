"""Figures of a battery's day: what may come, what is drawn from the grid, and how full the battery is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.plots import frame, marks, style
from citylib.plots.sizes import draw as draw_sizes
from citylib.plots.sizes import stacked

__all__ = ["day", "sizes"]


def day(
    name: str,
    scenarios: npt.ArrayLike,
    load: npt.ArrayLike,
    drawn: Mapping[str, npt.ArrayLike],
    state: Mapping[str, npt.ArrayLike],
    *,
    unit: str = "MW",
    caption: str = "",
) -> results.Payload:
    """Draw a day: above the load that was thought possible, what came and what was drawn; below the charge.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    scenarios : array_like, shape (S, T)
        Days that were thought possible, drawn as the range of the middle 90 %.
    load : array_like, shape (T,)
        What came.
    drawn : mapping of str to array_like, shape (T,)
        From the grid, under each plan.
    state : mapping of str to array_like, shape (T + 1,)
        Charge before each hour and at the end, under each plan.
    unit : str, default "MW"
        Of the load.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    possible = checks.matrix("scenarios", scenarios)
    came = checks.series("load", load)
    lines = marks.checked(drawn, load=came, scenarios=possible[0])
    charge = {key: checks.series(key, value) for key, value in state.items()}
    low, high = np.quantile(possible, [0.05, 0.95], axis=0)
    hours = np.arange(len(came)) + 0.5
    said = "; ".join(f"{key} {line.max():.3g}" for key, line in lines.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        above, below = stacked(figure)
        above.fill_between(hours, low, high, color=mode["faint"], linewidth=0, label="thought possible (90 %)")
        above.plot(hours, came, color=mode["ink"], linewidth=1.6, label="load that came")
        for k, key in enumerate(lines):
            look = marks.look(k, mode)
            above.plot(hours, lines[key], label=f"drawn, {key}", **look)
            if key in charge:
                below.plot(np.arange(len(charge[key])), charge[key], **look)
        above.set_ylabel(f"load [{unit}]")
        below.set(xlabel="hour", ylabel=f"charge [{unit}h]", xlim=(0, len(came)), ylim=(0, None))
        below.set_xticks(np.arange(0, len(came) + 1, 6))
        frame.legend_outside(figure, above, 2, side="upper")

    alt = f"A day of load with its highest hour at {came.max():.3g} {unit}; highest hours drawn: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=4.2)


def sizes(
    name: str,
    size: npt.ArrayLike,
    saved: Mapping[str, npt.ArrayLike],
    worth: npt.ArrayLike,
    *,
    x_label: str,
    label: str,
    worth_label: str,
    now: float,
    caption: str = "",
) -> results.Payload:
    """Draw what batteries of several sizes save under some plans, and below it what a unit more is worth.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    size : array_like, shape (K,)
        Sizes of the battery.
    saved : mapping of str to array_like, shape (K,)
        Of each plan.
    worth : array_like, shape (K,)
        What a unit more would save.
    x_label, label, worth_label : str
        Labels of the axes, with units.
    now : float
        The size at hand.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x, unit_worth = checks.series("size", size), checks.series("worth", worth)
    lines = marks.checked(saved, size=x, worth=unit_worth)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        words = {"x_label": x_label, "label": label, "worth_label": worth_label}
        draw_sizes(figure, x, lines, unit_worth, mode, now=now, **words).set_ylim(0, None)

    alt = f"{label} by size: {marks.ends(lines, '.3g')}. "
    alt += f"A unit more is worth {unit_worth[0]:.3g} at first, {unit_worth[-1]:.3g} at last."
    return style.show(name, draw, alt=alt, caption=caption, height=4.2)
