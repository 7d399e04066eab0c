"""One network for all sensors: what lies after the cut, or after an origin, changes nothing; bad input is named."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.neural import checkpoint, sensor_files, sensor_forecast
from citylib.neural.sensor_features import SensorFeatures, neighbours
from citylib.neural.sensor_forecast import Recipe, SensorForecast, fit

STEPS, CUT, HELD, ROWS = 48, 48 * 6 + 20, 48, 48 * 8
TIMES = np.datetime64("2026-03-05", "m") + np.arange(ROWS) * np.timedelta64(30, "m")  # from a Thursday
SMALL = Recipe(hidden=(8, 6), embedding=2, epochs=4, batch=64, rate=1e-2)


def city(*, holes: bool = True) -> npt.NDArray[np.float64]:
    """Speeds of four sensors, the next one slow half an hour after each."""
    draw = seeds.generator(3, "speeds")
    day = 50 - 15 * np.exp(-((np.arange(ROWS) % STEPS - 17) ** 2) / 8)
    jam = np.convolve(draw.standard_normal(ROWS), np.ones(4) / 2, mode="same")
    values = np.stack([day + 4 * np.roll(jam, k) for k in range(4)], axis=1) + draw.standard_normal((ROWS, 4))
    if holes:
        values[draw.random(values.shape) < 0.02] = np.nan
    return values


def shuffled(values: npt.NDArray[np.float64], start: int, stop: int | None = None) -> npt.NDArray[np.float64]:
    """The same with the rows from `start` on in another order, and the sensors exchanged."""
    out = values.copy()
    part = out[start:stop]
    out[start:stop] = seeds.generator(1, "shuffle").permutation(part, axis=0)[:, ::-1]
    return out


def made(values: npt.NDArray[np.float64], **more: Any) -> SensorForecast:
    ring = np.array([[1, 3], [0, 2], [1, 3], [2, 0]])
    given: dict[str, Any] = {"cut": CUT, "neighbour": ring, "held": HELD, "recipe": SMALL, "near": 2} | more
    return fit(values, TIMES, generator=seeds.torch_generator(0), **given)


def same(one: SensorForecast, two: SensorForecast) -> bool:
    """Whether everything fitted and chosen is the same bit for bit."""
    kept = [
        np.array_equal(getattr(one.features, f.name), getattr(two.features, f.name)) for f in fields(SensorFeatures)
    ]
    weights = one.model.state_dict(), two.model.state_dict()
    kept += [torch.equal(weights[0][name], weights[1][name]) for name in weights[0]]
    return all([*kept, one.epochs == two.epochs, one.choice == two.choice, one.history == two.history])


def test_what_lies_after_the_cut_changes_nothing_fitted() -> None:
    values = city()
    first = made(values)
    assert first.choice is not None
    assert first.epochs == first.choice.best
    assert same(first, made(shuffled(values, CUT)))
    assert not same(first, made(shuffled(values, CUT - 30)))  # the test can fail


def test_what_was_held_chooses_epochs_and_nothing_else() -> None:
    values = city()
    other = shuffled(values, CUT - HELD, CUT)
    begin = CUT - HELD
    known = [made(v, cut=begin, held=None) for v in (values, other)]
    assert same(*known)


def test_what_lies_after_an_origin_changes_no_forecast_made_there() -> None:
    values = city()
    model = made(values)
    for t in (CUT + 12, CUT + 30, ROWS - 3):
        assert np.array_equal(model.predict(values, [t]), model.predict(shuffled(values, t), [t]))
        assert not np.array_equal(model.predict(values, [t]), model.predict(shuffled(values, t - 1), [t]))


def test_the_profile_of_a_day_does_not_know_the_day() -> None:
    values = city(holes=False)
    other = values.copy()
    other[2 * STEPS : 3 * STEPS] += 100.0
    known = [SensorFeatures.fit(v, TIMES, cut=CUT, neighbour=np.zeros((4, 1), int)) for v in (values, other)]
    assert np.array_equal(known[0].profile[2], known[1].profile[2])
    assert not np.array_equal(known[0].profile[3], known[1].profile[3])


def test_a_window_across_the_split_is_refused() -> None:
    from citylib.neural import windows

    with pytest.raises(InputError, match="rows 0 to"):
        windows.within([CUT - 1], start=0, stop=CUT, history=12, horizon=3)
    known = SensorFeatures.fit(city(), TIMES, cut=CUT, neighbour=np.zeros((4, 1), int))
    with pytest.raises(InputError, match="origins must lie between 12 and"):
        known.at(city(), [3])


def test_beats_repeating_the_last_reading() -> None:
    values = city(holes=False)
    at = np.arange(CUT + 12, ROWS - 2)
    model = made(values, recipe=Recipe(hidden=(32, 16), embedding=2, epochs=30, batch=64, rate=1e-2))
    truth = np.stack([values[at + h] for h in range(3)], axis=1)
    ours, last = np.abs(model.predict(values, at) - truth).mean(), np.abs(values[at - 1][:, None] - truth).mean()
    assert ours < 0.8 * last


def test_an_untrained_network_forecasts_no_change() -> None:
    values = city()
    model = made(values, held=None, recipe=Recipe(hidden=(4,), embedding=1, epochs=1, rate=1e-12))
    at = np.array([CUT + 20])
    filled = np.where(np.isnan(values), model.features.usual(np.arange(ROWS)), values)
    np.testing.assert_allclose(model.predict(values, at)[0, 0], filled[at[0] - 1], atol=1e-5)


def test_readings_that_begin_later_are_forecast_by_the_clock_of_the_fit() -> None:
    values, cut = city(), 7
    model, at = made(values), np.array([CUT + 20, CUT + 31])
    later = model.predict(values[cut:], at - cut, times=TIMES[cut:])
    np.testing.assert_array_equal(later, model.predict(values, at))
    assert not np.array_equal(model.predict(values[cut:], at - cut), later)
    for wrong in (TIMES[cut:] + np.timedelta64(1, "s"), TIMES[cut:] - np.timedelta64(9, "D"), TIMES[::-1][cut:]):
        with pytest.raises(InputError, match=r"times must be .* s apart on the grid that begins at"):
            model.predict(values[cut:], at - cut, times=wrong)
    with pytest.raises(InputError, match="origins must have 12 rows before each, got 3"):
        model.predict(values[cut:], [3], times=TIMES[cut:])


def test_missing_targets_are_left_out() -> None:
    values = city()
    known = SensorFeatures.fit(values, TIMES, cut=CUT, neighbour=np.zeros((4, 1), int))
    x, sensor, slot, y = sensor_forecast.examples(known, values, np.arange(12, 60))
    assert len(x) == len(sensor) == len(slot) == len(y) < 48 * 4
    assert bool(torch.isfinite(x).all())
    assert bool(torch.isfinite(y).all())


def test_neighbours_of_a_one_way_road_and_of_a_lone_sensor() -> None:
    road = np.zeros((4, 4))
    road[0, 1], road[1, 2] = 0.5, 0.9
    assert neighbours(road, 2).tolist() == [[1, 0], [2, 0], [1, 2], [3, 3]]


def test_refusals() -> None:
    values, ring = city(), np.zeros((4, 1), int)
    with pytest.raises(InputError, match="cut must be at least 96"):
        SensorFeatures.fit(values, TIMES, cut=50, neighbour=ring)
    with pytest.raises(InputError, match="neighbour must name sensors 0 to 3"):
        SensorFeatures.fit(values, TIMES, cut=CUT, neighbour=ring + 4)
    with pytest.raises(InputError, match="times must be regular"):
        SensorFeatures.fit(values, np.delete(np.append(TIMES, TIMES[-1] + 60), 5), cut=CUT, neighbour=ring)
    silent = values.copy()
    silent[:CUT, 2] = np.nan
    with pytest.raises(InputError, match="none of sensor 2"):
        SensorFeatures.fit(silent, TIMES, cut=CUT, neighbour=ring)
    with pytest.raises(InputError, match="values must hold the 4 sensors fitted"):
        made(values).predict(values[:, :3], [CUT])
    with pytest.raises(InputError, match="adjacency must be square"):
        neighbours(np.ones((2, 3)), 1)
    with pytest.raises(InputError, match="hidden must name at least one"):
        made(values, recipe=Recipe(hidden=()))


NAMES = ("north", "bridge", "market", "south")
SHORT = Recipe(hidden=(4,), embedding=1, epochs=2, batch=256)


@pytest.mark.parametrize("held", [0, -5, 2, CUT - 2 * STEPS + 1, CUT])
def test_rows_held_must_be_enough_and_leave_enough(held: int) -> None:
    rule = r"held must be rows enough to forecast once \(3\) and leave 96 of the 308 before the cut to learn from"
    with pytest.raises(InputError, match=rf"{rule}: two days, and a window, got {held}$"):
        made(city(), held=held)


def test_rows_held_must_leave_a_reading_of_each_sensor() -> None:
    values = city()
    values[: CUT - HELD, 2] = np.nan
    for told, name in (({}, "sensor 2"), ({"sensors": NAMES}, "market")):
        with pytest.raises(InputError, match=f"held must leave a reading of each sensor .* leaves none of {name}"):
            made(values, **told)


def test_other_sensors_or_another_order_are_refused_by_name() -> None:
    values = city()
    fitted = made(values, recipe=SHORT, held=None, sensors=NAMES, channel="speed")
    told = fitted.predict(values, [CUT], sensors=NAMES, channel="speed")
    assert np.array_equal(told, fitted.predict(values, [CUT]))
    with pytest.raises(InputError, match="sensors must stand in the order of the fit, 'bridge' at 1, got 'market'"):
        fitted.predict(values, [CUT], sensors=["north", "market", "bridge", "south"])
    with pytest.raises(UnknownNameError, match="did you mean 'market'"):
        fitted.predict(values, [CUT], sensors=["north", "bridge", "markt", "south"])
    with pytest.raises(InputError, match="sensors must be all 4 of the fit, got \"3, without 'south'\""):
        fitted.predict(values, [CUT], sensors=NAMES[:3])
    with pytest.raises(InputError, match="channel must be that of the fit, 'speed', got 'flow'"):
        fitted.predict(values, [CUT], channel="flow")
    with pytest.raises(InputError, match="sensors must name each of the 4 columns of values, got '3 names'"):
        made(values, sensors=NAMES[:3])
    with pytest.raises(InputError, match="sensors must have no duplicates"):
        made(values, sensors=("a", "a", "b", "c"))
    with pytest.raises(InputError, match="sensors must be left out"):
        replace(fitted, sensors=()).predict(values, [CUT], sensors=NAMES)


def test_what_was_kept_forecasts_the_same(tmp_path: Path) -> None:
    values = city()
    fitted = made(values, recipe=SHORT, sensors=NAMES, channel="speed")
    folder = sensor_files.save(tmp_path / "kept", fitted, data={"speeds": "ab" * 32}, metrics={"mae": 2.0})
    again = sensor_files.load(folder, data={"speeds": "ab" * 32}, sensors=NAMES, channel="speed")
    assert same(fitted, again)
    assert (again.recipe, again.sensors, again.channel) == (SHORT, NAMES, "speed")
    assert np.array_equal(fitted.predict(values, [CUT, CUT + 9]), again.predict(values, [CUT, CUT + 9]))
    with pytest.raises(InputError, match="sensors must stand in the order of the fit"):
        sensor_files.load(folder, sensors=NAMES[::-1])
    with pytest.raises(UnknownNameError, match="east"):
        sensor_files.load(folder, sensors=["east"])
    with pytest.raises(InputError, match=r"channels must be \['speed'\], in this order"):
        sensor_files.load(folder, channel="flow")
    with pytest.raises(InputError, match="data must be that of the checkpoint"):
        sensor_files.load(folder, data={"speeds": "cd" * 32})
    with pytest.raises(InputError, match="fitted must know its sensors by name"):
        sensor_files.save(tmp_path / "nameless", replace(fitted, sensors=()), data={})
    checkpoint.save(tmp_path / "other", nn.Linear(2, 3), config={}, data={})
    with pytest.raises(InputError, match="folder must hold a SensorForecast that was saved"):
        sensor_files.load(tmp_path / "other")
