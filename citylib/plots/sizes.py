"""What is reached by size, and below it what one unit more is worth: one picture of budgets and of batteries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from citylib.plots import frame, marks

__all__ = ["draw", "stacked"]

FloatArray = npt.NDArray[np.float64]


def stacked(figure: Figure) -> tuple[Axes, Axes]:
    """Return two axes over one common axis, the upper one the higher."""
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    return above, below


def draw(
    figure: Figure,
    size: FloatArray,
    reached: Mapping[str, FloatArray],
    worth: FloatArray,
    mode: Mapping[str, Any],
    *,
    now: float,
    x_label: str,
    label: str,
    worth_label: str,
) -> Axes:
    """Draw what sizes reach, what one unit more is worth, and the size at hand.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        An empty one.
    size : array, shape (K,)
        Sizes.
    reached : mapping of str to array, shape (K,)
        Of each rule, by its name in the legend.
    worth : array, shape (K,)
        Of one unit more.
    mode : mapping
        As `citylib.plots.style.show` hands it to a drawing.
    now : float
        The size at hand.
    x_label, label, worth_label : str
        Of the axes, with units.

    Returns
    -------
    matplotlib.axes.Axes
        The upper ones.
    """
    above, below = stacked(figure)
    marks.lines(above, size, reached, mode)
    below.plot(size, worth, color=mode["colours"][0])
    for axes in (above, below):
        axes.axvline(now, color=mode["ink"], linewidth=0.8)
    above.set_ylabel(label)
    below.set(xlabel=x_label, ylabel=worth_label, ylim=(0, None))
    frame.legend_outside(figure, above, 4, side="upper")
    return above
