"""Weather of two cities (weather-cities): Melbourne's daily extremes 1981-1990, Nottingham's monthly means 1920-1939.

Traps: 31 December of the leap years is absent from Melbourne's files (365 rows a year), so the days are not
evenly spaced unless they are put back as missing; Nottingham is published in degrees Fahrenheit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

# variable: file, column of times, column of values, sensor, step, zone
_DAILY = {
    "max_temperature": ("melbourne_daily_max_temp.csv.gz", "Temperature"),
    "min_temperature": ("melbourne_daily_min_temp.csv.gz", "Temp"),
}
_MONTHLY = "nottingham_monthly_mean_temp.csv"


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the three series, each on its own step.

    Parameters
    ----------
    paths : mapping of str to Path
        ``melbourne_daily_max_temp.csv.gz``, ``melbourne_daily_min_temp.csv.gz``,
        ``nottingham_monthly_mean_temp.csv``, packed or not.

    Returns
    -------
    Dataset
        Panels max_temperature, min_temperature [°C, daily, sensor ``"Melbourne"``] and
        monthly_mean_temperature [°C, stamped with the first day of the month, sensor ``"Nottingham"``].

    Raises
    ------
    SchemaError
        A column lacks or a cell has the wrong type.
    """
    panels: dict[str, Panel] = {}
    faults: list[Fault] = []
    for variable, (file, column) in _DAILY.items():
        series = _series(reading.find(paths, file), "Date", column, "%Y-%m-%d")
        index = pd.date_range(series.index[0], series.index[-1], freq="D")
        panels[variable] = _panel(series.reindex(index), variable, "Melbourne", "Australia/Melbourne")
        absent = len(index) - len(series)
        days = ", ".join(f"{day:%Y-%m-%d}" for day in index[~index.isin(series.index)][:4])
        what = f"Days of the period are not in the file and became missing readings ({days})"
        faults += reading.fault("absent-day", what, absent, len(index), "masked", variable)
    warm = _series(reading.find(paths, _MONTHLY), "Month", "Temperature", "%Y-%m")
    months = pd.date_range(warm.index[0], warm.index[-1], freq="MS")
    monthly = "monthly_mean_temperature"
    panels[monthly] = _panel((warm.reindex(months) - 32) / 1.8, monthly, "Nottingham", "Europe/London")
    faults += reading.fault(
        "absent-month", "Months not in the file", len(months) - len(warm), len(months), "masked", monthly
    )
    faults += reading.fault(
        "fahrenheit", "Published in degrees Fahrenheit, turned into Celsius", len(warm), len(warm), "mended", monthly
    )
    return Dataset(
        name="weather-cities",
        title="Daily temperatures of Melbourne, monthly ones of Nottingham",
        kind="panel",
        panels=panels,
        faults=tuple(faults),
    )


def _series(path: Path, when: str, column: str, form: str) -> pd.Series[float]:
    raw = reading.read_csv(path, numbers=(column,), times={when: form}).sort_values(when, kind="stable")
    if raw[when].duplicated().any():
        raise reading.refuse(
            path.name, f"column {when!r} must not repeat, got {raw[when][raw[when].duplicated()].iloc[0]}"
        )
    return raw.set_index(when)[column]


def _panel(series: pd.Series[float], variable: str, sensor: str, zone: str) -> Panel:
    values = np.asarray(series, dtype=np.float64)[:, None]
    return Panel(values, series.index.to_numpy(), (sensor,), "°C", variable=variable, zone=zone)
