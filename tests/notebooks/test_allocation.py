"""The allocation chapters run on the tiny city, on real requests and on a city's own file, and say what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "allocation/01_the_problem"
SMALL = {"min_cases": 20, "draws": 50}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    assert ran["records"]["kkt_residual"]["value"] < 1e-10
    assert ran["records"]["solver_apart"]["value"] < 1e-6
    split = pd.read_parquet(ran["folder"] / ran["tables"]["split"]["file"])
    assert split["hours_best"].sum() == pytest.approx(ran["records"]["budget_hours"]["value"])
    order = split.loc[split["hours_best"] > 0].sort_values("minutes_each")
    assert order["settled_best"].is_monotonic_decreasing, "the share settled falls with the hours a request takes"
    several = pd.read_parquet(ran["folder"] / ran["tables"]["several"]["file"])
    np.testing.assert_allclose(several["price_water_filling"], several["price_solver"], rtol=1e-4)
    assert {"vessel", "budgets", "front"} <= set(ran["figures"])
    assert {"by_hand", "unseen", "bounds", "yardstick", "card"} <= set(ran["tables"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", **SMALL | {"floor": 0.9})
    assert any("cannot be kept" in p.get("text", "") for p in payloads), "too large a promise is told, not raised"


def test_bounds_that_cannot_be_kept_are_told_and_not_moved(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL, cap=0.05)
    bounds = pd.read_parquet(ran["folder"] / ran["tables"]["bounds"]["file"]).set_index("plan")
    assert "caps must add up to 1 at least" in bounds.loc["cap", "refused"]
    assert bounds.loc["both", "refused"] != ""
    assert bounds.loc["promise", "refused"] == ""


@pytest.mark.parametrize("budget", [0.05, 3.0])
def test_hours_saved_are_found_whatever_the_budget(run_chapter: Callable[..., Any], budget: float) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL, budget=budget)
    saved = ran["records"]["hours_saved"]["value"]
    assert 0 <= saved < 0.15, "the best split needs no more hours than shares by requests, and here not many fewer"
    assert not any("nearly free" in text for text in ran["said"])


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    n = 900
    where = draw.integers(0, 3, n)
    rows = pd.DataFrame({"id": [f"r{k}" for k in range(n)]})
    rows["opened"] = pd.Timestamp("2025-01-06") + pd.to_timedelta(np.sort(draw.integers(0, 70 * 1440, n)), unit="min")
    rows["closed"] = rows["opened"] + pd.Timedelta(days=2)
    rows["category"] = draw.choice(["tree", "light"], n)
    rows["latitude"], rows["longitude"] = 50 + 0.02 * where + 0.002 * draw.random(n), 8 + 0.002 * draw.random(n)
    rows["ward"] = np.array(["A", "B", "C"])[where]
    rows["team"] = draw.choice(["green", "electric", None], n)
    path = tmp_path / "requests.csv"
    rows.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", place="ward", crew="team", **SMALL)
    assert ran["records"]["kkt_residual"]["value"] < 1e-10
    several = pd.read_parquet(ran["folder"] / ran["tables"]["several"]["file"])
    assert set(several["trade"]) == {"green", "electric"}, "who does the work is not known: that is no trade"


@pytest.mark.real
@pytest.mark.slow
def test_boston(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="requests-boston-311", min_cases=1000)
    unseen = pd.read_parquet(ran["folder"] / ran["tables"]["unseen"]["file"]).set_index("rule")
    assert unseen.loc["best", "low"] > 0


SIGNALS = "allocation/07_traffic_signals"
LITTLE = {"runs": 1, "generations": 1, "pairs": 2, "until": 600, "simulated": 120}


def test_traffic_signals(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(SIGNALS, **LITTLE)
    assert {"live", "weights", "against", "card"} <= set(ran["tables"])
    assert {"demand", "delays", "grid"} <= set(ran["figures"])
    assert any(one["file"] == "data/kept/signals.json" for one in ran["receipt"]["data"])
    shown = pd.read_parquet(ran["folder"] / ran["tables"]["test_grid4_v1"]["file"])
    assert (shown["teleports"] == 0).all()
    assert (shown["unfinished"] == 0).all()
    told = " ".join(ran["said"])
    assert "Chosen on the choice seeds" in told
    assert "installed here" in told or "Simulated here" in told
    assert "attention" in told.lower(), "what attention is worth is said, whichever way"


def test_greens_between_the_steps_of_the_model_are_refused(refused: Callable[..., str]) -> None:
    assert "green must be a multiple of the model's step of 5 s, got 7" in refused(SIGNALS, **LITTLE, green=7)
