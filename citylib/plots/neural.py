"""Figures of small networks: how training went, what is rebuilt, how accuracy grows with labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style
from citylib.plots.intervals import Estimates
from citylib.plots.label_curves import LabelCurves

__all__ = ["accuracy_by_labels", "days", "losses", "rebuilt"]


def losses(
    name: str, train: npt.ArrayLike, validation: npt.ArrayLike, *, best: int, label: str, caption: str = ""
) -> results.Payload:
    """Draw the loss after each epoch, on what was learned from and on what was not.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    train, validation : array_like, shape (epochs,)
        Losses.
    best : int
        Epoch whose weights were kept, from 1.
    label : str
        Name and unit of the loss.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    lines = {"training": checks.series("train", train), "validation": checks.series("validation", validation)}
    epochs = checks.same_length(**lines)
    best = checks.integer("best", best, minimum=1, maximum=epochs)
    said = "; ".join(f"{k} from {v[0]:.3g} to {v[-1]:.3g}" for k, v in lines.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, None, lines, mode)
        axes.axvline(best, color=mode["ink"], linewidth=0.8)
        axes.set(xlabel="epoch", ylabel=label, yscale="log")
        axes.legend()

    alt = f"{label} over {epochs} epochs: {said}; weights of epoch {best} are kept."
    return style.show(name, draw, alt=alt, caption=caption, height=2.6)


def days(name: str, profiles: Mapping[str, npt.ArrayLike], *, label: str, caption: str = "") -> results.Payload:
    """Draw the mean and the middle 80 % of kinds of days, one beside the other.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    profiles : mapping of str to array_like, shape (P, S)
        The days of each kind; S steps cover 24 hours.
    label : str
        Name and unit of the readings.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    kinds = {k: checks.matrix(k, v) for k, v in profiles.items()}
    checks.number("number of kinds", len(kinds), minimum=1, maximum=6)
    peaks = "; ".join(f"{k} highest at {24 * v.mean(axis=0).argmax() / v.shape[1]:.3g} h" for k, v in kinds.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
        for k, (axes, (kind, rows)) in enumerate(zip(grid, kinds.items(), strict=True)):
            hour = 24 * np.arange(rows.shape[1]) / rows.shape[1]
            low, high = np.quantile(rows, [0.1, 0.9], axis=0)
            axes.fill_between(hour, low, high, color=mode["colours"][k], alpha=0.2, linewidth=0)
            axes.plot(hour, rows.mean(axis=0), color=mode["colours"][k])
            axes.set_title(f"{kind} ({len(rows):,})", fontsize=9.5)
            _hours(axes)
        grid[0].set_ylabel(label)

    return style.show(name, draw, alt=f"Mean day by kind: {peaks}.", caption=caption, height=2.3)


def rebuilt(
    name: str, given: Mapping[str, npt.ArrayLike], made: Mapping[str, npt.ArrayLike], *, label: str, caption: str = ""
) -> results.Payload:
    """Draw single days as given and as rebuilt by an autoencoder.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    given, made : mapping of str to array_like, shape (S,)
        A day each, by the same names.
    label : str
        Name and unit of the readings.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    if list(given) != list(made):
        raise InputError("made", "have the names of given", (list(given), list(made)))
    pairs = {k: (checks.series("given", given[k]), checks.series("made", made[k])) for k in given}
    checks.number("number of days", len(pairs), minimum=1, maximum=6)
    said = "; ".join(f"{k}: mean squared error {np.mean((a - b) ** 2):.2g}" for k, (a, b) in pairs.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(pairs), sharey=True, squeeze=False)[0]
        for axes, (kind, (a, b)) in zip(grid, pairs.items(), strict=True):
            hour = 24 * np.arange(len(a)) / len(a)
            axes.plot(hour, a, color=mode["ink"], linewidth=1, label="given")
            axes.plot(hour, b, color=mode["colours"][0], linestyle="--", label="rebuilt")
            axes.set_title(kind, fontsize=9.5)
            _hours(axes)
        grid[0].set_ylabel(label)
        frame.legend_outside(figure, grid[0], 2)

    return style.show(name, draw, alt=f"Days as given and as rebuilt. {said}.", caption=caption, height=2.6)


def accuracy_by_labels(
    name: str,
    labels: npt.ArrayLike,
    contenders: Mapping[str, Estimates],
    *,
    label: str,
    chance: float,
    caption: str = "",
) -> results.Payload:
    """Draw accuracy against the number of labels a class, with intervals, a line a contender.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    labels : array_like of int, shape (L,)
        Labels a class.
    contenders : mapping of str to (mean, low, high)
        Each of shape (L,), 0 to 1.
    label : str
        Name of the accuracy.
    chance : float
        What guessing reaches.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    curves = LabelCurves(labels, contenders)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        curves.draw(axes, mode, level=chance, level_name="guessing")
        axes.set(xlabel="labels a class", ylabel=label)
        axes.legend()

    return style.show(name, draw, alt=f"{label} against labels a class: {curves.said}.", caption=caption, height=3.2)


def _hours(axes: Any) -> None:
    axes.set_xticks([0, 6, 12, 18, 24])
    axes.set_xlabel("hour")
