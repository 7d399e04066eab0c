"""Figures of a regression's diagnosis: errors by the memory allowed for, days that pull, effects that differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["effects_by_group", "errors_by_lag", "influence"]

MAX_LINES = 8  # of errors in one figure
MAX_ROWS = 20  # effects in one figure
MAX_GROUPS = 4  # a marker each
NAMED = 5  # of the largest distances


def errors_by_lag(
    name: str,
    lags: npt.ArrayLike,
    errors: Mapping[str, npt.ArrayLike],
    *,
    chosen: int,
    step: str,
    caption: str = "",
) -> results.Payload:
    """Draw standard errors, as multiples of the classic one, against the longest lag that they allow for.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    lags : array_like of int, shape (L,)
        From 0 or more, increasing.
    errors : mapping of str to array_like, shape (L,)
        Error over the classic one, by coefficient; at most 8.
    chosen : int
        The lag in use, which is marked.
    step : str
        Name of one lag, such as ``"hours"``.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No line, too many, or lengths that differ.
    """
    across = checks.increasing("lags", lags)
    lines = {label: checks.series(label, line) for label, line in errors.items()}
    checks.same_length(lags=across, **lines)
    if not 1 <= len(lines) <= MAX_LINES:
        raise InputError("errors", f"hold 1 to {MAX_LINES} lines", len(lines))
    places = np.arange(len(across))  # one apart: from an hour to months every choice is worth the same room
    mark = float(np.interp(checks.integer("chosen", chosen, minimum=0), across, places))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.axhline(1, color=mode["ink"], lw=0.8)
        axes.axvline(mark, color=mode["ink"], lw=0.8, ls=":", label="in use")
        for k, (label, line) in enumerate(lines.items()):
            look = marks.DASHES[k // len(mode["colours"]) % len(marks.DASHES)]
            axes.plot(
                places, line, look, marker="o", ms=3, color=mode["colours"][k % len(mode["colours"])], label=label
            )
        axes.set_xticks(places, [str(lag) for lag in across])
        axes.set(xlabel=f"longest lag allowed for [{step}]", ylabel="standard error, classic one = 1")
        axes.set_ylim(bottom=0)
        axes.legend(ncols=2, fontsize="small")

    told = "; ".join(
        f"{label} {line[0]:.1f} at {across[0]} to {line[-1]:.1f} at {across[-1]}" for label, line in lines.items()
    )
    alt = f"Standard errors over the classic one, by the longest lag in {step}: {told}. In use: {chosen}."
    return style.show(name, draw, alt=alt, caption=caption)


def influence(
    name: str, times: npt.ArrayLike, distance: npt.ArrayLike, *, group: str, caption: str = ""
) -> results.Payload:
    """Draw how far each day pulls the fit, the five that pull most named by their date.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (G,)
        First time of each group of rows.
    distance : array_like, shape (G,)
        Cook's distance of each; NaN where the fit cannot do without it.
    group : str
        What a group is: ``"day"``.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    when = np.asarray(times, dtype="datetime64[s]")
    far = checks.series("distance", distance, missing=True)
    checks.same_length(times=when, distance=far)
    known = np.flatnonzero(~np.isnan(far))
    top = known[np.argsort(-far[known], kind="stable")[:NAMED]]
    drawn = known[np.argsort(-far[known], kind="stable")[:400]]  # the others are a line along the floor

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.vlines(when[drawn], 0, far[drawn], color=mode["colours"][0], lw=1)
        axes.plot(when[top], far[top], "o", ms=4, color=mode["colours"][1])
        for k in top:
            right = bool(when[k] < when[known].min() + (when[known].max() - when[known].min()) * 0.8)
            side, reach = ("left", 5) if right else ("right", -5)
            axes.annotate(
                str(when[k])[:10],
                (when[k], far[k]),
                xytext=(reach, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize="small",
            )
        frame.dates(axes)
        axes.set(xlabel=group, ylabel=f"Cook's distance of the {group}")
        axes.set_ylim(bottom=0)

    named = "; ".join(f"{str(when[k])[:10]} at {far[k]:.3g}" for k in top)
    alt = f"Cook's distance of {len(known)} groups of rows, a {group} each; the largest: {named}."
    return style.show(name, draw, alt=alt, caption=caption)


def effects_by_group(
    name: str,
    labels: Sequence[str],
    groups: Mapping[str, npt.ArrayLike],
    *,
    x_label: str,
    caption: str = "",
) -> results.Payload:
    """Draw effects that differ by group, as dots with intervals: a row an input, a mark a group.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : sequence of str, length K
        Inputs, from top to bottom; at most 20.
    groups : mapping of str to array_like, shape (K, 3)
        Estimate and ends of its interval, by group; NaN where a group has none. At most 4.
    x_label : str
        With the unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Too many to be read, or shapes that differ.
    """
    values = intervals.tables(("labels", "groups"), labels, groups, most=(MAX_ROWS, MAX_GROUPS))
    rows = np.arange(len(labels))[::-1]

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        axes.axvline(0, color=mode["ink"], lw=0.8)
        for k, (label, part) in enumerate(values.items()):
            at = rows + 0.22 * ((len(values) - 1) / 2 - k)
            intervals.by_row(axes, at, part.T, mode["colours"][k], mark=marks.MARKS[k], width=1.2, label=label)
        axes.set_yticks(rows, list(labels))
        axes.set(xlabel=x_label)
        axes.grid(axis="y", visible=False)
        frame.legend_above(axes, len(values), small=True)

    told = "; ".join(
        f"{row}: "
        + ", ".join(f"{label} {part[k, 0]:.3g}" for label, part in values.items() if part[k, 0] == part[k, 0])
        for k, row in enumerate(labels)
    )
    alt = f"Effects by group with intervals ({x_label}). {told}."
    return style.show(name, draw, alt=alt, caption=caption, height=max(2.4, 1.0 + 0.36 * len(labels)))
