"""The chapter that closes the loop runs on the tiny city and says what it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

CHAPTER = "allocation/04_close_the_loop"
SMALL: dict[str, Any] = {"source": "synthetic:tiny", "min_cases": 20, "step_days": 1, "instances": 8, "steps": 80}
SMALL |= {"worlds": 2, "tuning": 1, "contexts": 400, "epochs": 3, "spreads": [0.1, 0.5], "pushes": [0.2, 3.0]}
SMALL |= {"every": [1, 20]}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, **SMALL)
    records = {name: record["value"] for name, record in ran["records"].items()}
    assert records["regret_true"] < 0.005
    assert records["collapsed_regret"] > 2 * ran["records"]["collapsed_regret"]["baseline"]
    assert 0.85 < records["coverage"] < 0.99
    judgement = pd.read_parquet(ran["folder"] / ran["tables"]["judgement"]["file"])
    assert len(judgement) == 3 + 3 * 5, "three that learn nothing, three that do with five first beliefs"
    worse = judgement[judgement["rule"] == "w times effect"].iloc[0]
    assert worse["low"] > 0, "the rule that rewards what works loses to the static network"
    tuning = pd.read_parquet(ran["folder"] / ran["tables"]["tuning"]["file"])
    assert tuning.groupby("rule")["chosen"].sum().eq(1).all()
    assert {"collapse", "belief", "by_step", "replan"} <= set(ran["figures"])
    assert {"in_city", "card"} <= set(ran["tables"])
    assert any("w times effect, ends at" in text for text in ran["said"])


def test_plans_that_cost_much_are_made_seldom(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, **SMALL | {"plan_cost": 1.0, "pushes": [3.0]})
    assert ran["records"]["steps_between_plans"]["value"] == 20
    assert any("most with 3" in text for text in ran["said"])
    assert not any("instead of" in text for text in ran["said"]), "one step tried is not compared with itself"


@pytest.mark.parametrize(
    ("wrong", "words"), [({"pushes": []}, "pushes must hold a value to try"), ({"place": "distrct"}, "district")]
)
def test_what_is_wrong_is_told_before_worlds_are_made(
    end_of: Callable[..., Any], wrong: dict[str, Any], words: str
) -> None:
    error = end_of(CHAPTER, **SMALL | wrong).error
    assert words in error["message"]
    assert "drift.drift(" not in error["source"]


@pytest.mark.real
@pytest.mark.slow
def test_boston(run_chapter: Callable[..., Any], real_data: Path) -> None:
    few = {name: value for name, value in SMALL.items() if name not in ("source", "min_cases", "step_days")}
    ran = run_chapter(CHAPTER, source="requests-boston-311", min_cases=1000, **few)
    settled = pd.read_parquet(ran["folder"] / ran["tables"]["in_city"]["file"]).set_index("rule")
    assert settled.loc["hindsight", "low"] > 0
    assert settled.loc["w times effect", "high"] < 0
