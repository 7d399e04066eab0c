"""Planted series follow their law, and histories lose what they are told to lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.missing_patches import draw_missing, forecasting_without
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.planted_memory import remember
from citylib.neural.pretrain import forecasting
from citylib.neural.sequences import Sequences


def test_series_follow_their_law() -> None:
    y = remember({3: 0.5, 7: -0.3}, steps=3000, sensors=6, generator=seeds.generator(0))
    columns = np.stack([y[7 - k : -k].ravel() for k in range(1, 8)], axis=1)
    slopes = np.linalg.lstsq(columns, y[7:].ravel(), rcond=None)[0]
    np.testing.assert_allclose(slopes, [0, 0, 0.5, 0, 0, 0, -0.3], atol=0.03)  # standard errors are 0.007
    assert np.mean(y**2) == pytest.approx(1)
    assert np.mean(y[:500] ** 2) == pytest.approx(np.mean(y[-500:] ** 2), rel=0.2)


def test_missing_patches_are_as_many_as_asked() -> None:
    lost = draw_missing(5000, 6, most=0.5, generator=seeds.torch_generator(0), share=0.7)
    number = lost.sum(dim=1)
    assert set(number.tolist()) == {0, 1, 2, 3}
    assert float((number > 0).float().mean()) == pytest.approx(0.7, abs=0.03)
    assert not draw_missing(9, 6, most=0.1, generator=seeds.torch_generator(0)).any()


def test_without_anything_missing_it_is_the_forecasting_loss() -> None:
    values = np.random.default_rng(0).normal(size=(60, 2))
    values[7, 0] = np.nan
    sequences = Sequences(values, history=12, horizon=4, patch=4)
    model = PatchTransformer(4, 4, width=8, heads=2, layers=1, generator=seeds.torch_generator(0))
    origin, sensor = sequences.examples(0, 60, sensors=[0, 1], stride=5)
    nothing = torch.zeros(len(origin), 3, dtype=torch.bool)
    known = forecasting(sequences)(model, origin, sensor)
    assert torch.equal(forecasting_without(sequences)(model, origin, sensor, nothing), known)


def test_what_is_missing_cannot_be_seen() -> None:
    values = np.random.default_rng(0).normal(size=(60, 1))
    other = values.copy()
    other[20:24] = 99.0
    losses = []
    for series in (values, other):
        sequences = Sequences(series, history=12, horizon=4, patch=4)
        model = PatchTransformer(4, 4, width=8, heads=2, layers=1, generator=seeds.torch_generator(0))
        lost = torch.tensor([[False, True, False]])
        losses.append(forecasting_without(sequences)(model, torch.tensor([28]), torch.tensor([0]), lost))
    assert torch.equal(losses[0], losses[1])


def test_refusals() -> None:
    draw = seeds.generator(0)
    with pytest.raises(InputError, match="lags must name at least one lag"):
        remember({}, steps=5, sensors=1, generator=draw)
    with pytest.raises(InputError, match="add up to less than 1"):
        remember({1: 0.6, 2: -0.5}, steps=5, sensors=1, generator=draw)
    with pytest.raises(InputError, match="lags must be at least 1"):
        remember({0: 0.5}, steps=5, sensors=1, generator=draw)
    with pytest.raises(InputError, match="leave a patch to see"):
        draw_missing(3, 4, most=1.0, generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="history must be a multiple of the patch"):
        forecasting_without(Sequences(np.zeros((40, 1)), history=6, horizon=2, patch=4))
