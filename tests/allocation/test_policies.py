"""Every policy keeps the contract, for any number of resources; what doesn't is found out; networks learn to share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from citylib import seeds
from citylib.allocation import learn, policy, problem
from citylib.allocation.policies.attention import SetAttention
from citylib.allocation.policies.deep_sets import DeepSets
from citylib.allocation.policies.equal import equal
from citylib.allocation.policies.lstm import Recurrent
from citylib.allocation.policies.network import HEADS, Network
from citylib.allocation.policies.pointwise import Pointwise
from citylib.allocation.policies.proportional import Proportional
from citylib.errors import InputError

BODIES = {
    "pointwise": lambda f, g: Pointwise(f, 16, generator=g),
    "deep sets": lambda f, g: DeepSets(f, 16, generator=g),
    "lstm": lambda f, g: Recurrent(f, 8, generator=g),
    "attention": lambda f, g: SetAttention(f, 16, 2, 2, generator=g),
}


def network(body, head, seed=0):
    return Network(BODIES[body](Network.inputs(8, head), seeds.torch_generator(seed, body)), head)


POLICIES = {
    "equal": equal,
    "proportional": Proportional(0),
    **{f"{body}, {head}": network(body, head) for body in BODIES for head in HEADS},
}


def states(seed, count, resources):
    draw = np.random.default_rng(seed)
    mask = draw.random((count, resources)) < 0.7
    mask[:, 0] = True
    tokens = draw.standard_normal((count, resources, 8))
    tokens[..., 0] = np.abs(tokens[..., 0])
    return policy.state(tokens, draw.uniform(0.5, 20, count), mask=mask)


@pytest.mark.parametrize("name", POLICIES)
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), count=st.integers(1, 5), resources=st.integers(2, 30))
def test_it_keeps_the_contract(name, seed, count, resources):
    given_state = states(seed, count, resources)
    assert policy.breaches(POLICIES[name], given_state, generator=seeds.torch_generator(seed)) == []


@pytest.mark.parametrize("name", POLICIES)
def test_resources_that_are_alike_get_alike_whatever_their_order(name):
    tokens = np.random.default_rng(0).integers(0, 2, (20, 9, 8)).astype(float)  # counts, many the same
    tokens[:, 4] = tokens[:, 2]
    tokens[:, 5] = 0.0
    given_state = policy.state(tokens, 9.0)
    assert policy.breaches(POLICIES[name], given_state, generator=seeds.torch_generator(1)) == []
    found = policy.shares(POLICIES[name], given_state)
    np.testing.assert_allclose(found[:, 4], found[:, 2], atol=1e-6)


class Broken(nn.Module):
    """Breaks the contract in one way."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def forward(self, tokens, mask, budget):
        shares = equal(tokens, mask, budget)
        if self.how == "first":
            shares = torch.zeros_like(shares)
            shares[:, 0] = 1
        if self.how == "sum":
            shares = shares * 1.1
        if self.how == "negative":
            shares = shares + torch.linspace(-2, 2, shares.shape[1])
            shares = shares - (shares.sum(dim=1, keepdim=True) - 1) / shares.shape[1]
        if self.how == "nan":
            shares = shares * torch.nan
        if self.how == "mask":
            shares = torch.full_like(shares, 1 / shares.shape[1])
        if self.how == "shape":
            shares = shares[:, :-1]
        if self.how == "batch":
            shares = torch.softmax(tokens[:, :, 0] - tokens[:, :, 0].mean(dim=0), dim=1) * mask
            shares = shares / shares.sum(dim=1, keepdim=True)
        return shares


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("first", "shuffled resources get other shares"),
        ("sum", "don't sum to 1"),
        ("negative", "a share is negative"),
        ("mask", "behind the mask gets a share"),
        ("batch", "an instance alone"),
    ],
)
def test_what_breaks_it_is_found(how, words):
    given_state = states(1, 4, 9)
    found = policy.breaches(Broken(how), given_state, generator=seeds.torch_generator(0))
    assert any(words in line for line in found), found


@pytest.mark.parametrize(("how", "words"), [("sum", "sum to 1"), ("nan", "not finite"), ("shape", "have the shape")])
def test_shares_that_are_none_are_not_handed_out(how, words):
    with pytest.raises(InputError, match=words):
        policy.shares(Broken(how), states(1, 4, 9))


def test_a_state_is_checked_where_it_comes_in():
    good = np.zeros((2, 3, 8))
    bad = good.copy()
    bad[1, 2, 4] = np.nan
    with pytest.raises(InputError, match="feature 4 of depot in instance 1"):
        policy.state(bad, 1.0, resources=["north", "south", "depot"])
    mask = np.ones((2, 3), bool)
    mask[1, 2] = False
    assert np.isfinite(policy.state(bad, 1.0, mask=mask).tokens_BNF.numpy()).all()
    for budget in (0.0, -1.0, [1.0, 0.0]):
        with pytest.raises(InputError, match="budget must be above 0"):
            policy.state(good, budget)
    with pytest.raises(InputError, match="leave every instance a resource"):
        policy.state(good, 1.0, mask=np.zeros((2, 3), bool))
    with pytest.raises(InputError, match="instances of resources of features"):
        policy.state(good[0], 1.0)
    with pytest.raises(InputError, match="budget must be one number or 2"):
        policy.state(good, [1.0, 1.0, 1.0])
    with pytest.raises(InputError, match="need must be 0 or more"):
        Proportional(0)(-torch.ones(1, 2, 1), torch.ones(1, 2, dtype=torch.bool), torch.ones(1))


