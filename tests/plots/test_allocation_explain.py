"""Figures of explanations and decisions: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import allocation_explain as figures


def test_orders_name_what_matters_most() -> None:
    payload = figures.orders("o", {"planted": [0.1, -0.9, 0.3, 0.0]}, ["A", "B", "C", "D"])
    assert "planted: B, C, A" in payload["alt"]


def draw(reasons: dict[str, list[float]], places: tuple[str, ...] = ("north", "south")) -> dict[str, object]:
    words = {"price": 0.4, "unit": "h", "worth_label": "requests an hour"}
    return figures.card("c", places, [5, 5], [7, 3], ([6, 2], [8, 4]), reasons, [0.5, 0.3], **words)


def test_the_card_says_who_gets_what() -> None:
    payload = draw({"need": [3, -3], "way": [-1, 1]})
    assert "price 0.4 under the plan. north 5 now, 7 planned; south 5 now, 3 planned" in str(payload["alt"])


def test_refusals() -> None:
    with pytest.raises(InputError, match="reasons must add up"):
        draw({"need": [3, -3]})
    with pytest.raises(InputError, match="same length"):
        draw({"need": [2, -2]}, ("north",))
    with pytest.raises(InputError, match="resources must be 2 names"):
        figures.orders("o", {"planted": [0.1, 0.2]}, ["A"])
