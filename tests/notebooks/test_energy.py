"""The chapter of energy runs on the tiny city and on a city's own file, and no plan beats perfect foresight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError

CHAPTER = "allocation/09_energy"
SMALL = {"days": 10, "scenarios": 6, "parts": [0.5, 0.75]}
PLANS = {"stochastic", "careful", "robust", "one schedule", "deterministic", "perfect", "anew each hour"}


def read(ran: dict[str, Any], table: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][table]["file"])


def held(ran: dict[str, Any]) -> None:
    contest = read(ran, "contest").set_index("contender")
    assert set(contest.index) == PLANS
    assert (contest["of_perfect"] <= 1 + 1e-9).all()
    sizes = read(ran, "sizes")
    assert (sizes["stochastic"] <= sizes["perfect"] + 1e-6).all()
    assert sizes["worth"].iloc[0] > sizes["worth"].iloc[-1] - 1e-6
    assert {"a_day", "plans", "size"} <= set(ran["figures"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    held(ran)
    assert ran["records"]["price_of_not_knowing"]["value"] > 0


def test_an_own_file_of_quarter_hours(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    times = pd.date_range("2025-03-03", periods=96 * 100, freq="15min")
    load = 20 + 8 * np.sin((times.hour - 9) / 12 * np.pi) + 3 * (times.weekday < 5) + draw.normal(0, 1, len(times))
    load = pd.Series(load).where(draw.random(len(times)) > 0.001)
    path = tmp_path / "own.csv"
    pd.DataFrame({"time": times, "sensor": "feeder", "load [MW]": load}).dropna().to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", scale=1.0, peak_price=0.0, **SMALL)
    held(ran)
    assert ran["records"]["value_of_scenarios"]["value"] == pytest.approx(0, abs=1e-6)  # prices alone are known


def test_what_cannot_be_judged_is_said(run_chapter: Callable[..., Any]) -> None:
    with pytest.raises((AssertionError, InputError), match="leave 7 whole days"):
        run_chapter(CHAPTER, source="synthetic:tiny", **{**SMALL, "parts": [0.9, 0.95]})


def test_prices_are_two(run_chapter: Callable[..., Any]) -> None:
    with pytest.raises((AssertionError, InputError), match="parts and prices must be two numbers each"):
        run_chapter(CHAPTER, source="synthetic:tiny", **SMALL | {"prices": [60.0]})
