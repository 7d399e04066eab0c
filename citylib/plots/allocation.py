"""Figures of shared budgets: the vessel that water fills, what one unit more is worth, and two aims at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, sizes, style

__all__ = ["budgets", "front", "vessel"]

FloatArray = npt.NDArray[np.float64]
NARROWEST = 0.028  # of the page: room that a slanted name takes


def vessel(
    name: str,
    places: Sequence[str],
    width: npt.ArrayLike,
    ground: npt.ArrayLike,
    *,
    level: float,
    unit: str,
    caption: str = "",
) -> results.Payload:
    """Draw the picture that water-filling has its name from: each place a basin, filled to one level.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    places : sequence of str
        Names.
    width, ground : array_like, shape (N,)
        Width 1 / b of a basin, and its ground -ln(a b): water over it, times width, is what the place gets.
    level : float
        The water's, -ln of the shadow price.
    unit : str
        Of the budget.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    wide, low = checks.array("width", width, ndim=1, minimum=0), checks.series("ground", ground)
    checks.same_length(places=places, width=wide, ground=low)
    order = np.argsort(low, kind="stable")
    amount = wide * np.maximum(level - low, 0)
    said = "; ".join(f"{places[i]} {amount[i]:.3g}" for i in order)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        left = np.concatenate([[0.0], np.cumsum(wide[order])[:-1]])
        floor = min(float(low.min()), level) - 0.25 * max(float(np.ptp(low)), 0.2)
        top = np.maximum(level - low[order], 0)
        look = {"align": "edge", "edgecolor": mode["ink"], "linewidth": 0.6}
        axes.bar(left, low[order] - floor, wide[order], bottom=floor, color=mode["faint"], label="ground", **look)
        axes.bar(left, top, wide[order], bottom=low[order], color=mode["colours"][5], label="water", **look)
        axes.axhline(level, color=mode["colours"][1], linewidth=1.2, linestyle="--", label="level")
        middle, room = left + wide[order] / 2, NARROWEST * wide.sum()
        named: list[int] = []  # others would be written over each other
        for k in range(len(middle)):
            if not named or middle[k] - middle[named[-1]] >= room:
                named.append(k)
        shown = [frame.short(places[order[k]]) for k in named]
        axes.set_xticks(middle[named], shown, rotation=55, ha="right", fontsize=8)
        axes.set(ylabel="-ln(worth of a unit)")
        axes.set_ylim(floor, max(float(low.max()), level) + 0.1)
        axes.grid(False)
        frame.legend_outside(figure, axes, 3, side="upper")

    alt = f"Basins filled to one level; {unit} that each gets: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.9)


def budgets(
    name: str,
    budget: npt.ArrayLike,
    reached: Mapping[str, npt.ArrayLike],
    price: npt.ArrayLike,
    *,
    unit: str,
    label: str,
    price_label: str,
    now: float,
    caption: str = "",
) -> results.Payload:
    """Draw what budgets of several sizes reach under some rules, and below it the shadow price.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    budget : array_like, shape (K,)
        Sizes.
    reached : mapping of str to array_like, shape (K,)
        What each rule reaches, as a share.
    price : array_like, shape (K,)
        What one unit more adds at the optimum.
    unit, label, price_label : str
        Of the budget, of what is reached, of the price.
    now : float
        The budget at hand.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x, dear = checks.series("budget", budget), checks.series("price", price)
    lines = marks.checked(reached, budget=x, price=dear)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        words = {"x_label": f"budget [{unit}]", "label": label, "worth_label": price_label}
        above = sizes.draw(figure, x, lines, dear, mode, now=now, **words)
        frame.percent(above.yaxis)

    alt = f"{label} by budget: {marks.ends(lines, '.0%')}. "
    alt += f"The price of a unit falls from {dear[0]:.3g} to {dear[-1]:.3g}."
    return style.show(name, draw, alt=alt, caption=caption, height=4.0)


def front(
    name: str,
    fair: npt.ArrayLike,
    efficient: npt.ArrayLike,
    rules: Mapping[str, tuple[float, float]],
    *,
    fair_label: str,
    efficient_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw two aims against each other: the front that nothing lies beyond, and where rules lie.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    fair, efficient : array_like, shape (K,)
        The front, as shares.
    rules : mapping of str to (float, float)
        Where each rule lies, fairness first.
    fair_label, efficient_label : str
        Names of the aims.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x, y = checks.series("fair", fair), checks.series("efficient", efficient)
    checks.same_length(fair=x, efficient=y)
    checks.number("number of rules", len(rules), minimum=0, maximum=5)
    for key, point in rules.items():
        if len(point) != 2 or not np.isfinite(point).all():
            raise InputError("rules", "be two numbers each", {key: point})
    said = "; ".join(f"{key} at {p[0]:.0%} and {p[1]:.0%}" for key, p in rules.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.plot(x, y, color=mode["colours"][0], label="best for each fairness")
        for k, (key, point) in enumerate(rules.items(), start=1):
            axes.plot(*point, marks.MARKS[k], color=mode["colours"][k], linestyle="none", label=key)
        frame.percent(axes.xaxis, axes.yaxis)
        axes.set(xlabel=fair_label, ylabel=efficient_label)
        axes.legend()

    alt = f"{efficient_label} from {y[0]:.1%} to {y[-1]:.1%} as {fair_label} goes from {x[0]:.0%} to {x[-1]:.0%}"
    return style.show(name, draw, alt=f"{alt}. {said}." if said else f"{alt}.", caption=caption, height=3.4)
