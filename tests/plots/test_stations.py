"""Figures of stations: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import stations


def test_reach_says_both_ends_and_today() -> None:
    lines = {"best": [0.4, 0.9], "greedy": [0.3, 0.8]}
    payload = stations.reach("r", [5, 20], lines, today=(12, 0.7), label="Share reached")
    assert "with 5 to 20 stations: best from 40% to 90%; greedy from 30% to 80%" in payload["alt"]
    assert "Today 12 stations reach 70%" in payload["alt"]


def test_districts_say_who_waits() -> None:
    ends = {"low": [0.5, 0.8], "high": [0.7, 0.95]}
    payload = stations.districts(
        "d", ["hill", "quay"], [0.6, 0.9], **ends, then=[0.8, 0.9], city=0.8, label="Share reached"
    )
    assert "least in hill (60%, under the plan 80%), most in quay (90%); the city 80%" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="same length"):
        stations.reach("r", [5], {"best one": [0.4, 0.9]}, today=(1, 0.5), label="x")
    with pytest.raises(InputError, match="today must be"):
        stations.reach("r", [5], {"best": [0.4]}, today=(1, float("nan")), label="x")
    with pytest.raises(InputError, match="same length"):
        stations.districts("d", ["a"], [0.6, 0.9], [0, 0], [1, 1], then=[1, 1], city=0.8, label="x")
