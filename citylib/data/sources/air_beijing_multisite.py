"""Air of Beijing (air-beijing-multisite): hourly pollutants and weather at 12 stations, 2013 to 2017.

UCI data set 501, from a copy whose publisher filled the gaps on straight lines, up to 343 hours long, with
values from after the gap. Filled readings are masked by the rule of `citylib.data.quality.interpolated`:
the inner cells of a straight, sloping run count as filled when one of them has a value the instrument cannot
have (PM is published in whole µg/m³, CO in hundreds, the other gases in whole µg/m³ or in tenths of ppb times
their weight), or when the run is too long for chance. That finds 1.7 % of PM2.5 where UCI's original lacks
about 2 %: a gap of one hour whose filled value happens to be whole looks like a reading, and stays.
Traps: PM2.5 correlates 0.88 between stations in the same hour, so split by one date for all; stations share
the weather of the nearest meteorological station.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data import quality
from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading
from citylib.errors import SourceMissingError
from citylib.panel import Panel

__all__ = ["read"]

ZONE = "Asia/Shanghai"
_FILE = re.compile(r"prsa_[a-z]+_2013_2017\.csv(\.gz)?")
_POLLUTANT = "µg/m³"
# variable: column, unit, resolutions it is published in (ppb: 0.1 ppb times the gas's µg/m³ per ppb)
_VARIABLES: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "PM2.5": ("PM2.5", _POLLUTANT, (1.0,)),
    "PM10": ("PM10", _POLLUTANT, (1.0,)),
    "SO2": ("SO2", _POLLUTANT, (1.0, 0.2856)),
    "NO2": ("NO2", _POLLUTANT, (1.0, 0.2053)),
    "CO": ("CO", _POLLUTANT, (100.0,)),
    "O3": ("O3", _POLLUTANT, (1.0, 0.2142)),
    "temperature": ("TEMP", "°C", (0.1,)),
    "pressure": ("PRES", "hPa", (0.1,)),
    "dew_point": ("DEWP", "°C", (0.1,)),
    "rain": ("RAIN", "mm", (0.1,)),
    "wind_speed": ("WSPM", "m/s", (0.1,)),
}
LONG_POLLUTANT = 8  # cells: sloping straight runs on whole numbers this long number under one a station by chance
LONG_WEATHER = 12  # the same for weather, which moves more slowly
STUCK = 48  # hours of the very same reading, above the station's median: no longer air, but an instrument


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the stations onto their common hourly axis, filled readings masked.

    Parameters
    ----------
    paths : mapping of str to Path
        One ``prsa_<station>_2013_2017.csv.gz`` a station, packed or not; at least one.

    Returns
    -------
    Dataset
        Panels PM2.5, PM10, SO2, NO2, CO, O3 [µg/m³], temperature and dew_point [°C], pressure [hPa], rain [mm],
        wind_speed [m/s], a sensor a station; category wind_direction.

    Raises
    ------
    SourceMissingError
        No file of a station among `paths`.
    SchemaError
        A column lacks, a cell has the wrong type, an hour lacks or repeats, or stations differ in their hours.
    """
    names = sorted(name for name in paths if _FILE.fullmatch(name))
    if not names:
        raise SourceMissingError("at least one prsa_<station>_2013_2017.csv.gz is needed, and none was given")
    stations: dict[str, pd.DataFrame] = {}
    for name in names:
        station, frame = _station(paths[name])
        if stations and not frame.index.equals(next(iter(stations.values())).index):
            raise reading.refuse(name, "its hours must be those of the other stations, and they are not")
        stations[station] = frame
    index = next(iter(stations.values())).index
    panels: dict[str, Panel] = {}
    faults: list[Fault] = []
    for variable, (column, unit, steps) in _VARIABLES.items():
        values = np.column_stack([frame[column] for frame in stations.values()])
        bad, found = _masked(variable, values, steps)
        values[bad] = np.nan
        panels[variable] = Panel(values, index.to_numpy(), tuple(stations), unit, variable=variable, zone=ZONE)
        faults += found
    wind = pd.DataFrame({station: frame["wd"] for station, frame in stations.items()}, index=index)
    lacking = int(wind.isna().to_numpy().sum())
    faults += reading.fault(
        "wind-direction-missing",
        "The direction of the wind is not given",
        lacking,
        wind.size,
        "reported",
        "wind_direction",
    )
    return Dataset(
        name="air-beijing-multisite",
        title="Hourly air pollutants and weather at 12 stations of Beijing",
        kind="panel",
        panels=panels,
        categories={"wind_direction": wind},
        faults=tuple(faults),
    )


def _station(path: Path) -> tuple[str, pd.DataFrame]:
    """Return the name of a station and its readings by hour."""
    clock = ["year", "month", "day", "hour"]
    columns = [column for column, _, _ in _VARIABLES.values()]
    raw = reading.read_csv(path, text=("wd", "station"), numbers=[*clock, *columns])
    index = pd.DatetimeIndex(reading.clock_times(path, raw[clock]), name="time")
    reading.hourly(path, index)
    names = raw["station"].unique()
    if len(names) != 1:
        raise reading.refuse(path.name, f"column 'station' must name one station, got {list(names)}")
    return str(names[0]), raw[["wd", *columns]].set_axis(index)


def _masked(
    variable: str, values: npt.NDArray[np.float64], steps: tuple[float, ...]
) -> tuple[npt.NDArray[np.bool_], tuple[Fault, ...]]:
    """Return which readings of a variable are not to be believed, and the faults that says."""
    air = _VARIABLES[variable][1] == _POLLUTANT
    total = int((~np.isnan(values)).sum())
    filled = quality.interpolated(values, steps, LONG_POLLUTANT if air else LONG_WEATHER)
    longest = int(quality.run_lengths(filled).max(initial=0))
    what = f"Gaps filled on a straight line before publication, up to {longest} hours long"
    odd = quality.off_grid(values, steps) if variable == "PM2.5" else np.zeros_like(filled)
    per = odd.sum(axis=0)
    left = (
        f"Readings that are no whole number and not in a filled gap ({per.min()} to {per.max()} a station with those)"
    )
    faults: tuple[Fault, ...] = (
        *reading.fault(
            "missing", "Readings that were not published", values.size - total, values.size, "reported", variable
        ),
        *reading.fault("filled-gap", what, filled.sum(), total, "masked", variable),
        *reading.fault("not-whole", left, (odd & ~filled).sum(), total, "reported", variable),
    )
    if not air:
        return filled, faults
    level = quality.stuck(values, STUCK, above=pd.DataFrame(values).median().to_numpy())
    what = f"The very same reading for {STUCK} hours or more, above the station's median"
    return filled | level, (*faults, *reading.fault("stuck", what, level.sum(), total, "masked", variable))
