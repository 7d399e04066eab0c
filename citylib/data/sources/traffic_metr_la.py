"""Speeds at 207 detectors of Los Angeles (traffic-metr-la): one week of March 2012 in steps of 5 minutes.

The extract of METR-LA that T-GCN is measured on. Traps: the file has no times (the dates are those of the
paper); its gaps were interpolated before publication with values from after the gap, so panel ``speed`` masks
every cell of straight runs of four or more (second difference under 1e-6 mph, level runs included) and
``speed_as_published`` keeps them; table ``week_average`` averages four months, the test days included:
it is a leak and may enter no forecast; the usual test part, the last fifth, is one Tuesday afternoon
and one Wednesday.

References
----------
Zhao, L. et al. (2020). T-GCN: a temporal graph convolutional network for traffic prediction. IEEE
Transactions on Intelligent Transportation Systems 21(9), 3848-3858.
Li, Y. et al. (2018). Diffusion convolutional recurrent neural network. ICLR.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from citylib.data import quality
from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import formats, reading
from citylib.panel import Panel

__all__ = ["read"]

FIRST = np.datetime64("2012-03-01T00:00", "ns")  # a Thursday, as the paper says; the file has no times
STEP = np.timedelta64(5, "m")
ZONE = "America/Los_Angeles"
TEST_SHARE = 0.2  # the last part of the week, which models are scored on


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the speeds, the detectors' places and both adjacency matrices.

    Parameters
    ----------
    paths : mapping of str to Path
        ``los_speed.csv.gz``, ``los_adj.csv.gz``, ``metr_la_sensor_locations.csv``,
        ``metr_la_adj_mx.csv.gz``, ``metr_la_week_average.npz``.

    Returns
    -------
    Dataset
        Panels speed (straight runs masked) and speed_as_published [mph]; tables ``sensors`` (sensor, latitude,
        longitude), ``adjacency`` (T-GCN, symmetric), ``adjacency_directed`` (DCRNN), both with detectors down and
        across, and ``week_average`` [mph] (2,016 slots of 5 minutes from Thursday 00:00 down, detectors across).

    Raises
    ------
    SchemaError
        A column or array lacks, a cell has the wrong type, or the files differ in their detectors.
    """
    path = reading.find(paths, "los_speed.csv.gz")
    names = reading.header(path)
    speeds = reading.read_csv(path, numbers=names)
    sensors = _sensors(reading.find(paths, "metr_la_sensor_locations.csv"), names)
    published = Panel(
        speeds.to_numpy(),
        FIRST + np.arange(len(speeds)) * STEP,
        tuple(names),
        "mph",
        variable="speed_as_published",
        zone=ZONE,
        coordinates=sensors[["latitude", "longitude"]].to_numpy(),
    )
    straight = quality.straight_runs(published.values, min_length=4, tolerance=1e-6)
    speed = Panel(
        np.where(straight, np.nan, published.values),
        published.times,
        published.sensors,
        "mph",
        variable="speed",
        zone=ZONE,
        coordinates=published.coordinates,
    )
    average = formats.arrays(reading.find(paths, "metr_la_week_average.npz"), ["week_average"])["week_average"]
    if average.ndim != 2 or average.shape[0] != len(names):
        raise reading.refuse(
            "metr_la_week_average.npz", f"must hold {len(names)} detectors x slots, got {average.shape}"
        )
    return Dataset(
        name="traffic-metr-la",
        title="One week of traffic speeds at 207 detectors of Los Angeles",
        kind="panel",
        panels={"speed": speed, "speed_as_published": published},
        tables={
            "sensors": sensors,
            "adjacency": _matrix(reading.find(paths, "los_adj.csv.gz"), names, header=False),
            "adjacency_directed": _matrix(reading.find(paths, "metr_la_adj_mx.csv.gz"), names, header=True),
            "week_average": pd.DataFrame(average.T.astype(np.float64), columns=names),
        },
        faults=_faults(straight, speed, average),
    )


def _faults(straight: quality.BoolArray, speed: Panel, average: quality.FloatArray) -> tuple[Fault, ...]:
    tail = straight[len(straight) - int(np.ceil(TEST_SHARE * len(straight))) :]
    longest = int(quality.run_lengths(straight).max(initial=0))
    return (
        *reading.fault(
            "filled-gap",
            "Cells of straight runs of four or more, level ones included: gaps interpolated before publication, up to "
            f"{longest * 5 / 60:.1f} hours long; {tail.mean():.1%} of the last fifth, which models are tested on",
            straight.sum(),
            straight.size,
            "masked",
            "speed",
        ),
        *reading.fault(
            "no-times",
            "The file has no times: they are counted from Thursday 2012-03-01 00:00, as the paper says",
            len(speed.times),
            len(speed.times),
            "mended",
        ),
        *reading.fault(
            "week-average-leak",
            "The mean week was taken over four months, this week's test days included: it may enter no forecast",
            average.size,
            average.size,
            "reported",
            "week_average",
        ),
    )


def _sensors(path: Path, names: Sequence[str]) -> pd.DataFrame:
    table = reading.read_csv(path, text=("sensor_id",), numbers=("latitude", "longitude"))
    table = table.rename(columns={"sensor_id": "sensor"})
    if list(table["sensor"]) != list(names):
        raise reading.refuse(path.name, "its detectors must be those of los_speed.csv.gz, in the same order")
    return table


def _matrix(path: Path, names: Sequence[str], *, header: bool) -> pd.DataFrame:
    """Return a square matrix with detectors down and across, in the order of the speeds."""
    if header:
        table = reading.read_csv(path, text=("sensor_id",), numbers=names).set_index("sensor_id")
        if list(table.index) != list(names):
            raise reading.refuse(path.name, "its rows must be the detectors of los_speed.csv.gz, in the same order")
    else:
        table = reading.read_csv(path, numbers=names, header=None, names=list(names))
    if table.shape != (len(names), len(names)):
        raise reading.refuse(path.name, f"must be a matrix of {len(names)} x {len(names)}, got {table.shape}")
    return table.set_axis(pd.Index(names, name="sensor"), axis=0)
