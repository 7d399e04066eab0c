"""Scores of count distributions against sums over all counts, and laws that proper scores obey."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from citylib import seeds
from citylib.errors import InputError
from citylib.evaluate import counts


@pytest.mark.parametrize("mean", [1e-6, 0.05, 0.7, 3.0, 40.0, 5000.0])
@pytest.mark.parametrize("dispersion", [0.0, 1e-4, 0.05, 0.5, 3.0])
def test_the_ranked_probability_score_is_its_sum(mean, dispersion):
    size = 1 / dispersion if dispersion else None
    law = stats.nbinom(size, size / (size + mean)) if size else stats.poisson(mean)
    came = int(1.3 * mean) + 1
    last = max(int(law.ppf(1 - 1e-14)), came) + 50
    k = np.arange(last)
    by_sum = ((law.cdf(k) - (k >= came)) ** 2).sum()
    found = counts.ranked_probability_score(came, mean, dispersion=dispersion)
    assert float(found) == pytest.approx(by_sum, rel=1e-7)
    assert float(counts.log_score(came, mean, dispersion=dispersion)) == pytest.approx(-law.logpmf(came), rel=1e-7)


def test_the_true_law_scores_best():
    rng = seeds.generator(0, "scores")
    y = rng.poisson(4.0 * rng.gamma(2.0, 0.5, 20000))
    for score in (counts.log_score, counts.ranked_probability_score):
        true = score(y, 4.0, dispersion=0.5).mean()
        for mean, dispersion in ((4.0, 0.0), (5.0, 0.5), (3.2, 0.5), (4.0, 2.0)):
            assert score(y, mean, dispersion=dispersion).mean() > true


def test_the_transform_is_even_for_the_true_law_and_hollow_for_one_too_narrow():
    rng = seeds.generator(0, "pit")
    y = rng.poisson(4.0 * rng.gamma(2.0, 0.5, 20000))
    true = counts.pit_histogram(y, 4.0, dispersion=0.5)
    narrow = counts.pit_histogram(y, 4.0)
    assert true.sum() == pytest.approx(1)
    assert np.abs(true - 0.1).max() < 0.01
    assert narrow[0] > 0.15
    assert narrow[9] > 0.15
    with pytest.raises(InputError, match="at least one count"):
        counts.pit_histogram([np.nan], 1.0)


def test_quantile_residuals_are_standard_normal():
    rng = seeds.generator(0, "residuals")
    mean = rng.uniform(0.2, 5.0, 20000)
    y = rng.poisson(mean)
    found = counts.quantile_residuals(y, mean, generator=rng)
    assert stats.kstest(found, "norm").pvalue > 0.01
    assert np.isnan(counts.quantile_residuals([np.nan], 1.0, generator=rng)).all()


def test_a_rootogram_adds_up_and_its_spread_is_that_of_simulated_counts():
    rng = seeds.generator(0, "rootogram")
    mean = rng.uniform(0.5, 3.0, 300)
    found = counts.rootogram(rng.poisson(mean), mean, most=6)
    assert found["read"].sum() == 300
    assert found["expected"].sum() == pytest.approx(300)
    zeros = (rng.poisson(mean, (4000, 300)) == 0).sum(axis=1)
    assert found["expected"].iloc[0] == pytest.approx(zeros.mean(), rel=0.02)
    assert found["sd"].iloc[0] == pytest.approx(zeros.std(), rel=0.05)


def test_quantile_and_cdf_agree_and_missing_stays_missing():
    mean = np.array([0.3, 4.0, np.nan])
    q = counts.quantile(0.9, mean, dispersion=0.4)
    assert np.isnan(q[2])
    assert (counts.cdf(q[:2], mean[:2], dispersion=0.4) >= 0.9).all()
    assert (counts.cdf(np.maximum(q[:2] - 1, 0), mean[:2], dispersion=0.4)[q[:2] > 0] < 0.9).all()
    assert np.isnan(counts.log_score([np.nan], [2.0])).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((0.5, 1.0, 0.0), "whole numbers"),
        ((-1.0, 1.0, 0.0), "whole numbers"),
        ((1.0, 0.0, 0.0), "mean must be above zero"),
        ((1.0, 1.0, -0.1), "dispersion must be 0 or more"),
        ((1.0, np.nan, 0.0), "wherever a count is read"),
        (([1.0, 2.0], [1.0, 1.0, 1.0], 0.0), "shapes that fit"),
    ],
)
def test_nonsense_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        counts.log_score(given[0], given[1], dispersion=given[2])
