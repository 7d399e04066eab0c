"""Figures of data quality: what they say, how large they are, what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib import results
from citylib.errors import InputError
from citylib.plots import quality


@pytest.fixture
def markup(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The markup of each figure shown."""
    seen: list[str] = []
    monkeypatch.setattr(results, "_emit", lambda payload, plain, shown, **more: seen.append(shown))
    return seen


def test_six_years_of_hours_stay_small(markup: list[str]) -> None:
    hours = pd.date_range("2012-10-01", "2018-09-30", freq="h")
    present = np.random.default_rng(0).random(len(hours)) > 0.1
    present[(hours >= "2014-08-08") & (hours < "2015-06-11")] = False
    payload = quality.presence("there", hours, present, what="volumes")
    assert "year down and week of the year across" in payload["alt"]
    assert "most in 2014" in payload["alt"] or "most in 2015" in payload["alt"]
    assert len(markup[0]) < 130_000
    assert "all missing" in markup[0]


def test_a_week_is_drawn_by_day_and_hour(markup: list[str]) -> None:
    steps = np.arange("2012-03-01T00:00", "2012-03-08T00:00", np.timedelta64(5, "m"), dtype="datetime64[m]")
    present = np.ones((len(steps), 3), dtype=bool)
    present[:288, 0] = False
    payload = quality.presence("there", steps, present)
    assert "most in 2012-03-01 Thu (33% of what is expected there)" in payload["alt"]
    assert "up to half missing" in markup[0]


def test_runs_join_equal_neighbours_only() -> None:
    codes = pd.Series([0, 0, 2, 2, 0, 0], index=[1, 2, 3, 4, 5, 9])
    assert quality._runs(codes) == [(0, 1, 2), (2, 3, 2), (0, 5, 1), (0, 9, 1)]


def test_split_histogram(markup: list[str]) -> None:
    ages = np.r_[np.full(3, -5.0), np.arange(40.0)]
    payload = quality.split_histogram(
        "ages", ages, at=0, labels=("cannot be", "can be"), x_label="age [years]", y_label="breaks"
    )
    assert "3 of 43 values lie below 0 (cannot be)" in payload["alt"]
    only = quality.split_histogram("one", [4.0, 4.0], at=0, labels=("a", "b"), x_label="age", y_label="breaks")
    assert "0 of 2" in only["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="at least one time"):
        quality.presence("there", np.array([], dtype="datetime64[ns]"), np.zeros((0, 1)))
    with pytest.raises(InputError, match="same length"):
        quality.presence("there", np.array(["2026-01-01"], dtype="datetime64[ns]"), [True, False])
    with pytest.raises(InputError, match="no missing values"):
        quality.split_histogram("x", [np.nan], at=0, labels=("a", "b"), x_label="x", y_label="y")
