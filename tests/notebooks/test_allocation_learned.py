"""The chapters on learned shares run at small size, and say what came out, whichever way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from citylib.data.recorded import KEPT

ATTENTION, ATTACKED = "allocation/02_attention", "allocation/03_under_attack"
SMALL = {"contexts": 200, "small": 60, "tested": 80, "width": 8, "heads": 2, "epochs": 3, "decays": [0.1], "repeats": 1}
QUICK = {"contexts": 300, "tested": 60, "points": 3, "width": 16, "epochs": 4, "under_attack": 1, "weights": [0.3],
         "faulty": [64, 1], "strengths": [0.5, 0.05]}  # fmt: skip


def frame(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_attention(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(ATTENTION, **SMALL)
    assert frame(ran, "one_query")["attention"].sum() == pytest.approx(1)
    shapes = frame(ran, "shapes").set_index("step")["shape"]
    assert shapes["map of each head"] == "(80, 2, 12, 12)"
    assert shapes["shares"] == "(80, 12)"
    contest = frame(ran, "contest").set_index("policy")
    assert len(contest) == 12
    assert contest["regret"].is_monotonic_increasing
    assert any("keeps all of it" in text for text in ran["said"])
    assert any("Attention's best form" in text for text in ran["said"])
    chosen = contest["brought"].idxmax()
    assert any(f"**{chosen}** is chosen" in text for text in ran["said"]), "the test weeks choose nothing"
    assert ran["records"]["regret_chosen"]["value"] == pytest.approx(contest.loc[chosen, "regret"])
    assert {"regret_4", "regret_50"} <= set(frame(ran, "other_counts"))
    assert "map" in ran["figures"]
    recorded = (KEPT / "allocation_budget.json").is_file()
    assert ("learning" in ran["figures"]) == recorded
    assert any("not recorded here" in text for text in ran["said"]) != recorded


def test_under_attack(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(ATTACKED, **QUICK)
    verdict = frame(ran, "verdict").set_index("policy")
    assert (verdict["worst"] >= verdict[["ten_steps", "transferred", "random"]].max(axis=1) - 1e-9).all()
    assert (verdict["ten_steps"] > verdict["clean"]).all()
    assert {"trusting", "truth weighs 0.3", "against the noisy a"} == set(verdict.index)
    faults = frame(ran, "faults")
    spikes = faults[faults["fault"] == "spike"].set_index("readings")
    assert spikes.loc[64, "guard_equal"] < spikes.loc[64, "unguarded"], "the guard stands between nonsense and shares"
    assert faults.loc[faults["fault"] == "missing", "unguarded"].isna().all(), "a policy alone refuses what is missing"
    assert any("A single spike a week" in text for text in ran["said"]), "in whatever order they are given"
    assert any("At 0.5 standard deviations" in text for text in ran["said"])
    assert 0 <= ran["records"]["false_alarms"]["value"] < 0.2
    assert any("With true reports" in text for text in ran["said"]), "what the guard costs on good days is measured"
    assert any("is missing" in text for text in ran["said"])
    assert any("tokens must be known for every resource" in text for text in ran["said"])
    assert {"strength", "faults"} <= set(ran["figures"])


def test_a_live_curve_needs_two_sizes(run_plainly: Callable[..., Any]) -> None:
    with pytest.raises(Exception, match="small must be fewer weeks than contexts"):
        run_plainly(ATTENTION, **SMALL | {"small": 200})


def test_other_numbers_are_other_numbers(refused: Callable[..., str]) -> None:
    assert "others must be numbers never trained on, and not 4" in refused(ATTENTION, **SMALL | {"resources": 4})


@pytest.mark.parametrize(
    ("chapter", "given", "words"),
    [
        (ATTENTION, SMALL | {"decays": []}, "decays and others must hold a value each"),
        (ATTACKED, QUICK | {"weights": []}, "strengths, weights and faulty must hold a value each"),
    ],
)
def test_lists_hold_something(refused: Callable[..., str], chapter: str, given: dict[str, Any], words: str) -> None:
    assert words in refused(chapter, **given)
