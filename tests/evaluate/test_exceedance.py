"""Tests of thresholds: published bounds, the same ratios by logistic regression, sizes on simulated hits."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from citylib.errors import InputError
from citylib.evaluate import exceedance, forecast

# Numbers of hits that a test at 5 % doesn't reject: Kupiec (1995), table 3; (steps, share, fewest, most).
PUBLISHED = [
    (255, 0.05, 7, 20), (510, 0.05, 17, 35), (1000, 0.05, 38, 64),
    (510, 0.01, 2, 10), (1000, 0.01, 5, 16), (1000, 0.10, 82, 119),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "share", "fewest", "most"), PUBLISHED)
def test_kupiec_rejects_where_his_table_does(steps, share, fewest, most):
    def rejected(number):
        return exceedance.kupiec(np.r_[np.ones(number), np.zeros(steps - number)], share=share).p_value < 0.05

    assert [rejected(n) for n in (fewest - 1, fewest, most, most + 1)] == [True, False, False, True]


def test_kupiec_is_the_ratio_of_binomial_likelihoods():
    for number in (0, 3, 40):
        found = exceedance.kupiec(np.r_[np.ones(number), np.zeros(40 - number)], share=0.1)
        wide, narrow = (stats.binom.logpmf(number, 40, p) for p in (number / 40, 0.1))
        assert found.statistic == pytest.approx(2 * (wide - narrow), abs=1e-9)


def chain(steps, seed, after_hit, after_none):
    rng, out = np.random.default_rng(seed), np.zeros(steps)
    for t in range(1, steps):
        out[t] = rng.random() < (after_hit if out[t - 1] else after_none)
    return out


@pytest.mark.filterwarnings("ignore")
def test_independence_is_the_ratio_of_a_logistic_regression_on_the_hit_before():
    hit = chain(900, 1, 0.3, 0.05)
    hit[[100, 101, 400]] = np.nan
    found = exceedance.christoffersen(hit, share=0.06)
    pair = ~np.isnan(hit[1:]) & ~np.isnan(hit[:-1])
    now, before = hit[1:][pair], hit[:-1][pair]
    wide = sm.Logit(now, sm.add_constant(before)).fit(disp=0).llf
    narrow = sm.Logit(now, np.ones((len(now), 1))).fit(disp=0).llf
    assert found.independence.statistic == pytest.approx(2 * (wide - narrow), rel=1e-6)
    claimed = stats.bernoulli.logpmf(now, 0.06).sum()
    assert found.conditional.statistic == pytest.approx(2 * (wide - claimed), rel=1e-6)
    assert found.after_hit == pytest.approx(now[before == 1].mean())
    assert found.after_none == pytest.approx(now[before == 0].mean())


def test_bursts_are_seen_and_independent_hits_hold_the_level():
    assert exceedance.christoffersen(chain(2000, 2, 0.4, 0.03), share=0.05).independence.p_value < 1e-6
    draws = np.random.default_rng(3).random((400, 1000)) < 0.05
    kupiec = np.mean([exceedance.kupiec(row, share=0.05).p_value < 0.05 for row in draws.astype(float)])
    both = [exceedance.christoffersen(row, share=0.05) for row in draws.astype(float)]
    # Rare hits in few steps: the test of independence is known to reject somewhat less, or more, often than it claims.
    assert 0.02 < kupiec < 0.09
    assert 0.02 < np.mean([b.independence.p_value < 0.05 for b in both]) < 0.12
    assert 0.02 < np.mean([b.conditional.p_value < 0.05 for b in both]) < 0.12


def test_pairs_across_a_gap_do_not_count():
    hit = np.array([1.0, np.nan, 1.0, 0.0, 0.0, np.nan, 0.0])
    found = exceedance.christoffersen(hit, share=0.5)
    assert (found.after_hit, found.after_none) == (0.0, 0.0)
    none = exceedance.christoffersen(np.zeros(50), share=0.05)
    assert np.isnan(none.after_hit)
    assert none.independence.statistic == 0.0


def test_hits_and_pinball():
    actual, limit = np.array([1.0, 5.0, np.nan, 2.0]), np.array([2.0, 2.0, 2.0, np.nan])
    np.testing.assert_array_equal(exceedance.hits(actual, limit), [0, 1, np.nan, np.nan])
    draw = np.random.default_rng(0).standard_normal(20_000)
    at = {q: np.nanmean(forecast.pinball(draw, np.full(len(draw), q), level=0.9)) for q in (1.0, 1.28, 1.6)}
    assert min(at, key=at.get) == 1.28  # the true quantile has the lowest loss
    from sklearn.metrics import mean_pinball_loss

    assert at[1.0] == pytest.approx(mean_pinball_loss(draw, np.full(len(draw), 1.0), alpha=0.9))


def test_refusals():
    with pytest.raises(InputError, match="hit must hold only 0, 1 and NaN"):
        exceedance.kupiec([0.0, 2.0], share=0.1)
    with pytest.raises(InputError, match="hit must hold at least one step"):
        exceedance.kupiec([np.nan], share=0.1)
    with pytest.raises(InputError, match="hit must hold two neighbouring steps"):
        exceedance.christoffersen([1.0, np.nan, 0.0], share=0.1)
    with pytest.raises(InputError, match="share must lie between 0 and 1"):
        exceedance.kupiec([0.0, 1.0], share=1.0)
    with pytest.raises(InputError, match="same length"):
        exceedance.hits([1.0], [1.0, 2.0])
