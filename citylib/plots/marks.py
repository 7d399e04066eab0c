"""How lines and signs are told apart without colour, and lines drawn so: one look for all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from citylib import checks

__all__ = [
    "DASHES",
    "EIGHT_MARKS",
    "MARKS",
    "SIX_DASHES",
    "THIN_MARKS",
    "UNLIKE_MARKS",
    "checked",
    "ends",
    "lines",
    "look",
]

FloatArray = npt.NDArray[np.float64]

DASHES = ("-", "--", ":", "-.")
SIX_DASHES = (*DASHES, (0, (5, 1)), (0, (1, 3)))
MARKS = ("o", "s", "^", "D", "v", "P")
EIGHT_MARKS = (*MARKS, "X", "*")  # for more lines than there are colours
UNLIKE_MARKS = ("o", "D", "s", "^", "v", "P")  # a circle and a square beside each other look alike when they are small
THIN_MARKS = ("o", "s", "^", "d", "v", "x")  # for lines that run close to each other


def checked(
    given: Mapping[str, npt.ArrayLike], *, what: str = "lines", most: int | None = None, **along: npt.NDArray[Any]
) -> dict[str, FloatArray]:
    """Return lines over a common axis as arrays.

    Parameters
    ----------
    given : mapping of str to array_like, shape (K,)
        By name.
    what : str, default "lines"
        What they are, for the error.
    most : int, optional
        Of them, and then at least one; any number if not given.
    **along : array, shape (K,)
        What they run along, by the name of the argument.

    Returns
    -------
    dict of str to array
        The same.

    Raises
    ------
    InputError
        None or too many, lengths that differ, values that aren't finite.

    Examples
    --------
    >>> checked({"ours": [1, 2]}, most=6, age=np.array([10.0, 20.0]))
    {'ours': array([1., 2.])}
    """
    if most is not None:
        checks.integer(f"number of {what}", len(given), minimum=1, maximum=most)
    held = {key: checks.series(key, line) for key, line in given.items()}
    checks.same_length(**{**along, **held})
    return held


def ends(drawn: Mapping[str, FloatArray], form: str) -> str:
    """Say where each line starts and ends, for a figure's alternative text.

    Examples
    --------
    >>> ends({"best": np.array([0.2, 0.4, 0.5]), "equal": np.array([0.1, 0.3])}, ".0%")
    'best from 20% to 50%; equal from 10% to 30%'
    """
    return "; ".join(f"{key} from {line[0]:{form}} to {line[-1]:{form}}" for key, line in drawn.items())


def look(
    k: int,
    mode: Mapping[str, Any],
    *,
    dashes: Sequence[Any] = DASHES,
    marks: Sequence[str] = ("",),
    size: float = 4.0,
) -> dict[str, Any]:
    """Return how line `k` is drawn, as keywords of matplotlib; see `lines` for the parameters."""
    colour, dash, mark = (kind[k % len(kind)] for kind in (mode["colours"], dashes, marks))
    return {"color": colour, "linestyle": dash, "marker": mark, "markersize": size}


def lines(
    axes: Axes,
    x: npt.ArrayLike | None,
    drawn: Mapping[str, Any],
    mode: Mapping[str, Any],
    *,
    dashes: Sequence[Any] = DASHES,
    marks: Sequence[str] = ("",),
    size: float = 4.0,
) -> None:
    """Draw lines over a common axis, each with a colour, dashes and a sign of its own.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where they are drawn.
    x : array_like, shape (T,), or None
        Numbers or times; None: the steps of each line, counted from 1.
    drawn : mapping of str to array_like, shape (T,)
        By their names in the legend; where there are more than colours, dashes or signs, these begin again.
    mode : mapping
        As `citylib.plots.style.show` hands it to a drawing.
    dashes, marks : sequence
        Of matplotlib; the sign ``""`` is none.
    size : float, default 4
        Of the signs, in points.
    """
    for k, (label, line) in enumerate(drawn.items()):
        at = np.arange(1, len(line) + 1) if x is None else x
        axes.plot(at, line, label=label, **look(k, mode, dashes=dashes, marks=marks, size=size))
