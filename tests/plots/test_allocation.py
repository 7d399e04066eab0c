"""Figures of shared budgets: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import allocation


def test_the_vessel_says_who_gets_what() -> None:
    payload = allocation.vessel("v", ["far", "near"], [10, 20], [1.5, 0.5], level=1.0, unit="hours")
    assert "hours that each gets: near 10; far 0" in payload["alt"]


def test_budgets_say_both_ends() -> None:
    lines = {"best": [0.2, 0.5], "equal": [0.1, 0.4]}
    words = {"unit": "hours", "label": "share settled", "price_label": "requests an hour"}
    payload = allocation.budgets("b", [1, 2], lines, [3, 1], now=1.5, **words)
    assert "best from 20% to 50%; equal from 10% to 40%. The price of a unit falls from 3 to 1" in payload["alt"]


def test_the_front_says_where_rules_lie() -> None:
    words = {"fair_label": "least served", "efficient_label": "share settled"}
    payload = allocation.front("f", [0.1, 0.4], [0.5, 0.45], {"equal": (0.2, 0.44)}, **words)
    assert "from 50.0% to 45.0%" in payload["alt"]
    assert "equal at 20% and 44%" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="same length"):
        allocation.vessel("v", ["one"], [1, 2], [0, 0], level=1.0, unit="hours")
    with pytest.raises(InputError, match="two numbers each"):
        allocation.front("f", [0.1], [0.5], {"odd": (0.2, float("nan"))}, fair_label="a", efficient_label="b")
