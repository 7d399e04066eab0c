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


def test_a_benefit_that_was_not_reported_is_no_zero():
    told, silent = (feedback.KalmanFilling([[0.0, 0.0]], [[1.0, 1.0]], [2.0]) for _ in range(2))
    told.observe(np.array([[0.5, 0.5]]), np.array([[0.9, 0.6]]))
    silent.observe(np.array([[0.5, 0.5]]), np.array([[0.9, np.nan]]))
    assert silent.believed()[0][0, 0] == told.believed()[0][0, 0]
    assert silent.believed()[0][0, 1] == 0
    assert silent.believed()[1][0, 1] == pytest.approx(0.25 + 0.06**2)


def test_a_filter_goes_on_where_another_stopped():
    whole, half, rest = (filtered("biased") for _ in range(3))
    seen = (EQUAL, RATE * 0 + 0.7)
    for rule in (whole, half):
        rule.observe(*seen)
    rest.resume(half.mean, half.cov)
    for rule in (whole, rest):
        rule.observe(*seen)
    np.testing.assert_array_equal(whole.mean, rest.mean)
    np.testing.assert_array_equal(whole.shares(), rest.shares())


def test_covariances_stay_positive_over_a_long_time_and_odd_shares():
    """Joseph's form: what rounds off does not turn a variance negative, whatever is given and seen."""
    rule, draw = feedback.KalmanFilling(np.zeros((4, 3)), np.ones((4, 3)), np.full(4, 3.0), spread=50.0), np.random
    generator = draw.default_rng(0)
    for _ in range(3000):
        shares = generator.dirichlet(np.full(3, 0.2), 4)
        rule.observe(shares, -np.expm1(-3 * shares) * np.exp(0.3 * generator.standard_normal((4, 3))))
    assert np.linalg.eigvalsh(rule.cov).min() > 0
    np.testing.assert_allclose(rule.cov, np.swapaxes(rule.cov, -1, -2), rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: feedback.Fixed([[0.5, 0.6]]), "shares must sum to 1"),
        (lambda: feedback.Fixed([[1.5, -0.5]]), "at least 0"),
        (lambda: feedback.ExponentiatedGradient(EQUAL, RATE, BUDGET, step=0), "step must be more than 0"),
        (lambda: feedback.KalmanFilling([[np.nan]], [[1.0]], [1.0]), "log_scale must have no missing values"),
        (lambda: filtered(noise=0), "noise"),
        (lambda: filtered(kept=1.1), "kept"),
        (lambda: feedback.KalmanFilling([[0.0]], [[1.0]], [0.0]), "budget must be above 0"),
        (lambda: feedback.KalmanFilling([[0.0]], [[-1.0]], [1.0]), "rate must be above 0"),
        (lambda: feedback.KalmanFilling([[0.0]], [[1.0, 1.0]], [1.0]), "rate must have the shape"),
        (lambda: feedback.ExponentiatedGradient(EQUAL, RATE, BUDGET[:3]), "budget must be 16"),
        (lambda: filtered().resume(np.zeros((16, 12, 2)), -np.ones((16, 12, 2, 2))), "cov must be positive"),
        (lambda: filtered().resume(np.zeros((16, 12, 2)), np.triu(np.ones((16, 12, 2, 2)))), "cov must be symmetric"),
        (lambda: filtered().resume(np.full((16, 12, 2), np.nan), np.zeros((16, 12, 2, 2))), "mean must have no miss"),
        (lambda: filtered().observe(EQUAL, np.full(RATE.shape, np.inf)), "benefit must be finite"),
        (lambda: filtered().observe(EQUAL * np.nan, RATE), "shares must have no missing values"),
        (lambda: filtered().observe(EQUAL[:2], RATE), "shares must have the shape"),
        (lambda: feedback.ProportionalToEffect(EQUAL).observe(EQUAL, RATE * np.nan), r"first at \(0, 0\)"),
        (lambda: drift.drift(seed=0, steps=40), "steps"),
        (lambda: drift.prior(WORLD, "bias", seed=0), "did you mean 'biased'"),
    ],
)
def test_what_is_wrong_is_said(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_rule_that_hands_out_more_than_there_is_is_refused():
    world = drift.drift(seed=0, steps=41, instances=2)

    class Generous(feedback.Fixed):
        def __init__(self):
            self.given = np.full((2, 12), 1 / 6)

    with pytest.raises(InputError, match="shares of the rule must sum to 1"):
        drift.play(Generous(), world)


def test_huge_rates_end_in_no_overflow_and_lists_will_do():
    rule = feedback.ExponentiatedGradient(EQUAL, RATE * 1e5, BUDGET)
    rule.observe(EQUAL.tolist(), np.ones(RATE.shape).tolist())
    np.testing.assert_allclose(rule.shares().sum(axis=1), 1)
    with pytest.raises(InputError, match="benefit must be numeric"):
        rule.observe(EQUAL, [["much"]])


def test_the_unit_of_the_budget_does_not_decide_whether_rules_learn():
    a, b = np.array([[3.0, 1.0, 1.0, 1.0]]), np.full((1, 4), 1e-4)
    world = lambda w: a * -np.expm1(-b * w * 4.0)  # noqa: E731
    tracking = feedback.KalmanFilling(np.zeros((1, 4)), b, [4.0])
    climbing = feedback.ExponentiatedGradient(np.array([[1e-3, 0.333, 0.333, 0.333]]), b, [4.0])
    for _ in range(300):
        for rule in (tracking, climbing):
            rule.observe(rule.shares(), world(rule.shares()))
    for rule in (tracking, climbing):
        assert rule.shares()[0, 0] > 0.95


def test_what_gets_nothing_is_expected_to_be_six_percent_better_in_the_end_and_no_more():
    rule = feedback.KalmanFilling([[-0.7, 0.0]], [[1.0, 1.0]], [0.5])
    seen = []
    for _ in range(600):
        shares = rule.shares()
        rule.observe(shares, np.array([[3.0, 1.0]]) * -np.expm1(-shares * 0.5))
        seen.append(shares[0, 0])
    assert max(seen) == 0, "believed to be worse than it is, and never tried"
    most = 0.5**2 + drift.STEP**2 / (1 - drift.KEPT**2)
    assert rule.believed()[1][0, 0] == pytest.approx(most, rel=1e-6)
    assert np.exp((most - 0.5**2) / 2) == pytest.approx(1.06, abs=0.005)
