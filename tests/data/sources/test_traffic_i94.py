"""Traffic on I-94: hours told apart, impossible weather masked, holidays spread over their day."""

from __future__ import annotations

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


def test_faults_of_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small("traffic-i94")
    found = faults(dataset)
    hours = len(dataset.panel().times)
    assert hours == 8 * 24 + 2  # to 01:00 of 2014-01-01
    assert found["repeated-hour"] == (1, 49, "dropped")
    assert found["repeats-differ"] == (1, 48, "reported")
    assert found["absent-hour"] == (hours - 48, hours, "masked")
    assert found["zero-kelvin"] == (1, 48, "masked")
    assert found["impossible-rain"] == (1, 48, "masked")
    assert found["holiday-first-hour"] == (1, 3, "mended")
    assert found["holiday-lost"] == (1, 3, "mended")
    assert found["next-to-no-traffic"] == (2, 48, "reported")


def test_values_of_the_small_file(small: Small) -> None:
    dataset = small("traffic-i94")
    frame = dataset.frame("301")
    assert list(frame) == ["volume", "temperature", "rain", "snow", "clouds", "weather", "holiday"]
    assert frame.loc["2013-12-24 07:00", ["volume", "clouds", "weather"]].tolist() == [107, 40, "Rain"]
    assert frame.loc["2013-12-24 06:00", "temperature"] == 0
    assert np.isnan(frame.loc["2013-12-24 03:00", "temperature"])
    assert np.isnan(frame.loc["2013-12-24 04:00", "rain"])
    assert np.isnan(frame.loc["2013-12-24 05:00", "volume"])
    assert (frame.loc["2013-12-25", "holiday"] == "Christmas Day").all()
    assert (frame.loc["2014-01-01", "holiday"] == "New Years Day").all()
    assert (frame.loc["2013-12-24", "holiday"] == "none").all()
    at_seven = dataset.table("weather").set_index("time").loc["2013-12-24 07:00", "description"]
    assert at_seven.tolist() == ["light rain", "mist"]


def test_a_copied_day_is_reported(small: Small, faults: Faults) -> None:
    name, lines = "metro_interstate_traffic_volume.csv.gz", ["x"]
    lines = FILES["traffic-i94"]()[name].decode().splitlines()[:1]
    lines += [f"None,280,0,0,0,Clear,sky,{t},{500 + t.hour}" for t in pd.date_range("2016-01-04", periods=48, freq="h")]
    found = faults(small("traffic-i94", {name: "\n".join(lines).encode()}))
    assert found["copied-hours"] == (24, 48, "reported")
    assert "absent-hour" not in found


@pytest.mark.parametrize(
    ("old", "new"), [("2013-12-24 07", "24/12/2013 07"), ("270.0", "cold"), ("traffic_volume", "volume")]
)
def test_broken_files_are_refused(small: Small, old: str, new: str) -> None:
    name = "metro_interstate_traffic_volume.csv.gz"
    data = FILES["traffic-i94"]()[name].replace(old.encode(), new.encode())
    with pytest.raises(SchemaError):
        small("traffic-i94", {name: data})


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real("traffic-i94")
    volume, found = dataset.panel(), faults(dataset)
    assert volume.shape == (52_551, 1)
    assert (str(volume.times[0])[:16], str(volume.times[-1])[:16]) == ("2012-10-02T09:00", "2018-09-30T23:00")
    assert volume.mask.sum() == 40_575
    assert (np.nanmin(volume.values), np.nanmax(volume.values)) == (0, 7280)
    assert found["repeated-hour"] == (7_629, 48_204, "dropped")
    assert found["absent-hour"] == (52_551 - 40_575, 52_551, "masked")
    assert found["zero-kelvin"][0] == 10
    assert found["impossible-rain"][0] == 1
    # 61 rows name a holiday; 8 of them repeat the hour, so 53 days do.
    assert found["holiday-first-hour"][0] == 53
    assert found["holiday-lost"][0] == 3
    gap = next(f.what for f in dataset.faults if f.code == "absent-hour")
    assert "307 days and 18 hours, to 2015-06-11 19:00" in gap
    assert np.nanmin(dataset.panel("temperature").values) > -35
    assert np.nanmax(dataset.panel("rain").values) < 60
