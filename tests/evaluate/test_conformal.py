"""Adaptive conformal intervals: they come to hold what they claim, and know nothing before its time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.evaluate.backtest import Backtest
from citylib.evaluate.conformal import adaptive


def claimed(actual_OH: np.ndarray, *, every: int = 1, level: float = 0.9) -> Backtest:
    zero = np.zeros_like(actual_OH)
    origins = 100 + every * np.arange(len(actual_OH))
    half = 1.6448536269514722
    return Backtest(origins, zero, zero - half, zero + half, actual_OH, level, (100,))


def shares(found: Backtest, rows: slice) -> np.ndarray:
    return ((found.lower <= found.actual) & (found.actual <= found.upper))[rows].mean(axis=0)


def test_intervals_that_are_right_stay_about_right() -> None:
    found = claimed(np.random.default_rng(0).standard_normal((3000, 3)))
    np.testing.assert_allclose(shares(adaptive(found), slice(200, None)), 0.9, atol=0.02)


def test_intervals_that_are_too_narrow_or_too_wide_come_to_hold_what_they_claim() -> None:
    noise = np.random.default_rng(1).standard_normal((3000, 2))
    for times in (0.3, 4.0):
        found = claimed(times * noise)
        assert abs(shares(found, slice(200, None)) - 0.9).min() > 0.09
        np.testing.assert_allclose(shares(adaptive(found), slice(200, None)), 0.9, atol=0.02)


def test_they_follow_a_change_that_a_fixed_width_does_not_see() -> None:
    noise = np.random.default_rng(2).standard_normal((4000, 1))
    noise[2000:] *= 2.5
    found = claimed(noise)
    changed = slice(2300, None)
    assert shares(found, changed)[0] < 0.6
    assert shares(adaptive(found), changed)[0] == pytest.approx(0.9, abs=0.02)


def test_a_reading_counts_only_once_it_could_have_been_seen() -> None:
    actual = np.random.default_rng(3).standard_normal((300, 4))
    found = claimed(actual, every=2)
    before = adaptive(found)
    other = actual.copy()
    at = 150
    # Readings that come at or after the origin of row `at`: 2 j + h + 1 > 2 at for row j and step h + 1.
    late = 2 * np.arange(300)[:, None] + np.arange(4) + 1 > 2 * at
    other[late] = 50.0
    after = adaptive(replace(found, actual=other))
    np.testing.assert_array_equal(before.upper[: at + 1], after.upper[: at + 1])
    assert (before.upper[at + 1 :] != after.upper[at + 1 :]).any()


def test_it_is_the_rolling_quantile_where_nothing_is_adapted() -> None:
    actual = np.random.default_rng(4).standard_normal((120, 1))
    actual[40] = np.nan
    found = adaptive(claimed(actual), rate=0.0, window=30)
    half = 1.6448536269514722
    for i in (8, 9, 10, 45, 119):
        score = np.abs(actual[:i, 0]) / half
        score = score[~np.isnan(score)][-30:]
        rank = int(np.ceil((len(score) + 1) * 0.9 - 1e-9))
        stretch = np.sort(score)[min(rank, len(score)) - 1] if len(score) >= 9 else 1.0
        assert found.upper[i, 0] == pytest.approx(half * stretch)


def test_what_cannot_be_corrected_is_refused() -> None:
    found = claimed(np.zeros((50, 2)))
    with pytest.raises(InputError, match="equal distances"):
        adaptive(replace(found, upper=found.upper + 1))
    with pytest.raises(InputError, match="equal distances"):
        adaptive(replace(found, upper=found.centre, lower=found.centre))
    with pytest.raises(InputError, match="window"):
        adaptive(found, window=5)
    with pytest.raises(InputError, match="rate"):
        adaptive(found, rate=2.0)
