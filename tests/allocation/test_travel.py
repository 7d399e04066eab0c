"""Ways are the shortest there are; one-way streets and cut-off places are noticed; planted calls follow their law."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from citylib.allocation import planted_calls, travel
from citylib.errors import InputError, UnknownNameError


def streets():
    e = pd.DataFrame({"start": list("abcda"), "end": list("bcdac"), "length_m": [100.0, 100, 100, 100, 500]})
    return e.assign(limit=[60.0, 60, 60, 6, 60])


def test_the_great_circle_is_haversines():
    a, b = (45.5, -73.6), (45.6, -73.7)
    p, q = math.radians(a[0]), math.radians(b[0])
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    km = 2 * 6371 * math.asin(math.sqrt(h))
    assert travel.great_circle_minutes([a], [b])[0, 0] == pytest.approx(km * 1.35 / 30 * 60)
    assert travel.great_circle_minutes([a], [b], speed=60, detour=1)[0, 0] == pytest.approx(km)


def test_streets_lead_one_way_and_the_shortest():
    there = travel.street_minutes(streets(), ["a", "c"], ["a", "c", "c"], speed=6)
    np.testing.assert_allclose(there, [[0, 2, 2], [2, 0, 0]], atol=1e-6)  # a to c by b, c to a by d
    limits = travel.street_minutes(streets(), ["a"], ["d"], speed="limit")
    assert limits[0, 0] == pytest.approx(1.0)


def test_parallel_streets_and_loops_count_once():
    e = pd.concat([streets(), pd.DataFrame({"start": ["a", "b"], "end": ["a", "c"], "length_m": [5.0, 900.0]})])
    assert travel.street_minutes(e, ["c"], ["a"], speed=6)[0, 0] == pytest.approx(2)


def test_a_graph_that_falls_apart_is_refused_and_its_largest_part_kept():
    apart = pd.concat([streets(), pd.DataFrame({"start": ["c", "x"], "end": ["y", "z"], "length_m": [5.0, 5.0]})])
    with pytest.raises(InputError, match="1 of 2 places cut off, such as a from y"):
        travel.street_minutes(apart, ["a", "y"], ["y"])
    assert set(travel.largest_part(apart)["end"]) == set("abcd")
    with pytest.raises(InputError, match="at least one street"):
        travel.largest_part(apart.iloc[:0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"places": ["q"]}, "node of places"),
        ({"sites": []}, "sites must hold at least one node"),
        ({"speed": 0.0}, "speed must be (more than|above) 0"),
        ({"speed": "limits"}, "did you mean 'limit'"),
        ({"edges": streets().assign(length_m=-1.0)}, "length_m must be at least 0"),
        ({"edges": streets().assign(length_m=np.nan)}, "missing values"),
        ({"edges": streets().assign(limit=0.0), "speed": "limit"}, "speed must be (more than|above) 0"),
        ({"edges": streets().iloc[:0]}, "at least one street"),
        ({"edges": streets().drop(columns="end")}, "column of edges"),
    ],
)
def test_what_is_wrong_with_streets_is_said(change, words):
    given = {"edges": streets(), "places": ["a"], "sites": ["c"], **change}
    with pytest.raises(InputError, match=words):
        travel.street_minutes(given.pop("edges"), given.pop("places"), given.pop("sites"), **given)


def test_coordinates_are_looked_at():
    with pytest.raises(InputError, match="two columns"):
        travel.great_circle_minutes([[45.0]], [[45.0, 1.0]])
    with pytest.raises(InputError, match="latitudes up to 90"):
        travel.nearest([[95.0, 1.0]], [[45.0, 1.0]])
    with pytest.raises(UnknownNameError):
        travel.street_minutes(streets(), ["a"], ["zz"])


def test_planted_calls_follow_the_stated_mixture():
    draw = np.random.default_rng(0)
    at = np.column_stack([45 + 0.05 * draw.random(400), -73 + 0.05 * draw.random(400)])
    name = np.where(at[:, 0] < 45.025, "south", "north")
    found = planted_calls.planted_calls(*at.T, name, per_year=20_000, years=(2019, 2020), seed=4)
    again = planted_calls.planted_calls(*at.T, name, per_year=20_000, years=(2019, 2020), seed=4)
    pd.testing.assert_frame_equal(found, again)
    assert found["opened"].is_monotonic_increasing
    assert set(found["opened"].dt.year) == {2019, 2020}
    each = np.bincount(found["node"], minlength=400) / len(found)
    for district in ("south", "north"):
        inside = each[name == district]
        assert inside.std() < 0.2 * inside.mean(), "within a district all crossings are alike"
    shares = found["district"].value_counts(normalize=True)
    assert shares.min() > 0.1 * (name == shares.idxmin()).mean()
    with pytest.raises(InputError, match="years must be a first and a last"):
        planted_calls.planted_calls(*at.T, name, per_year=5, years=(2020, 2019), seed=0)
    with pytest.raises(InputError, match="per_year must be more than 0"):
        planted_calls.planted_calls(*at.T, name, per_year=0, years=(2019, 2019), seed=0)


def test_streets_without_an_end_are_refused():
    lost = pd.DataFrame({"start": ["a", None], "end": [None, "b"], "length_m": [10.0, 30.0]})
    with pytest.raises(InputError, match="start must be known of every street, got 'missing in row 1'"):
        travel.street_minutes(lost, ["b"], ["a"])
    with pytest.raises(InputError, match="start must be known"):
        travel.largest_part(lost)
    with pytest.raises(UnknownNameError, match="end"):
        travel.largest_part(lost[["start"]])
