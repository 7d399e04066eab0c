"""The plane of a city: lengths against the sphere, squares that cover, points counted once."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely

from citylib.errors import InputError
from citylib.spatial import plane


def great_circle(a, b):
    """Length in metres on a sphere of 6,371 km (haversine)."""
    lon, lat = np.radians([a[0], b[0]]), np.radians([a[1], b[1]])
    h = np.sin((lat[1] - lat[0]) / 2) ** 2 + np.cos(lat[0]) * np.cos(lat[1]) * np.sin((lon[1] - lon[0]) / 2) ** 2
    return 2 * 6_371_000 * np.arcsin(np.sqrt(h))


@pytest.mark.parametrize("latitude", [-34.0, 0.0, 45.5, 60.0])
def test_lengths_within_a_city_are_those_of_the_sphere(latitude):
    here = plane.Plane(longitude=-73.6, latitude=latitude)
    rng = np.random.default_rng(0)
    at = np.column_stack([-73.6 + rng.uniform(-0.2, 0.2, 40), latitude + rng.uniform(-0.15, 0.15, 40)])
    xy = here.metres(*at.T)
    for i in range(0, 40, 2):
        known = great_circle(at[i], at[i + 1])
        # d(cos) / cos over 0.15 degrees is tan(latitude) * 0.0026: 0.46 % at 60 degrees
        assert np.hypot(*(xy[i] - xy[i + 1])) == pytest.approx(known, rel=0.005)


def test_degrees_are_projected_and_other_planes_left_alone():
    box = shapely.box(-73.7, 45.4, -73.5, 45.6)
    shapes, flat = plane.outlines(geopandas.GeoDataFrame(geometry=[box], crs="EPSG:4326"))
    assert flat is not None
    assert shapely.area(shapes[0]) / 1e6 == pytest.approx(0.2 * 0.2 * 111.195**2 * np.cos(np.radians(45.5)), rel=1e-9)
    same, none = plane.outlines(geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 3, 3)]))
    assert none is None
    assert shapely.area(same[0]) == 9


def test_squares_cover_the_ground_but_for_slivers():
    ground = shapely.Polygon([(0, 0), (1000, 100), (900, 1200), (50, 1000)])
    every = plane.squares(ground, 100.0, least=0.0)
    assert shapely.area(every).sum() == pytest.approx(ground.area)
    kept = plane.squares(ground, 100.0)
    assert (shapely.area(kept) >= 0.25 * 100**2).all()
    assert len(kept) < len(every)


def test_each_point_counts_once():
    rng = np.random.default_rng(1)
    at = np.vstack([rng.uniform(0, 2, (500, 2)), [[1.0, 0.5], [1.0, 1.0], [5.0, 5.0]]])
    tiles = [shapely.box(x, y, x + 1, y + 1) for y in (0, 1) for x in (0, 1)]
    counts, outside = plane.count_in(tiles, at)
    assert counts.sum() + outside == len(at)
    assert outside == 1
    inside = at[:500]
    assert counts[3] == ((inside >= 1).all(axis=1)).sum()


def test_refusals():
    with pytest.raises(InputError, match="latitude must be at most 85"):
        plane.Plane(longitude=0.0, latitude=90.0)
    wide = geopandas.GeoDataFrame(geometry=[shapely.box(0, 40, 9, 41)], crs="EPSG:4326")
    with pytest.raises(InputError, match="frame must span 4 degrees at most, as a city does, got '9'"):
        plane.outlines(wide)
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(InputError, match=r"frame must hold valid geometries.*rows 1"):
        plane.outlines(geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), bow]))
    with pytest.raises(InputError, match=r"frame must hold valid geometries.*rows 0"):
        plane.outlines(geopandas.GeoDataFrame(geometry=[None]))
    with pytest.raises(InputError, match="side must be more than 0"):
        plane.squares(shapely.box(0, 0, 1, 1), 0.0)
    with pytest.raises(InputError, match="side must lay at most 20,000 squares"):
        plane.squares(shapely.box(0, 0, 1, 1), 0.001)
    with pytest.raises(InputError, match="ground must hold 25% of a square"):
        plane.squares(shapely.box(0, 0, 1, 1), 10.0)
    with pytest.raises(InputError, match="points must be finite"):
        plane.count_in([shapely.box(0, 0, 1, 1)], [[np.inf, 0.0]])
    with pytest.raises(InputError, match=r"points must have shape \(points, 2\)"):
        plane.count_in([shapely.box(0, 0, 1, 1)], [[0.0, 0.0, 0.0]])
