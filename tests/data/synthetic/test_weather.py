"""The weather's laws are found again in it."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.data.synthetic.days import clock
from citylib.data.synthetic.weather import COMPASS, WeatherTruth, weather
from citylib.errors import InputError

TRUTH = WeatherTruth()
HOURS = clock(10 * 365 + 2)


@pytest.fixture(scope="module")
def sky():
    return weather(0, HOURS)


def ar1(x):
    """Coefficient of a regression on the value before, and its standard error."""
    x = x - x.mean()
    phi = (x[1:] * x[:-1]).sum() / (x[:-1] ** 2).sum()
    return phi, np.sqrt((1 - phi**2) / len(x))


def test_temperature_has_its_waves_and_its_noise(sky):
    year = 2 * np.pi * (HOURS.day_of_year - TRUTH.temperature_year_peak) / 365.25
    day = 2 * np.pi * (HOURS.hour - TRUTH.temperature_day_peak) / 24
    x = np.column_stack([np.ones(len(HOURS)), np.cos(year), np.cos(day), np.sin(year), np.sin(day)])
    phi = TRUTH.temperature_ar  # filtered by the known AR(1), the noise is white and the errors known
    xf, yf = x[1:] - phi * x[:-1], sky.temperature[1:] - phi * sky.temperature[:-1]
    beta = np.linalg.lstsq(xf, yf, rcond=None)[0]
    error = TRUTH.temperature_sd * np.sqrt(np.diag(np.linalg.inv(xf.T @ xf)))
    expected = [TRUTH.temperature_mean, TRUTH.temperature_year, TRUTH.temperature_day, 0, 0]
    assert (np.abs(beta - expected) < 4 * error).all()
    noise = sky.temperature - x @ expected
    estimate, se = ar1(noise)
    assert estimate == pytest.approx(phi, abs=4 * se)
    assert (noise[1:] - phi * noise[:-1]).std() == pytest.approx(TRUTH.temperature_sd, rel=0.02)


def test_rain_starts_stays_and_pours_as_planted(sky):
    before, after = sky.wet[:-1], sky.wet[1:]
    for share, p, n in [
        (after[~before].mean(), TRUTH.rain_start, (~before).sum()),
        (after[before].mean(), TRUTH.rain_stay, before.sum()),
    ]:
        assert share == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))
    amount = sky.rain[sky.wet] - 0.1
    assert amount.min() == pytest.approx(0.0)
    mean, sd = TRUTH.rain_shape * TRUTH.rain_scale, np.sqrt(TRUTH.rain_shape) * TRUTH.rain_scale
    assert amount.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(len(amount)))


def test_wind_is_lognormal_with_memory(sky):
    wave = TRUTH.wind_day * np.cos(2 * np.pi * (HOURS.hour - TRUTH.wind_day_peak) / 24)
    noise = np.log(sky.wind_speed) - TRUTH.wind_log_mean - wave
    estimate, se = ar1(noise)
    # Rounding to 0.1 m/s adds white noise of sd 0.029 / 3 on the log: it lowers the coefficient by under 0.002.
    assert estimate == pytest.approx(TRUTH.wind_ar, abs=4 * se + 0.002)
    stationary = TRUTH.wind_sd / np.sqrt(1 - TRUTH.wind_ar**2)
    memory = np.sqrt((1 + TRUTH.wind_ar) / (1 - TRUTH.wind_ar) / len(HOURS))
    assert noise.mean() == pytest.approx(0.0, abs=4 * stationary * memory)
    assert noise.std() == pytest.approx(stationary, rel=0.05)


def test_words_and_points_follow_the_numbers(sky):
    assert set(sky.wind_direction) == set(COMPASS)
    assert ((sky.word == "Rain") == (sky.rain >= 1)).all()
    assert ((sky.word == "Drizzle") == ((sky.rain > 0) & (sky.rain < 1))).all()
    counts = {point: (sky.wind_direction == point).sum() for point in COMPASS}
    assert max(counts, key=counts.get) in ("SW", "W")  # the mean is 240 degrees


def test_a_longer_clock_prolongs_the_same_weather():
    short, long = weather(5, clock(30)), weather(5, clock(60))
    for name in ("temperature", "rain", "wind_speed", "wind_direction", "word"):
        np.testing.assert_array_equal(getattr(short, name), getattr(long, name)[:720])


@pytest.mark.parametrize(
    "wrong", [{"rain_start": 0.0}, {"rain_stay": 1.0}, {"wind_ar": 1.0}, {"rain_scale": 0.0}, {"wind_sd": -0.1}]
)
def test_laws_without_weather_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        WeatherTruth(**wrong)
