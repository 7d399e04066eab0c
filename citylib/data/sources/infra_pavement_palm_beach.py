"""Pavement of Palm Beach County (infra-pavement-palm-beach): roughness of 3,431 highway segments, one survey.

Traps: length and roughness are all there is, no date of construction and no traffic, so the data carry
autocorrelation but no regression; the rating is not a function of the roughness alone (cracking and rutting count
too); a few geometries are far longer than the segment they stand for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from citylib.data.dataset import Dataset
from citylib.data.sources import formats, reading

__all__ = ["read"]

FILE = "pavement_iri.geojson.gz"
MILE = 1609.344  # m
GOOD, POOR = 95.0, 170.0  # in/mi: under this roughness rates good, over this poor (23 CFR 490.313)
LONGER = 50.0  # m: more than this between the geometry and the stated length is no rounding
_COLUMNS = {
    "OBJECTID": "area",
    "RoadwayID__": "roadway",
    "pm_pavement": "rating",
    "START_Length___mi_": "length_m",
    "START_IRI_Avg___in_mi_": "iri_in_mi",
    "Shape_Length": "geometry_m",
}


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the segments.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pavement_iri.geojson.gz``, packed or not.

    Returns
    -------
    Dataset
        Table ``areas``, a GeoDataFrame of lines in WGS84 (area, roadway, rating, length_m, iri_in_mi [in/mi],
        geometry_m).

    Raises
    ------
    SchemaError
        It is no GeoJSON, lacks a column, or a number is none.
    """
    path = reading.find(paths, FILE)
    areas = formats.features(path, list(_COLUMNS), "EPSG:4326").rename(columns=_COLUMNS)
    for column in ("length_m", "iri_in_mi", "geometry_m"):
        areas[column] = formats.numeric(path, areas[column], column)
    areas["length_m"] *= MILE
    for column in ("area", "roadway"):
        areas[column] = areas[column].astype(str)
    roughness = pd.Series("Fair", index=areas.index)
    roughness = roughness.mask(areas["iri_in_mi"] < GOOD, "Good").mask(areas["iri_in_mi"] > POOR, "Poor")
    return Dataset(
        name="infra-pavement-palm-beach",
        title="Pavement roughness of highways in Palm Beach County",
        kind="areas",
        tables={"areas": areas},
        faults=(
            *reading.fault(
                "rating-not-by-roughness",
                f"The rating is not that of the roughness alone (good under {GOOD:g}, poor over {POOR:g} in/mi)",
                (roughness != areas["rating"]).sum(),
                len(areas),
                "reported",
                "areas.rating",
            ),
            *reading.fault(
                "length-disagrees",
                f"The geometry is more than {LONGER:g} m longer or shorter than the stated length",
                ((areas["geometry_m"] - areas["length_m"]).abs() > LONGER).sum(),
                len(areas),
                "reported",
                "areas.geometry_m",
            ),
            *reading.fault(
                "undated",
                "No date of construction or survey: no life can be estimated",
                len(areas),
                len(areas),
                "reported",
            ),
        ),
    )
