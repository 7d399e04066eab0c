"""Bike flows on a grid: cells named by row and column, times said to be assumed."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "mobility-nyc-bike-grid"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    assert dataset.panel("inflow").series("r01c1").tolist() == [3, 5, 7]
    assert dataset.panel("outflow").series("r01c1").tolist() == [4, 6, 8]
    assert found["idle-cell"] == (127, 128, "reported")
    assert found["times-assumed"] == (3, 3, "reported")
    assert dataset.table("cells").iloc[-1, :3].tolist() == ["r15c7", 15, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flow": np.zeros((2, 128, 2))}, "must hold flow"),
        ({"adj": np.zeros((3, 3))}, "must hold flow"),
        ({"time": np.array(["a", "b", "c"])}, "hold times"),
        ({"time": np.array(["2014-09-30T21:00", "2014-09-30T22:00", "2014-09-30T22:30"])}, "an hour apart"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(small: Small, change: dict[str, Any], message: str) -> None:
    with np.load(io.BytesIO(FILES[NAME]()["nyc_bike_grid_2014.npz"])) as held:
        parts = {**held, **change}
    out = io.BytesIO()
    np.savez(out, **parts)
    with pytest.raises(SchemaError, match=message):
        small(NAME, {"nyc_bike_grid_2014.npz": out.getvalue()})


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    inflow = dataset.panel()
    assert inflow.shape == (1_369, 128)
    assert inflow.missing_share == 0
    assert (str(inflow.times[0])[:13], str(inflow.times[-1])[:13]) == ("2014-08-04T23", "2014-09-30T23")
    by_hour = pd.Series(inflow.values.sum(axis=1)).groupby(pd.DatetimeIndex(inflow.times).hour).mean()
    assert by_hour.idxmin() == 4
    assert by_hour.idxmax() in (17, 18)
    near = dataset.table("adjacency").to_numpy()
    np.testing.assert_array_equal(near, near.T)
    cells = dataset.table("cells")[["row", "column"]].to_numpy()
    step = np.abs(cells[:, None] - cells[None]).max(axis=2)
    np.testing.assert_array_equal(near == 1, step == 1)  # a cell's eight neighbours: the grid is 16 rows of 8
