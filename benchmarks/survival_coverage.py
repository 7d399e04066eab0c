"""Do 95 % intervals of Cox regressions and survival curves cover the planted truth of 2,000 synthetic cities?

Each city is drawn anew: its mains with breaks, and its requests. What a check looks at follows its model exactly, so
that what is missed is the interval's fault:

- coefficients, errors of the model: breaks by a main's age as recurrent events, no frailty; breaks may end a main;
- coefficients, errors robust by main: gamma frailty makes the breaks of a main depend on each other, and no break ends
  a main (it would take the frail ones away and leave another effect than the planted one);
- survival, late entries: age at which cast-iron mains are retired, of those that reached 40 years, watched since 1997;
- survival, from the start: days until a request about a street light is closed, open ones censored;
- incidence: the same days, closed as noted.

Each check counts in how many cities the truth lies inside; that has to be inside the 99.9 % binomial band around 95 %.
What each hundred of cities gave is kept in ``_build/coverage`` until the code changes: a run that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict

FloatArray = npt.NDArray[np.float64]
Columns = dict[str, Any]
CITIES, PART, QUICK = 2_000, 100, 20
MAINS, REQUESTS, DAYS, DISTRICTS = 4_000, 3_000, 60, 12
LEVEL, BAND = 0.95, 0.999
REACHED, AGES = 40.0, (50.0, 65.0, 80.0)
CLOSED = (3.0, 10.0, 25.0)
KIND, OUTCOME = "Street light", "noted"
COVARIATES = ("ductile iron", "asbestos cement", "PVC", "clay", "sand", "log diameter", "log length")
KEPT = rows.ROOT / "_build" / "coverage"
PACKAGES = ("numpy", "numba", "scipy", "pandas")
FILES = (
    "citylib/survival/cox*.py", "citylib/survival/risk_sets.py", "benchmarks/survival_coverage.py", "citylib/seeds.py",
    *(f"citylib/survival/{n}.py" for n in (
        "counting", "cumulative_incidence", "curve", "kaplan_meier", "life_table", "running", "sorting")),
    *(f"citylib/data/synthetic/{n}.py" for n in ("arithmetic", "assets", "days", "districts", "requests", "weather")),
)  # fmt: skip
ESTIMATES = {
    **{f"coefficient of {name}, errors of the model": ("model", k) for k, name in enumerate(COVARIATES)},
    **{f"coefficient of {name}, errors robust by main": ("robust", k) for k, name in enumerate(COVARIATES)},
    **{f"survival of cast iron from {REACHED:g} to {age:g} years": ("late", k) for k, age in enumerate(AGES)},
    **{f"survival of requests to {day:g} days": ("start", k) for k, day in enumerate(CLOSED)},
    **{f"incidence of {OUTCOME} by {day:g} days": ("incidence", k) for k, day in enumerate(CLOSED)},
}


def recurrent(pipes: Any) -> Columns:
    """Return the rows (entry, stop] of every main by its age in days, one up to each break since the log began."""
    main, log = pipes.assets_all, pipes.breaks_all
    laid = main["installed"].to_numpy().astype("datetime64[D]").astype(np.int64)
    since, until = (int(np.datetime64(day, "D").astype(np.int64)) for day in ("1997-01-01", "2022-12-31"))
    removed = main["removed"].to_numpy().astype("datetime64[D]")
    end = np.where(np.isnat(removed), until, removed.astype(np.int64))
    log = log[log["recorded"]]
    whose = log["asset"].str[1:].astype(np.int64).to_numpy()  # assets are numbered in order
    day = log["date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    asset = np.concatenate([np.arange(len(main)), whose])
    stop = np.concatenate([end, day]) - laid[asset]
    event = np.arange(len(asset)) >= len(main)
    order = np.lexsort((~event, stop, asset))
    asset, stop, event = asset[order], stop[order], event[order]
    entry = np.maximum(since - 1 - laid, 0)[asset]  # at risk from the first day of the log on
    follows = np.append(False, asset[1:] == asset[:-1])
    entry[follows] = stop[:-1][follows[1:]]
    kept = entry < stop
    return {"entry": entry[kept], "stop": stop[kept], "event": event[kept], "asset": asset[kept], "main": main}


def covariates(main: Any) -> FloatArray:
    """Return the covariates of each main, in the order of `COVARIATES`."""
    material = [main["material"] == name for name in COVARIATES[:3]]
    soil = [main["soil"] == name for name in COVARIATES[3:5]]
    sizes = [np.log(main["diameter_mm"] / 150), np.log(main["length_m"] / 100)]
    return np.column_stack([*material, *soil, *sizes]).astype(np.float64)


def inside(low: FloatArray, high: FloatArray, truth: FloatArray) -> list[bool]:
    """Return whether each truth lies in its interval; where there is none it does not."""
    return [bool(good) for good in (low <= truth) & (truth <= high)]


def of_breaks(seed: int, *, robust: bool) -> list[bool]:
    """Fit the intensity of breaks in one city; return whether each coefficient is covered."""
    from citylib.data.synthetic.assets import MainsTruth, mains
    from citylib.data.synthetic.districts import ground
    from citylib.survival import cox

    law = MainsTruth(removed_after_break=0.0) if robust else MainsTruth(frailty_variance=0.0)
    data = recurrent(mains(seed, MAINS, ground(seed, DISTRICTS), law))
    x = covariates(data["main"])[data["asset"]]
    cluster = data["asset"] if robust else None
    found = cox.fit(data["stop"], data["event"], x, entry=data["entry"], cluster=cluster)
    planted = [law.material[name] for name in COVARIATES[:3]] + [law.soil[name] for name in COVARIATES[3:5]]
    return inside(*found.interval(level=LEVEL), np.array([*planted, law.diameter, law.length_power]))


def of_lives(seed: int) -> list[bool]:
    """Estimate how long cast-iron mains last after `REACHED` years; return whether the curve is covered."""
    from citylib.data.synthetic.assets import YEAR, MainsTruth, mains
    from citylib.data.synthetic.districts import ground
    from citylib.survival.kaplan_meier import kaplan_meier

    law = MainsTruth(removed_after_break=0.0)
    data = recurrent(mains(seed, MAINS, ground(seed, DISTRICTS), law))
    main = data["main"]
    iron = np.flatnonzero((main["material"] == "cast iron").to_numpy()[data["asset"]])
    first = iron[np.append(True, data["asset"][iron][1:] != data["asset"][iron][:-1])]
    last = iron[np.append(data["asset"][iron][1:] != data["asset"][iron][:-1], True)]
    entry, stop = (np.maximum(data["entry"][first] / YEAR - REACHED, 0.0), data["stop"][last] / YEAR - REACHED)
    retired = (main["reason"] == "age").to_numpy()[data["asset"][last]]
    kept = entry < stop
    curve = kaplan_meier(stop[kept], retired[kept], entry=entry[kept], level=LEVEL)["all"]
    scale = law.life_years["cast iron"]
    age = np.array(AGES)
    truth = np.exp((REACHED / scale) ** law.life_shape - (age / scale) ** law.life_shape)
    return inside(*curve.band_at(age - REACHED), truth)


def of_requests(seed: int) -> tuple[list[bool], list[bool]]:
    """Estimate how soon requests of a kind are closed, and closed as noted; return whether each is covered."""
    from citylib.data.synthetic.days import clock
    from citylib.data.synthetic.districts import ground
    from citylib.data.synthetic.requests import RequestsTruth, requests
    from citylib.data.synthetic.weather import weather
    from citylib.survival.cumulative_incidence import cumulative_incidence
    from citylib.survival.kaplan_meier import kaplan_meier

    law = RequestsTruth(district_log_days={}, wet_log_days=0.0)
    hours = clock(DAYS)
    made = requests(seed, REQUESTS, hours, weather(seed, hours), ground(seed, DISTRICTS), law)
    made = made[made["category"] == KIND]
    closed = made["closed"].fillna(np.datetime64(made.attrs["snapshot"]))
    days = ((closed - made["opened"]) / np.timedelta64(1, "D")).to_numpy()
    event = (made["status"] == "Closed").to_numpy()
    day = np.array(CLOSED)
    truth = np.exp(-((day / law.categories[KIND].scale_days) ** law.shape))
    curve = kaplan_meier(days, event, level=LEVEL)["all"]
    ways = cumulative_incidence(days, event, made["outcome"].fillna("").to_numpy(), level=LEVEL)["all"]
    noted = law.outcome[OUTCOME] * (1 - truth)
    return inside(*curve.band_at(day), truth), inside(*ways.band_at(day, OUTCOME), noted)


def of_city(seed: int) -> list[bool]:
    """Return whether one city's truth is covered, a check each, in the order of `ESTIMATES`."""
    start, incidence = of_requests(seed)
    late = of_lives(seed)
    return [*of_breaks(seed, robust=False), *of_breaks(seed, robust=True), *late, *start, *incidence]


