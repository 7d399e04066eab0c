"""Panel: readings of many sensors on one time axis; the one container all families share.

Axes: T time steps, N sensors. A reading that was not made, or not to be
believed, is NaN in `values` and False in `mask`; the two always agree.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import DataQualityWarning, InputError, UnknownNameError

__all__ = ["Panel"]

# As `mask` this stands for "whatever is not NaN"; once built, a panel's mask is always an array.
_OBSERVED = cast("npt.NDArray[np.bool_]", None)


@dataclass(frozen=True, eq=False)
class Panel:
    """Readings of N sensors at T times.

    Parameters
    ----------
    values : array_like, shape (T, N)
        Readings; NaN where there is none.
    times : array_like of datetime64, shape (T,)
        Start of each step, strictly increasing, without zone.
    sensors : sequence of str, length N
        Sensor ids, unique.
    unit : str
        Unit of the readings, such as ``"µg/m³"``.
    variable : str, default "value"
        What is measured, such as ``"PM2.5"``.
    zone : str or None
        Name of the time zone that `times` are local to; None: not known.
    mask : array_like of bool, shape (T, N), optional
        True where the reading counts. Readings masked out become NaN.
    coordinates : array_like, shape (N, 2), optional
        Latitude and longitude in degrees (WGS84) of each sensor.

    Raises
    ------
    InputError
        Shapes that disagree, infinities, times that repeat or step back, repeated ids,
        coordinates out of range.

    Examples
    --------
    >>> p = Panel([[1.0, 2.0], [3.0, float("nan")]], ["2026-01-01T00", "2026-01-01T01"], ["a", "b"], unit="veh/h")
    >>> p.shape, p.missing_share
    ((2, 2), 0.25)
    >>> p.select(sensors=["a"]).series("a").tolist()
    [1.0, 3.0]
    """

    values: npt.NDArray[np.float64]
    times: npt.NDArray[np.datetime64]
    sensors: tuple[str, ...]
    unit: str
    variable: str = "value"
    zone: str | None = None
    mask: npt.NDArray[np.bool_] = _OBSERVED
    coordinates: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        values = checks.matrix("values", self.values, missing=True, at_least=0).copy()
        times = _times(self.times)
        sensors = checks.unique("sensors", [str(s) for s in self.sensors])
        if values.shape != (len(times), len(sensors)):
            raise InputError("values", f"have shape (times, sensors) = ({len(times)}, {len(sensors)})", values.shape)
        if self.mask is not None:
            mask = checks.binary("mask", self.mask)
            if mask.shape != values.shape:
                raise InputError("mask", f"have the shape of values {values.shape}", mask.shape)
            values[~mask] = np.nan
        coordinates = self.coordinates
        if coordinates is not None:
            coordinates = _coordinates(coordinates, len(sensors))
        observed = ~np.isnan(values)
        for array in (values, times, observed):
            array.flags.writeable = False
        for name, value in (
            ("values", values),
            ("times", times),
            ("sensors", sensors),
            ("mask", observed),
            ("coordinates", coordinates),
        ):
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of times and of sensors, (T, N)."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def missing_share(self) -> float:
        """Share of readings that are missing or masked, 0 to 1."""
        return float(1 - self.mask.mean()) if self.mask.size else 0.0

    @property
    def step(self) -> np.timedelta64:
        """The step of a regular time axis.

        Raises
        ------
        InputError
            The times are not evenly spaced (use `regular`), or there are fewer than two.
        """
        if len(self.times) < 2:
            raise InputError("times", "be at least two for a step", len(self.times))
        gaps = np.diff(self.times)
        if (gaps != gaps[0]).any():
            at = int(np.argmax(gaps != gaps[0]))
            hint = "Panel.regular() inserts the missing steps"
            raise InputError("times", "be evenly spaced", f"a step of {gaps[at]} after row {at}", hint)
        return cast("np.timedelta64", gaps[0])

    def series(self, sensor: str) -> npt.NDArray[np.float64]:
        """Return the readings of one sensor, shape (T,); NaN where missing."""
        if sensor not in self.sensors:
            raise UnknownNameError("sensor", sensor, self.sensors)
        return self.values[:, self.sensors.index(sensor)]

    def fullest(self) -> str:
        """Return the sensor with the fewest missing readings (the first of equals)."""
        if not self.sensors:
            raise InputError("sensors", "hold at least one sensor", self.sensors)
        return self.sensors[int(np.argmax(self.mask.sum(axis=0)))]

    def select(
        self, *, sensors: list[str] | tuple[str, ...] | None = None, since: str | None = None, until: str | None = None
    ) -> Panel:
        """Return the part with the given sensors, from `since` up to and including the day or time `until`.

        Raises
        ------
        UnknownNameError
            A sensor that is not in the panel.
        InputError
            A date that cannot be read, or nothing left.
        """
        chosen = self.sensors if sensors is None else tuple(sensors)
        for sensor in chosen:
            checks.one_of("sensor", sensor, self.sensors)
        columns = np.array([self.sensors.index(s) for s in chosen], dtype=np.intp)
        keep = np.ones(len(self.times), dtype=bool)
        if since is not None:
            keep &= self.times >= _moment("since", since)
        if until is not None:
            end = _moment("until", until)
            keep &= self.times < end + np.timedelta64(1, "D") if len(until) <= 10 else self.times <= end
        if not keep.any():
            span = f"{self.times[0]} to {self.times[-1]}" if len(self.times) else "no times"
            raise InputError("since, until", f"overlap the data ({span})", (since, until))
        coordinates = None if self.coordinates is None else self.coordinates[columns]
        return replace(
            self,
            values=self.values[np.ix_(keep, columns)],
            times=self.times[keep],
            sensors=chosen,
            mask=_OBSERVED,
            coordinates=coordinates,
        )

    def regular(self, step: np.timedelta64 | None = None) -> Panel:
        """Return the panel on an evenly spaced axis, inserted steps all missing.

        Parameters
        ----------
        step : numpy.timedelta64, optional
            Wanted step; by default the most frequent one.

        Raises
        ------
        InputError
            A time that does not lie on the grid.
        """
        if len(self.times) < 2:
            return self
        gaps = np.diff(self.times)
        if step is None:
            sizes, counts = np.unique(gaps, return_counts=True)
            step = sizes[np.argmax(counts)]
        offset = self.times - self.times[0]
        if ((offset % step) != np.timedelta64(0)).any():
            at = int(np.argmax((offset % step) != np.timedelta64(0)))
            raise InputError("times", f"lie on a grid of {step}", f"{self.times[at]} at row {at}")
        row = (offset // step).astype(np.int64)
        if len(row) == row[-1] + 1:
            return self
        values = np.full((row[-1] + 1, len(self.sensors)), np.nan)
        values[row] = self.values
        inserted = len(values) - len(row)
        text = f"{self.variable}: {inserted} of {len(values)} steps were absent and are now missing readings"
        warnings.warn(text, DataQualityWarning, stacklevel=2)
        times = self.times[0] + np.arange(len(values)) * step
        return replace(self, values=values, times=times, mask=_OBSERVED)

    def masked(self, bad: npt.ArrayLike) -> Panel:
        """Return the panel with the readings where `bad` (T, N) is True masked out."""
        return replace(self, mask=self.mask & ~checks.binary("bad", bad))

    def to_frame(self) -> pd.DataFrame:
        """Return a data frame, times down and sensors across."""
        index = pd.DatetimeIndex(self.times, name="time")
        return pd.DataFrame(self.values.copy(), index=index, columns=pd.Index(self.sensors, name="sensor"))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, unit: str, **kwargs: Any) -> Panel:
        """Return the panel of a data frame with times as index and a column a sensor."""
        return cls(frame.to_numpy(dtype=float), frame.index.to_numpy(), tuple(map(str, frame.columns)), unit, **kwargs)

    def __repr__(self) -> str:
        span = f"{self.times[0]} to {self.times[-1]}" if len(self.times) else "no times"
        rows, columns = self.shape
        return (
            f"Panel({self.variable} [{self.unit}], {rows} times x {columns} sensors, "
            f"{span}, {self.missing_share:.1%} missing)"
        )


def _times(value: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
    if getattr(getattr(value, "dtype", None), "tz", None) is not None:
        raise InputError("times", "be without a zone (name it in `zone`)", value.dtype)  # type: ignore[union-attr]
    try:
        out = np.asarray(value).astype("datetime64[ns]")
    except (ValueError, TypeError):
        raise InputError("times", "be dates or times", value) from None
    if np.isnat(out).any():
        raise InputError("times", "have no missing values", f"NaT at row {int(np.argmax(np.isnat(out)))}")
    return checks.increasing("times", out).copy()


def _moment(argument: str, value: str) -> np.datetime64:
    try:
        return np.datetime64(value, "ns")
    except ValueError:
        raise InputError(argument, "be a date like 2016-01-31", value) from None


def _coordinates(value: npt.ArrayLike, n: int) -> npt.NDArray[np.float64]:
    out = checks.matrix("coordinates", value, missing=True, at_least=0).copy()
    if out.shape != (n, 2):
        raise InputError("coordinates", f"have shape (sensors, 2) = ({n}, 2)", out.shape)
    if (np.abs(out[:, 0]) > 90).any() or (np.abs(out[:, 1]) > 180).any():
        bad = (np.abs(out[:, 0]) > 90) | (np.abs(out[:, 1]) > 180)
        row = int(np.argmax(bad))
        raise InputError("coordinates", "be latitude in [-90, 90], longitude in [-180, 180]", tuple(out[row].tolist()))
    out.flags.writeable = False
    return out
