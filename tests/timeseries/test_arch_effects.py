"""Tests of bursts: equal to statsmodels without gaps, of the right size with them."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch

from citylib.errors import InputError
from citylib.timeseries import arch_effects


def bursts(steps, seed, alpha=0.2):
    rng, e, s = np.random.default_rng(seed), np.zeros(steps), 1.0
    for t in range(1, steps):
        s = (1 - alpha - 0.7) + alpha * e[t - 1] ** 2 + 0.7 * s
        e[t] = np.sqrt(s) * rng.standard_normal()
    return e


@pytest.mark.filterwarnings("ignore:acorr_lm:FutureWarning")
@pytest.mark.parametrize("lags", [1, 5, 24])
def test_without_gaps_as_statsmodels_has_them(lags):
    e = bursts(900, 0)
    found = arch_effects.engle(e, lags=lags)
    statistic, p_value = het_arch(e, nlags=lags)[:2]
    assert (found.statistic, found.p_value) == pytest.approx((statistic, p_value), rel=1e-8)
    box = arch_effects.ljung_box(e**2, lags=lags)
    theirs = acorr_ljungbox(e**2, lags=[lags])
    assert box.statistic == pytest.approx(float(theirs["lb_stat"].iloc[0]), rel=1e-8)
    assert box.p_value == pytest.approx(float(theirs["lb_pvalue"].iloc[0]), rel=1e-8)


def test_fitted_parameters_cost_degrees():
    e = bursts(900, 0)
    theirs = acorr_ljungbox(e, lags=[10], model_df=2)
    assert arch_effects.ljung_box(e, lags=10, fitted=2).p_value == pytest.approx(float(theirs["lb_pvalue"].iloc[0]))


def test_with_gaps_calm_shocks_are_found_calm_as_often_as_claimed_and_bursts_are_found():
    rng, found = np.random.default_rng(1), []
    for _ in range(400):
        e = rng.standard_normal(600)
        e[rng.random(600) < 0.15] = np.nan
        found.append([arch_effects.engle(e, lags=4).p_value, arch_effects.ljung_box(e, lags=8).p_value])
    assert ((np.array(found) < 0.05).mean(axis=0) < 0.085).all()
    assert ((np.array(found) < 0.05).mean(axis=0) > 0.02).all()
    e = bursts(2000, 2)
    e[rng.random(2000) < 0.15] = np.nan
    assert arch_effects.engle(e, lags=4).p_value < 1e-4
    assert arch_effects.ljung_box(e**2, lags=8).p_value < 1e-4


def test_refusals():
    with pytest.raises(InputError, match="shocks must have more than 5 steps"):
        arch_effects.engle([1.0, 2.0], lags=5)
    with pytest.raises(InputError, match="shocks must hold 12 runs of 6 steps without a gap"):
        arch_effects.engle(np.where(np.arange(100) % 3, 1.0, np.nan), lags=5)
    with pytest.raises(InputError, match="shocks must vary in size"):
        arch_effects.engle(np.tile([1.0, -1.0], 50), lags=5)
    with pytest.raises(InputError, match="fitted must be at most 9"):
        arch_effects.ljung_box(np.arange(100.0), lags=10, fitted=10)
