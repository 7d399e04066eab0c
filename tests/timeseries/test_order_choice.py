"""Order choice: planted orders, one rule of differencing, sensors without a fit."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.timeseries import many, order_choice


def series(kind, steps=500, seed=0):
    e = np.random.default_rng(seed).standard_normal(steps)
    y = e.copy()
    for t in range(1, steps):
        if kind == "ar":
            y[t] += 0.8 * y[t - 1]
        elif kind == "ma":
            y[t] += 0.7 * e[t - 1]
        elif kind == "walk":
            y[t] += y[t - 1]
    return y


def test_planted_orders_are_found():
    y = np.column_stack([series("ar", seed=s) for s in range(6)] + [series("ma", seed=s) for s in range(6)])
    found = order_choice.choose(y, d=0, most=(1, 1))
    orders = [found.candidates[c].order for c in found.chosen]
    assert orders[:6].count((1, 0, 0)) >= 4
    assert orders[6:].count((0, 0, 1)) >= 4


def test_the_criterion_is_that_of_a_fit_alone_and_the_least_is_taken():
    y = np.column_stack([series("ar"), series("ma")])
    found = order_choice.choose(y, d=0, most=(2, 1))
    for c, one in enumerate(found.candidates):
        alone = many.fit(y, order=one.order, starts=2, standard_errors=False)
        np.testing.assert_allclose(found.criterion[:, c], alone.aicc, rtol=1e-9)
    assert (found.chosen == found.criterion.argmin(axis=1)).all()
    table = found.table()
    assert (table["below_simplest"] >= 0).all()


def test_a_larger_space_is_never_worse():
    y = np.column_stack([series("ar", seed=s) for s in range(4)])
    small, large = (order_choice.choose(y, d=1, most=most).table()["aicc"] for most in ((1, 1), (2, 2)))
    assert (large <= small + 1e-6).all()


def test_bad_sensors_get_no_order_and_no_forecast():
    y = np.column_stack([series("ar"), np.full(500, np.nan), series("walk"), np.ones(500)])
    found = order_choice.choose(y, d=0, most=(1, 0))
    assert found.chosen[[1, 3]].tolist() == [-1, -1]
    assert found.status[[1, 3]].tolist() == ["all missing", "constant"]
    centre, lower, upper = found.forecast(y, origins=[400, 450], horizon=3)
    assert np.isfinite(centre[[0, 2]]).all()
    assert (lower[[0, 2]] < upper[[0, 2]]).all()
    assert np.isnan(centre[[1, 3]]).all()


def test_forecasts_are_those_of_the_chosen_fit():
    y = np.column_stack([series("ar"), series("ma")])
    found = order_choice.choose(y, d=0, most=(1, 1))
    centre, _, _ = found.forecast(y, origins=[450], horizon=4)
    for i, c in enumerate(found.chosen):
        alone = many.fit(y, order=found.candidates[c].order, starts=2, standard_errors=False)
        np.testing.assert_allclose(centre[i], alone.forecast(y, origins=[450], horizon=4)[0][i], rtol=1e-9)


def test_one_rule_of_differences_for_all():
    still = np.column_stack([series("ar", seed=s) for s in range(3)])
    walking = np.column_stack([series("walk", seed=s) for s in range(4)])
    assert order_choice.differences(still)[0] == 0
    d, seasonal_d, seen = order_choice.differences(np.column_stack([still, walking]))
    assert (d, seasonal_d) == (1, 0)
    assert (seen["kpss"].iloc[3:] > order_choice.KPSS_95).all()
    wave = still + 4 * np.sin(2 * np.pi * np.arange(500) / 12)[:, None]
    d, seasonal_d, seen = order_choice.differences(wave, season=12)
    assert (d, seasonal_d) == (0, 1)
    assert (seen["strength"] > order_choice.STRONG).all()


def test_seasonal_candidates_are_tried_where_there_is_a_season():
    y = np.tile(np.random.default_rng(0).standard_normal(6), 50)[:, None] + 0.3 * series("ar", 300)[:, None]
    found = order_choice.choose(y, d=0, seasonal_d=1, season=6, most=(1, 0), seasonal_most=(1, 1))
    assert len(found.candidates) == 8
    assert "(0,1," in found.table()["order"].iloc[0] or "(1,1," in found.table()["order"].iloc[0]


def test_bad_input_is_refused():
    y = series("ar")[:, None]
    with pytest.raises(InputError, match="most must be at least 0"):
        order_choice.choose(y, d=0, most=(-1, 0))
    with pytest.raises(InputError, match="1 sensors"):
        order_choice.choose(y, d=0, most=(0, 0)).forecast(np.hstack([y, y]), origins=[400], horizon=1)
    found = order_choice.choose(y, d=1, most=(0, 0))
    for origins in ([np.nan], [400.5], ["400"], [[400]], []):
        with pytest.raises(InputError, match="origins must"):
            found.forecast(y, origins=origins, horizon=1)


def test_readings_that_are_all_missing_have_no_forecast():
    y = np.column_stack([series("walk"), series("walk", seed=1)])
    found = order_choice.choose(y, d=1, most=(0, 1))
    y[:, 1] = np.nan
    centre, lower, upper = found.forecast(y, origins=[400, 450], horizon=3)
    assert np.isnan([centre[1], lower[1], upper[1]]).all()
    assert np.isfinite([centre[0], lower[0], upper[0]]).all()
