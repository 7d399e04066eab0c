"""What is seen of each sensor before any ARIMA order is tried, and for which orders that is too little.

Legend: T time steps, N sensors, C regressors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from citylib.timeseries.arima_fits import STATUSES
from citylib.timeseries.specification import Specification

__all__ = ["RANGE", "Seen"]

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-13  # of the readings: what varies by less does not vary
RANGE = (1e-140, 1e140)  # of what varies: beyond, its square is no number


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen of each sensor before any order is tried, shapes (N,).

    Parameters
    ----------
    count : ndarray of int
        Readings.
    flat : ndarray of bool
        All readings are the same.
    repeats : ndarray of bool
        Differenced, nothing is left.
    dependent : ndarray of bool
        At its readings the regressors are collinear.
    beyond : ndarray of bool
        The variance of readings so large or small is no number.
    """

    count: npt.NDArray[np.int64]
    flat: npt.NDArray[np.bool_]
    repeats: npt.NDArray[np.bool_]
    dependent: npt.NDArray[np.bool_]
    beyond: npt.NDArray[np.bool_]

    @staticmethod
    def joined(parts: Sequence[Seen]) -> Seen:
        """Return what was seen of all sensors, from what was seen of some at a time."""
        return Seen(*(np.concatenate([getattr(one, f.name) for one in parts]) for f in fields(Seen)))

    def status(self, spec: Specification, columns: int) -> npt.NDArray[np.str_]:
        """Say of each sensor why it cannot be fitted; an empty text where it can."""
        status = np.full(len(self.count), "", dtype=f"<U{max(map(len, STATUSES))}")
        enough = self.count >= 3 * (spec.parameters + columns + 1) + spec.levels + spec.states
        status[self.dependent] = "collinear"
        status[~enough] = "too short"
        status[self.beyond & enough] = "out of range"
        status[self.flat | self.repeats & enough] = "constant"
        status[self.count == 0] = "all missing"
        return status

    @classmethod
    def of(cls, y_TN: FloatArray, x_TC: FloatArray, spec: Specification) -> Seen:
        """Look at readings (T, N) and regressors (T, C), for orders that difference as `spec` does."""
        known = ~np.isnan(y_TN)
        count = known.sum(axis=0)
        size = np.fmax.reduce(np.abs(y_TN), axis=0, initial=0.0)
        with np.errstate(invalid="ignore"):
            spread = np.fmax.reduce(y_TN, axis=0, initial=-np.inf) - np.fmin.reduce(y_TN, axis=0, initial=np.inf)
            left = np.abs(spec.differenced(y_TN)) if len(y_TN) > spec.levels else np.zeros((0, y_TN.shape[1]))
            # 0 of what repeats itself exactly
            moves = np.where(known.all(axis=0), left.max(axis=0, initial=0.0), np.inf)
        flat = (count > 0) & (spread <= ROUNDING * size)
        dependent = np.zeros(y_TN.shape[1], dtype=np.bool_)
        if x_TC.shape[1] and len(y_TN) > spec.levels:
            moved = spec.differenced(x_TC)
            for i in np.flatnonzero((count > 0) & ~flat):
                rows = moved if known[:, i].all() else moved[known[spec.levels :, i]]
                length = np.linalg.norm(rows, axis=0)
                rank = np.linalg.matrix_rank(rows / np.where(length > 0, length, 1)) if (length > 0).all() else 0
                dependent[i] = rank < rows.shape[1]
        beyond = (size > RANGE[1]) | (spread < RANGE[0])
        return cls(count, flat, moves <= ROUNDING * size, dependent, beyond)
