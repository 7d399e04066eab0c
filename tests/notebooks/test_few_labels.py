"""The chapter of few labels runs on the tiny city and on a city's own file, and shows what was recorded of Beijing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "neural/04_few_labels"
SMALL = {"history": 48, "horizon": 12, "patch": 12, "targets": 1, "steps": 8, "width": 8}


def read(ran: dict[str, Any], table: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][table]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    contest = read(ran, "contest").set_index("contender")
    assert {"last reading", "from scratch (days)", "pre-trained, tuned (recent)", "boosting, others"} <= set(
        contest.index
    )
    assert (contest["low"] < contest["loss"]).all()
    parts = read(ran, "parts")
    assert parts["since"].is_monotonic_increasing
    chosen = read(ran, "chosen")
    assert len(chosen) == 4
    assert {"labels", "contenders", "beijing_stations"} <= set(ran["figures"])


def test_what_was_recorded_of_beijing_holds_the_bar() -> None:
    kept = data.recorded("few_labels")
    for how in ("days", "recent"):
        one = kept["gains"][how]
        assert one["share"] >= 0.10
        assert one["interval"][0] > 0
        assert one["stations"] == 12
    assert max(kept["pretraining_cpu_seconds"]) <= 300


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 60, freq="h")
    rows = [
        pd.DataFrame(
            {"time": times, "sensor": f"g{k}", "volume [veh/h]": draw.poisson(100 + 80 * np.sin(times.hour / 4))}
        )
        for k in range(5)
    ]
    path = tmp_path / "own.csv"
    pd.concat(rows).to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", draws=["random"], **SMALL)
    assert "gain_random" in ran["records"]


def test_too_few_places_are_refused(refused: Callable[..., str]) -> None:
    said = refused(CHAPTER, source="synthetic:tiny", **{**SMALL, "targets": 6})
    assert "targets must leave 3 of the 8 places to learn and to choose from, got 6" in said


@pytest.mark.real
@pytest.mark.slow
def test_boroondara(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"belongs": "scats", "history": 96, "horizon": 12, "patch": 12, "share": 0.15}
    ran = run_chapter(CHAPTER, source="traffic-scats-boroondara", **given)
    error = read(ran, "contest").set_index("contender")["loss"]
    assert error["pre-trained, not tuned"] < error["from scratch (recent)"] < error["last reading"]
