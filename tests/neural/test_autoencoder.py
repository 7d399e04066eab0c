"""The autoencoder against its formula, its gradients, and what it must be able to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.models.autoencoder import Autoencoder, Classifier
from citylib.neural.train import train


def test_equals_the_formula() -> None:
    model = Autoencoder(5, 3, generator=seeds.torch_generator(1)).double()
    x = np.random.default_rng(0).random((4, 5))
    w1, b1, w2, b2 = (p.detach().numpy() for p in model.parameters())
    hidden = 1 / (1 + np.exp(-(x @ w1.T + b1)))
    rebuilt = 1 / (1 + np.exp(-(hidden @ w2.T + b2)))
    np.testing.assert_allclose(model(torch.tensor(x)).detach().numpy(), rebuilt, atol=1e-12)
    np.testing.assert_allclose(model.errors(torch.tensor(x)).numpy(), ((rebuilt - x) ** 2).mean(axis=1), atol=1e-12)


def test_gradients_equal_finite_differences() -> None:
    model = Autoencoder(4, 2, generator=seeds.torch_generator(2)).double()
    x = torch.rand(3, 4, dtype=torch.float64, generator=seeds.torch_generator(3), requires_grad=True)
    assert torch.autograd.gradcheck(model, (x,))


def test_same_seed_same_weights_and_another_seed_others() -> None:
    one, same, other = (Autoencoder(6, 2, generator=seeds.torch_generator(s)).encoder.weight for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_classifier_takes_over_the_first_half() -> None:
    auto = Autoencoder(6, 2, generator=seeds.torch_generator(0))
    kept = auto.encoder.weight.detach().clone()
    told = Classifier(6, 2, 3, generator=seeds.torch_generator(5), start=auto)
    assert torch.equal(told.encoder.weight, auto.encoder.weight)
    with torch.no_grad():
        told.encoder.weight += 1
    assert torch.equal(auto.encoder.weight, kept)  # a copy, not a loan


def test_it_learns_what_lies_on_a_line_and_finds_what_does_not() -> None:
    draw = seeds.generator(0, "line")
    a, b = draw.uniform(0.2, 0.8, (2, 12))
    share = draw.random((400, 1))
    x = torch.tensor(share * a + (1 - share) * b, dtype=torch.float32)
    model = Autoencoder(12, 2, generator=seeds.torch_generator(0))
    loss = lambda m, batch: ((m(batch) - batch) ** 2).mean()  # noqa: E731
    train(model, loss, (x,), generator=seeds.torch_generator(1), epochs=300, rate=0.02)
    odd = x[:50].flip(1)
    assert float(model.errors(x).mean()) < 2e-4
    assert float(model.errors(odd).median()) > 20 * float(model.errors(x).median())


def test_refusals() -> None:
    with pytest.raises(InputError, match="hidden must be at least 1, got 0"):
        Autoencoder(3, 0, generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="classes must be at least 2, got 1"):
        Classifier(3, 2, 1, generator=seeds.torch_generator(0))
