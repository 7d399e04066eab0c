"""Files that are no CSV: GeoJSON, Parquet and arrays, checked as they are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data.sources.reading import bad_cells, content, need
from citylib.errors import SchemaError

__all__ = ["arrays", "features", "numeric", "parquet"]


def features(path: Path, columns: Sequence[str], crs: str | None) -> Any:
    """Return a GeoJSON file as a GeoDataFrame with the named columns and ``geometry``.

    Parameters
    ----------
    path : Path
        The file, gzip or plain.
    columns : sequence of str
        Properties wanted.
    crs : str or None
        Its coordinate system, whatever the file says; None: none.

    Returns
    -------
    geopandas.GeoDataFrame

    Raises
    ------
    SchemaError
        It is no GeoJSON, has no features, or lacks a column.
    """
    import geopandas

    try:
        found = json.loads(content(path))["features"]
        frame = geopandas.GeoDataFrame.from_features(found, crs=crs)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SchemaError(path.name, [f"the file must be a GeoJSON collection of features: {error!r}"]) from None
    if not len(frame):
        raise SchemaError(path.name, ["the file must have features, and it has none"])
    need(path, columns, frame.columns)
    return frame[[*columns, "geometry"]]


def numeric(path: Path, column: Any, name: str) -> pd.Series[float]:
    """Return a column of properties as float64.

    Parameters
    ----------
    path : Path
        The file it comes from, for the refusal.
    column : pandas.Series
        Its values.
    name : str
        Its name, for the refusal.

    Returns
    -------
    pandas.Series of float64

    Raises
    ------
    SchemaError
        A value is no number.
    """
    typed: pd.Series[float] = pd.to_numeric(column, errors="coerce").astype("float64")
    faults = bad_cells(column, typed, name, "be a number", 1)
    if faults:
        raise SchemaError(path.name, faults)
    return typed


def arrays(path: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Return the named arrays of an npz file; pickled objects are refused.

    Parameters
    ----------
    path : Path
        The file.
    names : sequence of str
        Arrays wanted.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    SchemaError
        It is no npz file, lacks an array, or holds objects.
    """
    try:
        with np.load(path, allow_pickle=False) as held:
            need(path, names, held.files, "array")
            return {name: held[name] for name in names}
    except SchemaError:
        raise
    except Exception as error:
        raise SchemaError(path.name, [f"the file must be an npz archive of plain arrays: {error}"]) from None


def parquet(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return the named columns of a Parquet file, with its index.

    Parameters
    ----------
    path : Path
        The file.
    columns : sequence of str
        Columns wanted.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    SchemaError
        It is no Parquet file, or lacks a column.
    """
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise SchemaError(path.name, [f"the file must be Parquet: {error}"]) from None
    need(path, columns, frame.columns)
    return frame[list(columns)]