def covered(quick: bool, folder: Path = KEPT) -> Raw:
    """Draw the cities, seeds 0, 1, ..., a hundred at a time; keep how often each truth was covered."""
    cities, part = (QUICK, QUICK) if quick else (CITIES, PART)
    about = json.dumps([rows.digests(FILES), rows.versions(PACKAGES), part])
    path = folder / f"{hashlib.sha256(about.encode()).hexdigest()[:16]}.json"
    counts: dict[str, list[int]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    began = time.process_time()
    for first in range(0, cities, part):
        if str(first) in counts:
            continue
        hits = np.sum([of_city(seed) for seed in range(first, first + part)], axis=0)
        counts[str(first)] = [int(hit) for hit in hits]
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        half.write_text(json.dumps(counts) + "\n", encoding="utf-8")
        half.replace(path)
        print(f"{first + part} of {cities} cities, {time.process_time() - began:.0f} CPU seconds", flush=True)
    total = np.sum([counts[str(first)] for first in range(0, cities, part)], axis=0)
    return {
        "cities": cities, "seeds": [0, cities - 1], "mains": MAINS, "requests": REQUESTS, "days": DAYS, "level": LEVEL,
        "covered": {name: int(hit) for name, hit in zip(ESTIMATES, total, strict=True)},
    }  # fmt: skip


def limits(cities: int, level: float) -> tuple[int, int]:
    """Return the fewest and the most cities of so many that an interval of this level covers, but for one in 1,000."""
    low, high = stats.binom.interval(BAND, cities, level)
    return int(low), int(high)


def judge(raw: Raw) -> Verdict:
    """Hold every check to the binomial band around the nominal level."""
    low, high = limits(raw["cities"], raw["level"])
    found = raw["covered"]
    outside = [f"{name}: {hit}" for name, hit in found.items() if not low <= hit <= high]
    least, most = min(found.values()), max(found.values())
    told = f"{len(found)} checks cover {least / raw['cities']:.3f} to {most / raw['cities']:.3f}"
    if outside:
        told += f"; outside: {', '.join(outside)}"
    whole = raw["cities"] == CITIES and set(found) == set(ESTIMATES)
    share = f"{low / raw['cities']:.4f} to {high / raw['cities']:.4f}"
    return Verdict(told, f"band of luck {share}", "", bool(whole and not outside))


MEASURE: Callable[[bool], Raw] = covered
POINTS = (
    Point("survival_coverage", f"95 % intervals over {CITIES:,} synthetic cities: coefficients, survival, incidence",
          "inside the 99.9 % binomial band around nominal, every check", MEASURE, judge, PACKAGES, FILES, long=True),
)  # fmt: skip
