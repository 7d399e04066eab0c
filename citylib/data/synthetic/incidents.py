"""Incidents: calls for the emergency services, an inhomogeneous Poisson process over hours and districts.

Expected calls of a kind in an hour and district = people / 1,000 * rate of the kind
* (density / city's density)^power * hour's share of the kind * exp(wet effect, if it rains).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.data.synthetic.days import Clock
from citylib.data.synthetic.districts import Ground
from citylib.data.synthetic.weather import Weather
from citylib.errors import InputError

__all__ = ["KINDS", "IncidentsTruth", "hour_shares", "incidents", "rates"]

FloatArray = npt.NDArray[np.float64]

KINDS = ("crash", "fire", "medical")


@dataclass(frozen=True)
class IncidentsTruth:
    """What incidents are drawn with.

    Parameters
    ----------
    per_1000_year : mapping of str to float
        Calls per 1,000 people and year in a dry city of even density.
    density_power : float
        Power of a district's density, relative to the city's.
    wet : mapping of str to float
        Effect of rain on the log rate, by kind.
    busiest_hour, busy_width : mapping of str to float
        Centre of the wave that a kind follows round the clock, and its width as the standard deviation of a bell [h].
    night_share : float
        Lowest hour's weight as a share of the highest.
    more_units : float
        Probability that one more unit is sent, again and again.
    more_hours : float
        Probability that it lasts one more hour, again and again.
    """

    per_1000_year: dict[str, float] = field(default_factory=lambda: {"crash": 6.0, "fire": 4.0, "medical": 16.0})
    density_power: float = 0.3
    wet: dict[str, float] = field(default_factory=lambda: {"crash": 0.5, "fire": -0.2, "medical": 0.0})
    busiest_hour: dict[str, float] = field(default_factory=lambda: {"crash": 17.0, "fire": 20.0, "medical": 14.0})
    busy_width: dict[str, float] = field(default_factory=lambda: {"crash": 4.0, "fire": 5.0, "medical": 6.0})
    night_share: float = 0.25
    more_units: float = 0.3
    more_hours: float = 0.4

    def __post_init__(self) -> None:
        for name in ("per_1000_year", "wet", "busiest_hour", "busy_width"):
            if set(getattr(self, name)) != set(KINDS):
                raise InputError(name, f"name every kind once: {', '.join(KINDS)}", getattr(self, name))
        for kind in KINDS:
            checks.number(f"per_1000_year[{kind!r}]", self.per_1000_year[kind], minimum=0.0)
            checks.number(f"busy_width[{kind!r}]", self.busy_width[kind], above=0.0)
        for name in ("night_share", "more_units", "more_hours"):
            checks.fraction(name, getattr(self, name))


def hour_shares(kind: str, truth: IncidentsTruth) -> FloatArray:
    """Return the share of a day's calls that falls on each hour, shape (24,), sum 1."""
    off = (np.arange(24.0) - truth.busiest_hour[kind] + 12) % 24 - 12
    width = truth.busy_width[kind]
    weight = truth.night_share + (1 - truth.night_share) * np.exp(-0.5 * (off / width) * (off / width))
    total = 0.0
    for w in weight.tolist():
        total += w
    return np.asarray(weight / total)


def rates(clock: Clock, sky: Weather, place: Ground, kind: str, truth: IncidentsTruth) -> FloatArray:
    """Return the calls of a kind that are expected by hour and district.

    Parameters
    ----------
    clock : Clock
        The hours.
    sky : Weather
        Their weather.
    place : Ground
        The districts.
    kind : str
        What is called for.
    truth : IncidentsTruth
        What calls are drawn with.

    Returns
    -------
    ndarray, shape (T, D)
        Calls an hour.
    """
    density = place.population / place.area_km2
    relative = density / (int(place.population.sum()) / float(place.area_km2.sum()))
    per_day = truth.per_1000_year[kind] / 365 * place.population / 1000 * relative**truth.density_power
    by_hour = hour_shares(kind, truth)[clock.hour] * np.exp(truth.wet[kind] * sky.wet)
    return np.asarray(by_hour[:, None] * per_day[None, :])


def incidents(
    seed: int, clock: Clock, sky: Weather, place: Ground, truth: IncidentsTruth | None = None
) -> pd.DataFrame:
    """Return the incidents of a city.

    Parameters
    ----------
    seed : int
        The city's seed.
    clock : Clock
        The hours.
    sky : Weather
        Their weather.
    place : Ground
        The districts.
    truth : IncidentsTruth, optional
        What they are drawn with.

    Returns
    -------
    pandas.DataFrame
        incident, time, kind, district, latitude, longitude, units, hours; sorted by time.
    """
    t = truth or IncidentsTruth()
    hour, district, kind, minute = [], [], [], []
    for k, name in enumerate(KINDS):
        rng = seeds.generator(seed, "synthetic", "incidents", name)
        count = rng.poisson(rates(clock, sky, place, name, t))
        at, where = np.nonzero(count)
        times = count[at, where]
        hour.append(np.repeat(at, times))
        district.append(np.repeat(where, times))
        kind.append(np.full(int(times.sum()), k))
        minute.append(rng.integers(0, 60, int(times.sum())))
    hours, districts, kinds, minutes = map(np.concatenate, (hour, district, kind, minute))
    order = np.lexsort((districts, kinds, minutes, hours))
    hours, districts, kinds, minutes = hours[order], districts[order], kinds[order], minutes[order]
    rng = seeds.generator(seed, "synthetic", "incidents", "marks")
    place_at = place.scatter(rng, districts)
    return pd.DataFrame(
        {
            "incident": [f"I{k:05d}" for k in range(len(order))],
            "time": clock.times[hours] + minutes.astype("timedelta64[m]").astype("timedelta64[ns]"),
            "kind": np.array(KINDS, dtype=object)[kinds],
            "district": np.array(place.names, dtype=object)[districts],
            "latitude": place_at[:, 0],
            "longitude": place_at[:, 1],
            "units": rng.geometric(1 - t.more_units, len(order)),
            "hours": rng.geometric(1 - t.more_hours, len(order)),
        }
    )
