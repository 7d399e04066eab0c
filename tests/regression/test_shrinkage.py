"""Empirical Bayes against closed forms, a mixed model and planted truth."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from citylib import seeds
from citylib.errors import InputError
from citylib.regression import many, shrinkage


def planted(sensors=60, columns=3, noise=0.5, seed=0):
    rng = seeds.generator(seed, "shrinkage")
    root = rng.standard_normal((columns, columns)) / 2
    truth = rng.standard_normal((sensors, columns)) @ root.T + np.arange(columns)
    own = rng.standard_normal((sensors, columns, columns)) * noise
    v = own @ own.transpose(0, 2, 1) + 0.05 * noise**2 * np.eye(columns)
    estimates = truth + np.einsum("njk,nk->nj", np.linalg.cholesky(v), rng.standard_normal((sensors, columns)))
    return truth, estimates, v, root @ root.T


def test_one_coefficient_of_equal_precision_is_the_closed_form():
    rng = seeds.generator(0, "closed")
    b = 3.0 + 2.0 * rng.standard_normal((40, 1))
    found = shrinkage.shrink(b, np.full((40, 1, 1), 1.5), tolerance=1e-13, most=20000)
    spread = ((b - b.mean()) ** 2).mean() - 1.5
    assert found.mean[0] == pytest.approx(b.mean())
    assert found.spread[0, 0] == pytest.approx(spread, rel=1e-5)
    keep = spread / (spread + 1.5)
    assert found.coefficients == pytest.approx(b.mean() + keep * (b - b.mean()), rel=1e-5)
    assert found.kept == pytest.approx(np.full(40, keep), rel=1e-5)
    assert found.covariance[0, 0, 0] == pytest.approx(keep * 1.5 + (1 - keep) ** 2 * (spread + 1.5) / 40, rel=1e-5)
    assert found.converged


def test_it_is_a_mixed_model():
    rng = seeds.generator(1, "mixed")
    sensors, rows = 40, 12
    x = np.column_stack([np.ones(rows), np.linspace(-1, 1, rows)])
    beta = np.array([2.0, 1.0]) + rng.standard_normal((sensors, 2)) @ np.array([[0.8, 0.3], [0.0, 0.5]])
    y = x @ beta.T + 0.7 * rng.standard_normal((rows, sensors))
    frame = pd.DataFrame(
        {"y": y.T.ravel(), "x": np.tile(x[:, 1], sensors), "sensor": np.repeat(np.arange(sensors), rows)}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = smf.mixedlm("y ~ x", frame, groups="sensor", re_formula="~x").fit(reml=False, gtol=1e-10)
    ours = many.fit(x, y, errors="classic")
    normal = np.linalg.inv(x.T @ x)
    v = np.broadcast_to(theirs.scale * normal, (sensors, 2, 2))
    given = shrinkage.posterior(ours.coefficients, v, spread=theirs.cov_re.to_numpy())
    effects = np.array([theirs.random_effects[i].to_numpy() for i in range(sensors)])
    assert given.mean == pytest.approx(theirs.fe_params.to_numpy(), rel=1e-6)
    assert given.coefficients - given.mean == pytest.approx(effects, abs=1e-6)
    assert theirs.scale == pytest.approx((ours.sigma**2).mean(), rel=1e-3)  # separable: its scale is that of the fits
    found = shrinkage.shrink(ours.coefficients, v, tolerance=1e-9, most=20000)
    assert found.spread == pytest.approx(theirs.cov_re.to_numpy(), rel=2e-2, abs=2e-3)
    assert found.log_likelihood >= given.log_likelihood - 1e-9


@pytest.mark.parametrize("structure", ["full", "diagonal"])
def test_shrunk_coefficients_are_nearer_to_the_truth_and_their_intervals_hold_it(structure):
    errors, held = [], []
    for seed in range(8):
        truth, estimates, v, _ = planted(seed=seed, noise=1.0)
        found = shrinkage.shrink(estimates, v, structure=structure)
        errors.append([((found.coefficients - truth) ** 2).mean(), ((estimates - truth) ** 2).mean()])
        low, high = found.interval()
        held.append(((low < truth) & (truth < high)).mean())
    ours, separate = np.mean(errors, axis=0)
    assert ours < 0.7 * separate
    assert 0.85 < np.mean(held) < 0.98  # too few: the spread is taken as known


def test_each_turn_climbs_and_the_spread_is_found():
    truths = [planted(sensors=800, seed=s) for s in range(1)]
    for _, estimates, v, spread in truths:
        heights = [shrinkage.shrink(estimates, v, most=k, tolerance=0.0).log_likelihood for k in (1, 3, 10, 40)]
        assert (np.diff(heights) > -1e-8).all()
        found = shrinkage.shrink(estimates, v, tolerance=1e-5)
        assert found.spread == pytest.approx(spread, abs=0.15)


def test_the_ends_no_spread_is_the_city_and_much_is_each_its_own():
    _, estimates, v, _ = planted()
    pooled = shrinkage.posterior(estimates, v, spread=np.zeros((3, 3)))
    assert np.ptp(pooled.coefficients, axis=0).max() == 0
    own = shrinkage.posterior(estimates, v, spread=1e9 * np.eye(3))
    np.testing.assert_allclose(own.coefficients, estimates, rtol=1e-6)
    np.testing.assert_allclose(own.covariance, v, rtol=1e-5, atol=1e-8)


def test_a_sensor_without_an_estimate_gets_the_city():
    _, estimates, v, _ = planted()
    estimates[7], v[7] = np.nan, np.nan
    found = shrinkage.shrink(estimates, v)
    others = shrinkage.shrink(np.delete(estimates, 7, axis=0), np.delete(v, 7, axis=0))
    assert found.coefficients[7] == pytest.approx(others.mean)
    assert found.kept[7] == 0
    assert found.covariance[7] == pytest.approx(others.spread + others.mean_covariance)


def test_units_do_not_matter():
    _, estimates, v, _ = planted()
    size = np.array([1.0, 1000.0, 1e-3])
    one = shrinkage.shrink(estimates, v)
    two = shrinkage.shrink(estimates * size, v * size * size[:, None])
    np.testing.assert_allclose(one.coefficients * size, two.coefficients, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"estimates": np.full((60, 3), np.nan)}, "at least three"),
        ({"covariances": np.ones((60, 2, 2))}, r"shape \(60, 3, 3\)"),
        ({"covariances": np.zeros((60, 3, 3))}, "positive definite"),
        ({"covariances": np.tile(np.array([[1.0, 0.5, 0], [0, 1, 0], [0, 0, 1]]), (60, 1, 1))}, "be symmetric"),
        ({"structure": "banded"}, "structure"),
        ({"tolerance": np.nan}, "tolerance must be finite"),
        ({"tolerance": -1.0}, "tolerance must be at least 0"),
        ({"tolerance": "little"}, "tolerance must be a number"),
        ({"estimates": np.full((60, 3), 1e200)}, "size that can be squared"),
        ({"estimates": np.ones((60, 0)), "covariances": np.ones((60, 0, 0))}, "have a column at least"),
    ],
)
def test_nonsense_is_refused(change, words):
    _, estimates, v, _ = planted()
    given = {"estimates": estimates, "covariances": v} | change
    with pytest.raises(InputError, match=words):
        shrinkage.shrink(given.pop("estimates"), given.pop("covariances"), **given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spread": np.eye(2)}, r"spread must have shape \(3, 3\)"),
        ({"spread": -np.eye(3)}, "spread must have no eigenvalue under zero"),
        ({"spread": np.eye(3) + np.eye(3, k=1)}, "spread must be symmetric"),
        ({"spread": np.full((3, 3), np.nan)}, "spread must have no missing values"),
        ({"estimates": np.full((60, 3), np.nan)}, "estimates must hold a sensor with an estimate"),
        ({"estimates": np.ones((60, 0)), "covariances": np.ones((60, 0, 0))}, "have a column at least"),
        ({"covariances": np.tile(np.eye(3), (59, 1, 1))}, r"covariances must have shape \(60, 3, 3\)"),
        ({"covariances": np.tile(np.eye(3)[:1], (60, 1, 1))}, r"covariances must have shape \(60, 3, 3\)"),
        ({"covariances": np.full((60, 3, 3), np.nan)}, "must have no missing values"),
        ({"covariances": np.zeros((60, 3, 3))}, "be positive definite"),
        ({"covariances": np.tile(-np.eye(3), (60, 1, 1))}, "be positive definite"),
        ({"covariances": np.tile(np.eye(3) + np.eye(3, k=1) / 2, (60, 1, 1))}, "covariances must be symmetric"),
    ],
)
def test_nonsense_is_refused_where_the_spread_is_given(change, words):
    _, estimates, v, _ = planted()
    given = {"estimates": estimates, "covariances": v, "spread": np.eye(3)} | change
    with pytest.raises(InputError, match=words):
        shrinkage.posterior(given.pop("estimates"), given.pop("covariances"), **given)


def test_repeated_readings_pool_what_varies_within_sensors():
    rng = seeds.generator(3, "repeated")
    y = rng.standard_normal((200, 4, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]]) + rng.standard_normal((200, 1, 2))
    y[5, 1:, 0] = np.nan
    y[6] = np.nan
    means, covariances = shrinkage.repeated(y)
    assert covariances[0] == pytest.approx(np.array([[1.0, 0.5], [0.5, 1.25]]) / 4, rel=0.2)
    assert covariances[5] == pytest.approx(4 * covariances[0])
    assert means[5] == pytest.approx(y[5, 0])
    assert np.isnan(means[6]).all()
    assert np.isnan(covariances[6]).all()
    with pytest.raises(InputError, match="repeat at least 3 times"):
        shrinkage.repeated(np.ones((4, 1, 2)))
    with pytest.raises(InputError, match="have a column at least"):
        shrinkage.repeated(np.ones((4, 3, 0)))
