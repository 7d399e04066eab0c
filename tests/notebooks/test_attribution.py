"""The chapter of explanations runs on the tiny city and on a city's own file, and holds what it must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

CHAPTER = "neural/08_what_did_it_look_at"
SMALL = {"sensors": 10, "windows": 60, "width": 16, "epochs": 3, "examples": 1200}
METHODS = {"integrated gradients", "occlusion", "attention", "attention rollout"}


def read(ran: dict[str, Any], table: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][table]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    line = read(ran, "line")
    for method in ("integrated gradients", "occlusion"):
        np.testing.assert_allclose(line[method], line["known"], atol=1e-9)
    assert ran["records"]["completeness_gap"]["value"] < 0.2
    assert set(read(ran, "truth")["method"]) == METHODS
    verdicts = read(ran, "deletion")
    assert len(verdicts) == 2 * (4 + 6)
    assert set(verdicts["world"]) == {"planted", "city"}
    worth = read(ran, "worth").set_index(["world", "contender"])["error"]
    assert worth["planted"].idxmin() == "the law"
    assert {"map", "planted_shares", "city_shares", "city_deletion", "days_kept_curve"} <= set(ran["figures"])
    chosen_and_judged_apart(ran, slack=0.02)
    low, high = ran["records"]["error_against_rule"]["interval"]
    assert low < ran["records"]["error_against_rule"]["value"] < high


def chosen_and_judged_apart(ran: dict[str, Any], *, slack: float) -> None:
    """Hold that the number of days is the smallest that will do on validation, whatever the test says."""
    kept = read(ran, "days_kept")["by the ranking, validation"].to_numpy()
    enough = int(ran["records"]["days_enough"]["value"])
    assert enough == 1 + int(np.argmax(kept <= (1 + slack) * kept[-1]))
    cost = ran["records"]["error_of_fewer_days"]
    assert cost["interval"][0] <= cost["value"] <= cost["interval"][1]
    proven = any("within the" in text for text in ran["said"] if text.startswith("On the test the error changes"))
    assert proven == (cost["interval"][1] <= slack)


def test_a_gpu_that_is_not_there_is_named(refused: Callable[..., str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert "device must be one that is there, got 'cuda'" in refused(
        CHAPTER, source="synthetic:tiny", device="cuda", **SMALL
    )


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03 05:00", periods=8 * 42, freq="3h")  # does not begin at midnight
    shape = 200 + 300 * np.exp(-(((times.hour - 9) % 24) ** 2) / 8) * (times.weekday < 5)
    wide = pd.DataFrame({f"gate {k} [veh/h]": draw.poisson(shape * (1 + k)) for k in range(4)})
    wide.insert(0, "time", times)
    path = tmp_path / "gates.csv"
    wide.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", history_days=3, **SMALL)
    assert len(read(ran, "days_kept")) == 3
    chosen_and_judged_apart(ran, slack=0.02)


@pytest.mark.real
@pytest.mark.slow
def test_pjm(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="electricity-pjm", since="2016-01-01")
    worth = read(ran, "worth").set_index(["world", "contender"])["error"]
    assert worth["city", "network"] < worth["city", "the day before"]
