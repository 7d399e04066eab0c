"""Speeds of Los Angeles: straight runs masked, the published kept beside, the leak said."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "traffic-metr-la"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    speed, published = dataset.panel("speed"), dataset.panel("speed_as_published")
    assert dataset.panel() is speed
    assert speed.mask[:, 0].tolist() == [False] * 5 + [True] * 5
    assert not speed.mask[:, 1].any()
    assert published.missing_share == 0
    assert found["filled-gap"] == (15, 20, "masked")
    assert found["no-times"] == (10, 10, "mended")
    assert found["week-average-leak"] == (20, 20, "reported")
    assert str(speed.times[0]) == "2012-03-01T00:00:00.000000000"
    assert speed.step == np.timedelta64(5, "m")
    np.testing.assert_array_equal(speed.coordinates, [[34.1, -118.3], [34.2, -118.2]])


def test_tables_stand_by_detector(small: Small) -> None:
    dataset = small(NAME)
    assert dataset.table("adjacency").loc["11", "12"] == 0.5
    assert dataset.table("adjacency_directed").loc["11", "12"] == 0.2
    assert dataset.table("adjacency_directed").loc["12", "11"] == 0
    assert dataset.table("week_average").shape == (10, 2)
    assert dataset.table("sensors")["sensor"].tolist() == ["11", "12"]


@pytest.mark.parametrize(
    ("file", "data", "message"),
    [
        (
            "metr_la_sensor_locations.csv",
            b"index,sensor_id,latitude,longitude\n0,12,34,-118\n1,11,34,-118\n",
            "same order",
        ),
        ("metr_la_adj_mx.csv.gz", b"sensor_id,11,12\n12,1,0\n11,0,1\n", "same order"),
        ("los_adj.csv.gz", b"1.0,0.5\n", "matrix of 2 x 2"),
        ("los_speed.csv.gz", b"11,12\n1,fast\n", "be a number"),
    ],
)
def test_files_that_do_not_fit_are_refused(small: Small, file: str, data: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        small(NAME, {file: data})


def test_an_average_of_other_detectors_is_refused(small: Small) -> None:
    out = io.BytesIO()
    np.savez(out, week_average=np.ones((3, 4)))
    with pytest.raises(SchemaError, match="2 detectors x slots"):
        small(NAME, {"metr_la_week_average.npz": out.getvalue()})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    speed, published = dataset.panel(), dataset.panel("speed_as_published")
    assert speed.shape == (2_016, 207)
    assert str(speed.times[-1])[:16] == "2012-03-07T23:55"
    assert published.missing_share == 0
    assert published.values.min() == 1
    assert speed.missing_share == pytest.approx(0.057, abs=5e-4)
    tail = ~speed.mask[int(0.8 * 2_016) :]
    assert tail.mean() == pytest.approx(0.119, abs=5e-4)
    assert "11.9% of the last fifth" in next(f.what for f in dataset.faults if f.code == "filled-gap")
    near = dataset.table("adjacency").to_numpy()
    assert (near != 0).sum() == 2_833
    np.testing.assert_array_equal(near, near.T)
    assert (dataset.table("adjacency_directed").to_numpy() != 0).sum() == 1_722
    average = dataset.table("week_average").to_numpy()
    assert np.corrcoef(average.ravel(), published.values.ravel())[0, 1] == pytest.approx(0.84, abs=0.005)
