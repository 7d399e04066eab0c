"""Figures of regression: what they say, how large they are, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import results
from citylib.errors import InputError
from citylib.plots import regression

MAX_MARKUP = 130_000  # two drawings of about 60 kB


@pytest.fixture
def markup(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The markup of each figure shown."""
    seen: list[str] = []
    monkeypatch.setattr(results, "_emit", lambda payload, plain, shown, **more: seen.append(shown))
    return seen


def test_fitted_line_says_the_slope_and_stays_small(markup: list[str]) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(10, 5, 50_000)
    payload = regression.fitted_line(
        "line",
        x,
        3 - 2 * x + generator.normal(size=50_000),
        intercept=3,
        slope=-2,
        x_label="rain [mm/h]",
        y_label="flow",
    )
    assert "falls by 2 per unit" in payload["alt"]
    assert len(markup[0]) < MAX_MARKUP


def test_fitted_line_with_an_input_that_is_mostly_zero(markup: list[str]) -> None:
    x = np.r_[np.zeros(90), np.arange(1.0, 11)]
    payload = regression.fitted_line("line", x, x, intercept=0, slope=1, x_label="rain", y_label="flow")
    assert "rises by 1" in payload["alt"]
    same = regression.fitted_line("same", np.ones(9), x[:9], intercept=0, slope=0, x_label="rain", y_label="flow")
    assert "1 bins" in same["alt"]


def test_coefficients(markup: list[str]) -> None:
    payload = regression.coefficients("b", ["rain", "snow"], [-3.0, 1.0], [-4.0, -1.0], [-2.0, 3.0], x_label="veh/h")
    assert "1 of which exclude zero" in payload["alt"]
    assert "rain at -3" in payload["alt"]
    with pytest.raises(InputError, match="at most 40"):
        regression.coefficients("b", ["x"] * 41, np.ones(41), np.ones(41), np.ones(41), x_label="veh/h")
    with pytest.raises(InputError, match="same length"):
        regression.coefficients("b", ["x"], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], x_label="veh/h")


def test_residuals(markup: list[str]) -> None:
    errors = np.random.default_rng(0).normal(size=5000)
    payload = regression.residuals(
        "r", np.arange(5000.0), errors, [1, 0.53, np.nan], unit="veh/h", step="hours", count=5000
    )
    assert "0.53 at lag 1" in payload["alt"]
    assert len(markup[0]) < MAX_MARKUP


def test_expected_marks_what_lies_outside(markup: list[str]) -> None:
    hours = np.arange("2026-01-01T00", "2026-01-15T00", dtype="datetime64[h]")
    flow = np.sin(np.arange(len(hours)))
    flow[5], flow[9] = 7, np.nan
    payload = regression.expected("e", hours, flow, flow * 0, flow * 0 - 2, flow * 0 + 2, y_label="flow [veh/h]")
    assert f"1 of {len(hours) - 1} readings" in payload["alt"]
    assert len(markup[0]) < MAX_MARKUP
    long = np.arange(2000).astype("datetime64[h]")
    with pytest.raises(InputError, match="at most 1500"):
        regression.expected("e", long, *[np.zeros(2000)] * 4, y_label="flow")


def test_shares_by_group(markup: list[str]) -> None:
    payload = regression.shares_by_group(
        "c",
        [f"{h:02d}" for h in range(24)],
        {"one width": np.linspace(0.8, 1, 24), "by hour": np.full(24, 0.95)},
        level=0.95,
        x_label="hour",
        y_label="share inside",
    )
    assert "one width 80% to 100%" in payload["alt"]
