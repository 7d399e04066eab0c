"""Sensor graphs: stations of both, distances along the road."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "traffic-sensor-graphs"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    assert dataset.kind == "graph"
    assert dataset.table("edges").to_numpy().tolist() == [["1", "2", 900.5]]
    assert dataset.table("sensors")["graph"].tolist() == ["PEMS-BAY"] * 2 + ["PeMSD7(M)"] * 2
    assert list(dataset.table("distances")) == ["7", "8"]
    assert found["self-loop"] == (1, 2, "dropped")
    assert found["one-direction"] == (1, 2, "reported")
    assert found["zero-distance"] == (2, 2, "reported")


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        ("pems_bay_distances_2017.csv.gz", b"1,2,5\n1,3,5\n", "line 2 is not"),
        ("pems_bay_distances_2017.csv.gz", b"1,2,far\n", "be a number"),
        ("pemsd7_w_228.csv.gz", b"0,1\n", "matrix of 2 x 2"),
    ],
)
def test_broken_files_are_refused(small: Small, file: str, data: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        small(NAME, {file: data})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    found = faults(dataset)
    assert dataset.table("sensors")["graph"].value_counts().to_dict() == {"PEMS-BAY": 325, "PeMSD7(M)": 228}
    assert found["self-loop"][:2] == (325, 8_358)
    assert len(dataset.table("edges")) == 8_358 - 325
    distances = dataset.table("distances").to_numpy()
    assert distances.shape == (228, 228)
    np.testing.assert_array_equal(distances, distances.T)
