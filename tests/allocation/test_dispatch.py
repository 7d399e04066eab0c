"""Simulated dispatch is the plain loop, and ends where Erlang and the hypercube of few units say it must."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.allocation import dispatch, hypercube
from citylib.errors import InputError


def plain(times, way, on_site, ways):
    """Without events: a unit is free again at a time that is known when it is sent; calls that find none are lost."""
    again, unit = np.zeros(way.shape[1]), np.full(len(times), -1)
    for call, at in enumerate(times):
        free = again <= at
        if free.any():
            unit[call] = np.argmin(np.where(free, way[call], np.inf))
            again[unit[call]] = at + ways * way[call, unit[call]] + on_site[call]
    return unit


@pytest.mark.parametrize("returns", [True, False])
def test_it_is_the_plain_loop(returns):
    draw = np.random.default_rng(1)
    times = np.cumsum(draw.exponential(4.0, 2000))
    way, stay = draw.uniform(1, 12, (2000, 4)), draw.exponential(10.0, 2000)
    found = dispatch.simulate(times, way, stay, returns=returns, warm_up=0)
    np.testing.assert_array_equal(found.unit, plain(times, way, stay, 2 if returns else 1))
    came = found.unit >= 0
    assert 0.02 < found.lost < 0.9
    np.testing.assert_array_equal(found.response[came], way[came, found.unit[came]])
    assert np.isnan(found.response[~came]).all()
    assert found.reached(12.0).mean() == pytest.approx(1 - found.lost)


@pytest.mark.parametrize("law", ["exponential", "constant"])
def test_lost_calls_are_erlangs_whatever_the_law_of_services(law):
    generator = seeds.generator(3, law)
    n, units, mean = 40_000, 3, 10.0
    times = dispatch.poisson_times(n, per_minute=0.2, generator=generator)
    stay = generator.exponential(mean, n) if law == "exponential" else np.full(n, mean)
    found = dispatch.simulate(times, np.tile(np.arange(units) * 0.0, (n, 1)), stay)
    loss = hypercube.erlang_loss(units, 0.2 * mean)
    assert found.lost == pytest.approx(loss, abs=0.012)  # four standard errors, calls lost in clusters
    assert found.busy.sum() == pytest.approx(0.2 * mean * (1 - loss), rel=0.04)


def test_waiting_calls_are_erlangs():
    generator = seeds.generator(5)
    n, units, mean = 40_000, 3, 10.0
    times = dispatch.poisson_times(n, per_minute=0.2, generator=generator)
    found = dispatch.simulate(times, np.zeros((n, units)), generator.exponential(mean, n), waits=True)
    share = hypercube.erlang_wait(units, 0.2 * mean)
    assert found.lost == 0
    assert (found.waited[found.judged] > 0).mean() == pytest.approx(share, abs=0.02)
    assert found.waited[found.judged].mean() == pytest.approx(share * mean / (units - 0.2 * mean), rel=0.1)


def test_two_units_by_hand():
    """Zone 0 asks unit 0 first, zone 1 unit 1: four states, solved by hand for rates 1, 1/2 and services of mean 1."""
    a, b, m = 1.0, 0.5, 1.0
    balance = np.array(
        [[a + b, -m, -m, 0], [-a, a + b + m, 0, -m], [-b, 0, a + b + m, -m], [1.0, 1, 1, 1]]
    )  # states: none, unit 0, unit 1, both; flow out equals flow in, and probabilities add up to 1
    none, first, second, both = np.linalg.solve(balance, [0, 0, 0, 1.0])
    found = hypercube.hypercube([a, b], [[0, 1], [1, 0]], 1 / m)
    np.testing.assert_allclose(found.busy, [first + both, second + both])
    assert found.lost == pytest.approx(both)
    assert found.lost == pytest.approx(hypercube.erlang_loss(2, (a + b) / m))
    np.testing.assert_allclose(found.sent[0], [a * (none + second) / (a + b), a * first / (a + b)])
    assert found.sent.sum() == pytest.approx(1 - both)


def test_simulated_dispatch_ends_where_the_hypercube_does():
    generator = seeds.generator(7)
    n, rate, order = 60_000, np.array([0.08, 0.05, 0.03]), np.array([[0, 1, 2], [1, 2, 0], [2, 1, 0]])
    times = dispatch.poisson_times(n, per_minute=float(rate.sum()), generator=generator)
    zone = generator.choice(3, n, p=rate / rate.sum())
    way = np.argsort(order, axis=1)[zone] * 1e-9  # the order of asking, and no time on the way
    found = dispatch.simulate(times, way, generator.exponential(10.0, n))
    exact = hypercube.hypercube(rate, order, 10.0)
    np.testing.assert_allclose(found.busy, exact.busy, atol=0.015)
    assert found.lost == pytest.approx(exact.lost, abs=0.006)
    for z in range(3):
        sent = [(found.unit[found.judged] == u) & (zone[found.judged] == z) for u in range(3)]
        np.testing.assert_allclose([s.mean() for s in sent], exact.sent[z], atol=0.01)


def test_what_is_wrong_is_said():
    for words, given in {
        "times must not fall": ([2.0, 1.0], [[1.0], [1.0]], [1.0, 1.0]),
        "be 0 or more": ([1.0], [[-1.0]], [1.0]),
        "missing values": ([1.0], [[np.nan]], [1.0]),
        "at least 0": ([1.0], [[1.0]], [-1.0]),
        "at least one unit": ([1.0], np.zeros((1, 0)), [1.0]),
        "same length": ([1.0, 2.0], [[1.0]], [1.0]),
    }.items():
        with pytest.raises(InputError, match=words):
            dispatch.simulate(*given)
    with pytest.raises(InputError, match="per_minute must be more than 0"):
        dispatch.poisson_times(3, per_minute=0, generator=seeds.generator(0))
    with pytest.raises(InputError, match="below the number of units"):
        hypercube.erlang_wait(2, 2.0)
    with pytest.raises(InputError, match="load must be more than 0"):
        hypercube.erlang_loss(2, 0.0)
    with pytest.raises(InputError, match="at most 12 units"):
        hypercube.hypercube([1.0], [list(range(13))], 1.0)
    with pytest.raises(InputError, match="name each unit once"):
        hypercube.hypercube([1.0], [[0, 0]], 1.0)
    with pytest.raises(InputError, match="above 0 in some zone"):
        hypercube.hypercube([0.0], [[0, 1]], 1.0)


def test_a_unit_whose_job_ends_as_a_call_comes_is_free():
    assert dispatch.simulate([0, 10], [[0], [0]], [10, 10], warm_up=0).unit.tolist() == [0, 0]
    assert dispatch.simulate([0, 5, 10], [[0]] * 3, [10] * 3, warm_up=0).unit.tolist() == [0, -1, 0]
    queue = dispatch.simulate([0, 5, 10], [[0]] * 3, [10] * 3, warm_up=0, waits=True)
    assert queue.waited.tolist() == [0, 5, 10]


@pytest.mark.parametrize("order", [[[0.6, 1.2], [1.9, 0.1]], [[0, 0], [1, 0]]])
def test_an_order_names_units_by_whole_numbers(order):
    with pytest.raises(InputError, match="order must name each unit once"):
        hypercube.hypercube([1.0, 1.0], order, 1.0)
