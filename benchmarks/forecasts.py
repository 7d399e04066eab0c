"""Forecasts of real series a day ahead beside statsforecast's automatic models, on the same windows.

Everybody chooses and fits by the same readings before the cut, and forecasts from each origin at those parameters with
all readings from the window's start up to it. (A window that moved with the origin would be wrong for AutoETS: its
`forward` starts from the states it was fitted with, the hours of the day included.) Gaps are filled by the last
reading of their hour, for the peers take none; filled hours are not scored.

What each contender made of each series is kept in ``_build/forecasts`` until what it depends on changes, so that a run
that was stopped goes on. The page of the book is written by ``python -m benchmarks.forecasts_page``.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict

FloatArray = npt.NDArray[np.float64]
DAY = HORIZON = 24
WINDOW, ORIGINS = 2016, 60
EVERY = 29  # hours from one origin to the next: all hours of the day are met
BASE = "seasonal naive"
LAGS = -(-HORIZON // EVERY)  # origins that share readings
BLOCK = -(-7 * DAY // EVERY)  # origins in a week
KEPT = rows.ROOT / "_build" / "forecasts"
OURS = tuple(f"citylib/timeseries/{n}.py" for n in (
    "arima", "arima_fits", "block", "climb", "coefficients", "conditional", "decompose", "exact_climb", "fast_filter",
    "gap_filter", "kalman", "lanes", "likelihood", "many", "naive", "presample", "recursion", "seasonal_arima",
    "smoothing", "smoothing_filter", "specification", "theta",
))  # fmt: skip
FILES = (*OURS, "citylib/evaluate/backtest.py", "citylib/evaluate/compare.py")
PAIRS = (
    ("ARIMA", "AutoARIMA"), ("SARIMA", "AutoARIMA"), ("ETS", "AutoETS"), ("Theta", "AutoTheta"), ("ARIMA", "MSTL"),
)  # fmt: skip


class Series(NamedTuple):
    """One series of a source.

    Parameters
    ----------
    source, variable, sensor : str
        Where it is.
    cut : str
        First day that is not fitted to.
    logarithm : bool
        Whether its logarithm is modelled.
    """

    source: str
    variable: str | None
    sensor: str
    cut: str
    logarithm: bool = False


class Readings(NamedTuple):
    """A series from the window's start to the last origin's end.

    Parameters
    ----------
    values, filled : ndarray, shape (T,)
        As read, on the scale that is modelled; the same without gaps.
    times : ndarray of datetime64, shape (T,)
        Their hours.
    unit : str
        Of the readings.
    """

    values: FloatArray
    filled: FloatArray
    times: npt.NDArray[np.datetime64]
    unit: str


SERIES = {
    "PM2.5 at Dongsi, Beijing": Series("air-beijing-multisite", None, "Dongsi", "2016-03-01", True),
    "temperature at Dongsi, Beijing": Series("air-beijing-multisite", "temperature", "Dongsi", "2016-05-01"),
    "load of PJME": Series("electricity-pjm", None, "PJME", "2018-02-02"),
    "bike rentals, Washington": Series("mobility-bike-sharing", None, "city", "2012-06-01"),
}


def readings(series: Series, window: int, origins: int) -> Readings:
    """Return the readings of a series; the cut is `window` steps after the first."""
    from citylib import data

    panel = data.load(series.source).panel(series.variable).select(sensors=[series.sensor]).regular()
    cut = int(np.searchsorted(panel.times, np.datetime64(series.cut)))
    part = slice(cut - window, cut + EVERY * (origins - 1) + HORIZON)
    y = panel.series(series.sensor)[part]
    y = np.log(y) if series.logarithm else y
    days = np.append(y, np.full(-len(y) % DAY, np.nan)).reshape(-1, DAY)
    filled = pd.DataFrame(days).ffill().bfill().to_numpy().ravel()[: len(y)]
    return Readings(y, filled, panel.times[part], panel.unit)


def ours(window: int, steps: int) -> dict[str, Callable[[], Any]]:
    """Return the chapter's forecasters, by name."""
    from statsmodels.tsa.deterministic import CalendarFourier, DeterministicProcess

    from citylib.timeseries.arima import RegressionArima
    from citylib.timeseries.naive import SeasonalNaive
    from citylib.timeseries.seasonal_arima import SeasonalArima
    from citylib.timeseries.smoothing import ExponentialSmoothing
    from citylib.timeseries.theta import Theta

    moments = pd.date_range("2001-01-01", periods=steps + HORIZON, freq="h")
    clock = DeterministicProcess(moments, additional_terms=[CalendarFourier("D", 4)]).in_sample().to_numpy()
    return {
        "ARIMA": lambda: RegressionArima((2, 0, 1), x_TK=clock, window=window),
        "SARIMA": lambda: SeasonalArima((2, 0, 1), seasonal=(0, 1, 1, DAY), window=window),
        "ETS": lambda: ExponentialSmoothing(DAY, window=window),
        "Theta": lambda: Theta(DAY, window=window),
        BASE: lambda: SeasonalNaive(DAY),
    }


