"""Fires of Montreal: incidents with their stations, territories, census and weather."""

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


NAME = "emergency-montreal-fire"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found, incidents = faults(dataset), dataset.table("incidents")
    assert found["no-hour"] == (3, 3, "reported")
    assert found["shared-place"] == (2, 3, "reported")
    assert found["number-repeats"] == (1, 3, "reported")
    assert found["district-unknown"] == (1, 3, "masked")
    assert found["spelling"] == (1, 2, "reported")
    assert found["station-closed"] == (1, 2, "reported")
    assert found["no-territory"] == (1, 2, "reported")
    assert found["quiet-month-absent"] == (1, 3, "reported")
    assert found["suppressed"] == (3, 16, "masked")
    assert found["weather-missing"] == (10, 30, "reported")
    assert incidents["district"].isna().tolist() == [False, True, False]
    assert incidents["station"].tolist() == ["15", "15", "79"]
    assert dataset.panel().series("city").tolist() == pytest.approx([1, 2, np.nan], nan_ok=True)
    assert dataset.table("population")["population_2021"].isna().tolist() == [False, True]
    assert dataset.table("areas")["area"].tolist() == ["15"]
    assert str(dataset.table("stations")["closed"].iloc[1]) == "2009-11-05 00:00:00"


def test_an_incident_of_no_station_is_refused(small: Small) -> None:
    data = FILES[NAME]()["fire_incidents.csv.gz"].replace(b",79,", b",78,")
    with pytest.raises(SchemaError, match="78 is not"):
        small(NAME, {"fire_incidents.csv.gz": data})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    found, incidents = faults(dataset), dataset.table("incidents")
    assert len(incidents) == 26_850
    assert (str(incidents["time"].min())[:10], str(incidents["time"].max())[:10]) == ("2005-01-01", "2025-01-13")
    assert incidents["kind"].value_counts().iloc[:2].tolist() == [17_103, 4_181]
    # 29 % (rounded down) repeat the place of an earlier one; with those they repeat, 46 % share theirs.
    assert incidents.duplicated(["latitude", "longitude"]).mean() == pytest.approx(0.295, abs=0.01)
    assert found["shared-place"][0] / 26_850 == pytest.approx(0.465, abs=5e-4)
    assert found["spelling"][0] >= 30
    assert len(dataset.table("stations")) == 68
    assert found["station-closed"][0] == 1
    assert len(dataset.table("areas")) == 66
    assert len(dataset.table("station_month")) == 14_543
    assert len(dataset.table("population")) == 92
    weather = dataset.panel()
    assert weather.shape == (7_346, 1)
    assert max(p.missing_share for p in dataset.panels.values()) < 0.0005
