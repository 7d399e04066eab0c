"""Two small classics (spatial-examples): crime in 49 neighbourhoods of Columbus, prices of 211 houses in Baltimore.

Traps: both are too small for a verdict between models, so show intervals; the coordinates of Columbus are
arbitrary, those of Baltimore a local grid that the file calls degrees.

References
----------
Anselin, L. (1988). Spatial Econometrics: Methods and Models. Kluwer, table 12.1.
Dubin, R. A. (1992). Spatial autocorrelation and neighborhood quality. Regional Science and Urban Economics 22, 433-452.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from citylib.data.dataset import Dataset
from citylib.data.sources import formats, reading

__all__ = ["read"]

_COLUMBUS = {
    "POLYID": "area",
    "CRIME": "crime",
    "INC": "income",
    "HOVAL": "home_value",
    "OPEN": "open_space",
    "PLUMB": "no_plumbing",
    "DISCBD": "distance_centre",
    "X": "x",
    "Y": "y",
    "NSA": "north",
    "EW": "east",
    "CP": "core",
}
_BALTIMORE = {
    "STATION": "house",
    "PRICE": "price",
    "NROOM": "rooms",
    "DWELL": "detached",
    "NBATH": "baths",
    "PATIO": "patio",
    "FIREPL": "fireplace",
    "AC": "air_conditioning",
    "BMENT": "basement",
    "NSTOR": "storeys",
    "GAR": "garage",
    "AGE": "age_years",
    "CITCOU": "county",
    "LOTSZ": "lot_100_sqft",
    "SQFT": "living_100_sqft",
    "X": "x",
    "Y": "y",
}


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read both sets.

    Parameters
    ----------
    paths : mapping of str to Path
        ``columbus_crime.geojson.gz`` and ``baltimore_houses.geojson.gz``, packed or not.

    Returns
    -------
    Dataset
        Tables ``areas`` (Columbus: area, crime [burglaries and car thefts per 1,000 households], income, home_value
        [1,000 US dollars], ...) and ``houses`` (Baltimore: house, price [1,000 US dollars], ...), GeoDataFrames without
        a coordinate system.

    Raises
    ------
    SchemaError
        One is no GeoJSON, lacks a column, or a number is none.
    """
    columbus = _table(reading.find(paths, "columbus_crime.geojson.gz"), _COLUMBUS, "area")
    baltimore = _table(reading.find(paths, "baltimore_houses.geojson.gz"), _BALTIMORE, "house")
    return Dataset(
        name="spatial-examples",
        title="Crime in Columbus, house prices in Baltimore",
        kind="areas",
        tables={"areas": columbus, "houses": baltimore},
        faults=(
            *reading.fault(
                "arbitrary-coordinates",
                "Coordinates have no unit: distances mean nothing, neighbourhood does",
                len(columbus),
                len(columbus),
                "reported",
                "areas.geometry",
            ),
            *reading.fault(
                "not-degrees",
                "The file calls its coordinates degrees; they are a local grid, and the claim is dropped",
                len(baltimore),
                len(baltimore),
                "mended",
                "houses.geometry",
            ),
        ),
    )


def _table(path: Path, columns: Mapping[str, str], key: str) -> Any:
    frame = formats.features(path, list(columns), None).rename(columns=dict(columns))
    for column in columns.values():
        frame[column] = formats.numeric(path, frame[column], column)
    frame[key] = frame[key].astype(int).astype(str)
    return frame
