"""The report on congestion: says who wins either way, and is what the chapter shows."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import neural_congestion

NAMES = ("persistence", "LightGBM", "ResNet from scratch", "few labels: LightGBM")


def raw(gap: float) -> dict[str, Any]:
    table = [
        {"contender": name, "score": score, "value": 0.6 + gap * ("ResNet" in name), "minus_baseline": gap,
         "difference_low": gap - 0.01, "difference_high": gap + 0.01}
        for name in NAMES for score in ("macro_f1", "auc", "calibration_error")
    ]  # fmt: skip
    return {"table": table}


@pytest.mark.parametrize("gap", [-0.05, 0.05])
def test_it_is_a_report_and_says_losses(gap: float) -> None:
    assert neural_congestion.POINTS[0].bar == ""
    told = neural_congestion.judge(raw(gap))
    assert told.ok is None
    assert f"{gap:+.3f} ({gap - 0.01:+.3f} to {gap + 0.01:+.3f})" in told.ratio
    assert "ResNet from scratch" in told.ours
    assert "few labels: LightGBM" in told.peer
