"""Sensors of a place put together: a dead one is no drop; and where a place lies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib import data
from citylib.data import places
from citylib.data.dataset import Dataset
from citylib.errors import InputError, UnknownNameError
from citylib.panel import Panel

TIMES = np.arange("2026-01-01T00", "2026-01-03T00", dtype="datetime64[h]")


@pytest.fixture
def panel() -> Panel:
    draw = np.random.default_rng(0)
    values = draw.poisson(100, (len(TIMES), 4)).astype(float)
    values[draw.random(values.shape) < 0.05] = np.nan
    values[5:, 3] = np.nan  # hardly ever there
    return Panel(values, TIMES, ("a", "b", "c", "d"), "veh/h", coordinates=[[1, 2], [3, 4], [np.nan, np.nan], [5, 6]])


@pytest.mark.parametrize("how", ["sum", "mean"])
def test_a_step_counts_only_where_every_sensor_is_read(panel: Panel, how: str) -> None:
    groups = {"one": ["a", "c"], "two": ["b", "d"]}
    made = places.together(panel, groups, how=how)
    kept = {"one": ["a", "c"], "two": ["b"]}
    for name, sensors in kept.items():
        for step in range(len(TIMES)):
            read = [panel.series(s)[step] for s in sensors]
            expected = sum(read) / (len(read) if how == "mean" else 1)
            np.testing.assert_allclose(made.series(name)[step], expected)
    assert made.unit == "veh/h"
    np.testing.assert_array_equal(made.coordinates, [[1, 2], [3, 4]])


def test_a_sensor_that_fails_does_not_make_a_place_quiet() -> None:
    values = np.full((len(TIMES), 2), 100.0)
    values[10:20, 1] = np.nan
    made = places.together(Panel(values, TIMES, ("a", "b"), "veh/h"), {"here": ["a", "b"]})
    assert np.nanmin(made.values) == 200
    assert int(np.isnan(made.values).sum()) == 10


def test_a_place_without_a_sensor_that_is_complete_enough_is_refused(panel: Panel) -> None:
    with pytest.raises(InputError, match=r"complete must leave two a sensor \(its fullest has 10.4% of all steps\)"):
        places.together(panel, {"two": ["d"]})
    with pytest.raises(UnknownNameError):
        places.together(panel, {"two": ["x"]})
    with pytest.raises(InputError, match="how"):
        places.together(panel, {"two": ["a"]}, how="max")


def test_sensors_belong_to_the_places_a_table_says(panel: Panel) -> None:
    tables = {
        "others": pd.DataFrame({"sensor": ["x"], "district": ["Z"]}),
        "sensors": pd.DataFrame({"sensor": ["d", "b", "a"], "district": ["B", None, "A"], "road": [1, 2, 3]}),
    }
    city = Dataset("made", "Made", "panel", panels={"flow": panel}, tables=tables)
    assert places.sensors_of(city, panel, "district") == {"A": ("a",), "B": ("d",)}
    assert places.sensors_of(city, panel) == {s: (s,) for s in panel.sensors}
    with pytest.raises(UnknownNameError, match="did you mean 'district'"):
        places.sensors_of(city, panel, "distric")


def test_districts_of_the_city_have_outlines_and_sensors_points() -> None:
    city = data.load("synthetic:tiny")
    flow = city.panel()
    groups = places.sensors_of(city, flow, "district")
    made = places.together(flow, groups, how="mean")
    assert set(groups) == set(city.table("sensors")["district"])
    corners = places.outline(city, made, "Kiln Yard")
    shape = city.table("areas").set_index("area").loc["Kiln Yard", "geometry"]
    np.testing.assert_allclose(corners[["longitude", "latitude"]], np.asarray(shape.exterior.coords), atol=1e-6)
    spot = places.outline(city, flow, "S02")
    np.testing.assert_allclose(spot[["latitude", "longitude"]].to_numpy()[0], flow.coordinates[1], atol=1e-6)
    assert places.outline(city, city.panel("rain"), "city").empty


def test_an_outline_with_too_many_corners_is_made_coarser() -> None:
    import geopandas as gpd
    from shapely.geometry import MultiPolygon, Point

    round_one = MultiPolygon([Point(7, 45).buffer(0.1, quad_segs=500), Point(8, 45).buffer(0.1, quad_segs=500)])
    areas = gpd.GeoDataFrame({"area": ["A"]}, geometry=[round_one], crs="EPSG:4326")
    empty = Panel(np.ones((2, 1)), TIMES[:2], ("A",), "x")
    made = places.outline(Dataset("made", "Made", "areas", tables={"areas": areas}), empty, "A")
    assert sorted(set(made["part"])) == [0, 1]
    assert 20 < len(made) <= places.MOST_CORNERS
    away = np.hypot(made["longitude"] - 7 - made["part"], made["latitude"] - 45)
    np.testing.assert_allclose(away, 0.1, atol=0.005)
