"""The net on what a forecast leaves: starts from nothing, masks gaps, finds planted corrections; linear when asked."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import train
from citylib.neural.models.residual_net import ResidualNet, mending

SENSORS, INPUTS, STEPS = 5, 3, 2


def net(hidden=(16,), seed=0, **given):
    return ResidualNet(INPUTS, SENSORS, STEPS, hidden=hidden, generator=seeds.torch_generator(seed), **given)


def inputs(moments=400, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal((moments, SENSORS, INPUTS)), dtype=torch.float32)


def test_it_starts_from_the_forecast_as_it_is_and_draws_only_from_its_generator():
    torch.manual_seed(1)
    one = net()
    torch.manual_seed(2)
    other, third = net(), net(seed=1)
    assert (one(inputs()) == 0).all()
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(one.own_NE, third.own_NE)


def test_the_loss_is_that_of_torch_over_what_was_read_and_gaps_give_no_gradient():
    x, model = inputs(20), net()
    torch.nn.init.normal_(model.layers[-1].weight)
    left = torch.randn(20, SENSORS, STEPS, generator=torch.Generator().manual_seed(0))
    gap = torch.rand(left.shape, generator=torch.Generator().manual_seed(1)) < 0.3
    found = mending(model, x, torch.where(gap, torch.nan, left), turn=0.7)
    theirs = torch.nn.functional.huber_loss(model(x)[~gap], left[~gap], delta=0.7)
    torch.testing.assert_close(found, theirs)
    found.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
    nothing = mending(model, x, torch.full_like(left, torch.nan))
    assert nothing.detach() == 0


def planted(x):
    """What is left: bent in one input, and of another height at each sensor."""
    height = torch.arange(SENSORS)[:, None] / SENSORS
    return torch.stack([x[..., 0].abs(), -x[..., 0].abs()], dim=-1) + height


def missed(hidden):
    x, later = inputs(), inputs(seed=9)
    model = net(hidden)
    given = {"generator": seeds.torch_generator(0, "order"), "epochs": 60, "rate": 0.01, "batch": 32}
    train.train(model, partial(mending, turn=10.0), (x, planted(x)), **given)
    return float(((train.predict(model, later) - planted(later)) ** 2).mean())


def test_what_is_planted_is_found_and_the_layers_are_what_finds_the_bend():
    folded = 1 - 2 / np.pi  # variance of the absolute value of a standard normal: what a straight line leaves of it
    assert missed((16,)) < 0.03
    assert missed(()) == pytest.approx(folded, rel=0.1)


@pytest.mark.parametrize(
    ("given", "argument"),
    [({"inputs": 0}, "inputs"), ({"sensors": 0}, "sensors"), ({"steps": 0}, "steps"), ({"hidden": [0]}, "hidden"),
     ({"own": 0}, "own")],
)  # fmt: skip
def test_bad_sizes_are_refused(given, argument):
    sizes = {"inputs": INPUTS, "sensors": SENSORS, "steps": STEPS, "hidden": [4]} | given
    with pytest.raises(InputError, match=argument):
        ResidualNet(**sizes, generator=seeds.torch_generator(0))
