"""Sites are the best there are: by trying all choices, by laws, a gap where the solver stops; bad input is told."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from citylib.allocation import coverage, demand_points, expected_coverage, mixed_integer, p_median, placement, travel
from citylib.errors import CitylibError, InputError, UnknownNameError


def town(seed, points=14, sites=7):
    draw = np.random.default_rng(seed)
    at, out = draw.uniform(0, 10, (points, 2)), draw.uniform(0, 10, (sites, 2))
    minutes = np.sqrt(((at[:, None] - out[None]) ** 2).sum(axis=2))
    return minutes, draw.integers(0, 9, points) + (np.arange(points) == 0)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_exact_is_the_best_of_all_choices_and_greedy_no_better(seed, budget, one_is_there):
    minutes, demand = town(seed)
    fixed = [2] if one_is_there else []
    choices = [c for c in combinations(range(7), budget) if set(fixed) <= set(c)]

    best = max(float(demand[coverage.covered(minutes, c, within=3)].sum()) for c in choices)
    found = coverage.maximal_covering(minutes, demand, budget, within=3, fixed=fixed)
    assert found.value == best
    assert found.proven or best == 0
    rough = coverage.greedy(minutes, demand, budget, within=3, fixed=fixed)
    assert (1 - 1 / np.e) * best - 1e-9 <= rough.value <= best + 1e-9 <= rough.bound + 1e-8

    shortest = min(p_median.weighted_minutes(minutes, demand, np.array(c)) for c in choices)
    median = p_median.p_median(minutes, demand, budget, fixed=fixed)
    assert median.value == pytest.approx(shortest, rel=1e-12)
    assert median.proven
    assert len(median.sites) == budget
    assert set(fixed) <= set(median.sites.tolist())
    assert p_median.greedy(minutes, demand, budget, fixed=fixed).value >= shortest * (1 - 1e-12)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0, 0.95))
def test_expected_coverage_is_the_best_of_all_choices(seed, budget, busy):
    minutes, demand = town(seed, sites=5)
    tried = []
    for choice in combinations_with_replacement(range(5), budget):
        units = np.bincount(choice, minlength=5)
        if units.max() <= 2:
            tried.append(float(demand @ expected_coverage.expected(minutes, units, within=3, busy=busy)))
    found = expected_coverage.maximal_expected_covering(minutes, demand, budget, within=3, busy=busy, per_site=2)
    assert found.value == pytest.approx(max(tried), rel=1e-9, abs=1e-12)
    rough = expected_coverage.greedy(minutes, demand, budget, within=3, busy=busy, per_site=2)
    assert (1 - 1 / np.e) * found.value - 1e-9 <= rough.value <= found.value + 1e-9


def test_units_that_are_never_busy_make_expected_covering_plain_covering():
    minutes, demand = town(5)
    plain = coverage.maximal_covering(minutes, demand, 3, within=3)
    idle = expected_coverage.maximal_expected_covering(minutes, demand, 3, within=3, busy=0.0)
    assert idle.value == plain.value


def test_a_floor_for_every_district_costs_and_is_kept_or_refused():
    minutes = np.array([[1.0, 9, 9], [1, 9, 9], [9, 1, 9], [9, 9, 1]])
    demand, district = [9.0, 9.0, 5.0, 1.0], ["a", "a", "b", "c"]
    free = coverage.maximal_covering(minutes, demand, 2, within=2)
    assert free.value == 23
    fair = coverage.maximal_covering(minutes, demand, 3, within=2, district=district, floor=1.0)
    assert fair.sites.tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="have a best answer that keeps all its constraints"):
        coverage.maximal_covering(minutes, demand, 2, within=2, district=district, floor=0.5)
    with pytest.raises(InputError, match="district must be given"):
        coverage.maximal_covering(minutes, demand, 2, within=2, floor=0.5)


def test_a_solver_that_stops_early_says_so_with_status_bound_and_gap(monkeypatch):
    minutes, demand = town(1)
    best = coverage.maximal_covering(minutes, demand, 2, within=3)

    def nothing(*_, **__):
        return SimpleNamespace(status=1, x=None, message="Time limit reached.", mip_dual_bound=None)

    monkeypatch.setattr(mixed_integer.optimize, "milp", nothing)
    stopped = coverage.maximal_covering(minutes, demand, 2, within=3)
    assert (stopped.status, stopped.source, stopped.gap) == ("time limit", "greedy", np.inf)
    assert stopped.told() == "not proven: time limit, with no bound on the best"
    rough = p_median.p_median(minutes, demand, 2)
    assert (rough.status, rough.source) == ("time limit", "greedy")

    def bad(objective, **_):
        x = np.zeros(len(objective))
        x[:2] = 1
        scale = mixed_integer.SIZE / demand.sum()
        return SimpleNamespace(status=1, x=x, message="Time limit reached.", mip_dual_bound=-1.1 * best.value * scale)

    monkeypatch.setattr(mixed_integer.optimize, "milp", bad)
    early = coverage.maximal_covering(minutes, demand, 2, within=3)
    assert early.status == "time limit"
    assert not early.proven
    assert early.value >= coverage.greedy(minutes, demand, 2, within=3).value
    assert early.bound == pytest.approx(1.1 * best.value)
    assert early.gap == pytest.approx(early.bound / early.value - 1)
    assert "within" in early.told()


def test_a_real_time_limit_is_told_too():
    draw = np.random.default_rng(0)
    minutes = draw.uniform(0, 10, (300, 120))
    found = p_median.p_median(minutes, np.ones(300), 12, seconds=0.05)
    assert found.status == "time limit"
    assert found.gap > 0
    assert found.bound <= found.value
    assert len(found.sites) == 12


def test_a_problem_without_an_end_or_an_answer_is_refused():
    one, row = np.ones(1), sparse.csr_array([[1.0]])
    words = {"low": -np.inf * one, "high": np.inf * one, "whole": one > 0, "least": 0 * one, "seconds": 5}
    with pytest.raises(InputError, match="have a best answer"):
        mixed_integer.maximise(one, matrix=row, most=np.inf * one, what="knapsack", **words)
    with pytest.raises(InputError, match="knapsack must have a best answer"):
        mixed_integer.maximise(one, matrix=row, most=one, what="knapsack", **words | {"low": 2 * one})


GOOD = {"minutes": [[1.0, 2.0], [3.0, 4.0]], "demand": [1.0, 2.0], "budget": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": 0}, "budget must be at least 1"),
        ({"budget": -2}, "budget must be at least 1"),
        ({"budget": 3}, "budget must be at most the number of candidate sites, 2"),
        ({"budget": 1.5}, "budget must be"),
        ({"demand": [1.0, -2.0]}, "demand must be at least 0"),
        ({"demand": [0.0, 0.0]}, "demand must be above 0 somewhere"),
        ({"demand": [1.0, np.nan]}, "demand must have no missing values"),
        ({"demand": [1.0]}, "same length"),
        ({"minutes": [[1.0, np.nan], [1.0, 2.0]]}, "minutes must have no missing values"),
        ({"minutes": [[1.0, np.inf], [1.0, 2.0]]}, "minutes must be finite"),
        ({"minutes": [[1.0, -1.0], [1.0, 2.0]]}, "minutes must be 0 or more"),
        ({"fixed": [0, 1]}, "budget must be at least the number of fixed sites, 2"),
        ({"fixed": [5]}, r"fixed\[0\] must be at most 1"),
        ({"fixed": ["nroth"], "names": ["north", "south"]}, "did you mean 'north'"),
        ({"names": ["north"]}, "name each of the 2 sites"),
    ],
)
@pytest.mark.parametrize(
    "solve",
    [
        lambda **k: coverage.maximal_covering(within=2, **k),
        lambda **k: expected_coverage.maximal_expected_covering(within=2, **k),
        lambda **k: p_median.p_median(**k),
    ],
)
def test_what_is_wrong_is_said(solve, change, words):
    with pytest.raises(InputError, match=words):
        solve(**{**GOOD, **change})


@pytest.mark.parametrize("busy", [-0.1, 1.0, 1.5, np.nan])
def test_busy_is_a_probability_below_one(busy):
    with pytest.raises(InputError, match="busy must be"):
        expected_coverage.expected([[1.0]], [1], within=2, busy=busy)


def test_limits_and_units_are_looked_at():
    with pytest.raises(InputError, match="within must be"):
        coverage.covered([[1.0]], [0], within=0)
    with pytest.raises(InputError, match=r"sites\[0\] must be at most 0, got 1"):
        coverage.covered([[1.0]], [1], within=1)
    with pytest.raises(InputError, match="units must be a whole number"):
        expected_coverage.expected([[1.0]], [0.5], within=1, busy=0.3)
    with pytest.raises(UnknownNameError, match="site of fixed"):
        placement.positions("fixed", ["north"], 3)


def test_positions_are_whole_numbers():
    for sites in ([0.5], [True]):
        with pytest.raises(InputError, match=r"sites\[0\] must be a whole number"):
            coverage.covered([[1.0, 2.0]], sites, within=5)
    with pytest.raises(InputError, match=r"fixed\[0\] must be a whole number"):
        coverage.greedy([[1.0, 2.0]], [1.0], 1, within=5, fixed=[1.5])


def test_points_stand_for_all_calls_and_are_few_enough():
    draw = np.random.default_rng(2)
    calls = np.column_stack([45 + 0.1 * draw.random(3000), -73 + 0.1 * draw.random(3000)])
    found = demand_points.aggregate(calls, most=200)
    assert 100 < len(found.weight) <= 200
    assert found.weight.sum() == 3000
    np.testing.assert_array_equal(found.places, calls[found.stands])
    np.testing.assert_array_equal(found.member[found.stands], np.arange(len(found.weight)))
    away = travel.great_circle_minutes(calls, found.places, speed=60, detour=1)[np.arange(3000), found.member]
    assert away.max() <= 1.5 * found.side_km, "within the diagonal of a square"
    alone = demand_points.aggregate(calls[:5])
    assert alone.side_km == 0
    assert len(alone.weight) == 5
    for words, arguments in {
        "missing values": ([[45.0, np.nan]], None),
        "two columns": ([[45.0]], None),
        "at least 0": ([[45.0, 1.0]], [-1.0]),
        "above 0 somewhere": ([[45.0, 1.0]], [0.0]),
    }.items():
        with pytest.raises(InputError, match=words):
            demand_points.aggregate(*arguments)


def test_a_floor_that_was_not_kept_in_time_is_said(monkeypatch):
    minutes, demand = [[1.0, 1.0], [1.0, 9.0], [9.0, 1.0]], [6.0, 4.0, 1.0]
    given = {"minutes": minutes, "demand": demand, "budget": 1, "within": 2, "floor": 0.5}
    assert coverage.maximal_covering(**given, district=["a", "a", "b"]).sites.tolist() == [1]
    with pytest.raises(InputError, match="district must be known of every point, got 'missing at 1'"):
        coverage.maximal_covering(**given, district=["a", None, "b"])
    early = mixed_integer.Outcome(None, -np.inf, np.inf, "time limit", "", 0)
    monkeypatch.setattr(coverage, "maximise", lambda *a, **k: early)
    assert coverage.maximal_covering(**(given | {"floor": 0.0})).sites.tolist() == [0], "the greedy choice"
    with pytest.raises(CitylibError, match=r"no sites that keep the floor of 0\.5 were found in 60 s"):
        coverage.maximal_covering(**given, district=["a", "a", "b"])


def test_a_demand_point_stands_at_the_call_nearest_on_the_ground():
    found = demand_points.aggregate([[60, 10], [60, 10.03], [60.01, 10.016]], [1, 1, 0], most=1)
    assert found.stands.tolist() != [2], "a degree of longitude is half as long there"
