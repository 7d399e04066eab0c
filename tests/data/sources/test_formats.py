"""GeoJSON, Parquet and arrays: refused where they are none, lack something or hold objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from citylib.data.sources import formats
from citylib.errors import SchemaError


def file(folder: Path, data: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_arrays_refuse_objects_and_what_is_lacking(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3))
    assert formats.arrays(path, ["a"])["a"].tolist() == [0, 1, 2]
    with pytest.raises(SchemaError, match="array 'b' must be there"):
        formats.arrays(path, ["b"])
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(SchemaError, match="plain arrays"):
        formats.arrays(path, ["a"])
    with pytest.raises(SchemaError, match="npz"):
        formats.arrays(file(tmp_path, b"no npz", "b.npz"), ["a"])


def test_parquet_is_refused_where_it_is_none_or_lacks_a_column(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(path)
    assert list(formats.parquet(path, ["a"])) == ["a"]
    with pytest.raises(SchemaError, match="column 'b' must be there"):
        formats.parquet(path, ["b"])
    with pytest.raises(SchemaError, match="must be Parquet"):
        formats.parquet(file(tmp_path, b"no parquet", "b.parquet"), ["a"])


def test_properties_must_be_numbers(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="column 'n' must be a number"):
        formats.numeric(tmp_path / "a.geojson", pd.Series(["1", "x"]), "n")


def test_features_have_the_columns_wanted_and_the_system_given(tmp_path: Path) -> None:
    data = b'{"features": [{"type": "Feature", "properties": {"a": 1, "b": 2}, "geometry": null}]}'
    frame = formats.features(file(tmp_path, data, "a.geojson"), ["a"], "EPSG:4326")
    assert list(frame) == ["a", "geometry"]
    assert frame.crs == "EPSG:4326"
    with pytest.raises(SchemaError, match="column 'c' must be there; the file has: geometry, a, b"):
        formats.features(file(tmp_path, data, "a.geojson"), ["c"], None)
