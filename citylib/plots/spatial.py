"""Figures of places and their neighbours: maps of values and of clusters, Moran scatter plots, shuffled maps.

A class of places is drawn as one path, so that a map of thousands of streets stays a light page.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path
from scipy import sparse

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, style

__all__ = ["links", "map_of_classes", "map_of_values", "moran_scatter", "shuffled"]

FloatArray = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]
# Told apart by the colour-blind; without the end that a thin line would be lost in: bright on light, dark on dark.
SCALE = {
    page["ink"]: [to_hex(mpl.colormaps["cividis"](at)) for at in np.linspace(*ends, 5)]
    for page, ends in ((style.LIGHT, (0.0, 0.88)), (style.DARK, (0.25, 1.0)))
}
PICKED = (1, 0, 4, 5, 2, 3)  # colours of classes: the first, high ones warm
EDGE = "#7d8590"  # seen on light and on dark pages
FINEST = 700  # of a map's width: nothing smaller is drawn
MOST_DOTS = 400  # of a scatter plot, besides those that are marked
MOST_LINKS = 1500
HEIGHT = 5.0  # inches


def map_of_values(
    name: str, shapes: Any, values: npt.ArrayLike, *, label: str, metres: bool, caption: str = ""
) -> results.Payload:
    """Draw places coloured by the fifth that their value lies in: the same number of places in each colour.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shapes : array_like of shapely geometries, shape (n,)
        Polygons, lines or points on a plane.
    values : array_like, shape (n,)
        One a place.
    label : str
        What they are, with unit.
    metres : bool
        Whether the plane is in metres: then a bar says how long a kilometre is.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, missing values, no places.
    """
    drawn, value = _shapes(shapes), checks.series("values", values)
    checks.same_length(shapes=drawn, values=value)
    # Equal values have one colour: where a fifth of the places or more share a value, there are fewer colours.
    inner = np.unique(np.quantile(value, [0.2, 0.4, 0.6, 0.8], method="lower"))
    present, fifth = np.unique(np.searchsorted(inner, value), return_inverse=True)
    number = len(present)
    words = [_range_words(value[fifth == k]) for k in range(number)]
    alt = f"Map of {len(drawn):,} places coloured by {label}, from {value.min():.3g} to {value.max():.3g}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = _ground(figure, drawn, metres, mode)
        scale = SCALE[mode["ink"]]
        colours = [scale[round(k * (len(scale) - 1) / max(1, number - 1))] for k in range(number)]
        for k in range(number):
            _paint(axes, drawn[fifth == k], colours[k], EDGE)
        handles = [Patch(facecolor=c, edgecolor=EDGE, label=w) for c, w in zip(colours, words, strict=True)]
        axes.legend(handles=handles, title=label, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)

    return style.show(name, draw, alt=alt, caption=caption, height=HEIGHT)


def map_of_classes(
    name: str,
    shapes: Any,
    classes: Sequence[str],
    *,
    order: Sequence[str],
    rest: str,
    metres: bool,
    caption: str = "",
) -> results.Payload:
    """Draw places coloured by the class that they belong to; the rest stays pale.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shapes : array_like of shapely geometries, shape (n,)
        Polygons, lines or points on a plane.
    classes : sequence of str, length n
        Each place's class.
    order : sequence of str
        The classes that have a colour, six at most.
    rest : str
        What a place of no such class is called.
    metres : bool
        Whether the plane is in metres.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text counts the classes.

    Raises
    ------
    InputError
        Lengths that differ, more classes than colours, no places.
    """
    drawn, label = _shapes(shapes), np.asarray(list(classes), dtype=object)
    checks.same_length(shapes=drawn, classes=label)
    checks.integer("number of classes", len(order), minimum=1, maximum=len(style.COLOURS))
    counts = {what: int((label == what).sum()) for what in order}
    counts[rest] = len(label) - sum(counts.values())
    alt = f"Map of {len(drawn):,} places: " + ", ".join(f"{n:,} {what}" for what, n in counts.items()) + "."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = _ground(figure, drawn, metres, mode)
        _paint(axes, drawn[~np.isin(label, list(order))], mode["faint"], mode["ink"], width=0.8)
        handles = []
        for k, what in zip(PICKED, order, strict=False):
            _paint(axes, drawn[label == what], mode["colours"][k], mode["ink"], width=2.4)
            handles.append(Patch(facecolor=mode["colours"][k], label=f"{what} ({counts[what]:,})"))
        handles.append(Patch(facecolor=mode["faint"], label=f"{rest} ({counts[rest]:,})"))
        axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3)

    return style.show(name, draw, alt=alt, caption=caption, height=HEIGHT)


def links(
    name: str, shapes: Any, w: sparse.sparray, *, metres: bool, what: str = "neighbours", caption: str = ""
) -> results.Payload:
    """Draw who is whose neighbour: a line between the middles of each pair, at most 1,500 of them.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shapes : array_like of shapely geometries, shape (n,)
        Polygons, lines or points on a plane.
    w : sparse matrix, shape (n, n)
        Weights.
    metres : bool
        Whether the plane is in metres.
    what : str, default "neighbours"
        How neighbours were told.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Weights of another order, no places.
    """
    drawn, matrix = _shapes(shapes), sparse.csr_array(w)
    if matrix.shape != (len(drawn), len(drawn)):
        raise InputError("w", f"be of order {len(drawn)}, one row a place", matrix.shape)
    middle = shapely.get_coordinates(shapely.centroid(drawn))
    pair = sparse.coo_array(sparse.triu(matrix + matrix.T, 1))
    one, other = pair.coords
    shown = np.unique(np.linspace(0, len(one) - 1, min(len(one), MOST_LINKS)).astype(int)) if len(one) else one
    ends = np.full((3 * len(shown), 2), np.nan)  # a gap after each line, so that all of them are one path
    ends[0::3], ends[1::3] = middle[one[shown]], middle[other[shown]]
    alt = f"Map of {len(drawn):,} places with {len(one):,} pairs of neighbours, told by: {what}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = _ground(figure, drawn, metres, mode)
        if shapely.get_type_id(drawn[0]) in (3, 6):
            _paint(axes, drawn, "none", mode["ink"])
        axes.plot(ends[:, 0], ends[:, 1], color=mode["colours"][0], linewidth=1.0)
        if len(middle) <= MOST_LINKS:
            _dots(axes, middle, mode["colours"][1], 3 if len(middle) < 500 else 1.5)

    return style.show(name, draw, alt=alt, caption=caption, height=HEIGHT)


def moran_scatter(
    name: str,
    z: npt.ArrayLike,
    lag: npt.ArrayLike,
    *,
    slope: float,
    marked: npt.ArrayLike,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw each place's value against its neighbours' mean; the slope of the line is Moran's I.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    z, lag : array_like, shape (n,)
        Value in standard deviations, and the neighbours' mean of it.
    slope : float
        Moran's I, for weights whose rows sum to 1.
    marked : array_like of bool, shape (n,)
        Places that are told from chance.
    label : str
        What the values are.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`. Of many unmarked places every so manieth is drawn.

    Raises
    ------
    InputError
        Lengths that differ, missing values.
    """
    x, y, bright = checks.series("z", z), checks.series("lag", lag), checks.binary("marked", marked)
    checks.same_length(z=x, lag=y, marked=bright)
    dull = np.flatnonzero(~bright)
    dull = dull[:: max(1, math.ceil(len(dull) / MOST_DOTS))]
    bold = np.flatnonzero(bright)
    bold = bold[:: max(1, math.ceil(len(bold) / MOST_DOTS))]
    alt = f"Scatter of {label} against the neighbours' mean; the line has slope {slope:.3g}. {bright.sum():,} marked."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.axhline(0, color=mode["ink"], linewidth=0.8)
        axes.axvline(0, color=mode["ink"], linewidth=0.8)
        size = 4 if len(x) < 500 else 2
        axes.plot(x[dull], y[dull], "o", color=mode["colours"][5], markersize=size, label="not told from chance")
        axes.plot(x[bold], y[bold], "D", color=mode["colours"][1], markersize=size, label="told from chance")
        ends = np.array([x.min(), x.max()])
        axes.plot(ends, slope * ends, color=mode["ink"], label=f"slope {slope:.3g}: Moran's I")
        axes.set(xlabel=f"{label} [standard deviations]", ylabel="mean of the neighbours")
        frame.legend_above(axes, 3)

    return style.show(name, draw, alt=alt, caption=caption, height=3.8)


