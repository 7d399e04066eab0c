"""Verdicts of feedback and explanations, worked out again from raw figures."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from benchmarks import allocation_drift, allocation_explain, rows

KINDS = ("true", "biased", "flat", "network's", "b misjudged")


def world(seed: int, true: float = 0.002, biased: float = 0.004, still: float = 0.018) -> dict[str, Any]:
    learned = dict.fromkeys(KINDS, 0.003) | {"true": true, "biased": biased}
    out: dict[str, Any] = {"seed": seed, "equal": 0.11, "proportional to effect": 0.7, "static network": still}
    return out | {name: dict(learned) for name in allocation_drift.LEARNING}


def raw(**more: float) -> dict[str, Any]:
    return {"seeds": [world(s, **more) for s in allocation_drift.SEEDS], "tuning_seeds": [100]}


def test_drift_holds_each_bar() -> None:
    assert allocation_drift.judge(raw()).ok
    assert not allocation_drift.judge(raw(true=0.0031)).ok
    assert not allocation_drift.judge(raw(true=0.0029, still=0.011)).ok, "a quarter of the static network's"
    assert not allocation_drift.judge(raw(biased=0.01)).ok
    fewer = raw()
    fewer["seeds"] = fewer["seeds"][:4]
    assert not allocation_drift.judge(fewer).ok
    assert not allocation_drift.judge(raw() | {"tuning_seeds": [0]}).ok, "tuned on a world that it is judged on"


def explained(seed: int, gradient: float) -> dict[str, Any]:
    score = dict.fromkeys(("agreement", "agreement_error", "ahead_of_attention", "ahead_error", "others"), 0.1)
    names = ("attention rollout", "attention, last block", "Shapley", "leave one out", "gradient")
    scores = {name: {**score, "deletion": [0.0, 0.1, 0.3]} for name in names}
    scores["gradient"]["agreement"] = gradient
    part = {"regret": 0.001, "scores": scores}
    return {
        "seed": seed,
        **{head: {"choice": part, "test": copy.deepcopy(part)} for head in allocation_explain.POLICIES},
    }


def test_what_is_recommended_is_chosen_on_other_contexts() -> None:
    found = {"runs": [explained(s, 0.9) for s in range(5)]}
    for run in found["runs"]:
        run["water-filling"]["test"]["scores"]["Shapley"]["agreement"] = 1.0  # lucky where it must not count
    assert allocation_explain.best(found) == "gradient"
    verdict = allocation_explain.judge(found)
    assert verdict.ok is None
    assert verdict.ours.startswith("recommended: gradient 0.90")
    assert len(allocation_explain.summary(found)) == 5 * 2 * 2 * 5
    assert allocation_explain.summary(found)[0]["area"] == pytest.approx(0.2)


@pytest.mark.parametrize("point", [*allocation_drift.POINTS, *allocation_explain.POINTS], ids=lambda p: p.name)
def test_what_is_recorded_still_holds(point: rows.Point) -> None:
    path = rows.RECORDED / f"{point.name}.json"
    if not point.bar and not path.is_file():
        pytest.skip(f"a report, not recorded yet: --only {point.name}")
    content = json.loads(path.read_text(encoding="utf-8"))
    assert point.judge(content["raw"]).ok is (True if point.bar else None)
