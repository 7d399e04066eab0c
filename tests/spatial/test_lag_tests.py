"""Multipliers: slopes of the likelihood, dense algebra, and how often they cry wolf."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from citylib.errors import InputError
from citylib.spatial.lag_tests import multipliers
from tests.spatial.test_lag_models import dense_height, grid, places


def test_numerators_are_slopes_of_the_likelihood_at_zero():
    x, y, w = places(seed=4)
    n, k = x.shape
    found = multipliers(x, y, w)
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    s2 = residual @ residual / n
    dense = w.toarray()
    whole = np.trace(dense.T @ dense + dense @ dense)
    annihilator = np.eye(n) - x @ np.linalg.pinv(x)
    moved = annihilator @ dense @ (y - residual)
    for kind, known in (("lag", moved @ moved / s2 + whole), ("error", whole)):
        slope = (dense_height(x, y, w, 1e-5, kind) - dense_height(x, y, w, -1e-5, kind)) / 2e-5
        assert found.loc[kind, "statistic"] == pytest.approx(slope**2 / known, rel=1e-5)
    # Moran's moments by traces of dense matrices
    mw = annihilator @ dense
    mean = n / dense.sum() * np.trace(mw) / (n - k)
    square = np.trace(mw @ annihilator @ dense.T) + np.trace(mw @ mw) + np.trace(mw) ** 2
    variance = (n / dense.sum()) ** 2 * square / ((n - k) * (n - k + 2)) - mean**2
    value = n / dense.sum() * (residual @ dense @ residual) / (residual @ residual)
    assert found.loc["Moran", "statistic"] == pytest.approx((value - mean) / variance**0.5, rel=1e-9)


def test_both_is_either_with_the_other_made_robust():
    found = multipliers(*places(seed=5))["statistic"]
    assert found["both"] == pytest.approx(found["lag"] + found["robust error"], rel=1e-9)
    assert found["both"] == pytest.approx(found["error"] + found["robust lag"], rel=1e-9)


def test_without_space_one_in_twenty_is_below_five_percent():
    p = np.array([multipliers(*places(side=9, seed=s, rho=0.0))["p_value"] for s in range(200)])
    for column in p.T:
        assert 1 <= (column < 0.05).sum() <= 22  # 10 expected, standard deviation 3.1
        assert stats.kstest(column, "uniform").pvalue > 1e-4


def test_the_robust_one_tells_which():
    lag = [multipliers(*places(seed=s, rho=0.5))["p_value"] for s in range(20)]
    error = [multipliers(*places(seed=s, rho=0.0, lam=0.6))["p_value"] for s in range(20)]
    assert sum(p["robust lag"] < p["robust error"] for p in lag) >= 18
    assert sum(p["robust error"] < p["robust lag"] for p in error) >= 18


def test_refusals():
    x, y, w = places()
    with pytest.raises(InputError, match="y must not be explained by the columns"):
        multipliers(x, x @ [1.0, 2.0, 3.0], w)
    with pytest.raises(InputError, match="x must leave the spatial lag of its fit unexplained"):
        multipliers(x[:, :1], y, w)
    with pytest.raises(InputError, match="w must be of order 144"):
        multipliers(x, y, grid(5))
    with pytest.raises(InputError, match="y must be finite"):
        multipliers(x, np.where(np.arange(144) == 1, np.inf, y), w)
