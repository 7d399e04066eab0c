"""Where the stations of PEMS-BAY and PeMSD7(M) stand and how far apart (traffic-sensor-graphs): graphs only, no speeds.

Traps: distances are along the road and directed in PEMS-BAY, given for near pairs only; the matrix of PeMSD7(M)
is symmetric and its unit is not stated (metres, to judge by the coordinates); some of its different stations are
zero apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import reading

__all__ = ["read"]


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read both graphs.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pems_bay_sensor_locations.csv``, ``pems_bay_distances_2017.csv.gz``, ``pemsd7_station_info.csv``,
        ``pemsd7_w_228.csv.gz``.

    Returns
    -------
    Dataset
        Tables ``sensors`` (graph, sensor, latitude, longitude, road, direction), ``edges`` (start, end, length_m:
        PEMS-BAY) and ``distances`` (PeMSD7(M), stations down and across).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, or a distance names an unknown station.
    """
    bay = reading.read_csv(
        reading.find(paths, "pems_bay_sensor_locations.csv"),
        text=("sensor",),
        numbers=("latitude", "longitude"),
        header=None,
        names=["sensor", "latitude", "longitude"],
    ).assign(graph="PEMS-BAY")
    path = reading.find(paths, "pems_bay_distances_2017.csv.gz")
    edges = reading.read_csv(
        path, text=("start", "end"), numbers=("length_m",), header=None, names=["start", "end", "length_m"]
    )
    strange = ~(edges["start"].isin(bay["sensor"]) & edges["end"].isin(bay["sensor"]))
    if strange.any():
        raise reading.refuse(
            path.name, f"stations must be in pems_bay_sensor_locations.csv, line {int(np.argmax(strange)) + 1} is not"
        )
    d7 = _d7(reading.find(paths, "pemsd7_station_info.csv"))
    matrix = _matrix(reading.find(paths, "pemsd7_w_228.csv.gz"), list(d7["sensor"]))
    sensors = pd.concat([bay, d7], ignore_index=True)
    loops = edges["start"] == edges["end"]
    return Dataset(
        name="traffic-sensor-graphs",
        title="Stations and road distances of PEMS-BAY and PeMSD7(M)",
        kind="graph",
        tables={
            "sensors": sensors[["graph", "sensor", "latitude", "longitude", "road", "direction"]],
            "edges": edges[~loops].reset_index(drop=True),
            "distances": matrix,
        },
        faults=_faults(edges, loops, matrix),
    )


def _faults(edges: pd.DataFrame, loops: pd.Series[bool], matrix: pd.DataFrame) -> tuple[Fault, ...]:
    away = ~np.eye(len(matrix), dtype=bool)
    known = set(zip(edges["start"], edges["end"], strict=True))
    one_sided = sum((end, start) not in known for start, end in known)
    return (
        *reading.fault("self-loop", "Distances of a station to itself", loops.sum(), len(edges), "dropped", "edges"),
        *reading.fault(
            "one-direction", "Distances given in one direction only", one_sided, len(edges), "reported", "edges"
        ),
        *reading.fault(
            "zero-distance",
            "Pairs of different stations that are zero apart",
            (matrix.to_numpy()[away] == 0).sum(),
            away.sum(),
            "reported",
            "distances",
        ),
    )


def _d7(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(path, text=("ID", "Fwy", "Dir"), numbers=("Latitude", "Longitude"))
    names = {"ID": "sensor", "Fwy": "road", "Dir": "direction", "Latitude": "latitude", "Longitude": "longitude"}
    return raw.rename(columns=names).assign(graph="PeMSD7(M)")


def _matrix(path: Path, names: list[str]) -> pd.DataFrame:
    table = reading.read_csv(path, numbers=names, header=None, names=names)
    if table.shape != (len(names), len(names)):
        raise reading.refuse(path.name, f"must be a matrix of {len(names)} x {len(names)}, got {table.shape}")
    return table.set_axis(pd.Index(names, name="sensor"), axis=0)
