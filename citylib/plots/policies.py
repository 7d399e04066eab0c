"""Figures of policies judged by their regret: against how much they learned from, or how hard they are attacked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["regrets"]


def regrets(
    name: str,
    at: npt.ArrayLike,
    lines: Mapping[str, intervals.Estimates],
    *,
    label: str,
    x_label: str,
    logarithmic: bool = False,
    levels: Mapping[str, float] | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw regret as a line a policy with its range as bars.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    at : array_like, shape (K,)
        Where regret was worked out, rising.
    lines : mapping of str to (middle, low, high)
        Each of shape (K,), in percent; NaN where it was not.
    label, x_label : str
        What regret is of, and what it is drawn against.
    logarithmic : bool, default False
        Whether both axes are; then all must be above 0.
    levels : mapping of str to float, optional
        Rules that learn nothing, as level lines.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Places that don't rise, lines of other lengths, more than 8, none; what is not above 0 on a logarithmic axis.
    """
    x = checks.series("at", at)
    if (np.diff(x) <= 0).any():
        raise InputError("at", "rise", x.tolist())
    drawn = intervals.checked(lines, what="lines", most=len(marks.EIGHT_MARKS), at=x)
    lowest = min(float(np.nanmin(parts[1])) for parts in drawn.values())
    if logarithmic and (x[0] <= 0 or lowest <= 0):
        raise InputError("lines", "be above 0 on logarithmic axes", lowest)
    flat = dict(levels or {})

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        intervals.beside(axes, x, drawn, mode, apart=0.02 if logarithmic else 0.006, logarithmic=logarithmic)
        for k, (key, level) in enumerate(flat.items()):  # named in the legend: lines would run through a name beside it
            axes.axhline(level, color=mode["ink"], linestyle=marks.DASHES[k % 4], linewidth=0.8, label=key)
        axes.set(xlabel=x_label, ylabel=f"{label} [%]")
        if logarithmic:
            axes.set(xscale="log", yscale="log")
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
        else:
            axes.set_ylim(0, None)
        frame.ticks(axes, x)
        frame.legend_outside(figure, axes, 2)

    said = "; ".join(f"{k} {_ends(x, v[0])}" for k, v in drawn.items())
    said += "".join(f"; {k} {v:.3g} throughout" for k, v in flat.items())
    height = 3.4 + 0.2 * (-(-(len(drawn) + len(flat)) // 2))
    return style.show(name, draw, alt=f"{label} in percent by {x_label}: {said}.", caption=caption, height=height)


def _ends(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> str:
    known = np.flatnonzero(np.isfinite(y))
    if not len(known):
        return "not known"
    return f"{y[known[0]]:.3g} at {x[known[0]]:g}, {y[known[-1]]:.3g} at {x[known[-1]]:g}"
