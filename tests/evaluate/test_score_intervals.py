"""Intervals of scores: equal to those of a mean where the score is one, and refused where blocks are too few."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.evaluate import compare
from citylib.evaluate.multiclass import Scored
from citylib.evaluate.score_intervals import block_counts, block_scores


def test_counts_are_of_whole_blocks() -> None:
    counts = block_counts(12, block=4, draws=200, generator=seeds.generator(0))
    assert (counts.sum(axis=1) == 12).all()
    assert counts.mean() == pytest.approx(1)
    with pytest.raises(InputError, match="two blocks"):
        block_counts(7, block=4, draws=100, generator=seeds.generator(0))


def test_accuracy_has_the_interval_of_a_mean() -> None:
    draw = np.random.default_rng(1)
    step = np.repeat(np.arange(120), 5)
    hard = np.repeat(draw.random(20), 30)  # errors that last for six steps
    actual = draw.integers(0, 2, 600)
    hit = draw.random(600) > hard * 0.6
    chance = np.where(np.eye(2)[np.where(hit, actual, 1 - actual)] > 0, 0.8, 0.2)
    found = block_scores(
        {"a": Scored(actual, chance)}, step, baseline="a", block=6, generator=seeds.generator(0), draws=1000
    ).set_index("score")
    mean = compare.block_bootstrap(hit.reshape(120, 5).astype(float), block=6, generator=seeds.generator(0), draws=1000)
    assert found.loc["accuracy", "value"] == pytest.approx(mean.estimate)
    assert found.loc["accuracy", "low"] == pytest.approx(mean.low, abs=0.005)
    assert found.loc["accuracy", "blocks"] == mean.blocks == 20


def test_pairs_meet_the_same_hours() -> None:
    draw = np.random.default_rng(2)
    step = np.repeat(np.arange(100), 4) + 7
    actual = draw.integers(0, 3, 400)
    good = np.full((400, 3), 0.1) + 0.7 * np.eye(3)[actual]
    worse = good.copy()
    worse[::10] = 1 / 3
    contenders = {"good": Scored(actual, good), "worse": Scored(actual, worse)}
    found = block_scores(contenders, step, baseline="good", block=5, generator=seeds.generator(0), draws=200)
    rows = found.set_index(["contender", "score"])
    assert rows.loc[("worse", "auc"), "difference_high"] < 0
    assert (rows.loc["good"][["minus_baseline", "difference_low", "difference_high"]] == 0).all(axis=None)
    assert rows.loc[("worse", "log_loss"), "difference_low"] > 0
    both = {"good": contenders["good"], "both": [contenders["good"], contenders["worse"]]}
    mean = block_scores(both, step, baseline="good", block=5, generator=seeds.generator(0), draws=200)
    half = mean.set_index(["contender", "score"]).loc[("both", "auc")]
    assert half["minus_baseline"] == pytest.approx(rows.loc[("worse", "auc"), "minus_baseline"] / 2)


def test_refusals() -> None:
    one, other = Scored([0, 1] * 20, [[0.5, 0.5]] * 40), Scored([1, 0] * 20, [[0.5, 0.5]] * 40)
    with pytest.raises(InputError, match="same cases"):
        block_scores({"a": one, "b": other}, np.arange(40), baseline="a", block=2, generator=seeds.generator(0))
    with pytest.raises(UnknownNameError):
        block_scores({"a": one}, np.arange(40), baseline="c", block=2, generator=seeds.generator(0))
