"""Masked pre-training runs on the tiny city, on a city's own file and on real sources, and says what it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "neural/03_masked_pretraining"
SMALL = {
    "history": 48,
    "horizon": 12,
    "patch": 6,
    "check_days": 5,
    "label_days": 10,
    "steps": 10,
    "tuning": 10,
    "rates": [0.004],
    "width": 8,
    "repeats": 2,
    "every": 7,
    "block": 2,
}


def read(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, sources=["synthetic:tiny"], **SMALL)
    assert len(read(ran, "sources")) == 6  # flow as recorded is the target with its faults, and stays out
    assert len(read(ran, "fills")) == 6 * 5
    contenders = read(ran, "contenders").set_index("contender")
    assert {"persistence", "seasonal naive", "scratch, few labels", "scratch, all labels"} <= set(contenders.index)
    assert (contenders["low"] < contenders["mae"]).all()
    changes, levels = read(ran, "augmentation"), read(ran, "strengths").set_index(["contender", "change"])
    assert set(changes["change"]) == {"jitter", "scaling", "masking"}
    assert set(changes["contender"]) == {"scratch, few labels", "with tails, full"}
    for row in changes.to_dict("records"):  # the strength is the one that was best on the days of choosing
        tried = levels.loc[(row["contender"], row["change"])].drop("none")
        assert float(tried.astype(float).idxmin()) == row["strength"]
    assert (changes["seeds_low"] <= changes["difference"]).all()
    assert (changes["difference"] <= changes["seeds_high"]).all()
    assert changes.loc[changes["proven"] == "better", "high"].lt(0).all()
    paired = read(ran, "paired")
    assert paired.loc[paired["proven"] == "better", "seeds_better"].eq(SMALL["repeats"]).all()
    assert paired.loc[paired["proven"] == "worse", "seeds_better"].eq(0).all()
    assert set(paired["proven"]) <= {"better", "worse", "no"}
    assert ran["records"]["forecasts_unchanged"]["value"] is True
    assert ran["records"]["checkpoint_equal"]["value"] is True
    assert {"masks", "filled", "mae"} <= set(ran["figures"])


@pytest.mark.slow
def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 42, freq="h")
    shape = 200 + 300 * np.exp(-(((times.hour - 8) % 24) ** 2) / 8)
    wide = pd.DataFrame({f"gate {k} [veh/h]": draw.poisson(shape * (1 + k)) for k in range(3)})
    wide.insert(0, "time", times)
    path = tmp_path / "gates.csv"
    wide.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, sources=[f"file:{path}", "synthetic:tiny"], variables="main", **SMALL)
    sources = read(ran, "sources").set_index("source")
    assert sources.loc["synthetic:tiny, flow", "series"] == 8  # 2023 lies before the cut
    assert any("Too few days after the cut" in said for said in ran["said"])


@pytest.mark.real
@pytest.mark.slow
def test_four_sources(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = SMALL | {"history": 168, "horizon": 24, "patch": 12, "check_days": 28, "label_days": 56, "every": 47}
    names = ["air-beijing-multisite", "traffic-scats-boroondara", "electricity-pjm", "traffic-i94"]
    ran = run_chapter(CHAPTER, sources=names, variables="main", test_from="2016-09-01", **given | {"block": 7})
    assert read(ran, "sources").set_index("unit").loc["veh/15 min", "minutes"] == 15
    mae = read(ran, "contenders").set_index("contender")["mae"]
    assert 45 < mae["persistence"] < 60
