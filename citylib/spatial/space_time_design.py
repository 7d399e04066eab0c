"""What a space-time regression is made of: standard units, columns of an origin, second moments of every sensor.

Kept apart from the regression so that many of them (other lags, fewer neighbours, other penalties) can be worked out
from one set of moments. Legend: T time steps, N sensors, O origins, R of them that count for a sensor, H steps ahead,
C orders, E known columns, K columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citylib import checks
from citylib.errors import InputError

__all__ = ["Design", "Moments", "Read", "listed", "readings"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
LARGEST = 1e300  # beyond which not even differences of readings can be held
STATUSES = ("fitted", "all missing", "constant", "too few rows")


@dataclass(frozen=True, eq=False)
class Read:
    """Readings in standard units, as the regression sees them.

    Parameters
    ----------
    target : ndarray, shape (T, N)
        NaN where nothing was read.
    seen : ndarray, shape (C, T, N)
        What each order shows; no gaps.
    known : ndarray, shape (T, N, E)
        Known columns.
    offset : ndarray, shape (T, N, H), optional
        Forecasts that are to be mended.
    """

    target: FloatArray
    seen: FloatArray
    known: FloatArray
    offset: FloatArray | None = None

    @property
    def rows_needed(self) -> bool:
        """Whether an origin needs a row of its own: something is said there of the steps to come."""
        return self.known.shape[2] > 0 or self.offset is not None


@dataclass(frozen=True, eq=False)
class Moments:
    """Means, and means of products about them, of each sensor's regression.

    Parameters
    ----------
    middle : ndarray, shape (N, K)
        Means of the columns that they were taken about.
    target : ndarray, shape (N, H)
        Means of the responses that they were taken about.
    gram : ndarray, shape (N, K, K)
        Of columns with columns.
    cross : ndarray, shape (N, K, H)
        Of columns with responses.
    square : ndarray, shape (N, H)
        Of responses with themselves.
    rows : ndarray of int, shape (N,)
        R of each sensor.
    status : ndarray of str, shape (N,)
        One of `STATUSES`.
    """

    middle: FloatArray
    target: FloatArray
    gram: FloatArray
    cross: FloatArray
    square: FloatArray
    rows: IntArray
    status: npt.NDArray[np.str_]

    def errors(self, b: FloatArray, /) -> FloatArray:
        """Return the mean squared error of coefficients b (N, H, K) with the intercepts of `middle`, shape (N, H)."""
        spread = np.einsum("nhk,nhk->nh", b @ self.gram, b)
        return np.asarray(self.square - 2 * np.einsum("nhk,nkh->nh", b, self.cross) + spread)

    def only(self, columns: IntArray) -> Moments:
        """Return the moments of a regression on some of the columns."""
        gram = self.gram[:, columns[:, None], columns]
        middle, cross = self.middle[:, columns], self.cross[:, columns]
        return Moments(middle, self.target, gram, cross, self.square, self.rows, self.status)


@dataclass(frozen=True, eq=False)
class Design:
    """Orders, lags and steps of a regression, and the standard units that it is made in.

    Parameters
    ----------
    orders : tuple of csr_array, shape (N, N)
        What a sensor sees.
    lags : tuple of int, length C
        Of each order.
    steps : tuple of int, length H
        Ahead.
    mean, scale : ndarray, shape (N,)
        Of each sensor's readings; a scale of a sensor without any is 1.
    known_mean, known_scale : ndarray, shape (N, E)
        Of the known columns.
    """

    orders: tuple[sparse.csr_array, ...]
    lags: tuple[int, ...]
    steps: tuple[int, ...]
    mean: FloatArray
    scale: FloatArray
    known_mean: FloatArray
    known_scale: FloatArray

    @classmethod
    def learn(
        cls,
        values: FloatArray,
        orders: Sequence[sparse.sparray],
        *,
        lags: int | Sequence[int],
        steps: Sequence[int],
        known: npt.ArrayLike | None,
        end: int,
    ) -> Design:
        """Return the design, its units learned from the first `end` steps."""
        sensors = values.shape[1]
        used = _orders(orders, sensors)
        back = _lags(lags, len(used))
        ahead = tuple(checks.integer("steps", h, minimum=0) for h in listed("steps", steps, "whole numbers"))
        if not ahead or list(ahead) != sorted(set(ahead)):
            raise InputError("steps", "be increasing, and at least one", list(ahead))
        own = [k for k, (a, n) in enumerate(zip(used, back, strict=True)) if n and a.diagonal().any()]
        if ahead[0] == 0 and own:
            raise InputError("steps", "start at 1 where a sensor sees itself", f"0, with order {own[0]}")
        over = max(back) + max(*ahead, 1)
        if over > end:
            told = f"{max(back)} back and {max(*ahead, 1)} ahead"
            raise InputError("lags, steps", f"reach over no more than the {end} steps that are learned from", told)
        return cls(used, back, ahead, *_units(values[:end]), *_units(_known(known, values.shape)[:end]))

    @property
    def first(self) -> int:
        """First origin that has all its lags."""
        return max(self.lags)

    def labels(self) -> list[tuple[int | str, int]]:
        """Return order and lag of each column; ("known", number) for those that are known."""
        seen: list[tuple[int | str, int]] = [(c, lag) for c, n in enumerate(self.lags) for lag in range(1, n + 1)]
        return seen + [("known", e) for e in range(self.known_mean.shape[1])]

    def costs(self, penalty: float | Sequence[float]) -> FloatArray:
        """Return the penalty of each column, shape (K,)."""
        given = np.atleast_1d(checks.array("penalty", penalty))
        many, extra = len(self.orders), self.known_mean.shape[1]
        if given.shape not in ((1,), (many,), (many + 1,)) or not np.isfinite(given).all() or (given < 0).any():
            raise InputError("penalty", f"be one number, {many} or {many + 1}, finite and none below zero", penalty)
        each = np.full(many + 1, given[0]) if len(given) == 1 else np.append(given, given[-1])[: many + 1]
        return np.concatenate([np.repeat(each[:-1], self.lags), np.full(extra, each[-1])])

    def read(
        self,
        values: npt.ArrayLike,
        *,
        known: npt.ArrayLike | None = None,
        stand_in: npt.ArrayLike | None = None,
        offset: npt.ArrayLike | None = None,
    ) -> Read:
        """Return readings in standard units, gaps among the inputs filled from before or by what stands in."""
        matrix = readings(values, at_least=1)
        if matrix.shape[1] != len(self.mean):
            raise InputError("values", f"have {len(self.mean)} sensors", matrix.shape)
        extra = _known(known, matrix.shape)
        if extra.shape[2] != self.known_mean.shape[1]:
            raise InputError("known", f"have {self.known_mean.shape[1]} columns", extra.shape[2])
        target = (matrix - self.mean) / self.scale
        filled = _filled(target)
        if stand_in is not None:
            other = checks.matrix("stand_in", stand_in)
            if other.shape != matrix.shape:
                raise InputError("stand_in", f"have the shape of values {matrix.shape}", other.shape)
            filled = np.where(np.isnan(target), (other - self.mean) / self.scale, target)
        seen = [filled @ a.T if n else np.empty((len(matrix), 0)) for a, n in zip(self.orders, self.lags, strict=True)]
        stack = np.stack([s if s.size else np.zeros_like(filled) for s in seen])
        return Read(target, stack, (extra - self.known_mean) / self.known_scale, self._offset(offset, matrix.shape))

    def _offset(self, offset: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray | None:
        if offset is None:
            return None
        other = checks.array("offset", offset, ndim=3, missing=True)
        if other.shape != (*shape, len(self.steps)):
            rule = f"have shape (times, sensors, steps) = ({shape[0]}, {shape[1]}, {len(self.steps)})"
            raise InputError("offset", rule, other.shape)
        return np.asarray((other - self.mean[:, None]) / self.scale[:, None])

    def origins(self, origins: npt.ArrayLike, read: Read) -> IntArray:
        """Return origins as whole numbers that have all their lags, and their known columns."""
        at = np.asarray(origins)
        last = len(read.target) - read.rows_needed
        if at.ndim != 1 or not np.issubdtype(at.dtype, np.integer) or not len(at):
            raise InputError("origins", "be a row of whole numbers", at.shape)
        if at.min() < self.first or at.max() > last:
            raise InputError("origins", f"lie between {self.first} and {last}", (int(at.min()), int(at.max())))
        return at.astype(np.int64)

    def columns(self, read: Read, origins: IntArray, sensor: int) -> FloatArray:
        """Return the columns of one sensor, shape (O, K)."""
        parts = [read.seen[c, origins - lag, sensor] for c, n in enumerate(self.lags) for lag in range(1, n + 1)]
        seen = np.column_stack(parts)
        return np.hstack([seen, read.known[origins, sensor]]) if read.known.shape[2] else seen

    def moments(self, read: Read, within: range, about: Moments | None = None) -> Moments:
        """Return the second moments of every sensor over the origins `within`.

        Parameters
        ----------
        read : Read
            From `read`.
        within : range
            Origins that may count; those whose steps ahead were all read do.
        about : Moments, optional
            Whose means they are taken about; by default their own.
        """
        at = np.arange(within.start, within.stop)
        sensors, ahead, many = len(self.mean), len(self.steps), len(self.labels())
        middle, target = np.zeros((sensors, many)), np.zeros((sensors, ahead))
        gram, cross, square = (
            np.zeros((sensors, many, many)),
            np.zeros((sensors, many, ahead)),
            np.zeros((sensors, ahead)),
        )
        rows = np.zeros(sensors, dtype=np.int64)
        status = np.full(sensors, "fitted", dtype=f"<U{max(map(len, STATUSES))}")
        for i in range(sensors):
            response = np.column_stack([read.target[at - 1 + h, i] for h in self.steps])
            if read.offset is not None:
                response = response - read.offset[at, i]
            count = ~np.isnan(response).any(axis=1)
            rows[i] = count.sum()
            status[i] = _status(response[count], about is None)
            if not rows[i]:
                continue
            x, y = self.columns(read, at[count], i), response[count]
            middle[i], target[i] = (
                (x.mean(axis=0), y.mean(axis=0)) if about is None else (about.middle[i], about.target[i])
            )
            x, y = x - middle[i], y - target[i]
            gram[i], cross[i], square[i] = x.T @ x / len(x), x.T @ y / len(x), (y * y).mean(axis=0)
        return Moments(middle, target, gram, cross, square, rows, status)


def _status(response: FloatArray, learning: bool) -> str:
    if not len(response):
        return "all missing"
    if not learning:
        return "fitted"
    if len(response) < 10:
        return "too few rows"
    return "constant" if np.ptp(response) <= 1e-9 else "fitted"


def readings(values: npt.ArrayLike, *, at_least: int = 2) -> FloatArray:
    """Return readings (T, N) as they are computed with, or say what is wrong with them.

    Parameters
    ----------
    values : array_like, shape (T, N)
        NaN where one is missing.
    at_least : int, default 2
        Steps.
    """
    matrix = checks.matrix("values", values, missing=True, at_least=at_least)
    if not matrix.shape[1]:
        raise InputError("values", "have a sensor at least", matrix.shape)
    if (np.abs(matrix) > LARGEST).any():
        raise InputError("values", f"be at most {LARGEST:g}", f"{np.nanmax(np.abs(matrix)):g}", "take another unit")
    return matrix


def listed(argument: str, value: object, of: str) -> list[Any]:
    """Return what is in a sequence, or say that it is none.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : object
        A sequence, it is hoped.
    of : str
        What it should be a sequence of.
    """
    if isinstance(value, str) or sparse.issparse(value) or not isinstance(value, Iterable):
        raise InputError(argument, f"be a sequence of {of}", type(value).__name__)
    return list(value)


def _units(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and standard deviation along the first axis, of what is there; a deviation of nothing is 1.

    In powers of two near the largest number, for the squares of large numbers overflow and those of small ones vanish.
    """
    there = ~np.isnan(values)
    count = np.maximum(there.sum(axis=0), 1)
    unit = np.ldexp(1.0, np.frexp(np.where(there, np.abs(values), 0.0).max(axis=0, initial=0.0))[1] - 1)
    sized = np.where(there, values, 0.0) / unit
    mean = sized.sum(axis=0) / count
    scale = np.sqrt((np.where(there, sized - mean, 0.0) ** 2).sum(axis=0) / count)
    flat = scale <= 1e-12 * np.abs(mean)
    return mean * unit, np.where(flat, 1.0, scale * unit)


