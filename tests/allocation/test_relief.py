"""Relief goes the cheapest way, in whole loads, as network simplex has it; what cannot be met is named."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib.allocation import patrol, relief
from citylib.errors import InputError


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100_000))
def test_it_is_network_simplexs_and_whole(seed):
    draw = np.random.default_rng(seed)
    n, e = 8, 24
    tail, head = draw.integers(0, n, e), draw.integers(0, n, e)
    ring = np.arange(n)  # every node can be reached, at a price
    tail, head = np.r_[tail, ring], np.r_[head, np.roll(ring, -1)]
    cost = np.r_[draw.integers(0, 9, e), np.full(n, 50)]
    room = np.r_[draw.integers(1, 6, e), np.full(n, 1000)]
    supply = draw.integers(-6, 7, n)
    supply[0] = 12 - supply[1:].sum()
    supply[1] -= 5
    if supply.sum() < 0 or not (supply < 0).any():
        return
    found = relief.min_cost_flow(tail, head, cost, supply, capacity=room)
    graph = networkx.MultiDiGraph()
    for k in range(n):
        graph.add_node(k, demand=int(-supply[k]))
        if supply[k] > 0:
            graph.add_edge(k, "rest", weight=0, capacity=int(supply[k]))
    graph.add_node("rest", demand=int(supply.sum()))
    for a, b, c, r in zip(tail, head, cost, room, strict=True):
        graph.add_edge(int(a), int(b), weight=int(c), capacity=int(r))
    theirs, _ = networkx.network_simplex(graph)
    assert found.cost == pytest.approx(theirs)
    assert found.whole
    assert found.gap == 0
    assert (found.amount <= room).all()
    net = np.bincount(tail, found.amount, minlength=n) - np.bincount(head, found.amount, minlength=n)
    assert (net <= supply).all()


def test_the_price_is_what_one_load_more_costs():
    tail, head, cost = [0, 0, 1, 1], [2, 3, 2, 3], [1.0, 4.0, 3.0, 2.0]
    found = relief.min_cost_flow(tail, head, cost, [3.0, 9.0, -5.0, -2.0])
    more = relief.min_cost_flow(tail, head, cost, [3.0, 9.0, -6.0, -2.0])
    assert more.cost - found.cost == pytest.approx(found.price[2])


def test_what_cannot_be_met_is_named():
    names = ["depot", "north", "south"]
    with pytest.raises(InputError, match="reach every need, got 'south lacks 2'"):
        relief.min_cost_flow([0], [1], [1.0], [9.0, -2.0, -2.0], names=names)
    with pytest.raises(InputError, match="north lacks 1"):
        relief.min_cost_flow([0, 0], [1, 2], [1.0, 1.0], [9.0, -2.0, -2.0], capacity=[1, 5], names=names)
    for words, arguments in {
        "3 in store, 4 needed": ([0], [1], [1.0], [3.0, -4.0]),
        "below 0 at some node": ([0], [1], [1.0], [3.0, 0.0]),
        "positions of nodes": ([0], [7], [1.0], [3.0, -1.0]),
        "cost must be at least 0": ([0], [1], [-1.0], [3.0, -1.0]),
        "missing values": ([0], [1], [1.0], [3.0, np.nan]),
    }.items():
        with pytest.raises(InputError, match=words):
            relief.min_cost_flow(*arguments)


@pytest.mark.parametrize("seed", range(12))
def test_the_price_is_what_one_load_more_costs_at_every_node(seed):
    draw = np.random.default_rng(seed)
    stores, needy = 3, 8
    need = draw.integers(1, 9, needy)
    stock = np.full(stores, int(np.ceil(1.6 * need.sum() / stores)))
    tail, head = np.repeat(np.arange(stores), needy), np.tile(np.arange(needy) + stores, stores)
    cost = draw.integers(1, 40, len(tail)).astype(float)
    supply = np.concatenate([stock, -need]).astype(float)
    capacity = draw.integers(3, 12, len(tail)) if seed % 2 else None
    try:
        found = relief.min_cost_flow(tail, head, cost, supply, capacity=capacity)
    except InputError:
        assert capacity is not None
        return
    for node in range(len(supply)):
        more = supply.copy()
        more[node] -= 1
        try:
            extra = relief.min_cost_flow(tail, head, cost, more, capacity=capacity).cost - found.cost
        except InputError:
            extra = np.inf
        assert found.price[node] == pytest.approx(extra, abs=1e-9)


def test_the_next_load_of_a_store_that_is_used_up_is_not_free():
    found = relief.min_cost_flow([0, 0, 1, 1], [2, 3, 2, 3], [1.0, 2.0, 4.0, 7.0], [3.0, 5.0, -2.0, -1.0])
    assert found.price.tolist() == [3.0, 0.0, 4.0, 5.0]
    assert relief.min_cost_flow([0], [1], [1.0], [2.0, -2.0]).price.tolist() == [np.inf, np.inf]


@pytest.mark.parametrize("size", [5e-8, 1.0, 1e21])
def test_units_of_loads_and_costs_do_not_matter(size):
    found = relief.min_cost_flow([0, 0], [1, 2], [3e20, 1e20], [9 * size, -2 * size, -3 * size])
    np.testing.assert_allclose(found.amount, [2 * size, 3 * size], rtol=1e-9)
    assert found.gap == 0
    with pytest.raises(InputError, match="arcs must reach every need"):
        relief.min_cost_flow([0, 0], [1, 2], [1, 1], [9 * size, -2 * size, -3 * size], capacity=[size, 9 * size])


def test_broken_loads_are_told():
    found = relief.min_cost_flow([0], [1], [1.0], [3.0, -1.5])
    assert not found.whole
    assert found.amount.tolist() == [1.5]


def test_forecasts_of_counts_hold_what_comes_as_often_as_they_say():
    draw = np.random.default_rng(0)
    rate = draw.gamma(2.0, 3.0, 200)
    counts = draw.poisson(rate, (60, 200))
    found = patrol.forecast(counts[:-1], discount=1.0)
    inside = (counts[-1] >= found.low) & (counts[-1] <= found.high)
    assert 0.86 < inside.mean() <= 1.0
    np.testing.assert_allclose(found.mean, rate, atol=5 * np.sqrt(rate.max() / 59))
    steady = patrol.log_scores(counts, discount=1.0).mean()
    assert steady > patrol.log_scores(counts, discount=0.7).mean(), "nothing changes, so nothing is to be forgotten"


def test_log_scores_add_up_to_probability_one_and_know_no_future():
    seen = np.array([[2.0]] * 6)
    last = [np.exp(patrol.log_scores(np.vstack([seen, [[y]]]), discount=0.9)[-1]) for y in range(200)]
    assert sum(last) == pytest.approx(1, abs=1e-9)
    short, long = (patrol.log_scores(np.vstack([seen, np.full((k, 1), 9.0)]), discount=0.9) for k in (0, 3))
    np.testing.assert_array_equal(short, long[: len(short)])


def test_limits_are_fair_or_refused():
    low, high = patrol.fair_limits([1.0, 1.0, 2.0], floor=0.4, ceiling=1.5)
    np.testing.assert_allclose(low, [0.1, 0.1, 0.2])
    np.testing.assert_allclose(high, [0.375, 0.375, 0.75])
    for words, change in {
        "floor must be at most 1": {"floor": 1.2},
        "ceiling must be at least 1": {"ceiling": 0.9},
        "reference must be above 0": {"reference": [0.0, 1.0]},
    }.items():
        given = {"reference": [1.0, 1.0], "floor": 0.5, "ceiling": 2.0} | change
        with pytest.raises(InputError, match=words):
            patrol.fair_limits(given.pop("reference"), **given)
    for words, counts in {"whole numbers": [[0.5]], "above 0 somewhere": [[0.0]], "more than 2": [[1.0]]}.items():
        with pytest.raises(InputError, match=words):
            patrol.log_scores(counts, discount=0.9)
    with pytest.raises(InputError, match="discount must be"):
        patrol.forecast([[1.0]], discount=0.0)
