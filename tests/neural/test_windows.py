"""Daily profiles by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.neural.windows import daily_profiles
from citylib.panel import Panel


def panel(values: np.ndarray, start: str = "2026-01-01T00", hours: int = 6) -> Panel:
    times = np.datetime64(start) + np.arange(len(values)) * np.timedelta64(hours, "h")
    return Panel(values, times, [f"s{k}" for k in range(values.shape[1])], unit="veh/h")


def test_days_are_sorted_by_sensor_and_scaled_by_their_own_height() -> None:
    values = np.array([[1, 2, 4, 1, 8, 0, 2, 4], [5, 5, 5, 5, 1, 1, 2, 1]], dtype=float).T
    found = daily_profiles(panel(values))
    assert found.sensor.tolist() == ["s0", "s0", "s1", "s1"]
    assert found.day.astype(str).tolist() == ["2026-01-01", "2026-01-02"] * 2
    np.testing.assert_allclose(found.values[1], [1, 0, 0.25, 0.5])
    assert found.height.tolist() == [4, 8, 5, 2]
    assert found.left_out == 0


def test_days_with_gaps_or_nothing_are_left_out_and_counted() -> None:
    values = np.array([[1, np.nan, 4, 1, 8, 0, 2, 4], [0, 0, 0, 0, 1, 1, 2, 1]], dtype=float).T
    found = daily_profiles(panel(values))
    assert (len(found), found.left_out) == (2, 2)


def test_parts_of_days_at_the_ends_are_left_out() -> None:
    found = daily_profiles(panel(np.arange(1.0, 12.0)[:, None], start="2026-01-01T12"))
    assert found.day.astype(str).tolist() == ["2026-01-02", "2026-01-03"]
    np.testing.assert_allclose(found.values[0], np.array([3, 4, 5, 6]) / 6)


def test_one_day_does_not_change_with_another() -> None:
    values = np.random.default_rng(0).uniform(1, 5, (8, 2))
    before = daily_profiles(panel(values)).values[0]
    values[4:] *= 100
    np.testing.assert_array_equal(daily_profiles(panel(values)).values[0], before)


def test_pick() -> None:
    found = daily_profiles(panel(np.ones((8, 2))))
    assert len(found.pick(found.sensor == "s1")) == 2
    with pytest.raises(InputError, match="same length"):
        found.pick([True])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": -np.ones((4, 1))}, "panel must hold readings of 0 or more, got -1.0"),
        ({"values": np.ones((8, 1)), "hours": 7}, "panel must have a step that divides a day"),
        ({"values": np.ones((3, 1))}, "panel must hold at least one whole day"),
        ({"values": np.full((4, 1), np.nan)}, "panel must hold a day without a missing reading"),
        ({"values": np.ones((4, 1)), "steps": 3}, "steps must divide the 4 readings of a day, got 3"),
    ],
)
def test_refusals(change: dict[str, object], message: str) -> None:
    steps = change.pop("steps", None)
    with pytest.raises(InputError, match=message):
        daily_profiles(panel(**change), steps=steps)  # type: ignore[arg-type]
