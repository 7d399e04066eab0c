"""Chapter allocation/08 runs on the tiny city, on a city's own file and on real cities; what it tells adds up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib.data import load

CHAPTER = "allocation/08_stations"
SMALL = {"stations": 2, "sites": 12, "points": 60, "added": 1, "calls": 600, "loads": 40}


def table(ran: Any, name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    sweep = table(ran, "sweep")
    assert (sweep["status"] == "optimal").all()
    assert (sweep["gap"] == 0).all()
    assert (sweep["greedy_of_best"] <= 1 + 1e-12).all()
    assert sweep["covered"].is_monotonic_increasing
    assert ran["records"]["proven"]["value"] == len(sweep)
    low, high = ran["records"]["covered_today"]["interval"]
    assert low < ran["records"]["covered_today"]["value"] < high
    several, options = table(ran, "several"), table(ran, "next")
    assert several["sites"][0] == options["site"][0], "one station more: solver and enumeration choose the same"
    relief = table(ran, "relief")
    assert relief.select_dtypes("number").drop(columns="price").to_numpy().sum() == pytest.approx(40, abs=8)
    hand = table(ran, "by_hand").set_index("rule")["calls_covered"]
    assert (hand["greedy"], hand["exact"]) == (11, 12)
    assert {"reach", "next_map", "districts", "areas_map"} <= set(ran["figures"])
    assert {"recount", "expected", "median", "check", "dispatch", "floors", "patrol", "card"} <= set(ran["tables"])


def test_a_city_that_reaches_all_is_not_told_to_build(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL, within=30.0)
    assert ran["records"]["covered_today"]["value"] == 1
    assert any("one more is not needed" in text for text in ran["said"])


def test_crews_that_are_never_busy_are_not_held_against_calls(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL, busy=0.0)
    assert any("never busy" in text for text in ran["said"])
    assert not any("too hopeful" in text for text in ran["said"])


def test_sites_must_hold_what_is_added(refused: Callable[..., str]) -> None:
    assert "sites must be at least today's 2 stations and 4 more, got 5" in refused(
        CHAPTER, source="synthetic:tiny", **SMALL | {"sites": 5, "added": 4}
    )


def test_a_citys_own_stations_are_todays(
    run_chapter: Callable[..., Any], refused: Callable[..., str], tmp_path: Path
) -> None:
    calls = load("synthetic:tiny").events("requests")
    middle = calls[["latitude", "longitude"]].median()
    rows = pd.DataFrame({"asset": ["north", "south", "old"], "installed": [1950, 1980, 1920]})
    rows["removed"] = [None, None, "1979-12-31"]
    rows["latitude"], rows["longitude"] = middle["latitude"] + np.array([0.01, -0.01, 0]), middle["longitude"]
    path = tmp_path / "stations.csv"
    rows.to_csv(path, index=False)
    given = {"source": "synthetic:tiny", "station_source": f"file:{path}"} | SMALL
    ran = run_chapter(CHAPTER, **given)
    assert any(text.startswith("2 stations are open today") for text in ran["said"])
    rows.loc[0, ["latitude", "longitude"]] = np.nan
    rows.to_csv(path, index=False)
    assert "each with coordinates, got 'north without'" in refused(CHAPTER, **given)


@pytest.mark.slow
def test_an_own_file_without_streets_or_areas(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    n = 900
    where = draw.integers(0, 3, n)
    rows = pd.DataFrame({"id": [f"c{k}" for k in range(n)]})
    rows["opened"] = pd.Timestamp("2025-01-06") + pd.to_timedelta(np.sort(draw.integers(0, 200 * 1440, n)), unit="min")
    rows["closed"] = rows["opened"] + pd.Timedelta(hours=1)
    rows["category"] = "fire"
    rows["latitude"], rows["longitude"] = 50 + 0.02 * where + 0.01 * draw.random(n), 8 + 0.03 * draw.random(n)
    rows["ward"] = np.array(["A", "B", "C"])[where]
    path = tmp_path / "calls.csv"
    rows.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", place="ward", area="ward", **SMALL)
    assert ran["records"]["proven"]["value"] == len(table(ran, "sweep"))
    assert "areas_map" not in ran["figures"]


@pytest.mark.real
@pytest.mark.slow
def test_montreal(run_chapter: Callable[..., Any], real_data: Path) -> None:
    about = {"area": "station", "cut": "2023-01-01", "until": "2025-01-01", "within": 4.0, "sites": 100}
    ran = run_chapter(CHAPTER, source="emergency-montreal-fire", calls=2000, **about)
    assert (table(ran, "sweep")["gap"] == 0).all()
    recount = table(ran, "recount").set_index("plan")
    assert (recount["stations"] == 67).all()
    assert recount.loc["demand points", "low"] > 0
    assert 0.82 < ran["records"]["covered_today"]["value"] < 0.86


@pytest.mark.real
@pytest.mark.slow
def test_pittsburgh_says_that_its_calls_are_planted(run_chapter: Callable[..., Any], real_data: Path) -> None:
    about = {"stations": 30, "cut": "2023-01-01", "within": 4.0, "sites": 60, "points": 150}
    ran = run_chapter(CHAPTER, source="network-pittsburgh", calls=1000, **about)
    assert any("They are planted" in text for text in ran["said"])
