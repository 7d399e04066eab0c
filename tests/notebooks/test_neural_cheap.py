"""Chapter neural/07 makes a network small on the tiny city, on a file of one's own, and shows what was recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "neural/07_making_it_cheap"
SMALL = {"hidden": [32, 16], "shares": [0.25], "epochs": 5, "batch": 64, "device": "cpu"}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    forms = pd.read_parquet(ran["folder"] / ran["tables"]["forms"]["file"])
    assert {"original, 8 bits", "pruned, 8 bits", "student, 8 bits", "alone, 32 bits"} <= set(forms["form"])
    large, small = (forms[forms["form"] == name].iloc[0] for name in ("original, 32 bits", "student, 32 bits"))
    assert (large["hidden"], small["hidden"]) == ("32-16", "8-4")
    assert large["multiply_adds"] > 3 * small["multiply_adds"]
    assert ran["records"]["file_against_torch"]["value"] < 1e-2  # of hundreds of vehicles
    assert ran["records"]["mae_large_network"]["value"] < 0.6 * ran["records"]["mae_large_network"]["baseline"]
    teacher = pd.read_parquet(ran["folder"] / ran["tables"]["teacher"]["file"])
    for row in teacher.to_dict("records"):
        apart = row["low"] > 0 or row["high"] < 0
        near = max(-row["low"], row["high"]) < row["margin"]
        assert (row["student is"] == "as good") == near
        assert (row["student is"] == "open") == (not near and not apart)
    assert not any("comes as far" in text for text in ran["said"])
    assert "trade" in ran["figures"]
    assert "recorded_trade" not in ran["figures"]


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 21, freq="h")
    shape = 200 + 300 * np.exp(-(((times.hour - 8) % 24) ** 2) / 8) * (times.weekday < 5)
    wide = pd.DataFrame({f"gate {k} [veh/h]": draw.poisson(shape * (1 + k)).astype(float) for k in range(3)})
    wide.iloc[5:9, 1] = np.nan
    wide.insert(0, "time", times)
    path = tmp_path / "gates.csv"
    wide.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", **SMALL)
    assert any("there is no graph" in text for text in ran["said"])
    assert ran["records"]["smaller_file"]["value"] >= 1


@pytest.mark.real
@pytest.mark.slow
def test_los_angeles(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = SMALL | {"epochs": 1, "batch": 1024}
    ran = run_chapter(CHAPTER, source="traffic-metr-la", **given)
    recorded = pd.read_parquet(ran["folder"] / ran["tables"]["recorded_forms"]["file"]).set_index("model")
    original, small = recorded.loc["original, 32 bits"], recorded.loc["student, 8 bits"]
    assert original["bytes"] > 4 * small["bytes"]
    assert small["mae"] < 1.02 * original["mae"]
    assert "recorded_trade" in ran["figures"]
