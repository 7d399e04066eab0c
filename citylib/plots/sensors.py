"""Figures of which sensors are read: where and when, what errors remain by reads a step, whether the filter knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["calibration", "error_by_reads", "reads"]

FloatArray = npt.NDArray[np.float64]
BIGGEST = 90.0  # points squared of the dot of the sensor that is read most


def reads(
    name: str,
    read_TN: npt.ArrayLike,
    sensors: Sequence[str],
    *,
    hours: float,
    places_N2: npt.ArrayLike | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw what is read when: a row a sensor, a mark a read; beside it, where there are places, how often each is read.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    read_TN : array_like of bool, shape (T, N)
        What was read when.
    sensors : sequence of str
        Names.
    hours : float
        Hours a step.
    places_N2 : array_like, shape (N, 2), optional
        Where sensors stand: across and up.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    read = checks.binary("read", read_TN)
    if read.ndim != 2 or not read.size:
        raise InputError("read", "be steps by sensors", read.shape)
    checks.same_length(sensors=sensors, read=read.T)
    step = checks.number("hours", hours, above=0)
    often = read.mean(axis=0)
    order = np.argsort(-often, kind="stable")
    where = None if places_N2 is None else checks.matrix("places", places_N2)
    if where is not None:
        checks.same_length(sensors=sensors, places=where)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, 2, width_ratios=[1, 2]) if where is not None else [figure.subplots()]
        if where is not None:
            size = 4 + BIGGEST * often / max(float(often.max()), 1e-9)
            look = {"color": mode["colours"][0], "edgecolor": mode["ink"], "linewidth": 0.4, "alpha": 0.8}
            grid[0].scatter(where[:, 0], where[:, 1], s=size, **look)
            grid[0].set(xticks=[], yticks=[])
            grid[0].set_title(f"how often: up to {often.max():.0%} of steps", loc="left", fontsize=9)
            grid[0].margins(0.08)
            grid[0].set_aspect("equal", adjustable="datalim")
            grid[0].grid(False)
        when, (t, n) = grid[-1], np.nonzero(read[:, order])
        size = float(np.clip(2500 / len(sensors) ** 1.3, 0.8, 20))
        when.scatter(t * step, n + 1, s=size, marker="s", color=mode["colours"][1], linewidth=0)
        when.set(xlabel="hours", ylabel="sensor, most read first")
        when.set_title("when", loc="left", fontsize=9)
        when.set_xlim(-0.5 * step, (len(read) - 0.5) * step)
        when.set_ylim(len(sensors) + 0.5, 0.5)
        when.yaxis.set_major_locator(MaxNLocator(integer=True))

    most, least = order[0], order[-1]
    alt = f"Which of {len(sensors)} sensors are read over {len(read)} steps: {sensors[most]} most, in {often[most]:.0%}"
    alt += f" of them, {sensors[least]} least, in {often[least]:.0%}; {int((often == 0).sum())} never."
    return style.show(name, draw, alt=alt, caption=caption, height=3.4)


def error_by_reads(
    name: str,
    number: npt.ArrayLike,
    errors: Mapping[str, npt.ArrayLike],
    *,
    floor: float,
    ceiling: float,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw the error that is left against how many sensors are read a step, a line a rule.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    number : array_like, shape (K,)
        Reads a step.
    errors : mapping of str to array_like, shape (K,)
        Up to six rules.
    floor, ceiling : float
        Error where all are read, and where none is.
    label : str
        Name and unit of the error.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x = checks.series("number", number)
    lines = marks.checked(errors, what="rules", most=6, number=x)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, x, lines, mode, marks=marks.MARKS)
        for value, word, side in ((floor, "all are read", "top"), (ceiling, "none is read", "bottom")):
            axes.axhline(value, color=mode["ink"], linewidth=0.8)
            aside = (0, 3 if side == "bottom" else -3)  # away from the lines, which run between the two
            look: dict[str, Any] = {
                "xytext": aside,
                "textcoords": "offset points",
                "ha": "right",
                "va": side,
                "fontsize": 8,
            }
            axes.annotate(word, (x[-1], value), **look)
        axes.set(xlabel="sensors read a step", ylabel=label, xticks=x)
        axes.set_ylim(0, 1.12 * max(ceiling, *(float(v.max()) for v in lines.values())))
        frame.legend_above(axes, 3)

    alt = f"{label} by sensors read a step, {x[0]:g} to {x[-1]:g}: {marks.ends(lines, '.3g')}."
    alt += f" All read: {floor:.3g}; none: {ceiling:.3g}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.6)


def calibration(
    name: str, said: Mapping[str, npt.ArrayLike], came: Mapping[str, npt.ArrayLike], *, label: str, caption: str = ""
) -> results.Payload:
    """Draw by how much beliefs said they were off against by how much they were, a point a group of equal size.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    said, came : mapping of str to array_like, shape (G,)
        Root mean variance and root mean squared error of each group, by who says it; the same keys.
    label : str
        Unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    x = {key: checks.series(key, value) for key, value in said.items()}
    y = {key: checks.series(key, value) for key, value in came.items()}
    checks.number("number of lines", len(x), minimum=1, maximum=6)
    if list(x) != list(y):
        raise InputError("came", f"have the keys {', '.join(x)}", list(y))
    for key in x:
        checks.same_length(said=x[key], came=y[key])
    far = max(float(v.max()) for v in (*x.values(), *y.values()))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.plot([0, far], [0, far], color=mode["ink"], linewidth=0.8, label="as it should be")
        for k, key in enumerate(x):
            axes.plot(x[key], y[key], label=key, **marks.look(k, mode, marks=marks.MARKS))
        axes.set(xlabel=f"off by, as said [{label}]", ylabel=f"off by, as it came [{label}]")
        axes.legend()

    words = "; ".join(
        f"{key} says {x[key][0]:.2g} to {x[key][-1]:.2g}, came {y[key][0]:.2g} to {y[key][-1]:.2g}" for key in x
    )
    return style.show(name, draw, alt=f"Said and real error by group: {words}.", caption=caption, height=3.4)
