"""Traffic on Interstate 94 (traffic-i94): hourly westbound volume at one station, weather and holidays.

MnDOT station 301 between Minneapolis and St Paul, October 2012 to September 2018; UCI data set 492.
Traps: 7,629 rows repeat an hour (one a weather description); a fifth of the hours is absent, ten months in one
gap; temperatures of 0 K; a rain of 9.8 m in an hour; a holiday is named on its first hour only, so it
vanishes when that hour is absent, and the word None is read as missing by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.tseries.holiday import USFederalHolidayCalendar

from citylib.data import quality
from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

FILE = "metro_interstate_traffic_volume.csv.gz"
SENSOR = "301"
ZONE = "America/Chicago"
RAIN_RECORD = 305.0  # mm: the most rain measured in an hour anywhere (Holt, Missouri, 1947)
FREEZING = 273.15  # K
QUIET = 20.0  # veh/h: under this a six-lane freeway is closed, or its counter is

# The names the file uses, by those of the federal calendar.
_NAMES = {
    "New Year's Day": "New Years Day",
    "Birthday of Martin Luther King, Jr.": "Martin Luther King Jr Day",
    "Washington's Birthday": "Washingtons Birthday",
    "Memorial Day": "Memorial Day",
    "Independence Day": "Independence Day",
    "Labor Day": "Labor Day",
    "Columbus Day": "Columbus Day",
    "Veterans Day": "Veterans Day",
    "Thanksgiving Day": "Thanksgiving Day",
    "Christmas Day": "Christmas Day",
}
_VARIABLES = {
    "volume": ("traffic_volume", "veh/h"),
    "temperature": ("temp", "°C"),
    "rain": ("rain_1h", "mm/h"),
    "snow": ("snow_1h", "mm/h"),
    "clouds": ("clouds_all", "%"),
}


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the I-94 volumes onto an hourly axis.

    Parameters
    ----------
    paths : mapping of str to Path
        ``metro_interstate_traffic_volume.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Panels volume [veh/h], temperature [°C], rain, snow [mm/h], clouds [%] of sensor ``"301"``;
        categories weather and holiday (its name on every hour of the day, ``"none"`` otherwise); table
        ``weather`` with every description of every hour. Times are local, clocks changed included.

    Raises
    ------
    SchemaError
        A column lacks or a cell has the wrong type.
    """
    raw = reading.read_csv(
        reading.find(paths, FILE),
        text=("holiday", "weather_main", "weather_description"),
        numbers=[column for column, _ in _VARIABLES.values()],
        times={"date_time": "%Y-%m-%d %H:%M:%S"},
    ).sort_values("date_time", kind="stable", ignore_index=True)
    repeated = quality.repeated_times(raw["date_time"].to_numpy())
    hours = raw[~repeated].set_index("date_time")
    index = pd.date_range(hours.index[0], hours.index[-1], freq="h", name="time")
    grid = hours.reindex(index)
    named, holiday_faults = _holidays(hours, index)
    panels, value_faults = _panels(grid)
    faults = (
        *_repeats(raw, repeated),
        *_absent(hours, index, panels["volume"]),
        *value_faults,
        *holiday_faults,
        *_oddities(panels["volume"]),
    )
    weather = raw[["date_time", "weather_main", "weather_description"]]
    return Dataset(
        name="traffic-i94",
        title="Hourly traffic on Interstate 94, Minneapolis to St Paul",
        kind="panel",
        panels=panels,
        categories={
            "weather": grid[["weather_main"]].set_axis([SENSOR], axis=1),
            "holiday": named.to_frame(SENSOR),
        },
        tables={"weather": weather.set_axis(["time", "weather", "description"], axis=1)},
        faults=faults,
    )


def _panels(grid: pd.DataFrame) -> tuple[dict[str, Panel], tuple[Fault, ...]]:
    """Return the panels with impossible readings masked, and what was masked."""
    rows = int(grid["temp"].notna().sum())
    frozen, flood = (grid["temp"] <= 0).to_numpy(), (grid["rain_1h"] > RAIN_RECORD).to_numpy()
    masks = {"temperature": frozen, "rain": flood}
    panels = {}
    for name, (column, unit) in _VARIABLES.items():
        values = grid[column].to_numpy(copy=True)
        if name in masks:
            values[masks[name]] = np.nan
        if name == "temperature":
            values -= FREEZING
        panels[name] = Panel(values[:, None], grid.index.to_numpy(), (SENSOR,), unit, variable=name, zone=ZONE)
    worst = grid["rain_1h"].max()
    return panels, (
        *reading.fault(
            "zero-kelvin", "Temperatures of 0 K are missing values", frozen.sum(), rows, "masked", "temperature"
        ),
        *reading.fault(
            "impossible-rain",
            f"More rain in an hour than was ever measured anywhere (up to {worst:g} mm)",
            flood.sum(),
            rows,
            "masked",
            "rain",
        ),
    )


