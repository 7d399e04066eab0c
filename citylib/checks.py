"""Argument checks, one per kind of bad input; each message says argument, rule and value.

A check returns the checked value in the form the caller computes with, so that
it stands where the value is used: ``y_T = checks.series("y", y)``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from citylib.errors import InputError, UnknownNameError

__all__ = [
    "array",
    "binary",
    "fraction",
    "increasing",
    "integer",
    "matrix",
    "number",
    "one_of",
    "same_length",
    "series",
    "squarable",
    "steps",
    "unique",
]

FloatArray = npt.NDArray[np.float64]
SQUARES = (1e-140, 1e140)  # between which numbers can be squared and added up, and their residuals too
EXACT = 2**53  # up to which a float64 holds every whole number


def array(
    argument: str,
    value: npt.ArrayLike,
    *,
    ndim: int | None = None,
    missing: bool = False,
    at_least: int = 0,
    minimum: float | None = None,
) -> FloatArray:
    """Return `value` as a float64 array, or say what is wrong with it.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like
        Numbers.
    ndim : int, optional
        Wanted number of dimensions.
    missing : bool, default False
        Whether NaN is allowed (it marks a missing value).
    at_least : int, default 0
        Smallest length of the first axis.
    minimum : float, optional
        Smallest value allowed.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    InputError
        Not numeric, wrong shape, infinite, NaN where none is allowed, too short, too small.
    """
    try:
        out = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(argument, "be numeric", value) from None
    if ndim is not None and out.ndim != ndim:
        raise InputError(argument, f"have {ndim} dimension(s)", out.shape)
    if out.ndim and out.shape[0] < at_least:
        raise InputError(argument, f"have at least {at_least} rows", out.shape[0])
    with np.errstate(all="ignore"):
        plain = np.isfinite(out.sum())  # one look at large arrays, which mostly are; a sum too large only costs another
    if not plain:
        infinite = np.isinf(out)
        if infinite.any():
            raise InputError(argument, "be finite", f"{int(infinite.sum())} infinite value(s), {_first(infinite)}")
        nan = np.isnan(out)
        if not missing and nan.any():
            raise InputError(argument, "have no missing values", f"{int(nan.sum())} NaN, {_first(nan)}")
    if minimum is not None:
        low = out < minimum
        if low.any():
            raise InputError(argument, f"be at least {minimum:g}", f"{out[low][0]:g}, {_first(low)}")
    return out


def series(argument: str, value: npt.ArrayLike, *, missing: bool = False, at_least: int = 1) -> FloatArray:
    """Return `value` as a one-dimensional float64 array.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like
        Numbers.
    missing : bool, default False
        Whether NaN is allowed (it marks a missing value).
    at_least : int, default 1
        Smallest length of the first axis.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    InputError
        As `array` does.
    """
    return array(argument, value, ndim=1, missing=missing, at_least=at_least)


def matrix(argument: str, value: npt.ArrayLike, *, missing: bool = False, at_least: int = 1) -> FloatArray:
    """Return `value` as a two-dimensional float64 array.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like
        Numbers.
    missing : bool, default False
        Whether NaN is allowed (it marks a missing value).
    at_least : int, default 1
        Smallest length of the first axis.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    InputError
        As `array` does.
    """
    return array(argument, value, ndim=2, missing=missing, at_least=at_least)


def binary(argument: str, value: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return `value` as a boolean array; 0 and 1 count, nothing else does.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : array_like
        False and True, or 0 and 1.

    Returns
    -------
    ndarray of bool

    Raises
    ------
    InputError
        Any other value.
    """
    out = np.asarray(value)
    if out.dtype == np.bool_:
        return out
    numbers = array(argument, value)
    odd = (numbers != 0) & (numbers != 1)
    if odd.any():
        raise InputError(argument, "hold only 0 and 1 (or False and True)", f"{numbers[odd][0]:g}, {_first(odd)}")
    return numbers.astype(np.bool_)


