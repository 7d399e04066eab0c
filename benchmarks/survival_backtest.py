"""Breaks of Kitchener's mains foreseen: each of 2008 to 2015 by the years before it, 2016 to 2022 by those to 2015.

A report, wherever it comes out: the share of the breaks that the model finds in the top 5 % and 10 % of the length
against most past breaks per metre, with an interval that draws mains; and counts of years with interval score, width
and coverage against the mean of past years with Poisson's interval. Columns of 2023 enter nothing but the row named a
leak. Everything is computed by what chapter survival/05 calls; the method was settled on 2008 to 2015 alone.

The rule that counts breaks from before a main was laid, of what lay there earlier, as that main's own is shown beside
the one that does not: it is the weaker, and the one that is usually quoted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from benchmarks.rows import Point, Raw, Verdict

SOURCE = "infra-water-mains-kitchener"
GIVEN: Any = {"measures": ["length_m", "diameter_mm"], "kinds": ["material", "pressure_zone"], "place": "road_segment"}
ROLLED, TEST = range(2008, 2016), range(2016, 2023)
LEVEL, TOPS, SEED, DRAWS = 0.9, (0.05, 0.1), 0, 2000
RULE, LEAK = "most past breaks per metre", "worst condition of 2023 (a leak)"
EARLIER = "most past breaks per metre, those of earlier mains counted too"
PACKAGES = ("numpy", "scipy", "pandas")
FILES = (
    *(f"citylib/survival/{name}.py" for name in (
        "break_forecast", "catch", "credibility", "durations", "histories", "rate_design",
        "recurrent", "splines", "year_rows")),
    *(f"citylib/evaluate/{name}.py" for name in ("counts", "forecast")),
    "citylib/data/sources/infra_water_mains_kitchener.py", "citylib/seeds.py", "benchmarks/survival_backtest.py",
)  # fmt: skip
FloatArray = npt.NDArray[np.float64]


def backtest(quick: bool) -> Raw:
    """Foresee every year, and return what was foreseen and what came."""
    from citylib import data
    from citylib.survival import break_forecast, histories, year_rows

    city = data.load(SOURCE)
    mains, breaks = city.table("assets"), city.table("breaks")
    whole = mains[GIVEN["measures"]].gt(0).all(axis=1) & mains["installed"].notna()
    frame = mains[whole].reset_index(drop=True)
    known = histories.histories(
        frame["asset"], frame["installed"], breaks["asset"], breaks["date"], start="1997-01-01", end="2023-01-01"
    )
    rows = year_rows.by_year(known)
    rolled = ROLLED[-1:] if quick else ROLLED
    fits = {y: break_forecast.fit(known.known_at(f"{y}-01-01"), frame, **GIVEN) for y in (*rolled, TEST[0])}
    raw: Raw = {"mains": len(frame), "seed": SEED, "draws": 100 if quick else DRAWS, "level": LEVEL}
    raw["data"] = {file.file: file.sha256 for file in city.files}
    raw["counts"] = [foreseen(fits.get(y, fits[TEST[0]]), rows, y) for y in (*rolled, *TEST)]
    log = pd.concat([breaks, city.table("breaks_unused")])
    every = {y: log[log["year"] < y].groupby("asset").size().reindex(frame["asset"]).fillna(0).to_numpy() for y in fits}
    held = {y: ranked(fits[y], rows, frame, [y] if y in rolled else list(TEST), every[y]) for y in fits}
    raw["rolled"] = caught([held[y] for y in rolled], raw["draws"], "rolled")
    raw["test"] = caught([held[TEST[0]]], raw["draws"], "test")
    unused = city.table("breaks_unused")["year"].isin(TEST)
    raw["breaks"] = {"test": int(rows.of(list(TEST))[fits[TEST[0]].there].sum()), "of_mains_gone": int(unused.sum())}
    raw["memory"] = {str(y): [one.memory.prior, one.memory.half_life, one.memory.near] for y, one in fits.items()}
    raw["memory"] = {y: [float(v) if np.isfinite(v) else None for v in three] for y, three in raw["memory"].items()}
    return raw


def foreseen(model: Any, rows: Any, year: int) -> dict[str, float]:
    """Return a year's count, and both forecasts of it with their intervals."""
    from citylib.evaluate import counts

    told = model.total([year]).iloc[0]
    past = float(rows.failures[:, rows.years < min(year, TEST[0])].sum(axis=0).mean())
    ends = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = (float(counts.quantile(p, told["expected"], dispersion=told["dispersion"])) for p in ends)
    out = {"year": year, "came": int(rows.of([year])[model.there].sum()), "expected": float(told["expected"])}
    out |= {"low": low, "high": high, "mean_of_past": past}
    return out | {
        f"past_{name}": float(stats.poisson.ppf(p, past)) for name, p in zip(("low", "high"), ends, strict=True)
    }


