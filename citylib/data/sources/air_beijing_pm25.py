"""PM2.5 at the US Embassy in Beijing (air-beijing-pm25): hourly with the airport's weather, 2010 to 2014.

UCI data set 381. Traps: 4.7 % of PM2.5 is missing, the first day among it; wind_run, snow_hours and rain_hours are
running sums that start again at each change (of wind direction) or dry hour, not readings of their hour;
the wind direction has four values, ``cv`` standing for calm and variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data import quality
from citylib.data.dataset import Dataset
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

FILE = "pm25_beijing_2010_2014.csv.gz"
SENSOR = "US Embassy"
_VARIABLES = {
    "PM2.5": ("pm2.5", "µg/m³"),
    "dew_point": ("DEWP", "°C"),
    "temperature": ("TEMP", "°C"),
    "pressure": ("PRES", "hPa"),
    "wind_run": ("Iws", "m/s, summed"),
    "snow_hours": ("Is", "h, summed"),
    "rain_hours": ("Ir", "h, summed"),
}


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the readings.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pm25_beijing_2010_2014.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Panels PM2.5 [µg/m³], dew_point, temperature [°C], pressure [hPa], wind_run, snow_hours, rain_hours (running
        sums) of sensor ``"US Embassy"``; category wind_direction.

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or rows are not an hour apart.
    """
    path = reading.find(paths, FILE)
    clock = ["year", "month", "day", "hour"]
    raw = reading.read_csv(path, text=("cbwd",), numbers=[*clock, *(column for column, _ in _VARIABLES.values())])
    index = pd.DatetimeIndex(reading.clock_times(path, raw[clock]), name="time")
    reading.hourly(path, index)
    panels = {
        name: Panel(raw[[column]].to_numpy(), index.to_numpy(), (SENSOR,), unit, variable=name, zone="Asia/Shanghai")
        for name, (column, unit) in _VARIABLES.items()
    }
    main = panels["PM2.5"]
    gaps = quality.gap_table(main, top=1)
    longest = (
        f", the longest for {gaps['hours'].iloc[0]:.0f} hours from {gaps['since'].iloc[0]:%Y-%m-%d}"
        if len(gaps)
        else ""
    )
    sums = ("wind_run", "snow_hours", "rain_hours")
    return Dataset(
        name="air-beijing-pm25",
        title="Hourly PM2.5 at the US Embassy in Beijing",
        kind="panel",
        panels=panels,
        categories={"wind_direction": raw[["cbwd"]].set_axis([SENSOR], axis=1).set_axis(index)},
        faults=(
            *reading.fault(
                "missing", f"Readings not given{longest}", (~main.mask).sum(), main.mask.size, "reported", "PM2.5"
            ),
            *reading.fault(
                "zero-reading",
                "Concentrations of exactly zero",
                (main.values == 0).sum(),
                main.mask.sum(),
                "reported",
                "PM2.5",
            ),
            *reading.fault(
                "running-sum",
                f"{', '.join(sums)} are sums since the last change, not readings of their hour",
                int(np.sum([panels[name].mask.sum() for name in sums])),
                int(np.sum([panels[name].mask.size for name in sums])),
                "reported",
                "wind_run, snow_hours, rain_hours",
            ),
        ),
    )
