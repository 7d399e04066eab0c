"""ARIMA: the recursion by hand and against statsmodels; all origins in one pass against one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.statespace.sarimax import SARIMAX

from citylib.errors import FitWarning, InputError
from citylib.timeseries.arima import RegressionArima, level_coefficients, recursion


def simulated(length: int, seed: int = 0) -> np.ndarray:
    """ARIMA(2,1,2) with known coefficients."""
    e = np.random.default_rng(seed).standard_normal(length + 50)
    w = np.zeros(length + 50)
    for t in range(2, length + 50):
        w[t] = 0.6 * w[t - 1] - 0.3 * w[t - 2] + e[t] + 0.4 * e[t - 1] + 0.2 * e[t - 2]
    return np.cumsum(w[50:])


def test_level_coefficients_multiply_the_differences_out() -> None:
    np.testing.assert_allclose(level_coefficients([0.6, -0.3], 1), [1.6, -0.9, 0.3])
    np.testing.assert_allclose(level_coefficients([], 2), [2.0, -1.0])
    np.testing.assert_allclose(level_coefficients([0.5], 0), [0.5])


def test_recursion_by_hand() -> None:
    forecast, shock = recursion([1.0, 2.0, 4.0], ar=[0.5], ma=[0.4], differences=1, steps=2)
    # differences 1, 2: the first shock known is 2 - 0.5 * 1 = 1.5
    np.testing.assert_allclose(shock, [0.0, 0.0, 1.5])
    np.testing.assert_allclose(forecast, [4 + 0.5 * 2 + 0.4 * 1.5, 4 + 1.6 + 0.5 * 1.6])


def test_recursion_meets_the_exact_filter_once_the_start_is_forgotten() -> None:
    y = simulated(400)
    model = SARIMAX(y, order=(2, 1, 2))
    exact = model.smooth([0.6, -0.3, 0.4, 0.2, 1.0])
    forecast, shock = recursion(y, ar=[0.6, -0.3], ma=[0.4, 0.2], differences=1, steps=12)
    np.testing.assert_allclose(forecast, exact.forecast(12), rtol=0, atol=1e-9)
    np.testing.assert_allclose(shock[100:], exact.resid[100:], rtol=0, atol=1e-9)


@pytest.mark.parametrize("orders", [(2, 1, 2), (1, 0, 1), (0, 2, 1)])
def test_all_origins_in_one_pass_equal_statsmodels_one_at_a_time(orders: tuple[int, int, int]) -> None:
    y = simulated(420, seed=1) * 30 + 500
    y[[50, 51, 330, 352]] = np.nan
    clock = 2 * np.pi * np.arange(450) / 24
    x = np.column_stack([np.sin(clock), np.cos(clock)])
    y += 40 * x[:420, 0]
    model = RegressionArima(orders, x_TK=x, window=250).fit(y[:300])
    centre, low, high = model.forecast(y, origins=[300, 331, 353, 420], horizon=9, level=0.9)
    assert model.start_ == 50
    for row, origin in enumerate([300, 331, 353, 420]):
        design = x if orders[1] else np.column_stack([np.ones(450), x])
        alone = SARIMAX(y[50:origin] / model.scale_, exog=design[50:origin], order=orders)
        said = alone.filter(model.results_.params).get_forecast(9, exog=design[origin : origin + 9])
        np.testing.assert_allclose(centre[row], said.predicted_mean * model.scale_, rtol=1e-9)
        np.testing.assert_allclose(
            np.column_stack([low[row], high[row]]), said.conf_int(alpha=0.1) * model.scale_, rtol=1e-8
        )


def test_planted_parameters_are_found_and_intervals_cover() -> None:
    y = simulated(3000, seed=2)
    model = RegressionArima((2, 1, 2)).fit(y[:2000])
    truth = [0.6, -0.3, 0.4, 0.2, 1 / model.scale_**2]
    gain = model.results_.llf - model.results_.model.loglike(truth)
    assert 0 <= gain < 10.3  # half of the 99.9 % point of chi-square with 5 degrees (Wilks)
    origins = np.arange(2000, 2980, 3)
    _, low, high = model.forecast(y, origins=origins, horizon=8)
    actual = y[origins[:, None] + np.arange(8)]
    assert ((low <= actual) & (actual <= high)).mean() == pytest.approx(0.95, abs=0.03)


def test_units_do_not_matter() -> None:
    y = simulated(300, seed=5)
    small, large = (RegressionArima((1, 1, 1)).fit(y * k) for k in (1.0, 1e4))
    one, many = (m.forecast(y * k, origins=[300], horizon=3)[0] for m, k in ((small, 1.0), (large, 1e4)))
    np.testing.assert_allclose(many, one * 1e4, rtol=1e-6)


def test_a_fit_that_does_not_converge_is_said() -> None:
    with pytest.warns(FitWarning, match=r"ARIMA\(2, 1, 2\) did not converge in 1 iterations"):
        RegressionArima((2, 1, 2), iterations=1).fit(simulated(200))


def test_refusals() -> None:
    with pytest.raises(InputError, match="orders must be three"):
        RegressionArima((1, 1))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="orders must be at least 0"):
        RegressionArima((1, -1, 0))
    with pytest.raises(InputError, match=r"hold at least 5 readings a parameter \(30\), got 20"):
        RegressionArima((2, 1, 2)).fit(np.arange(20.0) % 7)
    with pytest.raises(InputError, match="y_T must vary, got '50 readings, all equal'"):
        RegressionArima((1, 0, 0)).fit(np.ones(50))
    model = RegressionArima((1, 0, 0), x_TK=np.ones((100, 1)) * np.arange(100)[:, None] % 3).fit(
        np.random.default_rng(0).standard_normal(100)
    )
    with pytest.raises(InputError, match="x_TK must reach to step 102, got '100 rows'"):
        model.forecast(np.zeros(100), origins=[100], horizon=2)
    with pytest.raises(InputError, match=r"origins must lie after the start of the fit \(0\)"):
        model.forecast(np.zeros(90), origins=[95], horizon=2)


def test_the_higher_of_two_hills_is_found() -> None:
    draw = np.random.default_rng(11)
    y = np.zeros(1500)
    for t in range(1, 1500):
        y[t] = 0.95 * y[t - 1] + draw.standard_normal()
    # a stationary AR(1) seen through one difference: phi near 0.95 and theta near -1
    model = RegressionArima((2, 1, 2)).fit(y)
    own = SARIMAX(y / model.scale_, order=(2, 1, 2)).fit(disp=False, maxiter=200)
    assert model.results_.llf > own.llf - 0.01
    assert np.abs(model.results_.maroots).min() < 1.02
