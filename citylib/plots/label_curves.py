"""What labels buy: a share against how many labels were given, a line a contender, intervals as bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from matplotlib.axes import Axes

from citylib import checks
from citylib.plots import frame
from citylib.plots.intervals import Estimates, beside, checked
from citylib.plots.marks import MARKS

__all__ = ["LabelCurves"]


class LabelCurves:
    """Shares by number of labels, checked, told in words and drawn.

    Parameters
    ----------
    labels : array_like of int, shape (L,)
        How many labels were given, above 0.
    contenders : mapping of str to (mean, low, high), each array_like, shape (L,)
        Shares, 0 to 1; at most six.

    Raises
    ------
    InputError
        No contender or too many, lengths that differ.

    Examples
    --------
    >>> LabelCurves([1, 20], {"ours": ([0.2, 0.7], [0.1, 0.6], [0.3, 0.8])}).said
    'ours 20% with 1, 70% with 20'
    """

    def __init__(self, labels: npt.ArrayLike, contenders: Mapping[str, Estimates]) -> None:
        x = self.labels = checks.series("labels", labels)
        self.lines = checked(contenders, what="contenders", most=len(MARKS), missing=False, labels=x)
        self.said = "; ".join(
            f"{k} {v[0][0]:.0%} with {x[0]:g}, {v[0][-1]:.0%} with {x[-1]:g}" for k, v in self.lines.items()
        )

    def draw(self, axes: Axes, mode: Mapping[str, Any], *, level: float, level_name: str, apart: float = 0.03) -> None:
        """Draw them on an axis of logarithms, with a named level to compare them with.

        Parameters
        ----------
        axes : matplotlib.axes.Axes
            Where they are drawn; they still need the names of their axes, and a legend.
        mode : mapping
            As `citylib.plots.style.show` hands it to a drawing.
        level, level_name : float, str
            The level, and what reaches it.
        apart : float, default 0.03
            How far lines stand beside each other, as a share of the labels, so that bars can be seen.
        """
        x = self.labels
        beside(axes, x, self.lines, mode, apart=apart, logarithmic=True)
        axes.axhline(level, color=mode["ink"], linewidth=0.8)
        axes.text(x[0], level, f" {level_name}", va="bottom", fontsize=9)
        axes.set(xscale="log")
        frame.ticks(axes, x, form=",.0f")
        axes.yaxis.minorticks_off()
        frame.percent(axes.yaxis)
