"""PM2.5's planted drivers, memory and volatility are found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from citylib.data.synthetic.air import AirTruth, inversion, place_stations, pm25
from citylib.data.synthetic.days import clock
from citylib.data.synthetic.districts import ground
from citylib.data.synthetic.traffic import TrafficTruth, profiles
from citylib.data.synthetic.weather import weather
from citylib.errors import InputError

TRUTH = AirTruth()
HOURS = clock(2 * 365)
K = 10


@pytest.fixture(scope="module")
def sky():
    return weather(0, HOURS)


@pytest.fixture(scope="module")
def index():
    return profiles(np.array([0.5]), TrafficTruth())[HOURS.free.astype(int), HOURS.hour, 0]


@pytest.fixture(scope="module")
def drivers(sky, index):
    columns = [np.ones(len(HOURS)), index - 0.5, np.log(sky.wind_speed / 3), inversion(HOURS, sky), sky.wet]
    return np.column_stack(columns).astype(float)


@pytest.fixture(scope="module")
def air(sky, index):
    return pm25(0, HOURS, sky, index, K)


EFFECTS = [np.log(TRUTH.level), TRUTH.traffic, TRUTH.wind, TRUTH.inversion, TRUTH.wet]


def innovations(air, drivers):
    values, offset = air
    noise = np.log(values) - (drivers @ EFFECTS)[:, None] - offset
    return noise[1:] - TRUTH.ar * noise[:-1]


def test_effects_are_recovered_by_least_squares(air, drivers):
    values, offset = air
    y = (np.log(values) - offset).mean(axis=1)
    yf, xf = y[1:] - TRUTH.ar * y[:-1], drivers[1:] - TRUTH.ar * drivers[:-1]
    beta, rss, *_ = np.linalg.lstsq(xf, yf, rcond=None)
    error = np.sqrt(rss / len(yf) * np.diag(np.linalg.inv(xf.T @ xf)))
    assert (np.abs(beta - EFFECTS) < 4 * error).all()
    assert (error[1:] < 0.03).all()


def test_noise_is_an_ar1_with_correlated_shocks(air, drivers):
    values, offset = air
    noise = np.log(values) - (drivers @ EFFECTS)[:, None] - offset
    estimate = (noise[1:] * noise[:-1]).sum() / (noise[:-1] ** 2).sum()
    assert estimate == pytest.approx(TRUTH.ar, abs=0.015)  # one station's error is sqrt(0.19 / 17520) = 0.0033
    correlation = np.corrcoef(innovations(air, drivers).T)[~np.eye(K, dtype=bool)]
    assert correlation.mean() == pytest.approx(TRUTH.correlation, abs=0.03)
    assert innovations(air, drivers).std() == pytest.approx(TRUTH.sd, rel=0.05)


def test_volatility_is_the_planted_garch(air, drivers):
    """Of parameters around the true ones, the true ones have the highest Gaussian likelihood."""
    a = innovations(air, drivers)

    def likelihood(alpha, beta):
        variance = np.full(K, TRUTH.sd**2)
        total = np.zeros(K)
        for step in a:
            total -= 0.5 * (np.log(variance) + step**2 / variance)
            variance = TRUTH.sd**2 * (1 - alpha - beta) + alpha * step**2 + beta * variance
        return total.sum()

    best = likelihood(TRUTH.alpha, TRUTH.beta)
    for alpha, beta in [(0.0, 0.0), (0.05, 0.85), (0.15, 0.80), (0.10, 0.75), (0.07, 0.92)]:
        assert likelihood(alpha, beta) < best


def test_volatility_can_be_constant(sky, index, drivers):
    calm = replace(TRUTH, alpha=0.0, beta=0.0)
    a = innovations(pm25(0, HOURS, sky, index, K, calm), drivers)
    squares = a**2 - (a**2).mean(axis=0)
    memory = (squares[1:] * squares[:-1]).sum(axis=0) / (squares**2).sum(axis=0)
    assert np.abs(memory).max() < 5 / np.sqrt(len(a))


def test_inversions_are_dry_calm_cold_nights(sky):
    on = inversion(HOURS, sky)
    assert 0.03 < on.mean() < 0.3
    assert not sky.wet[on].any()
    assert (sky.wind_speed[on] < 2.5).all()
    assert (sky.temperature[on] < 12).all()
    assert set(HOURS.hour[on]) == {20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7}


def test_stations_spread_over_the_districts():
    place = ground(0, 4)
    assert place_stations(0, 4, place)["district"].is_unique
    assert set(place_stations(0, 9, place)["district"].value_counts()) == {2, 3}
    with pytest.raises(InputError, match="stations must be at least 1"):
        place_stations(0, 0, place)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ar": 1.0}, "ar must lie between -1 and 1"),
        ({"alpha": 0.2, "beta": 0.8}, "must be under 1"),
        ({"correlation": 1.2}, "correlation must lie between 0 and 1"),
        ({"level": 0.0}, "level must be more than 0"),
        ({"sd": -1.0}, "sd must be at least 0"),
    ],
)
def test_laws_without_air_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        AirTruth(**wrong)
