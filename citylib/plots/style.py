"""How every figure looks: for light and for dark pages, as SVG with alternative text.

A figure is described once, as a function of the axes; `show` has it in both modes
and hands it back through `citylib.results.figure`. The dark one is the light one in
other colours, where it has no colours but the mode's: most of what a short chapter
computes with would otherwise be spent on laying the same labels out twice.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from citylib import results

__all__ = ["COLOURS", "DARK", "LIGHT", "both", "framed", "show"]

# Okabe and Ito (2008), colour-blind safe; black is replaced by the page's ink.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
LIGHT: dict[str, Any] = {"ink": "#1f2328", "faint": "#d0d7de", "colours": COLOURS}
DARK: dict[str, Any] = {
    "ink": "#e6edf3",
    "faint": "#444c56",
    "colours": ("#4DA9E0", "#FF8F4A", "#35C79B", "#E5A3C6", "#F2BE4A", "#8CCBF0"),
}
IN_DARK = {
    light.lower(): dark.lower()
    for light, dark in zip(
        (LIGHT["ink"], LIGHT["faint"], *COLOURS), (DARK["ink"], DARK["faint"], *DARK["colours"]), strict=True
    )
}
HEX = re.compile(r'(?<=[ "])#[0-9a-fA-F]{6}(?=[;"])')  # as matplotlib writes colours, in styles and as attributes
PART = re.compile(r'(\bid="|"#|\(#)(\w*[0-9a-f]{10})(?=["\)])')  # names that it makes up, and where they are used
WIDTH = 7.2  # inches; the text column of the book
# Which of the two drawings shows where the book's own sheet isn't at hand: JupyterLab, VS Code, a plain page.
_DARK_PAGES = ('html[data-theme="dark"]', 'body[data-jp-theme-light="false"]', "body.vscode-dark")
SWITCH = (
    "<style>.citylib-figure .only-dark{display:none}"
    + ",".join(f"{page} .citylib-figure .only-light" for page in _DARK_PAGES)
    + "{display:none}"
    + ",".join(f"{page} .citylib-figure .only-dark" for page in _DARK_PAGES)
    + "{display:block}</style>"
)


def show(
    name: str,
    draw: Callable[[Figure, dict[str, Any]], None],
    *,
    alt: str,
    caption: str = "",
    height: float = 3.2,
) -> results.Payload:
    """Draw a figure in both modes and hand it back.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    draw : callable
        ``draw(figure, mode)``: adds axes and marks to an empty figure; `mode` has the
        keys ``ink``, ``faint`` and ``colours``. Called for light pages, and again for dark ones if it draws
        pictures or in any colour that isn't one of these.
    alt : str
        What a reader who cannot see it should know.
    caption : str, optional
        One sentence under it.
    height : float, default 3.2
        In inches; the width is that of the page.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    markup = framed(name, both(name, draw, alt=alt, height=height), caption)
    return results.figure(name, markup, alt=alt, caption=caption)


def framed(name: str, inner: str, caption: str = "") -> str:
    """Return the HTML of a figure around what is drawn, with its caption under it."""
    under = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="citylib-figure" data-name="{name}">{inner}{under}</figure>'


def both(name: str, draw: Callable[[Figure, dict[str, Any]], None], *, alt: str, height: float = 3.2) -> str:
    """Return the HTML of a figure drawn for light and for dark pages; see `show` for the parameters."""
    light = _svg(f"{name}-light", draw, LIGHT, alt, height)
    dark = _recoloured(light) if _is_of_palette(light) else _svg(f"{name}-dark", draw, DARK, alt, height)
    return f'{SWITCH}<div class="only-light">{light}</div><div class="only-dark">{dark}</div>'


def _is_of_palette(svg: str) -> bool:
    """Whether a drawing for light pages has no colours but the palette's, and no pictures."""
    return "<image" not in svg and {colour.lower() for colour in HEX.findall(svg)} <= IN_DARK.keys()


def _recoloured(svg: str) -> str:
    """Return the drawing for dark pages, with names of its own for the parts that it refers to."""
    return HEX.sub(lambda m: IN_DARK[m[0].lower()], PART.sub(r"\1\2d", svg))


def _svg(
    salt: str, draw: Callable[[Figure, dict[str, Any]], None], mode: dict[str, Any], alt: str, height: float
) -> str:
    ink, faint = mode["ink"], mode["faint"]
    settings: Any = {
        "svg.hashsalt": salt,
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],  # one name, not the list of twelve that every label would carry
        "font.size": 10,
        "axes.prop_cycle": cycler(color=list(mode["colours"])),
        "axes.edgecolor": faint,
        "axes.labelcolor": ink,
        "axes.titlecolor": ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": faint,
        "grid.linewidth": 0.5,
        "text.color": ink,
        "xtick.color": ink,
        "ytick.color": ink,
        "legend.frameon": False,
        "lines.linewidth": 1.4,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "figure.autolayout": False,
        "figure.constrained_layout.use": False,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH, height), dpi=72, layout="constrained")  # dots as backend and layout count them
        FigureCanvasSVG(figure)
        draw(figure, mode)
        engine = figure.get_layout_engine()
        assert engine is not None
        engine.execute(figure)
        figure.set_layout_engine(None)  # or all would be drawn once more, to find out what has been
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    # a hundredth of a point is less than can be seen, and half the page's weight
    svg = re.sub(r'\b(d|x|y|points)="[^"]*"', lambda m: re.sub(r"(\.\d\d)\d+", r"\1", m[0]), svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{html.escape(alt)}"', 1)
