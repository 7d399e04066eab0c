"""Pictures of a signalised grid: who waits where, moment by moment, under two controllers side by side.

Legend: T moments, J junctions of a square grid (row by row from the south-west), A = 4 approaches of a junction (from
north, south, east, west).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, interactive, style

__all__ = ["delays", "stepped"]

FloatArray = npt.NDArray[np.float64]
BACK = 0.26  # of a block, from the junction to the middle of the drawn queue
_FROM = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]], dtype=float)  # north, south, east, west
AXES = ("north-south", "east-west")  # a colour each: axis of the green phase; a lane's own is that of its axis
GREY = "#8b949e"  # of lights; stands out on light pages and on dark ones
FULL = 30.0  # vehicles of the largest mark
LARGEST, TOUCHED = 18.0, 15.0  # points across, standing still and live, where two grids may share a phone's width


def stepped(
    name: str,
    seconds: npt.ArrayLike,
    queues: Mapping[str, npt.ArrayLike],
    phases: Mapping[str, npt.ArrayLike],
    *,
    caption: str = "",
) -> results.Payload:
    """Draw two grids whose time a reader moves with a slider; standing still: the moment at which most wait.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    seconds : array_like, shape (T,)
        Of the moments, since the start.
    queues : mapping of str to array_like, shape (T, J, 4)
        Vehicles that wait, by controller (one or two) and approach.
    phases : mapping of str to array_like of int, shape (T, J)
        The phase with green: 0 and 1 north-south, 2 and 3 east-west.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Shapes that don't fit, negative queues, more than two controllers.
    """
    t = checks.series("seconds", seconds)
    if not 1 <= len(queues) <= 2 or list(queues) != list(phases):
        raise InputError("queues", "be of one or two controllers, as phases are", list(queues))
    wait = {key: _moments(key, value, len(t)) for key, value in queues.items()}
    green = {key: checks.array("phases", value, ndim=2, minimum=0) for key, value in phases.items()}
    for key, value in green.items():
        if value.size and value.max() > 3:
            raise InputError("phases", "be 0 to 3", value.max())
        if value.shape != wait[key].shape[:2]:
            raise InputError("phases", f"have the shape {wait[key].shape[:2]}", value.shape)
    total = {key: value.sum(axis=(1, 2)) for key, value in wait.items()}
    worst = int(np.argmax(next(iter(total.values()))))

    def still(figure: Figure, mode: dict[str, Any]) -> None:
        panels = figure.subplots(1, len(wait), squeeze=False)[0]
        for axes, (key, value) in zip(panels, wait.items(), strict=True):
            _grid(axes, value[worst], green[key][worst], mode)
            axes.set_title(f"{key}\n{total[key][worst]:.0f} vehicles wait", fontsize="medium")
        frame.legend_outside(figure, panels[0], 4, size=8)

    words = "; ".join(f"{key} {v[worst]:.0f} then and {v.max():.0f} at its worst" for key, v in total.items())
    alt = f"A grid of crossings with the vehicles that wait on each approach. At second {t[worst]:.0f} wait: {words}."
    data, layout = _traces(t, wait, green, worst)
    return interactive.show(name, data, layout, still, alt=alt, caption=caption, height=4.6)


def delays(
    name: str, values: Mapping[str, npt.ArrayLike], *, label: str = "mean delay [s a vehicle]", caption: str = ""
) -> results.Payload:
    """Draw the runs of each controller as dots in a row, with their mean as a bar.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    values : mapping of str to array_like, shape (S,)
        A row each, from the top.
    label : str, optional
        Of the axis, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No row; a value that isn't finite.
    """
    found = {key: checks.series(key, row) for key, row in values.items()}
    if not found or any(len(row) == 0 for row in found.values()):
        raise InputError("values", "hold at least one run of one controller", list(values))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for place, row in enumerate(found.values()):
            spread = 0.16 * np.linspace(-1, 1, len(row)) if len(row) > 1 else np.zeros(1)
            axes.plot(row, place + spread, "o", color=mode["colours"][0], alpha=0.55, markersize=3.5)
            axes.plot([row.mean()] * 2, [place - 0.33, place + 0.33], color=mode["colours"][1], linewidth=2.4)
        frame.rows(axes, list(found), label=label)
        axes.set_xlim(left=0)

    alt = f"{label}, mean of the runs: " + "; ".join(f"{key} {row.mean():.1f}" for key, row in found.items())
    return style.show(name, draw, alt=f"{alt}.", caption=caption, height=0.9 + 0.42 * len(found))


def _moments(key: str, value: npt.ArrayLike, count: int) -> FloatArray:
    found = checks.array("queues", value, ndim=3, minimum=0)
    side = round(np.sqrt(found.shape[1]))
    if len(found) != count or found.shape[2] != 4 or side * side != found.shape[1]:
        raise InputError("queues", f"be of {count} moments, a square grid and 4 approaches", (key, *found.shape))
    return found


def _places(junctions: int) -> tuple[FloatArray, FloatArray]:
    """Return where junctions and their approaches are drawn, shapes (J, 2) and (J, 4, 2)."""
    side = round(np.sqrt(junctions))
    at = np.stack([np.arange(junctions) % side, np.arange(junctions) // side], axis=1).astype(float)
    return at, at[:, None] + BACK * _FROM


def _sizes(queue: FloatArray, largest: float) -> FloatArray:
    """Return marks across whose area grows with the queue, in points."""
    return largest * np.sqrt(np.minimum(queue, FULL) / FULL)


def _grid(axes: Any, queue: FloatArray, phase: FloatArray, mode: dict[str, Any]) -> None:
    at, ends = _places(len(queue))
    side = round(np.sqrt(len(queue)))
    for k in range(side):
        axes.plot([-0.6, side - 0.4], [k, k], color=mode["faint"], linewidth=1, zorder=0)
        axes.plot([k, k], [-0.6, side - 0.4], color=mode["faint"], linewidth=1, zorder=0)
    for axis in range(len(AXES)):
        colour, name = mode["colours"][axis], AXES[axis]
        ways = slice(2 * axis, 2 * axis + 2)
        marks = _sizes(queue[:, ways], LARGEST).ravel()
        x, y = ends[:, ways, 0].ravel(), ends[:, ways, 1].ravel()
        axes.scatter(x, y, s=marks**2, color=colour, linewidths=0, label=f"waiting, {name}")
        mine = phase // 2 == axis
        bar = {"marker": "|_"[axis], "s": 90, "linewidths": 2, "zorder": 3, "label": f"green, {name}"}
        axes.scatter(*at[mine].T, color=mode["ink"], **bar)
    axes.set(xlim=(-0.7, side - 0.3), ylim=(-0.7, side - 0.3), xticks=[], yticks=[], aspect="equal")
    axes.grid(False)
    axes.spines[["left", "bottom"]].set_visible(False)


def _traces(
    t: FloatArray, wait: Mapping[str, FloatArray], green: Mapping[str, FloatArray], worst: int
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return Plotly's traces and layout: a trace of queues and one of lights a panel; the slider sets their marks."""
    symbols = np.array(["line-ns-open", "line-ew-open"])
    moments: list[dict[str, Any]] = [
        {"marker.size": [v for key in wait for v in (_size_list(wait[key][k]), [9] * len(green[key][k]))],
         "marker.symbol": [v for key in wait for v in ("circle", symbols[(green[key][k] // 2).astype(int)].tolist())]}
        for k in range(len(t))
    ]  # fmt: skip
    data: list[dict[str, Any]] = []
    for panel, (key, value) in enumerate(wait.items()):
        at, ends = _places(value.shape[1])
        axis = {"xaxis": "x" if panel == 0 else "x2", "yaxis": "y" if panel == 0 else "y2"}
        colours = [style.COLOURS[way // 2] for _ in range(len(at)) for way in range(4)]
        first = moments[worst]
        queue = {"size": first["marker.size"][2 * panel], "color": colours, "line": {"width": 0}, "opacity": 0.85}
        light = {"size": 9, "symbol": first["marker.symbol"][2 * panel + 1], "color": GREY, "line": {"width": 3}}
        x, y = ends[..., 0].ravel(), ends[..., 1].ravel()
        spots = {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "showlegend": False, **axis}
        data.append({**spots, "x": x, "y": y, "marker": queue, "name": f"{key}: waiting"})
        data.append({**spots, "x": at[:, 0], "y": at[:, 1], "marker": light, "name": f"{key}: green"})
    return data, _layout(t, wait, moments, worst)


def _size_list(queue: FloatArray) -> list[float]:
    return [round(float(v), 1) for v in _sizes(queue, TOUCHED).ravel()]


def _layout(
    t: FloatArray, wait: Mapping[str, FloatArray], moments: Sequence[Mapping[str, Any]], worst: int
) -> dict[str, Any]:
    steps = [
        {"method": "restyle", "label": f"{int(s) // 60} min", "args": [moment]}
        for s, moment in zip(t, moments, strict=True)
    ]
    slider = {"active": worst, "steps": steps, "currentvalue": {"prefix": "after "}, "pad": {"t": 10}, "ticklen": 3}
    side = round(np.sqrt(next(iter(wait.values())).shape[1]))
    bare = {"range": [-0.7, side - 0.3], "dtick": 1, "tick0": 0, "zeroline": False, "showline": False}
    bare |= {"showticklabels": False, "constrain": "domain"}
    found: dict[str, Any] = {"sliders": [slider], "margin": {"l": 10, "r": 10, "t": 62, "b": 20}}
    for panel, key in enumerate(wait):
        ends = ([0.0, 1.0],) if len(wait) == 1 else ([0.0, 0.48], [0.52, 1.0])
        mark = "" if panel == 0 else "2"
        found[f"xaxis{mark}"] = {**bare, "domain": ends[panel], "title": {"text": key}, "side": "top"}
        found[f"yaxis{mark}"] = {**bare, "scaleanchor": f"x{mark}", "anchor": f"x{mark}"}
        found[f"xaxis{mark}"]["anchor"] = f"y{mark}"
    return found
