"""Water mains: every main that was ever laid, its breaks and its end, and what the city's books hold of them.

At age a main i breaks with intensity, and ends with hazard,

    break_i(a) = z_i exp(x_i' beta) (length / 100 m)^length_power (k / theta) (a / theta)^(k - 1)
    end_i(a)   = (m / scale_i) (a / scale_i)^(m - 1)

with z_i gamma of mean 1 (frailty); besides, each break ends the main with a known
probability. An ended main is replaced the same day by one of the materials of that time.

What a city sees is less: a log of breaks that begins long after most mains were laid, and an
inventory of the mains in service on one day. The log names the place, and the place is now
looked up in that inventory; so breaks of a removed main point to the main that took its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import rounded
from citylib.data.synthetic.districts import Ground
from citylib.errors import InputError

__all__ = ["DIAMETERS", "ERAS", "MATERIALS", "SOILS", "Mains", "MainsTruth", "mains"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MATERIALS = ("cast iron", "ductile iron", "asbestos cement", "PVC")
SOILS = ("clay", "loam", "sand")
DIAMETERS = (100, 150, 200, 300, 450)
YEAR = 365.25  # days
Eras = tuple[tuple[int, tuple[float, ...]], ...]

# Shares of the materials laid, by the year from which they hold.
ERAS: Eras = (
    (0, (1.0, 0.0, 0.0, 0.0)),
    (1945, (0.75, 0.0, 0.25, 0.0)),
    (1962, (0.30, 0.45, 0.25, 0.0)),
    (1975, (0.0, 0.70, 0.05, 0.25)),
    (1990, (0.0, 0.25, 0.0, 0.75)),
)


@dataclass(frozen=True)
class MainsTruth:
    """What mains, breaks and removals are drawn with.

    Parameters
    ----------
    shape : float
        k: breaks grow with age to the power k - 1.
    theta_years : float
        Age by which a main of reference (cast iron, 150 mm, loam, 100 m, z = 1) breaks once on average.
    material : mapping of str to float
        Effects on the log intensity of breaks.
    soil : mapping of str to float
        Effects of the soil.
    diameter : float
        Effect of the logarithm of diameter / 150 mm.
    length_power : float
        Power of length with which breaks grow.
    frailty_variance : float
        Variance of z; 0: all z are 1.
    life_shape : float
        m: Weibull shape of the age at which a main is retired.
    life_years : mapping of str to float
        Weibull scale of that age, by material [years].
    removed_after_break : float
        Probability that a break ends the main.
    eras : tuple of (int, tuple of float)
        Year, and the shares of `MATERIALS` laid from then on.
    diameter_shares : tuple of float
        Shares of `DIAMETERS`.
    clay_west, clay_east, loam : float
        Share of clay at the western and at the eastern rim, even in between; share of loam; the rest is sand.
    length_median_m, length_sd : float
        Median length and standard deviation of its logarithm; 5 m at least.
    laid_centre, laid_rim, laid_late : float
        The first main of a place is laid at a Beta(a, laid_late) share of the time from first_year to the snapshot;
        a goes evenly from laid_centre at the city's centre to laid_rim at the farthest district.
    first_year : int
        Year from which mains were laid.
    recorded_since : str
        First day of the break log, and of the record of removals.
    snapshot : str
        Day of the inventory, the last day of both.
    """

    shape: float = 1.5
    theta_years: float = 36.0
    material: dict[str, float] = field(
        default_factory=lambda: {"cast iron": 0.0, "ductile iron": -0.4, "asbestos cement": -0.2, "PVC": -1.3}
    )
    soil: dict[str, float] = field(default_factory=lambda: {"clay": 0.5, "loam": 0.0, "sand": -0.2})
    diameter: float = -0.5
    length_power: float = 0.8
    frailty_variance: float = 0.6
    life_shape: float = 4.0
    life_years: dict[str, float] = field(
        default_factory=lambda: {"cast iron": 95.0, "ductile iron": 80.0, "asbestos cement": 75.0, "PVC": 110.0}
    )
    removed_after_break: float = 0.10
    eras: Eras = ERAS
    diameter_shares: tuple[float, ...] = (0.1, 0.45, 0.25, 0.15, 0.05)
    clay_west: float = 0.6
    clay_east: float = 0.2
    loam: float = 0.3
    length_median_m: float = 90.0
    length_sd: float = 0.6
    laid_centre: float = 1.2
    laid_rim: float = 2.7
    laid_late: float = 1.6
    first_year: int = 1920
    recorded_since: str = "1997-01-01"
    snapshot: str = "2022-12-31"

    def __post_init__(self) -> None:
        for name in ("shape", "theta_years", "life_shape", "length_median_m", "laid_centre", "laid_rim", "laid_late"):
            checks.number(name, getattr(self, name), above=0.0)
        for name in ("frailty_variance", "length_sd"):
            checks.number(name, getattr(self, name), minimum=0.0)
        for name in ("removed_after_break", "clay_west", "clay_east", "loam"):
            checks.fraction(name, getattr(self, name), closed=True)
        for name, known in (("material", MATERIALS), ("life_years", MATERIALS), ("soil", SOILS)):
            if set(getattr(self, name)) != set(known):
                raise InputError(name, f"name each once: {', '.join(known)}", getattr(self, name))
        for material, years in self.life_years.items():
            checks.number(f"life_years[{material!r}]", years, above=0.0)
        if max(self.clay_west, self.clay_east) + self.loam > 1:
            raise InputError("clay_west, clay_east", "leave room for loam", (self.clay_west, self.clay_east, self.loam))
        _shares("diameter_shares", self.diameter_shares, len(DIAMETERS))
        checks.increasing("eras", [year for year, _ in self.eras])
        for year, shares in self.eras:
            _shares(f"eras, {year}", shares, len(MATERIALS))


@dataclass(frozen=True, eq=False)
class Mains:
    """The truth, and what the city sees of it.

    Parameters
    ----------
    assets_all : pandas.DataFrame
        Every main ever laid: asset, place, installed, removed (NaT: in service at the snapshot), reason
        (``"age"``, ``"break"`` or ``""``), material, diameter_mm, length_m, soil, district, latitude, longitude,
        frailty, break_rate (z exp(x'beta) length factor), life_years (age at which it would be retired if no
        break ended it before).
    breaks_all : pandas.DataFrame
        Every break: asset, place, date, year, age_years, recorded (since the log began).
    assets : pandas.DataFrame
        The inventory: mains in service at the snapshot: asset, installed, installed_year, material, diameter_mm,
        length_m, soil, district, latitude, longitude.
    breaks : pandas.DataFrame
        The log's usable part: breaks of those mains since the log began; asset, date, year. Its ``attrs`` name the
        first and last year of the log, recorded_from and recorded_until.
    breaks_unused : pandas.DataFrame
        The rest of the log: breaks of removed mains, each put on the main that now lies at its place; asset, date,
        year, reason.
    removals : pandas.DataFrame
        Mains removed since the log began: asset, installed, removed, year, reason, material, diameter_mm, length_m,
        soil, district.
    """

    assets_all: pd.DataFrame
    breaks_all: pd.DataFrame
    assets: pd.DataFrame
    breaks: pd.DataFrame
    breaks_unused: pd.DataFrame
    removals: pd.DataFrame


def mains(seed: int, places: int, place: Ground, truth: MainsTruth | None = None) -> Mains:
    """Return the mains of a city.

    Parameters
    ----------
    seed : int
        The city's seed.
    places : int
        Number of places where a main lies, so of mains in the inventory.
    place : Ground
        The districts.
    truth : MainsTruth, optional
        What they are drawn with.
    """
    t = truth or MainsTruth()
    checks.integer("mains", places, minimum=1)
    site = _sites(seed, places, place, t)
    laid = _first_laid(seed, site, place, t)
    where = np.arange(places)
    generations: list[pd.DataFrame] = []
    logs: list[pd.DataFrame] = []
    number = 0
    while len(where):
        rng = seeds.generator(seed, "synthetic", "mains", "generation", len(generations))
        main, breaks = _lives(rng, where, laid, site.iloc[where].reset_index(drop=True), number, t)
        generations.append(main)
        logs.append(breaks)
        number += len(main)
        gone = main["removed_day"].to_numpy() <= _day(t.snapshot)
        where, laid = where[gone], main["removed_day"].to_numpy()[gone]
    return _views(pd.concat(generations, ignore_index=True), pd.concat(logs, ignore_index=True), t)


def _sites(seed: int, places: int, place: Ground, t: MainsTruth) -> pd.DataFrame:
    """Draw what stays when a main is replaced: where it lies, in which soil, how long it is."""
    rng = seeds.generator(seed, "synthetic", "mains", "places")
    district = np.sort(rng.integers(0, len(place), places))
    at = place.scatter(rng, district)
    # Soil changes from west to east: clay at the harbour, sand inland.
    east = (district % place.columns + 0.5) / place.columns
    draw = rng.random(places)
    clay = t.clay_west + (t.clay_east - t.clay_west) * east
    soil = np.where(draw < clay, 0, np.where(draw < clay + t.loam, 1, 2))
    length = t.length_median_m * np.exp(t.length_sd * rng.standard_normal(places))
    length = np.maximum(rounded(length, 1), 5.0)
    return pd.DataFrame(
        {
            "length_m": length,
            "soil": np.array(SOILS, dtype=object)[soil],
            "district": np.array(place.names, dtype=object)[district],
            "latitude": at[:, 0],
            "longitude": at[:, 1],
        }
    )


def _first_laid(seed: int, site: pd.DataFrame, place: Ground, t: MainsTruth) -> IntArray:
    """Draw the day of each place's first main: the centre is older than the rim."""
    rng = seeds.generator(seed, "synthetic", "mains", "first")
    quads = place.quads().sum(axis=1) / 4
    off = quads - quads.sum(axis=0) / len(quads)
    distance = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1])
    rim = pd.Series(distance / distance.max(), index=list(place.names))[site["district"]].to_numpy()
    share = rng.beta(t.laid_centre + (t.laid_rim - t.laid_centre) * rim, t.laid_late)
    first, last = _day(f"{t.first_year}-01-01"), _day(t.snapshot)
    return np.asarray(first + np.floor(share * (last - first)).astype(np.int64))