def peers() -> dict[str, Callable[[], Any]]:
    """Return statsforecast's automatic models with their defaults, by name."""
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, AutoTheta

    return {
        "AutoARIMA": lambda: AutoARIMA(season_length=DAY),
        "AutoETS": lambda: AutoETS(season_length=DAY),
        "AutoTheta": lambda: AutoTheta(season_length=DAY),
        "MSTL": lambda: MSTL(season_length=[DAY, 7 * DAY]),
    }


def ahead_by_ours(make: Callable[[], Any], filled: FloatArray, cut: int) -> tuple[FloatArray, str, float]:
    """Return forecasts of all origins, what was chosen, and CPU seconds; compiled code is loaded before."""
    from citylib.evaluate.backtest import backtest

    warm = 14 * DAY
    backtest(make(), filled[: warm + HORIZON], first=warm, horizon=HORIZON)
    began = time.process_time()
    model = make()
    found = backtest(model, filled, first=cut, horizon=HORIZON, every=EVERY).centre
    seconds = time.process_time() - began
    orders, (*seasonal, period) = getattr(model, "orders", ""), getattr(model, "seasonal", ("",))
    chosen = f"({','.join(map(str, orders))})" if orders else ""
    chosen += f"({','.join(map(str, seasonal))})[{period}]" if seasonal else ""
    if hasattr(model, "trend_"):
        chosen = {"none": "no slope", "damped": "damped slope"}[model.trend_]
    return found, chosen, seconds


def ahead_by_peer(make: Callable[[], Any], filled: FloatArray, cut: int) -> tuple[FloatArray, str, float]:
    """Return forecasts of all origins, what was chosen, and CPU seconds."""
    from statsforecast.arima import arima_string

    began = time.process_time()
    model = make().fit(filled[:cut])
    origins = range(cut, len(filled) - HORIZON + 1, EVERY)
    found = np.array([model.forward(filled[:origin], HORIZON)["mean"] for origin in origins])
    seconds = time.process_time() - began
    inner = getattr(model, "trend_forecaster", model).model_
    chosen = " ".join(arima_string(inner).split()) if "arma" in inner else inner.get("method", inner.get("modeltype"))
    if inner.get("decomposition_type"):
        chosen += f", {inner['decomposition_type']} season"
    return found, chosen, seconds


