"""Neighbours: against every pair looked at in turn, and against a way found by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from scipy import sparse

from citylib.errors import InputError
from citylib.spatial import weights


def board(side):
    return np.array([shapely.box(x, y, x + 1, y + 1) for y in range(side) for x in range(side)])


def pairs(w):
    return {(int(i), int(j)) for i, j in zip(*w.nonzero(), strict=True)}


@pytest.mark.parametrize("rule", ["queen", "rook"])
def test_contiguity_is_that_of_every_pair_looked_at(rule):
    rng = np.random.default_rng(0)
    shapes = board(5)[rng.permutation(25)[:19]]
    expected = set()
    for i, one in enumerate(shapes):
        for j, other in enumerate(shapes):
            common = one.intersection(other)
            if i != j and not common.is_empty and (rule == "queen" or common.length > 0):
                expected.add((i, j))
    assert pairs(weights.contiguity(shapes, rule=rule)) == expected


def test_a_gap_closes_borders_that_were_drawn_twice():
    shapes = [shapely.box(0, 0, 100, 100), shapely.box(100.4, 0, 200, 100), shapely.box(100.4, 100.4, 200, 200)]
    assert weights.contiguity(shapes).nnz == 0
    assert pairs(weights.contiguity(shapes, gap=1.0)) == {(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)}
    assert pairs(weights.contiguity(shapes, rule="rook", gap=1.0)) == {(0, 1), (1, 0), (1, 2), (2, 1)}


def test_distance_and_the_nearest_are_those_of_every_pair():
    rng = np.random.default_rng(2)
    at = rng.integers(0, 12, (60, 2)).astype(float)  # with places at the same point, and ties
    apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert pairs(weights.within(at, reach=3.0)) == pairs(sparse.csr_array(apart <= 3.0))
    for number in (1, 4, 59):
        order = np.argsort(apart, axis=1, kind="stable")[:, :number]  # ties: the first row
        expected = {(i, int(j)) for i, row in enumerate(order) for j in row}
        assert pairs(weights.nearest(at, number=number)) == expected
    both = weights.nearest(at, number=4, symmetric=True)
    assert pairs(both) == pairs(both.T)


def test_streets_lead_round_the_river():
    # Two banks, one bridge at the far end: near by the crow, far by the way.
    nodes = np.array([[0, 0], [1000, 0], [1000, 100], [0, 100], [9000, 9000], [9000, 9100]], dtype=float)
    start, end, length = [0, 1, 2, 1, 4], [1, 2, 3, 2, 5], [1000.0, 100.0, 1000.0, 400.0, 100.0]
    places = np.array([[0, -10], [0, 110], [1000, 10]], dtype=float)
    assert pairs(weights.within(places, reach=200.0)) == {(0, 1), (1, 0)}
    # From bank to bank 10 + 1000 + 100 + 1000 + 10, the shorter of two parallel streets; from the first to the bridge
    # 10 + 1000 + 10. The other part of the net is nobody's.
    found = weights.along_streets(places, nodes, np.array(start), np.array(end), length, reach=2119.0)
    assert pairs(found) == {(0, 2), (2, 0), (1, 2), (2, 1)}
    further = weights.along_streets(places, nodes, np.array(start), np.array(end), length, reach=2121.0)
    assert (0, 1) in pairs(further)


def test_streets_are_those_of_all_ways():
    rng = np.random.default_rng(3)
    nodes = rng.uniform(0, 1000, (80, 2))
    start, end = rng.integers(0, 80, 200), rng.integers(0, 80, 200)
    length = np.hypot(*(nodes[start] - nodes[end]).T) * rng.uniform(1, 1.3, 200)
    way = np.full((80, 80), np.inf)
    np.fill_diagonal(way, 0.0)
    for a, b, d in zip(start, end, length, strict=True):
        way[a, b] = way[b, a] = min(way[a, b], d) if a != b else 0.0
    for k in range(80):  # Floyd and Warshall
        way = np.minimum(way, way[:, [k]] + way[[k], :])
    label = np.isfinite(way)
    main = np.flatnonzero(label[np.argmax(label.sum(axis=1))])
    places = rng.uniform(0, 1000, (150, 2))  # more than are followed at once
    off = np.hypot(*(places[:, None] - nodes[main][None]).transpose(2, 0, 1))
    at, access = main[off.argmin(axis=1)], off.min(axis=1)
    total = way[at][:, at] + access[:, None] + access[None]
    np.fill_diagonal(total, np.inf)
    found = weights.along_streets(places, nodes, start, end, length, reach=400.0)
    assert pairs(found) == pairs(sparse.csr_array(total <= 400.0))


def test_rows_sum_to_one_but_islands_stay():
    w = weights.within([[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [9.0, 9.0]], reach=1.0)
    scaled = weights.row_standardised(w)
    assert scaled.sum(axis=1).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert weights.islands(w).tolist() == [3]
    assert weights.describe(w)["parts"] == 2


def test_refusals():
    with pytest.raises(InputError, match=r"shapes must be polygons, got 'Point in row 0'"):
        weights.contiguity([shapely.Point(0, 0)])
    with pytest.raises(InputError, match="rule must be one of: queen, rook"):
        weights.contiguity(board(2), rule="bishop")
    with pytest.raises(InputError, match="gap must be at least 0"):
        weights.contiguity(board(2), gap=-1.0)
    with pytest.raises(InputError, match="points must be finite"):
        weights.within([[0.0, np.inf], [0.0, 0.0]], reach=1.0)
    with pytest.raises(InputError, match="points must have no missing values"):
        weights.nearest([[0.0, np.nan], [0.0, 0.0]], number=1)
    with pytest.raises(InputError, match="number must be at most 1"):
        weights.nearest([[0.0, 1.0], [0.0, 0.0]], number=2)
    with pytest.raises(InputError, match="reach must be more than 0"):
        weights.within([[0.0, 1.0], [0.0, 0.0]], reach=0.0)
    with pytest.raises(InputError, match="reach must make at most 20,000,000 pairs"):
        weights.within(np.zeros((5000, 2)), reach=1.0)
    net = [[0.0, 0.0], [1.0, 0.0]]
    with pytest.raises(InputError, match="end must name nodes, 0 to 1, got '2 in row 0'"):
        weights.along_streets(net, net, [0], [2], [1.0], reach=1.0)
    with pytest.raises(InputError, match="start must be a row of whole numbers"):
        weights.along_streets(net, net, [0.5], [1], [1.0], reach=1.0)
    with pytest.raises(InputError, match="length must be at least 0"):
        weights.along_streets(net, net, [0], [1], [-1.0], reach=1.0)
    with pytest.raises(InputError, match="w must be a square matrix"):
        weights.row_standardised(sparse.csr_array([[0.0, -1.0], [1.0, 0.0]]))
