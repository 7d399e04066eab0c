"""Splits in time: what a model may learn from and, later and apart, what it is tried on.

T time steps. A split never shuffles: everything learned lies before everything
tested, and a gap between them keeps lagged inputs of the test out of training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["Split", "by_time", "origins"]

Times = npt.NDArray[np.datetime64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Split:
    """A division of T time steps into what is learned from and what is tested.

    Parameters
    ----------
    train : ndarray of bool, shape (T,)
        True where a model may learn.
    test : ndarray of bool, shape (T,)
        True where it is tried; never True together with `train`.
    cut : numpy.datetime64
        First time of the test part.
    """

    train: Mask
    test: Mask
    cut: np.datetime64

    def __post_init__(self) -> None:
        for mask in (self.train, self.test):
            mask.flags.writeable = False


def by_time(
    times: npt.ArrayLike,
    *,
    test_share: float | None = None,
    cut: str | np.datetime64 | None = None,
    gap: np.timedelta64 | None = None,
    usable: npt.ArrayLike | None = None,
) -> Split:
    """Split at one moment: all before it is for learning, all from it on for the test.

    Parameters
    ----------
    times : array_like of datetime64, shape (T,)
        Start of each step, strictly increasing.
    test_share : float, optional
        Share of the usable steps that come last and are tested, between 0 and 1. Give this or `cut`.
    cut : str or datetime64, optional
        First moment of the test part; one cut for several sensors keeps the future of one
        from telling about another.
    gap : numpy.timedelta64, optional
        Steps less than this before the cut are left out of both parts: with inputs lagged by
        up to k, a gap of k keeps test readings from being training inputs' neighbours.
    usable : array_like of bool, shape (T,), optional
        Steps that count (a reading exists); the others are in neither part.

    Returns
    -------
    Split

    Raises
    ------
    InputError
        Not exactly one of `test_share` and `cut`; a negative gap; one part left empty.

    Examples
    --------
    >>> hours = np.arange("2026-01-01T00", "2026-01-01T10", dtype="datetime64[h]")
    >>> split = by_time(hours, test_share=0.3, gap=np.timedelta64(2, "h"))
    >>> int(split.train.sum()), int(split.test.sum()), str(split.cut)
    (5, 3, '2026-01-01T07:00:00.000000000')
    """
    moments: Times = checks.increasing("times", np.asarray(times).astype("datetime64[ns]"))
    keep = np.ones(len(moments), dtype=bool) if usable is None else checks.binary("usable", usable)
    checks.same_length(times=moments, usable=keep)
    if (test_share is None) == (cut is None):
        raise InputError("test_share, cut", "be given one and only one", (test_share, cut))
    if gap is not None and gap < np.timedelta64(0):
        raise InputError("gap", "be zero or more", gap)
    if test_share is not None:
        share = checks.fraction("test_share", test_share)
        rows = np.flatnonzero(keep)
        if len(rows) < 2:
            raise InputError("times", "have at least two usable steps", len(rows))
        tested = min(max(1, round(share * len(rows))), len(rows) - 1)
        moment: np.datetime64 = moments[rows[len(rows) - tested]]
    else:
        moment = _moment(cut)
    last = moment if gap is None else moment - gap
    train = keep & ((moments < moment) if gap is None else (moments < last))
    test = keep & (moments >= moment)
    for name, part in (("training", train), ("test", test)):
        if not part.any():
            raise InputError("split", f"leave something in the {name} part", f"cut {moment}, gap {gap}")
    return Split(train, test, moment)


def origins(length: int, *, first: int, horizon: int, every: int = 1) -> Iterator[tuple[slice, slice]]:
    """Yield rolling origins: what is known at each, and the steps to be forecast from it.

    Parameters
    ----------
    length : int
        Number of time steps T.
    first : int
        Steps known at the first origin, at least 1.
    horizon : int
        Steps ahead, at least 1; every origin has all of them.
    every : int, default 1
        Steps from one origin to the next; `horizon` makes windows that don't overlap.

    Yields
    ------
    (known, ahead) : tuple of slice
        ``[0, origin)`` and ``[origin, origin + horizon)``.

    Raises
    ------
    InputError
        A number below 1, or no origin fits.

    Examples
    --------
    >>> [(k.stop, a.start, a.stop) for k, a in origins(10, first=4, horizon=3, every=3)]
    [(4, 4, 7), (7, 7, 10)]
    """
    for name, value in (("length", length), ("first", first), ("horizon", horizon), ("every", every)):
        checks.integer(name, value, minimum=1)
    if first + horizon > length:
        raise InputError("length", f"be at least first + horizon = {first + horizon}", length)
    return ((slice(0, at), slice(at, at + horizon)) for at in range(first, length - horizon + 1, every))


def _moment(cut: str | np.datetime64 | None) -> np.datetime64:
    try:
        moment: np.datetime64 = np.datetime64(str(cut), "ns")
    except ValueError:
        raise InputError("cut", "be a date like 2016-01-31", cut) from None
    if np.isnat(moment):
        raise InputError("cut", "be a date like 2016-01-31", cut)
    return moment
