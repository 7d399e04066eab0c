"""The chapter on reasons runs on the tiny city, and its reasons add up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "allocation/05_why_this_share"
SMALL = {"min_cases": 20, "contexts": 300, "epochs": 2, "judged": 10, "orders": 4, "width": 16, "draws": 50}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    assert ran["records"]["derivative_apart"]["value"] < 1e-7
    assert ran["records"]["shapley_off"]["value"] < 1e-6
    judgement = pd.read_parquet(ran["folder"] / ran["tables"]["judgement"]["file"]).set_index("explanation")
    assert judgement.loc["response at the price", "agreement"] > judgement.loc["random order", "agreement"]
    assert set(judgement.index) >= {"gradient", "gradient x input", "leave one out", "Shapley", "attention, rollout"}
    card = pd.read_parquet(ran["folder"] / ran["tables"]["card"]["file"])
    why = card[["own_requests", "own_hours", "others_requests", "others_hours"]].sum(axis=1)
    np.testing.assert_allclose(why, card["hours_planned"] - card["equal_share"], atol=1e-9)
    got = card[card["hours_planned"] > 0]
    assert (got["low"] <= got["high"]).all()
    assert {"orders", "curves", "decision_card"} <= set(ran["figures"])


def test_a_district_that_is_asked_for_is_told(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", **SMALL)
    assert any(p.get("text", "").count("others' requests") for p in payloads)


def test_a_district_that_gets_nothing_is_told_what_an_hour_would_bring(run_chapter: Callable[..., Any]) -> None:
    far = {"budget": 0.05, "speed": 3.0, "on_site": 1.0, "who": "Lantern Hill"}
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL, **far)
    (told,) = (text for text in ran["said"] if text.startswith("**Lantern Hill** gets 0.0 of"))
    assert "less than" in told
    assert "as everywhere else" not in told


@pytest.mark.parametrize(
    ("wrong", "words"), [({"orders": 3}, "orders must be a multiple of 2"), ({"who": "Lantern Hil"}, "Lantern Hill")]
)
def test_what_is_wrong_is_told_before_training(end_of: Callable[..., Any], wrong: dict[str, Any], words: str) -> None:
    error = end_of(CHAPTER, source="synthetic:tiny", **SMALL | wrong).error
    assert words in error["message"]
    assert "learn.fit(" not in error["source"]


@pytest.mark.real
@pytest.mark.slow
def test_boston(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="requests-boston-311", who="Allston / Brighton", **SMALL | {"min_cases": 1000})
    assert any(text.startswith("**Allston / Brighton** gets") for text in ran["said"])
