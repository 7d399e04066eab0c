"""Windows never cross the split; daily profiles by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import InputError
from citylib.neural.windows import daily_profiles, origins, within
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


@given(
    start=st.integers(0, 30),
    length=st.integers(1, 40),
    history=st.integers(1, 9),
    horizon=st.integers(1, 9),
    back=st.integers(0, 30),
)
def test_no_window_crosses_the_split_and_none_is_missed(
    start: int, length: int, history: int, horizon: int, back: int
) -> None:
    stop, reach = start + length, max(0, start - back)
    told = {"start": start, "stop": stop, "history": history, "horizon": horizon, "reach": reach}
    every = [t for t in range(stop + 1) if t - history >= reach and start <= t and t + horizon <= stop]
    if not every:
        with pytest.raises(InputError, match="start, stop must hold a window"):
            origins(**told)  # type: ignore[arg-type]
        return
    assert origins(**told).tolist() == every  # type: ignore[arg-type]
    within(every, **told)  # type: ignore[arg-type]
    for t in (every[0] - 1, every[-1] + 1):
        with pytest.raises(InputError, match="at must have all"):
            within([*every, t], **told)  # type: ignore[arg-type]


def test_a_window_across_the_split_is_refused() -> None:
    with pytest.raises(InputError, match=r"at must have all targets in rows 0 to 79, got 78 \(rows 78 to 80\)"):
        within([70, 78], start=0, stop=80, history=12, horizon=3)
    with pytest.raises(InputError, match=r"at must have all histories from row 80 on, got 85 \(rows 73 to 84\)"):
        within([85], start=80, stop=100, history=12, horizon=3)
    with pytest.raises(InputError, match="history must be at least 1"):
        origins(0, 10, history=0, horizon=1)
    with pytest.raises(InputError, match="horizon must be at least 1"):
        origins(0, 10, history=1, horizon=0)
    with pytest.raises(InputError, match="reach must be at most 3"):
        origins(3, 10, history=1, horizon=1, reach=4)
