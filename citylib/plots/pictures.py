"""Figures of congestion foreseen from pictures: the pictures, who is taken for whom, whether confidence is deserved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import intervals, marks, style

__all__ = ["confusions", "contenders", "day", "examples", "reliability"]

FloatArray = npt.NDArray[np.float64]
COLOURS = "cividis"  # light is free, dark is slow; told apart by the colour-blind and in grey
LOOK: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest", "cmap": COLOURS, "vmin": 0.2, "vmax": 1.1}


def day(
    name: str, share: npt.ArrayLike, *, start: str, hours: float, slow: float = 0.5, caption: str = ""
) -> results.Payload:
    """Draw a stretch of time of a whole city as one picture: a row a sensor, a column a step.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    share : array_like, shape (N, L)
        Speeds as shares of free speed, in the order of the rows; NaN where there is none, which stays empty.
    start : str
        When the first column is.
    hours : float
        That the columns cover.
    slow : float, default 0.5
        Share below which a reading is called slow in the alternative text.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    picture = checks.matrix("share", share, missing=True)
    hours = checks.number("hours", hours, above=0)
    read = (~np.isnan(picture)).sum(axis=0)
    if not read.any():
        raise InputError("share", "hold a reading", f"{picture.size} values, all missing")
    low = (picture < slow).sum(axis=0) / np.maximum(read, 1)  # a step at which nothing was read is not slow
    worst = hours * (int(low.argmax()) + 0.5) / picture.shape[1]

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        image = axes.imshow(picture, extent=(0, hours, len(picture), 0), **LOOK)
        axes.set(xlabel=f"hours after {start}", ylabel="sensor, in the order of the graph")
        axes.grid(False)
        figure.colorbar(image, ax=axes, label="share of free speed").outline.set_visible(False)

    alt = (
        f"Speeds of {len(picture)} sensors over {hours:g} hours after {start} as shares of free speed; "
        f"{(picture < slow).sum() / read.sum():.1%} of the readings are below {slow:.0%}, most about {worst:.1f} hours "
        f"on, at {low.max():.0%} of the sensors."
    )
    return style.show(name, draw, alt=alt, caption=caption, height=3.6)


def examples(name: str, pictures: Mapping[str, npt.ArrayLike], *, minutes: float, caption: str = "") -> results.Payload:
    """Draw pictures of the neighbourhood of a sensor, one for each thing that came after.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    pictures : mapping of str to array_like, shape (R, L)
        Shares of free speed, by what came; the middle row is the sensor's own.
    minutes : float
        Between columns.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    shown = {k: checks.matrix(k, v) for k, v in pictures.items()}
    checks.number("number of pictures", len(shown), minimum=1, maximum=6)
    if len({v.shape for v in shown.values()}) > 1:
        raise InputError("pictures", "have one shape", [v.shape for v in shown.values()])
    rows, columns = next(iter(shown.values())).shape
    middle = rows // 2
    said = "; ".join(f"{k}: own row from {v[middle, 0]:.0%} to {v[middle, -1]:.0%}" for k, v in shown.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
        for axes, (title, picture) in zip(grid, shown.items(), strict=True):
            extent = (-columns * minutes, 0, middle + 0.5, -middle - 0.5)
            image = axes.imshow(picture, extent=extent, **LOOK)
            axes.axhline(-0.5, color=mode["ink"], linewidth=0.8)
            axes.axhline(0.5, color=mode["ink"], linewidth=0.8)
            axes.set_title(title, fontsize=9.5)
            axes.set_yticks([-middle, 0, middle] if middle else [0])
            axes.grid(False)
        grid[0].set_ylabel("place along the road")
        figure.supxlabel("minutes before the forecast", fontsize=10, color=mode["ink"])
        bar = figure.colorbar(image, ax=grid, label="share of free speed")
        bar.outline.set_visible(False)

    return style.show(name, draw, alt=f"Pictures by what came after. {said}.", caption=caption, height=2.6)


def confusions(
    name: str, tables: Mapping[str, npt.ArrayLike], levels: Sequence[str], *, caption: str = ""
) -> results.Payload:
    """Draw what each level was taken for, as shares of what came, a square a contender.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    tables : mapping of str to array_like, shape (K, K)
        Cases by what came (down) and what was said (across).
    levels : sequence of str, length K
        Their names.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    shares: dict[str, FloatArray] = {}
    for key, value in tables.items():
        table = checks.matrix(key, value)
        if table.shape != (len(levels), len(levels)):
            raise InputError("tables", f"have {len(levels)} rows and columns, as there are levels", table.shape)
        total = table.sum(axis=1, keepdims=True)
        shares[key] = np.divide(table, total, out=np.zeros_like(table), where=total > 0)
    checks.number("number of contenders", len(shares), minimum=1, maximum=4)
    said = "; ".join(
        f"{key} recognises {', '.join(f'{level} {v:.0%}' for level, v in zip(levels, np.diag(s), strict=True))}"
        for key, s in shares.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(shares), squeeze=False, sharey=True)[0]
        at = np.arange(len(levels))
        for axes, (key, share) in zip(grid, shares.items(), strict=True):
            axes.imshow(share, cmap=COLOURS, vmin=0, vmax=1)
            for i, j in np.ndindex(*share.shape):
                ink = "black" if share[i, j] > 0.55 else "white"
                axes.text(j, i, f"{share[i, j]:.0%}", ha="center", va="center", fontsize=9, color=ink)
            axes.set_title(key, fontsize=9.5)
            axes.set_xticks(at, levels, rotation=30, ha="right")
            axes.grid(False)
        grid[0].set_yticks(at, levels)
        grid[0].set_ylabel("what came")
        figure.supxlabel("what was said", fontsize=10, color=mode["ink"])

    return style.show(name, draw, alt=f"Who is taken for whom: {said}.", caption=caption, height=2.8)


