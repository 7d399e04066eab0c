"""Own areas: GeoJSON, GeoParquet, CSV with and without outlines."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import box

from citylib.data import own_files

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def collection(*properties: dict[str, Any], geometry: Any = SQUARE) -> str:
    features = [{"type": "Feature", "properties": p, "geometry": geometry} for p in properties]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.mark.parametrize("name", ["a.geojson", "a.json", "a.geojson.gz"])
def test_geojson(tmp_path: Path, name: str) -> None:
    text = collection({"area": "North", "population": 12400, "kind": "old"}, {"area": "South", "population": None})
    raw = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    dataset = own_files.read(str(tmp_path / name))
    areas = dataset.table("areas")
    assert isinstance(areas, geopandas.GeoDataFrame)
    assert (dataset.kind, areas["area"].tolist(), areas.crs.to_epsg()) == ("areas", ["North", "South"], 4326)
    assert areas["population"].tolist()[0] == 12400
    assert {f.where for f in dataset.faults} == {"population", "kind"}


def test_geoparquet_keeps_its_coordinate_system(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"area": ["a", "b"], "n": [1, 2]}, geometry=[box(0, 0, 900, 900), box(900, 0, 1800, 900)], crs=32633
    )
    frame.to_parquet(tmp_path / "a.parquet")
    areas = own_files.read(str(tmp_path / "a.parquet")).table("areas")
    assert areas.crs.to_epsg() == 32633
    assert areas.area.tolist() == [810000.0, 810000.0]


def test_csv_with_and_without_outlines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("area,population,latitude,longitude\nNorth,12400,48.1,11.5\nSouth,,48.2,11.6\n")
    dataset = own_files.read(str(path))
    assert not isinstance(dataset.table("areas"), geopandas.GeoDataFrame)
    assert [f.where for f in dataset.faults] == ["population"]
    path.write_text('area,geometry\nNorth,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\n')
    areas = own_files.read(str(path)).table("areas")
    assert areas.geometry.total_bounds.tolist() == [0, 0, 1, 1]