def ranked(model: Any, rows: Any, frame: Any, ahead: list[int], every: FloatArray) -> Any:
    """Return the rankings of a morning, and what came."""
    from citylib.survival import catch

    length, past = frame["length_m"].to_numpy(), rows.years < ahead[0]
    before, metres = rows.failures[:, past].sum(axis=1), rows.watched[:, past].sum(axis=1) * length
    kind = frame["material"].astype(str)
    sums = kind.to_frame("kind").assign(n=before, m=metres).groupby("kind")[["n", "m"]].sum()
    rate = (sums["n"] / sums["m"].clip(lower=1e-9)).reindex(kind).to_numpy()
    laid = frame["installed"].to_numpy().astype("datetime64[D]").astype(np.float64)
    scores: dict[str, FloatArray] = {
        "model": model.expected(ahead).sum(axis=1) / length, RULE: before / length,
        "oldest first": -laid, "material rate": rate, EARLIER: every / length,
        LEAK: -frame["condition_score"].fillna(frame["condition_score"].max()).to_numpy(),
    }  # fmt: skip
    return catch.Round(scores, length, rows.of(ahead), model.there)


def caught(rounds: list[Any], draws: int, stream: str) -> list[dict[str, Any]]:
    """Return what each rule catches, with intervals."""
    from citylib import seeds
    from citylib.survival import catch

    generator = seeds.generator(SEED, "backtest", stream)
    table = catch.compare(rounds, baseline=RULE, generator=generator, tops=TOPS, draws=draws)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def judge(raw: Raw) -> Verdict:
    """Say what came out, whichever way."""
    ours, theirs, points = [], [], []
    for part in ("rolled", "test"):
        found = {(row["rule"], row["top"]): row for row in raw[part]}
        for top in TOPS:
            one = found["model", top]
            ours.append(f"{part}, {top:.0%} of length: {one['caught']:.1%}")
            theirs.append(f"{found[RULE, top]['caught']:.1%} ({found[EARLIER, top]['caught']:.1%} with earlier mains')")
            low, high = 100 * one["difference_low"], 100 * one["difference_high"]
            points.append(f"{100 * one['minus_baseline']:+.1f} ({low:+.1f} to {high:+.1f})")
        own = [row for row in raw["counts"] if (row["year"] in TEST) == (part == "test")]
        ours.append(f"{part}, counts: {scored(own, 'low', 'high')}")
        theirs.append(scored(own, "past_low", "past_high"))
    return Verdict("; ".join(ours), f"{RULE}; mean of past years: " + "; ".join(theirs), " / ".join(points) + " points")


def scored(years: list[dict[str, float]], low: str, high: str) -> str:
    """Return interval score, width and coverage of a forecast of counts, in words."""
    from citylib.evaluate import forecast

    came, bottom, top = ([row[name] for row in years] for name in ("came", low, high))
    score = forecast.interval_score(came, bottom, top, level=LEVEL)
    held = forecast.coverage(came, bottom, top)
    return f"score {score:.1f}, width {forecast.width(came, bottom, top):.1f}, coverage {held:.2f}"


POINTS = (
    Point("backtest", "Kitchener's breaks: 2008 to 2015 by the years before each, 2016 to 2022 by those to 2015; 90 % "
          "intervals of counts, 95 % over mains", "", backtest, judge, PACKAGES, FILES, long=True),
)  # fmt: skip
