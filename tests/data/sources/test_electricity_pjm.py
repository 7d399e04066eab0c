"""Electricity of PJM: sorted, local, hours of autumn averaged, impossible loads masked."""

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


NAME = "electricity-pjm"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    load, found = dataset.panel(), faults(dataset)
    assert found["unsorted"] == (2, 36, "mended")
    assert found["wrong-zone"] == (36, 36, "mended")
    assert found["end-of-hour"] == (36, 36, "mended")
    assert found["repeated-hour"] == (1, 36, "mended")
    assert found["absent-hour"] == (1, 36, "masked")
    assert found["implausible-load"][0] == 1
    assert load.shape == (36, 12)
    assert str(load.times[0])[:16] == "2014-11-02T00:00"
    assert np.isnan(load.series("FE")[4])
    assert np.isnan(load.series("AEP")[8])
    zones = dataset.table("zones").set_index("zone")
    assert zones.loc["PJM_Load", "readings"] == 0
    assert str(zones.loc["NI", "until"]) == "2014-11-02 22:00:00"


def test_the_repeated_hour_is_averaged(small: Small) -> None:
    raw = pd.read_parquet(io.BytesIO(FILES[NAME]()["pjm_est_hourly.parquet"]))
    expected = raw.loc["2014-11-02 02:00", "AEP"].mean()
    assert small(NAME).panel().series("AEP")[1] == expected


def test_an_index_of_numbers_is_refused(small: Small) -> None:
    out = io.BytesIO()
    pd.read_parquet(io.BytesIO(FILES[NAME]()["pjm_est_hourly.parquet"])).reset_index(drop=True).to_parquet(out)
    with pytest.raises(SchemaError, match="index must hold times"):
        small(NAME, {"pjm_est_hourly.parquet": out.getvalue()})


def test_a_file_without_a_zone_is_read(small: Small, faults: Faults) -> None:
    out = io.BytesIO()
    frame = pd.read_parquet(io.BytesIO(FILES[NAME]()["pjm_est_hourly.parquet"])).tz_localize(None).sort_index()
    frame[~frame.index.duplicated()].to_parquet(out)
    found = faults(small(NAME, {"pjm_est_hourly.parquet": out.getvalue()}))
    assert not {"wrong-zone", "unsorted", "repeated-hour"} & set(found)


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    load, found = dataset.panel(), faults(dataset)
    zones = dataset.table("zones").set_index("zone")
    assert found["repeated-hour"] == (4, 178_262, "mended")
    assert found["absent-hour"][0] == 38
    assert load.shape[1] == 12
    assert zones.loc["NI", "until"].year == 2010  # its last hour ends with the year
    assert zones.loc["PJM_Load", "until"].year == 2001
    assert str(zones.loc["EKPC", "since"])[:7] == "2013-06"
    assert found["implausible-load"][0] < 100
    assert np.nanmin(load.series("FE")) > 4_000
    ten = load.select(sensors=[z for z in load.sensors if z not in ("NI", "PJM_Load")], since="2013-06-01")
    assert ten.missing_share < 0.001
