"""Figures of places with few labels: when the labels were taken, and what each contender reaches at every place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import dates
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, style

__all__ = ["by_place", "when"]

MARKS = ("o", "s", "D", "^", "v", "|")  # so that contenders are told apart without colour too


def when(
    name: str,
    moments: Mapping[str, npt.ArrayLike],
    *,
    parts: Mapping[str, tuple[np.datetime64, np.datetime64]],
    caption: str = "",
) -> results.Payload:
    """Draw when the windows of each draw begin, over the parts of the data.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    moments : mapping of str to array_like of datetime64
        By draw; one row each.
    parts : mapping of str to (datetime64, datetime64)
        First and last moment of each part of the data.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No draw, or one without a moment.
    """
    days: dict[str, npt.NDArray[Any]] = {
        k: np.unique(np.asarray(v).astype("datetime64[D]")) for k, v in moments.items()
    }
    ends = {key: _numbers(np.array(pair)).tolist() for key, pair in parts.items()}
    checks.integer("number of draws", len(days), minimum=1, maximum=len(MARKS))
    for key, held in days.items():
        if not len(held):
            raise InputError("moments", "hold at least one moment in each draw", key)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for k, held in enumerate(days.values()):
            mark = {"color": mode["colours"][k], "markersize": 14, "markeredgewidth": 1.2}
            axes.plot(_numbers(held), np.full(len(held), k), "|", **mark)
        for key, (first, last) in ends.items():
            axes.axvline(first, color=mode["ink"], linewidth=0.8)
            axes.text((first + last) / 2, -0.75, key, ha="center", fontsize=9)
        axes.set_yticks(range(len(days)), list(days))
        axes.set(ylim=(len(days) - 0.5, -1.0), xlim=(min(map(min, ends.values())), max(map(max, ends.values()))))
        axes.grid(axis="y", visible=False)
        frame.dates(axes, most=8)

    told = "; ".join(f"{key}: {len(held)} days from {held[0]} to {held[-1]}" for key, held in days.items())
    spans = ", ".join(f"{key} from {str(first)[:10]}" for key, (first, _) in parts.items())
    alt = f"Days in which labelled windows begin. {told}. Parts: {spans}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.1 + 0.4 * len(days))


def by_place(
    name: str,
    places: Sequence[str],
    values: Mapping[str, npt.ArrayLike],
    *,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw what each contender reaches at every place, places down the side.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    places : sequence of str, length K
        Down the side, in the order to be drawn.
    values : mapping of str to array_like, shape (K,)
        At most six contenders; NaN where one was not tried.
    label : str
        What is drawn, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No contender or too many, or lengths that differ.
    """
    held = {key: checks.series(key, value, missing=True) for key, value in values.items()}
    checks.integer("number of contenders", len(held), minimum=1, maximum=min(len(MARKS), len(style.COLOURS)))
    y = np.arange(len(places))
    checks.same_length(places=y, **held)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for k, (key, value) in enumerate(held.items()):
            axes.plot(value, y, MARKS[k], color=mode["colours"][k], markersize=6, markeredgewidth=1.8, label=key)
        axes.set_yticks(y, list(places))
        axes.set(xlabel=label, ylim=(len(places) - 0.4, -0.6))
        frame.legend_outside(figure, axes, 3, side="upper", size=9)

    told = "; ".join(f"{key} {np.nanmin(value):.3g} to {np.nanmax(value):.3g}" for key, value in held.items())
    alt = f"{label} at {len(places)} places: {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.2 + 0.26 * len(places))


def _numbers(moments: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(dates.date2num(moments), dtype=np.float64)  # type: ignore[no-untyped-call]
