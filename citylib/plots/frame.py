"""What stands around the marks of a figure: legends beside the axes, names of rows down them, what is along them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

__all__ = ["dates", "legend_above", "legend_outside", "percent", "rows", "short", "ticks"]

LETTERS = 10.0  # points; of what isn't given a size
LONGEST = 18  # letters of a name where many stand beside or under each other
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
    figure: Figure, axes: Axes | Sequence[Axes], columns: int, *, side: Side = "lower", size: float | None = None
) -> None:
    """Put what is named in some axes in a legend of the whole figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, of one or more axes.
    axes : matplotlib.axes.Axes or sequence of it
        Those whose marks have the names.
    columns : int
        Of the legend, at most: fewer where names are too long for the page.
    side : {"lower", "upper"}, default "lower"
        Where it stands.
    size : float, optional
        Of the letters, in points.
    """
    named = [one.get_legend_handles_labels() for one in ([axes] if isinstance(axes, Axes) else axes)]
    handles, labels = [h for pair in named for h in pair[0]], [v for pair in named for v in pair[1]]
    room = 72 * figure.get_figwidth() / (size or LETTERS)
    while columns > 1 and _across([len(v) for v in labels], columns) > room:
        columns -= 1
    figure.legend(handles, labels, loc=OUTSIDE[side], ncols=columns, fontsize=size)


def _across(letters: Sequence[int], columns: int) -> float:
    """Return about how wide a legend is, in sizes of its letters; names go down its columns, the first fullest."""
    parts = np.array_split(np.asarray(letters), columns)
    return sum(3.0 + 0.56 * max(part, default=0) for part in parts) + 2.0 * (columns - 1)


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


def percent(*axis: Axis, decimals: int | None = 0) -> None:
    """Write shares along these in percent, whole if not told otherwise; None: as many decimals as tell them apart."""
    for one in axis:
        one.set_major_formatter(PercentFormatter(1, decimals=decimals))


def ticks(axes: Axes, at: npt.ArrayLike, *, form: str = ",g") -> None:
    """Write the numbers that were tried along the axes across, and no others; for logarithmic axes too."""
    axes.set_xticks(np.asarray(at), [f"{v:{form}}" for v in np.asarray(at)])
    axes.xaxis.minorticks_off()


def short(name: str) -> str:
    """Return a name cut where it is too long to stand beside many.

    Examples
    --------
    >>> short("Mission Hill"), short("South Boston / South Boston Waterfront")
    ('Mission Hill', 'South Boston / So…')
    """
    return name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip(" /") + "…"
