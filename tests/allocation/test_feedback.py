"""Rules that learn from outcomes: the filter is Kalman's, the obvious rule collapses, bad input is refused."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.allocation import drift, feedback
from citylib.allocation.water_filling import fill
from citylib.errors import InputError

WORLD = drift.drift(seed=0, instances=16)
RATE, BUDGET = WORLD.start.rate_BN, WORLD.start.budget_B
EQUAL = np.full(RATE.shape, 1 / 12)


def score(rule, world=WORLD, **more):
    return float(drift.play(rule, world, **more)[drift.FROM :].mean())


def filtered(kind="true", **more):
    return feedback.KalmanFilling(drift.prior(WORLD, kind, seed=0), RATE, BUDGET, **more)


def test_who_learns_beats_who_does_not_and_the_obvious_rule_collapses():
    fixed = score(feedback.Fixed(fill(WORLD.start.scale_BN, RATE, BUDGET).shares))
    assert score(filtered()) < 0.003
    assert score(filtered()) < fixed / 4
    assert score(filtered("biased")) < 0.01
    assert score(feedback.ExponentiatedGradient(EQUAL, RATE, BUDGET)) < 0.004
    assert score(feedback.ExponentiatedGradient(EQUAL, RATE, BUDGET, step=3.0)) > 0.3, "too long a step swings"
    assert score(feedback.ProportionalToEffect(EQUAL)) > 3 * score(feedback.Fixed(EQUAL))


def test_thompson_finds_the_way_too_and_pays_for_its_trials():
    rule = feedback.Thompson(drift.prior(WORLD, "flat", seed=0), RATE, BUDGET, spread=0.8, generator=seeds.generator(0))
    assert score(filtered("flat")) < score(rule) < 0.005


def test_deciding_seldom_costs():
    assert score(filtered(), every=1) < score(filtered(), every=50)


def test_the_filter_is_the_textbooks_and_covers_the_truth():
    """One resource by hand, with matrices inverted as the textbook writes them."""
    rule = feedback.KalmanFilling([[0.2]], [[1.0]], [1.0], spread=0.7)
    mean, cov = np.array([0.2, 0.0]), np.diag([0.49, 0.0])
    h, noise = np.ones((1, 2)), np.log1p(0.15**2)
    for y in (0.8, 0.5, 1.1):
        rule.observe(np.array([[1.0]]), np.array([[y]]))
        seen = np.log(y / -np.expm1(-1.0)) + noise / 2
        gain = cov @ h.T @ np.linalg.inv(h @ cov @ h.T + noise)
        mean = mean + gain[:, 0] * (seen - (h @ mean)[0])
        cov = (np.eye(2) - gain @ h) @ cov
        move = np.diag([1.0, 0.985])
        mean, cov = move @ mean, move @ cov @ move + np.diag([0.0, 0.06**2])
    np.testing.assert_allclose(rule.mean[0, 0], mean, atol=1e-12)
    np.testing.assert_allclose(rule.cov[0, 0], cov, atol=1e-12)


def test_its_variance_says_how_wrong_it_is():
    rule = filtered("biased", spread=0.5)
    off = []
    drift.play(
        rule,
        WORLD,
        watch=lambda t, _: off.append((np.log(WORLD.scale_TBN[t]) - rule.believed()[0]) / np.sqrt(rule.believed()[1])),
    )
    inside = float((np.abs(np.stack(off[drift.FROM :])) < 1.96).mean())
    assert 0.93 < inside < 0.97


def test_a_resource_without_a_share_tells_nothing():
    rule = feedback.KalmanFilling([[0.0, 0.0]], [[1.0, 1.0]], [2.0])
    rule.observe(np.array([[1.0, 0.0]]), np.array([[0.9, 0.0]]))
    assert rule.believed()[1][0, 0] < rule.believed()[1][0, 1]
    assert np.isfinite(rule.mean).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: feedback.Fixed([[0.5, 0.6]]), "shares must sum to 1"),
        (lambda: feedback.Fixed([[1.5, -0.5]]), "at least 0"),
        (lambda: feedback.ExponentiatedGradient(EQUAL, RATE, BUDGET, step=0), "step must be more than 0"),
        (lambda: feedback.KalmanFilling([[np.nan]], [[1.0]], [1.0]), "log_scale must have no missing values"),
        (lambda: filtered(noise=0), "noise"),
        (lambda: filtered(kept=1.1), "kept"),
        (lambda: drift.drift(seed=0, steps=40), "steps"),
        (lambda: drift.prior(WORLD, "bias", seed=0), "did you mean 'biased'"),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(InputError, match=words):
        make()
