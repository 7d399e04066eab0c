"""The residual network on pictures: what it computes, weights of others, what is refused; masks for pre-training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ResNetConfig, ResNetForImageClassification

from citylib import seeds
from citylib.errors import InputError, SourceMissingError
from citylib.neural import checkpoint, pictures, train
from citylib.neural.models.picture_resnet import PictureResNet
from citylib.neural.picture_masks import Rebuilder, masks, rebuilding
from citylib.neural.picture_training import classifying, probabilities


def net(seed: int = 0, classes: int = 3, **more: object) -> PictureResNet:
    return PictureResNet(classes, generator=seeds.torch_generator(seed), widths=(4, 8), **more)  # type: ignore[arg-type]


def wave(steps: int = 160, sensors: int = 6) -> pictures.Pictures:
    """Jams that move up the road, a sensor a step: neighbours know what comes."""
    draw = np.random.default_rng(0)
    source = np.where(draw.random(steps + sensors) < 0.3, 0.3, 1.0)
    share = np.stack([source[sensors - k : sensors - k + steps] for k in range(sensors)], axis=1)
    road = np.diag(np.full(sensors - 1, 0.8), 1)
    known = np.arange(steps) < 120
    usual = np.full_like(share, share[known].mean())
    made = {"learned": known, "columns": 4, "ahead": 1, "cuts": (0.5,)}
    return pictures.draw(share, usual, pictures.along(road, side=1), **made)


def test_same_seed_same_weights_whatever_the_global_state() -> None:
    torch.rand(3)
    one, other = net(1), net(1)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    before = torch.random.get_rng_state()
    net(2)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_block_adds_to_what_it_is_given() -> None:
    model = net()
    block = model.body.encoder.stages[0].layers[0].eval()
    x = torch.rand(2, 4, 5, 6)
    with torch.no_grad():
        by_hand = torch.relu(block.layer[1](block.layer[0](x)) + x)
        torch.testing.assert_close(block(x.clone()), by_hand)


def test_shapes_and_enlarging() -> None:
    x = torch.rand(2, 3, 9, 12)
    assert net().maps(x).shape == (2, 8, 3, 3)
    assert net(enlarge=2).maps(x).shape == (2, 8, 5, 6)
    with pytest.raises(InputError, match="3, rows"):
        net()(torch.rand(2, 2, 9, 12))
    with pytest.raises(InputError, match="pictures"):
        net()(torch.rand(3, 9, 12))
    with pytest.raises(InputError, match="classes"):
        net(classes=1)


def test_weights_of_others_by_folder(tmp_path: Path) -> None:
    config = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic", num_labels=7)
    theirs = ResNetForImageClassification(config)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = PictureResNet.from_pretrained(str(tmp_path / "theirs"), 4, generator=seeds.torch_generator(0))
    assert ours.head.out_features == 4
    torch.testing.assert_close(
        ours.body.embedder.embedder.convolution.weight, theirs.resnet.embedder.embedder.convolution.weight
    )
    assert ours(torch.rand(2, 3, 9, 12)).shape == (2, 4)


def test_weights_that_are_refused(tmp_path: Path) -> None:
    given = {"classes": 4, "generator": seeds.torch_generator(0)}
    for name in ("no/such/folder", "./nowhere", "nowhere"):
        with pytest.raises(SourceMissingError, match="no folder"):
            PictureResNet.from_pretrained(name, **given)
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    with pytest.raises(InputError, match=r"pytorch_model\.bin'; pickles are not read"):
        PictureResNet.from_pretrained(str(tmp_path), **given)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.safetensors").write_bytes(b"anything")
    with pytest.raises(SourceMissingError, match="cannot be read as a folder"):
        PictureResNet.from_pretrained(str(broken), **given)
    (broken / "config.json").write_text('{"model_type": "vit"}', encoding="utf-8")
    with pytest.raises(InputError, match="residual"):
        PictureResNet.from_pretrained(str(broken), **given)


def test_it_learns_from_neighbours_and_is_kept(tmp_path: Path) -> None:
    made = wave()
    learned, tested = made.cases(0, 120), made.cases(120, 160, reach=0)
    inner = tested.pick(np.flatnonzero(tested.sensor.numpy() > 0))  # the first has nobody before it
    model = net(classes=2)
    train.train(
        model, classifying(made), (learned.at, learned.sensor, learned.level), generator=seeds.torch_generator(0),
        epochs=15, rate=0.05, batch=64, method="sgd", schedule="one-cycle",
    )  # fmt: skip
    hits = (probabilities(model, made, inner).argmax(axis=1) == inner.level.numpy()).mean()
    assert hits > 0.9
    assert (inner.now == inner.level).float().mean() < 0.75
    checkpoint.save(tmp_path, model, config={"widths": [4, 8]}, data={}, channels=pictures.CHANNELS)
    other = net(seed=5, classes=2)
    checkpoint.load(tmp_path, other, channels=pictures.CHANNELS)
    np.testing.assert_array_equal(probabilities(other, made, inner), probabilities(model, made, inner))


def test_masks_hide_ends_and_rows() -> None:
    tails = masks(200, 5, 12, generator=seeds.generator(0), tails=1.0)
    length = tails.sum(dim=2)
    assert (length == length[:, :1]).all()
    assert (int(length.min()), int(length.max())) == (2, 8)
    rows = masks(200, 5, 12, generator=seeds.generator(0), tails=0.0)
    assert ((rows.sum(dim=2) == 12) | (rows.sum(dim=2) == 0)).all()
    assert rows.flatten(1).any(dim=1).all()
    assert 0.3 < masks(2000, 5, 12, generator=seeds.generator(0)).float().mean() < 0.6


def test_rebuilding_sees_nothing_of_what_is_hidden_and_gets_better() -> None:
    made = wave()
    cases = made.cases(0, 120)
    model = Rebuilder(net(classes=2), *made.shape[1:], generator=seeds.torch_generator(0))
    hidden = masks(len(cases), *made.shape[1:], generator=seeds.generator(0))
    x = made.gather(cases.at, cases.sensor)
    blind = x.clone()
    blind[:, 0][hidden] = 99.0
    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(model(x, hidden), model(blind, hidden))
        before = float(rebuilding(made)(model, cases.at, cases.sensor, hidden))
    train.train(
        model, rebuilding(made), (cases.at, cases.sensor, hidden), generator=seeds.torch_generator(0), epochs=15,
        rate=0.05, batch=64, method="sgd", schedule="one-cycle",
    )  # fmt: skip
    model.eval()
    with torch.no_grad():
        assert float(rebuilding(made)(model, cases.at, cases.sensor, hidden)) < 0.75 * before
    with pytest.raises(InputError, match="hidden_BRL"):
        model(x, hidden[:, :2])
