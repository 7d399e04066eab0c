"""One freeway detector: two files on one axis, days that are not there missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "traffic-pems-station"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    volume, found = dataset.panel(), faults(dataset)
    assert volume.shape == (6 * 288, 1)
    assert found["absent-day"] == (3, 6, "masked")
    assert found["absent-step"] == (1, 3 * 288, "masked")
    assert found["not-observed"] == (1, 3 * 288 - 1, "masked")
    assert found["partly-observed"] == (1, 3 * 288 - 1, "reported")
    assert volume.series("station")[[1, 13]].tolist() == [5, 65]
    assert np.isnan(volume.series("station")[[12, 300, 4 * 288 - 1]]).all()
    assert dataset.table("parts")["readings"].tolist() == [575, 288]
    assert "1 of 4 weekdays" in dataset.faults[0].what


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("pems_flow_2016_test.csv.gz", b"13/01/2016", b"11/01/2016", "those of pems_flow_2016_train"),
        ("pems_flow_2016_test.csv.gz", b"0:05", b"0:00", "not repeat"),
        ("pems_flow_2016_train.csv.gz", b",96,", b",-1,", "not be negative"),
    ],
)
def test_broken_files_are_refused(small: Small, file: str, old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        small(NAME, {file: FILES[NAME]()[file].replace(old, new, 300 if b"/" in old else 1)})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    volume, found = dataset.panel(), faults(dataset)
    assert dataset.table("parts")["readings"].tolist() == [7_776, 4_320]
    assert (str(volume.times[0])[:10], str(volume.times[-1])[:10]) == ("2016-01-04", "2016-03-31")
    assert found["absent-day"][:2] == (88 - 27 - 15, 88)
    assert found["not-observed"][0] == 1
    assert np.nanmax(volume.values) == 197