def number(
    argument: str,
    value: object,
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
) -> float:
    """Return `value` as a finite float within bounds.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : object
        A number; booleans are none.
    minimum : float, optional
        Smallest value allowed.
    above : float, optional
        The value must be larger than this.
    maximum : float, optional
        Largest value allowed.

    Returns
    -------
    float

    Raises
    ------
    InputError
        No number, not finite, out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InputError(argument, "be a number", value)
    out = float(value)
    if not math.isfinite(out):
        raise InputError(argument, "be finite", value)
    _bounds(argument, out, minimum, above, maximum)
    return out


def integer(argument: str, value: object, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return `value` as an int within bounds; 2.0 and True are refused.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : object
        A whole number.
    minimum : int, optional
        Smallest value allowed.
    maximum : int, optional
        Largest value allowed.

    Returns
    -------
    int

    Raises
    ------
    InputError
        No whole number, out of bounds.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InputError(argument, "be a whole number", value)
    _bounds(argument, int(value), minimum, None, maximum)
    return int(value)


def fraction(argument: str, value: object, *, closed: bool = False) -> float:
    """Return `value` as a float between 0 and 1.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : object
        A number.
    closed : bool, default False
        Whether 0 and 1 themselves are allowed.

    Returns
    -------
    float

    Raises
    ------
    InputError
        No number, or outside.
    """
    out = number(argument, value)
    if not (0 <= out <= 1 if closed else 0 < out < 1):
        raise InputError(argument, "lie between 0 and 1" + (" inclusive" if closed else ""), value)
    return out


def one_of(argument: str, value: object, known: Collection[Any]) -> Any:
    """Return `value` if it is among `known`; the nearest is offered if not.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : object
        What was chosen.
    known : collection
        What may be chosen.

    Returns
    -------
    object
        `value`

    Raises
    ------
    InputError
        It is not among them (an UnknownNameError where it is text).
    """
    if value not in known:
        if isinstance(value, str):
            raise UnknownNameError(argument, value, [str(k) for k in known])
        raise InputError(argument, f"be one of: {', '.join(map(str, known))}", value)
    return value


def same_length(**arrays: Sequence[Any] | npt.NDArray[Any]) -> int:
    """Return the common length of the named arrays.

    Examples
    --------
    >>> same_length(x=[1, 2], y=[3])
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: x, y must have the same length, got {'x': 2, 'y': 1}
    """
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(", ".join(lengths), "have the same length", lengths)
    return next(iter(lengths.values()))


def increasing(argument: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return `value` if it is strictly increasing (times, sorted ids)."""
    out = np.asarray(value)
    if out.ndim != 1:
        raise InputError(argument, "have 1 dimension(s)", out.shape)
    if len(out) > 1:
        bad = ~(out[1:] > out[:-1])
        if bad.any():
            at = int(np.argmax(bad)) + 1
            what = "repeats" if out[at] == out[at - 1] else "steps back"
            raise InputError(argument, "be strictly increasing", f"{out[at]} which {what} at row {at}")
    return out


def squarable(argument: str, value: FloatArray) -> FloatArray:
    """Return `value` if its largest number is of a size that can be squared; all zero, it can."""
    largest = float(np.fmax.reduce(np.abs(value), axis=None, initial=0.0))
    if largest and not SQUARES[0] <= largest <= SQUARES[1]:
        rule = f"be of a size that can be squared, between {SQUARES[0]:g} and {SQUARES[1]:g}"
        raise InputError(argument, rule, f"{largest:g}", "take another unit")
    return value


def steps(argument: str, value: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Return `value` as whole numbers, strictly increasing: positions on a time axis of equal steps."""
    out = np.asarray(value)
    if out.dtype.kind not in "iu":
        if out.dtype.kind in "mMSU":  # numpy would make numbers of them
            raise InputError(argument, "be whole numbers of steps", f"{out.dtype} values")
        numbers = array(argument, value, ndim=1)
        if (np.abs(numbers) > EXACT).any():
            raise InputError(argument, "be whole numbers of steps, up to 2**53", f"{np.abs(numbers).max():g}")
        if (numbers != np.round(numbers)).any():
            at = int(np.argmax(numbers != np.round(numbers)))
            raise InputError(argument, "be whole numbers of steps", f"{numbers[at]:g} at row {at}")
        out = numbers.astype(np.int64)
    return increasing(argument, out)


def unique(argument: str, value: Sequence[Any]) -> tuple[Any, ...]:
    """Return `value` as a tuple if no element occurs twice."""
    seen: set[Any] = set()
    for item in value:
        if item in seen:
            raise InputError(argument, "have no duplicates", item)
        seen.add(item)
    return tuple(value)


def _bounds(argument: str, value: float, minimum: float | None, above: float | None, maximum: float | None) -> None:
    if minimum is not None and value < minimum:
        raise InputError(argument, f"be at least {minimum:g}", value)
    if above is not None and value <= above:
        raise InputError(argument, f"be more than {above:g}", value)
    if maximum is not None and value > maximum:
        raise InputError(argument, f"be at most {maximum:g}", value)


def _first(bad: npt.NDArray[np.bool_]) -> str:
    if bad.ndim == 0:
        return "a single value"
    where = [int(i) for i in np.argwhere(bad)[0]]
    return f"first at row {where[0]}" if len(where) == 1 else f"first at {tuple(where)}"
