"""The neural chapters run on the tiny city, on real counts and on a city's own file, and say what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "neural/02_autoencoder"
SMALL = {"hidden": 6, "epochs": 40, "labels": [1, 10], "repeats": 3, "device": "cpu"}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", **SMALL)
    parts = pd.read_parquet(ran["folder"] / ran["tables"]["parts"]["file"]).set_index("part")
    assert parts.loc["test", "detectors"] == 2
    accuracy = pd.read_parquet(ran["folder"] / ran["tables"]["accuracy"]["file"])
    assert accuracy["labels"].tolist() == [1, 10]
    assert (accuracy.drop(columns="labels").iloc[1] > 0.4).all()  # five classes: guessing reaches 0.2
    assert ran["records"]["gain_fewest_labels"]["level"] == pytest.approx(0.975)
    assert {"kinds", "training", "accuracy_by_labels", "rebuilt"} <= set(ran["figures"])
    assert {"auc", "alarms", "oddest"} <= set(ran["tables"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", **SMALL | {"labels": [3]})
    assert "auc_stuck" in [p.get("name") for p in payloads]


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 42, freq="h")
    shape = 200 + 300 * np.exp(-(((times.hour - 8) % 24) ** 2) / 8) * (times.weekday < 5)
    wide = pd.DataFrame({f"gate {k} [veh/h]": draw.poisson(shape * (1 + k)) for k in range(8)})
    wide.insert(0, "time", times)
    path = tmp_path / "gates.csv"
    wide.to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", **SMALL)
    assert ran["records"]["rebuilding_error"]["value"] < 0.05


@pytest.mark.real
@pytest.mark.slow
def test_boroondara(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="traffic-scats-boroondara", hidden=16, labels=[100], repeats=3, device="cpu")
    accuracy = pd.read_parquet(ran["folder"] / ran["tables"]["accuracy"]["file"]).iloc[0]
    assert accuracy["from scratch"] > accuracy["PCA + logistic"] > 0.5
