"""Incidents come at the planted rates, by kind, district, hour and weather."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.data.synthetic.days import clock
from citylib.data.synthetic.districts import ground
from citylib.data.synthetic.incidents import KINDS, IncidentsTruth, hour_shares, incidents, rates
from citylib.data.synthetic.weather import weather
from citylib.errors import InputError

TRUTH = IncidentsTruth()
HOURS = clock(3 * 365)


@pytest.fixture(scope="module")
def town():
    sky, place = weather(0, HOURS), ground(0, 12)
    return sky, place, incidents(0, HOURS, sky, place)


def test_counts_are_poisson_at_the_planted_rates(town):
    """Sums over every grouping lie within four standard errors of what the law expects."""
    sky, place, frame = town
    hour = ((frame["time"] - HOURS.times[0]) // np.timedelta64(1, "h")).to_numpy()
    district = frame["district"].map({name: d for d, name in enumerate(place.names)}).to_numpy()
    for kind in KINDS:
        expected = rates(HOURS, sky, place, kind, TRUTH)
        mine = (frame["kind"] == kind).to_numpy()
        count = np.zeros(expected.shape)
        np.add.at(count, (hour[mine], district[mine]), 1)
        groups = [
            (count.sum(axis=0), expected.sum(axis=0)),
            *((count[p].sum(axis=0), expected[p].sum(axis=0)) for p in (sky.wet, ~sky.wet, HOURS.hour < 6)),
        ]
        for seen, law in groups:
            assert (np.abs(seen - law) < 4.5 * np.sqrt(law) + 1).all()
        dispersion = ((count - expected) ** 2).sum() / expected.sum()
        assert dispersion == pytest.approx(1.0, abs=0.05)


def test_rain_brings_crashes(town):
    sky, _, frame = town
    wet = sky.wet[((frame["time"] - HOURS.times[0]) // np.timedelta64(1, "h")).to_numpy()]
    crash = (frame["kind"] == "crash").to_numpy()
    ratio = (crash & wet).sum() / sky.wet.sum() / ((crash & ~wet).sum() / (~sky.wet).sum())
    error = np.sqrt(1 / (crash & wet).sum() + 1 / (crash & ~wet).sum())
    assert np.log(ratio) == pytest.approx(TRUTH.wet["crash"], abs=4 * error)


def test_an_even_city_has_the_rate_per_thousand_people():
    even = IncidentsTruth(density_power=0.0, wet=dict.fromkeys(KINDS, 0.0))
    place, year = ground(1, 4), clock(365)
    for kind in KINDS:
        total = rates(year, weather(1, year), place, kind, even).sum()
        assert total == pytest.approx(even.per_1000_year[kind] * place.population.sum() / 1000, rel=1e-9)
        assert hour_shares(kind, even).sum() == pytest.approx(1.0)
        assert hour_shares(kind, even).argmax() == even.busiest_hour[kind]


def test_marks_and_order(town):
    _, _, frame = town
    assert frame["time"].is_monotonic_increasing
    assert frame["incident"].is_unique
    assert frame["units"].mean() == pytest.approx(1 / (1 - TRUTH.more_units), rel=0.05)
    assert frame["hours"].mean() == pytest.approx(1 / (1 - TRUTH.more_hours), rel=0.05)
    assert frame["units"].min() == frame["hours"].min() == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"wet": {"crash": 0.5}}, "wet must name every kind once: crash, fire, medical"),
        ({"night_share": 0.0}, "night_share must lie between 0 and 1"),
        ({"per_1000_year": {"crash": -1.0, "fire": 1.0, "medical": 1.0}}, "must be at least 0"),
    ],
)
def test_laws_without_incidents_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        IncidentsTruth(**wrong)
