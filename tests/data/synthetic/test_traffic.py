"""Traffic's planted laws are found again: effects, noise, spatial dependence, the fundamental diagram."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from citylib.data.synthetic.days import clock
from citylib.data.synthetic.districts import ground
from citylib.data.synthetic.roads import adjacency, distances, place_sensors, roads
from citylib.data.synthetic.traffic import TrafficTruth, greenshields, profiles, row_standardised, traffic
from citylib.data.synthetic.weather import weather
from citylib.errors import InputError

TRUTH = TrafficTruth()
HOURS = clock(365)
N = 20


@pytest.fixture(scope="module")
def sky():
    return weather(0, HOURS)


@pytest.fixture(scope="module")
def near():
    network = roads(0, ground(0, 12))
    return adjacency(distances(network, place_sensors(0, N, network)), 3).to_numpy()


def draw(sky, near, truth=TRUTH, blocked=None):
    blocked = np.zeros((len(HOURS), N), bool) if blocked is None else blocked
    return traffic(0, HOURS, sky, np.arange(N) < 12, np.full(N, 60.0), near, blocked, truth)


@pytest.fixture(scope="module")
def road(sky, near):
    return draw(sky, near)


def filtered(x):
    """Apply the known AR(2) filter, which turns the noise white in time."""
    return x[2:] - TRUTH.ar1 * x[1:-1] - TRUTH.ar2 * x[:-2]


def test_effects_are_recovered_by_least_squares_on_log_flow(road, sky):
    """One regression with a sensor's own profile as offset; white in time after the known filter."""
    profile = np.log(profiles(road.morning_share, TRUTH))[HOURS.free.astype(int), HOURS.hour]
    y = filtered(np.log(road.flow) - np.log(road.scale) - profile).mean(axis=1)
    x = np.column_stack(
        [
            np.ones(len(HOURS)),
            HOURS.weekday == 4,
            HOURS.weekday == 6,
            HOURS.holiday != "none",
            sky.wet,
            sky.rain,
            (sky.temperature - 10) / 10,
        ]
    ).astype(float)
    xf = filtered(x)
    beta, rss, *_ = np.linalg.lstsq(xf, y, rcond=None)
    error = np.sqrt(rss / (len(y) - x.shape[1]) * np.diag(np.linalg.inv(xf.T @ xf)))
    t = TRUTH
    expected = [0.0, t.friday, t.sunday, t.holiday, t.wet, t.rain_per_mm, t.temperature_per_10]
    assert (np.abs(beta - expected) < 4 * error).all()
    assert error[4] < 0.01  # so that the test can tell the effect of rain, -0.06, from none


def test_noise_is_an_ar2(road):
    z = road.noise
    x = np.column_stack([z[1:-1].ravel(), z[:-2].ravel()])
    estimate = np.linalg.lstsq(x, z[2:].ravel(), rcond=None)[0]
    # About sqrt((1 - ar2^2) / (T N)) = 0.0023 each; the sensors' dependence makes it larger, hence 0.012.
    np.testing.assert_allclose(estimate, [TRUTH.ar1, TRUTH.ar2], atol=0.012)


def test_innovations_are_a_spatial_autoregression(road, near):
    """Maximum likelihood of rho, W known: log|I - rho W| T - TN/2 log mean |(I - rho W) u|^2."""
    u, w = filtered(road.noise), row_standardised(near)

    def loss(rho):
        a = np.eye(N) - rho * w
        return -np.linalg.slogdet(a)[1] + N / 2 * np.log(((u @ a.T) ** 2).mean())

    rho = minimize_scalar(loss, bounds=(-0.9, 0.95), method="bounded").x
    assert rho == pytest.approx(TRUTH.rho, abs=0.015)  # standard error about 1 / sqrt(T N / 2) = 0.0034
    eps = u @ (np.eye(N) - TRUTH.rho * w).T
    assert eps.std() == pytest.approx(TRUTH.sd, rel=0.01)


def test_without_rho_sensors_are_independent(sky, near):
    z = filtered(draw(sky, near, replace(TRUTH, rho=0.0)).noise)
    correlation = np.corrcoef(z.T)[~np.eye(N, dtype=bool)]
    assert np.abs(correlation).max() < 5 / np.sqrt(len(z))
    assert z.std() == pytest.approx(TRUTH.sd, rel=0.01)


def test_the_busiest_hour_of_a_dry_working_day_has_the_scale(road):
    peak = profiles(road.morning_share, TRUTH)
    np.testing.assert_allclose(peak[0].max(axis=0), 1.0)
    assert (peak[1].max(axis=0) < 1).all()
    assert (peak > 0).all()


def test_a_crash_takes_its_share_of_flow_and_speed(sky, near, road):
    blocked = np.zeros((len(HOURS), N), bool)
    blocked[1000:1400] = True
    jam = draw(sky, near, blocked=blocked)
    ratio = jam.flow[1000:1400].sum() / road.flow[1000:1400].sum()
    assert ratio == pytest.approx(np.exp(TRUTH.incident), rel=1e-3)  # same noise, so only rounding is left
    assert jam.speed[1000:1400].mean() < road.speed[1000:1400].mean()
    np.testing.assert_array_equal(jam.flow[:1000], road.flow[:1000])


def test_speed_follows_greenshields_diagram(road, sky):
    free = 60 * np.where(sky.wet, TRUTH.wet_speed, 1.0)[:, None]
    error = road.speed - greenshields(road.flow / (TRUTH.capacity * road.scale), free)
    assert error.mean() == pytest.approx(0.0, abs=4 * TRUTH.speed_sd / np.sqrt(error.size))
    assert error.std() == pytest.approx(TRUTH.speed_sd, rel=0.01)


def test_greenshields_is_density_times_speed():
    speed = np.linspace(30.0, 60.0, 50)  # the free branch at 60 km/h: q / q_max = 4 v/vf (1 - v/vf)
    np.testing.assert_allclose(greenshields(4 * speed / 60 * (1 - speed / 60), np.array(60.0)), speed, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rho": 1.0}, "rho must be under 1"),
        ({"rho": -1.0}, "rho must be more than -1"),
        ({"ar1": 0.8, "ar2": 0.3}, "be stationary"),
        ({"ar1": 0.0, "ar2": -1.5}, "be stationary"),
        ({"sd": -0.1}, "sd must be at least 0"),
        ({"capacity": 0.0}, "capacity must be more than 0"),
    ],
)
def test_laws_without_traffic_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        TrafficTruth(**wrong)
