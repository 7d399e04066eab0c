"""Chapter neural/05 runs on the tiny city, on a city's own file and on the loops of Los Angeles, and says who wins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "neural/05_congestion_pictures"
SMALL = {"judged_days": 7, "pictures": 400, "epochs": 1, "rates": [0.05], "side": 2, "columns": 6}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    said = " ".join(ran["said"])
    assert "nothing leaks" in said
    assert "Too rare to learn, so that this cut is dropped: 50%" in said
    scores = pd.read_parquet(ran["folder"] / ran["tables"]["scores"]["file"]).set_index("contender")
    assert {"persistence", "LightGBM", "ResNet", "ResNet, pre-trained", "ResNet, weighted"} <= set(scores.index)
    assert scores[["accuracy", "macro_f1", "auc"]].stack().between(0, 1).all()
    assert scores.loc["LightGBM", "auc"] > 0.8
    levels = pd.read_parquet(ran["folder"] / ran["tables"]["levels"]["file"])
    np.testing.assert_allclose(levels[["learned from", "choosing", "unseen"]].sum(), 1)
    assert {"the_city", "examples", "reliability", "macro_f1", "confusion"} <= set(ran["figures"])


def test_an_own_file_without_a_graph_and_with_weights_of_others(
    run_chapter: Callable[..., Any], refused: Callable[..., str], tmp_path: Path
) -> None:
    from transformers import ResNetConfig, ResNetModel

    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 40, freq="h")
    dip = 0.5 * np.exp(-(((times.hour - 8) % 24) ** 2) / 4) * (times.weekday < 5)
    wide = pd.DataFrame(
        {f"gate {k} [km/h]": 60 * (1 - dip * draw.uniform(0.2, 1.2, len(times))) + draw.normal(size=len(times))
         for k in range(4)}
    )  # fmt: skip
    wide.insert(0, "time", times)
    path = tmp_path / "gates.csv"
    wide.to_csv(path, index=False)
    graph = {"source": f"file:{path}", "variable": None}
    assert "where sensors have no coordinates" in refused(CHAPTER, **graph, **SMALL)
    theirs = tmp_path / "theirs"
    small = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic")
    ResNetModel(small).save_pretrained(theirs)
    ran = run_chapter(CHAPTER, source="synthetic:tiny", weights=str(theirs), **SMALL)
    scores = pd.read_parquet(ran["folder"] / ran["tables"]["scores"]["file"]).set_index("contender")
    assert "ResNet, others' weights" in scores.index


@pytest.mark.real
@pytest.mark.slow
def test_los_loop(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"graph": "adjacency_directed", "ahead": 6, "judged_days": 1, "block_hours": 2, "every": 12}
    ran = run_chapter(CHAPTER, source="traffic-metr-la", pictures=2000, epochs=1, rates=[0.05], **given)
    scores = pd.read_parquet(ran["folder"] / ran["tables"]["scores"]["file"]).set_index("contender")
    assert scores.loc["LightGBM", "auc"] > 0.85 > scores.loc["persistence", "auc"]
    assert scores.loc["persistence", "macro_f1"] == pytest.approx(0.59, abs=0.02)
    levels = pd.read_parquet(ran["folder"] / ran["tables"]["levels"]["file"])
    assert len(levels) == 4
