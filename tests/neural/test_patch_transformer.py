"""The patch transformer: shapes, equivariances, what is hidden stays hidden, gradients only where they belong."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.models.patch_transformer import PatchTransformer


def model(channels: int = 0, **more: object) -> PatchTransformer:
    generator = seeds.torch_generator(0)
    return PatchTransformer(4, 6, channels=channels, width=16, heads=2, layers=2, generator=generator, **more).double()  # type: ignore[arg-type]


def windows(examples: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.randn(examples, 24, generator=seeds.torch_generator(1), dtype=torch.float64) * 3 + 5
    seen = torch.rand(examples, 24, generator=seeds.torch_generator(2)) < 0.7
    seen[:, -8:] = False
    return x, seen


def test_what_is_not_seen_cannot_influence_anything() -> None:
    x, seen = windows()
    first = model()(x, seen)
    for other in (0.0, 1e6, float("nan"), float("inf")):
        changed = torch.where(seen, x, torch.full_like(x, other))
        assert torch.equal(model()(changed, seen), first)


def test_what_is_seen_does() -> None:
    x, seen = windows(1)
    first = model()(x, seen)
    for step in seen[0].nonzero()[:, 0]:
        changed = x.clone()
        changed[0, step] += 1
        assert not torch.equal(model()(changed, seen), first)


def test_windows_do_not_know_of_each_other() -> None:
    x, seen = windows()
    together = model()(x, seen)
    torch.testing.assert_close(together[1:2], model()(x[1:2], seen[1:2]), rtol=1e-12, atol=1e-12)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(model()(x[order], seen[order]), together[order], rtol=1e-12, atol=1e-12)


def test_without_the_level_a_window_moved_and_stretched_gives_an_output_moved_and_stretched() -> None:
    x, seen = windows()
    plain = model()
    torch.nn.init.zeros_(plain.level.weight)
    torch.testing.assert_close(plain(3 * x + 7, seen), 3 * plain(x, seen) + 7, rtol=1e-10, atol=1e-10)


def test_a_shorter_window_stands_at_the_end_of_the_positions() -> None:
    x, seen = windows()
    plain = model()
    with torch.no_grad():
        plain.position_PW[:2] += 100
    short = plain(x[:, 8:], seen[:, 8:])
    torch.testing.assert_close(short, model()(x[:, 8:], seen[:, 8:]), rtol=0, atol=0)


def test_forecast_is_the_filling_of_hidden_patches() -> None:
    x, seen = windows()
    for horizon in (8, 5):
        found = model().forecast(x[:, :16], seen[:, :16], horizon)
        assert torch.equal(found, model()(x, seen)[:, 16 : 16 + horizon])


def test_mean_and_scale_are_those_of_what_is_seen() -> None:
    x, seen = windows()
    mean, scale = model().measure(x, seen)
    for k in range(3):
        part = x[k][seen[k]].numpy()
        np.testing.assert_allclose([float(mean[k]), float(scale[k])], [part.mean(), part.std()], rtol=1e-12)
    _, scale = model(floor=0.5).measure(torch.full((1, 24), 2.0), torch.ones(1, 24, dtype=torch.bool))
    assert float(scale) == 0.5


def test_every_weight_gets_a_gradient_and_same_seed_gives_same_weights() -> None:
    x, seen = windows()
    one = model(channels=2)
    one(x, seen, torch.rand(3, 6, 2, dtype=torch.float64)).square().sum().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in one.parameters())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), model(channels=2).parameters(), strict=True))


def test_dropout_acts_while_training_only() -> None:
    x, seen = windows()
    one = model(dropout=0.5)
    assert not torch.equal(one(x, seen), one(x, seen))
    one.eval()
    assert torch.equal(one(x, seen), one(x, seen))


def test_refusals() -> None:
    x, seen = windows()
    bad = x.clone()
    bad[0, int(seen[0].nonzero()[0, 0])] = float("nan")
    with pytest.raises(InputError, match="x must be finite where it is seen, got '1 NaN or infinite value"):
        model()(bad, seen)
    with pytest.raises(
        InputError, match=r"seen must leave something to see in each window, got '1 window\(s\) without"
    ):
        model()(x, seen & torch.tensor([[True], [True], [False]]))
    with pytest.raises(InputError, match="x must have shape"):
        model()(x[:, :23], seen[:, :23])
    with pytest.raises(InputError, match="x must have shape"):
        model()(x[:, :0], seen[:, :0])
    with pytest.raises(InputError, match="seen must be bool"):
        model()(x, seen.double())
    with pytest.raises(InputError, match=r"c must have shape \(3, 6, 2\)"):
        model(channels=2)(x, seen)
    with pytest.raises(InputError, match=r"c must have shape \(3, 6, 0\)"):
        model()(x, seen, torch.zeros(3, 6, 1))
    with pytest.raises(InputError, match="c must be finite"):
        model(channels=1)(x, seen, torch.full((3, 6, 1), float("nan"), dtype=torch.float64))
