"""Figures of explanations: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import attribution


def test_lines_say_their_ends_and_tops() -> None:
    payload = attribution.by_step("days", [1, 2, 3], {"truth": [0.1, 0.7, 0.2]}, x_label="days before", y_label="share")
    assert payload["alt"] == "share by days before, 1 to 3: truth from 0.1 to 0.2, highest at 2."


def test_a_map_says_where_the_last_token_looks() -> None:
    payload = attribution.attention("map", [[0.5, 0.5], [0.9, 0.1]], ["yesterday", "tomorrow"])
    assert payload["alt"] == "Attention between 2 tokens. tomorrow looks most at: yesterday 0.90, tomorrow 0.10."


def test_refusals() -> None:
    with pytest.raises(InputError, match="number of lines must be at most 6"):
        attribution.by_step("days", [1], {key: [1.0] for key in "abcdefg"}, x_label="x", y_label="y")
    with pytest.raises(InputError, match="same length"):
        attribution.by_step("days", [1, 2], {"a": [1.0]}, x_label="x", y_label="y")
    with pytest.raises(InputError, match=r"weights must have shape \(1, 1\)"):
        attribution.attention("map", [[0.5, 0.5], [0.9, 0.1]], ["a"])
    with pytest.raises(InputError, match="rows that add up to 1"):
        attribution.attention("map", [[0.5, 0.2], [0.9, 0.1]], ["a", "b"])
