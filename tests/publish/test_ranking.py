"""The order of places and the ranks left open, held against a plain form and planted truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal, stats

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.evaluate import compare
from citylib.publish.ranking import ASSUMED, rank
from citylib.timeseries import profile


def record(value: float, half: float | None = 1.0, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"name": "mae", "value": value, "unit": "MW"} | more
    return made if half is None else made | {"interval": [value - half, value + half], "level": 0.95}


def test_the_lowest_or_the_highest_comes_first() -> None:
    found = {"a": [record(3)], "b": [record(1)], "c": [record(2)]}
    low, high = (rank("mae", found, ascending=up) for up in (True, False))
    assert low is not None
    assert high is not None
    assert [p.name for p in low.places] == ["b", "c", "a"]
    assert [p.name for p in high.places] == ["a", "c", "b"]
    assert (low.unit, low.level) == ("MW", 0.95)


@pytest.mark.parametrize("blocks", [None, 2, 4, 400])
def test_intervals_are_widened_by_what_their_blocks_ask_of_all_at_once(blocks: int | None) -> None:
    given = {} if blocks is None else {"blocks": blocks}
    made = rank("mae", {str(k): [record(float(k), 0.3, **given)] for k in range(10)}, ascending=True)
    assert made is not None
    low, high = made.places[3].joint or (0, 0)
    student = stats.t((blocks or ASSUMED) - 1)
    expected = 0.3 * student.isf(0.05 / 20) / student.isf(0.025)
    assert (3 - low, high - 3) == pytest.approx((expected, expected), rel=1e-9)
    assert made.told_apart == (0 if blocks in (2, 4) else 9)
    assert made.places[3].blocks == blocks


def test_places_that_find_their_own_interval_too_narrow_are_marked() -> None:
    say = {"name": "mae_too_narrow", "unit": ""}
    found = {"a": [record(1), say | {"value": True}], "b": [record(2), say | {"value": False}], "c": [record(3)]}
    made = rank("mae", found, ascending=True)
    assert made is not None
    assert [p.too_narrow for p in made.places] == [True, False, False]


@pytest.mark.parametrize("ascending", [True, False])
def test_the_ranks_left_open_are_those_of_the_plain_form(ascending: bool) -> None:
    draw = np.random.default_rng(7)
    found = {f"p{k}": [record(float(draw.normal()), float(draw.uniform(0.05, 0.5)))] for k in range(25)}
    made = rank("mae", found, ascending=ascending)
    assert made is not None
    for place in made.places:
        assert place.joint
        surely_before = surely_after = 0
        for other in made.places:
            assert other.joint
            below, above = other.joint[1] < place.joint[0], other.joint[0] > place.joint[1]
            surely_before += below if ascending else above
            surely_after += above if ascending else below
        assert place.ranks == (1 + surely_before, 25 - surely_after)
    assert all(p.ranks and p.ranks[0] <= k <= p.ranks[1] for k, p in enumerate(made.places, 1))


@pytest.mark.parametrize(("places", "days", "spread"), [(40, 31, 0.0), (10, 181, 0.0), (12, 365, 1.0)])
def test_the_ranks_hold_the_truth_as_often_as_they_claim(places: int, days: int, spread: float) -> None:
    # The intervals are those that the chapter makes, of days that remember yesterday by 0.3. As percentiles, widened by
    # the normal curve, they were wrong of some rank in half the worlds of 40 places and a month.
    truth, worlds = spread * np.linspace(0, 1, places), 80
    noise = np.random.default_rng(places).standard_normal((worlds, places, days + 50))
    seen = truth[:, None] + signal.lfilter([1], [1, -0.3], noise)[..., 50:]
    block, missed, outside, wrong = profile.block(days, 7), 0, 0, 0
    for world in seen:
        made = rank("mae", {f"{k:02d}": [chapters(x, block)] for k, x in enumerate(world)}, ascending=True)
        assert made is not None
        ends = {int(p.name): (p.interval, p.joint) for p in made.places}
        missed += sum(not low <= truth[k] <= high for k, ((low, high), _) in ends.items())
        outside += any(not low <= truth[k] <= high for k, (_, (low, high)) in ends.items())
        # a place's true ranks: all those of the places that truly equal it
        best = {k: 1 + int((truth < truth[k]).sum()) for k in range(places)}
        last = {k: int((truth <= truth[k]).sum()) for k in range(places)}
        wrong += any(p.ranks[0] > best[int(p.name)] or p.ranks[1] < last[int(p.name)] for p in made.places if p.ranks)
    allowed = 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)  # three errors of so many worlds
    assert missed / worlds / places < 0.06  # of one interval, many more draws
    assert outside / worlds < allowed
    assert wrong / worlds < allowed


def chapters(days: np.ndarray, block: int) -> dict[str, Any]:
    """Return the record that a chapter hands back of a mean over days."""
    found = compare.block_bootstrap(days, block=block, generator=seeds.generator(0), draws=300)
    made = {"name": "mae", "value": found.estimate, "unit": "MW", "interval": list(found.ends), "level": found.level}
    return made | {"blocks": found.blocks}


def test_without_an_interval_somewhere_nothing_is_known_of_the_order() -> None:
    made = rank("mae", {"a": [record(1)], "b": [record(5, None, baseline=2.0)]}, ascending=True)
    assert made is not None
    assert made.level is None
    assert [p.ranks for p in made.places] == [None, None]
    assert (made.told_apart, made.places[1].baseline) == (0, 2.0)


@pytest.mark.parametrize(
    ("found", "error", "said"),
    [
        ({"a": [record(1, name="mase")]}, UnknownNameError, "did you mean 'mase'"),
        ({"a": [record(1)], "b": [record(1, unit="kW")]}, InputError, "one unit at all places"),
        ({"a": [record(1)], "b": [record(1) | {"level": 0.9}]}, InputError, "one level at all places"),
        ({"a": [record(1) | {"value": "high"}]}, InputError, "a record of numbers"),
    ],
)
def test_what_cannot_be_ranked_is_refused(found: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        rank("mae", found, ascending=True)


def test_no_places_have_no_order() -> None:
    assert rank("mae", {}, ascending=True) is None
