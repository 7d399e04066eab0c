"""Figures a reader can touch: Plotly where it is at hand, the same drawing standing still elsewhere.

One output carries three forms: HTML with the figure's data, which the book's own
script (book/assets/book.js) draws in place of the still drawing beside it; Plotly's own
type for JupyterLab; and a sentence for those who cannot see it.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import marks, style

__all__ = ["PLOTLY_MIME", "lines", "markup", "show"]

PLOTLY_MIME = "application/vnd.plotly.v1+json"
MAX_BYTES = 200_000  # of a figure's data, which a page carries in full
DASHES = ("solid", "dash", "dot", "dashdot")
HIDE = "<style>.citylib-plotly:has(.citylib-plot) .citylib-still{display:none}</style>"  # once it is drawn live


def show(
    name: str,
    data: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any],
    still: Callable[[Figure, dict[str, Any]], None],
    *,
    alt: str,
    caption: str = "",
    height: float = 3.6,
) -> results.Payload:
    """Hand back an interactive figure.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    data : sequence of mapping
        Plotly traces, in the colours of `citylib.plots.style.COLOURS`, which stand out on light and on dark pages.
    layout : mapping
        Plotly layout; axes need titles with units.
    still : callable
        Draws the same without motion, as for `citylib.plots.style.show`.
    alt : str
        What a reader who cannot see it should know.
    caption : str, optional
        One sentence under it.
    height : float, default 3.6
        In inches.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        More than 200 kB of data: draw fewer points.
    """
    drawn = _drawn(data, layout, height)
    shown = markup(name, data, layout, still, alt=alt, caption=caption, height=height)
    return results.figure(name, shown, alt=alt, caption=caption, also={PLOTLY_MIME: drawn})


def markup(
    name: str,
    data: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any],
    still: Callable[[Figure, dict[str, Any]], None],
    *,
    alt: str,
    caption: str = "",
    height: float = 3.6,
) -> str:
    """Return the HTML of an interactive figure, for a page made without a notebook; see `show` for the parameters."""
    drawn = _drawn(data, layout, height)
    spec = json.dumps(drawn, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    size = len(spec.encode())
    if size > MAX_BYTES:
        raise InputError("data", f"be at most {MAX_BYTES // 1000} kB", f"{size / 1000:.0f} kB", "draw fewer points")
    held = spec.replace("</", "<\\/")  # no text may close the script element that holds it
    inner = (
        f'<div class="citylib-plotly" id="plotly-{name}" role="img" aria-label="{html.escape(alt)}">{HIDE}'
        f'<div class="citylib-still">{style.both(name, still, alt=alt, height=height)}</div>'
        f'<script type="application/json">{held}</script></div>'
    )
    return style.framed(name, inner, caption)


def lines(
    name: str,
    x: npt.ArrayLike,
    series: Mapping[str, npt.ArrayLike],
    *,
    x_label: str,
    y_label: str,
    alt: str,
    caption: str = "",
    height: float = 3.6,
) -> results.Payload:
    """Draw lines over a common axis; a reader can zoom, read values off, and switch lines on and off.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    x : array_like, shape (T,)
        Numbers or times, increasing.
    series : mapping of str to array_like, shape (T,)
        A line each, by its name in the legend; NaN interrupts it. At most 12.
    x_label, y_label : str
        With units.
    alt, caption, height
        As in `show`.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No line, too many, lengths that differ.
    """
    if not 1 <= len(series) <= 12:
        raise InputError("series", "hold 1 to 12 lines", len(series))
    places = np.asarray(x)
    values = {label: checks.series(label, line, missing=True) for label, line in series.items()}
    checks.same_length(x=places, **values)
    timed = np.issubdtype(places.dtype, np.datetime64)
    shown = [str(t)[:16] for t in pd.DatetimeIndex(places)] if timed else places.tolist()
    looks = [(k % len(style.COLOURS), k // len(style.COLOURS)) for k in range(len(values))]
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": label,
            "x": shown,
            "y": _rounded(line),
            "connectgaps": False,
            "line": {"color": style.COLOURS[colour], "dash": DASHES[dash], "width": 2},
        }
        for (label, line), (colour, dash) in zip(values.items(), looks, strict=True)
    ]
    layout = {
        "xaxis": {**_axis(), "title": {"text": x_label}},
        "yaxis": {**_axis(), "title": {"text": y_label}},
        "showlegend": len(values) > 1,
        "hovermode": "x unified",
    }

    def still(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        for (label, line), (colour, dash) in zip(values.items(), looks, strict=True):
            axes.plot(places, line, marks.DASHES[dash], color=mode["colours"][colour], label=label)
        axes.set(xlabel=x_label, ylabel=y_label)
        if len(values) > 1:
            axes.legend(ncols=3, fontsize="small")

    return show(name, data, layout, still, alt=alt, caption=caption, height=height)


def _drawn(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], height: float) -> dict[str, Any]:
    return {"data": _plain(data), "layout": _plain({**_frame(height), **layout})}


def _frame(height: float) -> dict[str, Any]:
    return {
        "autosize": True,
        "height": round(height * 96),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": style.LIGHT["ink"]},
        "margin": {"l": 60, "r": 10, "t": 10, "b": 50},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "modebar": {"orientation": "v", "bgcolor": "rgba(0,0,0,0)"},  # beside the plot, off the legend
    }


def _axis() -> dict[str, Any]:
    faint = style.LIGHT["faint"]
    return {"gridcolor": faint, "linecolor": faint, "zerolinecolor": faint, "automargin": True}


def _rounded(line: npt.NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(v) else float(f"{v:.5g}") for v in line]


def _plain(value: Any) -> Any:
    """Return `value` as JSON holds it: arrays as lists, NaN as None."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and np.isnan(value) else value
