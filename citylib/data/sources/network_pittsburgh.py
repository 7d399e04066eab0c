"""Streets of Pittsburgh (network-pittsburgh): the drivable graph of 2018 with a 900 m rim, and 90 neighbourhoods.

Made with OSMnx from OpenStreetMap. Traps: blanks are a single space; two-way streets are stored once, so
routing needs their reverse (`with_reverse`); the graph has 101 components, only the largest of which is the
city; speed limits are mapped for 9 % of the segments and lanes for 16 %; class, lanes and limits are sometimes a list
written as text. There is no demand and no population: demand on it is planted, and must be called so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import formats, reading

__all__ = ["read", "with_reverse"]

KMH = 1.609344  # km/h in a mile an hour
SQUARE_MILE = 2.589988110336  # km²


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the graph and the neighbourhoods.

    Parameters
    ----------
    paths : mapping of str to Path
        ``pittsburgh_nodes.csv.gz``, ``pittsburgh_edges.csv.gz``, ``pittsburgh_neighborhoods.geojson.gz``.

    Returns
    -------
    Dataset
        Tables ``nodes`` (node, latitude, longitude, district, control, outside, component: 0 is the largest),
        ``edges`` (edge, start, end, length_m, road, road_class, speed_limit_kmh, lanes, one_way, bridge, tunnel,
        outside; two-way streets once) and ``areas`` (area, area_km2, geometry in WGS84).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, a node repeats, or an edge names an unknown node.
    """
    nodes = _nodes(reading.find(paths, "pittsburgh_nodes.csv.gz"))
    path = reading.find(paths, "pittsburgh_edges.csv.gz")
    raw = _raw_edges(path)
    start, end = (pd.Index(nodes["node"]).get_indexer(raw[c]) for c in ("from_", "to"))
    if (start < 0).any() or (end < 0).any():
        at = int(np.argmax((start < 0) | (end < 0)))
        raise reading.refuse(
            path.name, f"both ends must be nodes of pittsburgh_nodes.csv.gz, line {at + 2} names another"
        )
    edges = _edges(raw)
    nodes["component"] = _components(start, end, len(nodes))
    return Dataset(
        name="network-pittsburgh",
        title="Street graph of Pittsburgh and its neighbourhoods",
        kind="graph",
        tables={
            "nodes": nodes,
            "edges": edges,
            "areas": _areas(reading.find(paths, "pittsburgh_neighborhoods.geojson.gz")),
        },
        faults=_faults(nodes, edges, raw),
    )


def with_reverse(edges: pd.DataFrame) -> pd.DataFrame:
    """Return the edges with the reverse of every two-way street added, for routing.

    Parameters
    ----------
    edges : pandas.DataFrame
        Table ``edges``: start, end, one_way and more.

    Returns
    -------
    pandas.DataFrame
        A column ``reverse`` more; self-loops are not doubled.

    Examples
    --------
    >>> e = pd.DataFrame({"start": ["a", "b"], "end": ["b", "c"], "one_way": [False, True]})
    >>> with_reverse(e)[["start", "end", "reverse"]].to_numpy().tolist()
    [['a', 'b', False], ['b', 'c', False], ['b', 'a', True]]
    """
    back = edges[~edges["one_way"] & (edges["start"] != edges["end"])]
    back = back.assign(start=back["end"], end=back["start"], reverse=True)
    return pd.concat([edges.assign(reverse=False), back], ignore_index=True)


def _nodes(path: Path) -> pd.DataFrame:
    raw = reading.read_csv(
        path, text=("osmid", "highway", "ngh_name"), numbers=("lat", "lon", "out_pgh"), missing=("", " ")
    )
    if raw["osmid"].duplicated().any():
        raise reading.refuse(
            path.name, f"column 'osmid' must be unique, got {raw.loc[raw['osmid'].duplicated(), 'osmid'].iloc[0]}"
        )
    return pd.DataFrame(
        {
            "node": raw["osmid"],
            "latitude": raw["lat"],
            "longitude": raw["lon"],
            "district": raw["ngh_name"],
            "control": raw["highway"],
            "outside": raw["out_pgh"] == 1,
        }
    )


