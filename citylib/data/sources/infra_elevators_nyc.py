"""Elevators of New York City (infra-elevators-nyc): status of 76,081 devices in October 2015, day of approval.

Current-status data: a device is in service or dismantled on the day of the snapshot, and nothing says when it was
dismantled, so only models for such data apply, and weakly. Traps: no device has an id (rows are numbered here, and
devices of one building look alike); the date is that of an approval, which may follow a replacement; nearly half
have none, the dismantled ones mostly do, so leaving out the undated biases the share in service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading

__all__ = ["read"]

FILE = "elevators.csv.gz"
_CITY = (40.45, 40.95, -74.30, -73.65)  # south, north, west, east of New York City


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the devices.

    Parameters
    ----------
    paths : mapping of str to Path
        ``elevators.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Table ``assets`` (asset, installed [day of approval], kind, status, dismantled, latitude, longitude), its
        ``attrs["observed_on"]`` the last day of an approval, near which the status was taken.

    Raises
    ------
    SchemaError
        A column lacks or a coordinate is no number.
    """
    raw = reading.read_csv(reading.find(paths, FILE), text=("status", "type", "approved"), numbers=("lat", "lng"))
    day = pd.to_datetime(raw["approved"], format="%Y%m%d", errors="coerce").astype("datetime64[ns]")
    origin = (raw["lat"] == 0) | (raw["lng"] == 0)
    south, north, west, east = _CITY
    inside = raw["lat"].between(south, north) & raw["lng"].between(west, east)
    away = ~origin & ~inside & raw["lat"].notna() & raw["lng"].notna()
    width = len(str(len(raw)))
    assets = pd.DataFrame(
        {
            "asset": [f"{k + 1:0{width}d}" for k in range(len(raw))],
            "installed": day,
            "kind": raw["type"],
            "status": raw["status"],
            "dismantled": raw["status"] == "DISMANTLED",
            "latitude": raw["lat"].mask(origin | away),
            "longitude": raw["lng"].mask(origin | away),
        }
    )
    assets.attrs["observed_on"] = "" if day.isna().all() else f"{day.max():%Y-%m-%d}"
    return Dataset(
        name="infra-elevators-nyc",
        title="Elevators of New York City, in service or not",
        kind="assets",
        tables={"assets": assets},
        faults=_faults(assets, raw["approved"].notna(), int(origin.sum()), int(away.sum())),
    )


def _faults(assets: pd.DataFrame, given: pd.Series[bool], origin: int, away: int) -> tuple[Fault, ...]:
    """Return what was wrong; `given` tells which devices had anything for a date."""
    rows, where = len(assets), "assets.installed"
    gone = assets["dismantled"]
    share = (
        f"; {np.mean(given[gone]):.0%} of the dismantled have one, so leaving the undated out biases"
        if gone.any()
        else ""
    )
    malformed = given & assets["installed"].isna()
    return (
        *reading.fault("date-missing", f"No date of approval{share}", (~given).sum(), rows, "reported", where),
        *reading.fault("date-malformed", "A date that is none", malformed.sum(), given.sum(), "masked", where),
        *reading.fault("no-place", "Latitude or longitude 0", origin, rows, "masked", "assets.latitude"),
        *reading.fault("out-of-city", "A place outside New York City", away, rows, "masked", "assets.latitude"),
        *reading.fault(
            "current-status",
            "No date of removal: a device is known only to be dismantled, or not, on the day of the snapshot",
            gone.sum(),
            rows,
            "reported",
            "assets.dismantled",
        ),
        *reading.fault(
            "no-id",
            "Devices have no id; rows are numbered in the order of the file",
            rows,
            rows,
            "mended",
            "assets.asset",
        ),
    )
