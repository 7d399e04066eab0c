"""What the parts of a model take off an error, each alone and on top of the others, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from citylib import results
from citylib.plots import intervals, style

__all__ = ["contributions"]

MOST_PARTS, MOST_WAYS = 8, 4


def contributions(
    name: str, parts: Sequence[str], ways: Mapping[str, npt.ArrayLike], *, label: str, caption: str = ""
) -> results.Payload:
    """Draw the share of an error that each part takes off, with its interval, a panel a way of counting.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    parts : sequence of str, length K
        From top to bottom; at most 8.
    ways : mapping of str to array_like, shape (K, 3)
        By way of counting (alone, on top of the others): share and ends of its interval; below zero a part does harm.
        At most 4.
    label : str
        Of what it is a share.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives all shares and intervals.

    Raises
    ------
    InputError
        Too many to be read, or shapes that differ.
    """
    found = intervals.tables(("parts", "ways"), parts, ways, most=(MOST_PARTS, MOST_WAYS), missing=False)
    at = np.arange(len(parts))[::-1]
    said = "; ".join(
        f"{way}: "
        + ", ".join(
            f"{part} {v:.1%} ({low:.1%} to {high:.1%})" for part, (v, low, high) in zip(parts, rows, strict=True)
        )
        for way, rows in found.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(found), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (way, rows) in zip(grid, found.items(), strict=True):
            axes.axvline(0, color=mode["ink"], linewidth=0.8)
            intervals.by_row(axes, at, rows.T, mode["colours"][0], size=5, width=1.6)
            axes.set_title(way, fontsize=9.5)
            axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}%"))
            axes.grid(axis="y", visible=False)
        grid[0].set_yticks(at, list(parts))
        grid[0].set_ylim(-0.6, len(parts) - 0.4)
        figure.supxlabel(label, fontsize=9.5)

    return style.show(name, draw, alt=f"{label}: {said}.", caption=caption, height=1.4 + 0.35 * len(parts))
