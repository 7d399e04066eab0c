"""What stands around the marks of a figure: legends beside the axes, names of rows down them, dates along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

__all__ = ["dates", "legend_above", "legend_outside", "rows"]

Side = Literal["lower", "upper"]
OUTSIDE: dict[Side, Literal["outside lower center", "outside upper center"]] = {
    "lower": "outside lower center",
    "upper": "outside upper center",
}


def legend_above(axes: Axes, columns: int, *, small: bool = False) -> None:
    """Put the legend above the axes, where it hides nothing: in the middle, or small and to the left."""
    if small:
        axes.legend(ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), fontsize="small")
    else:
        axes.legend(ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def legend_outside(
    figure: Figure, axes: Axes, columns: int, *, side: Side = "lower", size: float | None = None
) -> None:
    """Put what is named in some axes in a legend of the whole figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, of one or more axes.
    axes : matplotlib.axes.Axes
        Those whose marks have the names.
    columns : int
        Of the legend.
    side : {"lower", "upper"}, default "lower"
        Where it stands.
    size : float, optional
        Of the letters, in points.
    """
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc=OUTSIDE[side], ncols=columns, fontsize=size)


def rows(axes: Axes, names: Sequence[str], *, label: str, room: float = 0.5) -> None:
    """Name rows 0, 1, 2 … from top to bottom, with no lines across.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        In which row k lies at height k.
    names : sequence of str
        Of the rows.
    label : str
        Of the axis across, with its unit.
    room : float, default 0.5
        Rows left free above the first and below the last.
    """
    axes.set_yticks(np.arange(len(names)), list(names))
    axes.set(xlabel=label, ylim=(len(names) - 1 + room, -room))
    axes.grid(axis="y", visible=False)


def dates(axes: Axes, *, least: int = 3, most: int = 7) -> None:
    """Write dates along the axes, as short as can be: `least` to `most` of them."""
    locator = AutoDateLocator(minticks=least, maxticks=most)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
