"""Pavement: segments with roughness and rating, lengths that disagree said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "infra-pavement-palm-beach"


def test_the_small_file(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found, areas = faults(dataset), dataset.table("areas")
    assert found["rating-not-by-roughness"] == (1, 3, "reported")
    assert found["length-disagrees"] == (1, 3, "reported")
    assert areas["length_m"].tolist() == pytest.approx([160.9344] * 3)
    assert areas.crs == "EPSG:4326"
    assert areas["area"].tolist() == ["1", "2", "3"]


def test_roughness_must_be_a_number(small: Small) -> None:
    data = FILES[NAME]()["pavement_iri.geojson.gz"].replace(b'_in_mi_": 200', b'_in_mi_": "x"')
    with pytest.raises(SchemaError, match="iri_in_mi"):
        small(NAME, {"pavement_iri.geojson.gz": data})


@pytest.mark.real
def test_the_real_file_is_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    areas = real(NAME).table("areas")
    assert areas["rating"].value_counts().to_dict() == {"Good": 2_043, "Fair": 1_375, "Poor": 13}
    assert (areas["iri_in_mi"].min(), areas["iri_in_mi"].max()) == (27, 525)
    assert areas["iri_in_mi"].mean() == pytest.approx(77, abs=0.5)
    assert not areas.isna().to_numpy().any()
    assert faults(real(NAME))["length-disagrees"][0] == 10
