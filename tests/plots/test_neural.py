"""Figures of small networks: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import neural

DAY = np.sin(np.linspace(0, np.pi, 24))


def test_losses_say_where_they_went() -> None:
    payload = neural.losses("fit", [1.0, 0.5, 0.2], [1.1, 0.6, 0.7], best=2, label="mean squared error")
    assert "validation from 1.1 to 0.7; weights of epoch 2 are kept" in payload["alt"]


def test_days_say_their_peaks() -> None:
    payload = neural.days("kinds", {"work": np.tile(DAY, (5, 1)), "rest": np.tile(DAY, (3, 1))}, label="share of peak")
    assert payload["alt"].startswith("Mean day by kind: work highest at 11 h")


def test_rebuilt_say_their_errors() -> None:
    payload = neural.rebuilt("two", {"sound": DAY, "odd": DAY}, {"sound": DAY, "odd": DAY + 0.1}, label="share of peak")
    assert "sound: mean squared error 0; odd: mean squared error 0.01" in payload["alt"]


def test_accuracy_says_both_ends() -> None:
    line = ([0.4, 0.8], [0.3, 0.7], [0.5, 0.9])
    payload = neural.accuracy_by_labels("gain", [1, 100], {"scratch": line}, label="accuracy", chance=0.2)
    assert "scratch 40% with 1, 80% with 100" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="best must be at most 1"):
        neural.losses("fit", [1.0], [1.0], best=2, label="loss")
    with pytest.raises(InputError, match="made must have the names of given"):
        neural.rebuilt("two", {"a": DAY}, {"b": DAY}, label="share")
    with pytest.raises(InputError, match="same length"):
        neural.accuracy_by_labels("gain", [1, 3], {"a": ([0.4], [0.3], [0.5])}, label="accuracy", chance=0.2)
    with pytest.raises(InputError, match="number of kinds must be at least 1"):
        neural.days("kinds", {}, label="share")
