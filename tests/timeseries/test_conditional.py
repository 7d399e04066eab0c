"""The rough descent and the compiled climb: against the plain recursion, differences, and the plain climb."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.timeseries import conditional, many
from citylib.timeseries.block import Block
from citylib.timeseries.coefficients import at_lags, slopes
from citylib.timeseries.lanes import LANES
from citylib.timeseries.specification import Specification

ORDERS = [
    ((2, 0, 2), (0, 0, 0, 1)),
    ((1, 0, 2), (0, 0, 0, 1)),
    ((2, 0, 0), (0, 0, 0, 1)),
    ((0, 0, 1), (0, 0, 0, 1)),
    ((3, 0, 3), (0, 0, 0, 1)),
    ((3, 0, 1), (0, 0, 0, 1)),
    ((0, 0, 3), (0, 0, 0, 1)),
    ((1, 0, 1), (1, 0, 1, 4)),
    ((2, 0, 1), (0, 0, 2, 5)),
]


def series(steps=240, seed=0):
    e = np.random.default_rng(seed).standard_normal(steps)
    w = e.copy()
    for t in range(1, steps):
        w[t] += 0.7 * w[t - 1] + 0.3 * e[t - 1]
    return w


def errors_of(w, spec, natural):
    """Errors by the recursion in plain form, all before the first reading zero."""
    ar, ma = spec.multiplied(natural)
    e = np.zeros(len(w))
    for t in range(len(w)):
        e[t] = w[t] - sum(a * w[t - i - 1] for i, a in enumerate(ar) if t > i)
        e[t] -= sum(b * e[t - i - 1] for i, b in enumerate(ma) if t > i)
    return e


@pytest.mark.parametrize(("order", "seasonal"), ORDERS)
def test_coefficients_and_their_slopes_are_the_plain_ones(order, seasonal):
    spec = Specification(order, seasonal)
    k, (a_lags, b_lags) = spec.parameters, spec.lags
    free = np.random.default_rng(3).uniform(-1.2, 1.2, (k, LANES))
    a, b = np.zeros((len(a_lags), LANES)), np.zeros((len(b_lags), LANES))
    at_lags(free, np.array(spec.sizes), a, b)
    ar, ma = spec.multiplied(spec.natural(free.T))
    assert pytest.approx(ar[:, a_lags - 1], abs=1e-14) == a.T
    assert pytest.approx(ma[:, b_lags - 1], abs=1e-14) == b.T
    m = len(a_lags) + len(b_lags)
    moves = np.zeros((k, m))
    slopes(free[:, 0].copy(), np.array(spec.sizes), np.zeros(k), np.zeros(k), np.zeros(m), moves)
    for i in range(k):
        ends = []
        for sign in (1, -1):
            moved = free[:, 0] + sign * 1e-6 * np.eye(k)[i]
            ar, ma = spec.multiplied(spec.natural(moved))
            ends.append(np.concatenate([ar[a_lags - 1], ma[b_lags - 1]]))
        assert moves[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-8)


@pytest.mark.parametrize(("order", "seasonal"), ORDERS)
def test_the_descent_ends_where_the_sum_of_squares_is_least(order, seasonal):
    spec, w = Specification(order, seasonal), series()
    first = spec.lags[0][-1] if len(spec.lags[0]) else 0
    starts = spec.starts()[:8]
    at, squares = np.zeros((1, len(starts), spec.parameters)), np.zeros((1, len(starts)))
    conditional.rough(w[None, :], np.array(spec.sizes), *spec.lags, starts, 60, at, squares)
    best = at[0, squares[0].argmin()]

    def sum_of_squares(free):
        return (errors_of(w, spec, spec.natural(free))[first:] ** 2).sum()

    here = sum_of_squares(best)
    assert squares.min() == pytest.approx(here, rel=1e-10)
    assert here <= min(sum_of_squares(one) for one in starts)
    for i in range(spec.parameters):  # no neighbour is lower by what a rough descent cares for
        for step in (-0.05, 0.05):
            moved = np.clip(best + step * np.eye(spec.parameters)[i], -3.5, 3.5)
            assert len(w) / 2 * np.log(sum_of_squares(moved) / here) > -2e-2


@pytest.mark.parametrize("p", [0, 1, 2, 3])
@pytest.mark.parametrize("q", [0, 1, 2, 3])
def test_one_pass_finds_the_products_that_many_find(p, q):
    if p == q == 0:
        return
    w, n, spec = series(), max(2, p, q), Specification((p, 0, q))
    rng = np.random.default_rng(1)
    a, b = np.zeros((n, LANES)), np.zeros((n, LANES))
    a[:p], b[:q] = rng.uniform(-0.3, 0.3, (p, LANES)), rng.uniform(-0.3, 0.3, (q, LANES))
    short = [np.zeros((2 * n, 2 * n, LANES)), np.zeros((2 * n, LANES)), np.zeros((1, LANES))]
    one_pass = conditional._two if n == 2 else conditional._three
    one_pass(w, p, a, b, *short, np.zeros((2, 2 * n, LANES)), np.zeros((2, n + 1, LANES)))
    long = [np.zeros((p + q, p + q, LANES)), np.zeros((p + q, LANES)), np.zeros((1, LANES))]
    conditional._long(w, p, spec.lags[0], a[:p], spec.lags[1], b[:q], np.zeros((3, max(p, q) + len(w), LANES)), *long)
    rows, upper = np.r_[np.arange(p), n + np.arange(q)], np.triu_indices(p + q)
    assert short[2] == pytest.approx(long[2], rel=1e-12)
    assert short[1][rows] == pytest.approx(long[1], rel=1e-10, abs=1e-10)
    assert short[0][np.ix_(rows, rows)][upper] == pytest.approx(long[0][upper], rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(("order", "seasonal"), ORDERS)
def test_the_compiled_climb_ends_no_lower_than_the_plain_one(order, seasonal):
    spec = Specification(order, seasonal)
    y = np.column_stack([series(seed=s) for s in range(4)])
    block = Block(y, np.zeros((len(y), 0)), spec)
    compiled, _, top = many._highest(block, 8)
    at, squares = np.zeros((4, 8, spec.parameters)), np.zeros((4, 8))
    starts = np.resize(spec.starts(), (8, spec.parameters))
    conditional.rough(block.differenced(), np.array(spec.sizes), *spec.lags, starts, 14, at, squares)
    plain, *_ = many._climbed(block, many._best_apart(block, at, squares))
    everyone = np.arange(4)
    heights = [block.heights(found[:, None, :], everyone)[:, 0] for found in (compiled, plain)]
    assert top.all()
    assert (heights[0] >= heights[1] - 1e-5).all()


def test_a_series_alone_is_what_it_is_among_others():
    y = np.column_stack([series(seed=s) for s in range(5)])
    together = many.fit(y, order=(2, 0, 2))
    for i in range(5):
        alone = many.fit(y[:, i : i + 1], order=(2, 0, 2))
        assert (alone.parameters[0] == together.parameters[i]).all()
