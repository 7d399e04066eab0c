"""What `SensorMLP` is told of a sensor at a moment, with everything fitted taken from the rows before a cut.

Legend: T time steps, N sensors, S slots of a day, L lags, K neighbours, O origins (first row forecast), H steps ahead,
F numbers that describe an example.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["Described", "SensorFeatures", "neighbours"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DAY = np.timedelta64(1, "D")
NETWORK_LAGS = (1, 2, 4, 8)  # at which the mean deviation of all sensors is told


def neighbours(adjacency: npt.ArrayLike, count: int) -> IntArray:
    """Return the `count` nearest sensors of each by a graph, nearest first; the sensor itself where it has fewer.

    Parameters
    ----------
    adjacency : array_like, shape (N, N)
        Closeness, 0 or more; 0: not joined. A road in one direction joins both ends: what lies ahead in a jam
        matters as much as what comes.
    count : int
        K.

    Returns
    -------
    ndarray of int, shape (N, K)

    Raises
    ------
    InputError
        Not square, or negative.

    Examples
    --------
    >>> neighbours([[1.0, 0.5, 0.0], [0.0, 1.0, 0.9], [0.0, 0.0, 1.0]], 2).tolist()
    [[1, 0], [2, 0], [1, 2]]
    """
    close = checks.array("adjacency", adjacency, ndim=2, minimum=0)
    if close.shape[0] != close.shape[1]:
        raise InputError("adjacency", "be square", close.shape)
    count = checks.integer("count", count, minimum=1)
    close = np.maximum(close, close.T)
    np.fill_diagonal(close, 0)
    order = np.argsort(-close, axis=1, kind="stable")[:, :count]
    known = np.take_along_axis(close, order, axis=1) > 0
    found = np.where(known, order, np.arange(len(close))[:, None])
    return np.pad(found, ((0, 0), (0, max(0, count - found.shape[1]))), mode="edge") if len(close) < count else found


@dataclass(frozen=True, eq=False)
class Described:
    """Sensors at moments, described.

    Parameters
    ----------
    x : ndarray of float32, shape (O, N, F)
        Scaled numbers, as the network takes them.
    slot : ndarray of int, shape (O,)
        Slot of the day of the first row forecast.
    last : ndarray, shape (O, N)
        Last reading, in the unit of the readings; where it is missing, what the profile says.
    """

    x: npt.NDArray[np.float32]
    slot: IntArray
    last: FloatArray


@dataclass(frozen=True, eq=False)
class SensorFeatures:
    """What is fitted before a network sees an example; made by `SensorFeatures.fit`.

    Parameters
    ----------
    cut : int
        No row from here on was used.
    lags, near, horizon : int
        L, the lags told of the neighbours, and H.
    neighbour : ndarray of int, shape (N, K)
        From `neighbours`.
    profile : ndarray, shape (D + 2, S, N)
        Mean day in the unit of the readings. For each of the D days before the cut: of the *other* days of its kind
        (working days or weekend), drawn by one reading towards that of all other days; a day that helped to make its
        own profile would look far too foreseeable. The last two are for new working days and new weekend days.
    middle, spread : ndarray, shape (F,)
        Mean and standard deviation of each number over the examples before the cut.
    unit : float
        Standard deviation of deviations from the profile before the cut, in the unit of the readings; the network's
        output is in it.
    first, weekday : int
        Slot and day of the week (Monday is 0) of row 0.
    """

    cut: int
    lags: int
    near: int
    horizon: int
    neighbour: IntArray
    profile: FloatArray
    middle: FloatArray
    spread: FloatArray
    unit: float
    first: int
    weekday: int

    @classmethod
    def fit(
        cls,
        values: npt.ArrayLike,
        times: npt.ArrayLike,
        *,
        cut: int,
        neighbour: npt.ArrayLike,
        lags: int = 12,
        near: int = 6,
        horizon: int = 3,
        smooth: int = 3,
    ) -> SensorFeatures:
        """Fit profile and scales on the rows before `cut`.

        Parameters
        ----------
        values : array_like, shape (T, N)
            Readings, NaN where missing: there the profile stands in.
        times : array_like of datetime64, shape (T,)
            Start of each step, regular, a step that divides a day.
        cut : int
            Rows before it are learned from, no other is looked at.
        neighbour : array_like of int, shape (N, K)
            Sensors told of beside each.
        lags, near, horizon : int, default 12, 6, 3
            Last readings told of the sensor and of its neighbours; steps ahead.
        smooth : int, default 3
            Slots on either side over which the mean day is smoothed.

        Returns
        -------
        SensorFeatures

        Raises
        ------
        InputError
            Fewer than two days before the cut, a sensor without a reading before it, an irregular axis, indices
            that name no sensor.
        """
        table = checks.matrix("values", values, missing=True)
        slots, first = _slots(times, len(table))
        cut = checks.integer("cut", cut, minimum=2 * slots, maximum=len(table))
        joined = np.asarray(neighbour)
        if joined.ndim != 2 or len(joined) != table.shape[1] or not np.issubdtype(joined.dtype, np.integer):
            raise InputError("neighbour", f"be whole numbers of shape ({table.shape[1]}, K)", joined.shape)
        if joined.size and not 0 <= joined.min() <= joined.max() < table.shape[1]:
            raise InputError("neighbour", f"name sensors 0 to {table.shape[1] - 1}", f"{joined.min()}..{joined.max()}")
        lags = checks.integer("lags", lags, minimum=max(NETWORK_LAGS))
        near = checks.integer("near", near, minimum=1, maximum=lags)
        horizon = checks.integer("horizon", horizon, minimum=1, maximum=slots)
        weekday = int((np.asarray(times, dtype="datetime64[D]")[0].astype(np.int64) + 3) % 7)  # 1970 began on Thursday
        profile = _profile(table[:cut], slots, first, weekday, checks.integer("smooth", smooth, minimum=0))
        rest = (joined.astype(np.int64), profile, np.zeros(1), np.ones(1), 1.0, first, weekday)
        found = cls(cut, lags, near, horizon, *rest)
        deviation = table[:cut] - found.usual(np.arange(cut))
        unit = float(np.sqrt(np.nanmean(deviation**2)))
        raw, _ = found._raw(table[:cut], np.arange(lags, cut - horizon + 1))
        middle, spread = raw.mean(axis=(0, 1), dtype=np.float64), raw.std(axis=(0, 1), dtype=np.float64)
        spread = np.where(spread > 0, spread, 1.0)
        return replace(found, middle=middle, spread=spread, unit=unit or 1.0)

    @property
    def slots(self) -> int:
        """Return S."""
        return int(self.profile.shape[1])

    @property
    def inputs(self) -> int:
        """Return F."""
        return len(self.middle)

    def at(self, values: npt.ArrayLike, origins: npt.ArrayLike) -> Described:
        """Describe all sensors at `origins`, shape (O,), by the `lags` rows of `values`, shape (T, N), before each.

        Raises
        ------
        InputError
            An origin without its history, other sensors than those fitted, no origin.
        """
        table = checks.matrix("values", values, missing=True)
        if table.shape[1] != len(self.neighbour):
            raise InputError("values", f"hold the {len(self.neighbour)} sensors fitted", table.shape[1])
        at = np.asarray(origins)
        if at.ndim != 1 or not len(at):
            raise InputError("origins", "name at least one row", at.shape)
        if at.min() < self.lags or at.max() > len(table):
            raise InputError("origins", f"lie between {self.lags} and {len(table)}", f"{at.min()} to {at.max()}")
        raw, latest = self._raw(table, at)
        raw -= self.middle.astype(np.float32)
        raw /= self.spread.astype(np.float32)
        return Described(raw, (at + self.first) % self.slots, latest)

    def targets(self, values: npt.ArrayLike, origins: IntArray, last: FloatArray) -> npt.NDArray[np.float32]:
        """Return the changes over `last` that are to be forecast, in `unit`, shape (O, N, H); NaN where missing."""
        table = checks.matrix("values", values, missing=True)
        ahead = np.stack([table[origins + h] for h in range(self.horizon)], axis=-1)
        return ((ahead - last[..., None]) / self.unit).astype(np.float32)

    def usual(self, rows: IntArray) -> FloatArray:
        """Return what the profile says of all sensors in `rows`, shape (O,), as (O, N)."""
        day, slot = np.divmod(rows + self.first, self.slots)
        known = len(self.profile) - 2
        return self.profile[np.where(day < known, day, known + _weekend(self.weekday, day)), slot]

    def _raw(self, table: FloatArray, at: IntArray) -> tuple[npt.NDArray[np.float32], FloatArray]:
        """Return the numbers unscaled, (O, N, F), and the last reading, (O, N). Only rows before each origin count."""
        usual = self.usual(np.arange(int(at.max())))
        read = table[: len(usual)]
        filled = np.where(np.isnan(read), usual, read)
        off = filled - usual
        last = filled[at - 1]
        parts = [last[..., None]]
        parts.append(np.stack([filled[at - lag] for lag in range(2, self.lags + 1)], axis=-1) - last[..., None])
        parts.append(np.stack([self.usual(at + k) for k in range(-1, self.horizon)], axis=-1) - last[..., None])
        network = off.mean(axis=1)
        shared = np.stack([network[at - lag] for lag in NETWORK_LAGS], axis=-1)
        parts.append(np.broadcast_to(shared[:, None], (*last.shape, len(NETWORK_LAGS))))
        beside = np.stack([off[at - lag] for lag in range(1, self.near + 1)], axis=-1)[:, self.neighbour]
        parts.append(beside.reshape(*last.shape, -1))
        parts.append(last[:, self.neighbour] - last[..., None])
        return np.concatenate(parts, axis=-1, dtype=np.float32), last


def _slots(times: npt.ArrayLike, count: int) -> tuple[int, int]:
    """Return S and the slot of row 0."""
    axis = np.asarray(times, dtype="datetime64[ns]")
    if axis.shape != (count,) or count < 2:
        raise InputError("times", f"have shape ({count},), two or more", axis.shape)
    step = np.diff(axis)
    if not (step == step[0]).all() or step[0] <= np.timedelta64(0) or DAY % step[0]:
        raise InputError("times", "be regular with a step that divides a day", step[0])
    midnight = axis[0].astype("datetime64[D]").astype(axis.dtype)
    if (axis[0] - midnight) % step[0]:
        raise InputError("times", "begin on a whole step of the day", axis[0])
    return int(DAY / step[0]), int((axis[0] - midnight) / step[0])


def _weekend(weekday: int, day: IntArray) -> npt.NDArray[np.bool_]:
    return np.asarray((day + weekday) % 7 >= 5)


def _profile(known: FloatArray, slots: int, first: int, weekday: int, smooth: int) -> FloatArray:
    """Return for each day known, and for a new working and weekend day, the mean of the other days known."""
    days = -(-(first + len(known)) // slots)
    flat = np.full((days * slots, known.shape[1]), np.nan)
    flat[first : first + len(known)] = known
    cube = flat.reshape(days, slots, -1)
    there = ~np.isnan(cube)
    if not there.any(axis=(0, 1)).all():
        empty = np.flatnonzero(~there.any(axis=(0, 1)))
        raise InputError("values", "have a reading of each sensor before the cut", f"none of sensor {empty[0]}")
    total, count = (_blurred(a, smooth) for a in (np.where(there, cube, 0.0), there.astype(np.float64)))
    read, number = np.where(there, cube, 0.0).sum(axis=1), there.sum(axis=1)
    weekend = np.append(_weekend(weekday, np.arange(days)), [False, True])
    out = np.empty((days + 2, *cube.shape[1:]))
    for day in range(days + 2):
        other = np.arange(days) != day
        alike = other & (weekend[:days] == weekend[day])
        known_days = other if number[other].any(axis=0).all() else np.ones(days, dtype=np.bool_)
        level = read[known_days].sum(axis=0) / number[known_days].sum(axis=0)
        every = (total[other].sum(axis=0) + 0.1 * level) / (count[other].sum(axis=0) + 0.1)
        out[day] = (total[alike].sum(axis=0) + every) / (count[alike].sum(axis=0) + 1)
    return out


def _blurred(cube: FloatArray, smooth: int) -> FloatArray:
    total: FloatArray = np.sum([np.roll(cube, k, axis=1) for k in range(-smooth, smooth + 1)], axis=0)
    return total