def _lives(
    rng: np.random.Generator, where: IntArray, laid: IntArray, site: pd.DataFrame, number: int, t: MainsTruth
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw material, breaks and end of the mains laid at `where` on day `laid`."""
    n = len(where)
    material = _materials(rng, laid, t.eras)
    diameter = np.array(DIAMETERS)[rng.choice(len(DIAMETERS), n, p=t.diameter_shares)]
    variance = t.frailty_variance
    frailty = rng.gamma(1 / variance, variance, n) if variance > 0 else np.ones(n)
    log_rate = pd.Series(material).map(t.material).to_numpy() + site["soil"].map(t.soil).to_numpy()
    log_rate = log_rate + t.diameter * np.log(diameter / 150)
    rate = frailty * np.exp(log_rate) * (site["length_m"].to_numpy() / 100) ** t.length_power
    scale = pd.Series(material).map(t.life_years).to_numpy()
    life = rounded(scale * rng.standard_exponential(n) ** (1 / t.life_shape), 4)

    # Breaks up to the snapshot or retirement: a Poisson number, at ages whose k-th powers are uniform.
    known = np.minimum(life, (_day(t.snapshot) - laid) / YEAR)
    count = rng.poisson(rate * (known / t.theta_years) ** t.shape)
    main = np.repeat(np.arange(n), count)
    age = known[main] * rng.random(len(main)) ** (1 / t.shape)
    fatal = rng.random(len(main)) < t.removed_after_break
    last = np.full(n, np.inf)
    np.minimum.at(last, main[fatal], age[fatal])
    keep = age <= last[main]
    main, age = main[keep], age[keep]
    order = np.lexsort((age, main))
    main, age = main[order], age[order]

    broken = last < life
    ended = laid + np.ceil(np.minimum(last, life) * YEAR).astype(np.int64)
    day = laid[main] + np.ceil(age * YEAR).astype(np.int64)
    ids = np.array([f"M{k:05d}" for k in range(number, number + n)], dtype=object)
    frame = pd.DataFrame(
        {"asset": ids, "place": where, "installed_day": laid, "removed_day": ended}
        | {"reason": np.where(broken, "break", "age").astype(object), "material": material, "diameter_mm": diameter}
        | {name: site[name] for name in site}
        | {"frailty": rounded(frailty, 6), "break_rate": rounded(rate, 6), "life_years": life}
    )
    log = pd.DataFrame({"asset": ids[main], "place": where[main], "day": day, "age_years": rounded(age, 4)})
    return frame, log


def _materials(rng: np.random.Generator, laid: IntArray, eras: Eras) -> npt.NDArray[np.object_]:
    year = laid.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    era = np.searchsorted([since for since, _ in eras], year, side="right") - 1
    cumulated = np.cumsum([shares for _, shares in eras], axis=1)[era]
    cumulated[:, -1] = 1.0
    kind = (rng.random(len(laid))[:, None] >= cumulated).sum(axis=1)
    return np.asarray(np.array(MATERIALS, dtype=object)[kind])


def _views(every: pd.DataFrame, log: pd.DataFrame, t: MainsTruth) -> Mains:
    """Split the truth into what the city sees."""
    snapshot, since = _day(t.snapshot), _day(t.recorded_since)
    in_service = every["removed_day"].to_numpy() > snapshot
    log = log[log["day"] <= snapshot]
    every.insert(2, "installed", _dates(every["installed_day"]))
    every.insert(3, "removed", _dates(every["removed_day"]).where(~in_service))
    every.loc[in_service, "reason"] = ""
    recorded = every["removed_day"].between(since, snapshot).to_numpy()
    every = every.drop(columns=["installed_day", "removed_day"])
    log = log.sort_values(["day", "asset"], ignore_index=True)
    log = log.assign(date=_dates(log["day"]), recorded=log["day"] >= since)
    log["year"] = log["date"].dt.year.astype(np.int64)
    breaks_all = log[["asset", "place", "date", "year", "age_years", "recorded"]]

    seen = ["asset", "installed", "material", "diameter_mm", "length_m", "soil", "district"]
    assets = every.loc[in_service, [*seen, "latitude", "longitude"]].reset_index(drop=True)
    assets.insert(2, "installed_year", assets["installed"].dt.year.astype("Int64"))
    now = every[in_service].set_index("place")
    raw = log[log["recorded"]].reset_index(drop=True)
    current = now.loc[raw["place"], "asset"].to_numpy()
    usable = (raw["asset"] == current).to_numpy()
    raw = raw.assign(asset=current)[["asset", "date", "year"]]
    breaks = raw[usable].reset_index(drop=True)
    unused = raw[~usable].reset_index(drop=True).assign(reason="of the main that lay there before")
    for part in (breaks, unused):
        part.attrs = {"recorded_from": int(t.recorded_since[:4]), "recorded_until": int(t.snapshot[:4])}
    removals = every.loc[recorded, [*seen[:2], "removed", "reason", *seen[2:]]].reset_index(drop=True)
    removals.insert(3, "year", removals["removed"].dt.year.astype(np.int64))
    return Mains(every, breaks_all, assets, breaks, unused, removals)


def _shares(argument: str, shares: tuple[float, ...], number: int) -> None:
    checks.array(argument, shares, ndim=1, minimum=0.0)
    if len(shares) != number or not math.isclose(sum(shares), 1.0):
        raise InputError(argument, f"be {number} shares that sum to 1", shares)


def _day(date: str) -> int:
    return int(np.datetime64(date, "D").astype(np.int64))


def _dates(day: pd.Series[int]) -> pd.Series[pd.Timestamp]:
    return pd.Series(day.to_numpy().astype("datetime64[D]").astype("datetime64[ns]"), index=day.index)
