"""Figures of empirical Bayes: how far each sensor is drawn, and what that is worth as more days are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["by_days", "funnel"]


def funnel(
    name: str,
    standard_errors: npt.ArrayLike,
    own: npt.ArrayLike,
    drawn: npt.ArrayLike,
    *,
    centre: float,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw each sensor's own estimate over its standard error, and where shrinkage takes it.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    standard_errors, own, drawn : array_like, shape (N,)
        Standard error of the estimate, the estimate, and the estimate drawn towards the city's mean; NaN is passed
        over.
    centre : float
        Mean of the city.
    label : str
        What is estimated, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ, or no sensor with all three.
    """
    given = {"standard_errors": standard_errors, "own": own, "drawn": drawn}
    held = {key: checks.series(key, value, missing=True) for key, value in given.items()}
    checks.same_length(**held)
    known = np.asarray(~np.isnan(np.stack(list(held.values()))).any(axis=0))
    if not known.any():
        raise InputError("own", "hold at least one sensor with an estimate", len(known))
    error, before, after = (value[known] for value in held.values())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        reach = np.linspace(0, error.max() * 1.05, 50)
        for sign in (-1, 1):
            axes.plot(reach, centre + sign * 1.96 * reach, ":", color=mode["ink"], lw=0.9)
        axes.axhline(centre, color=mode["ink"], lw=0.9, label="mean of the city")
        axes.vlines(error, before, after, color=mode["faint"], lw=1.0)
        axes.plot(error, before, "o", ms=4.5, mfc="none", color=mode["colours"][1], label="on its own")
        axes.plot(error, after, "o", ms=3.5, color=mode["colours"][0], label="drawn to the city")
        axes.set(xlabel="standard error on its own", ylabel=label, xlim=(0, None))
        frame.legend_above(axes, 3, small=True)

    alt = (
        f"{label} of {len(error)} sensors over standard error: on their own from {before.min():.3g} to "
        f"{before.max():.3g}, drawn to the city from {after.min():.3g} to {after.max():.3g}, around {centre:.3g}."
    )
    return style.show(name, draw, alt=alt, caption=caption)


def by_days(
    name: str,
    days: Sequence[int],
    losses: Mapping[str, npt.ArrayLike],
    *,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw the error on unseen days of several models against the days that each sensor was read.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    days : sequence of int, length D
        Increasing.
    losses : mapping of str to array_like, shape (D,)
        By model; NaN where it has none.
    label : str
        What the error is, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        Lengths that differ.
    """
    when = checks.increasing("days", days)
    lines = {key: checks.series("losses", value, missing=True) for key, value in losses.items()}
    checks.same_length(days=when, **lines)

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.add_subplot()
        marks.lines(axes, when, lines, mode, marks=marks.THIN_MARKS)
        axes.set_xscale("log")
        axes.set_xticks(when, [str(d) for d in when])
        axes.minorticks_off()
        axes.set(xlabel="days read at each sensor", ylabel=label)
        axes.legend()

    told = "; ".join(f"{key} {line[0]:.3g} to {line[-1]:.3g}" for key, line in lines.items())
    return style.show(name, draw, alt=f"{label}, from {when[0]} to {when[-1]} days read: {told}.", caption=caption)
