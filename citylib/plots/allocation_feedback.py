"""Figures of rules that decide, observe and adjust: what is believed beside what is so, and regret by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["believed", "by_interval", "regret_by_step"]

LEAST = 1e-5  # of a regret on a logarithmic axis


def regret_by_step(
    name: str, lines: Mapping[str, npt.ArrayLike], *, counted_from: int, step: str = "step", caption: str = ""
) -> results.Payload:
    """Draw the regret of some rules step by step, on a logarithmic axis, as rules differ by powers of ten.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    lines : mapping of str to array_like, shape (T,)
        Regret by rule, as a share of the optimum; at most 6.
    counted_from : int
        The step from which regret is averaged.
    step : str, default "step"
        What a step is.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    held = marks.checked(lines, most=len(marks.SIX_DASHES))
    count = len(next(iter(held.values())))
    since = checks.integer("counted_from", counted_from, minimum=0, maximum=count - 1)
    told = "; ".join(
        f"{key} from {v[0]:.2%} to {v[-1]:.2%}, {v[since:].mean():.2%} as counted" for key, v in held.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        shown = {key: np.maximum(v, LEAST) for key, v in held.items()}
        marks.lines(axes, np.arange(count), shown, mode, dashes=marks.SIX_DASHES)
        axes.axvline(since, color=mode["ink"], linewidth=0.8)
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:g}%"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel=step, ylabel="regret, share of the optimum")
        frame.legend_outside(figure, axes, 3, side="upper")

    return style.show(name, draw, alt=f"Regret by {step}: {told}.", caption=caption, height=3.6)


def believed(
    name: str,
    true_TK: npt.ArrayLike,
    mean_TK: npt.ArrayLike,
    spread_TK: npt.ArrayLike,
    labels: Sequence[str],
    *,
    y_label: str,
    step: str = "step",
    caption: str = "",
) -> results.Payload:
    """Draw what a filter believes of some quantities beside what is so, with the band that should hold 95 %.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    true_TK, mean_TK, spread_TK : array_like, shape (T, K)
        What is so, what is believed, and the standard deviation of that; at most 4 quantities.
    labels : sequence of str, length K
        Their names.
    y_label, step : str
        Axes.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    given = {"true": true_TK, "mean": mean_TK, "spread": spread_TK}
    held = {key: checks.array(key, value, ndim=2) for key, value in given.items()}
    true, mean, spread = held.values()
    if not true.shape == mean.shape == spread.shape == (len(true), len(labels)):
        raise InputError("true, mean and spread", f"have shape (T, {len(labels)})", [v.shape for v in held.values()])
    checks.integer("number of quantities", len(labels), minimum=1, maximum=4)
    inside = np.abs(true - mean) <= 1.96 * spread
    told = "; ".join(
        f"{label}: {share:.0%} of the time inside" for label, share in zip(labels, inside.mean(0), strict=True)
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        every = figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0]
        at = np.arange(len(true))
        for k, axes in enumerate(every):
            ends = mean[:, k] - 1.96 * spread[:, k], mean[:, k] + 1.96 * spread[:, k]
            axes.fill_between(at, *ends, color=mode["colours"][0], alpha=0.25, linewidth=0, label="95 % band")
            axes.plot(at, mean[:, k], color=mode["colours"][0], linestyle="--", linewidth=1.1, label="believed")
            axes.plot(at, true[:, k], color=mode["ink"], linewidth=1.1, label="true")
            axes.set_title(labels[k], loc="left", fontsize=9)
        figure.supylabel(y_label, fontsize=9)
        every[-1].set_xlabel(step)
        frame.legend_outside(figure, every[0], 3, side="upper")

    return style.show(name, draw, alt=f"{y_label} by {step}. {told}.", caption=caption, height=1.0 + 1.15 * len(labels))


def by_interval(
    name: str,
    every: npt.ArrayLike,
    lines: Mapping[str, npt.ArrayLike],
    *,
    chosen: int,
    step: str = "steps",
    caption: str = "",
) -> results.Payload:
    """Draw what is lost by how seldom a plan is made anew.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    every : array_like of int, shape (K,)
        Steps between plans, rising.
    lines : mapping of str to array_like, shape (K,)
        What is lost, as a share of the optimum; at most 4.
    chosen : int
        The one that was chosen.
    step : str, default "steps"
        What a step is, in the plural.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    at = checks.increasing("every", checks.steps("every", every))
    held = marks.checked(lines, most=4, every=at)
    if chosen not in at:
        raise InputError("chosen", "be one of every", chosen)
    told = "; ".join(f"{key} from {v[0]:.2%} to {v[-1]:.2%}, least at {at[v.argmin()]}" for key, v in held.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, at, held, mode, marks=marks.MARKS)
        axes.axvline(chosen, color=mode["ink"], linewidth=0.8)
        axes.set_xscale("log")
        frame.ticks(axes, at)
        axes.set_ylim(0, None)
        frame.percent(axes.yaxis, decimals=None)
        axes.set(xlabel=f"{step} between plans", ylabel="lost, share of the optimum")
        frame.legend_outside(figure, axes, 2, side="upper")

    return style.show(name, draw, alt=f"Lost by {step} between plans: {told}.", caption=caption, height=3.2)
