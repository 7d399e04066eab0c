"""Influence of groups against fits without them, and against statsmodels where each group is a row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from citylib.errors import InputError
from citylib.regression import influence, linear


def sample(rows: int = 120) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    x = pd.DataFrame({"intercept": 1.0, "heat": generator.normal(size=rows), "rain": generator.gamma(0.5, size=rows)})
    groups = np.repeat(np.arange(rows // 12), 12)
    shock = generator.normal(size=rows // 12)[groups]
    return x, x.sum(axis=1).to_numpy() + shock + generator.normal(size=rows), groups


def test_change_is_that_of_a_fit_without_the_group() -> None:
    x, y, groups = sample()
    found = influence.by_group(x, y, groups)
    whole = linear.fit(x, y, errors="classic")
    assert found.groups == tuple(map(str, range(10)))
    assert found.rows.tolist() == [12] * 10
    for g in range(10):
        rest = groups != g
        change = whole.coefficients - linear.fit(x[rest], y[rest], errors="classic").coefficients
        np.testing.assert_allclose(found.change[g], change, rtol=1e-9)
        distance = change @ (x.T @ x).to_numpy() @ change / 3 / whole.sigma**2
        assert found.distance[g] == pytest.approx(distance)
        assert found.residual[g] == pytest.approx(whole.residuals[~rest].mean())
    shuffled = np.random.default_rng(1).permutation(len(y))
    again = influence.by_group(x.iloc[shuffled], y[shuffled], groups[shuffled])
    order = [again.groups.index(name) for name in found.groups]
    np.testing.assert_allclose(again.change[order], found.change, rtol=1e-8)


def test_groups_larger_than_the_design() -> None:
    x, y, _ = sample()
    halves = np.arange(len(y)) < 70
    found = influence.by_group(x, y, halves)
    whole, second = (linear.fit(x[keep], y[keep], errors="classic") for keep in (halves | True, ~halves))
    np.testing.assert_allclose(found.change[0], whole.coefficients - second.coefficients, rtol=1e-9)


def test_single_rows_are_as_in_statsmodels_and_make_hc3() -> None:
    x, y, _ = sample(36)
    found = influence.by_group(x, y, np.arange(36))
    peer = sm.OLS(y, x).fit()
    np.testing.assert_allclose(found.distance, peer.get_influence().cooks_distance[0], rtol=1e-9)
    np.testing.assert_allclose(found.change.T @ found.change, peer.get_robustcov_results("HC3").cov_params(), rtol=1e-9)


def test_clusters_that_err_together_have_wider_errors_than_their_rows() -> None:
    x, y, groups = sample(1200)
    change = influence.by_group(x, y, groups).change
    jackknife = change.T @ change
    rows = linear.fit(x, y, errors="HC3").covariance
    clustered = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": groups}).cov_params().to_numpy()
    assert jackknife[0, 0] > 2 * rows[0, 0]
    np.testing.assert_allclose(np.diag(jackknife), np.diag(clustered), rtol=0.1)


def test_a_group_that_alone_fills_a_column_is_marked() -> None:
    x, y, groups = sample()
    x["fair"] = (groups == 3).astype(float)
    found = influence.by_group(x, y, groups)
    assert np.isnan(found.distance).nonzero()[0].tolist() == [3]
    assert np.isnan(found.change[3]).all()
    assert np.isfinite(np.delete(found.change, 3, axis=0)).all()


def test_refusals() -> None:
    x, y, groups = sample()
    for arguments, message in (
        ((x, y, groups[:-1]), "same length"),
        ((x, y, np.zeros(len(y))), "be at least two"),
        ((x.assign(copy=x["heat"]), y, groups), "copy = heat"),
        ((x[:3], y[:3], groups[:3]), "more rows than its 3 columns"),
        ((x, np.where(groups == 1, np.nan, y), groups), "y must have no missing values"),
    ):
        with pytest.raises(InputError, match=message):
            influence.by_group(*arguments)
