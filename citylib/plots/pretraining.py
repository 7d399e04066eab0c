"""Figures of masked pre-training: which patches are hidden, how they are filled, what each contender's error is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["contenders", "fills", "masks"]

DASHES = marks.DASHES[1:]  # the first is what was read


def masks(name: str, hidden: Mapping[str, npt.ArrayLike], *, ahead: int, caption: str = "") -> results.Payload:
    """Draw which patches of some windows are hidden, a grid a kind of mask.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    hidden : mapping of str to array_like of bool, shape (B, P)
        True where hidden; a row is a window.
    ahead : int
        Patches at the end of a window that a forecast is asked for; a line stands before them.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    grids = {k: checks.binary(k, v) for k, v in hidden.items()}
    checks.number("number of kinds", len(grids), minimum=1, maximum=6)
    said = "; ".join(
        f"{k} hides {v.mean():.0%}, of the last patches {v[:, -ahead:].mean():.0%}" for k, v in grids.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        panels = figure.subplots(1, len(grids), sharey=True, squeeze=False)[0]
        for axes, (kind, hidden_BP) in zip(panels, grids.items(), strict=True):
            row, column = np.nonzero(hidden_BP)
            axes.barh(row, 0.86, left=column + 0.07, height=0.8, color=mode["colours"][0])
            axes.axvline(hidden_BP.shape[1] - ahead, color=mode["ink"], linewidth=1)
            axes.set(xlim=(0, hidden_BP.shape[1]), ylim=(len(hidden_BP) - 0.4, -0.6), xlabel="patch", yticks=[])
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.set_title(kind, fontsize=9.5)
        panels[0].set_ylabel("window")

    alt = f"Hidden patches of windows by kind of mask: {said}."
    return style.show(name, draw, alt=alt, caption=caption, height=2.2)


def fills(
    name: str,
    windows: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike, Mapping[str, npt.ArrayLike]]],
    *,
    hours: Sequence[float],
    labels: Sequence[str],
    caption: str = "",
) -> results.Payload:
    """Draw windows with what was hidden, and how it was filled.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    windows : mapping of str to (values, hidden, made)
        By title: readings, NaN where there are none; bool, True where they were hidden; and by name what each way
        says. All of shape (T,); the ways are the same in all.
    hours : sequence of float
        Length of a step of each window.
    labels : sequence of str
        Name and unit of the readings of each.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    checks.number("number of windows", len(windows), minimum=1, maximum=4)
    if not len(windows) == len(hours) == len(labels):
        raise InputError("hours, labels", "be one for each window", (len(windows), len(hours), len(labels)))
    parts, said = [], []
    for title, (values, hidden, made) in windows.items():
        x, away = checks.series("values", values, missing=True), checks.binary("hidden", hidden)
        ways = {k: checks.series(k, v) for k, v in made.items()}
        checks.same_length(values=x, hidden=away, **ways)
        parts.append((title, x, away, ways))
        told = ", ".join(f"{k} is off by {np.nanmean(np.abs(v - x)[away]):.3g}" for k, v in ways.items())
        said.append(f"{title}: {told}")

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        panels = figure.subplots(len(parts), 1, squeeze=False)[:, 0]
        for axes, (title, x, away, ways), step, label in zip(panels, parts, hours, labels, strict=True):
            at = np.arange(len(x)) * step / 24
            axes.plot(at, x, color=mode["ink"], linewidth=1, label="read")
            edge = np.flatnonzero(np.diff(np.r_[0, away.astype(int), 0]))
            for first, stop in edge.reshape(-1, 2):
                axes.axvspan(first * step / 24, (stop - 1) * step / 24, color=mode["faint"], alpha=0.5, linewidth=0)
            for k, (way, line) in enumerate(ways.items()):
                drawn = np.where(away, line, np.nan)
                axes.plot(at, drawn, color=mode["colours"][k], linestyle=DASHES[k % 3], linewidth=1.4, label=way)
            axes.set_title(title, fontsize=9.5)
            axes.set_ylabel(label, fontsize=9)
        panels[-1].set_xlabel("day of the window")
        frame.legend_outside(figure, panels[0], 1 + len(parts[0][3]))

    alt = f"Windows with hidden stretches and how they were filled. {'; '.join(said)}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.0 + 1.7 * len(parts))


def contenders(
    name: str,
    found: Mapping[str, tuple[float, float, float]],
    *,
    seeds: Mapping[str, npt.ArrayLike],
    label: str,
    rules: Mapping[str, float],
    caption: str = "",
) -> results.Payload:
    """Draw the error of each contender with its interval, its seeds beside it, and simple rules as lines.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    found : mapping of str to (estimate, low, high)
        By contender, drawn from top to bottom.
    seeds : mapping of str to array_like
        Error with each seed, by contender.
    label : str
        Name and unit of the error.
    rules : mapping of str to float
        Errors of simple rules.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    if not found or set(seeds) != set(found):
        raise InputError("seeds", "have the names of found", (list(found), list(seeds)))
    checks.number("number of rules", len(rules), minimum=0, maximum=3)
    points = {k: checks.series(k, seeds[k]) for k in found}
    said = "; ".join(f"{k} {v[0]:.3g} ({v[1]:.3g} to {v[2]:.3g})" for k, v in found.items())
    lines = "; ".join(f"{k} {v:.3g}" for k, v in rules.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for row, (key, (estimate, low, high)) in enumerate(found.items()):
            axes.plot([low, high], [row, row], color=mode["colours"][0], linewidth=1.6)
            axes.plot(points[key], np.full(len(points[key]), row + 0.22), ".", color=mode["ink"], markersize=4)
            axes.plot(estimate, row, "o", color=mode["colours"][0], markersize=5)
        for k, (key, value) in enumerate(rules.items()):
            axes.axvline(value, color=mode["colours"][k + 1], linestyle=DASHES[k], label=f"{key}: {value:.3g}")
        axes.set_yticks(np.arange(len(found)), list(found))
        axes.set(ylim=(len(found) - 0.5, -0.5), xlabel=label)
        if rules:
            figure.legend(loc="outside lower center", ncols=len(rules))

    alt = f"{label} by contender: {said}. Rules: {lines or 'none'}."
    return style.show(name, draw, alt=alt, caption=caption, height=1.1 + 0.3 * len(found))
