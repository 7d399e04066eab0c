"""Weather of two cities: days put back as missing, Fahrenheit turned into Celsius."""

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


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small("weather-cities")
    found = faults(dataset)
    assert found["absent-day", "max_temperature"] == (1, 4, "masked")
    assert found["absent-day", "min_temperature"] == (1, 4, "masked")
    assert found["fahrenheit"] == (2, 2, "mended")
    assert dataset.panel().series("Melbourne").tolist() == pytest.approx([30.5, 31.5, np.nan, 32.5], nan_ok=True)
    assert dataset.panel("monthly_mean_temperature").series("Nottingham").tolist() == pytest.approx([10.0, 0.0])
    assert "1984-12-31" in dataset.faults[0].what


@pytest.mark.parametrize(
    ("old", "new"), [(b"1985-01-01", b"1984-12-30"), (b"30.5", b"warm"), (b"1984-12-29", b"29/12")]
)
def test_broken_files_are_refused(small: Small, old: bytes, new: bytes) -> None:
    name = "melbourne_daily_max_temp.csv.gz"
    with pytest.raises(SchemaError, match=name):
        small("weather-cities", {name: FILES["weather-cities"]()[name].replace(old, new)})


def test_an_absent_month_is_missing(small: Small, faults: Faults) -> None:
    data = b'"Month","Temperature"\n"1920-01",50.0\n"1920-03",32.0\n'
    found = faults(small("weather-cities", {"nottingham_monthly_mean_temp.csv": data}))
    assert found["absent-month"] == (1, 3, "masked")


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real("weather-cities")
    found = faults(dataset)
    for variable in ("max_temperature", "min_temperature"):
        panel = dataset.panel(variable)
        assert panel.shape == (3_652, 1)
        assert panel.mask.sum() == 3_650
        assert found["absent-day", variable][0] == 2
        missing = panel.times[~panel.mask[:, 0]].astype("datetime64[D]").astype(str)
        assert missing.tolist() == ["1984-12-31", "1988-12-31"]
    assert dataset.panel("monthly_mean_temperature").shape == (240, 1)
    assert dataset.panel("monthly_mean_temperature").missing_share == 0
