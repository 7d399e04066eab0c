"""Bike rentals of Washington DC (mobility-bike-sharing): hourly and daily, 2011 and 2012, with weather.

Not UCI 275 as published but a copy whose authors put in 141 hours without rentals, with no weather and a count of
zero; they are the only zeros, and are masked here. Trap: ``casual`` and ``registered`` add up to the
rentals of the same hour, so a model of the rentals that sees them sees the answer; they are kept apart, in
table ``riders``. Temperature, humidity and wind are published scaled to 0..1 and turned back here by the ranges
UCI states for the hourly file (-8 to 39 °C; another description of the same data divides by 41, which would
make a New Year's midnight of 10 °C: the first is the likelier).

References
----------
Fanaee-T, H. and Gama, J. (2014). Event labeling combining ensemble detectors and background knowledge.
Progress in Artificial Intelligence 2, 113-127.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import CITY, Dataset, Fault
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

HOURLY, DAILY = "hour_regularised.csv.gz", "day.csv.gz"
ZONE = "America/New_York"
# variable: column, unit, factor and offset that undo UCI's scaling (temp: -8 to 39 °C, atemp: -16 to 50 °C)
_VARIABLES = {
    "rentals": ("cnt", "bikes/h", 1.0, 0.0),
    "temperature": ("temp", "°C", 47.0, -8.0),
    "feels_like": ("atemp", "°C", 66.0, -16.0),
    "humidity": ("hum", "%", 100.0, 0.0),
    "wind_speed": ("windspeed", "km/h", 67.0, 0.0),
}
_WEATHER = {1: "clear", 2: "mist", 3: "light rain or snow", 4: "heavy rain or snow"}
_SEASONS = {1: "winter", 2: "spring", 3: "summer", 4: "autumn"}
_YES = {0: "no", 1: "yes"}


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the hourly and daily rentals, inserted hours masked.

    Parameters
    ----------
    paths : mapping of str to Path
        ``hour_regularised.csv.gz`` and ``day.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Panels rentals [bikes/h], temperature, feels_like [°C], humidity [%], wind_speed [km/h] of sensor ``"city"``;
        categories weather, season, holiday, working_day; tables ``days`` (day, rentals, ...) and ``riders`` (time,
        casual, registered: parts of the target).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or an hour repeats.
    """
    path = reading.find(paths, HOURLY)
    columns = [column for column, *_ in _VARIABLES.values()]
    codes = ("season", "holiday", "workingday", "weathersit")
    raw = reading.read_csv(path, numbers=("hr", *columns, *codes, "casual", "registered"), times={"dteday": "%m/%d/%y"})
    raw.index = pd.DatetimeIndex(raw["dteday"] + pd.to_timedelta(raw["hr"], unit="h"), name="time")
    raw = raw.sort_index()
    if raw.index.has_duplicates:
        raise reading.refuse(path.name, f"an hour must stand once, got {raw.index[raw.index.duplicated()][0]} again")
    inserted = raw["temp"].isna()
    index = pd.date_range(raw.index[0], raw.index[-1], freq="h", name="time")
    grid = raw.mask(inserted).reindex(index)
    panels = {
        name: Panel(grid[[c]].to_numpy() * scale + offset, index.to_numpy(), (CITY,), unit, variable=name, zone=ZONE)
        for name, (c, unit, scale, offset) in _VARIABLES.items()
    }
    names = {"weather": ("weathersit", _WEATHER), "season": ("season", _SEASONS)}
    names |= {"holiday": ("holiday", _YES), "working_day": ("workingday", _YES)}
    calendar = raw.reindex(index)
    return Dataset(
        name="mobility-bike-sharing",
        title="Hourly bike rentals in Washington DC",
        kind="panel",
        panels=panels,
        categories={k: calendar[column].map(words).to_frame(CITY) for k, (column, words) in names.items()},
        tables={
            "days": _days(reading.find(paths, DAILY)),
            "riders": grid[["casual", "registered"]].reset_index(),
        },
        faults=_faults(raw, inserted, index),
    )


def _faults(raw: pd.DataFrame, inserted: pd.Series[bool], index: pd.DatetimeIndex) -> tuple[Fault, ...]:
    believed = raw[~inserted]
    agree = believed["casual"] + believed["registered"] == believed["cnt"]
    absent = index[~index.isin(raw.index)]
    when = f" ({absent[0]:%Y-%m-%d %H:%M} to {absent[-1]:%Y-%m-%d %H:%M})" if len(absent) else ""
    what = f"Hours that are not in the file either: nobody rode, or nothing was recorded{when}"
    return (
        *reading.fault(
            "inserted-hour",
            "Hours put in by the re-publisher, with a count of zero and no weather",
            inserted.sum(),
            len(raw),
            "masked",
            "rentals",
        ),
        *reading.fault("absent-hour", what, len(absent), len(index), "masked", "rentals"),
        *reading.fault(
            "parts-of-target",
            "casual and registered add up to rentals: who sees them sees the answer (kept apart in table riders)",
            agree.sum(),
            len(believed),
            "reported",
            "riders",
        ),
        *reading.fault(
            "zero-humidity",
            "A humidity of 0 %, which is no humidity",
            (believed["hum"] == 0).sum(),
            len(believed),
            "reported",
            "humidity",
        ),
    )


def _days(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(
        path,
        numbers=(
            "season",
            "holiday",
            "workingday",
            "weathersit",
            "temp",
            "hum",
            "windspeed",
            "casual",
            "registered",
            "cnt",
        ),
        times={"dteday": "%Y-%m-%d"},
    )
    return pd.DataFrame(
        {
            "day": raw["dteday"],
            "rentals": raw["cnt"],
            "casual": raw["casual"],
            "registered": raw["registered"],
            "season": raw["season"].map(_SEASONS),
            "weather": raw["weathersit"].map(_WEATHER),
            "holiday": raw["holiday"] == 1,
            "working_day": raw["workingday"] == 1,
            "temperature": np.round(raw["temp"] * 47 - 8, 2),
            "humidity": np.round(raw["hum"] * 100, 2),
            "wind_speed": np.round(raw["windspeed"] * 67, 2),
        }
    )
