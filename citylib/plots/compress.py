"""Figure of networks made small: what each form costs against how far its forecasts are off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from citylib import checks, results
from citylib.errors import InputError
from citylib.plots import frame, marks, style

__all__ = ["trade"]


def trade(
    name: str,
    kinds: Sequence[str],
    errors: Sequence[float],
    costs: Mapping[str, Sequence[float]],
    *,
    label: str,
    baseline: tuple[str, float] | None = None,
    caption: str = "",
) -> results.Payload:
    """Draw the error of each form against its costs, a panel for each cost; lower and further left is better.

    Parameters
    ----------
    name : str
        Snake-case name, unique in the notebook.
    kinds : sequence of str, length F
        Kind of each form, such as ``"student, 8 bits"``; up to eight kinds. Those that end in ``8 bits`` are hollow.
    errors : sequence of float, length F
        Error of each form.
    costs : mapping of str to sequence of float
        Name and unit of each cost, and its value for each form, above 0.
    label : str
        Name and unit of the error.
    baseline : (str, float), optional
        Name and error of what costs nothing; not drawn if it lies far above all forms, but always said.
    caption : str, optional
        One sentence under it.

    Returns
    -------
    dict
        The payload of `citylib.results.figure`.

    Raises
    ------
    InputError
        No form, too many kinds, a cost of 0 or less, or lengths that differ.
    """
    height = checks.series("errors", errors)
    names = list(dict.fromkeys(kinds))
    checks.number("number of kinds", len(names), minimum=1, maximum=8)
    if not costs:
        raise InputError("costs", "name at least one cost", len(costs))
    panels = {key: checks.series("costs", values) for key, values in costs.items()}
    for values in panels.values():
        checks.same_length(kinds=kinds, errors=height, costs=values)
        if not (values > 0).all():
            raise InputError("costs", "be above 0", float(values.min()))
    bare = list(dict.fromkeys(kind.split(", ")[0] for kind in names))

    def draw(figure: Figure, mode: dict[str, Any]) -> None:
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, (key, values) in zip(grid, panels.items(), strict=True):
            for kind in names:
                here = np.array([k == kind for k in kinds])
                at = bare.index(kind.split(", ")[0])
                colour = mode["colours"][at % len(mode["colours"])]
                fill = {"markerfacecolor": "none"} if kind.endswith("8 bits") else {}
                mark = marks.MARKS[at % len(marks.MARKS)]
                look = {"color": colour, "marker": mark, "markersize": 6, "linestyle": "none"}
                axes.plot(values[here], height[here], label=kind, **look, **fill)
            axes.set(xlabel=key, xscale="log")
            axes.margins(0.12)
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v)))
            axes.xaxis.set_minor_formatter(NullFormatter())
            if baseline is not None and baseline[1] < height.max() + 0.5 * np.ptp(height):
                axes.axhline(baseline[1], color=mode["ink"], linewidth=0.8, label=baseline[0])
        grid[0].set_ylabel(label)
        frame.legend_outside(figure, grid[0], 3)

    best, first = int(np.argmin(next(iter(panels.values())))), int(np.argmax(next(iter(panels.values()))))
    said = "; ".join(f"{key}: {_short(v[first])} to {_short(v[best])}" for key, v in panels.items())
    alt = (
        f"{label} of {len(height)} forms, {height.min():.3g} to {height.max():.3g}. From the dearest ({kinds[first]}, "
        f"{height[first]:.3g}) to the cheapest ({kinds[best]}, {height[best]:.3g}): {said}."
    )
    if baseline is not None:
        alt += f" {baseline[0]}, which costs nothing: {baseline[1]:.3g}."
    return style.show(name, draw, alt=alt, caption=caption, height=3.4)


def _short(value: float) -> str:
    return f"{value / 1e6:.3g}M" if value >= 1e6 else f"{value / 1e3:.3g}k" if value >= 1e3 else f"{value:.3g}"
