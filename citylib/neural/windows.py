"""Readings cut into windows: history and horizon about an origin, and the days of each sensor.

Legend: T time steps, N sensors, O origins, B windows, L steps of history, H steps ahead,
P profiles (a day of a sensor each), S steps in a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel

__all__ = ["Profiles", "daily_profiles", "origins", "within"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def origins(
    start: int, stop: int, *, history: int, horizon: int, reach: int | None = None, stride: int = 1
) -> IntArray:
    """Return the origins of all windows of a part: the rows at which a forecast begins.

    The window of origin t has the history ``t - history`` to ``t - 1`` and the target ``t`` to
    ``t + horizon - 1``. All targets lie in the part, from `start` up to, not including, `stop`; the history
    may reach back to `reach`. So no window of one part holds a target of another.

    Parameters
    ----------
    start, stop : int
        First row of the part, and the first after it.
    history, horizon : int
        Steps L and H.
    reach : int, optional
        First row a history may use. By default `start`: whole windows lie in the part. A test part may
        look back into the training part (what was known is known); a training part never ahead.
    stride : int, default 1
        Rows from one origin to the next.

    Returns
    -------
    ndarray of int, shape (O,)
        Increasing.

    Raises
    ------
    InputError
        A history or horizon of no steps, or not one window in the part.

    Examples
    --------
    >>> origins(0, 10, history=4, horizon=3).tolist(), origins(7, 10, history=4, horizon=3, reach=0).tolist()
    ([4, 5, 6, 7], [7])
    """
    start, stop = checks.integer("start", start, minimum=0), checks.integer("stop", stop, minimum=0)
    history, horizon = checks.integer("history", history, minimum=1), checks.integer("horizon", horizon, minimum=1)
    stride = checks.integer("stride", stride, minimum=1)
    reach = start if reach is None else checks.integer("reach", reach, minimum=0, maximum=start)
    found = np.arange(max(start, reach + history), stop - horizon + 1, stride, dtype=np.int64)
    if not len(found):
        raise InputError("start, stop", f"hold a window of {history} + {horizon} steps", (start, stop))
    return found


def within(at: npt.ArrayLike, *, start: int, stop: int, history: int, horizon: int, reach: int | None = None) -> None:
    """Refuse origins whose windows cross the split.

    Parameters
    ----------
    at : array_like of int, shape (O,)
        Origins.
    start, stop : int
        First row of the part, and the first after it.
    history, horizon : int
        Steps L and H.
    reach : int, optional
        First row a history may use; by default `start`.

    Raises
    ------
    InputError
        The first window that crosses, named with its rows.

    Examples
    --------
    >>> within([4, 8], start=0, stop=10, history=4, horizon=3)
    Traceback (most recent call last):
    ...
    citylib.errors.InputError: at must have all targets in rows 0 to 9, got 8 (rows 8 to 10)
    """
    reach = start if reach is None else reach
    for t in np.asarray(at, dtype=np.int64).ravel().tolist():
        if t < start or t + horizon > stop:
            raise InputError("at", f"have all targets in rows {start} to {stop - 1}", _Rows(t, t, t + horizon))
        if t - history < reach:
            raise InputError("at", f"have all histories from row {reach} on", _Rows(t, t - history, t))


class _Rows(tuple[int, int, int]):
    """An origin and the rows it touches, as errors show it."""

    def __new__(cls, origin: int, first: int, stop: int) -> _Rows:
        return super().__new__(cls, (origin, first, stop))

    def __repr__(self) -> str:
        return f"{self[0]} (rows {self[1]} to {self[2] - 1})"


@dataclass(frozen=True, eq=False)
class Profiles:
    """Days of sensors, one a row.

    Parameters
    ----------
    values : ndarray, shape (P, S)
        Readings over the day, divided by `height`: 0 to 1.
    height : ndarray, shape (P,)
        Largest reading of the day, in the unit of the readings.
    sensor : ndarray of str, shape (P,)
        Whose day it is.
    day : ndarray of datetime64[D], shape (P,)
        Which day.
    left_out : int
        Days of a sensor left out because a reading was missing or all were zero.
    """

    values: FloatArray
    height: FloatArray
    sensor: npt.NDArray[np.str_]
    day: npt.NDArray[np.datetime64]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def pick(self, rows: npt.ArrayLike) -> Profiles:
        """Return the profiles for which `rows`, shape (P,), is True."""
        keep = checks.binary("rows", rows)
        checks.same_length(rows=keep, profiles=self.values)
        return replace(
            self,
            values=self.values[keep],
            height=self.height[keep],
            sensor=self.sensor[keep],
            day=self.day[keep],
        )


def daily_profiles(panel: Panel, *, steps: int | None = None) -> Profiles:
    """Cut a panel into the days of its sensors, each divided by its own largest reading.

    A profile is scaled by nothing but itself, so no day learns from another, and places of different size
    can be told apart by shape alone. A day with a missing reading is left out, not filled, and counted.

    Parameters
    ----------
    panel : Panel
        Readings of 0 or more on a regular axis whose step divides a day.
    steps : int, optional
        Steps in a day S: readings are averaged to so many. By default as many as are read.

    Returns
    -------
    Profiles
        Sorted by sensor, then day.

    Raises
    ------
    InputError
        Negative readings, a step that does not divide a day, no whole day left.

    Examples
    --------
    >>> times = np.arange("2026-01-01T00", "2026-01-03T00", 6, dtype="datetime64[h]")
    >>> flow = Panel(np.array([[1.0, 4.0, 2.0, 1.0, 0.0, 5.0, 5.0, 5.0]]).T, times, ["a"], unit="veh/h")
    >>> daily_profiles(flow, steps=2).values.tolist()
    [[1.0, 0.6], [0.5, 1.0]]
    """
    if (panel.values < 0).any():
        raise InputError("panel", "hold readings of 0 or more", float(np.nanmin(panel.values)))
    read = round(np.timedelta64(1, "D") / panel.step)
    if read * panel.step != np.timedelta64(1, "D"):
        raise InputError("panel", "have a step that divides a day", panel.step)
    steps = read if steps is None else checks.integer("steps", steps, minimum=2, maximum=read)
    if read % steps:
        raise InputError("steps", f"divide the {read} readings of a day", steps)
    day_T = panel.times.astype("datetime64[D]")
    first_whole = day_T[0] if panel.times[0] == day_T[0] else day_T[0] + np.timedelta64(1, "D")
    begin = int(np.searchsorted(panel.times, first_whole))
    days = (len(panel.times) - begin) // read
    if days < 1:
        raise InputError("panel", "hold at least one whole day", f"{len(panel.times)} steps of {panel.step}")
    whole = panel.values[begin : begin + days * read]
    cube = whole.reshape(days, steps, read // steps, -1).mean(axis=2)  # a missing reading makes its mean missing
    rows = np.moveaxis(cube, 2, 0).reshape(-1, steps)
    height = rows.max(axis=1)
    keep = height > 0  # False for NaN too
    if not keep.any():
        raise InputError("panel", "hold a day without a missing reading", f"{len(rows)} days of a sensor")
    sensor = np.repeat(np.asarray(panel.sensors, dtype=np.str_), days)
    day = np.tile(day_T[begin : begin + days * read : read], len(panel.sensors))
    return Profiles(
        values=rows[keep] / height[keep, None],
        height=height[keep],
        sensor=sensor[keep],
        day=day[keep],
        left_out=int((~keep).sum()),
    )
