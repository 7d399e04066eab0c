"""Districts tile the city, and what is placed in one lies inside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import union_all
from shapely.geometry import Point

from citylib import seeds
from citylib.data.synthetic.districts import LAYOUTS, NAMES, DistrictsTruth, areas, degrees, ground, table
from citylib.errors import InputError

SEEDS = st.integers(0, 10_000)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(sorted(LAYOUTS)))
def test_districts_tile_the_city(seed, number):
    place = ground(seed, number)
    frame = areas(place)
    assert frame.geometry.is_valid.all()
    shapes = list(frame.geometry)
    np.testing.assert_allclose(union_all(shapes).area, sum(shape.area for shape in shapes), rtol=1e-9)
    assert list(frame["area"]) == list(NAMES[:number])
    assert (frame["population"] > 0).all()


@settings(derandomize=True, max_examples=25, deadline=None)
@given(SEEDS, st.sampled_from(sorted(LAYOUTS)))
def test_what_is_scattered_in_a_district_lies_in_its_polygon(seed, number):
    place = ground(seed, number)
    district = np.repeat(np.arange(number), 30)
    points = place.scatter(seeds.generator(seed, "points"), district)
    frame = areas(place)
    for d in range(number):
        shape = frame.geometry.iloc[d]
        assert all(shape.contains(Point(lon, lat)) for lat, lon in points[district == d])


def test_areas_are_those_of_the_polygons():
    place = ground(3, 12)
    projected = areas(place).to_crs("EPSG:32626")  # UTM zone of 30 degrees west, scale within 0.1 %
    # Local metres take the earth as a sphere of 111.32 km a degree: within 0.5 %.
    np.testing.assert_allclose(table(place)["area_km2"], projected.area / 1e6, rtol=5e-3)


def test_people_live_more_densely_in_the_centre():
    frames = [table(ground(seed, 12)) for seed in range(40)]
    inner = np.mean([f["density_per_km2"].iloc[[5, 6]].mean() for f in frames])
    outer = np.mean([f["density_per_km2"].iloc[[0, 3, 8, 11]].mean() for f in frames])
    # Centres of these districts lie 0.8 and 2.88 km from the city's: law e^((2.88 - 0.8) / 3) = 2.0
    assert inner / outer == pytest.approx(2.0, rel=0.15)


def test_one_law_one_ground():
    a, b = ground(1, 9), ground(1, 9, DistrictsTruth(density_centre=14_000.0))
    np.testing.assert_array_equal(a.corners, b.corners)
    np.testing.assert_allclose(b.population, 2 * a.population, atol=10)  # rounded to tens
    assert degrees(np.zeros(2)).tolist() == [45.0, -30.0]


def test_a_number_without_a_layout_is_refused():
    with pytest.raises(InputError, match="districts must be one of: 4, 6, 9, 12, got 5"):
        ground(0, 5)


@pytest.mark.parametrize("wrong", [{"cell_m": 0.0}, {"warp": 0.3}, {"density_spread": -1.0}])
def test_laws_without_a_city_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        DistrictsTruth(**wrong)
