"""Bike flows on a grid of New York City (mobility-nyc-bike-grid): hourly in and out of 128 cells, summer 2014.

NYCBike1, rebuilt from the windows of its validation and test parts; the first 70 % could not be had. Traps: the
source has no times (they assume that the series ends on 2014-09-30 23:00, which its daily profile agrees
with); a third of the cells never sees a bike, so an average over all cells flatters a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset
from citylib.data.sources import formats, reading
from citylib.panel import Panel

__all__ = ["COLUMNS", "ROWS", "read"]

FILE = "nyc_bike_grid_2014.npz"
ROWS, COLUMNS = 16, 8  # the adjacency matrix joins cell k to k + 1 and k + 8


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the flows and the grid.

    Parameters
    ----------
    paths : mapping of str to Path
        ``nyc_bike_grid_2014.npz``.

    Returns
    -------
    Dataset
        Panels inflow and outflow [bikes/h], sensors ``"r00c0"`` to ``"r15c7"``; tables ``cells`` (sensor, row, column,
        rides) and ``adjacency`` (cells down and across).

    Raises
    ------
    SchemaError
        An array lacks, has the wrong shape, or the times can't be read.
    """
    path = reading.find(paths, FILE)
    held = formats.arrays(path, ("flow", "time", "adj"))
    flow, steps = held["flow"].astype(np.float64), len(held["time"])
    size = ROWS * COLUMNS
    if flow.shape != (steps, size, 2) or held["adj"].shape != (size, size):
        found = f"flow {flow.shape}, adj {held['adj'].shape}"
        raise reading.refuse(path.name, f"must hold flow ({steps}, {size}, 2) and adj ({size}, {size}), got {found}")
    try:
        times = held["time"].astype("datetime64[ns]")
    except ValueError as error:
        raise reading.refuse(path.name, f"array 'time' must hold times: {error}") from None
    reading.hourly(path, pd.DatetimeIndex(times))
    cells = pd.DataFrame({"row": np.arange(size) // COLUMNS, "column": np.arange(size) % COLUMNS})
    names = [f"r{r:02d}c{c}" for r, c in zip(cells["row"], cells["column"], strict=True)]
    cells.insert(0, "sensor", names)
    cells["rides"] = flow.sum(axis=(0, 2))
    idle = cells["rides"] == 0
    return Dataset(
        name="mobility-nyc-bike-grid",
        title="Hourly bike flows on a grid of New York City",
        kind="panel",
        panels={
            name: Panel(flow[:, :, k], times, tuple(names), "bikes/h", variable=name, zone="America/New_York")
            for k, name in enumerate(("inflow", "outflow"))
        },
        tables={
            "cells": cells,
            "adjacency": pd.DataFrame(
                held["adj"].astype(np.int64), index=pd.Index(names, name="sensor"), columns=names
            ),
        },
        faults=(
            *reading.fault(
                "times-assumed",
                "The source has no times: they assume that the series ends on 2014-09-30 23:00",
                steps,
                steps,
                "reported",
            ),
            *reading.fault("idle-cell", "Cells that never see a bike", idle.sum(), size, "reported", "cells"),
        ),
    )
