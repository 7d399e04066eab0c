"""Signal approaches of Boroondara, Melbourne (traffic-scats-boroondara): counts of 15 minutes, October 2006.

Traps: not every approach has all 31 days; one approach's coordinates are zero; one approach is counted by two
detectors under one name (told apart here by VicRoads' internal number); coordinates are those of the
signals, not of the loops.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading
from citylib.panel import Panel

__all__ = ["read"]

FILE = "scats_october_2006.csv.gz"
ZONE = "Australia/Melbourne"
_SLOTS = tuple(f"{minute // 60}:{minute % 60:02d}" for minute in range(0, 1440, 15))
_DAYTIME = slice(28, 76)  # 07:00 to 19:00


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the counts, a sensor an approach, absent days missing.

    Parameters
    ----------
    paths : mapping of str to Path
        ``scats_october_2006.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Panel volume [veh/15 min], sensors named by SCATS number and location, with coordinates; table ``sensors``
        (sensor, scats, location, detector, latitude, longitude, days).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, a count is negative, or a day of an approach stands twice.
    """
    path = reading.find(paths, FILE)
    raw = reading.read_csv(
        path,
        text=("SCATS Number", "Location", "HF VicRoads Internal"),
        numbers=("NB_LATITUDE", "NB_LONGITUDE", *_SLOTS),
        times={"Start Time": "%d/%m/%Y"},
    )
    counts = raw[list(_SLOTS)].to_numpy()
    if (counts < 0).any():
        raise reading.refuse(path.name, f"counts must not be negative, got {np.nanmin(counts):g}")
    raw["sensor"], twice = _names(raw)
    if raw.duplicated(["sensor", "Start Time"]).any():
        again = raw[raw.duplicated(["sensor", "Start Time"])].iloc[0]
        raise reading.refuse(
            path.name, f"a day of an approach must stand once, got {again['sensor']} {again['Start Time']}"
        )
    sensors, nowhere = _sensors(raw)
    days = pd.date_range(raw["Start Time"].min(), raw["Start Time"].max(), freq="D")
    cube = np.full((len(days), len(sensors), len(_SLOTS)), np.nan)
    column = pd.Index(sensors["sensor"]).get_indexer(raw["sensor"])
    cube[days.get_indexer(pd.DatetimeIndex(raw["Start Time"])), column] = counts
    values = cube.transpose(0, 2, 1).reshape(-1, len(sensors))
    times = days.to_numpy()[0] + np.arange(len(values)) * np.timedelta64(15, "m")
    panel = Panel(
        values,
        times,
        tuple(sensors["sensor"]),
        "veh/15 min",
        variable="volume",
        zone=ZONE,
        coordinates=sensors[["latitude", "longitude"]].to_numpy(),
    )
    return Dataset(
        name="traffic-scats-boroondara",
        title="15-minute counts at signal approaches of Boroondara, Melbourne",
        kind="panel",
        panels={"volume": panel},
        tables={"sensors": sensors},
        faults=_faults(raw, sensors, counts, (len(days), twice, nowhere)),
    )


def _names(raw: pd.DataFrame) -> tuple[pd.Series[Any], int]:
    """Return a name an approach, and how many rows share theirs with another detector."""
    name = raw["SCATS Number"] + " " + raw["Location"]
    shared = raw["HF VicRoads Internal"].groupby(name).transform("nunique") > 1
    return name.where(~shared, name + " (" + raw["HF VicRoads Internal"] + ")"), int(shared.sum())


def _sensors(raw: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the table of approaches, and how many rows had coordinates of zero."""
    nowhere = (raw["NB_LATITUDE"] == 0) | (raw["NB_LONGITUDE"] == 0)
    table = raw.assign(latitude=raw["NB_LATITUDE"].mask(nowhere), longitude=raw["NB_LONGITUDE"].mask(nowhere), days=1)
    grouped = table.groupby("sensor", sort=False).agg(
        scats=("SCATS Number", "first"),
        location=("Location", "first"),
        detector=("HF VicRoads Internal", "first"),
        latitude=("latitude", "first"),
        longitude=("longitude", "first"),
        days=("days", "sum"),
    )
    return grouped.reset_index(), int(nowhere.sum())


def _faults(
    raw: pd.DataFrame, sensors: pd.DataFrame, counts: npt.NDArray[np.float64], found: tuple[int, int, int]
) -> tuple[Fault, ...]:
    days, twice, nowhere = found
    short = sensors["days"] < days
    absent = int(days * len(sensors) - len(raw))
    zero = counts == 0
    still = zero[:, _DAYTIME]
    return (
        *reading.fault(
            "absent-day",
            f"Days of {int(short.sum())} approaches are not in the file (fewest: {int(sensors['days'].min())} days)",
            absent,
            days * len(sensors),
            "masked",
            "volume",
        ),
        *reading.fault(
            "shared-name",
            "Rows of approaches counted by two detectors under one number and name; now told apart by detector",
            twice,
            len(raw),
            "mended",
        ),
        *reading.fault(
            "no-place", "Rows with latitude or longitude 0", nowhere, len(raw), "masked", "sensors.latitude"
        ),
        *reading.fault("zero-count", "Counts of zero, mostly at night", zero.sum(), zero.size, "reported", "volume"),
        *reading.fault(
            "zero-count-by-day",
            "Counts of zero between 07:00 and 19:00, when an approach is rarely empty for a quarter of an hour",
            still.sum(),
            still.size,
            "reported",
            "volume",
        ),
    )
