"""Requests come in the planted shares, are closed by the planted law, and their words know no outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from citylib.data.synthetic.days import clock
from citylib.data.synthetic.districts import ground
from citylib.data.synthetic.requests import CATEGORIES, GENERIC, RequestsTruth, requests
from citylib.data.synthetic.weather import weather
from citylib.errors import InputError

TRUTH = RequestsTruth()
HOURS = clock(365)
SKY = weather(0, HOURS)
PLACE = ground(0, 12)
NUMBER = 60_000


@pytest.fixture(scope="module")
def frame():
    return requests(0, NUMBER, HOURS, SKY, PLACE)


def wet(frame):
    return SKY.wet[((frame["opened"] - HOURS.times[0]) // np.timedelta64(1, "h")).to_numpy()]


def share_within(share, p, n):
    assert share == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))


def test_shares_are_as_planted(frame):
    dry = frame[~wet(frame)]
    for name, category in CATEGORIES.items():
        share_within((dry["category"] == name).mean(), category.share, len(dry))
    for column, law in (("channel", TRUTH.channel), ("outcome", TRUTH.outcome)):
        known = frame[column].dropna()
        for word, p in law.items():
            share_within((known == word).mean(), p, len(known))
    people = pd.Series(PLACE.population / PLACE.population.sum(), index=list(PLACE.names))
    for name, p in people.items():
        share_within((frame["district"] == name).mean(), p, NUMBER)


def test_rain_blocks_drains(frame):
    rainy = frame[wet(frame)]
    weights = pd.Series({name: c.share * np.exp(c.wet) for name, c in CATEGORIES.items()})
    p = weights["Blocked drain"] / weights.sum()
    share_within((rainy["category"] == "Blocked drain").mean(), p, len(rainy))


def test_time_to_closure_is_weibull_with_its_effects(frame):
    """Closures over the integrated hazard of a reference district: exp(-shape effect), censored cases in."""
    end = frame["closed"].fillna(pd.Timestamp("2024-01-01"))
    days = ((end - frame["opened"]) / pd.Timedelta(days=1)).to_numpy()
    scale = frame["category"].map({name: c.scale_days for name, c in CATEGORIES.items()}).to_numpy()
    district = frame["district"].map(TRUTH.district_log_days).fillna(0.0).to_numpy()
    rain = TRUTH.wet_log_days * wet(frame)
    closed = frame["closed"].notna().to_numpy()
    for name, effect in {**TRUTH.district_log_days, "Saltmarsh": 0.0}.items():
        here = (frame["district"] == name).to_numpy()
        hazard = ((days / scale / np.exp(rain)) ** TRUTH.shape)[here].sum()
        estimate = -np.log(closed[here].sum() / hazard) / TRUTH.shape
        assert estimate == pytest.approx(effect, abs=4 / np.sqrt(closed[here].sum()) / TRUTH.shape)
    # Score of the shape at the truth, by its standard error: sum over closures of 1 + log H - sum of H log H.
    risk = (days / scale / np.exp(district + rain)) ** TRUTH.shape
    score = (closed * (1 + np.log(risk)) - risk * np.log(risk)).sum()
    assert abs(score) < 4 * np.sqrt(closed.sum() * (1 + (1 - np.euler_gamma) ** 2 + np.pi**2 / 6))


def test_open_cases_are_censored_at_the_snapshot(frame):
    end = pd.Timestamp("2024-01-01")
    still = frame["status"] == "Open"
    assert frame.attrs == {"future": ["closed", "status", "outcome"], "snapshot": "2024-01-01 00:00"}
    assert 0.01 < still.mean() < 0.2
    assert (still == frame["closed"].isna()).all()
    assert (still == frame["outcome"].isna()).all()
    assert (frame["closed"].dropna() < end).all()
    assert (frame["closed"] > frame["opened"])[~still].all()
    assert frame["opened"].is_monotonic_increasing
    assert frame["opened"].between(pd.Timestamp("2023-01-01"), end, inclusive="left").all()
    targets = frame["category"].map({name: c.target_days for name, c in CATEGORIES.items()})
    assert (frame["target"] - frame["opened"] == pd.to_timedelta(targets, unit="D")).all()


def test_words_know_category_and_place_only(frame):
    slow = requests(0, NUMBER, HOURS, SKY, PLACE, replace(TRUTH, shape=0.3, wet_log_days=2.0))
    assert slow["text"].equals(frame["text"])
    assert not slow["closed"].equals(frame["closed"])
    vague = frame["text"].str.contains("|".join(GENERIC))
    share_within(vague.mean(), TRUTH.generic_text_share, NUMBER)
    said = frame[~vague]
    for name, part in said.groupby("category"):
        assert part["text"].str.contains("|".join(CATEGORIES[name].things)).all()
    assert frame["text"].map(str.strip).equals(frame["text"])


def test_departments_own_categories(frame):
    assert (frame["department"] == frame["category"].map({k: c.department for k, c in CATEGORIES.items()})).all()


def test_fewer_are_opened_on_free_days(frame):
    day = frame["opened"].dt.normalize()
    free = pd.Series(HOURS.free, index=pd.DatetimeIndex(HOURS.times)).resample("D").first()
    count = day.value_counts().reindex(free.index, fill_value=0)
    ratio = count[free].mean() / count[~free].mean()
    assert ratio == pytest.approx(TRUTH.free_day, rel=0.08)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shape": 0.0}, "shape must be more than 0"),
        ({"generic_text_share": 2.0}, "generic_text_share must lie between 0 and 1"),
        ({"outcome": {"lost": 1.0}}, "outcome must be shares of: resolved, noted, duplicate, invalid"),
        ({"categories": {}}, "categories must hold at least one"),
        ({"free_day": 0.0}, "free_day must be more than 0"),
    ],
)
def test_laws_without_requests_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        RequestsTruth(**wrong)


def test_no_requests_are_refused():
    with pytest.raises(InputError, match="requests must be at least 1"):
        requests(0, 0, HOURS, SKY, PLACE)
