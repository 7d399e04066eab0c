"""The usual day and the level of days: what is planted comes out, gaps or not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.timeseries import profile


@pytest.fixture
def weeks() -> tuple[np.ndarray, pd.DatetimeIndex]:
    """Eight weeks of quarter hours: a shape by hour and kind of day, times a level a day."""
    times = pd.date_range("2026-01-05", periods=8 * 7 * 96, freq="15min")
    kind = np.maximum(times.dayofweek - 4, 0)
    shape = 100 + 50 * np.sin(2 * np.pi * times.hour / 24) - 20 * kind
    level = np.arange(len(times)) // 96 % 5
    return np.asarray(shape + level, dtype=float), times


def test_slots_are_the_means_of_their_readings(weeks) -> None:
    values, times = weeks
    values = values.copy()
    values[[3, 40, 41, 42, 43, 97]] = np.nan
    cut = profile.rounds(values, times.to_numpy())
    series = pd.Series(values, index=times)
    mean = series.groupby([times.date, times.hour]).mean()
    enough = series.notna().groupby([times.date, times.hour]).sum() >= 3
    expected = mean.where(enough).unstack().to_numpy()
    np.testing.assert_allclose(cut.values_RS, expected)
    assert np.isnan(cut.values_RS[0, 10])
    assert not np.isnan(cut.values_RS[0, 0])
    assert [cut.names[k] for k in cut.kinds[:7]] == ["working day"] * 5 + ["Saturday", "Sunday"]
    assert (cut.slot, cut.week, str(cut.starts[0])) == ("hour", 7, "2026-01-05")


def test_levels_see_through_gaps(weeks) -> None:
    values, times = weeks
    cut = profile.rounds(values, times.to_numpy())
    whole = profile.levels(cut, profile.means(cut))
    np.testing.assert_allclose(whole, np.nanmean(cut.values_RS, axis=1))
    holed = values.copy()
    holed[: 6 * 4] = np.nan  # the night of the first day
    later = profile.rounds(holed, times.to_numpy())
    level = profile.levels(later, profile.means(cut))
    assert level[0] == pytest.approx(whole[0], abs=1e-9)
    assert abs(np.nanmean(later.values_RS[0]) - whole[0]) > 1  # what a plain mean would say
    assert np.isnan(profile.levels(later, profile.means(cut), complete=0.9)[0])


def test_means_use_only_the_rounds_they_are_given(weeks) -> None:
    values, times = weeks
    cut = profile.rounds(values, times.to_numpy())
    np.testing.assert_allclose(profile.means(cut, upto=5)[0], cut.values_RS[:5].mean(axis=0))
    assert np.isnan(profile.means(cut, upto=5)[1:]).all()


def test_days_are_cut_into_years_of_months() -> None:
    times = pd.date_range("2020-01-01", "2023-06-30", freq="D")
    values = times.month.to_numpy(dtype=float) + (times.year - 2020)
    cut = profile.rounds(values, times.to_numpy())
    assert cut.values_RS.shape == (4, 12)
    np.testing.assert_allclose(cut.values_RS[1], np.arange(1, 13) + 1)
    assert np.isnan(cut.values_RS[3, 6:]).all()
    assert (cut.slot, cut.names, cut.week, cut.slots.tolist()[0]) == ("month", ("year",), 1, 1)


@pytest.mark.parametrize(
    ("values", "times", "said"),
    [
        ([np.nan] * 3, pd.date_range("2026", periods=3, freq="h"), "at least one reading"),
        ([1.0] * 3, pd.date_range("2026", periods=3, freq="3h"), "steps that divide an hour"),
        ([1.0] * 3, pd.date_range("2026", periods=3, freq="7min"), "steps that divide an hour"),
    ],
)
def test_refusals(values, times, said: str) -> None:
    with pytest.raises(InputError, match=said):
        profile.rounds(values, times.to_numpy())


def test_blocks_are_whole_weeks_that_leave_twelve_or_a_fourth() -> None:
    for days in range(1, 3000):
        block = profile.block(days, 7)
        assert days // block >= min(days, 4)
        assert days // block >= 12 or block <= 7
        assert block % 7 == 0 or days < 28
        assert days // (block + 7) < 12  # one week more would leave fewer
    assert [profile.block(years) for years in (1, 8, 30)] == [1, 1, 2]


def test_means_of_another_shape_are_refused(weeks) -> None:
    cut = profile.rounds(weeks[0], weeks[1].to_numpy())
    with pytest.raises(InputError, match="have shape"):
        profile.levels(cut, np.ones((1, 24)))
