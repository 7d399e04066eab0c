"""The rows on learned shares: bars are worked out again from raw figures, and what fails is noticed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from benchmarks import allocation_attack, allocation_budget, rows
from citylib.data.recorded import KEPT

METHODS = list(allocation_budget.METHODS)
BEST = "DeepSets, water-filling, two-stage"


def made_up() -> dict[str, Any]:
    raw: dict[str, Any] = {"sizes": {}, "seeds": [0, 1, 2, 3, 4]}
    raw["simple"] = {
        rule: [{"regret_12": value}] * 5 for rule, value in (("equal", 9.8), ("proportional to the true a", 1.9))
    }
    for size in (2_000, 20_000):
        settings = {name: {"decay": 0.1} for name in METHODS}
        tried = [{"method": name, "setting": {"decay": 0.1}, "decision": -1.0 - (name == BEST)} for name in METHODS]
        tried.append({"method": METHODS[0], "setting": {"decay": 9.0}, "decision": -9.0})
        runs = [
            {"method": name, "seed": seed, "regret_12": 0.2, "regret_50": 0.25, "gap_12": 0.98, "permutation": 1e-7}
            for name in METHODS
            for seed in range(5)
        ]
        raw["sizes"][str(size)] = {"settings": settings, "tried": tried, "runs": runs, "recommended": BEST}
    return raw


def test_the_recommended_method_is_the_one_that_validation_chose() -> None:
    part = made_up()["sizes"]["2000"]
    assert allocation_budget.recommended(part["tried"], part["settings"]) == BEST, "what was not chosen does not count"
    told = allocation_budget.judge(made_up())
    assert told.ok
    assert told.ours.count(BEST) == 2


@pytest.mark.parametrize(
    ("size", "name", "value"),
    [
        ("20000", "regret_12", 0.31), ("20000", "gap_12", 0.96), ("2000", "regret_12", 0.36),
        ("20000", "regret_50", 0.31), ("2000", "permutation", 2e-5), ("20000", "permutation", 2e-5),
    ],
)  # fmt: skip
def test_a_figure_outside_the_bar_is_noticed(size: str, name: str, value: float) -> None:
    raw = made_up()
    for one in raw["sizes"][size]["runs"]:
        if one["method"] == BEST:
            one[name] = value
            if name == "regret_12":
                one["regret_50"] = value
    assert not allocation_budget.judge(raw).ok


def test_a_missing_seed_and_few_contexts_are_noticed() -> None:
    raw = made_up()
    raw["sizes"]["20000"]["runs"] = [one for one in raw["sizes"]["20000"]["runs"] if one["seed"] != 3]
    assert not allocation_budget.judge(raw).ok
    assert not allocation_budget.judge({"sizes": {"500": {}}}).ok


def test_attention_is_shown_wherever_it_lands() -> None:
    raw = made_up()
    for one in raw["sizes"]["2000"]["runs"]:
        one["regret_12"] += METHODS.index(one["method"])
    told = allocation_budget.judge_methods(raw)
    assert told.ok is None
    assert "attention's best place: 2,000: 7" in told.ratio
    assert all(name in told.ours for name in METHODS)


def test_reports_say_when_nothing_is_recorded_or_it_is_old() -> None:
    for judge in (allocation_budget.judge_methods, allocation_attack.judge_policies):
        assert judge({}).ours.startswith("not recorded: python -m benchmarks.allocation_")
        assert judge({"changed": ["a.py"]}).ours.startswith("recorded before these changed: a.py")


def struck(worst: float = 4.0, clean: float = 0.3) -> dict[str, Any]:
    figures = dict.fromkeys(("fgsm", "pgd", "transferred", "random", "pgd_wider"), 1.0)
    policies = {
        "defended": figures | {"worst": worst, "clean": clean},
        "undefended": figures | {"worst": 5, "clean": 0},
    }
    choices = list(allocation_attack.CHOICES)
    tried = [{"choice": one, "under": 1.0 - 0.1 * k, "clean": 1.0, "undefended": 1.0} for k, one in enumerate(choices)]
    return {"runs": [{"seed": k, "policies": copy.deepcopy(policies)} for k in range(5)], "tried": tried,
            "choice": choices[0]}  # fmt: skip


def test_the_defence_is_held_to_both_bars() -> None:
    assert allocation_attack.judge(struck()).ok
    assert not allocation_attack.judge(struck(worst=5.1)).ok
    assert not allocation_attack.judge(struck(clean=1.6)).ok
    few = struck()
    few["runs"].pop()
    assert not allocation_attack.judge(few).ok
    other = struck()
    other["choice"] = allocation_attack.CHOICES[1]
    assert not allocation_attack.judge(other).ok, "not what validation chose"
    assert allocation_attack.judge_policies(struck()).ok is None


def test_a_defence_that_costs_too_much_on_clean_days_is_not_chosen() -> None:
    tried = struck()["tried"]
    tried[0]["clean"] = 0.98
    assert allocation_attack.chosen(tried) == allocation_attack.CHOICES[1]


@pytest.mark.parametrize(("name", "part"), [("budget", allocation_budget), ("attack", allocation_attack)])
def test_the_record_holds_its_bar_and_is_what_the_chapter_shows(name: str, part: Any) -> None:
    path = rows.RECORDED / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"not recorded: python -m benchmarks.allocation_{name} --only {name}")
    raw = json.loads(path.read_text(encoding="utf-8"))["raw"]
    assert part.judge(raw).ok
    kept = json.loads((KEPT / f"allocation_{name}.json").read_text(encoding="utf-8"))["runs"][0]["table"]
    if name == "budget":
        theirs = sorted((one["method"], one["size"], one["seed"], one["regret_12"]) for one in kept)
        every = [one for size in raw["sizes"].values() for one in size["runs"]]
        assert theirs == sorted((one["method"], one["size"], one["seed"], one["regret_12"]) for one in every)
    else:
        theirs = sorted((one["policy"], one["seed"], one["worst"]) for one in kept)
        assert theirs == sorted((p, run["seed"], v["worst"]) for run in raw["runs"] for p, v in run["policies"].items())
