"""Sensors and regressors that an ARIMA fit can make little of: each says what is the matter, none fails the city."""

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.timeseries import many, order_choice
from citylib.timeseries.specification import Specification

T = 400


@pytest.fixture
def noise():
    rng = np.random.default_rng(0)
    shocks, out = rng.standard_normal((T, 3)), np.zeros((T, 3))
    for t in range(1, T):
        out[t] = 0.7 * out[t - 1] + shocks[t]
    return out


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 1e-7, 1e-8])
def test_regressors_almost_alike_are_told_apart(noise, apart):
    x = np.random.default_rng(1).standard_normal((T, 2))
    y = noise + (2.0 * x[:, :1] + x[:, 1:])
    alike = many.fit(y, order=(1, 0, 0), x_TK=np.column_stack([x[:, 0], x[:, 0] + apart * x[:, 1]]))
    clear = many.fit(y, order=(1, 0, 0), x_TK=x)
    assert (alike.status == "converged").all()
    assert alike.loglikelihood == pytest.approx(clear.loglikelihood, abs=1e-5)
    assert apart * alike.regression[:, 1] == pytest.approx(clear.regression[:, 1], rel=1e-5)
    assert apart * alike.regression_errors[:, 1] == pytest.approx(clear.regression_errors[:, 1], rel=1e-6)


@pytest.mark.filterwarnings("error")
def test_readings_whose_square_is_no_number_cost_that_sensor_alone(noise):
    found = many.fit(np.column_stack([noise, noise[:, 0] * 1e-200, noise[:, 0] * 1e200]), order=(1, 0, 0))
    assert found.status.tolist() == ["converged"] * 3 + ["out of range"] * 2
    assert np.isnan(found.parameters[3:]).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_the_unit_of_the_readings_changes_nothing(noise, scale):
    one, other = many.fit(noise, order=(1, 0, 1)), many.fit(noise * scale, order=(1, 0, 1))
    assert other.parameters == pytest.approx(one.parameters, abs=1e-6)
    assert other.variance / scale**2 == pytest.approx(one.variance, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_regressors_whose_square_is_no_number_are_refused(noise, scale):
    with pytest.raises(InputError, match="x_TK must have columns of sizes"):
        many.fit(noise, order=(1, 0, 0), x_TK=np.arange(1.0, T + 1)[:, None] * scale)


def test_a_top_without_standard_errors_is_not_called_converged():
    y = np.random.default_rng(0).standard_normal((T, 12))
    found = many.fit(y, order=(2, 0, 2))
    assert np.isfinite(found.standard_errors[found.status == "converged"]).all()


def test_orders_fitted_together_are_what_they_are_alone(noise):
    noise[40:50, 1] = np.nan
    noise[30:, 2] = np.nan  # too short for the larger order alone
    specifications = [Specification((0, 1, 1)), Specification((3, 1, 2))]
    for one, together in zip(specifications, many.fit_orders(noise, specifications, starts=4), strict=True):
        alone = many.fit(noise, order=one.order, starts=4)
        assert together.status.tolist() == alone.status.tolist()
        np.testing.assert_array_equal(together.parameters, alone.parameters)
        np.testing.assert_array_equal(together.standard_errors, alone.standard_errors)


def test_orders_that_difference_otherwise_are_refused(noise):
    with pytest.raises(InputError, match="specifications must difference alike"):
        many.fit_orders(noise, [Specification((1, 0, 0)), Specification((1, 1, 0))])
    with pytest.raises(InputError, match="specifications must be one or more"):
        many.fit_orders(noise, [])


def test_the_top_of_a_larger_order_is_no_lower(noise):
    found = order_choice.choose(noise, d=0, most=(2, 2))
    height = {c.order: found.fits[i].loglikelihood for i, c in enumerate(found.candidates)}
    for p, d, q in height:
        if p:
            assert (height[p, d, q] >= height[p - 1, d, q] - 1e-3).all()
        if q:
            assert (height[p, d, q] >= height[p, d, q - 1] - 1e-3).all()
