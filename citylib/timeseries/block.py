"""A few sensors whose ARIMA likelihood is worked out together, at several parameters of each.

Legend: T time steps, n sensors, M of them asked for, L points of each, k parameters, C regressors.
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from citylib.timeseries import fast_filter, gap_filter, kalman
from citylib.timeseries.climb import curvature
from citylib.timeseries.lanes import LANES
from citylib.timeseries.specification import Specification

__all__ = ["WAYS", "Block", "Measured", "ways"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

WIDTH = 1e-4  # of the differences in errors
WAYS = ("complete", "gappy", "general")  # from the fastest filter to the one that can do all


class Measured(NamedTuple):
    """What a filter leaves.

    Parameters
    ----------
    gram : ndarray, shape (M, L, L)
        Products of the whitened errors at the points; only the diagonal unless all were asked for.
    log_F : ndarray, shape (M, L)
        Sums of the logarithms of the errors' variances, for shocks of variance 1.
    counted : ndarray of int, shape (M,)
        Readings that count.
    beta : ndarray, shape (M, C)
        Coefficients of the regressors at the last point.
    spread : ndarray, shape (M, C, C)
        Their covariance there, for shocks of variance 1.
    """

    gram: FloatArray
    log_F: FloatArray
    counted: IntArray
    beta: FloatArray
    spread: FloatArray


class Block:
    """Readings of a few sensors, in standard deviations, made ready for one of the filters.

    Parameters
    ----------
    y_Tn : ndarray, shape (T, n)
        Readings of sensors that `ways` sends the same way.
    x_TC : ndarray, shape (T, C)
        Regressors.
    specification : Specification
        The orders.
    """

    def __init__(self, y_Tn: FloatArray, x_TC: FloatArray, specification: Specification) -> None:
        self.specification = specification
        self.series = y_Tn.shape[1]
        self._way = str(max(ways(y_Tn, x_TC, specification), key=WAYS.index))
        self.scale_n = y_Tn.std(axis=0) if self._way == "complete" else np.nanstd(y_Tn, axis=0)
        scaled = y_Tn / self.scale_n
        self._x_TC, self._back_CC = np.ascontiguousarray(x_TC), np.eye(x_TC.shape[1])
        if self.columns:  # columns almost alike stand at right angles in here
            self._back_CC = np.linalg.inv(np.linalg.qr(specification.differenced(self._x_TC))[1])
            self._x_TC = np.ascontiguousarray(self._x_TC @ self._back_CC)
        readings = specification.differenced(scaled) if self._way == "complete" else scaled
        self._y_nT = np.ascontiguousarray(readings.T)
        self._first_n = (~np.isnan(y_Tn)).argmax(axis=0)

    @property
    def columns(self) -> int:
        """Regressors."""
        return len(self._back_CC)

    def of(self, which: IntArray, specification: Specification) -> Block:
        """Return some of the sensors, made ready for other orders of the same differences."""
        other = copy(self)
        other.specification = specification
        if len(which) < self.series:
            other.series, other.scale_n = len(which), self.scale_n[which]
            other._y_nT, other._first_n = self._y_nT[which], self._first_n[which]
        return other

    @property
    def complete(self) -> bool:
        """Whether no reading is missing and there are no regressors: then `differenced` is all there is."""
        return self._way == "complete"

    def differenced(self) -> FloatArray:
        """Return the differenced series, (n, T less levels): gaps filled in by straight lines, regressors taken off."""
        if self.complete:
            return self._y_nT
        filled = np.empty_like(self._y_nT)
        steps = np.arange(filled.shape[1])
        for series, y_T in enumerate(self._y_nT):
            known = np.flatnonzero(~np.isnan(y_T))
            filled[series] = np.interp(steps, known, y_T[known])
        moved = self.specification.differenced(filled.T)
        if self._x_TC.shape[1]:
            x_TC = self.specification.differenced(self._x_TC)
            moved = moved - x_TC @ np.linalg.lstsq(x_TC, moved, rcond=None)[0]
        return np.ascontiguousarray(moved.T)

    def measure(self, natural_MLk: FloatArray, which_M: IntArray, *, whole: bool = False) -> Measured:
        """Run the filter of the sensors `which_M` at parameters (M, L, k); see `Measured`."""
        ar, ma = self.specification.multiplied(natural_MLk)
        which = np.ascontiguousarray(which_M, dtype=np.int64)
        if self._way == "general":
            return self._measure_general(ar, ma, which, whole)
        many, points = ar.shape[:2]
        groups = -(-points // LANES)
        gram = np.zeros((many, groups, LANES, LANES))
        log_F = np.zeros((many, groups, LANES))
        if self._way == "complete":
            lags = self.specification.lags
            a, b = (_grouped(full[..., lag - 1], groups) for full, lag in zip((ar, ma), lags, strict=True))
            states = self.specification.states
            wanted = points if whole else 0
            fast_filter.complete_errors(self._y_nT, which, lags[0], a, lags[1], b, states, wanted, gram, log_F)
            counted = np.full(many, self._y_nT.shape[1])
        else:
            a, b = (_grouped(full, groups) for full in self._dense(ar, ma))
            c = self.specification.level_coefficients
            wanted = points if whole else 0
            gap_filter.gappy_errors(self._y_nT, self._first_n, which, a, b, c, wanted, gram, log_F)
            counted = (~np.isnan(self._y_nT)).sum(axis=1)[which] - len(c)
        products = gram[:, 0, :points, :points]
        if groups > 1:
            products = np.zeros((many, points, points))
            own = np.diagonal(gram, axis1=2, axis2=3).reshape(many, -1)[:, :points]
            products[:, np.arange(points), np.arange(points)] = own
        none = np.zeros((many, 0))
        return Measured(products, log_F.reshape(many, -1)[:, :points], counted, none, none[:, :, None])

    def _measure_general(self, ar: FloatArray, ma: FloatArray, which: IntArray, whole: bool) -> Measured:
        (many, points), columns = ar.shape[:2], self._x_TC.shape[1]
        a, b = self._dense(ar, ma)
        gram, log_F = np.zeros((many, points, points)), np.zeros((many, points))
        counted, beta = np.zeros(many, dtype=np.int64), np.zeros((many, columns))
        spread = np.zeros((many, columns, columns))
        kalman.general_errors(
            self._y_nT, self._x_TC, which, a, b, self.specification.level_coefficients,
            whole, gram, log_F, counted, beta, spread,
        )  # fmt: skip
        back = self._back_CC
        return Measured(gram, log_F, counted, beta @ back.T, back @ spread @ back.T)

    def _dense(self, ar: FloatArray, ma: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return AR and MA coefficients at all lags of the state, the MA's from its leading 1."""
        a, b = np.zeros((2, *ar.shape[:-1], self.specification.states))
        a[..., : ar.shape[-1]] = ar
        b[..., 0], b[..., 1 : 1 + ma.shape[-1]] = 1.0, ma
        return a, b

    def height(self, measured: Measured) -> FloatArray:
        """Return log-likelihoods (M, L), the variance of the shocks (and the regression) at their best."""
        squares = np.diagonal(measured.gram, axis1=1, axis2=2)
        count = measured.counted[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(-0.5 * (count * (np.log(2 * np.pi * squares / count) + 1) + measured.log_F))

    def heights(self, free_MLk: FloatArray, which_M: IntArray) -> FloatArray:
        """Return log-likelihoods (M, L) at parameters free of bounds."""
        return self.height(self.measure(self.specification.natural(free_MLk), which_M))

    def slope(self, at_Mk: FloatArray, height_M: FloatArray, which_M: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return gradients and curvatures of the likelihood at parameters free of bounds.

        Maximising it is least squares of the whitened errors times their geometric mean deviation (Ansley 1979),
        so that Gauss and Newton's curvature needs no more than one more point a parameter.
        """
        k = at_Mk.shape[1]
        if k + 1 > LANES:
            return curvature(self.heights, at_Mk, height_M, which_M)
        offsets = np.concatenate([np.zeros((1, k)), WIDTH * np.eye(k)])
        natural = self.specification.natural(at_Mk[:, None, :] + offsets)
        measured = self.measure(natural, which_M, whole=True)
        count = measured.counted[:, None]
        # Only ratios to the first point's matter.
        deviation = np.exp((measured.log_F - measured.log_F[:, :1]) / (2 * count))
        gram = measured.gram * deviation[:, :, None] * deviation[:, None, :]
        squares = gram[:, 0, 0][:, None]
        moved = (gram[:, 0, 1:] - squares) / WIDTH
        shared = gram[:, 1:, 1:] - gram[:, 1:, :1] - gram[:, :1, 1:] + squares[:, :, None]
        return -count * moved / squares, -(count / squares)[:, :, None] * shared / WIDTH**2


def ways(y_TN: FloatArray, x_TC: FloatArray, specification: Specification) -> npt.NDArray[np.str_]:
    """Return which filter each sensor can go through, shape (N,): the general one does all that the others do.

    Parameters
    ----------
    y_TN : ndarray, shape (T, N)
        Readings; NaN where one is missing.
    x_TC : ndarray, shape (T, C)
        Regressors.
    specification : Specification
        The orders; the first readings that differencing uses up must follow each other for a faster filter.
    """
    if x_TC.shape[1]:
        return np.full(y_TN.shape[1], "general")
    known = ~np.isnan(y_TN)
    first = known.argmax(axis=0)
    levels = np.minimum(first + np.arange(specification.levels)[:, None], len(known) - 1)
    begun = known[levels, np.arange(known.shape[1])].all(axis=0)
    return np.where(known.all(axis=0), "complete", np.where(begun, "gappy", "general"))


def _grouped(points_MLp: FloatArray, groups: int) -> FloatArray:
    """Return coefficients (M, L, p) as (M, G, p, LANES), the last point repeated to fill up."""
    many, points, p = points_MLp.shape
    full = np.minimum(np.arange(groups * LANES), points - 1)
    return np.ascontiguousarray(points_MLp[:, full].reshape(many, groups, LANES, p).swapaxes(2, 3))
