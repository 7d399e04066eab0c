"""budget-v1 and drift-v1 are what is written down, number by number; regret is 0 at the optimum and nowhere below."""

from __future__ import annotations

import math

import numpy as np
import pytest

from citylib.allocation import drift, problem
from citylib.allocation.water_filling import fill
from citylib.errors import InputError


def test_the_effects_are_those_written_down():
    known = problem.contexts(5, seed=3, part="train")
    x = known.features_BNF[2]
    for i in range(12):
        x0, x1, x2, x3, x4, x5, g0, g1 = x[i]
        r = x3 - np.mean([row[3] for row in x])
        log_a = 0.7 * math.tanh(x0) + 0.5 * math.sin(1.5 * x1) * math.tanh(x2)
        log_a += 0.5 * g0 * math.tanh(x4) + 0.8 * math.tanh(r)
        log_b = 0.3 + 0.5 * math.tanh(x2) - 0.4 / (1 + math.exp(-2 * x5)) + 0.3 * g1 * math.tanh(x1)
        assert math.log(known.scale_BN[2, i]) == pytest.approx(log_a, abs=1e-12)
        assert math.log(known.rate_BN[2, i]) == pytest.approx(log_b, abs=1e-12)
    assert (known.features_BNF[..., 6:] == known.features_BNF[:, :1, 6:]).all(), "g is shared"
    assert (known.budget_B == 12).all()


def test_the_noise_has_mean_one_and_the_spread_written_down():
    known = problem.contexts(20_000, seed=0, part="train")
    ratio = known.observed_BN / known.scale_BN
    spread = 0.25 + 0.6 / (1 + np.exp(-known.features_BNF[..., 5]))
    assert ratio.mean() == pytest.approx(1, abs=0.006)  # 240,000 draws of spread 0.6: six standard errors
    standard = (np.log(ratio) + spread**2 / 2) / spread
    assert standard.mean() == pytest.approx(0, abs=0.013)
    assert standard.std() == pytest.approx(1, abs=0.01)


def test_fewer_are_the_first_of_more_and_parts_are_apart():
    many, few = (problem.contexts(n, seed=1, part="train") for n in (50, 20))
    for name in ("features_BNF", "scale_BN", "rate_BN", "observed_BN"):
        np.testing.assert_array_equal(getattr(many.first(20), name), getattr(few, name))
    assert not np.isclose(problem.contexts(20, seed=1, part="test").features_BNF, few.features_BNF).any()


def test_regret_is_zero_at_the_optimum_and_grows_from_there():
    known = problem.contexts(200, seed=0, part="test")
    best = fill(known.scale_BN, known.rate_BN, known.budget_B).shares
    equal = np.full((200, 12), 1 / 12)
    assert np.abs(problem.regret(best, known)).max() < 1e-14
    assert problem.gap_closed(best, known) == pytest.approx(1)
    assert problem.gap_closed(equal, known) == 0
    assert (problem.regret(equal, known) > 0).all()
    assert problem.regret(0.5 * best + 0.5 * equal, known).mean() < problem.regret(equal, known).mean()
    assert 0.09 < problem.regret(equal, known).mean() < 0.11  # as prototypes found: 9.84 %


def test_other_features_are_refused():
    with pytest.raises(InputError, match="the 8 of budget-v1"):
        problem.effects(np.zeros((1, 2, 7)))
    with pytest.raises(InputError, match="count"):
        problem.contexts(5, seed=0, part="train").first(6)


def test_drift_wanders_as_written_down():
    world = drift.drift(seed=0)
    assert world.scale_TBN.shape == (200, 64, 12)
    off = np.log(world.scale_TBN / world.start.scale_BN)
    assert not off[0].any()
    steps = off[1:] - 0.985 * off[:-1]
    assert steps.std() == pytest.approx(0.06, rel=0.01)
    assert steps.mean() == pytest.approx(0, abs=1e-3)
    assert world.noise_TBN.std() == pytest.approx(0.15, rel=0.01)
    biased = drift.prior(world, "biased", seed=0) - np.log(world.start.scale_BN)
    np.testing.assert_allclose(np.abs(biased), 0.5)
    assert abs(biased.mean()) < 0.06
    assert np.unique(drift.prior(world, "flat", seed=0)).size == 1
    assert np.log(drift.misjudged(world, seed=0) / world.start.rate_BN).std() == pytest.approx(0.3, rel=0.1)


def test_what_are_no_shares_has_no_regret():
    known = problem.contexts(3, 4, seed=0, part="test")
    half, turned, debt = np.full((3, 4), 0.5), np.full((4, 3), 1 / 3), [1.5, -0.5, 0, 0]
    for shares, words in ((half, "sum to 1"), (turned, "have the shape"), (debt, "at least 0")):
        with pytest.raises(InputError, match=words):
            problem.regret(shares, known)
        with pytest.raises(InputError, match=words):
            problem.gap_closed(shares, known)
    alone = problem.contexts(3, 1, seed=0, part="test")
    assert problem.gap_closed(np.ones((3, 1)), alone) == 1


def test_effects_and_budgets_are_looked_at():
    for words, change in {
        "budget must be above 0": {"budget_B": [2.0, -2.0, 1.0]},
        "scale must be at least 0": {"scale_BN": -np.ones((3, 4))},
        "must fit together": {"rate_BN": np.ones((3, 5))},
    }.items():
        given = {"shares_BN": np.full((3, 4), 0.25), "scale_BN": np.ones((3, 4)), "rate_BN": np.ones((3, 4))}
        with pytest.raises(InputError, match=words):
            problem.benefit(**({"budget_B": np.ones(3)} | given | change))
