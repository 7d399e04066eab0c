"""Estimates with the ends of their intervals: what a figure is handed is checked, and rows of them are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from citylib import checks
from citylib.errors import InputError
from citylib.plots import marks

__all__ = ["Estimates", "beside", "by_row", "checked", "tables"]

FloatArray = npt.NDArray[np.float64]
Group = TypeVar("Group", str, float)
Estimates = tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]  # values, lower ends, upper ends


def checked(
    given: Mapping[str, Estimates], *, what: str, most: int, missing: bool = True, **along: npt.NDArray[np.float64]
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Return estimates with their intervals as arrays.

    Parameters
    ----------
    given : mapping of str to (value, low, high), each array_like, shape (K,)
        By name.
    what : str
        How many of it there are, for the error: ``"lines"``.
    most : int
        Of them.
    missing : bool, default True
        Whether NaN may stand for what is not known.
    **along : array, shape (K,)
        What they run along, by the name of the argument.

    Returns
    -------
    dict of str to (array, array, array)
        The same.

    Raises
    ------
    InputError
        None or too many, lengths that differ.

    Examples
    --------
    >>> checked({"ours": ([1, 2], [0, 1], [2, 3])}, what="lines", most=6, age=np.array([10.0, 20.0]))["ours"][2]
    array([2., 3.])
    """
    checks.integer(f"number of {what}", len(given), minimum=1, maximum=most)
    held = {}
    for key, three in given.items():
        value, low, high = (checks.series(key, part, missing=missing) for part in three)
        checks.same_length(**{**along, key: value, f"{key}, low": low, f"{key}, high": high})
        held[key] = (value, low, high)
    return held


def tables(
    arguments: tuple[str, str],
    names: Sequence[str],
    given: Mapping[Group, npt.ArrayLike],
    *,
    most: tuple[int, int],
    missing: bool = True,
) -> dict[Group, FloatArray]:
    """Return tables of estimates with their intervals, each with a row a name.

    Parameters
    ----------
    arguments : (str, str)
        What the caller calls `names` and `given`, for the errors.
    names : sequence of str, length K
        Of the rows.
    given : mapping of str or float to array_like, shape (K, 3)
        Estimate and ends of its interval, by group.
    most : (int, int)
        Rows and groups that can be read in one figure.
    missing : bool, default True
        Whether NaN may stand for what is not known.

    Returns
    -------
    dict of str or float to array
        The same.

    Raises
    ------
    InputError
        None or too many to be read, or shapes that differ.

    Examples
    --------
    >>> tables(("labels", "groups"), ["snow"], {"quiet": [[2, 1, 3]]}, most=(20, 4))
    {'quiet': array([[2., 1., 3.]])}
    """
    if not 1 <= len(names) <= most[0] or not 1 <= len(given) <= most[1]:
        rule = f"be 1 to {most[0]} and 1 to {most[1]}"
        raise InputError(", ".join(arguments), rule, f"{len(names)} and {len(given)}")
    held = {key: checks.matrix(arguments[1], part, missing=missing) for key, part in given.items()}
    for key, part in held.items():
        if part.shape != (len(names), 3):
            raise InputError(arguments[1], f"have shape ({len(names)}, 3) each", f"{part.shape} of {key}")
    return held


def by_row(
    axes: Axes,
    rows: npt.ArrayLike,
    estimates: Iterable[npt.ArrayLike],
    colour: str,
    *,
    mark: str = "o",
    size: float = 4.0,
    width: float = 1.4,
    label: str | None = None,
) -> None:
    """Draw estimates as signs on the lines of their intervals, a row each.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where they are drawn.
    rows : array_like, shape (K,)
        Heights.
    estimates : (value, low, high), each array_like, shape (K,)
        NaN where nothing is known.
    colour, mark : str
        Of sign and line; of the sign.
    size, width : float
        Of the sign, of the line; in points.
    label : str, optional
        In the legend.
    """
    value, low, high = estimates
    axes.hlines(rows, low, high, color=colour, linewidth=width)
    axes.plot(value, rows, mark, color=colour, markersize=size, label=label)


def beside(
    axes: Axes,
    x: npt.ArrayLike,
    estimates: Mapping[str, tuple[FloatArray, FloatArray, FloatArray]],
    mode: Mapping[str, Any],
    *,
    apart: float,
    logarithmic: bool,
) -> None:
    """Draw lines of estimates with their intervals as bars, a little beside each other so that all bars are seen.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where they are drawn.
    x : array_like, shape (K,)
        What they run along, rising.
    estimates : mapping of str to (value, low, high), each array, shape (K,)
        By their names in the legend, as `checked` returns them; NaN where nothing is known.
    mode : mapping
        As `citylib.plots.style.show` hands it to a drawing.
    apart : float
        How far lines stand beside each other: as a share of `x` where `logarithmic`, else of the width.
    logarithmic : bool
        Whether the axis across will be.
    """
    along = np.asarray(x, dtype=float)
    for k, (key, (value, low, high)) in enumerate(estimates.items()):
        aside = apart * (k - (len(estimates) - 1) / 2)
        at = along * (1 + aside) if logarithmic else along + aside * float(np.ptp(along))
        reach = np.vstack([value - low, high - value]).clip(min=0)
        known = np.isfinite(value)
        bars = {"yerr": reach[:, known], "capsize": 2, "label": key, **marks.look(k, mode, marks=marks.EIGHT_MARKS)}
        axes.errorbar(at[known], value[known], **bars)
