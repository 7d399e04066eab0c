"""Bike rentals: inserted hours masked, scales undone, parts of the target kept apart."""

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


NAME = "mobility-bike-sharing"
FILE = "hour_regularised.csv.gz"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    assert dataset.panel().series("city").tolist() == pytest.approx([16, 7, np.nan, np.nan, 8], nan_ok=True)
    assert dataset.panel("temperature").series("city")[0] == pytest.approx(0.5 * 47 - 8)
    assert dataset.categories["weather"]["city"].tolist()[:2] == ["clear", "heavy rain or snow"]
    assert dataset.categories["working_day"]["city"].tolist()[-1] == "yes"
    assert "casual" not in dataset.frame()
    assert dataset.table("riders")["registered"].tolist()[0] == 13
    assert found["inserted-hour"] == (1, 4, "masked")
    assert found["absent-hour"] == (1, 5, "masked")
    assert found["parts-of-target"] == (3, 3, "reported")
    assert found["zero-humidity"] == (1, 3, "reported")
    assert dataset.table("days").loc[0, ["rentals", "weather", "working_day"]].tolist() == [985, "mist", False]


def test_an_hour_stands_once(small: Small) -> None:
    data = FILES[NAME]()[FILE].replace(b'"1/1/11",1,0,1,4', b'"1/1/11",1,0,1,1')
    with pytest.raises(SchemaError, match="stand once"):
        small(NAME, {FILE: data})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    rentals, found = dataset.panel(), faults(dataset)
    assert rentals.mask.sum() == 17_379
    assert found["inserted-hour"] == (141, 17_520, "masked")
    assert found["absent-hour"][:2] == (24, 17_544)
    assert np.nansum(rentals.values) == dataset.table("days")["rentals"].sum() == 3_292_679
    assert np.nanmin(rentals.values) == 1
    assert found["parts-of-target"][:2] == (17_379, 17_379)
    assert len(dataset.table("days")) == 731
