"""The data chapters run on the tiny city, on real files and on a city's own file, and find what is planted in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "data/01_a_citys_data"


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, sources=["synthetic:tiny"])
    city = data.load("synthetic:tiny")
    assert ran["records"]["kinds_of_fault"]["value"] == len(city.faults)
    assert ran["records"]["found_share"]["value"] > 0.95
    put_back = pd.read_parquet(ran["folder"] / ran["tables"]["put_back"]["file"]).set_index("variable")
    masked = sum(f.count for f in city.faults if f.where == "flow" and f.action == "masked")
    assert put_back.loc["flow", "put_back"] == masked
    assert {"presence_0", "filled_run", "ages_0"} <= set(ran["figures"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, sources=["synthetic:tiny"])
    assert "kinds_of_fault" in [p.get("name") for p in payloads]


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    times = pd.date_range("2025-03-03", periods=24 * 21, freq="h")
    counts = pd.DataFrame({"time": times, "sensor": "a", "flow": np.random.default_rng(0).poisson(300, len(times))})
    path = tmp_path / "counts.csv"
    counts.drop(index=range(100, 130)).to_csv(path, index=False)
    ran = run_chapter(CHAPTER, sources=[f"file:{path}"])
    gaps = pd.read_parquet(ran["folder"] / ran["tables"]["gaps"]["file"])
    assert gaps["steps"].max() == 30


@pytest.mark.real
def test_real_files(run_chapter: Callable[..., Any], real_data: Path) -> None:
    names = ["traffic-i94", "air-beijing-multisite", "infra-water-mains-kitchener", "traffic-metr-la"]
    ran = run_chapter(CHAPTER, sources=names)
    tables = {name: pd.read_parquet(ran["folder"] / table["file"]) for name, table in ran["tables"].items()}
    repeated, ages = tables["repeated_hours"].iloc[0], tables["ages"].iloc[0]
    assert (repeated["rows"], repeated["hours"]) == (48204, 40575)
    assert ages["before_laying"] == 317
    assert tables["put_back"].set_index("variable").loc["temperature", "put_back"] == 10
    assert ran["records"]["flattered_by"]["value"] > 0
    assert {file["source"] for file in ran["receipt"]["data"]} == set(names)
