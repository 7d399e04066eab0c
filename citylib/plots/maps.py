"""Maps that need no network: points and outlines of places on longitude and latitude, coloured by a value.

No tiles and no outline of the world are asked for: the axes are degrees, stretched so that a kilometre is as long in
both directions in the middle of the map, with a bar that says how long one is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.colors import Normalize, to_hex
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import interactive

__all__ = ["map_of_places", "show_places"]

FloatArray = npt.NDArray[np.float64]
Still = Callable[[Figure, dict[str, Any]], None]
EDGE = "#7d8590"  # seen on light and on dark pages
UNKNOWN = "#a8b0b8"  # a place without a value
SCALE = [to_hex(mpl.colormaps["cividis"](at)) for at in np.linspace(0.08, 0.96, 9)]  # told apart by the colour-blind
KM = 111.32  # of a degree of latitude
HEIGHT = 5.0  # inches
MOST_NAMED = 40  # outlines with their name in them


def map_of_places(
    name: str,
    outlines: Mapping[str, pd.DataFrame],
    *,
    label: str,
    values: Mapping[str, float] | None = None,
    texts: Mapping[str, str] | None = None,
    caption: str = "",
) -> str:
    """Draw places where they lie, coloured by a value; a reader can read values off.

    Parameters
    ----------
    name : str
        Snake-case name, unique on the page.
    outlines : mapping of str to pandas.DataFrame
        By place: columns part, latitude, longitude [degrees]; one row a part is a point, more are the corners of an
        outline (`citylib.data.places.outline` makes them).
    label : str
        What the colours mean, with its unit.
    values : mapping of str to float, optional
        By place; a place without one is grey.
    texts : mapping of str to str, optional
        What a place says when it is pointed at; by default its name and value.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    str
        HTML; the alternative text names the highest and the lowest place.

    Raises
    ------
    InputError
        No places, or a frame without a row.
    """
    drawn = _pieces(outlines, label, values, texts)
    return interactive.markup(name, *drawn[:3], alt=drawn[3], caption=caption, height=HEIGHT)


def show_places(
    name: str,
    outlines: Mapping[str, pd.DataFrame],
    *,
    label: str,
    values: Mapping[str, float] | None = None,
    texts: Mapping[str, str] | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw places where they lie, as `map_of_places` does, and hand the figure back from a notebook.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    outlines : mapping of str to pandas.DataFrame
        By place: columns part, latitude, longitude [degrees].
    label : str
        What the colours mean, with its unit.
    values : mapping of str to float, optional
        By place; a place without one is grey.
    texts : mapping of str to str, optional
        What a place says when it is pointed at.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No places, or a frame without a row.
    """
    drawn = _pieces(outlines, label, values, texts)
    return interactive.show(name, *drawn[:3], alt=drawn[3], caption=caption, height=HEIGHT)


def _pieces(
    outlines: Mapping[str, pd.DataFrame],
    label: str,
    values: Mapping[str, float] | None,
    texts: Mapping[str, str] | None,
) -> tuple[list[dict[str, Any]], dict[str, Any], Still, str]:
    """Return traces, layout, the drawing without motion, and what it says in words."""
    if not outlines:
        raise InputError("outlines", "hold at least one place", 0)
    for place, frame in outlines.items():
        if not len(frame):
            raise InputError("outlines", "hold a row for each place", f"none for {place}")
    known = {p: checks.number("value", v) for p, v in (values or {}).items() if p in outlines}
    shown = {p: (texts or {}).get(p, f"{p}: {known[p]:.3g}" if p in known else p) for p in outlines}
    low, high = (min(known.values()), max(known.values())) if known else (0.0, 1.0)
    shade = Normalize(low, high if high > low else low + 1)
    colours = {p: _colour(shade(known[p])) if p in known else UNKNOWN for p in outlines}
    points = {p: f for p, f in outlines.items() if len(f) == 1}
    areas = {p: f for p, f in outlines.items() if len(f) > 1}
    ground = _Frame(outlines)
    data = [*_fills(areas, colours, shown), *_dots(points, known, shown, label, shade, bool(known))]
    layout = {**ground.layout(), "annotations": [ground.bar_words(), *_names(areas, colours)]}

    def still(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        for place, area in areas.items():
            for _, ring in area.groupby("part"):
                axes.fill(ring["longitude"], ring["latitude"], facecolor=colours[place], edgecolor=EDGE)
        for place, point in points.items():
            axes.plot(point["longitude"], point["latitude"], "o", color=colours[place], markeredgecolor=EDGE)
        axes.set(xlabel="longitude [°]", ylabel="latitude [°]", aspect=ground.stretch)
        if known:
            scale = mpl.cm.ScalarMappable(shade, mpl.colors.LinearSegmentedColormap.from_list("places", SCALE))
            figure.colorbar(scale, ax=axes, label=label)

    return data, layout, still, _alt(label, known, outlines)


class _Frame:
    """The axes of a map: what they span, how they are stretched, and the bar of kilometres."""

    def __init__(self, outlines: Mapping[str, pd.DataFrame]) -> None:
        corners = pd.concat(outlines.values())[["longitude", "latitude"]].to_numpy(dtype=float)
        low, high = corners.min(axis=0), corners.max(axis=0)
        room = 0.06 * np.maximum(high - low, 0.002)
        self.west, self.south = low - room
        self.east, self.north = high + room
        self.south -= room[1]  # for the bar
        self.stretch = 1 / max(0.05, math.cos(math.radians((low[1] + high[1]) / 2)))
        wide = (self.east - self.west) * KM / self.stretch
        lengths = [b * 10.0**e for e in range(-3, 5) for b in (1, 2, 5)]
        self.bar = max((b for b in lengths if b <= wide / 4), default=wide / 4)

    def layout(self) -> dict[str, Any]:
        """Return Plotly's layout."""
        end = self.west + 0.03 * (self.east - self.west) + self.bar / KM * self.stretch
        shape = {"type": "line", "x0": self._left(), "x1": end, "y0": self._bar_height(), "y1": self._bar_height()}
        axis = {"showgrid": False, "zeroline": False, "constrain": "domain", "ticks": "outside", "nticks": 5}
        return {
            "xaxis": {**axis, "title": {"text": "longitude [°]"}, "range": [self.west, self.east]},
            "yaxis": {
                **axis,
                "title": {"text": "latitude [°]"},
                "range": [self.south, self.north],
                "scaleanchor": "x",
                "scaleratio": self.stretch,
            },
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {"namelength": -1},
            "dragmode": False,  # a finger that moves down the page moves the page
            "shapes": [{**shape, "line": {"color": EDGE, "width": 3}}],
        }

    def bar_words(self) -> dict[str, Any]:
        """Return how long the bar is, as an annotation."""
        words = f"{self.bar:g} km" if self.bar >= 1 else f"{1000 * self.bar:g} m"
        here = {"x": self._left(), "y": self._bar_height(), "xanchor": "left", "yanchor": "bottom"}
        return {"text": words, "showarrow": False, **here}

    def _left(self) -> float:
        return float(self.west + 0.03 * (self.east - self.west))

    def _bar_height(self) -> float:
        return float(self.south + 0.02 * (self.north - self.south))


def _fills(
    areas: Mapping[str, pd.DataFrame], colours: Mapping[str, str], shown: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": ring["longitude"].round(6).tolist(),
            "y": ring["latitude"].round(6).tolist(),
            "fill": "toself",
            "fillcolor": colours[place],
            "line": {"color": EDGE, "width": 1},
            "hoveron": "fills",
            "hoverinfo": "text",
            "text": shown[place],
            "name": place,
        }
        for place, area in areas.items()
        for _, ring in area.groupby("part")
    ]


