"""Explanations of a patch transformer: what they must say where the model's wiring is known."""

from __future__ import annotations

import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.deletion import deletion_curve, random_order
from citylib.neural.explain import explain
from citylib.neural.models.patch_transformer import PatchTransformer


def model() -> PatchTransformer:
    return PatchTransformer(4, 4, width=8, heads=2, layers=2, generator=seeds.torch_generator(0))


HISTORY = torch.randn(5, 12, generator=seeds.torch_generator(1))


def test_shapes_signs_and_completeness() -> None:
    found = explain(model(), HISTORY, horizon=4, hours=3, points=64)
    for score in found.scores.values():
        assert score.shape == (5, 3)
        assert bool((score >= 0).all())
    assert found.gap < 0.05
    torch.testing.assert_close(found.map_PP.sum(dim=1), torch.ones(4))


def test_with_all_left_it_is_the_forecast_and_what_is_hidden_is_not_seen() -> None:
    net = model()
    found = explain(net, HISTORY, horizon=4)
    seen = torch.ones_like(HISTORY, dtype=torch.bool)
    keep = torch.ones(5, 3, dtype=torch.bool)
    assert torch.equal(found.left(keep), net.forecast(HISTORY, seen, 4))
    keep[:, 1] = False
    other = HISTORY.clone()
    other[:, 4:8] = 99.0
    assert torch.equal(found.left(keep), explain(net, other, horizon=4).left(keep))
    curve = deletion_curve(found.left, random_order(5, 3, generator=seeds.torch_generator(0)))
    assert curve.shape == (5, 3, 4)


def test_refusals() -> None:
    with pytest.raises(InputError, match="history must be windows of a multiple of 4 steps"):
        explain(model(), HISTORY[:, :10], horizon=4)
    with pytest.raises(InputError, match="history must be complete"):
        explain(model(), HISTORY / 0, horizon=4)
    with pytest.raises(InputError, match="horizon must be at most 4"):
        explain(model(), HISTORY, horizon=5)
