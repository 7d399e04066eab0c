"""PM2.5 at the embassy: what is missing, and what are sums."""

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


NAME = "air-beijing-pm25"
FILE = "pm25_beijing_2010_2014.csv.gz"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    assert dataset.panel().series("US Embassy").tolist() == pytest.approx([np.nan, 0, 129, 140], nan_ok=True)
    assert found["missing"] == (1, 4, "reported")
    assert found["zero-reading"] == (1, 3, "reported")
    assert found["running-sum"] == (12, 12, "reported")
    assert dataset.frame()["wind_direction"].tolist() == ["NW"] * 4


def test_hours_must_follow(small: Small) -> None:
    data = FILES[NAME]()[FILE].replace(b"3,2010,1,1,2", b"3,2010,1,1,1")
    with pytest.raises(SchemaError, match="an hour apart"):
        small(NAME, {FILE: data})


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    assert dataset.panel().shape == (43_824, 1)
    assert dataset.panel().missing_share == pytest.approx(0.0472, abs=5e-5)
    assert faults(dataset)["missing"][0] == 2_067
    assert str(dataset.panel().times[-1])[:13] == "2014-12-31T23"
