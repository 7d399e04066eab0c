"""How lines and signs are told apart without colour, and lines drawn so: one look for all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

__all__ = ["DASHES", "MARKS", "SIX_DASHES", "THIN_MARKS", "UNLIKE_MARKS", "lines"]

DASHES = ("-", "--", ":", "-.")
SIX_DASHES = (*DASHES, (0, (5, 1)), (0, (1, 3)))
MARKS = ("o", "s", "^", "D", "v", "P")
UNLIKE_MARKS = ("o", "D", "s", "^", "v", "P")  # a circle and a square beside each other look alike when they are small
THIN_MARKS = ("o", "s", "^", "d", "v", "x")  # for lines that run close to each other


def lines(
    axes: Axes,
    x: npt.ArrayLike | None,
    drawn: Mapping[str, Any],
    mode: Mapping[str, Any],
    *,
    dashes: Sequence[Any] = DASHES,
    marks: Sequence[str] = ("",),
    size: float = 4.0,
) -> None:
    """Draw lines over a common axis, each with a colour, dashes and a sign of its own.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where they are drawn.
    x : array_like, shape (T,), or None
        Numbers or times; None: the steps of each line, counted from 1.
    drawn : mapping of str to array_like, shape (T,)
        By their names in the legend; where there are more than colours, dashes or signs, these begin again.
    mode : mapping
        As `citylib.plots.style.show` hands it to a drawing.
    dashes, marks : sequence
        Of matplotlib; the sign ``""`` is none.
    size : float, default 4
        Of the signs, in points.
    """
    colours = mode["colours"]
    for k, (label, line) in enumerate(drawn.items()):
        look = {"color": colours[k % len(colours)], "linestyle": dashes[k % len(dashes)]}
        at = np.arange(1, len(line) + 1) if x is None else x
        axes.plot(at, line, marker=marks[k % len(marks)], markersize=size, label=label, **look)