def _raw_edges(path: Path) -> pd.DataFrame:
    words = ("FID", "from_", "to", "name", "highway", "maxspeed", "lanes", "oneway", "bridge", "tunnel", "osmid")
    return reading.read_csv(path, text=words, numbers=("length", "out_pgh"), missing=("", " "))


def _edges(raw: pd.DataFrame) -> pd.DataFrame:
    speed = _first(raw["maxspeed"]).str.extract(r"(\d+)", expand=False).astype(float)
    return pd.DataFrame(
        {
            "edge": raw["FID"],
            "start": raw["from_"],
            "end": raw["to"],
            "length_m": raw["length"],
            "road": _first(raw["name"]),
            "road_class": _first(raw["highway"]),
            "speed_limit_kmh": np.round(speed * KMH, 1),
            "lanes": pd.to_numeric(_first(raw["lanes"]), errors="coerce"),
            "one_way": raw["oneway"] == "True",
            "bridge": raw["bridge"].notna(),
            "tunnel": raw["tunnel"].notna(),
            "way": raw["osmid"],
            "outside": raw["out_pgh"] == 1,
        }
    )


def _first(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return the first word of cells that are a list written as text, the others as they are."""
    listed = _listed(column)
    return column.where(~listed, column.str.strip("[]").str.split(",").str[0].str.strip(" '\""))


def _listed(column: pd.Series[Any]) -> pd.Series[bool]:
    return column.str.startswith("[", na=False).astype(bool)


def _components(start: npt.NDArray[np.intp], end: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.int64]:
    """Return the number of each node's weakly connected component, 0 for the largest."""
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(size, size))
    label = connected_components(graph, directed=True, connection="weak")[1]
    rank = np.argsort(np.argsort(-np.bincount(label), kind="stable"), kind="stable")
    return np.asarray(rank[label], dtype=np.int64)


def _areas(path: Path) -> Any:
    areas = formats.features(path, ("hood", "sqmiles"), "EPSG:4326")
    areas["area_km2"] = formats.numeric(path, areas["sqmiles"], "sqmiles") * SQUARE_MILE
    return areas.rename(columns={"hood": "area"})[["area", "area_km2", "geometry"]]


def _faults(nodes: pd.DataFrame, edges: pd.DataFrame, raw: pd.DataFrame) -> tuple[Fault, ...]:
    rows, size = len(edges), len(nodes)
    lists = sum(int(_listed(raw[c]).sum()) for c in ("highway", "name", "lanes", "maxspeed"))
    parts = int(nodes["component"].max()) + 1
    once = "Two-way streets stand once: routing needs their reverse"
    apart = f"Nodes outside the largest of {parts} components: no way leads there"
    listed = "Cells that are a list written as text; its first word is kept"
    limit, lanes = edges["speed_limit_kmh"].isna().sum(), edges["lanes"].isna().sum()
    loops, away = (edges["start"] == edges["end"]).sum(), (nodes["component"] > 0).sum()
    said = reading.fault
    return (
        *said("stored-once", once, (~edges["one_way"]).sum(), rows, "reported", "edges"),
        *said("not-connected", apart, away, size, "reported", "nodes.component"),
        *said("speed-missing", "The speed limit is not mapped", limit, rows, "reported", "edges.speed_limit_kmh"),
        *said("lanes-missing", "The number of lanes is not mapped", lanes, rows, "reported", "edges.lanes"),
        *said("list-as-text", listed, lists, 4 * rows, "mended", "edges"),
        *said("self-loop", "Streets that end where they begin", loops, rows, "reported", "edges"),
        *said(
            "outside-city",
            "Nodes in the rim outside the city",
            nodes["outside"].sum(),
            size,
            "reported",
            "nodes.outside",
        ),
    )
