"""Windows of many sources: where they lie, what they may look at, and that nothing after a cut is learned from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.neural import masks
from citylib.neural.augment import forecasting
from citylib.neural.finetune import adapt, forecast
from citylib.neural.models.patch_transformer import PatchTransformer
from citylib.neural.pretrain import filling
from citylib.neural.series_bank import CHANNELS, SeriesBank
from citylib.neural.train import train
from citylib.panel import Panel

CUT = np.datetime64("2026-01-15")
SIZE = {"history": 16, "horizon": 8, "patch": 4}


def panels(days: int = 20, *, after: np.datetime64 | None = None) -> dict[str, Panel]:
    """Hours of two stations and quarters of an hour of one road; from `after` on shuffled."""
    out = {}
    for source, minutes, sensors in (("air", 60, 2), ("road", 15, 1)):
        times = np.datetime64("2026-01-01") + np.arange(days * 1440 // minutes) * np.timedelta64(minutes, "m")
        draw = seeds.generator(0, source)
        day = np.sin(np.arange(len(times)) * minutes / 1440 * 2 * np.pi)[:, None]
        values = 50 + 20 * day * (1 + np.arange(sensors)) + draw.standard_normal((len(times), sensors))
        values[draw.random(values.shape) < 0.03] = np.nan
        if after is not None:
            late = times >= after
            values[late] = seeds.generator(9).permutation(values[late])
        out[source] = Panel(values, times, [f"{source}{k}" for k in range(sensors)], unit="µg/m³")
    return out


def bank(given: dict[str, Panel] | None = None, **changes: object) -> SeriesBank:
    settings = {**SIZE, "learn_before": CUT} | changes
    return SeriesBank(panels() if given is None else given, **settings)  # type: ignore[arg-type]


def small(kept: SeriesBank) -> PatchTransformer:
    size = {"channels": len(CHANNELS), "width": 8, "heads": 2, "layers": 1}
    return PatchTransformer(4, kept.patches, **size, generator=seeds.torch_generator(0))


def learned(given: dict[str, Panel]) -> tuple[list[torch.Tensor], int, list[float]]:
    """Pre-train and fine-tune before the cut; weights, chosen epoch and scales."""
    kept, model = bank(given), small(bank(given))
    origin, series = kept.windows(until="2026-01-12", stride=3, whole=True)
    kept.within(origin, series, until=CUT)
    hidden = masks.draw(len(origin), kept.patches, tail_share=0.5, generator=seeds.torch_generator(1))
    train(model, filling(kept), (origin, series, hidden), generator=seeds.torch_generator(2), epochs=1)
    tuned = adapt(model, "full", generator=seeds.torch_generator(3))
    check = kept.windows(since="2026-01-12", until=CUT)
    loss = forecasting(kept, ("jitter", "masking"), strength=0.1)
    history = train(
        tuned, loss, (origin, series), validation=check, generator=seeds.torch_generator(4), epochs=4, patience=1
    )
    return list(tuned.state_dict().values()), history.best, [one.mean for one in kept.series]


def test_windows_are_those_of_each_series_in_its_unit() -> None:
    kept = bank()
    origin, series = kept.windows(since=CUT, stride=5)
    x, observed, channels = kept.take(origin, series)
    assert x.shape == (len(origin), 24)
    assert torch.equal(observed, ~torch.isnan(x))
    times = kept.times(origin, series)
    for k in (0, len(origin) // 2, len(origin) - 1):
        one = kept.series[int(series[k])]
        row = int(np.searchsorted(one.times, times[k]))
        column = int(one.sensor[-1])
        np.testing.assert_allclose(
            kept.in_unit(x[k : k + 1], series[k : k + 1])[0],
            panels()[one.source].values[row - 16 : row + 8, column],
            rtol=1e-5,
        )
    assert times.min() >= CUT
    assert channels is not None
    step = channels[:, 0, CHANNELS.index("log2_step_hours")]
    assert {(kept.series[int(s)].source, float(v)) for s, v in zip(series, step, strict=True)} == {
        ("air", 0.0),
        ("road", -2.0),
    }


def test_windows_keep_to_their_part() -> None:
    kept = bank()
    origin, series = kept.windows(until=CUT)
    kept.within(origin, series, until=CUT)
    assert kept.times(origin + kept.horizon - 1, series).max() < CUT
    late, which = kept.windows(since=CUT)
    with pytest.raises(InputError, match="origin must have its window end before 2026-01-15"):
        kept.within(late[:1] - 1, which[:1], until=CUT)
    inside, which = kept.windows(since=CUT, whole=True)
    assert kept.times(inside - kept.history, which).min() >= CUT


def test_no_window_reaches_into_another_series() -> None:
    kept = bank()
    begin = kept.series[1].begin
    for series, at in ((0, begin - 4), (1, begin + 4)):
        with pytest.raises(InputError, match=f"within its series, got '{at} of air, air{series}'"):
            kept.take(torch.tensor([at]), torch.tensor([series]))


def test_nothing_after_the_cut_is_learned_from() -> None:
    weights, best, scales = learned(panels())
    again, best_again, scales_again = learned(panels(after=CUT))
    assert (best, scales) == (best_again, scales_again)
    assert all(torch.equal(a, b) for a, b in zip(weights, again, strict=True))


def test_a_forecast_does_not_know_what_comes_after_it() -> None:
    kept, model = bank(), small(bank())
    origin, series = kept.windows(since=CUT, stride=17)
    before = forecast(model, kept, origin, series)
    for k in range(len(origin)):
        moment = kept.times(origin[k : k + 1], series[k : k + 1])[0]
        other = bank(panels(after=moment))
        now = forecast(model, other, origin[k : k + 1], series[k : k + 1])
        torch.testing.assert_close(now[0], before[k], rtol=1e-5, atol=1e-6)  # alone or in a batch: other sums
        assert torch.equal(now, forecast(model, kept, origin[k : k + 1], series[k : k + 1]))


def test_series_that_cannot_be_learned_from_are_left_out_and_said_so() -> None:
    given = panels()
    flat = Panel(np.ones((480, 1)), given["air"].times, ["still"], unit="mm")
    late = np.full((480, 1), np.nan)
    late[400:] = 1.0
    given |= {"rain": flat, "new": Panel(late, given["air"].times, ["late"], unit="mm")}
    kept = bank(given)
    assert kept.sources == ("air", "road")
    assert [(one.sensor, one.why) for one in kept.left_out] == [
        ("still", "never moves before the cut"),
        ("late", "0 readings to learn from, 24 needed"),
    ]
    with pytest.raises(UnknownNameError, match="rain"):
        kept.of("rain")


def test_refusals() -> None:
    with pytest.raises(InputError, match="history must be at least 1, got 0"):
        bank(history=0)
    with pytest.raises(InputError, match="horizon must be at least 1, got 0"):
        bank(horizon=0)
    with pytest.raises(InputError, match="horizon must be a multiple of the patch of 4 steps, got 6"):
        bank(horizon=6)
    with pytest.raises(InputError, match="panels must hold a series with 24 readings before 2025-01-01"):
        bank(learn_before="2025-01-01")
    with pytest.raises(InputError, match="since, until must hold a window"):
        bank().windows(since="2026-03-01")
    gaps = panels()["air"].values[:5]
    uneven = Panel(gaps, np.datetime64("2026-01-01") + np.array([0, 1, 2, 4, 9]), ["a", "b"], unit="mm")
    with pytest.raises(InputError, match="even"):
        bank({"air": uneven})


def test_missing_readings_stay_out_of_sight() -> None:
    kept, model = bank(), small(bank())
    origin, series = kept.windows(since=CUT, stride=7)
    x, observed, channels = kept.take(origin, series)
    assert not bool(observed.all())
    with pytest.raises(InputError, match="finite where it is seen"):
        model(x, torch.ones_like(observed), channels)
    assert bool(torch.isfinite(model(x, observed, channels)).all())
