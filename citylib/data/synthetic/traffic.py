"""Traffic: what the sensors would read if none ever failed.

The logarithm of flow at sensor s in hour t is

    log q_st = log scale_s + log profile_s(kind of day, hour) + x_t' beta + incident_st + z_st
    z_t = ar1 z_(t-1) + ar2 z_(t-2) + u_t,    u_t = rho W u_t + sd eps_t

with W the row-standardised adjacency of the sensors on the road graph and eps independent
standard normal. Speed follows from flow by Greenshields' diagram.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import autoregression, inverse, product, rounded, row_mean
from citylib.data.synthetic.days import Clock
from citylib.data.synthetic.weather import Weather
from citylib.errors import InputError

__all__ = ["Traffic", "TrafficTruth", "greenshields", "profiles", "row_standardised", "traffic"]

FloatArray = npt.NDArray[np.float64]

BURN = 400  # hours in which the AR noise forgets its start


@dataclass(frozen=True)
class TrafficTruth:
    """What flow and speed are drawn with; effects are on log flow.

    Parameters
    ----------
    scale_arterial, scale_collector : float
        Median flow in the busiest hour [veh/h].
    scale_spread : float
        Standard deviation of a sensor's log scale around that median.
    night : float
        Flow at night as a share of the peak, before the profile is scaled to peak 1.
    midday_level, weekend_level : float
        Height of the midday wave of working days, and of the single wave of free days, before that scaling.
    morning_hour, midday_hour, evening_hour, weekend_hour : float
        Centres of the waves [h].
    morning_width, midday_width, evening_width, weekend_width : float
        Their widths, as standard deviations of a bell [h].
    morning_low, morning_high : float
        Range of a sensor's weight of the morning rush; the evening rush has the rest to 1.
    friday, sunday, holiday : float
        Effects of these days; a holiday has the profile of free days besides.
    wet, rain_per_mm : float
        Effect of an hour with rain, and of each mm/h.
    temperature_per_10 : float
        Effect of 10 °C above 10 °C.
    incident : float
        Effect at the sensor nearest to a crash while the road is blocked.
    ar1, ar2 : float
        Coefficients of the noise.
    rho : float
        Spatial autoregression of the noise's innovations.
    sd : float
        Standard deviation of eps.
    capacity : float
        Capacity as a multiple of a sensor's scale.
    incident_capacity : float
        Share of capacity left during a crash.
    wet_speed : float
        Free speed in the wet as a share of that in the dry.
    speed_sd : float
        Standard deviation of the speed reading's error [km/h].
    """

    scale_arterial: float = 1700.0
    scale_collector: float = 800.0
    scale_spread: float = 0.25
    night: float = 0.10
    midday_level: float = 0.45
    weekend_level: float = 0.65
    morning_hour: float = 8.0
    midday_hour: float = 13.0
    evening_hour: float = 17.5
    weekend_hour: float = 14.0
    morning_width: float = 1.2
    midday_width: float = 3.5
    evening_width: float = 1.6
    weekend_width: float = 4.0
    morning_low: float = 0.25
    morning_high: float = 0.75
    friday: float = 0.04
    sunday: float = -0.12
    holiday: float = -0.20
    wet: float = -0.06
    rain_per_mm: float = -0.015
    temperature_per_10: float = 0.03
    incident: float = -0.5
    ar1: float = 0.5
    ar2: float = 0.3
    rho: float = 0.4
    sd: float = 0.05
    capacity: float = 1.35
    incident_capacity: float = 0.45
    wet_speed: float = 0.92
    speed_sd: float = 1.5

    def __post_init__(self) -> None:
        checks.number("rho", self.rho, above=-1.0)
        if self.rho >= 1:
            raise InputError("rho", "be under 1", self.rho)
        if not (self.ar2 < 1 - abs(self.ar1) and self.ar2 > -1):
            rule = "be stationary: ar2 > -1 and |ar1| + ar2 < 1"
            raise InputError("ar1, ar2", rule, (self.ar1, self.ar2))
        for name in ("scale_arterial", "scale_collector", "night", "capacity", "incident_capacity", "wet_speed"):
            checks.number(name, getattr(self, name), above=0.0)
        for name in ("sd", "speed_sd", "scale_spread"):
            checks.number(name, getattr(self, name), minimum=0.0)


@dataclass(frozen=True, eq=False)
class Traffic:
    """Flow and speed without faults, and what they were drawn with sensor by sensor.

    Parameters
    ----------
    flow : ndarray, shape (T, N)
        Whole vehicles per hour.
    speed : ndarray, shape (T, N)
        To 0.1 km/h.
    index : ndarray, shape (T,)
        Mean over sensors of flow as a share of the sensor's scale.
    scale : ndarray, shape (N,)
        Median flow of the busiest hour of a dry working day at 10 °C [veh/h].
    morning_share : ndarray, shape (N,)
        Weight of the morning rush against the evening one.
    noise : ndarray, shape (T, N)
        z of the module's formula.
    """

    flow: FloatArray
    speed: FloatArray
    index: FloatArray
    scale: FloatArray
    morning_share: FloatArray
    noise: FloatArray


def traffic(
    seed: int,
    clock: Clock,
    sky: Weather,
    arterial: npt.NDArray[np.bool_],
    free_speed: FloatArray,
    near: npt.NDArray[np.int64],
    blocked: npt.NDArray[np.bool_],
    truth: TrafficTruth | None = None,
) -> Traffic:
    """Return flow and speed at every sensor.

    Parameters
    ----------
    seed : int
        The city's seed.
    clock : Clock
        The hours.
    sky : Weather
        Their weather.
    arterial : ndarray of bool, shape (N,)
        Whether the sensor stands on an arterial.
    free_speed : ndarray, shape (N,)
        Speed of an empty road [km/h].
    near : ndarray of int, shape (N, N)
        Adjacency of the sensors.
    blocked : ndarray of bool, shape (T, N)
        True while a crash blocks the road near the sensor.
    truth : TrafficTruth, optional
        What they are drawn with.
    """
    t = truth or TrafficTruth()
    n = len(arterial)
    rng = seeds.generator(seed, "synthetic", "traffic", "sensors")
    median = np.where(arterial, t.scale_arterial, t.scale_collector)
    scale = rounded(median * np.exp(t.scale_spread * rng.standard_normal(n)), 1)
    share = rounded(rng.uniform(t.morning_low, t.morning_high, n), 3)
    noise = _noise(seed, len(clock), near, t)
    daily = np.log(profiles(share, t))[clock.free.astype(np.int64), clock.hour]
    log_share = daily + _effects(clock, sky, t)[:, None] + t.incident * blocked + noise
    flow = rounded(scale * np.exp(log_share), 0)
    room = t.capacity * scale * np.where(blocked, t.incident_capacity, 1.0)
    free = free_speed * np.where(sky.wet, t.wet_speed, 1.0)[:, None]
    error = seeds.generator(seed, "synthetic", "traffic", "speed").standard_normal(flow.shape)
    speed = np.maximum(greenshields(flow / room, free) + t.speed_sd * error, 3.0)
    return Traffic(flow, rounded(speed, 1), row_mean(flow / scale), scale, share, noise)


def profiles(morning_share: FloatArray, truth: TrafficTruth) -> FloatArray:
    """Return each sensor's daily profile of a working and of a free day, shape (2, 24, N); peak of the first 1."""
    t, hour = truth, np.arange(24.0)[:, None]

    def wave(centre: float, width: float) -> FloatArray:
        off = (hour - centre) / width
        return np.exp(-0.5 * off * off)

    working = t.night + t.midday_level * wave(t.midday_hour, t.midday_width)
    working = working + morning_share * wave(t.morning_hour, t.morning_width)
    working = working + (1 - morning_share) * wave(t.evening_hour, t.evening_width)
    free = t.night + t.weekend_level * wave(t.weekend_hour, t.weekend_width) + 0 * morning_share
    return np.asarray(np.stack([working, free]) / working.max(axis=0))


