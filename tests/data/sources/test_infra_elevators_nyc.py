"""Elevators: dates that are none and places of zero masked, current status said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from citylib.data.dataset import Dataset

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "infra-elevators-nyc"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found, assets = faults(dataset), dataset.table("assets")
    assert found["date-missing"] == (1, 5, "reported")
    assert found["date-malformed"] == (1, 4, "masked")
    assert found["no-place"] == (1, 5, "masked")
    assert found["out-of-city"] == (1, 5, "masked")
    assert found["current-status"] == (2, 5, "reported")
    assert assets["asset"].tolist() == ["1", "2", "3", "4", "5"]
    assert assets["latitude"].isna().tolist() == [False, False, True, False, True]
    assert assets.attrs["observed_on"] == "2015-10-16"


def test_a_file_without_dates_is_read(small: Small, faults: Faults) -> None:
    dataset = small(NAME, {"elevators.csv.gz": b"status,type,approved,lat,lng\nACTIVE,Passenger,,40.7,-74.0\n"})
    assert dataset.table("assets").attrs["observed_on"] == ""
    assert faults(dataset)["date-missing"][0] == 1


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    found, assets = faults(dataset), dataset.table("assets")
    assert assets["status"].value_counts().to_dict() == {
        "ACTIVE": 66_884,
        "NYCHA": 3_365,
        "WK IN PROG": 2_344,
        "NO JURIST": 1_982,
        "DISMANTLED": 1_506,
    }
    assert found["date-missing"][0] / 76_081 == pytest.approx(0.47, abs=0.005)
    assert "90% of the dismantled" in next(f.what for f in dataset.faults if f.code == "date-missing")
    assert found["date-malformed"][0] / found["date-malformed"][1] == pytest.approx(0.001, abs=5e-4)
    assert found["no-place"][0] == 13
    assert (assets["installed"].min().year, assets.attrs["observed_on"]) == (1925, "2015-10-16")
