"""The verdict on traffic signals is worked out again from what was recorded; it falls where a condition fails."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from benchmarks import allocation_signals, rows

RUN = {"teleports": 0, "unfinished": 0, "undeparted": 0, "p95": 90.0}


def made(gain: float = 5.0) -> dict[str, Any]:
    """A record in which the index is ahead by about `gain`."""

    def runs(mean: float) -> list[dict[str, Any]]:
        return [RUN | {"mean": mean + 0.3 * (k % 7)} for k in range(20)]

    ahead = [RUN | {"mean": 50 - gain + 0.2 * (k % 5)} for k in range(20)]
    known = {
        "max-pressure": {"scores": [50.0] * 20, "grid4-v1": runs(50.0), "held out": runs(60.0)},
        "linear index": {"scores": [45.0] * 20, "grid4-v1": ahead, "held out": runs(55.0)},
        "webster": {"scores": [90.0] * 20, "grid4-v1": runs(90.0), "held out": runs(95.0)},
        "equal": {"scores": [120.0] * 20, "grid4-v1": runs(200.0), "held out": runs(210.0)},
    }
    return {"controllers": known, "test_seeds": list(range(11, 31)), "candidates": 20}


def test_the_bar() -> None:
    raw = made()
    assert allocation_signals.policy(raw) == "linear index"
    assert allocation_signals.judge(raw).ok
    assert not allocation_signals.judge(made(gain=-2.0)).ok
    for key in ("teleports", "unfinished", "undeparted"):
        worse = copy.deepcopy(raw)
        worse["controllers"]["max-pressure"]["grid4-v1"][3][key] = 1
        assert not allocation_signals.judge(worse).ok
    fewer = copy.deepcopy(raw)
    fewer["controllers"]["webster"]["scores"] = [90.0] * 19
    assert not allocation_signals.judge(fewer).ok, "all had the same budget, or it is no comparison"
    assert "held out: max-pressure 61" in allocation_signals.judge_all(raw).ours


def test_the_policy_is_chosen_on_the_choice_seeds_alone() -> None:
    raw = made()
    raw["controllers"]["webster"]["scores"] = [40.0] * 20
    assert allocation_signals.policy(raw) == "webster"
    assert not allocation_signals.judge(raw).ok


def test_the_recorded_verdict() -> None:
    path = rows.RECORDED / "signals.json"
    if not path.is_file():
        pytest.skip("not recorded yet: python -m benchmarks.allocation_signals --only signals")
    assert allocation_signals.judge(json.loads(path.read_text(encoding="utf-8"))["raw"]).ok
