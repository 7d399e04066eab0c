"""Figures of texts: how unsure models are, what labels buy, what rose this week. No figure shows a word of a note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style
from citylib.plots.intervals import Estimates
from citylib.plots.label_curves import LabelCurves

__all__ = ["learning_curves", "perplexities", "rises"]

_WORDS = {"expected": "expected", "count": "counted", "reportable": "would be reported from"}
TICKS = (0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000)


def perplexities(
    name: str, models: Mapping[str, Mapping[str, float]], *, label: str, caption: str = ""
) -> results.Payload:
    """Draw the perplexity of models as dots, a row a model, a sign for each kind of text.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    models : mapping of str to mapping of str to float
        By model, by kind of text (at most six): perplexity, above zero.
    label : str
        What is drawn, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    if not models:
        raise InputError("models", "hold at least one", 0)
    table = pd.DataFrame(models).T
    checks.number("number of kinds", table.shape[1], minimum=1, maximum=6)
    values = checks.matrix("models", table)
    if (values <= 0).any():
        raise InputError("models", "have perplexities above zero", float(values.min()))
    said = "; ".join(f"{m} " + ", ".join(f"{v:.3g} on {k}" for k, v in row.items()) for m, row in table.iterrows())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        at = np.arange(len(table))[::-1]
        for k, (kind, column) in enumerate(table.items()):
            axes.plot(column, at, marks.MARKS[k], color=mode["colours"][k], label=str(kind), markersize=6)
        axes.set_yticks(at, list(table.index))
        axes.set(xlabel=label, xscale="log", ylim=(-0.6, len(table) - 0.4))
        ticks = [t for t in TICKS if values.min() / 1.3 < t < values.max() * 1.3]
        axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
        axes.minorticks_off()
        frame.legend_outside(figure, axes, table.shape[1])

    return style.show(name, draw, alt=f"{label}: {said}.", caption=caption, height=1.1 + 0.34 * len(table))


def learning_curves(
    name: str,
    labels: npt.ArrayLike,
    contenders: Mapping[str, Estimates],
    *,
    label: str,
    level: float,
    level_name: str,
    caption: str = "",
) -> results.Payload:
    """Draw a share against the number of labelled texts, a line a contender, its range over repeats as bars.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : array_like of int, shape (L,)
        Labelled texts.
    contenders : mapping of str to (mean, low, high)
        Each of shape (L,), 0 to 1.
    label : str
        Name of the share.
    level, level_name : float, str
        A level to compare with, and what reaches it.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    curves = LabelCurves(labels, contenders)
    x = curves.labels

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        curves.draw(axes, mode, level=level, level_name=level_name, apart=0.04)
        axes.set(xlabel="labelled notes", ylabel=label, xlim=(x.min() / 1.3, x.max() * 1.3))
        frame.legend_outside(figure, axes, len(curves.lines))

    alt = f"{label} by labelled notes: {curves.said}; {level_name}: {level:.0%}."
    return style.show(name, draw, alt=alt, caption=caption)


def rises(name: str, found: pd.DataFrame, *, most: int = 10, caption: str = "") -> results.Payload:
    """Draw the types least likely to have stayed as they were: expected, counted, and the count that would be reported.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    found : pandas.DataFrame
        Index the type; columns ``count``, ``expected``, ``reportable``, ``reported``; the least likely first.
    most : int, default 10
        Types shown.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    lacking = {"count", "expected", "reportable", "reported"} - set(found.columns)
    if lacking or not len(found):
        raise InputError("found", "have rows, and columns count, expected, reportable, reported", sorted(lacking))
    top = found.head(checks.integer("most", most, minimum=1))
    said = "; ".join(
        f"{kind} {row['count']:.0f} against {row['expected']:.1f} expected{' (reported)' if row['reported'] else ''}"
        for kind, row in top.iterrows()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        at = np.arange(len(top))[::-1]
        axes.hlines(at, top["expected"], top["count"], color=mode["faint"], linewidth=2)
        for k, column in enumerate(("expected", "count", "reportable")):
            look = {"color": mode["colours"][k], "label": _WORDS[column], "markersize": 9 if k == 2 else 5}
            axes.plot(top[column], at, "os|"[k], **look)
        starred = zip(top.index, top["reported"], strict=True)
        axes.set_yticks(at, [f"{kind} *" if yes else str(kind) for kind, yes in starred])
        axes.set_xscale("symlog", linthresh=1)
        largest = top[["count", "reportable"]].max().max()
        ticks = [t for t in TICKS if t <= 1.3 * largest and t not in (3, 30, 300)]
        axes.set_xticks(ticks, [f"{t:,}" for t in ticks])
        axes.minorticks_off()
        least = top[["count", "expected"]].min().min()
        axes.set(xlabel="requests a week", xlim=(-0.2 if least < 1 else 0.7 * least, 1.4 * largest))
        frame.legend_outside(figure, axes, 3)

    alt = f"Requests of the last week by type: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.2 + 0.3 * len(top))
