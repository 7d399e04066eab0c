"""Figures of masked pre-training: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import pretraining

DAY = np.sin(np.linspace(0, np.pi, 24))
HIDDEN = np.arange(24) >= 18


def test_masks_say_how_much_is_hidden() -> None:
    tail = np.tile(np.arange(8) >= 6, (3, 1))
    payload = pretraining.masks("masks", {"tail": tail}, ahead=2)
    assert "tail hides 25%, of the last patches 100%" in payload["alt"]


def test_fills_say_their_errors_where_it_was_hidden() -> None:
    made = {"line": np.where(HIDDEN, DAY + 0.5, 99.0), "network": DAY}
    payload = pretraining.fills("filled", {"one": (DAY, HIDDEN, made)}, hours=[1.0], labels=["veh/h"])
    assert "one: line is off by 0.5, network is off by 0" in payload["alt"]


def test_contenders_say_their_intervals() -> None:
    payload = pretraining.contenders(
        "mae", {"scratch": (2.0, 1.5, 2.5)}, seeds={"scratch": [1.9, 2.1]}, label="MAE", rules={"persistence": 3.0}
    )
    assert payload["alt"] == "MAE by contender: scratch 2 (1.5 to 2.5). Rules: persistence 3."


def test_refusals() -> None:
    with pytest.raises(InputError, match="number of kinds must be at least 1"):
        pretraining.masks("masks", {}, ahead=1)
    with pytest.raises(InputError, match="number of windows must be at least 1"):
        pretraining.fills("filled", {}, hours=[], labels=[])
    with pytest.raises(InputError, match="hours, labels must be one for each window"):
        pretraining.fills("filled", {"one": (DAY, HIDDEN, {"line": DAY})}, hours=[], labels=["veh/h"])
    with pytest.raises(InputError, match="same length"):
        pretraining.fills("filled", {"one": (DAY, HIDDEN, {"line": DAY[1:]})}, hours=[1.0], labels=["veh/h"])
    with pytest.raises(InputError, match="seeds must have the names of found"):
        pretraining.contenders("mae", {"a": (1, 0, 2)}, seeds={"b": [1.0]}, label="MAE", rules={})
