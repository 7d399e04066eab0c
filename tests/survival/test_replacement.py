"""Plans under a budget: never below any plan that can be counted out, within the budget, and honest about the bound."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from citylib.errors import InputError
from citylib.survival.replacement import NONE, best, greedy


def spent(action: Any, cost: Any, place: Any, opening: float, opens: Any) -> float:
    taken = [(i, j) for i, j in enumerate(action) if j != NONE]
    streets = {place[i] for i, j in taken if opens[j]}
    return float(sum(cost[i, j] for i, j in taken) + opening * len(streets))


@pytest.mark.parametrize("seed", range(12))
def test_best_of_all_plans_counted_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    benefit, cost = rng.uniform(0, 5, (6, 2)), rng.uniform(0.5, 3, (6, 2))
    place, opens, opening = np.array([0, 0, 1, 1, 2, 2]), np.array([False, True]), 1.5
    given: Any = {"budget": 6.0, "place": place, "opening": opening, "opens": opens}
    every = [p for p in product((NONE, 0, 1), repeat=6) if spent(p, cost, place, opening, opens) <= 6.0]
    most = max(sum(benefit[i, j] for i, j in enumerate(p) if j != NONE) for p in every)
    plan, plain = best(benefit, cost, gap=0.0, **given), greedy(benefit, cost, **given)
    assert plan.benefit == pytest.approx(most)
    assert plan.bound >= most - 1e-9
    assert plan.gap < 1e-6
    for one in (plan, plain):
        assert one.cost == pytest.approx(spent(one.action, cost, place, opening, opens))
        assert one.cost <= 6.0 + 1e-9
        assert one.benefit <= most + 1e-9
    assert np.isnan(plain.bound)


def test_one_action_equals_a_knapsack_by_dynamic_programming() -> None:
    rng = np.random.default_rng(1)
    benefit, cost, budget = rng.uniform(1, 10, 40), rng.integers(1, 12, 40), 60
    table = np.zeros(budget + 1)
    for worth, price in zip(benefit, cost, strict=True):
        table[price:] = np.maximum(table[price:], table[:-price] + worth)
    plan = best(benefit, cost, budget=budget, gap=0.0)
    assert plan.benefit == pytest.approx(table[budget])
    assert plan.status == "optimal within the gap"


def test_greedy_moves_on_to_a_better_action() -> None:
    plan = greedy([[1.0, 5.0]], [[0.1, 2.0]], budget=2.0)
    assert plan.action.tolist() == [1]
    assert plan.cost == 2.0


def test_a_street_is_paid_once() -> None:
    plan = best([3.0, 3.0, 3.0], [1.0, 1.0, 1.0], budget=4.0, place=["a", "a", "b"], opening=2.0, gap=0.0)
    assert plan.action.tolist() == [0, 0, NONE]
    assert plan.cost == 4.0
    assert int(plan.opened.sum()) == 1
    alone = best([3.0, 3.0], [1.0, 1.0], budget=4.0, place=[None, None], opening=2.0)
    assert int(alone.opened.sum()) == 1  # assets of no known place share none


def test_a_search_cut_short_says_so_and_has_a_bound() -> None:
    rng = np.random.default_rng(119)
    cost = np.column_stack([rng.uniform(100, 3000, 60), rng.uniform(2e4, 2e5, 60)])
    benefit, place = cost * rng.uniform(0.5, 0.52, (60, 2)), rng.integers(0, 20, 60)
    given: Any = {"budget": 1e6, "place": place, "opening": 15000.0, "opens": [False, True], "gap": 0.0}
    plan = best(benefit, cost, **given, nodes=1)
    assert plan.status.startswith("stopped at the limit of nodes")
    assert np.isfinite(plan.bound)
    assert plan.bound >= plan.benefit
    assert plan.cost <= 1e6


def test_without_a_bound_of_the_solver_there_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    none = optimize.OptimizeResult(x=None, status=4, message="lost", mip_dual_bound=None, mip_node_count=None)
    monkeypatch.setattr("citylib.survival.replacement.optimize.milp", lambda *_, **__: none)
    plan = best([6.0, 5.0, 50.0], [5.0, 4.5, 99.0], budget=5.0)
    assert plan.benefit == 6.0
    assert plan.bound == 11.0  # of all that can be paid one by one
    assert plan.status == "stopped: lost; the greedy list was better"


def test_a_plan_over_the_budget_by_rounding_is_not_called_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    over = optimize.OptimizeResult(
        x=np.array([1.0, 1.0]), status=0, message="", mip_dual_bound=-11 / 6, mip_node_count=1
    )
    monkeypatch.setattr("citylib.survival.replacement.optimize.milp", lambda *_, **__: over)
    plan = best([6.0, 5.0], [5.0, 4.5], budget=9.0)
    assert plan.cost == 5.0
    assert "over the budget" in plan.status


def test_nothing_can_be_paid() -> None:
    plan = best([3.0], [5.0], budget=1.0)
    assert plan.action.tolist() == [NONE]
    assert plan.benefit == plan.bound == plan.gap == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"benefit": [-1.0]}, "benefit"),
        ({"cost": [0.0]}, "cost"),
        ({"cost": [1.0, 2.0]}, "benefit, cost"),
        ({"benefit": np.zeros((1, 0)), "cost": np.zeros((1, 0))}, "at least one action"),
        ({"budget": 0.0}, "budget"),
        ({"opens": [True, False]}, "opens"),
        ({"opening": -1.0}, "opening"),
        ({"benefit": [np.nan]}, "benefit"),
        ({"place": ["a", "b"]}, "place"),
    ],
)
def test_bad_input(given: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named):
        best(**({"benefit": [1.0], "cost": [1.0], "budget": 1.0} | given))
