"""The chapter of the multilayer perceptron runs on the tiny city, on a road that has both, and on a city's own file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "neural/01_multilayer_perceptron"
SMALL = {"clock": ["hour", "weekend"], "epochs": 12, "repeats": 2, "device": "cpu"}


def read(ran: dict[str, Any], table: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][table]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    checked = read(ran, "gradients")
    assert checked["by hand − by torch"].max() < 1e-12
    assert checked["by hand − by nudging"].max() < 1e-6
    parts = read(ran, "parts").set_index("part")
    assert parts.loc["training", "until"] < parts.loc["validation", "since"] <= parts.loc["validation", "until"]
    assert parts.loc["validation", "until"] < parts.loc["test", "since"]
    contest = read(ran, "contest").set_index("contender")
    assert set(contest.index) == {
        "network",
        "network, clock",
        "linear",
        "linear, clock",
        "last reading",
        "a week before",
    }
    assert (contest["low"] < contest["loss"]).all()
    speed = read(ran, "speed_contest").set_index("contender")
    assert speed["loss"].idxmin() == "the law itself"  # nobody beats the truth
    moved = read(ran, "moved").set_index("input")
    assert moved.loc[["weekday", "hour"], "the law"].eq(0).all()
    assert {"training", "contenders", "speed_by_volume"} <= set(ran["figures"])
    assert any("has both" in text for text in ran["said"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", **SMALL | {"weather": [], "history": [1, 24]})
    assert "network_minus_linear" in [p.get("name") for p in payloads]


def own_file(folder: Path, *, speed: bool) -> Path:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 42, freq="h")
    shape = 200 + 500 * np.exp(-(((times.hour - 8) % 24) ** 2) / 8) * (times.weekday < 5)
    frame = pd.DataFrame({"time": times, "sensor": "gate", "volume [veh/h]": draw.poisson(shape)})
    if speed:
        frame["speed [km/h]"] = 60 - frame["volume [veh/h]"] / 40 + draw.normal(size=len(times))
    path = folder / "gate.csv"
    frame.to_csv(path, index=False)
    return path


def test_an_own_file_with_speed_and_no_weather(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    ran = run_chapter(CHAPTER, source=f"file:{own_file(tmp_path, speed=True)}", **SMALL)
    assert "No law is known for this road: only the test can judge." in ran["said"]
    assert ran["records"]["weights"]["value"] == 3 * 10 + 10 + 10 + 1
    assert "off the law" not in read(ran, "speed_contest")


def test_an_own_file_without_speed_says_what_stands_in(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    path = own_file(tmp_path, speed=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", speeds="synthetic:tiny", **SMALL)
    assert any("has no speed beside its volume" in text for text in ran["said"])


def test_a_source_of_speeds_without_a_count_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    path = own_file(tmp_path, speed=False)
    said = refused(CHAPTER, source="synthetic:tiny", speeds=f"file:{path}", **SMALL)
    assert "speeds must hold a count as its main variable, and a variable named speed" in said


@pytest.mark.real
@pytest.mark.slow
def test_interstate_94(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="traffic-i94", repeats=2, epochs=30, device="cpu")
    error = read(ran, "contest").set_index("contender")["loss"]
    assert error["linear, clock"] < error["network"] < error["linear"] < error["last reading"]
