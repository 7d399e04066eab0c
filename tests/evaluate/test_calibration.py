"""Calibration: Wilson's interval against statsmodels, bins and coverage by hand."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from citylib.errors import InputError
from citylib.evaluate.calibration import coverage_by_step, reliability, wilson


def test_wilson_equals_statsmodels() -> None:
    hits, cases = np.array([0, 3, 50, 7]), np.array([10, 10, 100, 7])
    theirs = proportion_confint(hits, cases, method="wilson")
    np.testing.assert_allclose(wilson(hits, cases), theirs, atol=1e-12)


def test_probabilities_that_are_true_lie_within_their_bins_intervals() -> None:
    draw = np.random.default_rng(4)
    chance = draw.random(20_000)
    found = reliability(draw.random(20_000) < chance, chance)
    assert len(found) == 10
    assert found["cases"].sum() == 20_000
    np.testing.assert_allclose(found["predicted"], found["observed"], atol=0.04)  # 3.5 standard errors of a bin
    assert found["predicted"].is_monotonic_increasing


def test_equal_probabilities_share_a_bin() -> None:
    found = reliability([True, False, True, False], [0.3, 0.3, 0.3, 0.3])
    assert found[["cases", "observed"]].to_numpy().tolist() == [[4, 0.5]]


def test_coverage_by_step_leaves_missing_readings_out() -> None:
    actual = np.array([[1.0, np.nan, 9.0], [3.0, np.nan, 1.0]])
    low, high = np.zeros((2, 3)), np.full((2, 3), 2.0)
    np.testing.assert_array_equal(coverage_by_step(actual, low, high), [0.5, np.nan, 0.5])


def test_refusals() -> None:
    with pytest.raises(InputError, match="hits must be at most cases"):
        wilson(3, 2)
    with pytest.raises(InputError, match="cases must be at least 1"):
        wilson(0, 0)
    with pytest.raises(InputError, match="probability must lie between 0 and 1 inclusive"):
        reliability([True], [1.5])
    with pytest.raises(InputError, match="have the same shape"):
        coverage_by_step([[1.0]], [[1.0, 2.0]], [[1.0]])
    with pytest.raises(InputError, match="be numbers wherever a reading counts, got '1 NaN'"):
        coverage_by_step([[1.0]], [[np.nan]], [[1.0]])
