"""Figures of variance: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import volatility

HOURS = np.arange("2026-01-01T00", "2026-03-01T00", dtype="datetime64[h]")


def test_news_and_shapes_say_their_ends() -> None:
    shocks = np.linspace(-4, 4, 9)
    payload = volatility.news_impact("news", shocks, {"GJR": np.abs(shocks) + 1}, unit="standard deviations")
    assert "GJR 5.00 after -4, 1.00 after none, 5.00 after 4" in payload["alt"]
    pair = (np.array([-3.0, 0.0, 3.0]), np.array([-5.0, 0.0, 4.0]))
    payload = volatility.shapes("shapes", {"normal": pair, "t": pair})
    assert "normal: lowest -5.0 where -3.0 is assumed, highest 4.0 where 3.0 is" in payload["alt"]


def test_thresholds_count_what_lies_above() -> None:
    value = np.arange(48.0)
    value[3] = np.nan
    payload = volatility.thresholds("days", HOURS[:48], value, {"flat": np.full(48, 40.0)}, label="PM2.5 [µg/m³]")
    assert "flat, 7 of 47 readings above" in payload["alt"]
    with pytest.raises(InputError, match="at most 600 steps"):
        volatility.thresholds("days", HOURS[:700], np.zeros(700), {"flat": np.zeros(700)}, label="x")


def test_exceedance_gives_every_share() -> None:
    part = np.array([[0.06, 0.04, 0.08], [np.nan] * 3])
    payload = volatility.exceedance("share", ["GARCH", "none"], {0.95: part, 0.99: part / 5})
    assert "above the 95% threshold GARCH 6.0%; above the 99% threshold GARCH 1.2%" in payload["alt"]
    with pytest.raises(InputError, match="shape"):
        volatility.exceedance("share", ["GARCH"], {0.95: part})
    with pytest.raises(InputError, match="labels, levels must be 1 to 12"):
        volatility.exceedance("share", [], {0.95: part})
