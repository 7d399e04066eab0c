"""Own areas: districts with figures, with or without outlines."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd

from citylib.data import own_check, schema
from citylib.data.dataset import Dataset, Fault
from citylib.data.own_faults import Faults
from citylib.data.own_open import Opened
from citylib.data.own_table import Raw, is_measured, number
from citylib.errors import InputError

__all__ = ["from_table", "read_areas"]

FORM = schema.form("areas")
WGS84 = "EPSG:4326"


def read_areas(opened: Opened) -> Dataset:
    """Return the areas of a GeoJSON or GeoParquet file.

    Parameters
    ----------
    opened : Opened
        The file.

    Returns
    -------
    Dataset
        Table ``areas``, a GeoDataFrame with the column ``area``.

    Raises
    ------
    InputError
        No GeoJSON, or without features.
    SchemaError
        All faults of the file, with the number of the feature (from 1).
    """
    if opened.ending == ".parquet":
        frame = _geoparquet(opened)
        frame.index = pd.RangeIndex(1, len(frame) + 1)
        if frame.empty:
            raise InputError(f"file {opened.given}", "hold areas", "no rows")
        faults = Faults()
    else:
        frame, faults = _features(opened)
    units: dict[str, str] = {}
    raw = Raw(pd.DataFrame(frame.drop(columns=frame.geometry.name)), units, faults)
    shapes = frame.geometry.rename("geometry")
    return _dataset(raw, opened.given, shapes)


def from_table(raw: Raw, given: str) -> Dataset:
    """Return the areas of a plain table; a column ``geometry`` holds outlines as WKT.

    Parameters
    ----------
    raw : Raw
        The table.
    given : str
        The path, as the user wrote it.

    Returns
    -------
    Dataset
        Table ``areas``: a GeoDataFrame with outlines, a DataFrame without.

    Raises
    ------
    SchemaError
        All faults of the file, with row numbers.
    """
    if "geometry" not in raw.frame.columns:
        return _dataset(raw, given, None)
    import geopandas
    import shapely

    wkt = raw.frame["geometry"]
    shapes = shapely.from_wkt(wkt.fillna("").to_numpy(dtype=object), on_invalid="ignore")
    unreadable = pd.Series([shape is None for shape in shapes], index=wkt.index)
    raw.faults.cells("column 'geometry'", "be WKT such as POLYGON ((0 0, 1 0, 1 1, 0 0))", wkt[unreadable])
    series = geopandas.GeoSeries(shapes, index=wkt.index, crs=WGS84, name="geometry")
    plain = Raw(raw.frame.drop(columns="geometry"), raw.units, raw.faults)
    return _dataset(plain, given, series, told=set(wkt.index[unreadable]))


def _features(opened: Opened) -> tuple[Any, Faults]:
    import geopandas
    import shapely.errors

    argument = f"file {opened.given}"
    try:
        content = json.loads(opened.data)
    except json.JSONDecodeError as error:
        value = f"{error.msg} in line {error.lineno}"
        raise InputError(argument, "be complete GeoJSON", value, "it may be cut off") from None
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list):
        value = content.get("type", "an object without type") if isinstance(content, dict) else type(content).__name__
        raise InputError(argument, "be a GeoJSON FeatureCollection", value)
    if not features:
        raise InputError(argument, "hold areas", "no features")
    faults = Faults("feature")
    crs = content.get("crs", {})
    name = str(crs.get("properties", {}).get("name", "")) if isinstance(crs, dict) else ""
    if name and not name.upper().endswith(("CRS84", "4326")):
        faults.say("crs", "be WGS84 degrees", repr(name), "convert it with geopandas: frame.to_crs(4326)")
    odd = {n: _oddity(f) for n, f in enumerate(features, 1) if _oddity(f)}
    faults.cells("features", "be GeoJSON features with a geometry", pd.Series(odd, dtype=object))
    faults.raise_if_any(argument)
    whole = [{"type": "Feature", "properties": f.get("properties") or {}, "geometry": f["geometry"]} for f in features]
    try:
        frame = geopandas.GeoDataFrame.from_features(whole, crs=WGS84)
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise InputError(argument, "hold GeoJSON geometries", f"{type(error).__name__}: {error}") from None
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame, faults


def _geoparquet(opened: Opened) -> Any:
    import geopandas
    import pyarrow
    import shapely.errors

    try:
        return geopandas.read_parquet(io.BytesIO(opened.data))
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, shapely.errors.ShapelyError) as error:
        value = str(error).split("\n")[0]
        raise InputError(f"file {opened.given}", "be a complete GeoParquet file", value) from None


def _oddity(feature: object) -> str:
    if not isinstance(feature, dict):
        return f"a {type(feature).__name__}"
    if "geometry" not in feature:
        return "no geometry"
    properties = feature.get("properties") or {}
    return "" if isinstance(properties, dict) else f"properties that are a {type(properties).__name__}"


def _dataset(raw: Raw, given: str, shapes: Any, *, told: set[Any] | None = None) -> Dataset:
    frame, faults = raw.frame, raw.faults
    if "area" not in frame.columns:
        faults.missing_column("area", map(str, frame.columns))
    typed = pd.DataFrame(index=frame.index)
    measured = []
    for name in frame.columns:
        if name in ("latitude", "longitude"):
            typed[name] = number(frame[name], faults)
        elif name != "area" and is_measured(frame[name], raw.units.get(name, "")):
            typed[name] = number(frame[name], faults)
            measured.append(str(name))
        else:
            typed[name] = frame[name].map(lambda v: str(v).strip(), na_action="ignore").astype(object)
    if "area" in typed.columns:
        own_check.validate(FORM, typed, faults, counts=_counts(raw, measured), measured=measured)
    if shapes is not None:
        _refuse_shapes(shapes, faults, told or set())
    faults.raise_if_any(f"file {given}")
    found = []
    for name in typed.columns:
        missing = int(typed[name].isna().sum())
        if missing:
            found.append(Fault("missing-value", "Values are missing.", missing, len(typed), "reported", str(name)))
    areas = typed
    if shapes is not None:
        import geopandas

        areas = geopandas.GeoDataFrame(typed, geometry=shapes)
    areas = areas.reset_index(drop=True)
    return Dataset(f"file:{given}", f"Own file {given}", "areas", tables={"areas": areas}, faults=tuple(found))


def _refuse_shapes(shapes: Any, faults: Faults, told: set[Any]) -> None:
    import shapely

    empty = (shapes.isna() | shapes.is_empty) & ~shapes.index.isin(told)
    faults.cells("geometry", "not be empty", pd.Series("nothing", index=shapes.index[empty], dtype=object))
    here = shapes[~(shapes.isna() | shapes.is_empty)]
    broken = here[~here.is_valid]
    with np.errstate(all="ignore"):
        reasons = pd.Series(shapely.is_valid_reason(broken.to_numpy()), index=broken.index, dtype=object)
    faults.cells("geometry", "be valid", reasons, "shapely.make_valid can mend it")
    if shapes.crs is None or shapes.crs.is_geographic:
        box = here.bounds
        out = (box["minx"] < -180) | (box["maxx"] > 180) | (box["miny"] < -90) | (box["maxy"] > 90)
        corner = box.loc[out, ["minx", "miny"]].apply(lambda r: f"{r['minx']:g}, {r['miny']:g}", axis=1)
        rule = "have longitude in [-180, 180] and latitude in [-90, 90]"
        faults.cells("geometry", rule, corner if out.any() else pd.Series(dtype=object), "convert it to WGS84")


def _counts(raw: Raw, measured: list[str]) -> list[str]:
    return [c for c in measured if schema.is_count(c, raw.units.get(c, ""))]
