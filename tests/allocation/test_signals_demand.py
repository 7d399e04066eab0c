"""The grid and its demand: constants of `grid4-v1`, and what the arrivals average to."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from citylib.allocation.signals import demand, grid
from citylib.errors import InputError


def test_ways_are_ways() -> None:
    """Each next approach is where the last turn leads; the last one leads out."""
    drawn = demand.trips(3)
    starts = grid.entries()
    for entry, way, leaves in zip(drawn.entry_V[:200], drawn.ways[:200], drawn.leaves_V[:200], strict=True):
        assert way[0] == starts[entry]
        for (junction, side), (after, arrives) in itertools.pairwise(way):
            out = (arrives + 2) % 4
            assert grid.neighbour(junction, out) == after
            assert out != side, "nobody turns round"
        assert grid.neighbour(way[-1][0], int(leaves)) is None


def test_rates_are_those_of_the_problem() -> None:
    rate = demand.rates([900.0])[0] * 3600
    west = 260 * 0.9 * (1 + 1.4)
    np.testing.assert_allclose(rate[:4], west * np.array([0.85, 1.5, 1.2, 0.85]))
    late = np.exp(-((1700 / 700) ** 2))
    np.testing.assert_allclose(rate[12:], 260 * 0.9 * (0.7 + 1.6 * late) * np.array([1.2, 0.85, 1.5, 0.85]))
    np.testing.assert_allclose(rate[4:8], 260 * 0.9 * (0.8 + 0.2 * late) * 0.85)
    np.testing.assert_allclose(rate[8:12], 260 * 0.9 * (0.7 + 0.3) * 0.85)
    held = demand.rates([1499.0, 1500.0], demand.DEMANDS["held out"])
    usual = demand.rates([1499.0, 1500.0]) / 0.9
    np.testing.assert_allclose(held[0], usual[0])
    np.testing.assert_allclose(held[1] / usual[1], np.repeat([1, 2.8, 1.8, 1], 4))
    assert demand.rates([-1.0, 1800.0]).sum() == 0


def test_thinning_keeps_the_rates() -> None:
    """Counts by entry and third of the time over many seeds lie within four standard errors of the rates' integral."""
    seeds, thirds = 25, 3
    counts = np.zeros((thirds, 16))
    for seed in range(seeds):
        drawn = demand.trips(seed)
        np.add.at(counts, ((drawn.departs_V // 600).astype(int), drawn.entry_V), 1)
    at = np.arange(0.5, 1800)
    want = demand.rates(at).reshape(thirds, 600, 16).sum(axis=1) * seeds
    assert np.abs((counts - want) / np.sqrt(want)).max() < 4


def test_turns_are_as_said() -> None:
    turns = {"left": 0, "through": 0, "right": 0}
    for seed in range(3):
        drawn = demand.trips(seed)
        for way, leaves in zip(drawn.ways, drawn.leaves_V, strict=True):
            outs = [(side + 2) % 4 for _, side in way[1:]] + [int(leaves)]
            for (_, side), out in zip(way, outs, strict=True):
                turns[next(turn for turn in turns if grid.exit_side(side, turn) == out)] += 1
    share = {turn: count / sum(turns.values()) for turn, count in turns.items()}
    for turn, chance in grid.TURNS.items():
        assert abs(share[turn] - chance) < 0.01


def test_flows_are_what_trips_average_to() -> None:
    seen = np.zeros(64)
    for seed in range(20):
        for way in demand.trips(seed).ways:
            for place in way:
                seen[grid.approach(*place)] += 1
    np.testing.assert_allclose(seen / 20 / 1800, demand.flows().ravel(), rtol=0.08)


def test_same_seed_same_vehicles() -> None:
    one, two = demand.trips(5), demand.trips(5)
    assert one.ways == two.ways
    np.testing.assert_array_equal(one.departs_V, two.departs_V)
    assert demand.trips(6).ways != one.ways


def test_refusals() -> None:
    with pytest.raises(InputError, match="scale must be at least 0"):
        demand.Demand("odd", -0.1)
    with pytest.raises(InputError, match="surge must be at least 0"):
        demand.Demand("odd", 1.0, (1, 1, -1, 1))
    with pytest.raises(InputError, match="bring at least one vehicle"):
        demand.trips(1, demand.Demand("none", 0.0))
    with pytest.raises(InputError, match="seed must be at least 0"):
        demand.trips(-1)
