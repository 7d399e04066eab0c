"""Requests: what residents report to the city, in their words, and when it was dealt with.

A request's category, district, hour and channel are drawn from planted shares; its text comes
from a small grammar that knows only category and place, never the outcome. The time to closure
is Weibull (accelerated failure time),

    log days = log scale_category + district effect + wet effect + log(E) / shape,   E standard exponential,

and a request not closed by the snapshot is open: its time is censored.
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

__all__ = ["CATEGORIES", "CHANNELS", "OUTCOMES", "Category", "RequestsTruth", "requests"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CHANNELS = ("app", "call", "web")
OUTCOMES = ("resolved", "noted", "duplicate", "invalid")


@dataclass(frozen=True)
class Category:
    """A kind of request.

    Parameters
    ----------
    department : str
        Who deals with it.
    share : float
        Share of all requests.
    scale_days : float
        Weibull scale of its time to closure.
    target_days : int
        Time within which the department promises to close it.
    wet : float
        Effect of rain in the hour of opening on the log weight of the category.
    things : tuple of str
        What is wrong with, in the reporter's words.
    states : tuple of str
        How it is wrong.
    """

    department: str
    share: float
    scale_days: float
    target_days: int
    wet: float
    things: tuple[str, ...]
    states: tuple[str, ...]


# Things and states are shared between some categories on purpose: words alone do not always tell.
CATEGORIES: dict[str, Category] = {
    "Pothole": Category(
        "Roads", 0.18, 12.0, 14, 0.2, ("hole", "pothole", "road surface"), ("deep", "broken up", "getting worse")
    ),
    "Street light": Category(
        "Lighting", 0.15, 16.0, 14, 0.0, ("street light", "lamp", "lamp post"), ("out", "flickering", "leaning")
    ),
    "Traffic signal": Category(
        "Lighting", 0.06, 2.0, 2, 0.0, ("signal", "traffic light", "lamp"), ("out", "stuck on red", "flickering")
    ),
    "Missed collection": Category(
        "Waste", 0.17, 2.0, 2, 0.0, ("bin", "recycling", "rubbish"), ("not collected", "left behind", "overflowing")
    ),
    "Dumped rubbish": Category(
        "Waste", 0.12, 6.0, 5, 0.0, ("mattress", "rubbish", "pile of bags"), ("dumped", "left behind", "smelling")
    ),
    "Blocked drain": Category(
        "Water", 0.10, 5.0, 5, 1.2, ("drain", "gully", "water"), ("blocked", "overflowing", "smelling")
    ),
    "Water leak": Category(
        "Water", 0.06, 1.0, 1, 0.0, ("water", "pipe", "hydrant"), ("leaking", "running down the road", "getting worse")
    ),
    "Fallen tree": Category(
        "Parks", 0.08, 10.0, 10, 0.4, ("tree", "branch", "trunk"), ("down", "leaning", "blocking the path")
    ),
    "Graffiti": Category("Parks", 0.08, 40.0, 30, 0.0, ("wall", "bench", "sign"), ("sprayed", "painted over", "dirty")),
}

OPENINGS = ("Please look at this:", "Again:", "Hello,", "To the city:", "", "Reporting that", "For a week now")
PLACES = (
    "near the school",
    "at the corner",
    "by the bus stop",
    "outside the shop",
    "opposite the park",
    "on my street",
)
GENERIC = ("something is wrong here", "this needs attention", "can somebody come and look", "it is still not done")


@dataclass(frozen=True)
class RequestsTruth:
    """What requests are drawn with.

    Parameters
    ----------
    categories : mapping of str to Category
        The categories, by name.
    shape : float
        Weibull shape of the time to closure.
    district_log_days : mapping of str to float
        Effect of a district on log days; others 0.
    wet_log_days : float
        Effect on log days of rain in the hour of opening.
    generic_text_share : float
        Share of texts that say nothing of the category.
    channel : mapping of str to float
        Shares of the channels.
    outcome : mapping of str to float
        Shares of the outcomes of closed requests, independent of everything else.
    free_day : float
        Weight of an hour on a free day against the same hour of a working day.
    busiest_hour, busy_width : float
        Centre of the day's wave of openings, and its width as the standard deviation of a bell [h].
    night_share : float
        What an hour of the night weighs against the busiest one.
    """

    categories: dict[str, Category] = field(default_factory=lambda: dict(CATEGORIES))
    shape: float = 0.7
    district_log_days: dict[str, float] = field(default_factory=lambda: {"Kiln Yard": 0.5, "North Harbour": -0.2})
    wet_log_days: float = 0.15
    generic_text_share: float = 0.06
    channel: dict[str, float] = field(default_factory=lambda: {"app": 0.45, "call": 0.35, "web": 0.20})
    outcome: dict[str, float] = field(
        default_factory=lambda: {"resolved": 0.70, "noted": 0.15, "duplicate": 0.10, "invalid": 0.05}
    )
    free_day: float = 0.5
    busiest_hour: float = 12.0
    busy_width: float = 4.0
    night_share: float = 0.05

    def __post_init__(self) -> None:
        checks.number("shape", self.shape, above=0.0)
        checks.number("busy_width", self.busy_width, above=0.0)
        for name in ("generic_text_share", "night_share"):
            checks.fraction(name, getattr(self, name), closed=True)
        checks.number("free_day", self.free_day, above=0.0)
        for name, known in (("channel", CHANNELS), ("outcome", OUTCOMES)):
            if not set(getattr(self, name)) <= set(known):
                raise InputError(name, f"be shares of: {', '.join(known)}", getattr(self, name))
        if not self.categories:
            raise InputError("categories", "hold at least one", self.categories)


def requests(
    seed: int, number: int, clock: Clock, sky: Weather, place: Ground, truth: RequestsTruth | None = None
) -> pd.DataFrame:
    """Return the requests of a city.

    Parameters
    ----------
    seed : int
        The city's seed.
    number : int
        How many are opened in the period.
    clock : Clock
        The hours; the snapshot is taken at their end.
    sky : Weather
        Their weather.
    place : Ground
        The districts.
    truth : RequestsTruth, optional
        What they are drawn with.

    Returns
    -------
    pandas.DataFrame
        request, opened, target, closed (NaT: open at the snapshot), status (Open, Closed), outcome (None: open),
        department, category, channel, text, district, latitude, longitude; sorted by opening. ``attrs["future"]``
        names the columns that are not known when a request comes in, ``attrs["snapshot"]`` when the open ones were
        censored.
    """
    t = truth or RequestsTruth()
    checks.integer("requests", number, minimum=1)
    rng = seeds.generator(seed, "synthetic", "requests")
    opened = _openings(rng, clock, number, t)
    wet = sky.wet[opened // 3600]
    kinds = list(t.categories.values())
    district = _draw(rng, place.population.astype(np.float64), number)
    category = _categories(rng, kinds, wet)
    effect = np.array([t.district_log_days.get(name, 0.0) for name in place.names])[district] + t.wet_log_days * wet
    scale = np.array([c.scale_days for c in kinds])[category] * np.exp(effect)
    days = scale * rng.standard_exponential(number) ** (1 / t.shape)
    closed = opened + np.ceil(days * 1440).astype(np.int64) * 60
    still_open = closed >= len(clock) * 3600
    outcome = pd.Series(_words(rng, t.outcome, number), dtype=object).mask(still_open, None)
    channel = _words(rng, t.channel, number)
    at = place.scatter(rng, district)
    start = clock.times[0]
    frame = pd.DataFrame(
        {
            "request": [f"R{k:06d}" for k in range(number)],
            "opened": _moments(start, opened),
            "target": _moments(start, opened + np.array([c.target_days for c in kinds])[category] * 86400),
            "closed": pd.Series(_moments(start, closed)).where(~still_open),
            "status": np.where(still_open, "Open", "Closed").astype(object),
            "outcome": outcome,
            "department": np.array([c.department for c in kinds], dtype=object)[category],
            "category": np.array(list(t.categories), dtype=object)[category],
            "channel": channel,
            "text": _texts(seed, category, kinds, t),
            "district": np.array(place.names, dtype=object)[district],
            "latitude": at[:, 0],
            "longitude": at[:, 1],
        }
    )
    snapshot = str(clock.times[-1] + np.timedelta64(1, "h"))[:16].replace("T", " ")
    frame.attrs = {"future": ["closed", "status", "outcome"], "snapshot": snapshot}
    return frame


def _openings(rng: np.random.Generator, clock: Clock, number: int, t: RequestsTruth) -> IntArray:
    """Draw the second in which each request is opened, sorted."""
    wave = (clock.hour - t.busiest_hour) / t.busy_width
    weight = np.where(clock.free, t.free_day, 1.0) * (t.night_share + np.exp(-0.5 * wave * wave))
    return np.sort(_draw(rng, weight, number) * 3600 + rng.integers(0, 3600, number))


def _categories(rng: np.random.Generator, kinds: list[Category], wet: npt.NDArray[np.bool_]) -> IntArray:
    """Draw what each request is about, by the shares of a dry or of a wet hour."""
    share = np.array([c.share for c in kinds])
    dry = _draw(rng, share, len(wet))
    rainy = _draw(rng, share * np.exp([c.wet for c in kinds]), len(wet))
    return np.where(wet, rainy, dry)


def _words(rng: np.random.Generator, shares: dict[str, float], number: int) -> npt.NDArray[np.object_]:
    words = np.array(list(shares), dtype=object)
    return np.asarray(words[_draw(rng, np.array(list(shares.values())), number)])


def _draw(rng: np.random.Generator, weights: FloatArray, number: int) -> IntArray:
    """Draw places in proportion to weights, by one uniform number each."""
    edges = np.cumsum(weights)
    drawn = np.searchsorted(edges, rng.random(number) * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(weights) - 1), dtype=np.int64)


def _moments(start: np.datetime64, seconds: IntArray) -> npt.NDArray[np.datetime64]:
    return np.asarray(start + seconds.astype("timedelta64[s]").astype("timedelta64[ns]"))


def _texts(seed: int, category: IntArray, kinds: list[Category], t: RequestsTruth) -> list[str]:
    rng = seeds.generator(seed, "synthetic", "requests", "text")
    n = len(category)
    opening, where, generic = (rng.integers(0, len(words), n) for words in (OPENINGS, PLACES, GENERIC))
    thing, state = rng.random(n), rng.random(n)
    vague = rng.random(n) < t.generic_text_share
    texts = []
    columns = (category, opening, where, generic, thing, state, vague)
    for c, o, w, g, h, s, v in zip(*(column.tolist() for column in columns), strict=True):
        said = GENERIC[g] if v else f"{_pick(kinds[c].things, h)} {_pick(kinds[c].states, s)}"
        texts.append(f"{OPENINGS[o]} {said} {PLACES[w]}".strip())
    return texts


def _pick(words: tuple[str, ...], at: float) -> str:
    return words[int(at * len(words))]
