"""Diagnosis against statsmodels where it has one, and against laws where it has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor
from statsmodels.stats.stattools import durbin_watson
from statsmodels.tsa.stattools import acf

from citylib.errors import InputError
from citylib.regression import design, diagnostics, linear

NAN = float("nan")


def test_inflation_of_single_columns_is_the_usual_one() -> None:
    generator = np.random.default_rng(0)
    a = generator.normal(size=300)
    x = pd.DataFrame({"intercept": 1.0, "a": a, "b": a + generator.normal(size=300), "c": generator.normal(size=300)})
    found = diagnostics.variance_inflation(x, {n: [n] for n in "abc"})
    expected = [variance_inflation_factor(x.to_numpy(), k) for k in (1, 2, 3)]
    np.testing.assert_allclose(found["gvif"], expected, rtol=1e-10)
    np.testing.assert_allclose(found["inflation"], np.sqrt(expected), rtol=1e-10)


def test_inflation_of_a_category_does_not_depend_on_its_reference() -> None:
    generator = np.random.default_rng(1)
    temperature = generator.normal(size=400)
    sky = np.where(temperature > 0.3, "Clear", np.where(generator.random(400) < 0.5, "Rain", "Fog"))
    frame = pd.DataFrame({"temperature": temperature, "sky": sky})
    found = []
    for level in ("Clear", "Rain", "Fog"):
        recipe = design.Design(numeric=["temperature"], categorical=["sky"], reference={"sky": level}).fit(frame)
        found.append(diagnostics.variance_inflation(recipe.transform(frame), recipe.terms_)["gvif"].to_numpy())
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-9)
    assert found[0][0] == pytest.approx(found[0][1])  # two terms inflate each other equally


def test_one_term_alone_is_not_inflated() -> None:
    x = pd.DataFrame({"a": [1.0, 2, 4], "b": [1.0, 0, 1]})
    assert diagnostics.variance_inflation(x, {"both": ["a", "b"]})["gvif"].iloc[0] == pytest.approx(1)


def test_durbin_watson() -> None:
    series = np.random.default_rng(2).normal(size=500)
    assert diagnostics.durbin_watson(series) == pytest.approx(durbin_watson(series) * 500 / 499)
    assert diagnostics.durbin_watson(np.ones(10)) == 0
    holed = np.insert(np.tile([1.0, -1.0], 50), 30, NAN)
    assert diagnostics.durbin_watson(holed) == pytest.approx(4)


def test_autocorrelation_counts_only_pairs_that_exist() -> None:
    generator = np.random.default_rng(3)
    series = sm.tsa.arma_generate_sample([1, -0.7], [1], 4000, distrvs=generator.standard_normal)
    full = diagnostics.autocorrelation(series, lags=5)
    np.testing.assert_allclose(full, acf(series, nlags=5, adjusted=True), rtol=1e-9)
    series[1000:2200] = NAN
    np.testing.assert_allclose(diagnostics.autocorrelation(series, lags=5), 0.7 ** np.arange(6), atol=0.07)
    lonely = diagnostics.autocorrelation([1.0, NAN, 2.0, NAN, 0.5], lags=2)
    assert np.isnan(lonely[1])
    assert lonely[0] == pytest.approx(1)


def test_errors_by_lag_are_those_of_the_whole_covariance_and_of_statsmodels() -> None:
    generator = np.random.default_rng(4)
    x = pd.DataFrame(generator.normal(size=(300, 3)), columns=["a", "b", "c"]).assign(intercept=1.0)
    y = x.sum(axis=1).to_numpy() + np.convolve(generator.normal(size=309), np.ones(10), "valid")
    steps = np.delete(np.arange(360), np.r_[50:70, 200:240])
    lags = [0, 1, 12, 100, 359]
    found = diagnostics.errors_by_lag(x, linear.fit(x, y).residuals, lags=lags, columns=["intercept", "b"], steps=steps)
    assert found.index.tolist() == lags
    for lag in lags:
        whole = linear.fit(x, y, errors="HAC", lags=lag, steps=steps).table()["standard_error"]
        np.testing.assert_allclose(found.loc[lag], whole[["intercept", "b"]], rtol=1e-9)
    seconds = 3600 * steps  # of which no grid is made
    few = diagnostics.errors_by_lag(x, linear.fit(x, y).residuals, lags=[0, 7200, 36000], steps=seconds)
    for lag in (0, 7200, 36000):
        whole = linear.fit(x, y, errors="HAC", lags=lag, steps=seconds).table()["standard_error"]
        np.testing.assert_allclose(few.loc[lag], whole, rtol=1e-9)
    by_row = diagnostics.errors_by_lag(x, linear.fit(x, y).residuals, lags=[7])
    peer = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": 7})
    np.testing.assert_allclose(by_row.loc[7], peer.bse, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: diagnostics.errors_by_lag(pd.DataFrame({"a": [1.0, 1]}), [1.0, -1], lags=[-1]),
            "lags must be at least 0",
        ),
        (
            lambda: diagnostics.errors_by_lag(pd.DataFrame({"a": [1.0, 1]}), [1.0, -1], lags=[1], columns=["b"]),
            "columns must be one of: a",
        ),
        (
            lambda: diagnostics.errors_by_lag(pd.DataFrame({"a": [1.0, 1]}), [1.0], lags=[1]),
            "same length",
        ),
        (lambda: diagnostics.durbin_watson([1.0, NAN, 2.0]), "two neighbours"),
        (lambda: diagnostics.durbin_watson([0.0, 0.0]), "differ from zero"),
        (lambda: diagnostics.autocorrelation([1.0, 1.0], lags=1), "two different readings"),
        (lambda: diagnostics.autocorrelation([NAN, NAN], lags=1), "two different readings"),
        (lambda: diagnostics.autocorrelation([1.0, 2.0], lags=2), "lags must be at most 1"),
        (lambda: diagnostics.variance_inflation(pd.DataFrame({"a": [1.0, 2]}), {"a": ["b"]}), "terms"),
        (lambda: diagnostics.variance_inflation(pd.DataFrame({"a": [1.0, 1]}), {"a": ["a"]}), "no constant column"),
        (
            lambda: diagnostics.variance_inflation(
                pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 4, 6]}), {"a": ["a"], "b": ["b"]}
            ),
            "independent columns",
        ),
    ],
)
def test_refusals(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call()