def greenshields(ratio: FloatArray, free_speed: FloatArray) -> FloatArray:
    """Return speed by Greenshields' diagram: its free branch up to capacity, half free speed over the ratio beyond.

    Parameters
    ----------
    ratio : ndarray
        Flow over capacity.
    free_speed : ndarray
        Speed of the empty road [km/h].

    References
    ----------
    Greenshields (1935), A study of traffic capacity.

    Examples
    --------
    >>> greenshields(np.array([0.0, 0.75, 1.0, 2.0]), np.array(60.0)).tolist()
    [60.0, 45.0, 30.0, 15.0]
    """
    below = 1 + np.sqrt(np.maximum(1 - ratio, 0.0))
    return np.asarray(free_speed / 2 * np.where(ratio <= 1, below, 1 / np.maximum(ratio, 1.0)))


def row_standardised(near: npt.NDArray[np.int64]) -> FloatArray:
    """Return the weights W: each row of the adjacency divided by its sum."""
    return np.asarray(near / near.sum(axis=1, keepdims=True))


def _effects(clock: Clock, sky: Weather, t: TrafficTruth) -> FloatArray:
    return np.asarray(
        t.friday * (clock.weekday == 4)
        + t.sunday * (clock.weekday == 6)
        + t.holiday * (clock.holiday != "none")
        + t.wet * sky.wet
        + t.rain_per_mm * sky.rain
        + t.temperature_per_10 * (sky.temperature - 10) / 10
    )


def _noise(seed: int, hours: int, near: npt.NDArray[np.int64], t: TrafficTruth) -> FloatArray:
    n = len(near)
    eps = seeds.generator(seed, "synthetic", "traffic", "noise").standard_normal((BURN + hours, n))
    if not math.isclose(t.rho, 0.0):
        eps = product(eps, inverse(np.eye(n) - t.rho * row_standardised(near)).T)
    return autoregression(t.sd * eps, [t.ar1, t.ar2], BURN)