def shuffled(
    name: str, draws: npt.ArrayLike, observed: float, *, label: str = "Moran's I", caption: str = ""
) -> results.Payload:
    """Draw what a statistic is on shuffled maps, and what it is on the map that is there.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    draws : array_like, shape (R,)
        Of shuffled maps.
    observed : float
        Of the map that is there.
    label : str
        What it is.
    caption : str, optional
        One sentence under the figure.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Missing values, fewer than two draws.
    """
    made, here = checks.series("draws", draws, at_least=2), checks.number("observed", observed)
    low, high = np.quantile(made, [0.025, 0.975])
    alt = f"{label} on {len(made):,} shuffled maps: 95 % between {low:.3g} and {high:.3g}; on the real map {here:.3g}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.hist(made, bins=min(40, max(8, len(made) // 4)), color=mode["colours"][5], label="shuffled maps")
        axes.axvline(here, color=mode["colours"][1], linewidth=2, label="the map that is there")
        axes.set(xlabel=label, ylabel="maps")
        frame.legend_above(axes, 2)

    return style.show(name, draw, alt=alt, caption=caption, height=2.6)


def _shapes(shapes: Any) -> Shapes:
    drawn: Shapes = np.asarray(shapes, dtype=object)
    if not len(drawn):
        raise InputError("shapes", "hold at least one place", 0)
    return drawn


