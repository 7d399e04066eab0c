"""The training loop: it reaches the least-squares answer, stops on validation only, and keeps the last good weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import FitWarning, InputError
from citylib.neural.train import device, train


def square(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return ((model(x) - y) ** 2).mean()


def problem(rows: int = 64, noise: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = seeds.generator(4, "line")
    x = draw.standard_normal((rows, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + noise * draw.standard_normal((rows, 1))
    return torch.tensor(x), torch.tensor(y)


def linear() -> nn.Linear:
    layer = nn.Linear(3, 1, dtype=torch.float64)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def test_reaches_least_squares() -> None:
    x, y = problem(noise=0.3)
    model = linear()
    history = train(model, square, (x, y), generator=seeds.torch_generator(0), epochs=800, rate=0.01, batch=64)
    best = np.linalg.lstsq(np.column_stack([x.numpy(), np.ones(64)]), y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(model.weight.detach().numpy().ravel(), best[:3, 0], atol=1e-4)
    assert history.best == len(history.train) == 800
    assert history.validation == ()


def test_same_seed_same_weights_bit_for_bit() -> None:
    x, y = problem()
    weights = []
    for _ in range(2):
        model = linear()
        train(model, square, (x, y), generator=seeds.torch_generator(3), epochs=5, batch=16)
        weights.append(model.weight.detach().clone())
    assert torch.equal(*weights)


def test_stops_on_validation_and_keeps_the_best_weights() -> None:
    x, y = problem(noise=0.5)
    model = linear()
    wrong = (x, -y)  # gets worse from the first epoch on
    history = train(model, square, (x, y), generator=seeds.torch_generator(0), epochs=100, validation=wrong, patience=4)
    assert history.best == 1
    assert len(history.train) == len(history.validation) == 5
    with torch.no_grad():
        assert float(square(model, *wrong)) == pytest.approx(history.validation[0], rel=1e-12)


def test_nothing_is_learned_from_validation_data() -> None:
    x, y = problem()
    trained = []
    for validation in (None, (x * 3, y * 3)):
        model = linear()
        train(model, square, (x, y), generator=seeds.torch_generator(1), epochs=6, validation=validation, patience=99)
        trained.append(model.weight.detach().clone())
    assert torch.equal(*trained)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_weights() -> None:
    x, y = problem()
    model = linear()
    calls = 0

    def breaks(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return square(model, x, y) * (float("nan") if calls == 3 else 1.0)

    with pytest.warns(FitWarning, match="not finite in epoch 3, step 3: stopped, weights before step 2 kept"):
        history = train(model, breaks, (x, y), generator=seeds.torch_generator(1), epochs=9, batch=64)
    assert (history.best, len(history.train), len(history.steps), history.stopped) == (2, 2, 3, "not finite")
    assert torch.isfinite(model.weight).all()


def test_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device("auto") == torch.device("cpu")
    with pytest.raises(InputError, match="device must be one that is there, got 'cuda'; use 'auto' or 'cpu'"):
        device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device("auto") == torch.device("cuda")
    assert device("cpu") == torch.device("cpu")


def test_refusals() -> None:
    x, y = problem()
    with pytest.raises(InputError, match="examples must hold at least one example"):
        train(linear(), square, (x[:0], y[:0]), generator=seeds.torch_generator(0), epochs=1)
    with pytest.raises(InputError, match=r"validation must have tensors of one length, got \[3, 64\]"):
        train(linear(), square, (x, y), generator=seeds.torch_generator(0), epochs=1, validation=(x, y[:3]))
    with pytest.raises(InputError, match="rate must be more than 0"):
        train(linear(), square, (x, y), generator=seeds.torch_generator(0), epochs=1, rate=0)


def test_what_cannot_be_learned_from_is_refused_before_work_starts(tmp_path: Path) -> None:
    x, y = problem()
    told = {"generator": seeds.torch_generator(0), "epochs": 1}
    with pytest.raises(InputError, match="examples must be tensors, got 'ndarray'"):
        train(linear(), square, (x.numpy(), y), **told)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="examples must be a sequence of tensors, got 'one tensor'"):
        train(linear(), square, x, **told)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="examples must be a sequence of tensors, got 'NoneType'"):
        train(linear(), square, None, **told)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="examples must hold at least one example, got '2 tensors without a row'"):
        train(linear(), square, (x[:0], y[:0]), **told)
    with pytest.raises(InputError, match="examples must have a row an example"):
        train(linear(), square, (torch.tensor(1.0),), **told)
    with pytest.raises(InputError, match="examples must hold float32 as the model does, got 'float64'"):
        train(linear().float(), square, (x, y), **told)
    with pytest.raises(InputError, match="validation must hold float32"):
        train(linear().float(), square, (x.float(), y.float()), validation=(x, y), **told)
    frozen = linear().requires_grad_(False)
    with pytest.raises(InputError, match="model must have weights that learn, got '2 tensors of weights, all frozen'"):
        train(frozen, square, (x, y), **told)
    with pytest.raises(InputError, match=r"loss must be one number a batch: its mean, got 'shape \(64, 1\)'"):
        train(linear(), lambda model, x, y: (model(x) - y) ** 2, (x, y), **told)
    (tmp_path / "kept").write_text("")
    with pytest.raises(InputError, match="keep must be a folder, got 'kept'"):
        train(linear(), square, (x, y), keep=tmp_path / "kept", **told)