def test_shares_leave_a_network_in_the_mode_it_was_in():
    model = network("pointwise", "softmax").train()
    policy.shares(model, states(0, 5, 4), batch=2)
    assert model.training


def examples(part, count):
    known = problem.contexts(count, seed=0, part=part)
    return learn.examples(known.features_BNF, known.budget_B, known.observed_BN, known.rate_BN)


@pytest.mark.parametrize(
    ("body", "head", "way"),
    [
        ("pointwise", "softmax", "decision-focused"),
        ("pointwise", "water-filling", "two-stage"),
        ("deep sets", "water-filling", "decision-focused"),
        ("attention", "water-filling", "two-stage"),
    ],
)
def test_networks_learn_to_share(body, head, way):
    test = problem.contexts(200, seed=0, part="test")
    model = network(body, head)
    given_state = policy.state(test.features_BNF, test.budget_B)
    before = problem.regret(policy.shares(model, given_state), test).mean()
    order = seeds.torch_generator(0, "order")
    history = learn.fit(model, examples("train", 600), way=way, generator=order, epochs=12, rate=1e-2)
    after = problem.regret(policy.shares(model, given_state), test).mean()
    assert history.train[-1] < history.train[0]
    assert after < 0.03 < before, "equal shares lose 10 %, shares in proportion to the true a 1.9 %"


def test_the_first_stage_aims_at_the_mean_of_what_is_noisy():
    """A constant fitted by the loss is the mean of a, and not exp of the mean of ln a."""
    a = torch.tensor(np.exp(0.8 * np.random.default_rng(0).standard_normal((400, 1))), dtype=torch.float32)

    class Constant(Network):
        def effects(self, tokens, mask, budget):
            return self.said.expand_as(mask), torch.zeros_like(tokens[:, :, 0])

    model = Constant(nn.Identity(), "water-filling")
    model.said = nn.Parameter(torch.zeros(1, 1))
    ones = torch.ones(400, 1)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=100)

    def closure():
        optimiser.zero_grad()
        value = learn.effects_loss(model, ones[:, :, None], ones > 0, ones[:, 0], a, ones)
        value.backward()
        return value

    optimiser.step(closure)
    assert float(model.said.detach().exp()) == pytest.approx(float(a.mean()), rel=1e-3)


def test_training_is_refused_where_it_makes_no_sense():
    with pytest.raises(InputError, match="water-filling head to be trained in two stages"):
        learn.fit(
            network("pointwise", "softmax"),
            examples("train", 10),
            way="two-stage",
            generator=seeds.torch_generator(0),
            epochs=1,
        )
    with pytest.raises(InputError, match="way must be one of"):
        learn.fit(
            network("pointwise", "softmax"),
            examples("train", 10),
            way="spo",
            generator=seeds.torch_generator(0),
            epochs=1,
        )
    with pytest.raises(InputError, match="scale must be above 0"):
        learn.examples(np.zeros((1, 2, 8)), [1.0], [[1.0, 0.0]], [[1.0, 1.0]])
    with pytest.raises(InputError, match="multiple of the 3 heads"):
        SetAttention(8, 16, 3, 1, generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="head must be one of"):
        Network(nn.Identity(), "sparsemax")


def test_a_state_is_numbers_that_fit():
    with pytest.raises(InputError, match="tokens must be numeric"):
        policy.state([[["a"]]], 1.0)
    with pytest.raises(InputError, match="tokens must be known for every resource"):
        policy.state([[[1e300]]], 1.0)
    with pytest.raises(InputError, match="budget must fit into"):
        policy.state([[[1.0]]], 1e300)
    with pytest.raises(InputError, match="resources must name the 1 resources"):
        policy.state([[[np.nan]]], 1.0, resources=[])


@pytest.mark.parametrize("seed", range(8))
def test_a_policy_that_goes_by_the_order_of_two_is_found_out(seed):
    given = policy.state([[[1.0], [1.0]]], 1.0)
    by_place = lambda tokens, mask, budget: torch.tensor([0.7, 0.3]).expand(len(tokens), 2)  # noqa: E731
    found = policy.breaches(by_place, given, generator=torch.Generator().manual_seed(seed))
    assert any("shuffled" in line for line in found)


def test_a_policy_of_another_shape_breaks_its_contract():
    given = policy.state([[[1.0], [1.0]]], 1.0)
    found = policy.breaches(lambda tokens, mask, budget: budget, given, generator=torch.Generator().manual_seed(0))
    assert found == ["shares have the shape (1,), not (1, 2)"]
