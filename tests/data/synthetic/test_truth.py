"""The truth is complete, flat and documented."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace

import pytest

from citylib.data.synthetic import CityTruth, city
from citylib.data.synthetic.traffic import TrafficTruth

PARTS = [(part.name, getattr(CityTruth(), part.name)) for part in fields(CityTruth)]


@pytest.mark.parametrize(("name", "law"), PARTS, ids=[name for name, _ in PARTS])
def test_every_parameter_is_documented(name, law):
    text = type(law).__doc__ or ""
    listed = " ".join(line for line in text.splitlines() if line.startswith("    ") and " : " in line)
    words = set(listed.replace(",", " ").split())
    assert {f.name for f in fields(law)} <= words
    assert is_dataclass(law)


def test_the_mapping_is_flat_and_holds_every_parameter(tiny):
    expected = {f"{name}.{f.name}": getattr(law, f.name) for name, law in PARTS for f in fields(law)}
    assert expected.items() <= tiny.truth.items()
    assert len(tiny.truth) == len(expected) + 3  # and what sensors and stations drew
    for value in expected.values():
        assert not isinstance(value, float) or math.isfinite(value)


def test_a_changed_law_changes_its_part_only(tiny):
    law = replace(CityTruth(), traffic=TrafficTruth(wet=-0.3))
    other = city(size="tiny", truth=law)
    assert other.truth["traffic.wet"] == -0.3
    wet = tiny.panel("rain").series("city") > 0
    both = tiny.panel().mask & other.panel().mask
    ratio = (other.panel().values / tiny.panel().values)[wet[:, None] & both]
    assert ratio.mean() == pytest.approx(math.exp(-0.24), rel=0.01)  # flows are whole vehicles
    dry = ~wet[:, None] & both
    assert (other.panel().values[dry] == tiny.panel().values[dry]).all()
    for name in ("assets", "breaks", "requests", "incidents", "sensors"):
        assert other.table(name).equals(tiny.table(name))
