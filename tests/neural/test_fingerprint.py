"""A fingerprint changes with what a loss closes over and with how a model is built, and with nothing else."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn

from citylib.neural.fingerprint import fingerprint, of_model
from citylib.neural.sequences import Sequences


class Loss:
    def __init__(self, delta: float) -> None:
        self.delta, self.me = delta, self

    def __call__(self, model: nn.Module) -> float:
        return self.delta


def closes(value: object):  # type: ignore[no-untyped-def]
    return lambda model: value


def test_equal_values_are_equal_and_others_are_not() -> None:
    def series(shift: float) -> Sequences:
        return Sequences(np.arange(12.0)[:, None] + shift, history=4, horizon=2, patch=2)

    pairs = [
        (lambda: 1, lambda: 1.0),
        (lambda: "a", lambda: b"a"),
        (lambda: [1, 2], lambda: [2, 1]),
        (lambda: {"a": 1, "b": 2}, lambda: {"a": 2, "b": 1}),
        (lambda: np.arange(3), lambda: np.arange(3.0)),
        (lambda: torch.ones(2), lambda: torch.ones(2, 1)),
        (lambda: series(0), lambda: series(1)),
        (lambda: Loss(1.0), lambda: Loss(2.0)),
        (lambda: torch.Generator().manual_seed(1), lambda: torch.Generator().manual_seed(2)),
        (lambda: np.random.default_rng(1), lambda: np.random.default_rng(2)),
        (lambda: functools.partial(closes, 1), lambda: functools.partial(closes, 2)),
        (lambda: {"x", "y"}, lambda: {"x", "z"}),
    ]
    for one, other in pairs:
        assert fingerprint(closes(one())) == fingerprint(closes(one()))
        assert fingerprint(closes(one())) != fingerprint(closes(other()))


def test_a_model_is_how_it_is_built_not_what_it_has_learned() -> None:
    one, two = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1)), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1))
    assert of_model(one) == of_model(two)
    assert fingerprint(closes(one)) != fingerprint(closes(two))  # the weights are drawn
    two[1].p = 0.2
    assert of_model(one) != of_model(two)
    two[1].p = 0.1
    two[0].bias.requires_grad_(False)
    assert of_model(one) != of_model(two)
