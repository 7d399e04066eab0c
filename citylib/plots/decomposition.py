"""Figures of a series taken apart: trend, seasons and what is left, one below the other on one axis of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, style

__all__ = ["components"]

FloatArray = npt.NDArray[np.float64]


def components(
    name: str, times: npt.ArrayLike, parts: Mapping[str, npt.ArrayLike], *, unit: str, caption: str = ""
) -> results.Payload:
    """Draw the parts of a series below each other; a bar at the right of each is as long in units everywhere.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (T,)
        Of the steps drawn.
    parts : mapping of str to array_like, shape (T,)
        The series first, then its parts.
    unit : str
        Of all of them.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives the range of each part.

    Raises
    ------
    InputError
        No parts, or of other lengths than the times.
    """
    when = np.asarray(times)
    rows = {k: checks.series(k, v, missing=True) for k, v in parts.items()}
    if not rows:
        raise InputError("parts", "hold at least one series", 0)
    for k, v in rows.items():
        if len(v) != len(when):
            raise InputError(k, f"have the {len(when)} steps of the times", len(v))
    ends = {k: (float(np.nanmin(v)), float(np.nanmax(v))) for k, v in rows.items()}
    said = "; ".join(f"{k} from {low:.3g} to {high:.3g}" for k, (low, high) in ends.items())
    bar = min(high - low for low, high in ends.values() if high > low) if any(h > b for b, h in ends.values()) else 0.0

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (title, values), (low, high) in zip(grid, rows.items(), ends.values(), strict=True):
            axes.plot(when, values, color=mode["colours"][0], linewidth=1.0)
            axes.set_title(title, fontsize=9.5, loc="left")
            if bar:
                middle = (low + high) / 2
                axes.plot([1.01, 1.01], [middle - bar / 2, middle + bar / 2], color=mode["colours"][1], linewidth=4,
                          transform=axes.get_yaxis_transform(), clip_on=False, solid_capstyle="butt")  # fmt: skip
        grid[len(rows) // 2].set_ylabel(f"[{unit}]")
        frame.dates(grid[-1])

    alt = f"A series and its parts [{unit}]: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=0.4 + 1.25 * len(rows))
