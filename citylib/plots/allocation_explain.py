"""Figures of why a share is what it is: explanations in order, and the one-page decision card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy.stats import rankdata

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, style

__all__ = ["card", "orders"]

FloatArray = npt.NDArray[np.float64]
HATCHES = ("", "////", "....", "xxxx")


def orders(
    name: str, scores: Mapping[str, npt.ArrayLike], resources: Sequence[str], *, caption: str = ""
) -> results.Payload:
    """Draw in which order explanations put the resources, a row an explanation, 1 what matters most.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    scores : mapping of str to array_like, shape (N,)
        By explanation, the truth first; signs don't count.
    resources : sequence of str, length N
        Names.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    held = {key: np.abs(checks.series(key, value)) for key, value in scores.items()}
    checks.integer("number of explanations", len(held), minimum=1, maximum=12)
    if checks.same_length(**held) != len(resources):
        raise InputError("resources", f"be {len(next(iter(held.values())))} names", len(resources))
    rank = np.stack([rankdata(-v, method="min") for v in held.values()]).astype(int)
    first = [", ".join(resources[i] for i in np.argsort(row, kind="stable")[:3]) for row in rank]
    told = "; ".join(f"{key}: {names}" for key, names in zip(held, first, strict=True))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        n = len(resources)
        for row, column in np.ndindex(*rank.shape):
            depth = 1 - (rank[row, column] - 1) / max(n - 1, 1)
            box = {"color": mode["colours"][0], "alpha": 0.05 + 0.55 * depth, "linewidth": 0}
            axes.fill_between([column - 0.46, column + 0.46], row - 0.42, row + 0.42, **box)
            axes.text(column, row, str(rank[row, column]), ha="center", va="center", fontsize=8, color=mode["ink"])
        axes.set_xticks(
            range(n),
            [frame.short(v) for v in resources],
            rotation=40 if n > 6 else 0,
            ha="right" if n > 6 else "center",
        )
        frame.rows(axes, list(held), label="")
        axes.set_xlim(-0.6, n - 0.4)
        axes.axhline(0.5, color=mode["ink"], linewidth=0.8)
        axes.grid(visible=False)

    return style.show(
        name, draw, alt=f"What matters most, three each. {told}.", caption=caption, height=1.1 + 0.3 * len(held)
    )


def card(
    name: str,
    places: Sequence[str],
    now: npt.ArrayLike,
    plan: npt.ArrayLike,
    ends: tuple[npt.ArrayLike, npt.ArrayLike],
    reasons: Mapping[str, npt.ArrayLike],
    worth: npt.ArrayLike,
    *,
    price: float,
    unit: str,
    worth_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw a decision on one page: who gets what and how sure that is, why, and what one more unit is worth now.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    places : sequence of str, length N
        Names, at most 40; drawn with the largest share on top.
    now, plan : array_like, shape (N,)
        What each has and is to get.
    ends : pair of array_like, shape (N,)
        The range of what it is to get.
    reasons : mapping of str to array_like, shape (N,)
        What each reason adds to or takes from equal shares; at most 4. They add up to the plan less equal shares.
    worth : array_like, shape (N,)
        What one more unit is worth to each as things are now.
    price : float
        What it is worth under the plan.
    unit, worth_label : str
        Of the budget, and of the worth.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Reasons that don't add up; lengths that differ; too many places.
    """
    held = {k: checks.series(k, v) for k, v in {"now": now, "plan": plan, "low": ends[0], "high": ends[1]}.items()}
    why = {key: checks.series(key, value) for key, value in reasons.items()}
    dear = checks.series("worth", worth)
    count = checks.same_length(places=places, worth=dear, **held, **why)
    checks.integer("number of places", count, minimum=1, maximum=40)
    checks.integer("number of reasons", len(why), minimum=1, maximum=len(HATCHES))
    meant = held["plan"] - held["plan"].mean()
    if np.abs(sum(why.values()) - meant).max() > 1e-6 * max(float(held["plan"].max()), 1e-300):
        raise InputError(
            "reasons", "add up to the plan less equal shares", float(np.abs(sum(why.values()) - meant).max())
        )
    order = np.argsort(-held["plan"], kind="stable")
    told = "; ".join(f"{places[i]} {held['now'][i]:.3g} now, {held['plan'][i]:.3g} planned" for i in order[:8])

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=[4, 4, 3])
        at = np.arange(count)
        shown = (held[key][order] for key in ("plan", "low", "high"))
        intervals.by_row(left, at, shown, mode["colours"][0], size=5, width=2.4, label="plan, with its range")
        left.plot(held["now"][order], at, "|", color=mode["ink"], markersize=9, markeredgewidth=1.6, label="now")
        left.set_xlim(-0.03 * left.get_xlim()[1], None)  # who gets nothing is seen
        _stack(middle, {key: v[order] for key, v in why.items()}, mode)
        middle.set(xlabel=f"more than equal\n[{unit}]")
        right.barh(at, dear[order], height=0.6, color=mode["faint"], edgecolor=mode["ink"], linewidth=0.5)
        right.axvline(price, color=mode["colours"][1], linestyle="--", linewidth=1.3, label="price under the plan")
        right.set(xlabel=worth_label)
        frame.rows(left, [frame.short(places[i]) for i in order], label=unit, room=0.6)
        left.tick_params(axis="y", labelsize=8)
        for axes, title in ((left, "who gets what"), (middle, "why"), (right, "one more, now")):
            axes.set_title(title, fontsize=9, loc="left")
        frame.legend_outside(figure, (left, middle, right), 4, side="upper", size=8)

    alt = f"Decision card in {unit}, price {price:.3g} under the plan. {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.6 + 0.24 * count)


def _stack(axes: Any, why: Mapping[str, FloatArray], mode: dict[str, Any]) -> None:
    """Draw what adds to the right of 0 and what takes away to the left, one after the other."""
    count = len(next(iter(why.values())))
    at, plus, minus = np.arange(count), np.zeros(count), np.zeros(count)
    for k, (key, value) in enumerate(why.items()):
        start = np.where(value > 0, plus, minus)
        look = {"color": mode["colours"][k + 2], "edgecolor": mode["ink"], "linewidth": 0.4, "hatch": HATCHES[k]}
        axes.barh(at, value, left=start, height=0.6, label=key, **look)
        plus, minus = plus + np.maximum(value, 0), minus + np.minimum(value, 0)
    axes.axvline(0, color=mode["ink"], linewidth=0.8)
