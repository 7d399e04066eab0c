"""Explanations: derivatives are the true ones, Shapley values add up, the judges know a good one from a bad one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.allocation import (
    explain,
    explain_judge,
    explain_reasons,
    explain_response,
    explain_shapley,
    policy,
    problem,
)
from citylib.allocation.policies.attention import SetAttention
from citylib.allocation.policies.equal import equal
from citylib.allocation.policies.network import Network
from citylib.allocation.policies.pointwise import Pointwise
from citylib.allocation.water_filling import fill
from citylib.errors import InputError

KNOWN = problem.contexts(4, 5, seed=0, part="explain")
GIVEN = policy.state(KNOWN.features_BNF, KNOWN.budget_B, dtype=torch.float64)
BEST = fill(KNOWN.scale_BN, KNOWN.rate_BN, KNOWN.budget_B).shares
OF = BEST.argmax(axis=1)
BASE = np.zeros(8)


def network(head="water-filling", kind=SetAttention):
    generator, inputs = seeds.torch_generator(1, "explain"), Network.inputs(8, head)
    body = (
        kind(inputs, 16, 2, 2, generator=generator) if kind is SetAttention else kind(inputs, 16, generator=generator)
    )
    return Network(body, head).double().eval()


def by_differences(move, x, step=1e-6):
    out = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[at] += sign * step
            ends.append(move(moved))
        out[at] = (ends[0] - ends[1]) / (2 * step)
    return out


@pytest.mark.parametrize("row", range(4))
def test_the_planted_derivative_is_that_of_finite_differences(row):
    def share(x_NF):
        a, b, _ = problem.effects(x_NF[None])
        return fill(a, b, KNOWN.budget_B[:1]).shares[0, OF[row]]

    found = explain_response.planted(KNOWN, OF)[row]
    np.testing.assert_allclose(found, by_differences(share, KNOWN.features_BNF[row]), atol=1e-8)


def test_who_gets_nothing_neither_moves_nor_is_moved():
    scale, rate = [[5.0, 4.0, 0.01]], [[1.0, 0.8, 1.0]]
    dry = explain_response.response(scale, rate, [1.0], [2])
    assert dry.shares_BN[0, 2] == 0
    assert not dry.to_scale_BN.any()
    assert not dry.to_rate_BN.any()
    wet = explain_response.response(scale, rate, [1.0], [0])
    assert wet.to_scale_BN[0, 2] == wet.to_rate_BN[0, 2] == 0
    assert wet.to_scale_BN[0].sum() == pytest.approx(0), "all worth more alike: nothing moves"
    assert wet.first_unit_BN[0, 2] < wet.price_B[0]


def test_a_unit_is_worth_the_price_wherever_something_goes():
    found = explain_response.response(KNOWN.scale_BN, KNOWN.rate_BN, KNOWN.budget_B, OF)
    each = explain_response.worth(BEST, KNOWN.scale_BN, KNOWN.rate_BN, KNOWN.budget_B)
    price = np.broadcast_to(found.price_B[:, None], BEST.shape)
    np.testing.assert_allclose(each[BEST > 0], price[BEST > 0])
    assert (each[BEST == 0] <= price[BEST == 0]).all()


@pytest.mark.parametrize("head", ["softmax", "water-filling"])
def test_gradients_are_those_of_finite_differences(head):
    model = network(head)

    def share(x_NF):
        tokens = torch.tensor(x_NF[None])
        return float(model(tokens, GIVEN.mask_BN[:1], GIVEN.budget_B[:1])[0, OF[0]].detach())

    slopes = by_differences(share, KNOWN.features_BNF[0])
    np.testing.assert_allclose(explain.gradient(model, GIVEN, OF)[0], np.linalg.norm(slopes, axis=1), atol=1e-7)
    told = np.abs((slopes * KNOWN.features_BNF[0]).sum(axis=1))
    np.testing.assert_allclose(explain.gradient_times_input(model, GIVEN, OF)[0], told, atol=1e-7)


def test_exact_values_are_the_mean_over_all_orders():
    worth = np.random.default_rng(0).standard_normal(16)

    def value(sets):
        return worth[sets @ (2 ** np.arange(4))]

    plain = np.zeros(4)
    for order in itertools.permutations(range(4)):
        inside = np.zeros((1, 4), dtype=bool)
        for player in order:
            before = value(inside)[0]
            inside[0, player] = True
            plain[player] += (value(inside)[0] - before) / math.factorial(4)
    np.testing.assert_allclose(explain_shapley.exact(value, 4), plain, atol=1e-12)
    drawn = explain_shapley.sampled(value, 4, orders=4000, generator=np.random.default_rng(1))
    np.testing.assert_allclose(drawn, plain, atol=0.06)
    few = explain_shapley.sampled(value, 4, orders=2, generator=np.random.default_rng(1))
    assert few.sum() == pytest.approx(worth[-1] - worth[0])


@pytest.mark.parametrize("kind", [SetAttention, Pointwise])
def test_values_of_a_policy_add_up_and_are_the_exact_ones(kind):
    model = network(kind=kind)
    found = explain_shapley.shapley(model, GIVEN, OF, BASE, orders=2, generator=seeds.generator(0))
    share = policy.shares(model, GIVEN)[np.arange(4), OF]
    np.testing.assert_allclose(found.sum(axis=1), share - 1 / 5, atol=1e-12)
    one = policy.state(KNOWN.features_BNF[:1], KNOWN.budget_B[:1], dtype=torch.float64)
    exact = explain_shapley.exact(lambda sets: explain_shapley.known_only(model, one, OF[:1], BASE, sets)[0], 5)
    many = explain_shapley.shapley(model, one, OF[:1], BASE, orders=2000, generator=seeds.generator(0))[0]
    np.testing.assert_allclose(many, exact, atol=0.1 * np.abs(exact).max())


def test_leaving_one_out_by_hand_and_a_masked_resource_counts_nothing():
    model = network()
    tokens = KNOWN.features_BNF[:1].copy()
    tokens[0, 2] = BASE
    other = policy.state(tokens, KNOWN.budget_B[:1], dtype=torch.float64)
    one = policy.state(KNOWN.features_BNF[:1], KNOWN.budget_B[:1], dtype=torch.float64)
    by_hand = (policy.shares(model, one) - policy.shares(model, other))[0, OF[0]]
    assert explain_shapley.leave_one_out(model, one, OF[:1], BASE)[0, 2] == pytest.approx(by_hand)
    there = np.ones((1, 5), dtype=bool)
    gone = (OF[0] + 1) % 5
    there[0, gone] = False
    some = policy.state(KNOWN.features_BNF[:1], KNOWN.budget_B[:1], mask=there, dtype=torch.float64)
    assert explain_shapley.leave_one_out(model, some, OF[:1], BASE)[0, gone] == 0
    assert explain.gradient(model, some, OF[:1])[0, gone] == 0


@pytest.mark.parametrize("which", explain.MAPS)
def test_attention_adds_up_to_one(which):
    found = explain.attention(network(), GIVEN, OF, which=which)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert explain.attention(network("softmax"), GIVEN, OF, which=which).shape == (4, 5)


def test_the_judges_know_the_truth_from_noise():
    truth = np.linalg.norm(explain_response.planted(KNOWN, OF), axis=2)
    assert explain_judge.agreement(-3 * truth, truth) == pytest.approx(1)
    assert explain_judge.agreement(np.ones_like(truth), truth) == pytest.approx(0)
    assert np.isnan(explain_judge.agreement(truth, np.ones_like(truth))).all()
    model = network(kind=Pointwise)
    curve = explain_judge.deletion(model, GIVEN, OF, truth, BASE)
    assert not curve[:, 0].any()
    share = policy.shares(model, GIVEN)[np.arange(4), OF]
    np.testing.assert_allclose(curve[:, -1], np.abs(share - 1 / 5), atol=1e-12)


def test_reasons_add_up_and_a_fact_that_is_the_same_everywhere_is_none():
    facts = {"requests": np.array([5.0, 9.0, 2.0, 4.0]), "hours": np.array([1.0, 2.0, 0.5, 1.0])}

    def share(f):
        return fill(f["requests"], 1 / (f["requests"] * f["hours"]), np.full(len(f["hours"]), 8.0)).shares

    told = explain_reasons.reasons(facts, share)
    assert list(told) == ["own requests", "own hours", "others' requests", "others' hours"]
    plan = share({name: v[None] for name, v in facts.items()})[0]
    np.testing.assert_allclose(sum(told.values()), plan - 1 / 4, atol=1e-12)
    same = explain_reasons.reasons(facts | {"hours": np.ones(4)}, share)
    assert not same["own hours"].any()
    assert not same["others' hours"].any()


BAD = [
    (lambda: explain_reasons.reasons({}, lambda f: f), "number of facts must be at least 1"),
    (lambda: explain_reasons.reasons({"a": [1.0, 2.0], "b": [1.0]}, lambda f: f["a"]), "same length"),
    (lambda: explain_reasons.reasons({"a": [1.0, np.nan]}, lambda f: f["a"]), "a must have no missing"),
    (lambda: explain_reasons.reasons({"a": [1.0, 2.0]}, lambda f: f["a"][0]), "give 2 shares for each of 4 sets"),
    (lambda: explain.gradient(network(), GIVEN, [0, 1, 2]), "of must be 4 positions"),
    (lambda: explain.gradient(network(), GIVEN, [0, 1, 2, 5]), "resource 5 in instance 3"),
    (lambda: explain.gradient(network(), GIVEN, [0, -1, 2, 0]), "resource -1 in instance 1"),
    (lambda: explain.attention(network(kind=Pointwise), GIVEN, OF), "model must have attention maps"),
    (lambda: explain.attention(network(), GIVEN, OF, which="lst"), "did you mean 'last'"),
    (lambda: explain_shapley.leave_one_out(network(), GIVEN, OF, BASE[:3]), "background must hold the 8 features"),
    (lambda: explain_shapley.leave_one_out(network(), GIVEN, OF, BASE * np.nan), "background must have no missing"),
    (lambda: explain_shapley.exact(lambda s: s.sum(axis=1), 15), "players must be at most 14"),
    (lambda: explain_shapley.exact(lambda s: s.sum(axis=1)[:1], 3), "number for each of 8 sets"),
    (lambda: explain_shapley.sampled(lambda s: s.sum(axis=1), 3, orders=3, generator=seeds.generator(0)), "be even"),
    (lambda: explain_response.response([[1.0, 1.0]], [[1.0, 1.0]], [0.0], [0]), "budget must be above 0"),
    (lambda: explain_response.response([[1.0, 1.0]], [[1.0, 1.0]], [1.0], [2]), "of must be 1 positions"),
    (lambda: explain_response.response([[1.0, np.nan]], [[1.0, 1.0]], [1.0], [0]), "scale must have no missing"),
    (lambda: explain_response.worth([0.5], [1.0], [1.0], -1.0), "budget must be above 0"),
    (lambda: explain_judge.agreement([[1.0, 2.0]], [[1.0, 2.0, 3.0]]), "scores must be of the shape of truth"),
    (lambda: explain_judge.deletion(network(), GIVEN, OF, BEST[:2], BASE), "scores must have the shape"),
]


@pytest.mark.parametrize(("make", "words"), BAD)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_resources_that_are_not_there_have_no_rank():
    scores, truth = [[3.0, 9.0, 1.0, 2.0]], [[0.3, 0.0, 0.1, 0.2]]
    assert explain_judge.agreement(scores, truth)[0] < 0.5
    assert explain_judge.agreement(scores, truth, [[1, 0, 1, 1]])[0] == pytest.approx(1)
    with pytest.raises(InputError, match="mask must have the shape"):
        explain_judge.agreement(scores, truth, [[1, 0]])


def test_a_rule_without_a_gradient_is_refused():
    with pytest.raises(InputError, match="policy must be differentiable"):
        explain.gradient(equal, GIVEN, OF)
