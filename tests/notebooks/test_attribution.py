"""The chapter of explanations runs on the tiny city and on a city's own file, and holds what it must."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

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
    assert 1 <= ran["records"]["days_enough"]["value"] <= 7


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


@pytest.mark.real
@pytest.mark.slow
def test_pjm(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="electricity-pjm", since="2016-01-01")
    worth = read(ran, "worth").set_index(["world", "contender"])["error"]
    assert worth["city", "network"] < worth["city", "the day before"]
