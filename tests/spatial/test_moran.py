"""Moran's I: against all orders of a small map, loops over places and permutations, and false discoveries counted."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from citylib.errors import InputError
from citylib.spatial.moran import QUADRANTS, bayes_standardised, local_moran, moran
from citylib.spatial.weights import row_standardised


def grid(side):
    ring = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    eye = sparse.eye_array(side)
    return sparse.csr_array(sparse.kron(eye, ring) + sparse.kron(ring, eye))


def by_loops(x, w):
    """I as the double sum that defines it."""
    z, n = x - x.mean(), len(x)
    total = sum(w[i, j] * z[i] * z[j] for i in range(n) for j in range(n))
    return n / w.sum() * total / sum(z**2)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_value_and_moments_are_those_of_all_orders():
    # The variance over all orders is a closed form; the mean over all 5040 orders of seven values must give it.
    w = rng(1).random((7, 7)) * (rng(2).random((7, 7)) < 0.5)
    np.fill_diagonal(w, 0)
    w[0, 1] = 1.0
    w[w.sum(axis=1) == 0, 0] = 1.0
    x = np.array([0.2, 1.0, 1.5, 4.0, 4.5, 9.0, 30.0])
    every = np.array([by_loops(np.array(order), w) for order in permutations(x)])
    found = moran(x, w, generator=rng(), draws=2000)
    assert found.value == pytest.approx(by_loops(x, w), rel=1e-12)
    assert found.expected == pytest.approx(every.mean(), abs=1e-12)
    assert found.variance_random == pytest.approx(every.var(), rel=1e-9)
    assert found.draws.mean() == pytest.approx(every.mean(), abs=4 * every.std() / 2000**0.5)
    assert found.draws.std() == pytest.approx(every.std(), rel=0.1)


def test_the_variance_for_normal_values_is_that_of_normal_values():
    w = row_standardised(grid(5))
    values = rng(3).standard_normal((20_000, 25))
    z = values - values.mean(axis=1, keepdims=True)
    made = np.einsum("rn,nr->r", z, w @ z.T) / (z * z).sum(axis=1)  # S0 is n
    found = moran(rng(4).standard_normal(25), w, generator=rng(), draws=0)
    # A variance from 20,000 draws is known to sqrt(2 / 20,000) = 1 %; four times that
    assert made.var() == pytest.approx(found.variance_normal, rel=0.04)


def test_local_values_are_those_of_loops_and_their_mean_is_the_whole():
    x, w = rng(5).gamma(2.0, size=36), row_standardised(grid(6))
    found = local_moran(x, w, generator=rng(), draws=9)
    z = (x - x.mean()) / x.std()
    dense = w.toarray()
    for i in range(36):
        assert found.value[i] == pytest.approx(z[i] * sum(dense[i, j] * z[j] for j in range(36)), abs=1e-12)
    assert found.value.mean() == pytest.approx(moran(x, w, generator=rng(), draws=0).value)
    sides = {(True, True): 0, (False, False): 1, (True, False): 2, (False, True): 3}
    assert [sides[bool(a > 0), bool(b > 0)] for a, b in zip(found.z, found.lag, strict=True)] == list(found.quadrant)
    assert found.table()["quadrant"].isin(QUADRANTS).all()


def test_local_p_values_are_those_of_all_ways_to_lay_the_others():
    # Six places: the others can be laid around each in 120 ways, all of which are looked at here.
    x = np.array([1.0, 2.0, 7.0, 3.0, 9.0, 4.0])
    w = row_standardised(sparse.csr_array(np.diag(np.ones(5), 1) + np.diag(np.ones(5), -1)))
    draws = 20_000
    found = local_moran(x, w, generator=rng(), draws=draws)
    z, dense = (x - x.mean()) / x.std(), w.toarray()
    for i in range(6):
        others = np.delete(z, i)
        lags = np.array([np.delete(dense[i], i) @ order for order in permutations(others)])
        lag = dense[i] @ z
        exact = min(1.0, 2 * min((lags >= lag - 1e-9).mean(), (lags <= lag + 1e-9).mean()))
        assert found.p_value[i] == pytest.approx(exact, abs=0.02)  # 4 standard errors of a share of 20,000, doubled


def test_looking_closer_changes_only_the_places_that_look_unlike_chance():
    w = row_standardised(grid(12))
    x = rng(12).standard_normal(144)
    x[:30] += 2.5
    once = local_moran(x, w, generator=rng(13), draws=999)
    twice = local_moran(x, w, generator=rng(13), draws=999, closer=40_000)
    far = once.p_value > 0.02
    np.testing.assert_array_equal(once.p_value[far], twice.p_value[far])
    # The same law, drawn more often: a share of 0.01 of 999 is known to 0.003, doubled to 0.006
    assert np.abs(once.p_value - twice.p_value)[~far].max() < 0.025
    assert twice.finest == 2 / 40_001
    assert twice.p_value.min() < once.finest


def test_first_places_of_random_orders_are_all_alike_likely():
    from citylib.spatial.moran import _orders

    for size, kept in ((20, 4), (20, 5)):  # by free draws, and by whole orders
        order = _orders(rng(14), size, kept, 20_000)
        assert (np.diff(np.sort(order, axis=1), axis=1) > 0).all()
        for column in order.T:  # each number 1,000 times, standard deviation 31
            assert np.abs(np.bincount(column, minlength=size) - 1000).max() < 140


@given(st.floats(0.01, 1e4), st.floats(-1e4, 1e4), st.integers(0, 99))
def test_units_do_not_matter(scale, shift, seed):
    x, w = rng(seed).integers(0, 9, 16).astype(float), row_standardised(grid(4))
    x[0] = 20.0
    one, other = (moran(v, w, generator=rng(1), draws=99) for v in (x, scale * x + shift))
    assert other.value == pytest.approx(one.value, abs=1e-6)
    assert other.p_value == one.p_value
    near, far = (local_moran(v, w, generator=rng(1), draws=99) for v in (x, scale * x + shift))
    np.testing.assert_allclose(near.p_value, far.p_value)


def test_without_order_the_p_values_are_even_and_nothing_is_found():
    w = row_standardised(grid(7))
    p, found = [], 0
    for seed in range(150):
        x = rng(seed).exponential(size=49)
        p.append(moran(x, w, generator=rng(seed + 1000), draws=199).p_value)
        local = local_moran(x, w, generator=rng(seed + 2000), draws=1999)
        found += bool((stats.false_discovery_control(local.p_value, method="bh") < 0.1).any())
    # Of 150 p-values 5 % lie below 0.05: 7.5, standard deviation 2.7. A map with a find is a false one: at most 15.
    assert 1 <= (np.array(p) < 0.05).sum() <= 17
    assert found <= 15 + 11  # and three standard deviations


def test_a_planted_cluster_is_found_and_little_else():
    side = 16
    ring = sparse.diags_array([np.ones(side - 1), np.ones(side), np.ones(side - 1)], offsets=[-1, 0, 1])
    w = row_standardised(sparse.kron(ring, ring) - sparse.eye_array(side**2))
    x = rng(7).standard_normal(side**2).reshape(side, side)
    x[3:8, 3:8] += 4.0
    local = local_moran(x.ravel(), w, generator=rng(8), draws=9999)
    sure = (stats.false_discovery_control(local.p_value, method="by") < 0.05).reshape(side, side)
    assert sure[4:7, 4:7].all()
    assert sure.sum() <= 25 + 3
    assert set(local.quadrant[sure.ravel()]) == {0}


def test_chessboard():
    side = 8
    x = np.indices((side, side)).sum(axis=0).ravel() % 2
    found = moran(x, row_standardised(grid(side)), generator=rng(), draws=0)
    assert found.value == pytest.approx(-1.0)


def test_scores_of_rates_are_even_where_the_rate_is():
    exposure = np.repeat([5.0, 50.0, 5000.0], 2000)
    events = rng(9).poisson(0.2 * exposure)
    score = bayes_standardised(events, exposure)
    for part in np.split(score, 3):
        assert part.std() == pytest.approx(1.0, rel=0.1)
    plain = events / exposure
    assert plain[:2000].std() > 20 * plain[4000:].std()


def test_rates_that_differ_keep_their_differences():
    exposure = np.full(400, 100.0)
    rate = np.where(np.arange(400) < 200, 0.1, 0.3)
    score = bayes_standardised(rng(10).poisson(rate * exposure), exposure)
    assert score[200:].mean() - score[:200].mean() > 1.5


def test_refusals():
    w = row_standardised(grid(4))
    x = rng(11).standard_normal(16)
    for engine in (moran, local_moran):
        with pytest.raises(InputError, match="w must be of order 16, one row a place"):
            engine(x, grid(3), generator=rng())
        with pytest.raises(InputError, match=r"values must be finite.*row 2"):
            engine(np.where(np.arange(16) == 2, np.inf, x), w, generator=rng())
        with pytest.raises(InputError, match="values must have no missing"):
            engine(np.where(np.arange(16) == 2, np.nan, x), w, generator=rng())
        with pytest.raises(InputError, match="values must vary, got '16 values, all equal'"):
            engine(np.full(16, 0.1), w, generator=rng())
        cut = w.tolil()
        cut[3, :] = 0
        with pytest.raises(InputError, match=r"w must have no islands.*rows 3"):
            engine(x, cut, generator=rng())
        with pytest.raises(InputError, match="w must leave some pairs out"):
            engine(x, np.ones((16, 16)) - np.eye(16), generator=rng())
        with pytest.raises(InputError, match="w must hold finite weights"):
            engine(x, -w, generator=rng())
        with pytest.raises(InputError, match="values must"):
            engine(x[:3], w[:3, :3], generator=rng())
    with pytest.raises(InputError, match="draws must be at least 1"):
        local_moran(x, w, generator=rng(), draws=0)
    with pytest.raises(InputError, match="draws must be at least 1 for a p-value"):
        _ = moran(x, w, generator=rng(), draws=0).p_value
    with pytest.raises(InputError, match="exposure must be above zero, got '0 in 1 place"):
        bayes_standardised([1, 2], [0.0, 3.0])
    with pytest.raises(InputError, match="events must be at least 0"):
        bayes_standardised([-1, 2], [1.0, 3.0])
    with pytest.raises(InputError, match="events must hold at least one event"):
        bayes_standardised([0, 0], [1.0, 3.0])
