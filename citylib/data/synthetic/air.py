"""Air: PM2.5 at the city's stations, driven by traffic, wind, rain and inversions.

The logarithm of the concentration at station k in hour t is

    log c_kt = log level + offset_k + traffic (index_t - 0.5) + wind log(wind_t / 3) + inversion i_t + wet r_t + e_kt
    e_kt = ar e_k(t-1) + a_kt,    a_kt = s_kt eta_kt,    s_kt^2 = omega + alpha a_k(t-1)^2 + beta s_k(t-1)^2

eta is standard normal with the same correlation between any two stations, so each station's
noise is exactly AR(1) with GARCH(1,1) innovations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import autoregression, garch, rounded
from citylib.data.synthetic.days import Clock
from citylib.data.synthetic.districts import Ground
from citylib.data.synthetic.weather import Weather
from citylib.errors import InputError

__all__ = ["AirTruth", "inversion", "place_stations", "pm25"]

FloatArray = npt.NDArray[np.float64]

BURN = 600  # hours in which the AR noise forgets its start


@dataclass(frozen=True)
class AirTruth:
    """What PM2.5 is drawn with; effects are on its logarithm.

    Parameters
    ----------
    level : float
        Median at an average station with traffic index 0.5, wind 3 m/s, no rain, no inversion [µg/m³].
    station_sd : float
        Standard deviation of the stations' offsets.
    traffic : float
        Effect of the traffic index (mean flow as a share of the sensors' scales) going from 0 to 1.
    wind : float
        Elasticity to wind speed.
    inversion : float
        Effect of an hour with a temperature inversion, see `inversion`.
    wet : float
        Effect of an hour with rain.
    ar : float
        AR(1) coefficient of the noise.
    sd : float
        Standard deviation of its innovations.
    alpha, beta : float
        GARCH(1,1) of the innovations; both 0: constant variance. omega = sd^2 (1 - alpha - beta).
    correlation : float
        Correlation of two stations' shocks eta in the same hour.
    """

    level: float = 22.0
    station_sd: float = 0.12
    traffic: float = 0.5
    wind: float = -0.45
    inversion: float = 0.35
    wet: float = -0.25
    ar: float = 0.9
    sd: float = 0.16
    alpha: float = 0.1
    beta: float = 0.85
    correlation: float = 0.75

    def __post_init__(self) -> None:
        checks.number("level", self.level, above=0.0)
        for name in ("station_sd", "sd", "alpha", "beta"):
            checks.number(name, getattr(self, name), minimum=0.0)
        if abs(self.ar) >= 1:
            raise InputError("ar", "lie between -1 and 1", self.ar)
        if self.alpha + self.beta >= 1:
            raise InputError("alpha + beta", "be under 1", self.alpha + self.beta)
        checks.fraction("correlation", self.correlation, closed=True)


def inversion(clock: Clock, sky: Weather) -> npt.NDArray[np.bool_]:
    """Return which hours have a temperature inversion: dry, wind under 2.5 m/s, between 20 h and 8 h, below 12 °C."""
    night = (clock.hour >= 20) | (clock.hour < 8)
    return np.asarray(night & ~sky.wet & (sky.wind_speed < 2.5) & (sky.temperature < 12))


def place_stations(seed: int, stations: int, place: Ground) -> pd.DataFrame:
    """Return the air stations, spread over the districts.

    Parameters
    ----------
    seed : int
        The city's seed.
    stations : int
        How many, 1 or more.
    place : Ground
        The districts they stand in.

    Returns
    -------
    pandas.DataFrame
        A row a station: sensor, latitude, longitude (degrees), district.
    """
    checks.integer("stations", stations, minimum=1)
    rng = seeds.generator(seed, "synthetic", "stations")
    order = rng.permutation(len(place))
    district = np.sort(order[np.arange(stations) % len(place)])
    at = place.scatter(rng, district)
    return pd.DataFrame(
        {
            "sensor": [f"A{k + 1:02d}" for k in range(stations)],
            "latitude": at[:, 0],
            "longitude": at[:, 1],
            "district": np.array(place.names, dtype=object)[district],
        }
    )


def pm25(
    seed: int, clock: Clock, sky: Weather, traffic_index: FloatArray, stations: int, truth: AirTruth | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return PM2.5 without faults, shape (T, K), to 0.1 µg/m³, and the stations' offsets, shape (K,).

    Parameters
    ----------
    seed : int
        The city's seed.
    clock : Clock
        The hours.
    sky : Weather
        Their weather, as recorded.
    traffic_index : ndarray, shape (T,)
        Mean flow over sensors as a share of their scales.
    stations : int
        K.
    truth : AirTruth, optional
        What it is drawn with.
    """
    t = truth or AirTruth()
    offset = rounded(t.station_sd * seeds.generator(seed, "synthetic", "air", "stations").standard_normal(stations), 4)
    rng = seeds.generator(seed, "synthetic", "air", "noise")
    shared, own = rng.standard_normal((BURN + len(clock), 1)), rng.standard_normal((BURN + len(clock), stations))
    shocks = math.sqrt(t.correlation) * shared + math.sqrt(1 - t.correlation) * own
    innovations = garch(shocks, t.sd * t.sd * (1 - t.alpha - t.beta), t.alpha, t.beta)
    noise = autoregression(innovations, [t.ar], BURN)
    driven = t.traffic * (traffic_index - 0.5) + t.wind * np.log(sky.wind_speed / 3)
    driven = driven + t.inversion * inversion(clock, sky) + t.wet * sky.wet
    return rounded(np.maximum(t.level * np.exp(driven[:, None] + offset + noise), 0.1), 1), offset