def _dots(
    points: Mapping[str, pd.DataFrame],
    known: Mapping[str, float],
    shown: Mapping[str, str],
    label: str,
    shade: Normalize,
    scaled: bool,
) -> list[dict[str, Any]]:
    """Return the trace of all points, which also carries the scale of colours; without points, only the scale."""
    grey = [p for p in points if p not in known]
    bright = [p for p in points if p in known]
    line = {"color": EDGE, "width": 1}
    out = []
    if grey:
        out.append(_dot_trace(points, grey, shown) | {"marker": {"size": 13, "color": UNKNOWN, "line": line}})
    if bright or scaled:
        scale = [[k / (len(SCALE) - 1), colour] for k, colour in enumerate(SCALE)]
        marker: dict[str, Any] = {"size": 13, "color": [known[p] for p in bright], "line": line, "colorscale": scale}
        marker |= {"cmin": shade.vmin, "cmax": shade.vmax, "showscale": scaled}
        under = {"orientation": "h", "y": -0.16, "yanchor": "top", "len": 0.9, "thickness": 12, "outlinewidth": 0}
        marker["colorbar"] = under | {"title": {"text": label, "side": "bottom"}, "nticks": 6}
        trace = _dot_trace(points, bright, shown) | {"marker": marker}
        out.append(trace if bright else trace | {"x": [None], "y": [None], "marker": marker | {"color": [shade.vmin]}})
    return out


def _dot_trace(points: Mapping[str, pd.DataFrame], places: list[str], shown: Mapping[str, str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(points[p]["longitude"].iloc[0]) for p in places],
        "y": [float(points[p]["latitude"].iloc[0]) for p in places],
        "text": [shown[p] for p in places],
        "hoverinfo": "text",
    }


def _names(areas: Mapping[str, pd.DataFrame], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    if len(areas) > MOST_NAMED:
        return []
    out = []
    for place, area in areas.items():
        largest = max((ring for _, ring in area.groupby("part")), key=lambda r: abs(_centre(r)[2]))
        x, y, _ = _centre(largest)
        words = place.replace(" ", "<br>")
        font = {"size": 10, "color": "#ffffff" if _dark(colours[place]) else "#1f2328"}
        out.append({"text": words, "x": x, "y": y, "showarrow": False, "font": font, "captureevents": False})
    return out


def _centre(ring: pd.DataFrame) -> tuple[float, float, float]:
    """Return longitude and latitude of a ring's centre of area, and the area with its sign (shoelace)."""
    x, y = (ring[k].to_numpy(dtype=float) for k in ("longitude", "latitude"))
    x0, y0 = x.mean(), y.mean()
    x, y = x - x0, y - y0
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    area = cross.sum() / 2
    if abs(area) < 1e-15:
        return float(x0), float(y0), 0.0
    along, up = (((v + np.roll(v, -1)) * cross).sum() / (6 * area) for v in (x, y))
    return float(x0 + along), float(y0 + up), float(area)


def _colour(at: Any) -> str:
    place = float(at) * (len(SCALE) - 1)
    low = min(int(place), len(SCALE) - 2)
    ends = [np.array([int(SCALE[k][i : i + 2], 16) for i in (1, 3, 5)]) for k in (low, low + 1)]
    mixed = ends[0] + (ends[1] - ends[0]) * (place - low)
    return "#" + "".join(f"{round(float(c)):02x}" for c in mixed)


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def _alt(label: str, known: Mapping[str, float], outlines: Mapping[str, pd.DataFrame]) -> str:
    if not known:
        return f"Map of {len(outlines)} places."
    top, bottom = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    return (
        f"Map of {len(outlines)} places coloured by {label}: highest in {top} ({known[top]:.3g}), lowest in {bottom} "
        f"({known[bottom]:.3g})."
    )
