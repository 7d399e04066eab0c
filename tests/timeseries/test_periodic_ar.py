"""Periodic autoregression: statsmodels with one slot, the plain recursion, planted truth, gaps, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.arima_process import arma2ma

from citylib.errors import InputError
from citylib.timeseries import periodic_ar

PHI = np.array([[0.9, 0.05], [0.2, 0.3], [-0.4, 0.1]])


def planted(steps, seed=0):
    rng, x = np.random.default_rng(seed), np.zeros(steps)
    for t in range(2, steps):
        x[t] = PHI[t % 3] @ [x[t - 1], x[t - 2]] + rng.standard_normal()
    return x, np.arange(steps) % 3


def test_with_one_slot_as_statsmodels_has_it():
    x, _ = planted(600)
    none = np.zeros(600, dtype=int)
    ours = periodic_ar.fit(x, none, lags=[1, 2, 24])
    theirs = AutoReg(x, lags=[1, 2, 24], trend="n").fit()
    assert ours.coefficients_SL[0] == pytest.approx(theirs.params, rel=1e-8)
    ahead = ours.forecast(np.r_[x, np.zeros(5)], np.zeros(605, dtype=int), steps=5)[600]
    assert ahead == pytest.approx(theirs.forecast(5), rel=1e-8)
    short = periodic_ar.fit(x, none, lags=[1, 2])
    psi = arma2ma(np.r_[1, -short.coefficients_SL[0]], [1.0], lags=6)
    assert short.weights(0, steps=6)[5] == pytest.approx(psi[::-1])


def test_truth_is_found_and_errors_add_up_as_the_weights_say():
    x, slots = planted(30_000)
    found = periodic_ar.fit(x, slots, lags=[1, 2])
    assert found.coefficients_SL == pytest.approx(PHI, abs=0.04)
    ahead = found.forecast(x, slots, steps=4)
    shock = x - ahead[:, 0]
    for t in (300, 301, 302):
        error = x[t : t + 4] - ahead[t]
        weights = found.weights(t % 3, steps=4)
        assert error == pytest.approx(weights @ shock[t : t + 4], abs=1e-10)


def test_no_forecast_reads_what_comes_after_it_and_gaps_silence_only_what_needs_them():
    x, slots = planted(900)
    found = periodic_ar.fit(x, slots, lags=[1, 2], known=np.arange(900) < 600)
    whole = found.forecast(x, slots, steps=3)
    blind = x.copy()
    blind[700:] = np.nan
    np.testing.assert_array_equal(found.forecast(blind, slots, steps=3)[:701], np.r_[whole[:698], whole[698:701]])
    again = periodic_ar.fit(blind, slots, lags=[1, 2], known=np.arange(900) < 600)
    np.testing.assert_array_equal(again.coefficients_SL, found.coefficients_SL)
    x[500] = np.nan
    silent = np.flatnonzero(np.isnan(found.forecast(x, slots)[2:, 0])) + 2
    assert silent.tolist() == [501, 502]


def test_refusals():
    x, slots = planted(60)
    with pytest.raises(InputError, match="in each slot"):
        periodic_ar.fit(x, np.arange(60), lags=[1])
    with pytest.raises(InputError, match="lags must be at least 1"):
        periodic_ar.fit(x, slots, lags=[0, 1])
    with pytest.raises(InputError, match="lags must be a whole number"):
        periodic_ar.fit(x, slots, lags=[1.5])
    with pytest.raises(InputError, match="lags must be one or more"):
        periodic_ar.fit(x, slots, lags=[80])
    with pytest.raises(InputError, match="tell its lags apart"):
        periodic_ar.fit(np.tile([1.0, -1.0], 30), np.zeros(60, dtype=int), lags=[1, 3])
    with pytest.raises(InputError, match="slots must be whole numbers"):
        periodic_ar.fit(x, slots - 1, lags=[1])
    with pytest.raises(InputError, match="slots must lie below 3"):
        periodic_ar.fit(x, slots, lags=[1]).forecast(x, slots + 1)
