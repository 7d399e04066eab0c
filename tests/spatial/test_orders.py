"""Spatial orders: against links followed one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csgraph

from citylib.errors import InputError
from citylib.spatial import orders


def graph(places=30, seed=0):
    draw = np.random.default_rng(seed)
    w = draw.random((places, places)) * (draw.random((places, places)) < 0.08)
    w = np.maximum(w, w.T)
    np.fill_diagonal(w, 0.0)
    w[3], w[:, 3] = 0, 0  # somebody alone
    return w


def test_rings_are_the_places_that_many_links_away():
    w = graph()
    np.fill_diagonal(w, 5.0)  # a place is no neighbour of its own
    links = np.array(csgraph.shortest_path(sparse.csr_array(w > 0), unweighted=True))
    for k, ring in enumerate(orders.rings(w, most=4), start=1):
        dense = ring.toarray()
        assert ((dense > 0) == (links == k)).all()
        there = (links == k).any(axis=1)
        np.testing.assert_allclose(dense.sum(axis=1), there)
        if k > 1:
            assert all(np.ptp(row[row > 0]) < 1e-12 for row in dense if row.any())
    first = orders.rings(w, most=1)[0].toarray()
    np.fill_diagonal(w, 0.0)
    np.testing.assert_allclose(first[5], w[5] / w[5].sum())


def test_one_each_are_the_strongest_in_turn():
    w = graph(seed=1)
    made = orders.one_each(w, most=4)
    for i, row in enumerate(w):
        ranked = [j for j in np.argsort(-row, kind="stable") if row[j] > 0][:4]
        assert [int(m[[i]].indices[0]) for m in made if m[[i]].nnz] == ranked
    assert not any(m[[3]].nnz for m in made)
    assert len(orders.one_each(w[:3, :3], most=9)) == 3


def test_relabelled_is_the_same_graph_of_other_places():
    w = graph(seed=2)
    other = orders.relabelled(w, generator=np.random.default_rng(0)).toarray()
    assert (other != w).any()
    np.testing.assert_allclose(np.sort(np.linalg.eigvalsh(other)), np.sort(np.linalg.eigvalsh(w)), atol=1e-12)


@pytest.mark.parametrize("bad", [[[1.0, 2.0]], [[0, -1.0], [1, 0]], [[0, np.inf], [1, 0]], [[0, np.nan], [1, 0]]])
@pytest.mark.parametrize("make", [orders.rings, orders.one_each])
def test_what_is_no_graph_is_refused(make, bad):
    with pytest.raises(InputError, match=r"\bw\b"):
        make(bad, most=1)
