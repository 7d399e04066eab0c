"""Exponential smoothing and Theta: equal to the plain form, to statsmodels, and blind to what comes later."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.seasonal import seasonal_decompose

from citylib.errors import InputError
from citylib.evaluate.backtest import leak
from citylib.timeseries.decompose import classical_season
from citylib.timeseries.smoothing import ExponentialSmoothing, Smoothing, smoothed
from citylib.timeseries.theta import Theta

M = 6
FORECASTERS = (
    ExponentialSmoothing(M),
    ExponentialSmoothing(1),
    ExponentialSmoothing(M, trends=("damped",), window=100),
    Theta(M),
    Theta(1, window=120),
)


def readings(steps: int = 180, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = np.cumsum(rng.normal(0, 0.2, steps))
    return 20 + level + np.tile([0, 3, 5, 2, -4, -6], steps)[:steps] + rng.normal(0, 0.5, steps)


@pytest.mark.parametrize("trend", ["none", "damped"])
def test_errors_are_those_of_the_plain_form_and_of_statsmodels(trend: str) -> None:
    y = readings()
    found = ExponentialSmoothing(M, trends=(trend,)).fit(y)
    alpha, beta, gamma, phi = found.parameters_
    errors, levels = smoothed(y, parameters=found.parameters_, level=found.level_, season=found.season_)
    given = {"initial_level": found.level_, "initial_seasonal": found.season_}
    if trend == "damped":
        given["initial_trend"] = 0.0
    theirs = ETSModel(
        pd.Series(y), error="add", trend="add" if trend == "damped" else None, damped_trend=trend == "damped",
        seasonal="add", seasonal_periods=M, initialization_method="known", **given,
    )  # fmt: skip
    values = [alpha, beta, gamma, phi] if trend == "damped" else [alpha, gamma]
    smooth = theirs.smooth(np.array(values))
    np.testing.assert_allclose(errors, smooth.resid, atol=1e-9)
    np.testing.assert_allclose(levels, smooth.level, atol=1e-9)
    counted = errors[M:]
    assert found.sigma_ == pytest.approx(np.sqrt(counted @ counted / (len(counted) - len(values))))

    centre, _, upper = found.forecast(y, origins=[len(y)], horizon=15, level=0.9)
    ahead = smooth.get_prediction(len(y), len(y) + 14)
    np.testing.assert_allclose(centre[0], ahead.predicted_mean, atol=1e-9)
    spread = np.sqrt(ahead.forecast_variance / smooth.mse) * found.sigma_
    np.testing.assert_allclose(upper[0] - centre[0], 1.6448536269514722 * spread, rtol=1e-9)


def test_the_fit_is_no_worse_than_statsmodels_from_the_same_start() -> None:
    for seed in range(5):
        y = readings(seed=seed)
        found = ExponentialSmoothing(M, trends=("none",)).fit(y)
        theirs = ETSModel(
            y, error="add", seasonal="add", seasonal_periods=M,
            initialization_method="known", initial_level=found.level_, initial_seasonal=found.season_,
        ).fit(disp=False)  # fmt: skip
        at = Smoothing(theirs.params[0], 0.0, theirs.params[1], 0.0)
        errors, _ = smoothed(y, parameters=at, level=found.level_, season=found.season_)
        own, _ = smoothed(y, parameters=found.parameters_, level=found.level_, season=found.season_)
        assert own[M:] @ own[M:] <= errors[M:] @ errors[M:] * (1 + 1e-6)


def test_a_slope_is_chosen_where_there_is_one() -> None:
    rng = np.random.default_rng(1)
    slope = np.zeros(400)
    for t in range(1, 400):
        slope[t] = 0.97 * slope[t - 1] + rng.normal(0, 1.0)
    assert ExponentialSmoothing(1).fit(np.cumsum(slope) + rng.normal(0, 0.1, 400)).trend_ == "damped"
    assert ExponentialSmoothing(1).fit(np.cumsum(rng.normal(0, 1.0, 400))).trend_ == "none"


def test_the_season_is_that_of_the_classical_decomposition() -> None:
    y = readings()
    np.testing.assert_allclose(classical_season(y, M), seasonal_decompose(y, period=M).seasonal[:M], atol=1e-9)
    np.testing.assert_allclose(classical_season(y, 5), seasonal_decompose(y, period=5).seasonal[:5], atol=1e-9)


def test_theta_is_statsmodels_theta() -> None:
    y = readings() + 0.1 * np.arange(180)
    found = Theta(M).fit(y)
    theirs = ThetaModel(y, period=M, method="additive", use_test=False).fit()
    assert found.slope_ == pytest.approx(theirs.params["b0"], rel=1e-6)
    assert found.parameters_.alpha == pytest.approx(theirs.params["alpha"], abs=0.02)
    centre, _, _ = found.forecast(y, origins=[180], horizon=8)
    np.testing.assert_allclose(centre[0], theirs.forecast(8, theta=2), atol=0.05)


@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda f: f"{type(f).__name__}-{f.period}-{f.window}")
def test_nothing_leaks_and_gaps_are_gone_over(forecaster: ExponentialSmoothing | Theta) -> None:
    y = readings(260)
    y[[20, 21, 130, 200]] = np.nan
    y[210:220] = np.nan
    forecaster.fit(y[:180])
    assert leak(forecaster, y, first=180, horizon=7) == 0.0
    centre, lower, upper = forecaster.forecast(y, origins=[215, 240], horizon=7)
    assert np.isfinite(centre).all()
    assert (lower < centre).all()
    assert (np.diff(upper - lower, axis=1) >= 0).all()


def test_intervals_hold_what_they_claim_where_the_model_is_true() -> None:
    rng = np.random.default_rng(3)
    level, inside = 0.0, []
    y = np.empty(6000)
    for t in range(6000):
        error = rng.normal()
        y[t] = level + error
        level += 0.3 * error
    found = ExponentialSmoothing(1, trends=("none",)).fit(y[:3000])
    assert found.parameters_.alpha == pytest.approx(0.3, abs=0.05)
    origins = np.arange(3000, 5990, 3)
    _, lower, upper = found.forecast(y, origins=origins, horizon=10)
    actual = y[origins[:, None] + np.arange(10)]
    inside = ((lower <= actual) & (actual <= upper)).mean(axis=0)
    np.testing.assert_allclose(inside, 0.95, atol=0.03)


@pytest.mark.parametrize("kind", [ExponentialSmoothing, Theta])
def test_what_cannot_be_fitted_is_refused(kind: type[ExponentialSmoothing] | type[Theta]) -> None:
    with pytest.raises(InputError, match="at least 18"):
        kind(M).fit(readings(12))
    with pytest.raises(InputError, match="vary"):
        kind(1).fit(np.ones(50))
    with pytest.raises(InputError, match="readings to fit to"):
        kind(M).fit(np.full(60, np.nan))
    with pytest.raises(InputError, match="each phase"):
        kind(M).fit(np.where(np.arange(180) % M == 2, np.nan, readings()))
    found = kind(M).fit(readings())
    for origins in ([], [0], [500], [100, 90]):
        with pytest.raises(InputError, match="origins"):
            found.forecast(readings(), origins=origins, horizon=2)
    with pytest.raises(InputError, match="infinit"):
        kind(1).fit(np.array([1.0, np.inf] * 20))
    with pytest.raises(InputError, match="window"):
        kind(M, window=10)
