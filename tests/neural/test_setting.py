"""Schedules, steps, clipping, SGD and what goes wrong in a training."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import FitWarning, InputError
from citylib.neural.setting import Setting
from citylib.neural.train import predict, train
from tests.neural import killed


def half_cosine(share: float) -> float:
    return (1 + math.cos(math.pi * share)) / 2


@pytest.mark.parametrize(
    ("setting", "factors"),
    [
        (Setting(1), [1, 1, 1, 1, 1]),
        (Setting(1, warm=0.5), [0, 0.5, 1, 1, 1]),
        (Setting(1, schedule="cosine"), [1, 0.8535534, 0.5, 0.1464466, 0]),
        (
            Setting(1, schedule="one-cycle"),
            [0, 0.25 / 0.3, (1 + math.cos(math.pi * 2 / 7)) / 2, (1 + math.cos(math.pi * 4.5 / 7)) / 2, 0],
        ),
        (Setting(1, warm=1), [0, 0.25, 0.5, 0.75, 1]),
    ],
)
def test_factors(setting: Setting, factors: list[float]) -> None:
    np.testing.assert_allclose([setting.factor(k / 4) for k in range(5)], factors, atol=1e-6)


def test_no_step_is_in_vain() -> None:
    assert Setting(1, warm=0.5).factor(0.0, step=0.1) == pytest.approx(0.2)
    assert Setting(1, warm=0.25).factor(0.2, step=0.1) == 1


def test_total() -> None:
    assert Setting(3, batch=10).total(21) == 9
    assert Setting(3, batch=10, steps=4).total(21) == 4


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"decay": -1}, "decay must be at least 0"),
        ({"method": "lion"}, "method must be one of: adam, sgd"),
        ({"schedule": "steps"}, "schedule must be one of"),
        ({"warm": 2}, "warm must"),
        ({"momentum": 1.5}, "momentum must"),
        ({"clip": 0}, "clip must be more than 0"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"rate": float("nan")}, "rate must"),
    ],
)
def test_bad_settings_are_named(told: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Setting(**({"epochs": 1} | told))  # type: ignore[arg-type]


def fit(loss=killed.square, model=None, **told):  # type: ignore[no-untyped-def]
    model = killed.model() if model is None else model
    told = {"epochs": 4, "batch": 10} | told
    return model, train(model, loss, killed.examples(), generator=seeds.torch_generator(0), **told)


def test_steps_end_a_training_in_the_middle_of_an_epoch() -> None:
    _, history = fit(steps=6)
    assert (len(history.steps), len(history.train), history.stopped) == (6, 2, "steps")
    _, history = fit(steps=16)
    assert (len(history.steps), len(history.train), history.stopped) == (16, 4, "epochs")


def test_sgd_without_momentum_is_gradient_descent_by_hand() -> None:
    layer = nn.Linear(3, 1)
    before, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
    x, y = killed.examples()
    _, history = fit(model=layer, method="sgd", momentum=0.0, rate=0.1, epochs=1, batch=37)
    error = x @ before.T + bias - y
    torch.testing.assert_close(layer.weight, before - 0.1 * 2 * (error * x).mean(dim=0))
    assert history.steps == pytest.approx([float((error**2).mean())], rel=1e-6)


def test_a_clipped_step_is_no_longer_than_asked() -> None:
    layer = nn.Linear(3, 1)
    before = torch.cat([layer.weight.detach().clone().ravel(), layer.bias.detach().clone()])
    fit(model=layer, method="sgd", momentum=0.0, rate=1.0, epochs=1, batch=37, clip=0.01)
    after = torch.cat([layer.weight.ravel(), layer.bias])
    assert float((after - before).detach().norm()) == pytest.approx(0.01, rel=1e-3)


def test_frozen_weights_stay() -> None:
    model = killed.model()
    model[0].requires_grad_(False)
    before = model[0].weight.detach().clone()
    fit(model=model)
    assert torch.equal(model[0].weight, before)


def test_dropout_draws_nothing_from_the_global_state() -> None:
    model = killed.model()
    state = torch.default_generator.get_state()
    one, _ = fit(model=model)
    assert torch.equal(torch.default_generator.get_state(), state)
    torch.default_generator.manual_seed(99)
    two, _ = fit()
    assert torch.equal(one[0].weight, two[0].weight)


def test_weights_that_are_not_finite_are_not_handed_back() -> None:
    def explodes(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss = killed.square(model, x, y)
        return loss + (torch.sqrt(loss - loss.detach()) if explodes.calls() == 6 else 0)  # finite, its slope is not

    steps = iter(range(1, 100))
    explodes.calls = lambda: next(steps)  # type: ignore[attr-defined]
    with pytest.warns(FitWarning, match="not finite in epoch 2, step 7: stopped, weights before step 5 kept"):
        model, history = fit(explodes)
    assert history.stopped == "not finite"
    assert all(torch.isfinite(w).all() for w in model.parameters())


def test_a_batch_too_large_names_the_one_that_fits() -> None:
    def greedy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if len(x) > 9:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return killed.square(model, x, y)

    with pytest.raises(InputError, match="batch must fit into the memory of cpu, got 37; 9 fits"):
        fit(greedy, batch=37)

    def hopeless(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes")

    with pytest.raises(InputError, match="not even one example fits"):
        fit(hopeless)


def test_other_errors_of_a_loss_come_through() -> None:
    def wrong(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="shapes"):
        fit(wrong)


def test_predict_leaves_the_model_as_it_was() -> None:
    model = killed.model()
    x, _ = killed.examples()
    model.train()
    whole = predict(model, x)
    assert model.training
    torch.testing.assert_close(predict(model, x, batch=5), whole)
    assert torch.equal(predict(model, x), whole)
    with pytest.raises(InputError, match="inputs must have tensors of one length"):
        predict(model, x, x[:3])


def test_a_training_that_diverges_hands_back_weights_whose_loss_is_finite() -> None:
    with pytest.warns(FitWarning, match="weights before step 1 kept; lower the rate"):
        model, _ = fit(model=killed.model(), method="sgd", rate=1e12)
    assert torch.isfinite(killed.square(model, *killed.examples()))


def test_a_batch_that_is_not_finite_is_named() -> None:
    x, y = killed.examples()
    x = x.clone()
    x[3, 1] = float("nan")
    with pytest.warns(FitWarning, match="mask what is not finite in its batch"):
        train(killed.model(), killed.square, (x, y), generator=seeds.torch_generator(0), epochs=2, batch=37)


def test_validation_that_does_not_fit_at_once_goes_in_batches() -> None:
    def greedy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        if len(x) > 10:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return killed.square(model, x, y)

    told = {"validation": killed.examples(), "batch": 10, "epochs": 1}
    _, history = fit(greedy, **told)
    _, plain = fit(**told)
    assert history.validation == pytest.approx(plain.validation, rel=1e-6)
