"""Scaling by the training rows only: mean and standard deviation of each sensor.

Legend: T time steps, N sensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError, UnknownNameError

__all__ = ["Scaler", "fit"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Means and standard deviations that were learned from some rows, and are used on any.

    Parameters
    ----------
    mean, deviation : ndarray, shape (N,)
        In the unit of the readings.
    sensors : tuple of str, length N
        Whose they are; empty where they have no names.
    """

    mean: FloatArray
    deviation: FloatArray
    sensors: tuple[str, ...] = ()

    def apply(self, values: npt.ArrayLike, *, sensors: tuple[str, ...] | None = None) -> FloatArray:
        """Return readings in standard deviations from the mean; NaN stays NaN.

        Parameters
        ----------
        values : array_like, shape (..., N)
            Readings.
        sensors : tuple of str, optional
            Names of the last axis: any of those learned from, in any order.

        Raises
        ------
        UnknownNameError
            A sensor that was not there when this was learned.
        InputError
            Another number of sensors.
        """
        at = self._columns(values, sensors)
        scaled: FloatArray = (np.asarray(values, dtype=np.float64) - self.mean[at]) / self.deviation[at]
        return scaled

    def undo(self, scaled: npt.ArrayLike, *, sensors: tuple[str, ...] | None = None) -> FloatArray:
        """Return readings in their own unit again; the inverse of `apply`."""
        at = self._columns(scaled, sensors)
        values: FloatArray = np.asarray(scaled, dtype=np.float64) * self.deviation[at] + self.mean[at]
        return values

    def _columns(self, values: npt.ArrayLike, sensors: tuple[str, ...] | None) -> npt.NDArray[np.intp]:
        for name in sensors or ():
            if name not in self.sensors:
                raise UnknownNameError("sensor", name, self.sensors)
        at = np.arange(len(self.mean)) if sensors is None else np.array([self.sensors.index(n) for n in sensors])
        shape = np.shape(values)
        if not shape or shape[-1] != len(at):
            raise InputError("values", f"have {len(at)} sensors along the last axis", shape)
        return at.astype(np.intp)


def fit(values: npt.ArrayLike, *, rows: tuple[int, int], sensors: tuple[str, ...] = (), floor: float = 1e-6) -> Scaler:
    """Learn the scale of each sensor from the rows `rows[0]` up to, not including, `rows[1]`.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings, NaN where there is none. No row outside `rows` is looked at.
    rows : (int, int)
        Training rows.
    sensors : tuple of str, optional
        Names of the sensors, to be held to later.
    floor : float, default 1e-6
        Smallest standard deviation; a sensor that never moves is divided by it.

    Returns
    -------
    Scaler

    Raises
    ------
    InputError
        Rows outside the readings, or a sensor without a reading in them.

    Examples
    --------
    >>> scale = fit([[1.0], [3.0], [99.0]], rows=(0, 2))
    >>> scale.mean.tolist(), scale.deviation.tolist(), scale.apply([[5.0]]).tolist()
    ([2.0], [1.0], [[3.0]])
    """
    all_TN = checks.matrix("values", values, missing=True)
    start, stop = rows
    if not 0 <= start < stop <= len(all_TN):
        raise InputError("rows", f"be (start, stop) within the {len(all_TN)} rows, start below stop", rows)
    if sensors and len(sensors) != all_TN.shape[1]:
        raise InputError("sensors", f"name the {all_TN.shape[1]} sensors", len(sensors))
    part = all_TN[start:stop]
    empty = np.flatnonzero(np.isnan(part).all(axis=0))
    if len(empty):
        name = sensors[empty[0]] if sensors else f"sensor {empty[0]}"
        raise InputError("values", "have a reading of every sensor in the training rows", f"none of {name}")
    deviation = np.nanstd(part, axis=0)
    return Scaler(np.nanmean(part, axis=0), np.maximum(deviation, checks.number("floor", floor, above=0)), sensors)
