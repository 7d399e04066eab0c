"""Lights, the model of queues and the controllers: laws they keep, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from citylib.allocation.signals import demand, evolution, features, grid, tuning
from citylib.allocation.signals.controllers import attention, linear_index, webster
from citylib.allocation.signals.controllers.catalogue import CONTROLLERS, PACE, TUNED, USUAL, make
from citylib.allocation.signals.point_queue import PointQueue, arrivals
from citylib.allocation.signals.state import GridState, Lights, drive
from citylib.errors import InputError, UnknownNameError

WEIGHTS = [1.0, 1.0, 0.5, -0.2, 0.3, 0.2]
J = grid.JUNCTIONS


def state(**given: Any) -> GridState:
    """A grid in which nobody is, but for what is given."""
    whole: dict[str, Any] = {
        "seconds": 0,
        "phase_BJ": torch.zeros(1, J, dtype=torch.int64),
        "changing_BJ": torch.zeros(1, J, dtype=torch.bool),
        "green_BJ": torch.full((1, J), 30.0),
        "waited_BJP": torch.zeros(1, J, 4),
        "empty_BJP": torch.zeros(1, J, 4),
        "stop_BJPS": torch.zeros(1, J, 4, 2),
        "far_BJXS": torch.zeros(1, J, 2, 2),
        "halted_BJXS": torch.zeros(1, J, 2, 2),
    }
    return GridState(**(whole | given))


def test_a_change_takes_five_seconds_and_cannot_be_called_off() -> None:
    lights = Lights(1)
    lights.tick(1)
    other = torch.full((1, J), 2)
    lights.want(other)
    seen = []
    for k in range(6):
        seen.append((float(lights.left_BJ[0, 0]), float(lights.green_BJ[0, 0])))
        lights.want(other if k != 2 else torch.zeros_like(other))
        lights.tick(1)
    assert seen == [(5, 0), (4, 0), (3, 0), (2, 0), (1, 0), (0, 0)]
    assert float(lights.green_BJ[0, 0]) == 1
    assert bool((lights.phase_BJ == 2).all())


def test_waiting_counts_only_red_with_somebody_there() -> None:
    lights = Lights(1)
    stop = torch.zeros(1, J, 4, 2)
    stop[0, 0, 1, 0] = 2
    stop[0, 0, 0, 0] = 2
    lights.seen(stop, 5)
    lights.seen(stop, 5)
    assert lights.waited_BJP[0, 0].tolist() == [0, 10, 0, 0]
    assert lights.empty_BJP[0, 0].tolist() == [0, 0, 10, 10]
    assert float(lights.longest_B) == 10
    lights.seen(torch.zeros_like(stop), 5)
    assert lights.waited_BJP.sum() == 0


def test_lights_refuse() -> None:
    lights = Lights(1)
    with pytest.raises(InputError, match="phase_BJ must be phases 0 to 3"):
        lights.want(torch.full((1, J), 4))
    with pytest.raises(InputError, match="phase_BJ must be phases 0 to 3"):
        lights.want(torch.zeros(1, J))
    with pytest.raises(InputError, match="have the shape"):
        lights.want(torch.zeros(2, J, dtype=torch.int64))


def test_no_vehicle_is_lost_in_the_model() -> None:
    """Who came is inside, or has left: without any green nobody leaves; with green all do, in the end."""
    known = arrivals([1, 2])
    model = PointQueue(known, limit=1800)
    while not model.done():
        model.advance(torch.zeros(2, J, dtype=torch.int64), 5)
        came = model.arrivals_BTA[:, : model.seconds // 5].sum(dim=(1, 2))
        assert bool((model.inside_B() <= came + 0.01).all())
        assert float(model.queue_BAK.min()) >= -1e-4
        assert float(model.outside_BA.min()) >= 0
    ended = PointQueue(known, limit=5400)
    drive(ended, make("max-pressure", USUAL["max-pressure"]))
    assert float(ended.inside_B().max()) < 0.5
    np.testing.assert_array_equal(ended.count_B.numpy(), [len(demand.trips(s).departs_V) for s in (1, 2)])


def test_runs_side_by_side_are_runs_alone() -> None:
    rule = make("linear index", {"weights": WEIGHTS})
    both, alone = PointQueue(arrivals([4, 9]), limit=900), PointQueue(arrivals([9]), limit=900)
    drive(both, rule)
    drive(alone, rule)
    torch.testing.assert_close(both.delay_B()[1:], alone.delay_B())


def test_a_single_queue_drains_at_the_saturation_flow() -> None:
    known = torch.zeros(1, 1, J, 2, 2)
    known[0, 0, 0, 1, 1] = 40  # from the west into A0, all in one step
    model = PointQueue(known, limit=600)
    green = torch.full((1, J), 2)
    place = grid.approach(0, 3)
    lengths = []
    for _ in range(14):
        model.advance(green, 5)
        lengths.append(float(model.queue_BAK[0, place, 0]))
    drained = -np.diff(lengths[int(np.argmax(lengths)) :])
    assert drained.max() == pytest.approx(5, abs=1e-4), "two lanes of half a vehicle a second, five seconds a step"


def test_attention_without_its_output_is_the_linear_index() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(attention.COUNT, generator=generator).numpy()
    weights[-7:-3] = 0  # out
    weights[6] = 0  # the figure that tells left phases from others
    now = state(stop_BJPS=torch.rand(1, J, 4, 2, generator=generator) * 9, far_BJXS=torch.rand(1, J, 2, 2) * 9)
    one, two = attention.Attention(weights=weights), linear_index.LinearIndex(weights=weights[:6])
    assert bool((one(now) == two(now)).all())
    mapped = one.map(now)
    torch.testing.assert_close(mapped.sum(dim=2), torch.ones(1, 64))
    assert float(mapped[0][torch.tensor(attention.near() < 0)].max()) == 0, "far junctions are not looked at"


def test_candidates_share_a_batch_without_touching() -> None:
    generator = torch.Generator().manual_seed(1)
    many = torch.randn(3, attention.COUNT, generator=generator).numpy()
    known = arrivals([1, 2])
    together = PointQueue(known.repeat(3, 1, 1, 1, 1), limit=300)
    drive(together, attention.Attention(weights=many))
    for k in range(3):
        alone = PointQueue(known, limit=300)
        drive(alone, attention.Attention(weights=many[k]))
        torch.testing.assert_close(together.delay_B()[2 * k : 2 * k + 2], alone.delay_B())


def test_max_pressure_by_hand() -> None:
    """Ten through against three left: two lanes against one; what stands ahead counts against; a bound overrides."""
    stop = torch.zeros(1, J, 4, 2)
    stop[0, 5, 0, 0], stop[0, 5, 3, 1] = 10, 3
    rule = make("max-pressure", {"interval": 5, "least": 5, "red_most": 60})
    assert int(rule(state(stop_BJPS=stop))[0, 5]) == 0
    full = torch.zeros(1, J, 2, 2)
    full[0, 1, 0, 0] = 40  # the block to the south of junction 5
    assert int(rule(state(stop_BJPS=stop, far_BJXS=full, halted_BJXS=full))[0, 5]) == 3
    waited = torch.zeros(1, J, 4)
    waited[0, 5, 3] = 60
    assert int(rule(state(stop_BJPS=stop, waited_BJP=waited))[0, 5]) == 3
    young = torch.zeros(1, J)
    assert int(rule(state(stop_BJPS=stop, waited_BJP=waited, green_BJ=young))[0, 5]) == 0, "the least green comes first"


def test_actuated_by_hand() -> None:
    rule = make("actuated", {"gap": 3, "through_most": 40, "left_most": 15})
    waited, empty = torch.zeros(1, J, 4), torch.zeros(1, J, 4)
    waited[0, 0, 2] = 10
    assert int(rule(state(waited_BJP=waited))[0, 0]) == 0, "somebody still comes"
    empty[0, 0, 0] = 3
    assert int(rule(state(waited_BJP=waited, empty_BJP=empty))[0, 0]) == 2, "left is passed over: nobody waits there"
    over = torch.full((1, J), 40.0)
    assert int(rule(state(waited_BJP=waited, green_BJ=over))[0, 0]) == 2
    assert int(rule(state(empty_BJP=empty, green_BJ=over))[0, 1]) == 0, "nobody waits anywhere: stay"


def test_webster_shares_green_by_critical_flow() -> None:
    green = webster.splits(110.0)
    np.testing.assert_allclose(green.sum(axis=1), 90)
    assert green.min() >= 5 - 1e-9
    critical = demand.flows().max(axis=2) * 0.86
    free = (green[:, [0, 2]] > 5).all(axis=1)
    np.testing.assert_allclose((green[:, 0] / green[:, 2])[free], (critical[:, 0] / critical[:, 1])[free])
    rule = make("webster", {"cycle": 110.0, "east": 10, "north": 0})
    at = [rule(state(seconds=s))[0] for s in range(220)]
    assert [int(a[0]) for a in at[:110]] == [int(a[0]) for a in at[110:]]
    still = make("webster", {"cycle": 110.0, "east": 0, "north": 0})
    plain = [int(still(state(seconds=s))[0][1]) for s in range(110)]
    assert [int(a[1]) for a in at[10:120]] == plain, "the next to the east is 10 s later"


def test_features_and_their_names() -> None:
    stop = torch.zeros(1, J, 4, 2)
    stop[0, 0, 1] = torch.tensor([2.0, 1.0])
    x = features.of_phases(state(stop_BJPS=stop))
    assert x.shape == (1, J, 4, len(features.FEATURES))
    assert float(x[0, 0, 1, 0]) == pytest.approx(0.3)
    assert float(x[0, 0, :, 4].abs().max()) == 0, "nobody stands where there is green"
    served = torch.zeros(1, J, dtype=torch.int64) + 1
    assert float(features.of_phases(state(stop_BJPS=stop, phase_BJ=served))[0, 0, 1, 4]) == pytest.approx(0.3)


def test_evolution_helps_on_the_model() -> None:
    start = np.array([0.2, 0.2, 0.1, 0.0, 0.0, 1.0])
    options: dict[str, Any] = {"pairs": 4, "runs": 1, "width": 0.3, "rate": 0.15, "limit": 600}
    found = evolution.evolve(lambda w: linear_index.LinearIndex(weights=w), start, seed=0, generations=5, **options)
    again = evolution.evolve(lambda w: linear_index.LinearIndex(weights=w), start, seed=0, generations=1, **options)
    np.testing.assert_array_equal(found.weights_GF[:2], again.weights_GF)
    assert found.snapshots(3).shape == (3, 6)
    np.testing.assert_array_equal(found.snapshots(3)[-1], found.weights_GF[-1])
    delay = []
    for weights in (start, found.weights_GF[-1]):
        model = PointQueue(arrivals([3000, 3001]), limit=900)
        drive(model, linear_index.LinearIndex(weights=weights))
        delay.append(float(model.delay_B().mean()))
    assert delay[1] < delay[0]


def test_a_search_goes_where_a_score_of_ones_own_is_small() -> None:
    aim = np.array([1.0, -2.0])
    bowl = lambda weights, chosen: ((weights - aim) ** 2).sum(axis=1)  # noqa: E731
    found = evolution.evolve(
        linear_index.LinearIndex, [0.0, 0.0], seed=0, generations=150, pairs=4, runs=1, rate=0.05, score=bowl
    )
    assert np.abs(found.weights_GF[-1] - aim).max() < 0.2
    with pytest.raises(InputError, match="score must give 8 delays"):
        evolution.evolve(
            linear_index.LinearIndex, [0.0], seed=0, generations=1, pairs=4, runs=1, score=lambda weights, chosen: [1.0]
        )


def test_every_controller_has_the_same_budget() -> None:
    assert set(TUNED) | {"linear index", "attention"} == set(CONTROLLERS)
    for name in TUNED:
        first = tuning.guesses(name)
        assert len(first) == tuning.GUESSES
        assert first == tuning.guesses(name)
        tried: list[dict[str, Any]] = list(first)
        for _ in range(tuning.GUESSES):
            tried.append(tuning.nearby(tried, list(range(len(tried))), name))
        assert len({str(one) for one in tried}) == tuning.CANDIDATES, "no candidate twice"
        for one in tried:
            make(name, one)
            assert all(TUNED[name][key].low <= value <= TUNED[name][key].high for key, value in one.items())
    near = tuning.nearby([{"weights": WEIGHTS}, {"weights": [0.0] * 6}], [1.0, 2.0], "linear index")
    assert 0 < np.abs(np.array(near["weights"]) - WEIGHTS).max() < 1
    assert all(PACE[key].low <= near[key] <= PACE[key].high for key in PACE), "learned rules are tuned in pace as well"
    assert make("linear index", near).every == near["interval"]
    assert not set(tuning.CHOICE) & set(tuning.TEST)
    assert not (set(tuning.CHOICE) | set(tuning.TEST)) & set(evolution.TRAINING)


def test_a_green_lasts_as_long_as_it_must() -> None:
    longest = {}
    for least in (0.0, 60.0):
        model = PointQueue(arrivals([0]), limit=600)
        drive(model, linear_index.LinearIndex(weights=WEIGHTS, least=least))
        longest[least] = float(model.lights.longest_B.max())
    assert longest[60.0] > longest[0.0]


def test_a_candidate_under_which_vehicles_are_moved_by_force_is_out() -> None:
    run = {"mean": 10.0, "teleports": 0, "unfinished": 0, "undeparted": 0}
    assert tuning.worth([run, run]) == 10
    for key in ("teleports", "unfinished", "undeparted"):
        assert tuning.worth([run, run | {key: 1}]) == float("inf")


def test_refusals() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'max-pressure'"):
        make("max-presure", {})
    with pytest.raises(InputError, match="every must be a multiple of"):
        drive(PointQueue(arrivals([3000]), limit=600), make("equal", {"green": 7}))
    with pytest.raises(InputError, match="be those of webster"):
        make("webster", {"cycle": 90.0, "speed": 3})
    with pytest.raises(InputError, match="be those of actuated"):
        make("actuated", {"gap": 2})
    with pytest.raises(InputError, match="weights must be 6 a candidate"):
        make("linear index", {"weights": [1.0, 2.0]})
    with pytest.raises(InputError, match="weights"):
        make("linear index", {"weights": [1.0, 2.0, float("nan"), 0, 0, 0]})
    with pytest.raises(InputError, match="share 3 runs equally"):
        drive(PointQueue(arrivals([1, 2, 3]), limit=60), linear_index.LinearIndex(weights=[WEIGHTS, WEIGHTS]))
    with pytest.raises(InputError, match="be a multiple of the grid's step of 5 s"):
        drive(PointQueue(arrivals([1]), limit=60), make("actuated", USUAL["actuated"]))
    with pytest.raises(InputError, match="be none negative"):
        PointQueue(-arrivals([1]))
    with pytest.raises(InputError, match="have the shape"):
        PointQueue(torch.zeros(1, 3, 4))
    with pytest.raises(UnknownNameError, match="name must be one of"):
        tuning.guesses("attention")
    with pytest.raises(InputError, match="at least one"):
        tuning.nearby([], [], "webster")
