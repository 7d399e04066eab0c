"""Who is whose neighbour: weights of places by common borders, by distance, by the nearest, along streets.

Each builder returns a sparse matrix with 1 where the place of the column is a neighbour of the place of the row, and
nothing elsewhere; places without neighbours (islands) are rows without entries, for the caller to see and to settle
before anything is computed. All geometry lies on a plane (`citylib.spatial.plane`). Legend: n places, S street nodes,
E streets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from citylib import checks
from citylib.errors import InputError

__all__ = ["along_streets", "contiguity", "describe", "islands", "nearest", "row_standardised", "within"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
AT_ONCE = 64  # places whose ways are followed together: rows of n street nodes that memory must hold
MOST_PAIRS = 20_000_000


def contiguity(shapes: Any, /, *, rule: str = "queen", gap: float = 0.0) -> sparse.csr_array:
    """Return neighbours by common borders.

    Parameters
    ----------
    shapes : array_like of shapely polygons, shape (n,)
        Outlines on a plane.
    rule : {"queen", "rook"}
        Queen: a common point is enough. Rook: a stretch of border must be common.
    gap : float, default 0.0
        Outlines as far apart as this still touch, in the plane's unit: borders drawn twice seldom agree to the last
        digit. With a gap, a rook's border must be longer than ten times it.

    Returns
    -------
    csr_array, shape (n, n)
        Symmetric.

    Raises
    ------
    InputError
        Shapes that are no polygons, a rule that is not known, a gap below zero.

    Examples
    --------
    >>> four = [shapely.box(x, y, x + 1, y + 1) for y in (0, 1) for x in (0, 1)]
    >>> contiguity(four).sum(axis=1).tolist(), contiguity(four, rule="rook").sum(axis=1).tolist()
    ([3.0, 3.0, 3.0, 3.0], [2.0, 2.0, 2.0, 2.0])
    """
    checks.one_of("rule", rule, ("queen", "rook"))
    gap = checks.number("gap", gap, minimum=0)
    outline = np.asarray(shapes, dtype=object)
    odd = np.flatnonzero([getattr(s, "geom_type", None) not in ("Polygon", "MultiPolygon") for s in outline])
    if len(odd):
        raise InputError("shapes", "be polygons", f"{getattr(outline[odd[0]], 'geom_type', None)} in row {odd[0]}")
    one, other = shapely.STRtree(outline).query(outline, predicate="dwithin", distance=gap)
    one, other = one[one < other], other[one < other]
    if rule == "rook":
        border = shapely.boundary(outline)
        reached = shapely.buffer(border[other], gap) if gap > 0 else border[other]
        common = shapely.length(shapely.intersection(border[one], reached)) > 10 * gap
        one, other = one[common], other[common]
    return _binary(np.concatenate([one, other]), np.concatenate([other, one]), len(outline))


def within(points: npt.ArrayLike, /, *, reach: float) -> sparse.csr_array:
    """Return neighbours by distance: all that lie within reach.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Places on a plane.
    reach : float
        Largest distance, in the plane's unit.

    Returns
    -------
    csr_array, shape (n, n)
        Symmetric; places at the same point are neighbours.

    Raises
    ------
    InputError
        Points that are not finite, a reach that is not positive, more than 20 million pairs.
    """
    where = _points(points)
    reach = checks.number("reach", reach, above=0)
    tree = cKDTree(where)
    pairs = int(tree.count_neighbors(tree, reach)) - len(where)
    if pairs > MOST_PAIRS:
        raise InputError("reach", f"make at most {MOST_PAIRS:,} pairs", f"{reach:g}: {pairs:,}")
    found = tree.query_pairs(reach, output_type="ndarray")
    one, other = found[:, 0], found[:, 1]
    return _binary(np.concatenate([one, other]), np.concatenate([other, one]), len(where))


def nearest(points: npt.ArrayLike, /, *, number: int, symmetric: bool = False) -> sparse.csr_array:
    """Return each place's nearest places as its neighbours; among equally near ones those of the first rows.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Places on a plane.
    number : int
        Neighbours of a place.
    symmetric : bool, default False
        Whether those who count me among their nearest are my neighbours too.

    Returns
    -------
    csr_array, shape (n, n)
        Without `symmetric`, every row has the same number of entries, and there are no islands.

    Raises
    ------
    InputError
        Points that are not finite; fewer other places than neighbours.
    """
    where = _points(points)
    number = checks.integer("number", number, minimum=1, maximum=len(where) - 1)
    tree = cKDTree(where)
    far = tree.query(where, k=number + 1)[0][:, -1]
    # All that are as near as the farthest wanted, so that ties are broken by row and not by the tree's order.
    near = tree.query_ball_point(where, far * (1 + 1e-12) + 1e-300)
    rows = np.repeat(np.arange(len(where)), [len(n) for n in near])
    columns = np.concatenate([np.asarray(n, dtype=np.int64) for n in near])
    rows, columns = rows[rows != columns], columns[rows != columns]
    apart = np.hypot(*(where[rows] - where[columns]).T)
    order = np.lexsort((columns, apart, rows))
    rows, columns = rows[order], columns[order]
    first = np.searchsorted(rows, np.arange(len(where)))
    kept = np.arange(len(rows)) - first[rows] < number
    rows, columns = rows[kept], columns[kept]
    if symmetric:
        rows, columns = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    return _binary(rows, columns, len(where))


def along_streets(
    points: npt.ArrayLike,
    nodes: npt.ArrayLike,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    length: npt.ArrayLike,
    /,
    *,
    reach: float,
) -> sparse.csr_array:
    """Return neighbours by the way along streets: all that can be reached within a distance, in either direction.

    A place joins the net at the nearest node of the net's largest connected part; the straight way there counts.
    One-way signs are ignored: resemblance does not ask which way the traffic flows.

    Parameters
    ----------
    points : array_like, shape (n, 2)
        Places on a plane.
    nodes : array_like, shape (S, 2)
        Crossings on the same plane.
    start, end : array_like of int, shape (E,)
        Numbers of the nodes that a street joins, from 0.
    length : array_like, shape (E,)
        Of each street, in the plane's unit.
    reach : float
        Longest way, from place to place.

    Returns
    -------
    csr_array, shape (n, n)
        Symmetric.

    Raises
    ------
    InputError
        A street that names no node, a negative or infinite length, a reach that is not positive.
    """
    where, crossing = _points(points), _points(nodes, "nodes")
    reach = checks.number("reach", reach, above=0)
    long = checks.array("length", length, ndim=1, minimum=0)
    ends = [_numbers(name, value, len(crossing)) for name, value in (("start", start), ("end", end))]
    checks.same_length(start=ends[0], end=ends[1], length=long)
    net = _net(ends[0], ends[1], long, len(crossing))
    label = csgraph.connected_components(net, directed=False)[1]
    main = np.flatnonzero(label == np.bincount(label).argmax())
    access, at = cKDTree(crossing[main]).query(where)
    node = main[at]
    joined, place_of = np.unique(node, return_inverse=True)
    rows, columns = [], []
    for first in range(0, len(joined), AT_ONCE):
        way = csgraph.dijkstra(net, directed=False, indices=joined[first : first + AT_ONCE], limit=reach)[:, node]
        here = np.flatnonzero((place_of >= first) & (place_of < first + AT_ONCE))
        total = way[place_of[here] - first] + access[here, None] + access[None, :]
        one, other = np.nonzero(total <= reach)
        rows.append(here[one])
        columns.append(other)
    one, other = np.concatenate(rows), np.concatenate(columns)
    one, other = one[one != other], other[one != other]
    # The same way summed from either end may differ in the last bit: a pair counts if either sum does.
    return _binary(np.concatenate([one, other]), np.concatenate([other, one]), len(where))


def row_standardised(w: sparse.sparray, /) -> sparse.csr_array:
    """Return weights whose rows sum to 1, so that the lag is the neighbours' mean; islands keep their empty rows.

    Examples
    --------
    >>> row_standardised(sparse.csr_array([[0.0, 1, 1], [1, 0, 0], [1, 0, 0]])).toarray().tolist()
    [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    matrix = sparse.csr_array(w, dtype=np.float64)
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError("w", "be a square matrix of finite weights, none below zero", matrix.shape)
    sums = np.asarray(matrix.sum(axis=1))
    scale = np.divide(1.0, sums, out=np.zeros(len(sums)), where=sums > 0)
    return sparse.csr_array(sparse.diags_array(scale) @ matrix)


def islands(w: sparse.sparray, /) -> IntArray:
    """Return the rows of places without neighbours.

    Examples
    --------
    >>> islands(sparse.csr_array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])).tolist()
    [2]
    """
    matrix = sparse.csr_array(w)
    matrix.eliminate_zeros()
    return np.flatnonzero(np.diff(matrix.indptr) == 0).astype(np.int64)


def describe(w: sparse.sparray, /) -> pd.Series[float]:
    """Return what weights look like: places, pairs, fewest, mean and most neighbours, islands, separate parts.

    Examples
    --------
    >>> describe(sparse.csr_array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])).to_dict()
    {'places': 3.0, 'pairs': 1.0, 'fewest': 0.0, 'mean': 0.6666666666666666, 'most': 1.0, 'islands': 1.0, 'parts': 2.0}
    """
    matrix = sparse.csr_array(w)
    matrix.eliminate_zeros()
    each = np.diff(matrix.indptr)
    pairs = sparse.csr_array(matrix + matrix.T).nnz / 2
    parts = csgraph.connected_components(matrix, directed=False)[0]
    values = [len(each), pairs, each.min(), each.mean(), each.max(), int((each == 0).sum()), parts]
    names = ["places", "pairs", "fewest", "mean", "most", "islands", "parts"]
    return pd.Series([float(v) for v in values], index=names)


def _points(value: npt.ArrayLike, argument: str = "points") -> FloatArray:
    where = checks.matrix(argument, value, at_least=2)
    if where.shape[1] != 2:
        raise InputError(argument, f"have shape ({argument}, 2)", where.shape)
    return where


def _numbers(argument: str, value: npt.ArrayLike, nodes: int) -> IntArray:
    numbers = np.asarray(value)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise InputError(argument, "be a row of whole numbers", f"{numbers.dtype} of shape {numbers.shape}")
    strange = np.flatnonzero((numbers < 0) | (numbers >= nodes))
    if len(strange):
        raise InputError(argument, f"name nodes, 0 to {nodes - 1}", f"{numbers[strange[0]]} in row {strange[0]}")
    return numbers.astype(np.int64)


def _net(start: IntArray, end: IntArray, length: FloatArray, nodes: int) -> sparse.csr_array:
    """Return the net with the shortest of parallel streets; a sparse matrix would add them up."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((length, high, low))
    low, high, length = low[order], high[order], np.maximum(length[order], 1e-9)  # a zero would be no street
    first = np.ones(len(low), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    first &= low != high
    return sparse.csr_array((length[first], (low[first], high[first])), shape=(nodes, nodes))


def _binary(rows: npt.NDArray[Any], columns: npt.NDArray[Any], places: int) -> sparse.csr_array:
    made = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(places, places))
    made.sum_duplicates()
    made.data[:] = 1.0
    return made
