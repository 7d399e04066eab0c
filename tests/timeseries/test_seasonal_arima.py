"""The seasonal ARIMA of one series: forecasts of statsmodels at its parameters, and no view of the future."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from citylib.errors import InputError
from citylib.evaluate.backtest import leak
from citylib.timeseries.seasonal_arima import SeasonalArima


def readings(steps: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = np.zeros(steps)
    for t in range(1, steps):
        noise[t] = 0.7 * noise[t - 1] + rng.normal()
    return 30 + np.tile([0, 3, 5, 2, -4, -6], steps)[:steps] + noise


def test_forecasts_are_those_of_statsmodels_at_the_same_parameters() -> None:
    y = readings()
    y[[50, 51, 350]] = np.nan
    found = SeasonalArima((1, 0, 1), seasonal=(0, 1, 1, 6), window=300).fit(y[:360])
    assert found.start_ == 60
    theirs = SARIMAX(y[60:], order=(1, 0, 1), seasonal_order=(0, 1, 1, 6))
    ahead = theirs.filter([*found.fits_.parameters[0], found.fits_.variance[0]]).get_forecast(8)
    centre, lower, _ = found.forecast(y, origins=[400], horizon=8, level=0.9)
    np.testing.assert_allclose(centre[0], ahead.predicted_mean, atol=1e-3)
    np.testing.assert_allclose(centre[0] - lower[0], 1.6448536 * ahead.se_mean, rtol=1e-3)


def test_nothing_leaks() -> None:
    y = readings()
    y[370:375] = np.nan
    for model in (SeasonalArima((1, 0, 1)), SeasonalArima((1, 0, 0), seasonal=(0, 1, 1, 6), window=200)):
        assert leak(model.fit(y[:300]), y, first=300, horizon=6, every=5) < 1e-9


def test_what_cannot_be_fitted_is_refused() -> None:
    for y, status in ((np.ones(100), "constant"), (np.full(100, np.nan), "all missing"), (np.arange(4.0), "too short")):
        with pytest.raises(InputError, match=status):
            SeasonalArima((2, 0, 2)).fit(y)
    found = SeasonalArima((1, 0, 0), window=100).fit(readings()[:300])
    with pytest.raises(InputError, match="origins"):
        found.forecast(readings(), origins=[150], horizon=3)
