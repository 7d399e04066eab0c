"""Figures of series in time: readings, usual days, correlograms, forecasts beside what came, errors by step ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, intervals, marks, style

__all__ = ["by_step", "correlograms", "coverage", "forecasts", "readings", "usual"]

FloatArray = npt.NDArray[np.float64]
MAX_POINTS = 1500  # of one line: the page is some 700 points wide


def readings(
    name: str,
    times: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    label: str,
    cut: np.datetime64 | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw a series of readings; gaps stay gaps. Long series are drawn as the range within each pixel.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    times : array_like of datetime64, shape (T,)
        On a regular axis.
    values : array_like, shape (T,)
        NaN where one is missing.
    label : str
        What is drawn, with its unit.
    cut : numpy.datetime64, optional
        Moment from which readings are unseen; marked.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    value = checks.series("values", values, missing=True)
    when = np.asarray(times).astype("datetime64[s]")
    checks.same_length(times=when, values=value)
    if np.isnan(value).all():
        raise InputError("values", "hold at least one reading", f"{len(value)}, all missing")
    span = f"{when[0].astype('datetime64[D]')} to {when[-1].astype('datetime64[D]')}"
    low, middle, high = np.nanquantile(value, [0.0, 0.5, 1.0])
    alt = f"{label} from {span}: from {low:.3g} to {high:.3g}, median {middle:.3g}."
    size = -(-len(value) // (MAX_POINTS // 3))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        if size == 1:
            axes.plot(when, value, color=mode["colours"][0], linewidth=1)
        else:
            at, bottom, top = _ranges(when, value, size)
            axes.fill_between(at, bottom, top, color=mode["colours"][0], linewidth=0.6)
        if cut is not None:
            at_cut: Any = np.asarray(cut).astype("datetime64[s]").item()
            axes.axvline(at_cut, color=mode["colours"][1], linestyle="--")
            high_up = axes.get_xaxis_transform()
            axes.text(at_cut, 1.0, " unseen", transform=high_up, color=mode["colours"][1], va="top")
        axes.set_ylabel(label)
        frame.dates(axes)

    return style.show(name, draw, alt=alt, caption=caption, height=2.4)


def usual(
    name: str,
    slots: npt.ArrayLike,
    lines: Mapping[str, intervals.Estimates],
    *,
    slot: str,
    label: str,
    caption: str = "",
) -> results.Payload:
    """Draw the usual day or year: the mean of each slot with its interval, a line a kind of round.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    slots : array_like, shape (S,)
        Number of each slot.
    lines : mapping of str to (mean, low, high)
        Each of shape (S,), by kind; NaN where a slot has none.
    slot : str
        What a slot is, such as ``"hour of the day"``.
    label : str
        What is drawn, with its unit.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives the highest and lowest slot of each.
    """
    at = checks.series("slots", slots)
    kinds = intervals.checked(lines, what="kinds", most=len(marks.DASHES), slots=at)
    said = "; ".join(
        f"{k} highest at {at[np.nanargmax(m)]:g} ({np.nanmax(m):.3g}), lowest at {at[np.nanargmin(m)]:g} "
        f"({np.nanmin(m):.3g})"
        for k, (m, _, _) in kinds.items()
    )

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        for k, (kind, (mean, low, high)) in enumerate(kinds.items()):
            colour = mode["colours"][k]
            axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
            axes.plot(at, mean, color=colour, linestyle=marks.DASHES[k], label=kind)
        axes.set(xlabel=slot, ylabel=label, xlim=(at[0], at[-1]))
        axes.xaxis.set_major_locator(MaxNLocator(13, integer=True, steps=[1, 2, 3, 4, 6, 10]))
        if len(kinds) > 1:
            axes.legend()

    return style.show(name, draw, alt=f"{label} by {slot}: {said}.", caption=caption, height=2.9)


def correlograms(
    name: str,
    series: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    band: float,
    period: int | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw autocorrelation (left) and partial autocorrelation (right) of one or more series, one below the other.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    series : mapping of str to (acf, pacf)
        Each of shape (L + 1,), from lag 0, which is not drawn; NaN in the second where gaps leave none.
    band : float
        Half width of the band of white noise.
    period : int, optional
        Steps in a season; its multiples are marked on the axis.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives the largest ones.
    """
    rows = {k: (checks.series("acf", a), checks.series("pacf", p, missing=True)) for k, (a, p) in series.items()}
    said = "; ".join(
        f"{k}: lag 1 {a[1]:.2f}, {int((np.abs(a[1:]) > band).sum())} of {len(a) - 1} lags outside the band"
        for k, (a, _) in rows.items()
    )
    alt = f"Autocorrelation and partial autocorrelation. {said}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(len(rows), 2, sharey="row", squeeze=False)
        for line, (title, pair) in zip(grid, rows.items(), strict=True):
            for axes, values, kind in zip(line, pair, ("autocorrelation", "partial autocorrelation"), strict=True):
                lag = np.arange(1, len(values))
                axes.axhspan(-band, band, color=mode["faint"], alpha=0.6, linewidth=0)
                axes.vlines(lag, 0, values[1:], color=mode["colours"][0], linewidth=1.6)
                axes.set_title(f"{title}: {kind}", fontsize=9.5)
                axes.set_xlabel("lag (steps)")
                if period is not None and period < len(values):
                    axes.set_xticks(np.arange(0, len(values), period * max(1, len(values) // (7 * period))))

    return style.show(name, draw, alt=alt, caption=caption, height=0.3 + 2.0 * len(rows))


def forecasts(
    name: str,
    panels: Sequence[Mapping[str, npt.ArrayLike]],
    *,
    label: str,
    level: float,
    caption: str = "",
) -> results.Payload:
    """Draw forecasts side by side, each with what was known, its interval, and what came.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    panels : sequence of mapping
        One an origin, with ``past_times``, ``past``, ``times``, ``actual``, ``centre``, ``lower``, ``upper`` and, if
        wanted, ``baseline``.
    label : str
        What is forecast, with its unit.
    level : float
        Coverage that the interval claims.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    checks.number("number of panels", len(panels), minimum=1, maximum=3)
    inside = [np.mean((_n(p["lower"]) <= _n(p["actual"])) & (_n(p["actual"]) <= _n(p["upper"]))) for p in panels]
    begins = [str(np.asarray(p["times"]).astype("datetime64[m]")[0]).replace("T", " ") for p in panels]
    said = "; ".join(f"from {b}, {s:.0%} of readings inside the interval" for b, s in zip(begins, inside, strict=True))
    alt = f"Forecasts of {label} with {level:.0%} intervals and what came: {said}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        colours = mode["colours"]
        for axes, panel in zip(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True):
            when, past = (np.asarray(panel[k]).astype("datetime64[s]") for k in ("times", "past_times"))
            axes.plot(past, _n(panel["past"]), color=mode["ink"], linewidth=1)
            axes.fill_between(when, _n(panel["lower"]), _n(panel["upper"]), color=colours[0], alpha=0.2, linewidth=0)
            axes.plot(when, _n(panel["actual"]), color=mode["ink"], linewidth=1, label="what came")
            axes.plot(when, _n(panel["centre"]), color=colours[0], label="forecast")
            if "baseline" in panel:
                axes.plot(when, _n(panel["baseline"]), color=colours[1], linestyle="--", label="baseline")
            axes.axvline(when[0], color=mode["faint"])
            frame.dates(axes)
        first = figure.axes[0]
        first.set_ylabel(label)
        frame.legend_outside(figure, first, 3)

    return style.show(name, draw, alt=alt, caption=caption, height=3.0)


def by_step(
    name: str,
    models: Mapping[str, npt.ArrayLike],
    *,
    label: str,
    step: str,
    caption: str = "",
) -> results.Payload:
    """Draw a loss against the number of steps ahead, a line a model.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    models : mapping of str to array_like, shape (H,)
        The loss at each step ahead.
    label : str
        Name and unit of the loss.
    step : str
        What a step is, such as ``"hours"``.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`; its alternative text gives both ends.
    """
    lines = {k: checks.series(k, v, missing=True) for k, v in models.items()}
    said = "; ".join(f"{k} {v[0]:.3g} at the first step, {v[-1]:.3g} at the last" for k, v in lines.items())

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, None, lines, mode)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=f"{step} ahead", ylabel=label)
        axes.set_ylim(bottom=0)
        axes.legend()

    return style.show(name, draw, alt=f"{label} by {step} ahead: {said}.", caption=caption, height=2.9)


def coverage(
    name: str, models: Mapping[str, npt.ArrayLike], *, level: float, step: str, caption: str = ""
) -> results.Payload:
    """Draw the share of readings inside the intervals against the number of steps ahead, beside what was claimed.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    models : mapping of str to array_like, shape (H,)
        Shares, 0 to 1.
    level : float
        What was claimed.
    step : str
        What a step is, such as ``"hours"``.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.
    """
    lines = {k: checks.series(k, v, missing=True) for k, v in models.items()}
    said = "; ".join(f"{k} {np.nanmin(v):.0%} to {np.nanmax(v):.0%}" for k, v in lines.items())
    alt = f"Share of readings inside {level:.0%} intervals by {step} ahead: {said}."

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        axes = figure.subplots()
        marks.lines(axes, None, lines, mode)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.axhline(level, color=mode["ink"], linewidth=1)
        axes.text(1, level, f" claimed {level:.0%}", transform=axes.get_yaxis_transform(), va="center", fontsize=9)
        axes.set(xlabel=f"{step} ahead", ylabel="share inside the interval")
        axes.set_ylim(min(0.8, *(float(np.nanmin(v)) - 0.02 for v in lines.values())), 1.0)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend()

    return style.show(name, draw, alt=alt, caption=caption, height=2.6)


def _ranges(
    when: npt.NDArray[np.datetime64], value: FloatArray, size: int
) -> tuple[npt.NDArray[np.datetime64], FloatArray, FloatArray]:
    """Return time, lowest and highest reading of each run of `size` steps; NaN for a run without any."""
    whole = len(value) // size * size
    runs = value[:whole].reshape(-1, size)
    empty = np.isnan(runs).all(axis=1)
    bottom, top = (f(runs, axis=1, initial=i, where=~np.isnan(runs)) for f, i in ((np.min, np.inf), (np.max, -np.inf)))
    return when[:whole:size], np.where(empty, np.nan, bottom), np.where(empty, np.nan, top)


def _n(value: npt.ArrayLike) -> FloatArray:
    return np.asarray(value, dtype=np.float64)
