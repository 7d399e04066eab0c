"""Sums and recursions in a fixed order give what the libraries give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from citylib import seeds
from citylib.data.synthetic import arithmetic


def test_an_autoregression_is_the_filter_of_scipy():
    noise = seeds.generator(0, "test").standard_normal((300, 3))
    expected = lfilter([1.0], [1.0, -0.5, -0.3], noise, axis=0)
    np.testing.assert_allclose(arithmetic.autoregression(noise, [0.5, 0.3], 50), expected[50:], rtol=1e-12, atol=1e-12)


def test_garch_is_the_recursion_written_out():
    shocks = seeds.generator(1, "test").standard_normal(200)
    variance, expected = 0.02 / 0.05, []
    for shock in shocks:
        expected.append(shock * variance**0.5)
        variance = 0.02 + 0.1 * expected[-1] ** 2 + 0.85 * variance
    np.testing.assert_allclose(arithmetic.garch(shocks, 0.02, 0.1, 0.85), expected, rtol=1e-12)


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_inverse_and_product_undo_each_other(seed, n):
    matrix = np.eye(n) - 0.9 * seeds.generator(seed, "matrix").dirichlet(np.ones(n), n)
    np.testing.assert_allclose(arithmetic.product(matrix, arithmetic.inverse(matrix)), np.eye(n), atol=1e-9)


def test_a_product_is_a_matrix_product():
    rng = seeds.generator(2, "test")
    left, right = rng.standard_normal((50, 7)), rng.standard_normal((7, 5))
    np.testing.assert_allclose(arithmetic.product(left, right), left @ right, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(arithmetic.row_mean(left), left.mean(axis=1), rtol=1e-12, atol=1e-15)


def test_a_chain_moves_with_its_probabilities():
    states = arithmetic.chain(seeds.generator(3, "test").random(40_000), 0.1, 0.7)
    before, after = states[:-1], states[1:]
    assert after[~before].mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / (~before).sum()))
    assert after[before].mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / before.sum()))


def test_rounding_leaves_no_negative_zero():
    assert not np.signbit(arithmetic.rounded([-0.01, 0.0], 1)).any()
