"""The city's clock: hourly times without clock changes, weekdays and public holidays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["HOLIDAYS", "START", "ZONE", "Clock", "clock"]

START = "2023-01-01"  # a Sunday
ZONE = "Etc/GMT+2"  # two hours behind UTC all year, as the city's longitude has it

# Month and day of each public holiday; the names are the city's own.
HOLIDAYS = {
    "New Year's Day": "01-01",
    "Founders Day": "02-06",
    "Spring Fair": "04-10",
    "Workers Day": "05-01",
    "Harbour Day": "07-17",
    "Harvest Day": "10-09",
    "Lantern Night": "11-20",
    "Winter Holiday": "12-25",
    "Year's End": "12-26",
}


@dataclass(frozen=True, eq=False)
class Clock:
    """The hourly time axis and what the calendar says of each hour.

    Parameters
    ----------
    times : ndarray of datetime64[ns], shape (T,)
        Start of each hour, local time.
    hour : ndarray of int, shape (T,)
        0 to 23.
    weekday : ndarray of int, shape (T,)
        0 for Monday to 6 for Sunday.
    day_of_year : ndarray of float, shape (T,)
        Days since 1 January, with the hour as a fraction.
    holiday : ndarray of str, shape (T,)
        Name of the holiday on every hour of its day, ``"none"`` on others.
    """

    times: npt.NDArray[np.datetime64]
    hour: npt.NDArray[np.int64]
    weekday: npt.NDArray[np.int64]
    day_of_year: npt.NDArray[np.float64]
    holiday: npt.NDArray[np.object_] = field(repr=False)

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """True on Saturdays, Sundays and public holidays."""
        return np.asarray((self.weekday >= 5) | (self.holiday != "none"))

    def __len__(self) -> int:
        return len(self.times)


def clock(days: int, start: str = START) -> Clock:
    """Return the clock of `days` days from `start`.

    Examples
    --------
    >>> c = clock(2)
    >>> len(c), c.weekday[[0, 24]].tolist(), c.holiday[[23, 24]].tolist()
    (48, [6, 0], ["New Year's Day", 'none'])
    """
    first = np.datetime64(start, "h")
    times = first + np.arange(24 * days)
    date = times.astype("datetime64[D]")
    day_number = date.astype(np.int64)
    year = times.astype("datetime64[Y]")
    holiday = np.full(len(times), "none", dtype=object)
    for name, month_day in HOLIDAYS.items():
        for y in np.unique(year).astype(str):
            holiday[date == np.datetime64(f"{y}-{month_day}")] = name
    since_new_year = (times - year.astype("datetime64[h]")).astype(np.int64)
    return Clock(
        times=times.astype("datetime64[ns]"),
        hour=(times - date.astype("datetime64[h]")).astype(np.int64),
        weekday=(day_number + 3) % 7,  # day 0, 1 January 1970, was a Thursday
        day_of_year=since_new_year / 24.0,
        holiday=holiday,
    )
