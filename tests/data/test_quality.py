"""Quality flags: fast forms equal their plain forms, laws hold, planted faults are found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from citylib import seeds
from citylib.data import quality
from citylib.errors import InputError
from citylib.panel import Panel

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
# Halves of small whole numbers: straight runs, level runs and off-grid values are all frequent, and exact in binary.
READINGS = arrays.arrays(np.float64, SHAPES, elements=st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.nan]))


def hourly(values: npt.ArrayLike, sensors: tuple[str, ...] = ("a",), start: str = "2026-01-01T00") -> Panel:
    table = np.asarray(values, dtype=float).reshape(-1, len(sensors))
    times = np.datetime64(start, "ns") + np.arange(len(table)) * np.timedelta64(1, "h")
    return Panel(table, times, sensors, "veh/h", variable="flow")


@given(arrays.arrays(np.bool_, SHAPES))
def test_run_lengths_equal_the_plain_form(flags: npt.NDArray[np.bool_]) -> None:
    np.testing.assert_array_equal(quality.run_lengths(flags), quality.run_lengths_plain(flags))


@given(READINGS, st.integers(3, 6))
def test_straight_runs_equal_the_plain_form(values: npt.NDArray[np.float64], length: int) -> None:
    np.testing.assert_array_equal(quality.straight_runs(values, length), quality.straight_runs_plain(values, length))


@given(READINGS, st.integers(3, 6))
def test_interpolated_equals_the_plain_form(values: npt.NDArray[np.float64], length: int) -> None:
    fast, plain = quality.interpolated(values, (1,), length), quality.interpolated_plain(values, (1,), length)
    np.testing.assert_array_equal(fast, plain)


@given(READINGS)
def test_longer_runs_are_among_the_shorter(values: npt.NDArray[np.float64]) -> None:
    assert not (quality.straight_runs(values, 5) & ~quality.straight_runs(values, 4)).any()
    assert not (quality.interpolated(values, (1,)) & ~quality.straight_runs(values, 3)).any()


@given(READINGS, st.integers(-3, 3), st.sampled_from([-2.0, 0.5, 4.0]))
def test_straightness_does_not_depend_on_scale_or_level(values: npt.NDArray[np.float64], up: int, scale: float) -> None:
    np.testing.assert_array_equal(quality.straight_runs(values), quality.straight_runs(values * scale + up))


def test_gaps_that_were_filled_are_found_in_a_noisy_series() -> None:
    rng = seeds.generator(0, "quality")
    truth = np.round(rng.gamma(3.0, 25.0, (4000, 3)))
    filled = np.zeros(truth.shape, dtype=bool)
    for at in range(50, 3900, 130):
        filled[at : at + 9] = True
    gaps = pd.DataFrame(truth).mask(filled).interpolate().to_numpy()
    found = quality.interpolated(gaps, (1,))
    level = gaps == np.roll(gaps, 1, axis=0)
    assert found[filled & ~level].mean() > 0.99
    assert found[~filled].mean() < 0.001


def test_ends_of_a_filled_gap_are_readings() -> None:
    values = np.array([3.0, 9.0, 4.0, 4.75, 5.5, 6.25, 7.0, 2.0])[:, None]
    assert np.flatnonzero(quality.interpolated(values, (1,))).tolist() == [3, 4, 5]


def test_a_whole_numbered_line_counts_only_when_long() -> None:
    values = np.r_[5.0, 1.0, np.arange(10.0) * 2, 7.0][:, None]
    assert quality.interpolated(values, (1,), min_length=9).sum() == 8
    assert not quality.interpolated(values, (1,), min_length=11).any()


def test_stuck_readings_count_above_the_floor_only() -> None:
    values = np.array([[2.0, 2.0], [2.0, 2.0], [2.0, 2.0], [9.0, 9.0], [9.0, np.nan], [9.0, 9.0]])
    assert quality.stuck(values, 3, above=[1.0, 2.0]).sum(axis=0).tolist() == [6, 0]
    assert quality.stuck(values, 3)[:, 1].sum() == 3


def test_off_grid_knows_every_resolution_and_no_missing_value() -> None:
    values = [[1.0, 0.2856, 0.5, np.nan, 2 * 0.2856]]
    assert quality.off_grid(values, (1, 0.2856)).tolist() == [[False, False, True, False, False]]
    with pytest.raises(InputError, match="steps"):
        quality.off_grid(values, ())


def test_impossible_is_outside_the_range_and_never_missing() -> None:
    panel = hourly([-1.0, 0.0, 10.0, 11.0, np.nan])
    assert quality.impossible(panel, 0, 10).ravel().tolist() == [True, False, False, True, False]
    with pytest.raises(InputError, match="in order"):
        quality.impossible(panel, 10, 0)


def test_gap_table_finds_missing_and_absent_steps_alike() -> None:
    values = np.arange(12.0)
    values[3:6] = np.nan
    whole = hourly(values)
    absent = Panel(
        np.delete(whole.values, [3, 4, 5], axis=0), np.delete(whole.times, [3, 4, 5]), ("a",), "veh/h", variable="flow"
    )
    for panel in (whole, absent):
        gap = quality.gap_table(panel).iloc[0]
        assert (gap["steps"], gap["hours"]) == (3, 3.0)
        assert str(gap["since"]) == "2026-01-01 03:00:00"
        assert str(gap["until"]) == "2026-01-01 05:00:00"


def test_gap_table_counts_the_ends_and_sorts_by_length() -> None:
    values = np.full((10, 2), 5.0)
    values[:1, 0] = np.nan
    values[6:, 0] = np.nan
    values[:, 1] = np.nan
    gaps = quality.gap_table(hourly(values, ("a", "b")), top=None)
    assert gaps[["sensor", "steps"]].to_numpy().tolist() == [["b", 10], ["a", 4], ["a", 1]]
    assert gaps["steps"].sum() == np.isnan(values).sum()
    assert len(quality.gap_table(hourly(values, ("a", "b")), top=1)) == 1


@given(arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=15)))
def test_gaps_add_up_to_what_is_missing(missing: npt.NDArray[np.bool_]) -> None:
    sensors = tuple(f"s{k}" for k in range(missing.shape[1]))
    panel = hourly(np.where(missing, np.nan, 1.0), sensors)
    gaps = quality.gap_table(panel, top=None)
    assert gaps["steps"].sum() == missing.sum()
    assert gaps["steps"].max() == quality.run_lengths(missing).max() or not missing.any()


def test_a_panel_without_gaps_has_an_empty_table_of_the_same_columns() -> None:
    full, holed = quality.gap_table(hourly([1.0, 2.0])), quality.gap_table(hourly([1.0, np.nan, 2.0]))
    assert not len(full)
    assert full.dtypes.astype(str).tolist() == holed.dtypes.astype(str).tolist()


def test_a_panel_of_one_step_has_a_gap_of_one_step() -> None:
    assert quality.gap_table(hourly([np.nan]))["steps"].tolist() == [1]


def test_summary_says_what_is_there_and_what_looks_wrong() -> None:
    values = np.array([[0.0, np.nan], [0.0, np.nan], [4.0, np.nan], [9.0, np.nan], [np.nan, np.nan], [2.0, np.nan]])
    table = quality.summary(hourly(values, ("a", "b"))).set_index("sensor")
    assert table.loc["a"].to_dict() == pytest.approx(
        {
            "readings": 5,
            "missing_share": 1 / 6,
            "longest_gap_hours": 1.0,
            "lowest": 0.0,
            "mean": 3.0,
            "highest": 9.0,
            "zero_share": 0.4,
            "repeat_share": 0.2,
            "straight_share": 0.0,
        }
    )
    assert table.loc["b", "readings"] == 0
    assert table.loc["b", ["lowest", "mean", "highest"]].isna().all()
    assert table.loc["b", "longest_gap_hours"] == 6.0


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: quality.straight_runs([[1.0]], 2), "min_length"),
        (lambda: quality.straight_runs([[1.0]], tolerance=0), "tolerance"),
        (lambda: quality.straight_runs([1.0, 2.0]), "values_TN"),
        (lambda: quality.interpolated([[1.0]], (1,), 2), "min_length"),
        (lambda: quality.interpolated([[1.0]], (0,)), "steps"),
        (lambda: quality.stuck([[1.0]], 1), "min_length"),
        (lambda: quality.run_lengths([True, False]), "flags_TN"),
        (lambda: quality.gap_table(hourly([1.0, np.nan, 2.0]), top=0), "top"),
    ],
)
def test_bad_arguments_are_refused(call: object, argument: str) -> None:
    with pytest.raises(InputError, match=argument):
        call()  # type: ignore[operator]
