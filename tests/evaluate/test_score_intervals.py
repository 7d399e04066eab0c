"""Intervals of scores: equal to those of a mean where the score is one, and refused where blocks are too few."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.evaluate import compare
from citylib.evaluate.multiclass import Scored
from citylib.evaluate.score_intervals import block_counts, resample


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
    drawn = resample({"a": Scored(actual, chance)}, step, block=6, generator=seeds.generator(0), draws=1000)
    found = drawn.alone().set_index("score")
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
    found = resample(contenders, step, block=5, generator=seeds.generator(0), draws=200)
    asked = [("worse", "good", "auc"), ("worse", "good", "log_loss"), ("good", "good", "auc")]
    auc, loss, none = found.apart(asked).to_dict("records")
    assert auc["high"] < 0 < loss["low"]
    assert none["difference"] == none["low"] == none["high"] == 0
    both = {"good": contenders["good"], "both": [contenders["good"], contenders["worse"]]}
    mean = resample(both, step, block=5, generator=seeds.generator(0), draws=200)
    (half,) = mean.apart([("both", "good", "auc")]).to_dict("records")
    assert half["difference"] == pytest.approx(auc["difference"] / 2)


def test_many_comparisons_hold_together() -> None:
    draw = np.random.default_rng(3)
    step, actual = np.arange(300), draw.integers(0, 2, 300)
    contenders = {name: Scored(actual, draw.dirichlet([1, 1], 300)) for name in "abcdef"}
    found = resample(contenders, step, block=10, generator=seeds.generator(0), draws=200)
    alone = found.apart([("b", "a", "macro_f1")]).iloc[0]
    together = found.apart([(name, "a", "macro_f1") for name in "bcdef"]).iloc[0]
    assert alone["each_level"] == 0.95
    assert together["each_level"] == pytest.approx(0.99)
    wider = stats.t.ppf(0.995, 29) / stats.t.ppf(0.975, 29)
    assert together["high"] - together["low"] == pytest.approx(wider * (alone["high"] - alone["low"]))


def test_refusals() -> None:
    one, other = Scored([0, 1] * 20, [[0.5, 0.5]] * 40), Scored([1, 0] * 20, [[0.5, 0.5]] * 40)
    for wrong in ({"a": one, "b": other}, {}, {"a": []}):
        with pytest.raises(InputError, match="same cases"):
            resample(wrong, np.arange(40), block=2, generator=seeds.generator(0))
    drawn = resample({"a": one}, np.arange(40), block=2, generator=seeds.generator(0), draws=100)
    for unknown in (("a", "c", "auc"), ("a", "a", "nothing")):
        with pytest.raises(UnknownNameError):
            drawn.apart([unknown])
    with pytest.raises(InputError, match="one comparison"):
        drawn.apart([])
