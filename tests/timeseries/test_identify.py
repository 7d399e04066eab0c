"""Autocorrelations against statsmodels, with gaps against the plain sum, and against planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.stattools import acf, pacf
from statsmodels.tsa.stattools import kpss as their_kpss

from citylib.errors import InputError
from citylib.timeseries.identify import (
    autocorrelation,
    kpss,
    partial_autocorrelation,
    seasonal_strength,
    white_band,
)


def ar1(length: int, phi: float, seed: int = 0) -> np.ndarray:
    e = np.random.default_rng(seed).standard_normal(length)
    y = np.empty(length)
    y[0] = e[0]
    for t in range(1, length):
        y[t] = phi * y[t - 1] + e[t]
    return y


def test_equals_statsmodels_without_gaps() -> None:
    y = ar1(400, 0.7)
    np.testing.assert_allclose(autocorrelation(y, lags=30), acf(y, nlags=30, fft=False), atol=1e-12)
    np.testing.assert_allclose(partial_autocorrelation(y, lags=30), pacf(y, nlags=30, method="ldb"), atol=1e-10)


def test_equals_the_plain_sum_with_gaps() -> None:
    y = ar1(120, 0.5)
    y[[3, 40, 41, 42, 99]] = np.nan
    centred = y - np.nanmean(y)
    plain = []
    for k in range(11):
        products = centred[k:] * centred[: len(y) - k]
        plain.append(np.nanmean(products) * (len(y) - k))
    np.testing.assert_allclose(autocorrelation(y, lags=10), np.array(plain) / plain[0], atol=1e-12)


def test_gaps_at_random_do_not_bend_it() -> None:
    y = ar1(20_000, 0.8, seed=3)
    y[np.random.default_rng(1).random(len(y)) < 0.3] = np.nan
    np.testing.assert_allclose(autocorrelation(y, lags=5), 0.8 ** np.arange(6), atol=0.04)
    partial = partial_autocorrelation(y, lags=5)
    assert partial[1] == pytest.approx(0.8, abs=0.03)
    assert np.abs(partial[2:]).max() < 0.05


def test_a_band_holds_white_noise() -> None:
    noise = np.random.default_rng(2).standard_normal(5000)
    inside = np.abs(autocorrelation(noise, lags=200)[1:]) < white_band(5000)
    assert 0.9 < inside.mean() < 0.99  # 200 lags: 0.95 +- 3 standard errors


def test_partial_stops_where_gaps_leave_no_series() -> None:
    partial = partial_autocorrelation([1.0, 2.0, np.nan, 0.0, np.nan, np.nan, 2.0, 0.0], lags=4)
    assert np.isnan(partial).tolist() == [False, False, False, True, True]


def test_refusals() -> None:
    with pytest.raises(InputError, match="y must vary, got '3 readings, all equal'"):
        autocorrelation([2.0, 2.0, 2.0], lags=1)
    with pytest.raises(InputError, match="y must vary, got 'no readings'"):
        autocorrelation([np.nan, np.nan], lags=1)
    with pytest.raises(InputError, match="hold a pair of readings at each lag, got 'none at lag 1'"):
        autocorrelation([1.0, np.nan, 2.0, np.nan, 5.0], lags=2)
    with pytest.raises(InputError, match="lags must be at most 2"):
        autocorrelation([1.0, 2.0, 3.0], lags=3)


@pytest.mark.filterwarnings("ignore:The test statistic is outside", "ignore:kpss currently returns")
@pytest.mark.parametrize("lags", [0, 5, 17])
def test_kpss_is_statsmodels(lags: int) -> None:
    for y in (ar1(300, 0.6), ar1(300, 1.0)):
        assert kpss(y, lags=lags) == pytest.approx(their_kpss(y, nlags=lags)[0], rel=1e-10)


def test_kpss_tells_a_walk_from_a_level_and_has_nothing_to_say_of_a_constant() -> None:
    assert np.mean([kpss(ar1(400, 1.0, s)) > 0.463 for s in range(20)]) > 0.8
    assert np.mean([kpss(ar1(400, 0.2, s)) > 0.463 for s in range(40)]) < 0.25
    assert np.isnan(kpss(np.ones(100)))
    assert np.isnan(kpss(np.r_[np.full(95, np.nan), np.arange(5.0)]))


def test_strength_of_a_season() -> None:
    wave = np.tile([0.0, 3.0, 1.0, 5.0], 50)
    noise = ar1(200, 0.0)
    assert seasonal_strength(wave + np.arange(200) / 10, season=4) == pytest.approx(1.0)
    assert seasonal_strength(noise, season=4) < 0.2
    mixed = wave + noise
    mixed[[5, 6, 7, 50]] = np.nan
    assert 0.5 < seasonal_strength(mixed, season=4) < 0.95
    assert seasonal_strength(mixed, season=7) < 0.3
    assert np.isnan(seasonal_strength(np.ones(100), season=4))
    assert np.isnan(seasonal_strength(noise[:7], season=4))
