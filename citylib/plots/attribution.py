"""Figures of explanations: scores by day, how an answer goes when days are taken away, where tokens look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["attention", "by_step"]

DASHES = (*marks.DASHES, (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))


def by_step(
    name: str,
    x: npt.ArrayLike,
    lines: Mapping[str, npt.ArrayLike],
    *,
    x_label: str,
    y_label: str,
    zero: bool = True,
    caption: str = "",
) -> results.Payload:
    """Draw a few numbers by a whole number, a line a method: scores by day, or the answer by days taken away.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    x : array_like of int, shape (G,)
        Across.
    lines : mapping of str to array_like, shape (G,)
        By method; at most 6.
    x_label, y_label : str
        With the units.
    zero : bool, default True
        Whether the axis upwards begins at 0.
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
    at = checks.steps("x", x)
    held = {key: checks.series(key, value) for key, value in lines.items()}
    checks.integer("number of lines", len(held), minimum=1, maximum=len(marks.MARKS))
    checks.same_length(x=at, **held)
    told = "; ".join(
        f"{key} from {line[0]:.3g} to {line[-1]:.3g}, highest at {at[line.argmax()]}" for key, line in held.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, at, held, mode, dashes=DASHES, marks=marks.MARKS)
        axes.set(xlabel=x_label, ylabel=y_label)
        if zero:
            every = np.concatenate([[0.0], *held.values()])
            axes.set_ylim(every.min() - 0.04 * np.ptp(every), every.max() + 0.06 * np.ptp(every) or 1.0)
        axes.set_xticks(at[:: max(1, -(-len(at) // 14))])
        frame.legend_above(axes, 3)

    alt = f"{y_label} by {x_label}, {at[0]} to {at[-1]}: {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.3)


def attention(name: str, weights: npt.ArrayLike, labels: Sequence[str], *, caption: str = "") -> results.Payload:
    """Draw an attention map: a row a token that looks, a column a token that is looked at.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    weights : array_like, shape (P, P)
        Rows add up to 1.
    labels : sequence of str, length P
        Names of the tokens.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Not a square, as many labels as tokens, or rows that do not add up to 1.
    """
    value = checks.matrix("weights", weights)
    if value.shape != (len(labels), len(labels)):
        raise InputError("weights", f"have shape ({len(labels)}, {len(labels)})", value.shape)
    if value.min() < 0 or not np.allclose(value.sum(axis=1), 1, atol=1e-3):
        raise InputError("weights", "be 0 or more, with rows that add up to 1", value.sum(axis=1))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        shown = axes.imshow(value, cmap="Blues", vmin=0, vmax=max(value.max(), 1e-9), aspect="auto")
        axes.set_xticks(range(len(labels)), list(labels), rotation=30, ha="right")
        axes.set_yticks(range(len(labels)), list(labels))
        axes.set(xlabel="looked at", ylabel="looks")
        axes.grid(visible=False)
        for row, column in np.ndindex(*value.shape):
            dark = value[row, column] > 0.6 * value.max()
            ink = "white" if dark else "#1f2328"  # on the map's own blue, which is the same in light and dark
            axes.text(column, row, f"{value[row, column]:.2f}", ha="center", va="center", color=ink, fontsize=8)
        figure.colorbar(shown, ax=axes, label="attention")

    top = value[-1].argsort()[::-1][:3]
    told = ", ".join(f"{labels[k]} {value[-1, k]:.2f}" for k in top)
    alt = f"Attention between {len(labels)} tokens. {labels[-1]} looks most at: {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.8)
