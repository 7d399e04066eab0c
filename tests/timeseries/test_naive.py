"""The naive forecasts by hand, and their intervals by how often they cover."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.timeseries.naive import SeasonalNaive


def test_the_same_phase_a_season_ago() -> None:
    y = np.arange(12.0)
    centre, _, _ = SeasonalNaive(4).fit(y).forecast(y, origins=[8, 10], horizon=6)
    np.testing.assert_array_equal(centre, [[4, 5, 6, 7, 4, 5], [6, 7, 8, 9, 6, 7]])


def test_persistence_is_a_season_of_one() -> None:
    y = np.arange(12.0)
    centre, low, high = SeasonalNaive(1).fit(y).forecast(y, origins=[5], horizon=3)
    np.testing.assert_array_equal(centre, [[4, 4, 4]])
    np.testing.assert_array_equal(low - centre, [[1, 2, 3]])  # a line's errors are its steps
    np.testing.assert_array_equal(high, low)


def test_a_missing_reading_is_stood_in_for_by_the_season_before() -> None:
    y = np.array([1.0, 5.0, 2.0, 6.0, np.nan, 7.0])
    centre, _, _ = SeasonalNaive(2).fit(np.tile([1.0, 5.0], 4)).forecast(y, origins=[6], horizon=2)
    assert centre.tolist() == [[2.0, 7.0]]


def test_intervals_cover() -> None:
    y = np.random.default_rng(4).standard_normal(4000).cumsum()
    model = SeasonalNaive(1).fit(y[:2000])
    origins = np.arange(2000, 3990)
    _, low, high = model.forecast(y, origins=origins, horizon=5, level=0.9)
    actual = y[origins[:, None] + np.arange(5)]
    assert ((low <= actual) & (actual <= high)).mean() == pytest.approx(0.9, abs=0.03)


def test_refusals() -> None:
    with pytest.raises(InputError, match="y_T must have at least 8 rows, got 7"):
        SeasonalNaive(4).fit(np.zeros(7))
    model = SeasonalNaive(4).fit(np.arange(8.0))
    with pytest.raises(InputError, match=r"origins must lie between one season \(4\) and the readings given \(8\)"):
        model.forecast(np.arange(8.0), origins=[3], horizon=1)
    with pytest.raises(InputError, match="hold a reading of each phase of the season before an origin"):
        model.forecast(np.array([1.0, np.nan, 2.0, 3.0]), origins=[4], horizon=3)
    with pytest.raises(InputError, match="hold two readings 1 seasons apart"):
        SeasonalNaive(2).fit([1.0, np.nan, np.nan, np.nan]).forecast(np.arange(8.0), origins=[8], horizon=5)
