"""Figures of diagnosis: what they say, how large they are, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import results
from citylib.errors import InputError
from citylib.plots import diagnosis

MAX_MARKUP = 130_000  # two drawings of about 60 kB


@pytest.fixture
def markup(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The markup of each figure shown."""
    seen: list[str] = []
    monkeypatch.setattr(results, "_emit", lambda payload, plain, shown, **more: seen.append(shown))
    return seen


def test_errors_by_lag(markup: list[str]) -> None:
    lines = {f"input{k}": np.linspace(1, 2 + k, 5) for k in range(8)}
    payload = diagnosis.errors_by_lag("lags", [0, 1, 24, 168, 672], lines, chosen=168, step="hours")
    assert "input1 1.0 at 0 to 3.0 at 672" in payload["alt"]
    assert "In use: 168" in payload["alt"]
    assert len(markup[0]) < MAX_MARKUP
    with pytest.raises(InputError, match="1 to 8 lines"):
        diagnosis.errors_by_lag("lags", [0, 1], {}, chosen=1, step="hours")
    with pytest.raises(InputError, match="same length"):
        diagnosis.errors_by_lag("lags", [0, 1], {"a": [1.0]}, chosen=1, step="hours")
    with pytest.raises(InputError, match="lags must be strictly increasing"):
        diagnosis.errors_by_lag("lags", [1, 0], {"a": [1.0, 1.0]}, chosen=1, step="hours")


def test_influence_names_the_days_that_pull_most(markup: list[str]) -> None:
    days = np.arange("2020-01-01", "2024-01-01", dtype="datetime64[D]")
    far = np.random.default_rng(0).gamma(0.2, size=len(days))
    far[[40, 1400]], far[7] = [50, 40], np.nan
    payload = diagnosis.influence("days", days, far, group="day")
    assert f"{len(days) - 1} groups" in payload["alt"]
    assert "the largest: 2020-02-10 at 50; 2023-11-01 at 40" in payload["alt"]
    assert markup[0].count("2020-02-10") >= 1
    assert len(markup[0]) < MAX_MARKUP


def test_effects_by_group(markup: list[str]) -> None:
    quiet, busy = [[-20.0, -30, -10], [np.nan, np.nan, np.nan]], [[-300.0, -400, -200], [5, -5, 15]]
    payload = diagnosis.effects_by_group("e", ["snow", "fog"], {"quiet": quiet, "busy": busy}, x_label="veh/h")
    assert "snow: quiet -20, busy -300; fog: busy 5." in payload["alt"]
    assert len(markup[0]) < MAX_MARKUP
    with pytest.raises(InputError, match="labels, groups must be 1 to 20 and 1 to 4"):
        diagnosis.effects_by_group("e", ["x"] * 21, {"all": np.zeros((21, 3))}, x_label="veh/h")
    with pytest.raises(InputError, match=r"groups must have shape \(1, 3\) each, got '\(2, 3\) of busy'"):
        diagnosis.effects_by_group("e", ["snow"], {"busy": busy}, x_label="veh/h")
