"""Columbus and Baltimore: names people can read, coordinates that are no degrees."""

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


NAME = "spatial-examples"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found = faults(dataset)
    assert found["arbitrary-coordinates"] == (2, 2, "reported")
    assert found["not-degrees"] == (1, 1, "mended")
    assert dataset.table("areas")["crime"].tolist() == [1.0, 30.5]
    assert dataset.table("areas").crs is None
    assert dataset.table("houses").loc[0, ["house", "price"]].tolist() == ["2", 2.0]


def test_a_price_must_be_a_number(small: Small) -> None:
    data = FILES[NAME]()["baltimore_houses.geojson.gz"].replace(b'"PRICE": 2.0', b'"PRICE": "dear"')
    with pytest.raises(SchemaError, match="price"):
        small(NAME, {"baltimore_houses.geojson.gz": data})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset]) -> None:
    dataset = real(NAME)
    areas, houses = dataset.table("areas"), dataset.table("houses")
    assert (len(areas), len(houses)) == (49, 211)
    assert areas["area"].is_unique
    assert areas["crime"].mean() == pytest.approx(35.13, abs=0.005)  # Anselin (1988), table 12.1
    assert houses["price"].mean() == pytest.approx(44.31, abs=0.005)
    assert not areas.isna().to_numpy().any()
    assert np.isfinite(houses.geometry.x).all()
