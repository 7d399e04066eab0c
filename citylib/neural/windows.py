"""Readings cut into windows: the days of each sensor, scaled to their own height.

Legend: T time steps, N sensors, P profiles (a day of a sensor each), S steps in a day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel

__all__ = ["Profiles", "daily_profiles"]

FloatArray = npt.NDArray[np.float64]


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
