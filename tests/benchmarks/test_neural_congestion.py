"""The report on congestion: says who wins either way, and is what the chapter shows."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import neural_congestion

NAMES = ("persistence", "LightGBM", "ResNet from scratch", "few labels: LightGBM")


def raw(gap: float) -> dict[str, Any]:
    table = [
        {"contender": name, "score": score, "value": 0.6 + gap * ("ResNet" in name)}
        for name in NAMES for score in ("macro_f1", "auc", "calibration_error")
    ]  # fmt: skip
    apart = {"difference": gap, "low": gap - 0.01, "high": gap + 0.01}
    pair = {"contender": "ResNet from scratch", "against": "LightGBM", "score": "macro_f1"}
    return {"table": table, "compared": [pair | apart, pair | apart | {"score": "auc"}]}


@pytest.mark.parametrize("gap", [-0.05, 0.05])
def test_it_is_a_report_and_says_losses(gap: float) -> None:
    assert neural_congestion.POINTS[0].bar == ""
    told = neural_congestion.judge(raw(gap))
    assert told.ok is None
    assert f"{gap:+.3f} ({gap - 0.01:+.3f} to {gap + 0.01:+.3f})" in told.ratio
    assert "ResNet from scratch" in told.ours
    assert "few labels: LightGBM" in told.peer


def test_every_rival_meets_persistence_and_lightgbm_once() -> None:
    asked = neural_congestion.compared()
    assert len(set(asked)) == len(asked)
    for name in ("ResNet from scratch", "ResNet pre-trained", "ResNet, levels weighted", "ResNet, levels resampled"):
        assert {(name, "persistence", "macro_f1"), (name, "LightGBM", "macro_f1")} <= set(asked)
