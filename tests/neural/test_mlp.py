"""The multilayer perceptron against its formula, its gradients, and the laws its weights are drawn by."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import losses
from citylib.neural.models.mlp import MLP


def test_equals_the_formula() -> None:
    x = np.random.default_rng(0).normal(size=(6, 5))
    for bend, s in (("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0))):
        model = MLP((5, 10, 1), generator=seeds.torch_generator(1), bend=bend).double()
        w1, b1, w2, b2 = (p.detach().numpy() for p in model.parameters())
        by_hand = s(x @ w1.T + b1) @ w2.T + b2
        np.testing.assert_allclose(model(torch.tensor(x)).detach().numpy(), by_hand, atol=1e-12)


def test_back_propagation_by_hand_equals_autograd_and_finite_differences() -> None:
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(7, 4)), draw.normal(size=(7, 2))
    model = MLP((4, 3, 2), generator=seeds.torch_generator(1)).double()
    w1, b1, w2, b2 = (p.detach().numpy().copy() for p in model.parameters())
    b1 += 0.1
    with torch.no_grad():
        model.layers[0].bias += 0.1
    h = np.tanh(x @ w1.T + b1)
    d_out = 2 * (h @ w2.T + b2 - y) / y.size
    d_z = (d_out @ w2) * (1 - h**2)
    by_hand = (d_z.T @ x, d_z.sum(axis=0), d_out.T @ h, d_out.sum(axis=0))
    losses.squared(model, torch.tensor(x), torch.tensor(y)).backward()  # type: ignore[no-untyped-call]
    for parameter, gradient in zip(model.parameters(), by_hand, strict=True):
        assert parameter.grad is not None
        np.testing.assert_allclose(parameter.grad.numpy(), gradient, atol=1e-12)
    assert torch.autograd.gradcheck(model, (torch.tensor(x, requires_grad=True),))


def test_signals_keep_their_size_through_many_layers() -> None:
    x = torch.randn(2000, 200, generator=seeds.torch_generator(0))
    deep = MLP((200,) * 9, generator=seeds.torch_generator(1), bend="relu")
    h = x
    with torch.no_grad():
        for layer in deep.layers[:-1]:
            h = torch.relu(layer(h))
    assert 0.5 < float((h**2).mean()) < 2  # drawn with half the variance it would be 1/256
    weight = MLP((300, 500, 1), generator=seeds.torch_generator(2)).layers[0].weight
    assert float(weight.detach().var()) == pytest.approx(2 / 800, rel=0.02)


def test_same_seed_same_weights_and_another_seed_others() -> None:
    one, same, other = (MLP((6, 2, 1), generator=seeds.torch_generator(s)).layers[0].weight for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_without_a_hidden_layer_it_is_a_line() -> None:
    model = MLP((3, 1), generator=seeds.torch_generator(0))
    x = torch.eye(3)
    assert torch.allclose(model(2 * x) - model(torch.zeros(3, 3)), 2 * (model(x) - model(torch.zeros(3, 3))))


def test_refusals() -> None:
    draw = seeds.torch_generator(0)
    with pytest.raises(InputError, match="sizes must name the inputs and the outputs"):
        MLP((5,), generator=draw)
    with pytest.raises(InputError, match="sizes must be at least 1, got 0"):
        MLP((5, 0, 1), generator=draw)
    with pytest.raises(InputError, match="did you mean 'relu'"):
        MLP((5, 2, 1), generator=draw, bend="rely")
    with pytest.raises(InputError, match="shape"):
        losses.squared(MLP((5, 2, 1), generator=draw), torch.zeros(4, 5), torch.zeros(4))
