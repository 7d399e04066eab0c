"""The city's weather, hour by hour: temperature, rain, wind, and a word for each hour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import autoregression, chain, rounded
from citylib.data.synthetic.days import Clock
from citylib.errors import InputError

__all__ = ["COMPASS", "Weather", "WeatherTruth", "weather"]

FloatArray = npt.NDArray[np.float64]

COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
BURN = 1000  # hours in which the AR noise forgets its start: 0.97^1000 = 6e-14


@dataclass(frozen=True)
class WeatherTruth:
    """What the weather is drawn with.

    Temperature = mean + year cos(2 pi (day - year_peak) / 365.25)
    + day cos(2 pi (hour - day_peak) / 24) + AR(1) noise.
    Rain is a two-state chain, dry or wet; a wet hour brings 0.1 mm plus a gamma amount.
    The logarithm of wind speed is a mean, a daily wave and AR(1) noise; wind direction is a
    mean plus AR(1) noise, in degrees.

    Parameters
    ----------
    temperature_mean, temperature_year, temperature_day : float
        Mean and amplitudes of the yearly and the daily wave [°C].
    temperature_year_peak : float
        Warmest day of the year.
    temperature_day_peak : float
        Warmest hour of the day.
    temperature_ar : float
        AR(1) coefficient of the noise, hour to hour.
    temperature_sd : float
        Standard deviation of the noise's innovations [°C].
    rain_start, rain_stay : float
        Probability that a dry hour is followed by a wet one, and a wet one by a wet one.
    rain_shape, rain_scale : float
        Of the gamma amount above 0.1 mm/h [-, mm/h].
    wind_log_mean, wind_day : float
        Mean and daily amplitude of log wind speed [log m/s].
    wind_day_peak : float
        Windiest hour of the day.
    wind_ar, wind_sd : float
        AR(1) coefficient and innovation standard deviation of log wind speed.
    direction_mean, direction_ar, direction_sd : float
        Mean [degrees, where the wind comes from], AR(1) coefficient, innovation standard deviation [degrees].
    cloud_start, cloud_stay : float
        The same two probabilities for clouds in dry hours.
    """

    temperature_mean: float = 11.0
    temperature_year: float = 8.5
    temperature_year_peak: float = 203.0
    temperature_day: float = 3.5
    temperature_day_peak: float = 15.0
    temperature_ar: float = 0.97
    temperature_sd: float = 0.6
    rain_start: float = 0.02
    rain_stay: float = 0.8
    rain_shape: float = 0.8
    rain_scale: float = 1.5
    wind_log_mean: float = 1.1
    wind_day: float = 0.2
    wind_day_peak: float = 15.0
    wind_ar: float = 0.92
    wind_sd: float = 0.18
    direction_mean: float = 240.0
    direction_ar: float = 0.95
    direction_sd: float = 18.0
    cloud_start: float = 0.08
    cloud_stay: float = 0.9

    def __post_init__(self) -> None:
        for name in ("rain_start", "rain_stay", "cloud_start", "cloud_stay"):
            checks.fraction(name, getattr(self, name))
        for name in ("temperature_ar", "wind_ar", "direction_ar"):
            if abs(getattr(self, name)) >= 1:
                raise InputError(name, "lie between -1 and 1", getattr(self, name))
        for name in ("rain_shape", "rain_scale"):
            checks.number(name, getattr(self, name), above=0.0)
        for name in ("temperature_sd", "wind_sd", "direction_sd"):
            checks.number(name, getattr(self, name), minimum=0.0)


@dataclass(frozen=True, eq=False)
class Weather:
    """The weather of each hour, as recorded.

    Parameters
    ----------
    temperature : ndarray, shape (T,)
        To 0.1 °C.
    rain : ndarray, shape (T,)
        To 0.1 mm/h; 0 in dry hours, 0.1 or more in wet ones.
    wind_speed : ndarray, shape (T,)
        To 0.1 m/s, at least 0.1.
    wind_direction : ndarray of str, shape (T,)
        Where the wind comes from, one of eight points.
    word : ndarray of str, shape (T,)
        ``"Clear"``, ``"Clouds"``, ``"Drizzle"`` (under 1 mm/h) or ``"Rain"``.
    """

    temperature: FloatArray
    rain: FloatArray
    wind_speed: FloatArray
    wind_direction: npt.NDArray[np.object_]
    word: npt.NDArray[np.object_]

    @property
    def wet(self) -> npt.NDArray[np.bool_]:
        """True in hours with rain."""
        return np.asarray(self.rain > 0)


def weather(seed: int, clock: Clock, truth: WeatherTruth | None = None) -> Weather:
    """Return the weather of a city.

    Parameters
    ----------
    seed : int
        The city's seed; a longer clock prolongs the same weather.
    clock : Clock
        The hours.
    truth : WeatherTruth, optional
        What it is drawn with.
    """
    t = truth or WeatherTruth()
    hours = len(clock)
    year = np.cos(2 * math.pi * (clock.day_of_year - t.temperature_year_peak) / 365.25)
    day = np.cos(2 * math.pi * (clock.hour - t.temperature_day_peak) / 24)
    temperature = t.temperature_mean + t.temperature_year * year + t.temperature_day * day
    temperature = temperature + _noise(seed, "temperature", hours, t.temperature_ar, t.temperature_sd)

    wet = chain(_stream(seed, "wet").random(hours), t.rain_start, t.rain_stay)
    amount = 0.1 + _stream(seed, "rain").gamma(t.rain_shape, t.rain_scale, hours)
    rain = rounded(np.where(wet, amount, 0.0), 1)

    log_wind = t.wind_log_mean + t.wind_day * np.cos(2 * math.pi * (clock.hour - t.wind_day_peak) / 24)
    log_wind = log_wind + _noise(seed, "wind", hours, t.wind_ar, t.wind_sd)
    degrees = t.direction_mean + _noise(seed, "direction", hours, t.direction_ar, t.direction_sd)
    point = np.floor(degrees / 45 + 0.5).astype(np.int64) % 8

    cloudy = chain(_stream(seed, "clouds").random(hours), t.cloud_start, t.cloud_stay)
    word = np.where(cloudy, "Clouds", "Clear").astype(object)
    word[rain > 0] = "Drizzle"
    word[rain >= 1] = "Rain"
    return Weather(
        temperature=rounded(temperature, 1),
        rain=rain,
        wind_speed=rounded(np.maximum(np.exp(log_wind), 0.1), 1),
        wind_direction=np.array(COMPASS, dtype=object)[point],
        word=word,
    )


def _stream(seed: int, what: str) -> np.random.Generator:
    return seeds.generator(seed, "synthetic", "weather", what)


def _noise(seed: int, what: str, hours: int, ar: float, sd: float) -> FloatArray:
    return autoregression(sd * _stream(seed, what).standard_normal(BURN + hours), [ar], BURN)