def _orders(orders: Sequence[sparse.sparray], sensors: int) -> tuple[sparse.csr_array, ...]:
    given = listed("orders", orders, "sparse matrices")
    try:
        used = tuple(sparse.csr_array(a, dtype=np.float64) for a in given)
    except (TypeError, ValueError) as fault:
        told = ", ".join(type(a).__name__ for a in given)
        raise InputError("orders", "be a sequence of sparse matrices of numbers", told) from fault
    if not used:
        raise InputError("orders", "be at least one", 0)
    for k, a in enumerate(used):
        if a.shape != (sensors, sensors):
            raise InputError(f"orders[{k}]", f"have shape (sensors, sensors) = ({sensors}, {sensors})", a.shape)
        if not np.isfinite(a.data).all():
            raise InputError(f"orders[{k}]", "be finite", "NaN or infinity")
    return used


def _lags(lags: int | Sequence[int], many: int) -> tuple[int, ...]:
    each = [lags] * many if isinstance(lags, (int, np.integer)) else listed("lags", lags, "whole numbers, or one")
    back = tuple(checks.integer("lags", n, minimum=0) for n in each)
    if len(back) != many:
        raise InputError("lags", f"be one number or one an order ({many})", list(back))
    if not any(back):
        raise InputError("lags", "be at least 1 for some order", list(back))
    return back


def _known(known: npt.ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    if known is None:
        return np.zeros((*shape, 0))
    extra = checks.array("known", known, ndim=3)
    if extra.shape[:2] != shape:
        raise InputError("known", f"have shape (times, sensors, columns) = ({shape[0]}, {shape[1]}, ...)", extra.shape)
    return extra


def _filled(target: FloatArray) -> FloatArray:
    """Return readings with gaps filled by the last one there was; before the first, by the mean, 0."""
    row = np.where(np.isnan(target), 0, np.arange(len(target))[:, None])
    return np.nan_to_num(np.take_along_axis(target, np.maximum.accumulate(row, axis=0), axis=0))
