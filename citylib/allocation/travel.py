"""How long it takes to get there: minutes over the sphere with a detour, or along a directed street graph.

Legend: P places that are reached, S sites that are left from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from citylib import checks
from citylib.errors import InputError, UnknownNameError

__all__ = ["DETOUR", "RADIUS_KM", "great_circle_minutes", "largest_part", "nearest", "street_minutes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RADIUS_KM = 6371.0
DETOUR = 1.35  # streets are so much longer than the straight line, where no street graph is at hand


def great_circle_minutes(
    places: npt.ArrayLike, sites: npt.ArrayLike, *, speed: float = 30.0, detour: float = DETOUR
) -> FloatArray:
    """Return minutes from every site to every place: the great circle times a detour, at one speed.

    Parameters
    ----------
    places : array_like, shape (P, 2)
        Latitude and longitude [degrees].
    sites : array_like, shape (S, 2)
        The same of the sites.
    speed : float, default 30
        In km/h, above 0.
    detour : float, default 1.35
        Length of the way over that of the great circle, 1 or more.

    Returns
    -------
    ndarray, shape (P, S)
        In minutes.

    Raises
    ------
    InputError
        Missing or impossible coordinates, a speed of 0 or less, a detour below 1.

    Examples
    --------
    >>> great_circle_minutes([[45.5, -73.6]], [[45.5, -73.6], [45.51, -73.6]]).round(2).tolist()
    [[0.0, 3.0]]
    """
    to, out = _degrees("places", places), _degrees("sites", sites)
    kmh, longer = checks.number("speed", speed, above=0), checks.number("detour", detour, minimum=1)
    a, b = np.radians(to)[:, None], np.radians(out)[None]
    half = np.sin((a - b) / 2) ** 2
    chord = half[..., 0] + np.cos(a[..., 0]) * np.cos(b[..., 0]) * half[..., 1]
    return np.asarray(2 * RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1))) * longer / kmh * 60)


def street_minutes(
    edges: pd.DataFrame, places: Sequence[Any], sites: Sequence[Any], *, speed: float | str = 30.0
) -> FloatArray:
    """Return minutes of the shortest way along directed streets, from every site to every place.

    Parameters
    ----------
    edges : pandas.DataFrame
        start, end, length_m [m], one row a direction: a two-way street has two.
    places, sites : sequence
        Nodes of the graph: ends and starts of the ways.
    speed : float or str, default 30
        In km/h on all streets, or the name of a column of `edges` that holds it.

    Returns
    -------
    ndarray, shape (P, S)
        In minutes.

    Raises
    ------
    InputError
        No streets; an end that is missing; lengths that are missing or negative, speeds that are not above 0; a place
        that cannot be reached from some site.
    UnknownNameError
        A place or site that is no node; a column that is not there.

    Examples
    --------
    >>> e = pd.DataFrame({"start": ["a", "b"], "end": ["b", "a"], "length_m": [500.0, 1000.0]})
    >>> street_minutes(e, ["a", "b"], ["a"]).tolist()
    [[0.0], [1.0]]
    """
    _streets(edges, "start", "end", "length_m")
    length = checks.array("length_m", edges["length_m"], ndim=1, minimum=0)
    kmh = np.full(len(edges), checks.number("speed", speed, above=0)) if not isinstance(speed, str) else None
    if kmh is None:
        if speed not in edges:
            raise UnknownNameError("column of edges", str(speed), map(str, edges.columns))
        kmh = checks.series("speed", edges[speed])
        if (kmh <= 0).any():
            raise InputError("speed", "be above 0", float(kmh.min()))
    nodes = pd.Index(pd.unique(np.concatenate([edges["start"].to_numpy(), edges["end"].to_numpy()])))
    end, start = (nodes.get_indexer(edges[k]) for k in ("end", "start"))
    to, out = _positions("places", places, nodes), _positions("sites", sites, nodes)
    lasts = length / 1000 / kmh * 60
    order = np.lexsort((lasts, end, start))  # of parallel streets the fastest comes first
    order = order[start[order] != end[order]]
    pair = start[order] * len(nodes) + end[order]
    order = order[np.unique(pair, return_index=True)[1]]
    minutes = np.maximum(lasts[order], 1e-9)  # a stored 0 would be no street at all
    graph = sparse.csr_array((minutes, (start[order], end[order])), shape=(len(nodes), len(nodes)))
    each, where = np.unique(out, return_inverse=True)
    found = np.asarray(dijkstra(graph, indices=each))[where][:, to].T
    lost = ~np.isfinite(found)
    if lost.any():
        place, site = (int(k) for k in np.argwhere(lost)[0])
        raise InputError(
            "edges",
            "lead from every site to every place",
            f"{int(lost.any(axis=1).sum())} of {len(to)} places cut off, such as {places[place]} from {sites[site]}",
            "keep the largest strongly connected part",
        )
    return np.asarray(found)


def largest_part(edges: pd.DataFrame) -> pd.DataFrame:
    """Return the edges among which every crossing can be reached from every other, of the largest such part.

    Parameters
    ----------
    edges : pandas.DataFrame
        start, end; one row a direction.

    Returns
    -------
    pandas.DataFrame
        The rows of `edges` whose two ends lie in it.

    Raises
    ------
    InputError
        No streets, an end that is missing.
    UnknownNameError
        A column that is not there.

    Examples
    --------
    >>> e = pd.DataFrame({"start": ["a", "b", "b"], "end": ["b", "a", "c"]})
    >>> largest_part(e)[["start", "end"]].to_numpy().tolist()
    [['a', 'b'], ['b', 'a']]
    """
    _streets(edges, "start", "end")
    number, _ = pd.factorize(np.concatenate([edges["start"].to_numpy(), edges["end"].to_numpy()]))
    start, end = np.split(number, 2)
    count = int(number.max()) + 1
    graph = sparse.csr_array((np.ones(len(start)), (start, end)), shape=(count, count))
    part = connected_components(graph, connection="strong")[1]
    largest = int(np.bincount(part).argmax())
    kept: pd.DataFrame = edges[(part[start] == largest) & (part[end] == largest)]
    return kept


def nearest(places: npt.ArrayLike, among: npt.ArrayLike) -> IntArray:
    """Return the position, in `among`, of what lies nearest to each place on the great circle.

    Parameters
    ----------
    places : array_like, shape (P, 2)
        Latitude and longitude [degrees].
    among : array_like, shape (n, 2)
        The same of what is looked for.

    Returns
    -------
    ndarray of int, shape (P,)

    Raises
    ------
    InputError
        Missing or impossible coordinates.

    Examples
    --------
    >>> nearest([[45.0, -73.0]], [[44.0, -73.0], [45.1, -73.0]]).tolist()
    [1]
    """
    from scipy.spatial import KDTree

    return np.asarray(KDTree(_ball(_degrees("among", among))).query(_ball(_degrees("places", places)))[1])


def _ball(degrees: FloatArray) -> FloatArray:
    latitude, longitude = np.radians(degrees).T
    level = np.cos(latitude)
    return np.column_stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)])


def _degrees(argument: str, value: npt.ArrayLike) -> FloatArray:
    found = checks.matrix(argument, value)
    if found.shape[1] != 2:
        raise InputError(argument, "have two columns, latitude and longitude", found.shape)
    if _far(found).any():
        raise InputError(
            argument, "hold latitudes up to 90 and longitudes up to 180 degrees", found[_far(found)][0].tolist()
        )
    return found


def _far(degrees: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray((np.abs(degrees) > [90, 180]).any(axis=1))


def _streets(edges: pd.DataFrame, *columns: str) -> None:
    """Say what is wrong with streets, if their columns are not there or an end is missing."""
    for column in columns:
        if column not in edges:
            raise UnknownNameError("column of edges", column, map(str, edges.columns))
    if not len(edges):
        raise InputError("edges", "hold at least one street", 0)
    for column in ("start", "end"):
        lost = edges[column].isna().to_numpy()
        if lost.any():
            raise InputError(column, "be known of every street", f"missing in row {int(lost.argmax())}")


def _positions(argument: str, wanted: Sequence[Any], nodes: pd.Index) -> IntArray:
    at = nodes.get_indexer(pd.Index(list(wanted)))
    if not len(at):
        raise InputError(argument, "hold at least one node", 0)
    if (at < 0).any():
        raise UnknownNameError(f"node of {argument}", str(wanted[int(np.argmax(at < 0))]), map(str, nodes[:2000]))
    return np.asarray(at, dtype=np.int64)
