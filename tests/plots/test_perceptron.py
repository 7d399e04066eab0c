"""Figures of the first network: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import perceptron


def test_curves_say_where_they_went() -> None:
    losses = {"training": [1.0, 0.5, 0.2], "test": [1.1, 0.6, 0.7]}
    payload = perceptron.curves("fit", losses, stop=2, label="loss")
    assert payload["alt"] == (
        "loss over 3 epochs, weights of epoch 2 kept: training 1 after the first, 0.5 at the stop, 0.2 after the last; "
        "test 1.1 after the first, 0.6 at the stop, 0.7 after the last."
    )


def test_relation_says_its_ends() -> None:
    lines = {"network": [60.0, 31.0], "law": [60.0, 30.0]}
    payload = perceptron.relation(
        "curve", [0.0, 900.0], lines, dots=(range(5000), range(5000)), x_label="flow", y_label="speed"
    )
    assert payload["alt"] == "speed by flow, 0 to 900: network from 60 to 31; law from 60 to 30."


def test_refusals() -> None:
    with pytest.raises(InputError, match="stop must be at most 1"):
        perceptron.curves("fit", {"training": [1.0]}, stop=2, label="loss")
    with pytest.raises(InputError, match="losses must be more than 0"):
        perceptron.curves("fit", {"training": [1.0, 0.0]}, stop=2, label="loss")
    with pytest.raises(InputError, match="number of losses must be at most 4"):
        perceptron.curves("fit", {key: [1.0] for key in "abcde"}, stop=1, label="loss")
    dots = ([0.0], [1.0])
    with pytest.raises(InputError, match="lines must be 1 to 4"):
        perceptron.relation("curve", [0.0, 1.0], {}, dots=dots, x_label="x", y_label="y")
    with pytest.raises(InputError, match="same length"):
        perceptron.relation("curve", [0.0, 1.0], {"a": [1.0]}, dots=dots, x_label="x", y_label="y")
