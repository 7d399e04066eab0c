"""The usual days of all sensors: by slot and kind, from known steps only."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.timeseries import decompose

HOUR = np.timedelta64(1, "h")
TIMES = np.datetime64("2026-11-02", "h") + np.arange(24 * 28)  # a Monday


def test_usual_days_are_means_by_slot_and_kind_from_known_steps_only():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((len(TIMES), 3)) + np.tile(np.arange(24.0), 28)[:, None]
    known = np.arange(len(TIMES)) < 24 * 21
    weekend = np.repeat([False] * 5 + [True] * 2, 24)[np.arange(len(TIMES)) % 168]
    found = decompose.usual_days(y, TIMES, step=HOUR, season="weekly", known=known)
    usual = found.at(TIMES)
    for hour in (0, 7, 23):
        for kind in (False, True):
            rows = known & (weekend == kind) & (np.arange(len(TIMES)) % 24 == hour)
            np.testing.assert_allclose(found.means_DSN[int(kind), hour], y[rows].mean(axis=0))
            at = np.flatnonzero((weekend == kind) & (np.arange(len(TIMES)) % 24 == hour))[-1]
            np.testing.assert_allclose(usual[at], y[rows].mean(axis=0))
    y[24 * 21 :] = 1e9  # the future changes nothing
    again = decompose.usual_days(y, TIMES, step=HOUR, season="weekly", known=known)
    np.testing.assert_array_equal(found.means_DSN, again.means_DSN)


def test_missing_readings_are_left_out_and_a_kind_without_any_takes_the_other():
    y = np.tile(np.arange(24.0), 28)[:, None] * np.ones(2)
    y[:, 1] = np.where(np.repeat([False] * 5 + [True] * 2, 24)[np.arange(len(TIMES)) % 168], np.nan, y[:, 1])
    y[5, 0] = np.nan
    usual = decompose.usual_days(y, TIMES, step=HOUR, season="weekly", known=np.ones(len(TIMES), bool)).at(TIMES)
    np.testing.assert_allclose(usual[:, 0], np.tile(np.arange(24.0), 28))
    np.testing.assert_allclose(usual[:, 1], np.tile(np.arange(24.0), 28))


def test_no_season_is_the_mean():
    y = np.arange(len(TIMES), dtype=float)[:, None]
    found = decompose.usual_days(y, TIMES, step=HOUR, season="none", known=np.arange(len(TIMES)) < 100)
    np.testing.assert_allclose(found.at(TIMES), 49.5)


def test_bad_input_is_refused():
    y, known = np.ones((len(TIMES), 1)), np.ones(len(TIMES), bool)
    with pytest.raises(InputError, match="known must hold a step"):
        decompose.usual_days(y, TIMES, step=HOUR, season="daily", known=~known)
    with pytest.raises(InputError, match="step must divide a day"):
        decompose.usual_days(y, TIMES, step=np.timedelta64(7, "h"), season="daily", known=known)
    with pytest.raises(InputError, match="season must be one of"):
        decompose.usual_days(y, TIMES, step=HOUR, season="yearly", known=known)


def test_the_usual_days_of_other_days_leave_the_day_itself_out():
    draw = np.random.default_rng(6)
    y = draw.standard_normal((len(TIMES), 2)) + 5
    y[3, 0], y[30, 1] = np.nan, np.nan
    known = np.arange(len(TIMES)) < 24 * 6
    usual = decompose.usual_days(y, TIMES, step=HOUR, season="daily", known=known)
    found = usual.of_other_days(y, TIMES, known=known)
    hour = np.arange(len(TIMES)) % 24
    for t in (0, 3, 30, 100, 24 * 6 - 1):
        rows = known & (hour == hour[t]) & (np.arange(len(TIMES)) != t)
        np.testing.assert_allclose(found[t], np.nanmean(y[rows], axis=0))
    np.testing.assert_array_equal(found[~known], usual.at(TIMES)[~known])
