"""Least squares for many sensors: each as when fitted alone, bad sensors told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.regression import linear, many


def city(rows=300, sensors=5, columns=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((sensors, rows, columns))
    x[:, :, 0] = 1.0
    y = np.einsum("ntk,k->tn", x, rng.standard_normal(columns)) + rng.standard_normal((rows, sensors))
    return x, y


@pytest.mark.parametrize("errors", ["classic", "HC3", "HAC"])
def test_each_sensor_is_as_when_fitted_alone(errors):
    x, y = city()
    found = many.fit(x, y, errors=errors, lags=24)
    for i in range(5):
        alone = linear.fit(x[i], y[:, i], errors=errors, lags=24)
        assert found.coefficients[i] == pytest.approx(alone.coefficients, rel=1e-10, abs=1e-12)
        assert found.covariance[i] == pytest.approx(alone.covariance, rel=1e-9, abs=1e-14)
        assert found.sigma[i] == pytest.approx(alone.sigma, rel=1e-12)
        assert found.r_squared[i] == pytest.approx(alone.r_squared, rel=1e-12)


@pytest.mark.parametrize("errors", ["classic", "HC3", "HAC"])
def test_missing_rows_count_as_none_and_keep_their_place(errors):
    x, y = city()
    y[50:90, 2] = np.nan
    x[2, 7, 1] = np.nan
    found = many.fit(x, y, errors=errors, lags=6)
    keep = ~np.isnan(y[:, 2]) & ~np.isnan(x[2]).any(axis=1)
    alone = linear.fit(x[2][keep], y[keep, 2], errors=errors, lags=6, steps=np.flatnonzero(keep))
    assert found.rows[2] == keep.sum()
    assert found.coefficients[2] == pytest.approx(alone.coefficients, rel=1e-10)
    assert found.covariance[2] == pytest.approx(alone.covariance, rel=1e-9, abs=1e-14)


def test_steps_with_gaps_are_paired_by_time():
    x, y = city(rows=120)
    steps = np.sort(np.random.default_rng(1).choice(400, 120, replace=False))
    found = many.fit(x, y, errors="HAC", lags=5, steps=steps)
    alone = linear.fit(x[0], y[:, 0], errors="HAC", lags=5, steps=steps)
    assert found.covariance[0] == pytest.approx(alone.covariance, rel=1e-9, abs=1e-14)


def test_shared_own_and_made_designs_agree_and_blocks_change_nothing():
    x, y = city()
    shared = np.broadcast_to(x[0], x.shape)
    one = many.fit(x[0], y)
    for other in (many.fit(shared, y, block=2), many.fit(lambda i, j: shared[i:j], y, block=3)):
        np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-12)
        np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-10)
    frame = pd.DataFrame(x[0], columns=["intercept", "heat", "rain", "wind"])
    table = many.fit(frame, y).table("heat")
    assert table["estimate"].to_numpy() == pytest.approx(one.coefficients[:, 1])
    assert (table["low"] < table["high"]).all()


def test_nearly_dependent_columns_lose_no_digits():
    x, y = city()
    x[:, :, 3] = x[:, :, 2] + 1e-5 * x[:, :, 3]
    found = many.fit(x, y)
    for i in range(5):
        alone = linear.fit(x[i], y[:, i])
        assert found.coefficients[i] == pytest.approx(alone.coefficients, rel=1e-6)
        assert found.standard_errors[i] == pytest.approx(np.sqrt(np.diag(alone.covariance)), rel=1e-6)


def test_bad_sensors_have_a_status_and_never_fail_the_others():
    x, y = city(sensors=7)
    y[:, 1], y[:, 2] = np.nan, 3.0
    y[4:, 3] = np.nan
    x[4, :, 2] = 2 * x[4, :, 1]
    x[5, :, 3] = 0.0
    x[5, 9, 3] = 1.0
    found = many.fit(x, y, names=["intercept", "heat", "rain", "wind"])
    assert found.status.tolist() == [
        "fitted",
        "all missing",
        "constant",
        "too few rows",
        "collinear",
        "row fits itself",
        "fitted",
    ]
    assert "rain" in found.repeats["4"] or "heat" in found.repeats["4"]
    assert np.isnan(found.coefficients[1:6]).all()
    assert np.isfinite(found.covariance[[0, 6]]).all()
    assert np.isfinite(found.p_values[[0, 6]]).all()


def test_bad_input_is_refused():
    x, y = city()
    with pytest.raises(InputError, match="x must be finite"):
        many.fit(np.where(x == x[0, 0, 1], np.inf, x), y)
    with pytest.raises(InputError, match="x must have shape"):
        many.fit(x[:, :-1], y)
    with pytest.raises(InputError, match="lags"):
        many.fit(x, y, errors="HAC")
    with pytest.raises(InputError, match="linearly independent"):
        many.fit(np.ones((300, 2)), y)
    with pytest.raises(InputError, match="names must be 4"):
        many.fit(x, y, names=["one"])
    with pytest.raises(InputError, match="column must be one of"):
        many.fit(x, y).table("heat")
    with pytest.raises(InputError, match="fewer than the 300 steps"):
        many.fit(x, y, errors="HAC", lags=300)
    for empty in (x[:, :, :0], x[0, :, :0], lambda start, stop: x[start:stop, :, :0]):
        with pytest.raises(InputError, match="x must have a column at least"):
            many.fit(empty, y)
    with pytest.raises(InputError, match="x must give designs"):
        many.fit(lambda start, stop: 1.0, y)
    with pytest.raises(InputError, match="x must be of a size that can be squared"):
        many.fit(1e200 * x[0], y)


def test_a_sensor_in_a_unit_that_cannot_be_squared_is_told_and_harms_no_other():
    x, y = city(sensors=6)
    x[3, :, 2] *= 1e200
    found = many.fit(x, y * [1.0, 1e200, 1e-200, 1.0, 1e130, 1e-130])
    assert found.status.tolist() == ["fitted", *["out of range"] * 3, "fitted", "fitted"]
    assert np.isnan(found.coefficients[1:4]).all()
    np.testing.assert_allclose(found.coefficients[4:] / [[1e130], [1e-130]], many.fit(x, y).coefficients[4:])
    np.testing.assert_allclose(found.sigma[4:] / [1e130, 1e-130], many.fit(x, y).sigma[4:])


def test_steps_counted_in_nanoseconds_cost_no_memory_and_mean_the_same():
    x, y = city()
    y[17:40, 2] = np.nan
    hours = np.cumsum(np.random.default_rng(0).choice([1, 2, 30], size=300))
    seconds, nanoseconds = 3600 * hours, 3_600_000_000_000 * hours  # no grid of the latter fits into memory
    found = many.fit(x, y, errors="HAC", lags=5 * 3600, steps=seconds)
    for i in range(y.shape[1]):
        here = ~np.isnan(y[:, i])
        alone = linear.fit(x[i][here], y[here, i], errors="HAC", lags=5 * 3600, steps=seconds[here])
        np.testing.assert_allclose(found.covariance[i], alone.covariance, rtol=1e-9)
    apart = many.fit(x, y, errors="HAC", lags=5, steps=nanoseconds)
    np.testing.assert_allclose(apart.covariance, many.fit(x, y, errors="HAC", lags=0).covariance, rtol=1e-9)
    gap = np.where(np.arange(300) < 150, np.arange(300), 10**15 + np.arange(300))
    plain = np.where(np.arange(300) < 150, np.arange(300), 1000 + np.arange(300))
    found, same = (many.fit(x, y, errors="HAC", lags=24, steps=s) for s in (gap, plain))
    np.testing.assert_allclose(found.covariance, same.covariance, rtol=1e-9)


def test_columns_almost_alike_cost_the_fit_no_digits():
    (x, *_), y = city(columns=3)
    wide = np.column_stack([x, x[:, 1] + 1e-8 * np.random.default_rng(1).standard_normal(len(x))])
    found, theirs = many.fit(wide, y[:, :1]), many.fit(x, y[:, :1])
    if found.status[0] == "fitted":  # else it was refused by name
        assert found.r_squared[0] == pytest.approx(theirs.r_squared[0], abs=0.05)
        assert found.sigma[0] == pytest.approx(theirs.sigma[0], rel=0.05)


@pytest.mark.parametrize("fit", [many.fit, linear.fit])
def test_steps_that_are_no_whole_numbers_are_refused(fit):
    (x, *_), y = city()
    values = y if fit is many.fit else y[:, 0]
    with pytest.raises(InputError, match="whole numbers"):
        fit(x, values, errors="HAC", lags=2, steps=np.arange(len(x)) * 0.5)
