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


@pytest.mark.real
@pytest.mark.slow
def test_boston(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="requests-boston-311", who="Allston / Brighton", **SMALL | {"min_cases": 1000})
    assert any(text.startswith("**Allston / Brighton** gets") for text in ran["said"])
