"""Masks, the losses of pre-training, windows of sequences, and what fine-tuning may change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import masks
from citylib.neural.calendar import clock
from citylib.neural.finetune import WAYS, adapt, forecast, trainable
from citylib.neural.layers.lora import merge
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.pretrain import filling, forecasting, masked_error, observed_loss
from citylib.neural.sequences import Sequences
from citylib.neural.train import train


def small(seed: int = 0) -> PatchTransformer:
    return PatchTransformer(4, 6, width=16, heads=2, layers=1, generator=seeds.torch_generator(seed))


def readings(steps: int = 300, sensors: int = 3) -> np.ndarray:
    draw = seeds.generator(0)
    wave = np.sin(np.arange(steps) * 2 * np.pi / 12)[:, None] * (1 + np.arange(sensors))
    values = wave + 0.1 * draw.standard_normal((steps, sensors))
    values[draw.random(values.shape) < 0.05] = np.nan
    return values


def sequences(values: np.ndarray | None = None) -> Sequences:
    return Sequences(readings() if values is None else values, history=16, horizon=8, patch=4)


@pytest.mark.parametrize("shape", masks.SHAPES)
@pytest.mark.parametrize("ratio", [0.01, 0.25, 0.5, 0.99])
def test_masks_hide_as_many_as_they_say(shape: str, ratio: float) -> None:
    found = masks.draw(50, 12, ratio=ratio, shape=shape, generator=seeds.torch_generator(0))
    assert set(found.sum(dim=1).tolist()) == {min(max(1, round(ratio * 12)), 11)}
    if shape == "block":
        assert int((found[:, 1:] & ~found[:, :-1]).sum(dim=1).max()) <= 1
    if shape == "tail":
        assert bool(found[:, -1].all())


def test_masks_are_drawn_from_their_generator_and_mix() -> None:
    one, two = (masks.draw(400, 8, generator=seeds.torch_generator(3), tail_share=0.5) for _ in range(2))
    assert torch.equal(one, two)
    share = float((one == masks.tail(8, 1)).all(dim=1).float().mean())
    assert 0.4 < share < 0.6
    free = masks.draw(4000, 8, generator=seeds.torch_generator(4))
    np.testing.assert_allclose(free.float().mean(dim=0), 0.5, atol=0.05)
    with pytest.raises(InputError, match="shape"):
        masks.draw(1, 8, shape="tial", generator=seeds.torch_generator(0))
    with pytest.raises(InputError, match="hidden must be between 1 and 7 of 8 patches, got 8"):
        masks.tail(8, 8)


def test_sequences_cut_what_indexing_cuts() -> None:
    values = readings()
    channels = clock(np.datetime64("2026-01-01T00") + np.arange(300) * np.timedelta64(1, "h"))
    found = Sequences(values, history=16, horizon=8, patch=4, channels=channels)
    origin, sensor = found.examples(100, 200, sensors=[2, 0], stride=7)
    assert int(origin.min()) == 100
    assert int(origin.max()) + 8 <= 200
    x, seen, c = found.take(origin, sensor)
    assert c is not None
    for k in (0, 5, len(x) - 1):
        at = int(origin[k])
        np.testing.assert_array_equal(x[k], values[at - 16 : at + 8, int(sensor[k])].astype(np.float32))
        np.testing.assert_array_equal(c[k], channels[at - 16 : at + 8 : 4])
    assert torch.equal(seen, ~torch.isnan(x))


def test_windows_without_enough_that_is_observed_are_left_out() -> None:
    values = np.full((60, 2), np.nan)
    values[:, 0] = 1.0
    values[20:30, 1] = 1.0
    origin, sensor = sequences(values).examples(0, 60, sensors=[0, 1], least=4)
    assert int((sensor == 0).sum()) == 60 - 16 - 8 + 1
    mine = origin[sensor == 1].tolist()
    known = np.isfinite(values[:, 1])
    assert mine == [t for t in range(16, 53) if known[t - 16 : t].sum() >= 4 and known[t : t + 8].any()]
    with pytest.raises(InputError, match="start, stop must hold a history of 16"):
        sequences(values).examples(0, 20, sensors=[0])
    with pytest.raises(InputError, match="values must hold a window of which 17 values are observed"):
        sequences(values).examples(0, 60, sensors=[0], least=17)
    with pytest.raises(InputError, match="origin must lie between 16 and 52"):
        sequences(values).take(torch.tensor([53]), torch.tensor([0]))
    with pytest.raises(InputError, match="history \\+ horizon must be a multiple of the patch"):
        Sequences(values, history=16, horizon=7, patch=4)


def test_loss_counts_observed_values_only_and_has_no_gradient_elsewhere() -> None:
    x = torch.tensor([[1.0, float("nan"), 3.0, 4.0]])
    guess = torch.zeros(1, 4, requires_grad=True)
    counted = torch.tensor([[True, False, True, False]])
    loss = observed_loss(guess, x, counted)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 2.0
    assert guess.grad is not None
    assert guess.grad.tolist() == [[-0.5, 0.0, -0.5, 0.0]]
    assert float(observed_loss(guess.detach(), x, counted, kind="squared")) == 5.0
    with pytest.raises(InputError, match="x must be a number wherever it counts"):
        observed_loss(guess, x, torch.ones(1, 4, dtype=torch.bool))
    with pytest.raises(InputError, match="counted must leave a value to score"):
        observed_loss(guess, x, torch.zeros(1, 4, dtype=torch.bool))


def test_masked_error_by_hand_and_windows_without_a_part() -> None:
    found = sequences()
    origin, sensor = found.examples(16, 100, sensors=[0, 1, 2], stride=9)
    x, observed, _ = found.take(origin, sensor)
    hidden = masks.draw(len(x), 6, generator=seeds.torch_generator(1))
    model = small().eval()
    wide = hidden.repeat_interleave(4, dim=1)
    guess = model(x, observed & ~wide).detach()
    counted = observed & wide
    hand = float((guess - x)[counted].abs().mean())
    assert float(masked_error(model, x, observed, hidden).detach()) == pytest.approx(hand, rel=1e-6)
    blind = torch.cat([observed, torch.zeros_like(observed[:1])])
    more = masked_error(model, torch.cat([x, x[:1]]), blind, torch.cat([hidden, hidden[:1]]))
    assert float(more.detach()) == pytest.approx(hand, rel=1e-6)
    _, scale = model.measure(x, observed & ~wide)
    relative = float(((guess - x) / scale)[counted].abs().mean())
    assert float(masked_error(model, x, observed, hidden, relative=True).detach()) == pytest.approx(relative, rel=1e-6)


def test_pretraining_learns_to_fill_and_to_forecast() -> None:
    found = sequences()
    origin, sensor = found.examples(16, 300, sensors=[0, 1, 2])
    hidden = masks.draw(len(origin), 6, ratio=0.3, generator=seeds.torch_generator(1))
    generator = seeds.torch_generator(2)
    for loss, examples in ((filling(found), (origin, sensor, hidden)), (forecasting(found), (origin, sensor))):
        history = train(small(), loss, examples, generator=generator, epochs=30, rate=5e-3, batch=32)
        assert history.train[-1] < 0.4 * history.train[0]
    with pytest.raises(InputError, match="history must be a multiple of the patch"):
        forecasting(Sequences(readings(), history=14, horizon=10, patch=4))


def test_fine_tuning_changes_what_it_may_and_starts_where_pretraining_ended() -> None:
    found = sequences()
    origin, sensor = found.examples(16, 200, sensors=[0])
    model = small()
    start = forecast(model, found, origin, sensor)
    counts = []
    for way in WAYS:
        tuned = adapt(model, way, generator=seeds.torch_generator(1), rank=2)
        assert torch.equal(forecast(tuned, found, origin, sensor), start)
        fixed = {name: p.clone() for name, p in tuned.named_parameters() if not p.requires_grad}
        train(tuned, forecasting(found), (origin, sensor), generator=seeds.torch_generator(2), epochs=2, decay=0.1)
        assert all(torch.equal(p, fixed[name]) for name, p in tuned.named_parameters() if name in fixed)
        after = forecast(tuned, found, origin, sensor)
        assert not torch.equal(after, start)
        counts.append(trainable(tuned))
        merge(tuned)
        torch.testing.assert_close(forecast(tuned, found, origin, sensor), after, rtol=1e-4, atol=1e-5)
    assert counts == sorted(counts)
    assert torch.equal(forecast(model, found, origin, sensor), start)


def test_values_after_the_origin_do_not_enter_a_forecast() -> None:
    values = readings()
    found = sequences(values)
    origin, sensor = found.examples(100, 108, sensors=[0, 1, 2])
    before = forecast(small(), found, origin, sensor)
    values[100:] = np.nan_to_num(seeds.generator(9).permutation(values[100:]), nan=5.0)
    assert torch.equal(forecast(small(), sequences(values), origin, sensor), before)
