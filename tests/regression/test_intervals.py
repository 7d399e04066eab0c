"""Intervals cover what they claim, in every group, and never pretend with too few errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import InputError
from citylib.regression import intervals


def test_each_group_is_covered_though_their_spreads_differ() -> None:
    generator = np.random.default_rng(0)
    groups = np.tile(["night", "rush"], 2000)
    spread = np.where(groups == "rush", 50.0, 2.0)
    past, new = generator.normal(0, spread), generator.normal(0, spread)
    low, high = intervals.by_group(np.zeros(4000), groups, errors=past, error_groups=groups, level=0.9)
    inside = (new >= low) & (new <= high)
    for group in ("night", "rush"):
        assert inside[groups == group].mean() == pytest.approx(0.9, abs=0.02)
    assert np.ptp(high[groups == "night"]) == 0


@given(st.integers(19, 80), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_rank_covers_an_exchangeable_reading_at_least_as_often_as_claimed(count: int, level: float) -> None:
    # Of count + 1 exchangeable errors the new one is equally likely to have any rank: count the ranks inside.
    past = np.arange(1.0, count + 1)
    low, high = intervals.by_group([0.0], ["a"], errors=past, error_groups=["a"] * count, level=level)
    between = np.arange(0.5, count + 1)  # one place for each rank
    assert ((between >= low) & (between <= high)).mean() >= level - 1e-12


def test_small_and_unknown_groups_use_all_errors() -> None:
    past, groups = np.arange(100.0), np.array(["a"] * 95 + ["b"] * 5)
    everywhere = intervals.by_group([0.0], ["x"], errors=past, error_groups=["x"] * 100, level=0.9)
    for name in ("b", "c"):
        found = intervals.by_group([0.0], [name], errors=past, error_groups=groups, level=0.9)
        assert np.array(found).ravel().tolist() == np.array(everywhere).ravel().tolist()


def test_missing_forecasts_and_errors() -> None:
    past = np.r_[np.nan, np.arange(30.0)]
    low, high = intervals.by_group([np.nan, 1.0], ["a", "a"], errors=past, error_groups=["a"] * 31, level=0.9)
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert high[1] > low[1]


@pytest.mark.parametrize(("level", "least"), [(0.9, 19), (0.95, 39), (0.5, 3)])
def test_least(level: float, least: int) -> None:
    assert intervals.pooled_below(level) == least
    intervals.by_group([0.0], ["a"], errors=np.arange(float(least)), error_groups=["a"] * least, level=level)
    with pytest.raises(InputError, match=f"at least {least} values"):
        intervals.by_group([0.0], ["a"], errors=np.arange(least - 1.0), error_groups=["a"] * (least - 1), level=level)


def test_lengths() -> None:
    with pytest.raises(InputError, match="same length"):
        intervals.by_group([0.0], ["a", "b"], errors=[1.0], error_groups=["a"])


def test_episodes_join_neighbours_on_one_side_and_break_at_gaps() -> None:
    hours = np.arange("2026-01-01T00", "2026-01-01T08", dtype="datetime64[h]")
    actual = [9.0, 9.0, 0.0, 5.0, 9.0, np.nan, 9.0, 5.0]
    found = intervals.episodes(hours, actual, [5.0] * 8, [4.0] * 8, [6.0] * 8)
    assert found["steps"].tolist() == [2, 1, 1, 1]
    assert found["side"].tolist() == ["above", "below", "above", "above"]
    assert found["excess"].tolist() == [8, -5, 4, 4]
    assert found["since"].tolist()[2:] == [np.datetime64("2026-01-01T04"), np.datetime64("2026-01-01T06")]
    assert intervals.episodes(hours, [5.0] * 8, [5.0] * 8, [4.0] * 8, [6.0] * 8).empty
