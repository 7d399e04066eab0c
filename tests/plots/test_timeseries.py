"""Figures of series: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import timeseries

HOURS = np.arange("2026-01-01T00", "2026-03-01T00", dtype="datetime64[h]")


def test_readings_say_their_range() -> None:
    values = np.sin(np.arange(len(HOURS)) / 4) * 10 + 20
    values[100:160] = np.nan
    payload = timeseries.readings("short", HOURS[:200], values[:200], label="PM2.5 [µg/m³]", cut=HOURS[120])
    assert payload["alt"].startswith("PM2.5 [µg/m³] from 2026-01-01 to 2026-01-09: from 10 to 30, median")
    long = np.tile(values, 20)
    when = HOURS[0] + np.arange(len(long)).astype("timedelta64[h]")
    assert timeseries.readings("long", when, long, label="PM2.5 [µg/m³]")["name"] == "long"


def test_ranges_keep_the_extremes_and_the_gaps() -> None:
    value = np.array([1.0, 9.0, np.nan, np.nan, 4.0, np.nan, 7.0])
    at, low, high = timeseries._ranges(HOURS[:7], value, 2)
    np.testing.assert_array_equal(low, [1, np.nan, 4])
    np.testing.assert_array_equal(high, [9, np.nan, 4])
    assert at.tolist() == HOURS[:6:2].tolist()


def test_correlograms_count_what_lies_outside() -> None:
    acf = np.array([1.0, 0.8, 0.3, 0.05])
    payload = timeseries.correlograms("memory", {"flow": (acf, acf), "rest": (acf, acf)}, band=0.1, period=2)
    assert "flow: lag 1 0.80, 2 of 3 lags outside the band" in payload["alt"]


def test_forecasts_say_how_much_was_inside() -> None:
    panel = {
        "past_times": HOURS[:10],
        "past": np.ones(10),
        "times": HOURS[10:14],
        "actual": [1.0, 2.0, 3.0, 9.0],
        "centre": np.ones(4) * 2,
        "lower": np.zeros(4),
        "upper": np.ones(4) * 4,
    }
    payload = timeseries.forecasts("two", [panel, panel | {"baseline": np.ones(4)}], label="flow [veh/h]", level=0.95)
    assert "from 2026-01-01 10:00, 75% of readings inside the interval" in payload["alt"]


def test_lines_by_step() -> None:
    lines = {"ARIMA": [1.0, 2.0, 3.0], "naive": [2.0, np.nan, 2.0]}
    payload = timeseries.by_step("mae", lines, label="mean absolute error [veh/h]", step="hours")
    assert "naive 2 at the first step, 2 at the last" in payload["alt"]
    payload = timeseries.coverage("inside", {"ARIMA": [0.93, 0.9], "naive": [0.95, 0.99]}, level=0.95, step="hours")
    assert "ARIMA 90% to 93%; naive 95% to 99%" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="values must hold at least one reading"):
        timeseries.readings("none", HOURS[:3], [np.nan] * 3, label="flow [veh/h]")
    with pytest.raises(InputError, match="same length"):
        timeseries.readings("none", HOURS[:3], [1.0], label="flow [veh/h]")
    with pytest.raises(InputError, match="number of panels must be at least 1"):
        timeseries.forecasts("none", [], label="flow [veh/h]", level=0.9)
