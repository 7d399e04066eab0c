"""Figures of the first network: losses of every part of the data by epoch, and the curve it found beside the law."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["curves", "relation"]

MAX_LINES = len(marks.DASHES)
MAX_DOTS = 1500  # more are not seen, and weigh on the page


def curves(
    name: str, losses: Mapping[str, npt.ArrayLike], *, stop: int, label: str, caption: str = ""
) -> results.Payload:
    """Draw the loss after each epoch on every part of the data, and where training is stopped.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    losses : mapping of str to array_like, shape (epochs,)
        Above 0, by part; at most 4.
    stop : int
        Epoch whose weights are kept, from 1.
    label : str
        Name and unit of the loss.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many lines to be read, lengths that differ, losses not above 0, a stop that is no epoch.
    """
    lines = {key: checks.series(key, value) for key, value in losses.items()}
    checks.integer("number of losses", len(lines), minimum=1, maximum=MAX_LINES)
    epochs = checks.same_length(**lines)
    stop = checks.integer("stop", stop, minimum=1, maximum=epochs)
    lowest = min(line.min() for line in lines.values())
    checks.number("losses", lowest, above=0)
    told = "; ".join(
        f"{key} {line[0]:.3g} after the first, {line[stop - 1]:.3g} at the stop, {line[-1]:.3g} after the last"
        for key, line in lines.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, None, lines, mode)
        axes.axvline(stop, color=mode["ink"], linewidth=0.8)
        axes.annotate("kept", (stop, 1), (3, -10), xycoords=("data", "axes fraction"), textcoords="offset points")
        axes.set(xlabel="epoch", ylabel=label, yscale="log")
        frame.legend_above(axes, MAX_LINES)

    alt = f"{label} over {epochs} epochs, weights of epoch {stop} kept: {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.0)


def relation(
    name: str,
    x: npt.ArrayLike,
    lines: Mapping[str, npt.ArrayLike],
    *,
    dots: tuple[npt.ArrayLike, npt.ArrayLike],
    x_label: str,
    y_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw what models say of one variable by another, over the readings.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    x : array_like, shape (P,)
        Where the lines are known, increasing.
    lines : mapping of str to array_like, shape (P,)
        What each model, or the law, says there; at most 4.
    dots : (x, y), each array_like, shape (n,)
        Readings; of more than a page shows, every so many.
    x_label, y_label : str
        With the units.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many lines to be read, or lengths that differ.
    """
    at = checks.increasing("x", checks.series("x", x, at_least=2))
    held = {key: checks.series(key, value) for key, value in lines.items()}
    if not 1 <= len(held) <= MAX_LINES:
        raise InputError("lines", f"be 1 to {MAX_LINES}", len(held))
    checks.same_length(x=at, **held)
    across, up = (checks.series("dots", part) for part in dots)
    every = max(1, -(-checks.same_length(x=across, y=up) // MAX_DOTS))
    told = "; ".join(f"{key} from {line[0]:.3g} to {line[-1]:.3g}" for key, line in held.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.plot(across[::every], up[::every], ".", markersize=2, color=mode["faint"], label="readings", zorder=1)
        for k, (key, line) in enumerate(held.items()):
            axes.plot(at, line, marks.DASHES[k], color=mode["colours"][k], label=key, zorder=2 + k)
        axes.set(xlabel=x_label, ylabel=y_label)
        frame.legend_above(axes, MAX_LINES + 1)

    alt = f"{y_label} by {x_label}, {at[0]:.3g} to {at[-1]:.3g}: {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.2)