def _range_words(value: FloatArray) -> str:
    low, high = (f"{v:.3g}" for v in (value.min(), value.max()))
    return low if low == high else f"{low} to {high}"


def _ground(figure: Figure, shapes: Shapes, metres: bool, mode: dict[str, Any]) -> Axes:
    """Return axes that show the whole map without distortion, with a bar of kilometres under it."""
    axes = figure.subplots()
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    wide, high = max(east - west, 1e-9), max(north - south, 1e-9)
    axes.set(aspect="equal", xlim=(west - wide / 40, east + wide / 40), ylim=(south - high / 10, north + high / 40))
    axes.set_axis_off()
    if metres:
        bar = max((b * 10.0**e for e in range(7) for b in (1, 2, 5) if b * 10.0**e <= wide / 3), default=wide)
        axes.plot([west, west + bar], [south - high / 20] * 2, color=mode["ink"], linewidth=2)
        words = f"{bar / 1000:g} km" if bar >= 1000 else f"{bar:g} m"
        axes.text(west + bar, south - high / 20, f"  {words}", va="center", fontsize=8.5)
    return axes


def _paint(axes: Axes, shapes: Shapes, colour: str, edge: str, *, width: float = 1.6) -> None:
    """Draw places of one class as one path."""
    if not len(shapes):
        return
    box = axes.viewLim
    fine = max(box.width, box.height) / FINEST
    kinds = shapely.get_type_id(shapes)
    lines = shapely.simplify(shapes[np.isin(kinds, (1, 5))], fine)
    points = shapely.get_coordinates(shapes[np.isin(kinds, (0, 4))])
    areas = shapely.orient_polygons(shapely.simplify(shapes[np.isin(kinds, (3, 6))], fine))
    if len(lines):
        parts = [np.vstack([shapely.get_coordinates(line), [[np.nan] * 2]]) for line in shapely.get_parts(lines)]
        course = np.vstack(parts)
        axes.plot(course[:, 0], course[:, 1], color=colour, linewidth=width, solid_capstyle="round")
    if len(points):
        _dots(axes, points, colour, 5 if len(points) < 500 else 2.5)
    if len(areas):
        rings = shapely.get_rings(areas)
        outline = Path.make_compound_path(*(Path(shapely.get_coordinates(r), closed=True) for r in rings))
        axes.add_patch(PathPatch(outline, facecolor=colour, edgecolor=edge, linewidth=0.5))


def _dots(axes: Axes, points: FloatArray, colour: str, size: float) -> None:
    """Draw points as very short lines with round ends: one path, where markers would be an element each."""
    ends = np.full((3 * len(points), 2), np.nan)
    ends[0::3] = ends[1::3] = points
    ends[1::3, 0] += axes.viewLim.width / 1000  # of no length at all they would not be drawn
    axes.plot(ends[:, 0], ends[:, 1], color=colour, linewidth=size, solid_capstyle="round")
