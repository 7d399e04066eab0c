"""Panel: values, mask and times always agree; parts keep what belongs to them; bad input is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import DataQualityWarning, InputError, UnknownNameError
from citylib.panel import Panel

NAN = float("nan")
DAY = ["2026-01-01T00", "2026-01-01T01", "2026-01-01T02"]


def panel(**change):
    parts = {"values": [[1, 2], [3, NAN], [5, 6]], "times": DAY, "sensors": ["a", "b"], "unit": "veh/h"}
    return Panel(**(parts | change))


REFUSED = {
    "shape": ({"times": DAY[:2]}, "values must have shape (times, sensors) = (2, 2), got (3, 2)"),
    "infinite": ({"values": [[1, 2], [3, np.inf], [5, 6]]}, "values must be finite"),
    "back": ({"times": [DAY[1], DAY[0], DAY[2]]}, "times must be strictly increasing"),
    "repeat": ({"times": [DAY[0], DAY[0], DAY[2]]}, "which repeats at row 1"),
    "no dates": ({"times": ["x", "y", "z"]}, "times must be dates or times"),
    "missing time": ({"times": [DAY[0], "NaT", DAY[2]]}, "NaT at row 1"),
    "zone": ({"times": pd.date_range("2026", periods=3, tz="UTC")}, "without a zone"),
    "ids": ({"sensors": ["a", "a"]}, "sensors must have no duplicates"),
    "mask shape": ({"mask": [[True, False]]}, "mask must have the shape of values"),
    "mask kind": ({"mask": [[2, 0]] * 3}, "mask must hold only 0 and 1"),
    "coordinates shape": ({"coordinates": [[1, 2]]}, "coordinates must have shape (sensors, 2)"),
    "coordinates range": ({"coordinates": [[95, 2], [1, 2]]}, "latitude in [-90, 90]"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_panels_are_refused(what):
    change, words = REFUSED[what]
    with pytest.raises(InputError) as caught:
        panel(**change)
    assert words in str(caught.value)


def test_mask_and_nan_always_agree():
    p = panel(mask=[[True, True], [True, True], [False, True]])
    assert p.mask.tolist() == [[True, True], [True, False], [False, True]]
    assert np.isnan(p.values[2, 0])
    assert p.missing_share == pytest.approx(2 / 6)


def test_a_panel_cannot_be_changed_and_copies_what_it_is_given():
    values = np.ones((3, 2))
    p = panel(values=values)
    values[0, 0] = 9
    assert p.values[0, 0] == 1
    for array in (p.values, p.mask, p.times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_select_keeps_sensors_times_and_coordinates_together():
    p = panel(coordinates=[[1, 2], [3, 4]]).select(sensors=["b"], since="2026-01-01T01", until="2026-01-01")
    assert p.shape == (2, 1)
    assert p.coordinates.tolist() == [[3, 4]]
    assert p.select(until="2026-01-01T01:00").shape == (1, 1)


def test_select_refuses_what_is_not_there():
    with pytest.raises(UnknownNameError, match="did you mean 'a'"):
        panel(sensors=["a", "bb"]).select(sensors=["A"])
    with pytest.raises(InputError, match="overlap the data"):
        panel().select(since="2027-01-01")
    with pytest.raises(InputError, match="be a date like"):
        panel().select(since="soon")
    with pytest.raises(UnknownNameError, match="sensor"):
        panel().series("c")


def test_regular_inserts_missing_steps_and_says_so():
    gappy = panel(times=[DAY[0], DAY[1], "2026-01-01T04"])
    with pytest.raises(InputError, match="evenly spaced"):
        _ = gappy.step
    with pytest.warns(DataQualityWarning, match="2 of 5 steps"):
        whole = gappy.regular()
    assert whole.shape == (5, 2)
    assert whole.step == np.timedelta64(1, "h")
    assert whole.mask.sum() == gappy.mask.sum()
    assert whole.regular() is whole
    assert panel(values=[[1, 2]], times=DAY[:1]).regular().shape == (1, 2)


def test_regular_refuses_times_off_the_grid():
    with pytest.raises(InputError, match="lie on a grid"):
        panel(times=[DAY[0], DAY[1], "2026-01-01T02:30"]).regular(np.timedelta64(1, "h"))


def test_a_step_needs_two_times():
    with pytest.raises(InputError, match="two for a step"):
        _ = panel(values=[[1, 2]], times=DAY[:1]).step


def test_fullest_masked_and_frames():
    p = panel()
    assert p.fullest() == "a"
    assert p.masked([[True, False]] * 3).fullest() == "b"
    with pytest.raises(InputError, match="at least one sensor"):
        Panel(np.empty((0, 0)), [], [], "m").fullest()
    back = Panel.from_frame(p.to_frame(), unit=p.unit)
    np.testing.assert_array_equal(back.values, p.values)
    assert "3 times x 2 sensors" in repr(p)
    assert "no times" in repr(Panel(np.empty((0, 1)), [], ["a"], "m"))
    assert Panel(np.empty((0, 1)), [], ["a"], "m").missing_share == 0


@given(st.lists(st.integers(0, 200), min_size=2, max_size=30, unique=True).map(sorted))
def test_regular_keeps_every_reading(hours):
    times = np.datetime64("2026-01-01", "h") + np.array(hours)
    p = Panel(np.arange(len(hours), dtype=float)[:, None], times, ["a"], "m")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        whole = p.regular(np.timedelta64(1, "h"))
    np.testing.assert_array_equal(whole.values[whole.mask[:, 0], 0], p.values[:, 0])
    np.testing.assert_array_equal(whole.times[whole.mask[:, 0]], p.times)