def _repeats(raw: pd.DataFrame, repeated: npt.NDArray[np.bool_]) -> tuple[Fault, ...]:
    """Report the rows that repeat an hour, and the hours whose rows disagree on a number."""
    numbers = [column for name, (column, _) in _VARIABLES.items()]
    again = raw[raw["date_time"].isin(raw.loc[repeated, "date_time"])]
    differ = (again.groupby("date_time")[numbers].nunique() > 1).any(axis=1).sum()
    return (
        *reading.fault(
            "repeated-hour",
            "Rows repeat an hour, one for each description of the weather; the first is kept, table weather has all",
            repeated.sum(),
            len(raw),
            "dropped",
        ),
        *reading.fault(
            "repeats-differ",
            "Hours whose repeated rows give different numbers; those of the first row are kept",
            differ,
            len(raw) - repeated.sum(),
            "reported",
        ),
    )


def _absent(hours: pd.DataFrame, index: pd.DatetimeIndex, volume: Panel) -> tuple[Fault, ...]:
    absent = len(index) - len(hours)
    if not absent:
        return ()
    gap = quality.gap_table(volume, top=1).iloc[0]
    what = (
        "Hours of the period are not in the file and became missing readings; the longest gap is "
        f"{gap['hours'] // 24:.0f} days and {gap['hours'] % 24:.0f} hours, to {gap['until']:%Y-%m-%d %H:%M}"
    )
    return reading.fault("absent-hour", what, absent, len(index), "masked")


def _holidays(hours: pd.DataFrame, index: pd.DatetimeIndex) -> tuple[pd.Series[Any], tuple[Fault, ...]]:
    """Return the holiday's name on every hour of its day; federal ones whose first hour is absent are mended."""
    marks = hours.loc[hours["holiday"] != "None", "holiday"]
    names = {day: str(name) for day, name in zip(pd.DatetimeIndex(marks.index).normalize(), marks, strict=True)}
    present = set(pd.DatetimeIndex(hours.index).normalize())
    federal = USFederalHolidayCalendar().holidays(index[0].normalize(), index[-1], return_name=True)
    unmarked: dict[Any, str] = {
        day: _NAMES[name] for day, name in federal.items() if day not in names and name in _NAMES
    }
    lost = [day for day in unmarked if day in present and day not in hours.index]
    named = pd.Series(index.normalize(), index=index).map({**names, **{d: unmarked[d] for d in lost}}).fillna("none")
    return named, (
        *reading.fault(
            "holiday-first-hour",
            "A holiday is named on its first hour only; its name now stands on every hour of the day (days counted)",
            len(names),
            len(present),
            "mended",
            "holiday",
        ),
        *reading.fault(
            "holiday-lost",
            "Federal holidays whose first hour, the one that names them, is not in the file; named by the calendar",
            len(lost),
            len(present),
            "mended",
            "holiday",
        ),
    )


def _oddities(volume: Panel) -> tuple[Fault, ...]:
    """Report hours with next to no traffic, and days that are a copy of the day before."""
    values = volume.series(SENSOR)
    few = np.nansum(values < QUIET)
    whole = len(values) - 24
    same = (values[24:] == values[:whole]) & (values[24:] > 0)
    copies = quality.run_lengths(same[:, None])[:, 0]
    return (
        *reading.fault(
            "next-to-no-traffic",
            f"Hours with fewer than {QUIET:g} vehicles: the road or its counter was closed",
            few,
            volume.mask.sum(),
            "reported",
            "volume",
        ),
        *reading.fault(
            "copied-hours",
            "Hours that repeat those of the day before exactly, six or more in a row",
            (copies >= 6).sum(),
            volume.mask.sum(),
            "reported",
            "volume",
        ),
    )
