"""Augmentation: what each way changes and leaves, and that a training with it can be had again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural.augment import WAYS, forecasting, holes, jitter, resize
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.pretrain import forecasting as plain
from citylib.neural.sequences import Sequences
from citylib.neural.train import train


def windows() -> tuple[torch.Tensor, torch.Tensor]:
    x_BT = torch.randn(400, 24, generator=seeds.torch_generator(0)) * 3 + 5
    seen_BT = torch.rand(400, 24, generator=seeds.torch_generator(1)) < 0.8
    return torch.where(seen_BT, x_BT, torch.nan), seen_BT


def test_jitter_has_the_strength_it_says_and_leaves_what_is_not_seen() -> None:
    x_BT, seen_BT = windows()
    found = jitter(x_BT, seen_BT, strength=0.1, generator=seeds.torch_generator(2))
    scale_B1 = torch.tensor([np.std(x[s].numpy()) for x, s in zip(x_BT, seen_BT, strict=True)])[:, None]
    assert abs(float(((found - x_BT) / scale_B1)[seen_BT].std()) - 0.1) < 0.005
    assert bool(torch.isnan(found[~seen_BT]).all())
    again = jitter(x_BT, seen_BT, strength=0.1, generator=seeds.torch_generator(2))
    assert torch.equal(found[seen_BT], again[seen_BT])


def test_resize_is_one_number_a_window() -> None:
    x_BT, seen_BT = windows()
    ratio = resize(x_BT, spread=0.3, generator=seeds.torch_generator(2)) / x_BT
    first = ratio.nan_to_num(0).amax(dim=1)
    torch.testing.assert_close(ratio[seen_BT], first[:, None].expand_as(ratio)[seen_BT])
    assert abs(float(first.log().std()) - 0.3) < 0.04


def test_holes_hide_whole_patches_and_leave_something() -> None:
    _, seen_BT = windows()
    left = holes(seen_BT, share=0.5, patch=4, generator=seeds.torch_generator(2))
    assert not bool((left & ~seen_BT).any())
    gone = (seen_BT & ~left).view(400, 6, 4)
    kept = left.view(400, 6, 4)
    assert not bool((gone.any(dim=2) & kept.any(dim=2)).any())
    assert 0.45 < float(gone.any(dim=2).float().mean()) < 0.55
    assert torch.equal(holes(seen_BT, share=1.0, patch=4, generator=seeds.torch_generator(2)), seen_BT)


def test_what_is_drawn_goes_where_the_windows_are() -> None:
    x_BT, seen_BT = (part.to("meta") for part in windows())  # a device that holds no numbers, but minds whose they are
    drawn = seeds.torch_generator(2)
    assert jitter(x_BT, seen_BT, strength=0.1, generator=drawn).device.type == "meta"
    assert resize(x_BT, spread=0.3, generator=drawn).device.type == "meta"
    assert holes(seen_BT, share=0.5, patch=4, generator=drawn).device.type == "meta"


def series() -> tuple[Sequences, tuple[torch.Tensor, torch.Tensor]]:
    values = np.sin(np.arange(200.0) / 4)[:, None] + seeds.generator(0).normal(0, 0.1, (200, 2))
    found = Sequences(values, history=16, horizon=8, patch=4)
    return found, found.examples(0, 150, sensors=[0, 1])


def model() -> PatchTransformer:
    return PatchTransformer(4, 6, width=8, heads=2, layers=1, generator=seeds.torch_generator(0))


def trained(ways: tuple[str, ...]) -> dict[str, torch.Tensor]:
    found, examples = series()
    net = model()
    train(net, forecasting(found, ways, strength=0.3), examples, generator=seeds.torch_generator(1), epochs=2)
    return net.state_dict()


@pytest.mark.parametrize("way", WAYS)
def test_a_training_can_be_had_again_and_differs_from_the_plain_one(way: str) -> None:
    one, two, none = trained((way,)), trained((way,)), trained(())
    assert all(torch.equal(one[k], two[k]) for k in one)
    assert any(not torch.equal(one[k], none[k]) for k in one)


def test_validation_sees_windows_as_they_are() -> None:
    found, examples = series()
    net = model().eval()
    with torch.no_grad():
        changed, as_they_are = (loss(net, *examples) for loss in (forecasting(found, WAYS, strength=0.3), plain(found)))
    assert torch.equal(changed, as_they_are)


def test_refusals() -> None:
    x_BT, seen_BT = windows()
    with pytest.raises(InputError, match="strength must be at least 0"):
        jitter(x_BT, seen_BT, strength=-1, generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="patch must divide the 24 steps"):
        holes(seen_BT, share=0.1, patch=5, generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="ways"):
        forecasting(series()[0], ("shear",), strength=0.1)
    with pytest.raises(InputError, match="strength"):
        forecasting(series()[0], ("jitter",), strength=2.0)


def test_windows_on_a_gpu_are_changed_there() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode  # knows devices, holds no numbers

    draw = seeds.torch_generator(0)
    with FakeTensorMode():
        x_BT, seen_BT = torch.empty(4, 8, device="cuda"), torch.ones(4, 8, dtype=torch.bool, device="cuda")
        with pytest.raises(RuntimeError, match="same device"):
            x_BT + torch.empty(4, 8)  # the test can fail
        assert jitter(x_BT, seen_BT, strength=0.1, generator=draw).device.type == "cuda"
        assert resize(x_BT, spread=0.1, generator=draw).device.type == "cuda"
        assert holes(seen_BT, share=0.1, patch=4, generator=draw).device.type == "cuda"
