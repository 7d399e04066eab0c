"""Losses: closed values, masks that mask, silence refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from citylib.errors import InputError
from citylib.evaluate import forecast

NAN = float("nan")
finite = st.floats(-1e6, 1e6)


def test_closed_values() -> None:
    actual, guess = [1.0, 2.0, NAN, 4.0], [2.0, 2.0, 99.0, 1.0]
    assert forecast.mae(actual, guess) == pytest.approx(4 / 3)
    assert forecast.rmse(actual, guess) == pytest.approx(np.sqrt(10 / 3))
    assert forecast.bias(actual, guess) == pytest.approx(-2 / 3)
    assert forecast.mae(actual, guess, mask=[True, True, True, False]) == pytest.approx(0.5)


@given(arrays(float, 12, elements=finite), arrays(float, 12, elements=finite), st.sets(st.integers(0, 11), max_size=11))
def test_a_missing_reading_is_as_if_it_were_not_there(truth: np.ndarray, guess: np.ndarray, gone: set[int]) -> None:
    holes = truth.copy()
    holes[list(gone)] = NAN
    keep = ~np.isnan(holes)
    for loss in (forecast.mae, forecast.rmse, forecast.bias):
        expected = loss(truth[keep], guess[keep])
        assert loss(holes, guess) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert loss(truth, guess, mask=keep) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_mase_of_the_seasonal_naive_itself_is_one() -> None:
    day = np.tile([3.0, 5.0, 4.0], 20) + np.arange(60) * 0.5
    day[7] = NAN
    known = day[:45]
    scale = np.nanmean(np.abs(known[3:] - known[:-3]))
    assert forecast.scaled_by(known, season=3) == pytest.approx(scale)
    assert forecast.mase(day[45:], day[42:57], train=known, season=3) == pytest.approx(1.0)


def test_intervals() -> None:
    actual, low, high = [1.0, 5.0, NAN, 3.0], [0.0, 2.0, 0.0, 3.0], [2.0, 4.0, 9.0, 3.0]
    assert forecast.coverage(actual, low, high) == pytest.approx(2 / 3)
    assert forecast.width(actual, low, high) == pytest.approx(4 / 3)
    assert forecast.interval_score(actual, low, high, level=0.9) == pytest.approx((4 + 2 / 0.1 * 1) / 3)


def test_the_interval_score_is_least_at_the_true_quantiles() -> None:
    draws = np.random.default_rng(1).normal(size=200_000)
    scores = {
        z: forecast.interval_score(draws, *np.broadcast_arrays(-z, z, draws)[:2], level=0.9) for z in (1, 1.645, 2.4)
    }
    assert min(scores, key=scores.__getitem__) == 1.645


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: forecast.mae([1.0, 2.0], [1.0, NAN]),
            "number wherever a reading counts, got '1 NaN'",
        ),
        (lambda: forecast.mae([1.0, 2.0], [1.0]), "forecast must have the shape of actual"),
        (lambda: forecast.mae([1.0], [1.0], mask=[True, False]), "mask must have the shape"),
        (lambda: forecast.mae([NAN, NAN], [1.0, 1.0]), "at least one reading"),
        (lambda: forecast.mae([1.0], [2.0], mask=[0]), "at least one reading"),
        (lambda: forecast.mae([float("inf")], [2.0]), "actual must be finite"),
        (lambda: forecast.mase([1.0], [2.0], train=[1.0, 2.0], season=2), "two readings 2 steps apart"),
        (lambda: forecast.mase([1.0], [2.0], train=[1.0, 1.0]), "change from one season"),
        (lambda: forecast.coverage([1.0], [2.0], [1.0]), "lower must be at most upper"),
        (lambda: forecast.interval_score([1.0], [0.0], [1.0], level=1.0), "level must lie between"),
    ],
)
def test_refusals(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call()
