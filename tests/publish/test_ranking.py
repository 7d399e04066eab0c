"""The order of places and the ranks left open, held against a plain form and planted truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from citylib.errors import InputError, UnknownNameError
from citylib.publish.ranking import rank


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


def test_intervals_are_widened_by_what_the_normal_curve_asks_of_all_at_once() -> None:
    made = rank("mae", {str(k): [record(float(k), 0.5)] for k in range(10)}, ascending=True)
    assert made is not None
    low, high = made.places[3].joint or (0, 0)
    expected = 0.5 * stats.norm.isf(0.05 / 20) / stats.norm.isf(0.025)
    assert (3 - low, high - 3) == pytest.approx((expected, expected), rel=1e-9)
    assert made.told_apart == (9 if 2 * expected < 1 else 0)


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


def test_the_ranks_hold_the_truth_as_often_as_they_claim() -> None:
    draw = np.random.default_rng(3)
    truth = np.linspace(0, 2, 12)
    missed = 0
    for _ in range(400):
        seen = truth + 0.2 * draw.standard_normal(12)
        half = 0.2 * stats.norm.isf(0.025)
        made = rank("mae", {f"{k:02d}": [record(float(v), half)] for k, v in enumerate(seen)}, ascending=True)
        assert made is not None
        missed += any(not (p.ranks[0] <= int(p.name) + 1 <= p.ranks[1]) for p in made.places if p.ranks)
    assert missed / 400 < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


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
