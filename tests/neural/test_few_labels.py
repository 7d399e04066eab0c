"""Few labels at a new place: draws by hand; what lies after the cut changes no weight, no scaler and no choice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import neural_beijing_runs as runs
from citylib import seeds
from citylib.errors import InputError
from citylib.neural.few_labels import DRAWS, Places, Recipe, draw_labels, learn
from citylib.neural.finetune import forecast

BEGIN = np.datetime64("2016-01-01T00")
HOURS = 24 * 275  # to the first of October


def world(change: Any = None, sensors: int = 6) -> Places:
    draw = seeds.generator(0)
    times = BEGIN + np.arange(HOURS) * np.timedelta64(1, "h")
    values = 50 + 30 * np.sin(np.arange(HOURS) / 24)[:, None] + draw.standard_normal((HOURS, sensors)).cumsum(axis=0)
    side = draw.standard_normal((HOURS, sensors, 2)).cumsum(axis=0)
    values[draw.random(values.shape) < 0.03] = np.nan
    side[draw.random(side.shape) < 0.03] = np.nan
    if change is not None:
        change(times, values, side)
    cut = int(np.searchsorted(times, runs.CUT))
    size = {"history": 24, "horizon": 12, "patch": 6, "width": 8, "heads": 2, "layers": 1, "least": 6}
    return Places(values, times, cut, side, **size)


def shuffled(since: np.datetime64, sensors: slice, until: np.datetime64 | None = None) -> Any:
    def change(times: np.ndarray, values: np.ndarray, side: np.ndarray) -> None:
        rows = np.flatnonzero((times >= since) & (True if until is None else times < until))
        order = seeds.generator(1).permutation(rows)
        values[rows, sensors], side[rows, sensors] = values[order, sensors], side[order, sensors]

    return change


def fitted(place: Places, target: int) -> list[torch.Tensor]:
    """Everything that is fitted for one target, in a row."""
    others = tuple(k for k in range(6) if k != target)
    here = runs.Station(place, target, others, runs.CHOOSE, BEGIN + np.timedelta64(HOURS, "h"))
    start = here.pretrained(Recipe(4, 3e-3, batch=32), 0)
    masked = here.pretrained(Recipe(3, 3e-3, batch=32), 0, {"ratio": 0.5, "tail_share": 0.5})
    models = [start, masked]
    models += [here.taught(begin, how, Recipe(3, 1e-3), 0) for begin in (start, None) for how in ("days", "recent")]
    unit, middle, deviation = place.scaler(others)
    scaler = [torch.tensor([unit]), torch.tensor(middle), torch.tensor(deviation)]
    return scaler + [weights for model in models for weights in model.state_dict().values()]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "PRETRAIN", (Recipe(2, 1e-3), Recipe(3, 1e-3)))
    monkeypatch.setattr(runs, "TUNE", (Recipe(0, 1e-3), Recipe(2, 1e-3)))
    monkeypatch.setattr(runs, "SCRATCH", (Recipe(2, 1e-3), Recipe(4, 1e-3)))


def same(one: list[torch.Tensor], two: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_values_of_the_test_change_no_weight_no_scaler_and_no_choice(small: None) -> None:
    plain, other = world(), world(shuffled(runs.CHOOSE, slice(None)))
    assert not np.array_equal(plain.values, other.values, equal_nan=True)
    assert same(fitted(plain, 0), fitted(other, 0))
    assert runs.choose(plain, 1, (3, 5)) == runs.choose(other, 1, (3, 5))


def test_nothing_of_its_half_after_the_cut_is_seen_by_what_a_target_is_judged_with(small: None) -> None:
    plain, other = world(), world(shuffled(runs.CUT, slice(0, None, 2)))
    assert same(fitted(plain, 0), fitted(other, 0))
    assert runs.choose(plain, 1, (3, 5)) == runs.choose(other, 1, (3, 5))  # recipes for targets 0, 2 and 4
    assert runs.choose(plain, 0, (2, 4)) != runs.choose(other, 0, (2, 4))  # those are for the other half


def test_before_the_cut_nothing_of_a_target_is_learned_from_but_its_few_windows() -> None:
    plain, other = world(), world(shuffled(BEGIN, slice(0, 1), np.datetime64("2016-02-20")))
    sequences, _ = plain.sequences((1, 2, 3, 4, 5))
    few = plain.labels(sequences, 0, share=0.05, how="recent", seed=0)
    assert plain.times[int(few[0].min()) - 24] > np.datetime64("2016-02-20")
    weights = []
    for place in (plain, other):
        here = runs.Station(place, 0, (1, 2, 3, 4, 5), runs.CHOOSE, BEGIN + np.timedelta64(HOURS, "h"))
        start = here.pretrained(Recipe(3, 3e-3, batch=32), 0)
        weights.append(list(here.taught(start, "recent", Recipe(3, 1e-3), 0).state_dict().values()))
    assert same(*weights)


def test_values_from_the_origin_on_do_not_enter_its_forecast() -> None:
    at = np.datetime64("2016-09-10T07")
    found = []
    for place in (world(), world(shuffled(at, slice(None)))):
        sequences, _ = place.sequences((1, 2, 3, 4, 5))
        model = place.model(sequences, seed=0)
        row = torch.tensor([int(np.searchsorted(place.times, at))])
        found.append(forecast(model, sequences, row, torch.tensor([0])))
    assert torch.equal(*found)


def test_windows_end_before_the_cut_and_errors_are_those_of_the_forecast() -> None:
    place = world()
    sequences, unit = place.sequences((1, 2))
    origin, sensor = place.windows(sequences, (0, 1))
    assert int(origin.max()) + 12 == place.cut
    model = place.model(sequences, seed=0)
    windows = origin[::400], sensor[::400]
    error = place.errors(model, sequences, unit, windows)
    guess = forecast(model, sequences, *windows).numpy() * unit
    for k, (at, which) in enumerate(zip(*windows, strict=True)):
        truth = place.values[int(at) : int(at) + 12, int(which)]
        np.testing.assert_allclose(error[k], np.abs(guess[k] - truth), rtol=1e-3, atol=1e-3)


def test_side_series_are_carried_forward_and_unknown_ahead() -> None:
    place = world()
    sequences, _ = place.sequences((1, 2))
    origin, sensor = torch.tensor([500]), torch.tensor([3])
    _, _, channels = sequences.take(origin, sensor)
    assert channels is not None
    assert channels.shape == (1, 6, sequences.channels)
    assert channels[0, 4:, 4:].abs().sum() == 0
    assert channels[0, :4, -1].tolist() == [1.0] * 4
    _, middle, deviation = place.scaler((1, 2))
    assert place.side is not None
    last = place.side[:500, 3][~np.isnan(place.side[:500, 3, 0]), 0][-1]
    assert float(channels[0, 3, 4]) == pytest.approx((last - middle[0]) / deviation[0], rel=1e-5)


def test_draws_by_hand() -> None:
    day = np.repeat(np.arange("2026-01-01", "2026-04-11", dtype="datetime64[D]"), 24)
    kept = {how: draw_labels(day, share=0.05, how=how, generator=seeds.generator(0)) for how in DRAWS}
    assert {how: int(keep.sum()) for how, keep in kept.items()} == dict.fromkeys(DRAWS, 120)
    assert [len(np.unique(day[kept[how]])) for how in ("days", "recent")] == [5, 5]
    assert np.unique(day[kept["recent"]])[0] == np.datetime64("2026-04-06")
    assert len(np.unique(day[kept["random"]])) > 50
    assert draw_labels(day[:24], share=0.05, how="days", generator=seeds.generator(0)).sum() == 24
    with pytest.raises(InputError, match="how"):
        draw_labels(day, share=0.05, how="newest", generator=seeds.generator(0))
    with pytest.raises(InputError, match="share must lie between 0 and 1"):
        draw_labels(day, share=0.0, how="days", generator=seeds.generator(0))
    with pytest.raises(InputError, match="in order of time, of one place, got '2026-01-01 after 2026-04-10"):
        draw_labels(np.append(day, day), share=0.05, how="days", generator=seeds.generator(0))
    with pytest.raises(InputError, match="day must hold at least one window"):
        draw_labels(day[:0], share=0.1, how="days", generator=seeds.generator(0))


def test_no_steps_change_nothing_and_places_without_readings_are_refused() -> None:
    place = world()
    sequences, _ = place.sequences((1, 2))
    model = place.model(sequences, seed=0)
    assert learn(model, sequences, place.windows(sequences, (1,)), Recipe(0, 1e-3), seed=0) is None
    assert same(list(model.state_dict().values()), list(place.model(sequences, seed=0).state_dict().values()))
    place.values[: place.cut, 1] = 3.0
    with pytest.raises(InputError, match="sensors must have readings before the cut that differ"):
        place.sequences((1,))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"cut": -1}, r"cut must be a row from 36 \(a window of 24 \+ 12 steps\) to 6600, got -1"),
        ({"cut": 35}, "cut must be a row from 36"),
        ({"cut": HOURS + 1}, "to 6600, got 6601"),
        ({"cut": 100.0}, "cut must be a whole number"),
        ({"history": 0}, "history must be at least 1"),
        ({"least": 25}, "least must be at most 24"),
        ({"times": BEGIN + np.arange(HOURS - 1) * np.timedelta64(1, "h")}, "values, times must have the same length"),
        ({"times": np.delete(BEGIN + np.arange(HOURS + 1) * np.timedelta64(1, "h"), 9)}, "times must be evenly spaced"),
        ({"side": np.zeros((HOURS, 5, 2))}, r"side must have the steps and places of values, \(6600, 6\), first"),
        ({"values": np.full((HOURS, 6), np.inf)}, "values must be finite"),
    ],
)
def test_a_world_that_does_not_fit_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(world(), **more)


def test_places_that_are_not_there_are_refused() -> None:
    place = world()
    sequences, _ = place.sequences((1, 2))
    for sensors, message in (
        ((-1,), "sensors must name places 0 to 5, got -1"),
        ((0, 6), "sensors must name places 0 to 5, got 6"),
        ((1, 1), "sensors must have no duplicates, got 1"),
        ((), "sensors must name at least one place"),
        ((1.0,), "sensors must be a whole number"),
    ):
        for asked in (place.scaler, place.sequences, lambda named: place.windows(sequences, named)):
            with pytest.raises(InputError, match=message):
                asked(sensors)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sensors must name places 0 to 5, got -1"):
        place.labels(sequences, -1, share=0.05, how="days", seed=0)
    with pytest.raises(InputError, match=r"sensors must name columns 0 to 5, got \(-1, 2\)"):
        sequences.examples(0, place.cut, sensors=[2, -1])
    with pytest.raises(InputError, match=r"sensor must name columns 0 to 5, got \(-1, -1\)"):
        sequences.take(torch.tensor([500]), torch.tensor([-1]))
    assert place.side is not None
    place.side[: place.cut, 2, 1] = np.nan
    with pytest.raises(InputError, match="side must have readings before the cut of each series, got 'none of 1'"):
        place.scaler((2,))
    assert place.scaler((1, 2))[0] > 0


def test_recipes_and_windows_that_cannot_be_learned_by_are_refused() -> None:
    for told, message in (
        ({"steps": -1, "rate": 1e-3}, "steps must be at least 0"),
        ({"steps": 1, "rate": 0.0}, "rate must be more than 0"),
        ({"steps": 1, "rate": 1e-3, "batch": 0}, "batch must be at least 1"),
        ({"steps": 1, "rate": 1e-3, "decay": -0.1}, "decay must be at least 0"),
    ):
        with pytest.raises(InputError, match=message):
            Recipe(**told)  # type: ignore[arg-type]
    place = world()
    sequences, _ = place.sequences((1, 2))
    origin, sensor = place.windows(sequences, (1,))
    for windows in ((origin[:0], sensor[:0]), (origin, sensor[:-1])):
        with pytest.raises(InputError, match="windows must hold origins and as many sensors"):
            learn(place.model(sequences, seed=0), sequences, windows, Recipe(1, 1e-3), seed=0)