def reliability(name: str, contenders: Mapping[str, pd.DataFrame], *, caption: str = "") -> results.Payload:
    """Draw how often the level said came, against the confidence in it.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    contenders : mapping of str to pandas.DataFrame
        From `citylib.evaluate.calibration.reliability`.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    checks.number("number of contenders", len(contenders), minimum=1, maximum=len(marks.MARKS))
    off = {k: np.average((f["predicted"] - f["observed"]).abs(), weights=f["cases"]) for k, f in contenders.items()}

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=mode["ink"], linewidth=0.8, label="as often as said")
        for k, (key, frame) in enumerate(contenders.items()):
            look = {"color": mode["colours"][k], "marker": marks.MARKS[k], "markersize": 4}
            axes.plot(frame["predicted"], frame["observed"], label=key, **look)
        least = min(float(f[["predicted", "observed"]].to_numpy().min()) for f in contenders.values())
        axes.set(xlim=(max(0.0, least - 0.05), 1), ylim=(max(0.0, least - 0.05), 1))
        axes.set(xlabel="confidence in the level said", ylabel="share that came")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend()

    said = "; ".join(f"{key} is off by {value:.1%} on average" for key, value in off.items())
    return style.show(name, draw, alt=f"Confidence against what came: {said}.", caption=caption, height=3.4)


def contenders(name: str, table: pd.DataFrame, *, label: str, caption: str = "") -> results.Payload:
    """Draw one score of all contenders with its intervals, the best on top.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    table : pandas.DataFrame
        Columns contender, value, low, high; a row each.
    label : str
        Name of the score.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    absent = {"contender", "value", "low", "high"} - set(table.columns)
    if absent or not len(table):
        raise InputError("table", "have rows with contender, value, low and high", sorted(absent) or 0)
    shown = table.sort_values("value", kind="stable", ignore_index=True)
    said = "; ".join(f"{r.contender} {r.value:.3f} ({r.low:.3f} to {r.high:.3f})" for r in shown[::-1].itertuples())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        at = np.arange(len(shown))
        found = (shown["value"], shown["low"], shown["high"])
        intervals.by_row(axes, at, found, mode["colours"][0], size=5, width=1.6)
        axes.set_yticks(at, shown["contender"])
        axes.set(xlabel=label, ylim=(-0.6, len(shown) - 0.4))

    height = 0.9 + 0.28 * len(shown)
    return style.show(name, draw, alt=f"{label}: {said}.", caption=caption, height=height)
