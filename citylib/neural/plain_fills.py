"""Fills that anyone would try first: a straight line, the last value, the same hour of other days.

Legend: B windows, T steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["carry", "interpolate", "same_hour"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def interpolate(values: npt.ArrayLike, seen: npt.ArrayLike) -> FloatArray:
    """Return windows with a straight line between what is seen on both sides; beyond the ends the nearest is kept.

    Parameters
    ----------
    values : array_like, shape (B, T)
        Readings; only those seen are looked at.
    seen : array_like of bool, shape (B, T)
        At least one in each window.

    Returns
    -------
    ndarray, shape (B, T)

    Raises
    ------
    InputError
        A window of which nothing is seen, or NaN among what is seen.

    Examples
    --------
    >>> interpolate([[1.0, 9.0, 3.0, 9.0]], [[True, False, True, False]]).tolist()
    [[1.0, 2.0, 3.0, 3.0]]
    """
    x_BT, seen_BT = _checked(values, seen)
    steps = np.arange(x_BT.shape[1])
    return np.stack([np.interp(steps, steps[s], x[s]) for x, s in zip(x_BT, seen_BT, strict=True)])


def carry(values: npt.ArrayLike, seen: npt.ArrayLike) -> FloatArray:
    """Return windows in which the last value seen stands until the next; before the first, the first.

    Parameters
    ----------
    values, seen
        As in `interpolate`.

    Returns
    -------
    ndarray, shape (B, T)

    Examples
    --------
    >>> carry([[9.0, 1.0, 9.0, 3.0]], [[False, True, False, True]]).tolist()
    [[1.0, 1.0, 1.0, 3.0]]
    """
    x_BT, seen_BT = _checked(values, seen)
    place_BT = np.where(seen_BT, np.arange(x_BT.shape[1]), -1)
    last_BT = np.maximum.accumulate(place_BT, axis=1)
    first_B1 = seen_BT.argmax(axis=1)[:, None]
    found: FloatArray = np.take_along_axis(x_BT, np.where(last_BT < 0, first_B1, last_BT), axis=1)
    return found


def same_hour(values: npt.ArrayLike, seen: npt.ArrayLike, *, season: int) -> FloatArray:
    """Return windows in which what is not seen is that of the nearest season that is, the earlier one of two.

    Parameters
    ----------
    values, seen
        As in `interpolate`.
    season : int
        Steps of a season, such as those of a day. Where the same step of no season is seen, `carry` is taken.

    Returns
    -------
    ndarray, shape (B, T)

    Examples
    --------
    >>> same_hour([[1.0, 2.0, 9.0, 9.0]], [[True, True, False, False]], season=2).tolist()
    [[1.0, 2.0, 1.0, 2.0]]
    """
    x_BT, seen_BT = _checked(values, seen)
    steps, season = x_BT.shape[1], checks.integer("season", season, minimum=1)
    out_BT, left_BT = np.where(seen_BT, x_BT, carry(x_BT, seen_BT)), ~seen_BT
    for away in range(season, steps, season):
        for shift in (away, -away):
            there = np.arange(steps) - shift
            inside = (there >= 0) & (there < steps)
            at = np.clip(there, 0, steps - 1)
            use_BT = left_BT & inside & seen_BT[:, at]
            out_BT, left_BT = np.where(use_BT, x_BT[:, at], out_BT), left_BT & ~use_BT
    return out_BT


def _checked(values: npt.ArrayLike, seen: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    x_BT, seen_BT = checks.matrix("values", values, missing=True), checks.binary("seen", seen)
    if seen_BT.shape != x_BT.shape:
        raise InputError("seen", f"have the shape of values {x_BT.shape}", seen_BT.shape)
    if not seen_BT.any(axis=1).all():
        raise InputError("seen", "leave something to see in each window", int((~seen_BT.any(axis=1)).sum()))
    if np.isnan(x_BT[seen_BT]).any():
        raise InputError("values", "be numbers where they are seen", "NaN", "mask them in `seen`")
    return np.where(seen_BT, x_BT, 0.0), seen_BT
