"""Count regressions of many series: each as statsmodels' when fitted alone, and no answer where there is none."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.discrete.diagnostic import PoissonDiagnostic

from citylib import seeds
from citylib.errors import InputError
from citylib.regression import counts, dispersion
from citylib.regression.separation import separated


def city(rows=160, series=4, alpha=0.4, seed=0):
    rng = seeds.generator(seed, "counts")
    x = np.column_stack([np.ones(rows), rng.standard_normal((rows, 2)), np.arange(rows) % 4 == 0])
    exposure = rng.uniform(0.5, 6.0, (rows, series))
    mean = exposure * np.exp(x @ np.array([0.5, 0.4, -0.3, 0.2]))[:, None]
    rate = rng.gamma(1 / alpha, alpha, mean.shape) if alpha else 1.0
    return x, rng.poisson(mean * rate).astype(float), exposure


@pytest.mark.parametrize("errors", ["model", "robust", "cluster"])
def test_poisson_is_statsmodels_glm(errors):
    x, y, exposure = city()
    y[3:9, 1] = np.nan
    groups = np.arange(len(y)) // 8
    found = counts.fit(x, y, exposure=exposure, errors=errors, groups=groups)
    options = {"model": {}, "robust": {"cov_type": "HC0"}, "cluster": {"cov_type": "cluster"}}[errors]
    for i in range(4):
        keep = ~np.isnan(y[:, i])
        if errors == "cluster":
            options = {"cov_type": "cluster", "cov_kwds": {"groups": groups[keep]}}
        model = sm.GLM(y[keep, i], x[keep], family=sm.families.Poisson(), exposure=exposure[keep, i])
        alone = model.fit(tol=1e-14, maxiter=100, **options)
        assert found.coefficients[i] == pytest.approx(alone.params, rel=1e-9)
        factor = keep.sum() / (keep.sum() - 4) if errors == "robust" else 1.0  # statsmodels' GLM takes HC1 for HC0
        assert found.covariance[i] == pytest.approx(factor * alone.cov_params(), rel=1e-6)
        assert found.log_likelihood[i] == pytest.approx(alone.llf, rel=1e-12)
        assert found.predict(x, exposure=exposure)[keep, i] == pytest.approx(alone.mu, rel=1e-9)


def test_negative_binomial_is_statsmodels():
    x, y, exposure = city()
    found = counts.fit(x, y, exposure=exposure, law="negative binomial")
    for i in range(4):
        model = sm.NegativeBinomial(y[:, i], x, exposure=exposure[:, i])
        start = np.r_[found.coefficients[i], found.dispersion[i]] + 0.01
        alone = model.fit(start, disp=0, method="newton", tol=1e-12)
        assert found.coefficients[i] == pytest.approx(alone.params[:-1], abs=1e-6)
        assert found.dispersion[i] == pytest.approx(alone.params[-1], rel=1e-5)
        assert found.log_likelihood[i] == pytest.approx(alone.llf, rel=1e-10)
        assert found.dispersion_error[i] == pytest.approx(alone.bse[-1], rel=0.05)  # ours leaves out the coefficients
        given = sm.GLM(
            y[:, i], x, family=sm.families.NegativeBinomial(alpha=found.dispersion[i]), exposure=exposure[:, i]
        ).fit()
        assert found.standard_errors[i] == pytest.approx(given.bse, rel=1e-6)


def test_a_robust_negative_binomial_is_its_sandwich_by_hand():
    x, y, exposure = city()
    found = counts.fit(x, y, exposure=exposure, law="negative binomial", errors="robust")
    mu = found.predict(x, exposure=exposure)[:, 0]
    weight = 1 / (1 + found.dispersion[0] * mu)
    bread = np.linalg.inv(sum(w * m * np.outer(row, row) for w, m, row in zip(weight, mu, x, strict=True)))
    filling = sum((w * (c - m)) ** 2 * np.outer(r, r) for w, c, m, r in zip(weight, y[:, 0], mu, x, strict=True))
    np.testing.assert_allclose(found.covariance[0], 160 / 156 * bread @ filling @ bread, rtol=1e-9)


def test_where_counts_vary_less_than_poissons_the_dispersion_is_zero_and_the_fit_poissons():
    x, _, exposure = city()
    mean = exposure * np.exp(x @ np.array([1.5, 0.1, 0.1, 0.0]))[:, None]
    even = np.round(mean)
    wide = counts.fit(x, even, exposure=exposure, law="negative binomial")
    plain = counts.fit(x, even, exposure=exposure)
    assert wide.dispersion.tolist() == [0.0] * 4
    assert np.isnan(wide.dispersion_error).all()
    np.testing.assert_allclose(wide.coefficients, plain.coefficients, rtol=1e-12)


def test_nearly_poisson_counts_all_find_a_top():
    x, _, exposure = city(rows=120, series=1)
    rng = seeds.generator(1, "near")
    y = rng.poisson(3.0, (120, 300)).astype(float)
    found = counts.fit(x[:, :2], y, law="negative binomial")
    assert (found.status == "fitted").all()
    assert 0.3 < (found.dispersion > 0).mean() < 0.6
    plain = counts.fit(x[:, :2], y)
    assert (found.log_likelihood >= plain.log_likelihood - 1e-8).all()
    assert exposure.shape == (120, 1)


def test_bad_series_have_a_status_and_never_fail_the_others():
    x, y, exposure = city(series=6)
    y[:, 1], y[:, 2] = np.nan, 0.0
    y[4:, 3] = np.nan
    y[:, 4] = np.where(x[:, 3] == 1, 0.0, y[:, 4])
    found = counts.fit(x, y, exposure=exposure, names=["intercept", "heat", "rain", "sunday"])
    assert found.status.tolist() == ["fitted", "all missing", "all zero", "too few rows", "separated", "fitted"]
    assert found.told == {"4": "sunday"}
    alone = counts.fit(x, y[:, [5]], exposure=exposure[:, [5]])
    assert found.coefficients[5] == pytest.approx(alone.coefficients[0], rel=1e-12)
    assert np.isnan(found.coefficients[1:5]).all()
    table = found.rate_ratios("rain")
    assert table["ratio"].notna().tolist() == [True, False, False, False, False, True]
    assert (table["low"] < table["high"]).sum() == 2


def test_a_series_read_in_one_group_alone_has_no_clustered_errors():
    x, y, exposure = city()
    groups = np.arange(160) // 40
    y[groups != 2, 1] = np.nan
    y[groups > 1, 2] = np.nan
    found = counts.fit(x, y, exposure=exposure, errors="cluster", groups=groups)
    assert found.status.tolist() == ["fitted", "one group", "fitted", "fitted"]
    assert np.isnan(found.coefficients[1]).all()
    assert np.isfinite(found.standard_errors[[0, 2, 3]]).all()
    assert (counts.fit(x, y, exposure=exposure, errors="robust").status == "fitted").all()


def test_collinear_columns_are_named_series_by_series():
    x, y, _ = city(series=3)
    own = np.repeat(x[None], 3, axis=0)
    own[1, :, 3] = 2 * own[1, :, 1]
    found = counts.fit(own, y, names=["intercept", "heat", "rain", "copy"])
    assert found.status.tolist() == ["fitted", "collinear", "fitted"]
    assert found.told == {"1": "copy = 2 heat"}


def test_separation_by_several_columns_together_is_found_and_none_is_imagined():
    x = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 1], [1, 2, 1], [1, 0, 2]], dtype=float)
    assert separated(x, [1, 2, 0, 0, 0, 0], ["a", "b", "c"]) == ("c",)
    assert separated(x, [1, 2, 0, 1, 0, 0], ["a", "b", "c"]) == ()
    # a direction that rises on some zero rows and falls on others separates nothing
    assert separated([[1, 0], [1, 0], [1, 1], [1, -1]], [1, 1, 0, 0], ["a", "b"]) == ()


def test_blocks_change_nothing_and_rate_ratios_scale():
    x, y, exposure = city(series=5)
    one, two = (counts.fit(x, y, exposure=exposure, law="negative binomial", block=b) for b in (64, 2))
    np.testing.assert_allclose(one.coefficients, two.coefficients, rtol=1e-9)
    table = one.rate_ratios("x1", per=10.0)
    assert table["ratio"].to_numpy() == pytest.approx(np.exp(10 * one.coefficients[:, 1]))


def test_exposure_in_other_units_only_moves_the_intercept():
    x, y, exposure = city()
    one, two = (counts.fit(x, y, exposure=s * exposure) for s in (1.0, 100.0))
    np.testing.assert_allclose(one.coefficients[:, 1:], two.coefficients[:, 1:], rtol=1e-8)
    np.testing.assert_allclose(one.coefficients[:, 0] - two.coefficients[:, 0], np.log(100), rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": -np.ones((160, 4))}, "whole numbers from 0"),
        ({"counts": np.full((160, 4), 0.5)}, "whole numbers from 0"),
        ({"exposure": np.zeros((160, 4))}, "exposure must be above zero"),
        ({"exposure": np.ones(160)}, r"exposure must be one number, or have shape \(160, 4\)"),
        ({"law": "binomial"}, "law"),
        ({"errors": "cluster"}, "groups"),
        ({"errors": "cluster", "groups": np.zeros(160)}, "at least two"),
        ({"errors": "cluster", "groups": np.zeros((160, 2))}, "groups must have 1 dimension"),
        ({"x": np.ones((160, 0))}, "x must have a column at least"),
        ({"counts": np.full((160, 4), 1e200)}, r"counts must be at most 2\*\*53"),
        ({"x": np.ones((10, 2))}, r"x must have shape \(160, K\)"),
        ({"names": ["a"]}, "names must be 4"),
    ],
)
def test_bad_input_is_refused(change, words):
    x, y, exposure = city()
    given = {"x": x, "counts": y, "exposure": exposure} | change
    with pytest.raises(InputError, match=words):
        counts.fit(given.pop("x"), given.pop("counts"), **given)


def test_prediction_checks_its_columns():
    x, y, _ = city()
    frame = pd.DataFrame(x, columns=["intercept", "heat", "rain", "sunday"])
    found = counts.fit(frame, y)
    with pytest.raises(InputError, match="columns of the fit"):
        found.predict(frame.rename(columns={"heat": "cold"}))
    own = found.predict(np.repeat(x[None], 4, axis=0))
    np.testing.assert_allclose(own, found.predict(frame))


def test_over_dispersion_is_statsmodels_test():
    x, y, _ = city(series=2, alpha=0.2)
    found = counts.fit(x, y)
    ours = dispersion.over_dispersion(y, found.predict(x), columns=4)
    for i in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            alone = sm.Poisson(y[:, i], x).fit(disp=0, method="newton", tol=1e-12)
            theirs = PoissonDiagnostic(alone).test_dispersion().summary_frame()
        got = {row["method"]: row["statistic"] for _, row in theirs.iterrows()}
        assert ours["lm_z"][i] == pytest.approx(got["Dean B"], rel=1e-6)
        assert ours["nb2_z"][i] == pytest.approx(got["CT nb2"], rel=1e-6)
        # its row "CT nb1" repeats NB2 (0.15): the regression on a constant by hand
        mu = alone.predict()
        by_hand = sm.OLS(((y[:, i] - mu) ** 2 - y[:, i]) / mu, np.ones(len(mu))).fit()
        assert ours["nb1_z"][i] == pytest.approx(by_hand.tvalues[0], rel=1e-6)
        assert ours["nb1"][i] == pytest.approx(by_hand.params[0], rel=1e-6)
        glm = sm.GLM(y[:, i], x, family=sm.families.Poisson()).fit()
        assert ours["pearson"][i] == pytest.approx(glm.pearson_chi2 / 156)


def test_over_dispersion_keeps_its_level_and_finds_what_is_planted():
    rng = seeds.generator(0, "worlds")
    x = np.column_stack([np.ones(200), rng.standard_normal(200)])
    mean = np.exp(1.0 + 0.3 * x[:, 1])[:, None]
    calm = rng.poisson(mean, (200, 1000)).astype(float)
    wild = rng.poisson(mean * rng.gamma(2.0, 0.5, (200, 1000))).astype(float)
    for y, low, high in ((calm, 0.02, 0.075), (wild, 0.95, 1.0)):
        found = dispersion.over_dispersion(y, counts.fit(x, y).predict(x), columns=2)
        for name in ("nb1_p", "nb2_p", "lm_p"):
            assert low <= (found[name] < 0.05).mean() <= high


def test_over_dispersion_leaves_out_series_without_a_fit_and_refuses_nonsense():
    y = np.ones((5, 2))
    mean = np.column_stack([np.ones(5), np.full(5, np.nan)])
    assert dispersion.over_dispersion(y, mean, columns=1)["pearson"].isna().tolist() == [False, True]
    with pytest.raises(InputError, match="above zero"):
        dispersion.over_dispersion(y, np.zeros((5, 2)), columns=1)
    with pytest.raises(InputError, match="same shape"):
        dispersion.over_dispersion(y, np.ones(5), columns=1)
