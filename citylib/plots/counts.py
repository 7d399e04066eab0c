"""Figures of counts: how often each was read and expected, and where what came lay in its forecast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import style

__all__ = ["pit", "rootograms"]


def rootograms(name: str, laws: Mapping[str, pd.DataFrame], *, label: str, caption: str = "") -> results.Payload:
    """Draw hanging rootograms, one a law: bars of what was read hang from what was expected.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    laws : mapping of str to pandas.DataFrame
        By law: what `citylib.evaluate.counts.rootogram` returns; at most three.
    label : str
        What is counted, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No law, or more than three.
    """
    if not 1 <= len(laws) <= 3:
        raise InputError("laws", "be one to three", len(laws))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots(1, len(laws), sharey=True, squeeze=False)[0]
        for side, (law, frame) in zip(axes, laws.items(), strict=True):
            counts = frame.index.to_numpy()
            expected, read = np.sqrt(frame["expected"].to_numpy()), np.sqrt(frame["read"].to_numpy())
            side.bar(counts, read, bottom=expected - read, width=0.85, color=mode["colours"][5], label="read")
            side.plot(counts, expected, "o-", ms=3, color=mode["colours"][1], label="expected")
            side.axhline(0, color=mode["ink"], lw=0.9)
            side.set(title=law, xlabel=label)
            side.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            last = counts[-1]
            side.xaxis.set_major_formatter(
                FuncFormatter(lambda v, _, last=last: f"{v:.0f}" + ("+" if v == last else ""))
            )
        axes[0].set_ylabel("square root of how often")
        axes[0].legend()

    told = []
    for law, frame in laws.items():
        off = np.sqrt(frame["read"]) - np.sqrt(frame["expected"])
        worst = int(off.abs().idxmax())
        told.append(
            f"{law}: {frame['read'].iloc[0]:.0f} zeros read and {frame['expected'].iloc[0]:.1f} expected, "
            f"farthest off at {worst}"
        )
    return style.show(name, draw, alt=f"Hanging rootograms of {label}. " + "; ".join(told) + ".", caption=caption)


def pit(name: str, shares: Mapping[str, npt.ArrayLike], *, caption: str = "") -> results.Payload:
    """Draw histograms of the probability integral transform side by side, against what a true forecast gives.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    shares : mapping of str to array_like, shape (B,)
        By forecast: what `citylib.evaluate.counts.pit_histogram` returns; at most four.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No forecast, or more than four.
    """
    values = {label: checks.series("shares", held, at_least=2) for label, held in shares.items()}
    if not 1 <= len(values) <= 4:
        raise InputError("shares", "be one to four", len(values))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots(1, len(values), sharey=True, squeeze=False)[0]
        for k, (side, (label, held)) in enumerate(zip(axes, values.items(), strict=True)):
            bins = len(held)
            side.bar((np.arange(bins) + 0.5) / bins, held, width=0.95 / bins, color=mode["colours"][k])
            side.axhline(1 / bins, color=mode["ink"], lw=0.9, ls="--")
            side.set(title=label, xlabel="place in the forecast", xlim=(0, 1))
            side.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes[0].set_ylabel("share of counts")

    told = "; ".join(f"{label} {held.min():.0%} to {held.max():.0%}" for label, held in values.items())
    alt = f"Histograms of the probability integral transform; a true forecast has equal bars. Shares by bin: {told}."
    return style.show(name, draw, alt=alt, caption=caption)