def kept(name: str, window: int, origins: int) -> dict[str, Any]:
    """Return what everybody made of a series, taken from the kept file where nothing it depends on has changed."""
    series = SERIES[name]
    read = readings(series, window, origins)
    at = window + EVERY * np.arange(origins)[:, None] + np.arange(HORIZON)
    back = np.exp if series.logarithm else np.asarray
    actual = back(read.values[at])
    path = KEPT / f"{name.replace(' ', '_').replace(',', '')}_{window}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    own = ours(window, len(read.values))
    same = [window, origins, HORIZON, EVERY, series, hashlib.sha256(read.filled.tobytes()).hexdigest()]
    for who, make in (own | peers()).items():
        mine = who in own
        about = (
            [rows.versions(("numpy", "statsmodels")), rows.digests(OURS)]
            if mine
            else [rows.versions(("statsforecast",))]
        )
        key = hashlib.sha256(json.dumps([who, *same, *about]).encode()).hexdigest()
        if found.get(who, {}).get("key") == key:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            centre, chosen, seconds = (ahead_by_ours if mine else ahead_by_peer)(make, read.filled, window)
            losses = np.nanmean(np.abs(back(centre) - actual), axis=1)
        print(f"{name}: {who} {chosen}, {seconds:.1f} s", flush=True)
        losses = [None if np.isnan(loss) else float(f"{loss:.6g}") for loss in losses]
        found[who] = {"key": key, "chosen": chosen, "seconds": round(seconds, 4), "losses": losses}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    entry = {key: {who: found[who][key] for who in own | peers()} for key in ("chosen", "seconds", "losses")}
    first, last = (str(read.times[i])[:10] for i in (window, -1))
    missing = float(np.isnan(read.values).mean())
    return {**entry, "unit": read.unit, "first": first, "last": last, "missing": missing, "logarithm": series.logarithm}


def tests(name: str, losses: dict[str, list[float | None]]) -> list[dict[str, Any]]:
    """Return the tests of one series: everybody against seasonal naive, then ours against peers.

    Diebold and Mariano's test with one difference of losses an origin, and an interval from blocks of a week, for what
    lasts longer than a horizon. p-values are raised by Holm's rule, once for each of the two sets.
    """
    from statsmodels.stats.multitest import multipletests

    from citylib import seeds
    from citylib.evaluate import compare

    loss = {who: np.array(kept, dtype=np.float64) for who, kept in losses.items()}
    read = ~np.isnan(loss[BASE])
    found = []
    for against, pairs in (("naive", [(who, BASE) for who in loss if who != BASE]), ("peer", PAIRS)):
        lines = []
        for one, other in pairs:
            test = compare.diebold_mariano(loss[one][read], loss[other][read], lags=LAGS)
            draws = seeds.generator(0, f"{name}: {one} against {other}")
            gap = compare.paired_bootstrap(loss[one], loss[other], block=BLOCK, generator=draws)
            lines.append({"series": name, "set": against, "one": one, "other": other, "difference": test.difference})
            lines[-1] |= {"statistic": test.statistic, "p_value": test.p_value, "low": gap.low, "high": gap.high}
        raised = multipletests([line["p_value"] for line in lines], method="holm")[1]
        found += [line | {"p_holm": float(p)} for line, p in zip(lines, raised, strict=True)]
    return found


def compared(quick: bool) -> Raw:
    """Let everybody forecast every series from the same origins; keep errors, seconds and tests."""
    window, origins = (504, 8) if quick else (WINDOW, ORIGINS)
    raw: Raw = {"window": window, "origins": origins, "every": EVERY, "horizon": HORIZON, "lags": LAGS, "block": BLOCK}
    raw["series"] = {name: kept(name, window, origins) for name in SERIES}
    raw["tests"] = [test for name, entry in raw["series"].items() for test in tests(name, entry["losses"])]
    return raw


def errors(entry: dict[str, Any]) -> dict[str, float]:
    """Return everybody's mean absolute error on one series."""
    return {who: float(np.mean([x for x in losses if x is not None])) for who, losses in entry["losses"].items()}


def judge(raw: Raw) -> Verdict:
    """Say who has the lowest error where, and what ARIMA of the chapter has there."""
    said, best = [], []
    for name, entry in raw["series"].items():
        found = errors(entry)
        lowest = min(found, key=lambda who: found[who])
        said.append(f"{name} {found['ARIMA'] / found[BASE]:.2f}")
        best.append(f"{lowest} {found[lowest] / found[BASE]:.2f}")
    return Verdict("ARIMA, seasonal naive's error 1: " + "; ".join(said), "lowest there: " + "; ".join(best))


POINTS = (
    Point("forecasts", f"a day ahead, four series of hours, from the same {ORIGINS} origins each: mean absolute error",
          "", compared, judge, ("numpy", "statsmodels", "statsforecast"), FILES, long=True),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
