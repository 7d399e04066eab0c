"""ARIMA, order choice and SARIMA for many series beside statsforecast, statsmodels and R; GARCH by `benchmarks.garch`.

All of them are measured by ``python -m benchmarks.timeseries --only POINT``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import garch, rows
from benchmarks.rows import Point, Raw, Verdict, median

HERE = Path(__file__).parent
STEPS, SYNTHETIC = 2016, 100
ORDER = (2, 1, 2)
FILES = tuple(f"citylib/timeseries/{name}.py" for name in (
    "many", "arima_fits", "block", "climb", "coefficients", "conditional", "exact_climb", "fast_filter", "lanes",
    "presample", "recursion", "kalman", "likelihood", "seen", "specification", "order_choice"
))  # fmt: skip
CHUNK = 40  # series between two turns of each contender


def detectors() -> np.ndarray[Any, Any]:
    """Return the speeds of los-loop as they were published, gaps filled in, (2016, 207): peers do without gaps."""
    import pandas as pd

    folders = [Path(folder) for folder in os.environ.get("CITYLIB_DATA", "").split(os.pathsep) if folder]
    for path in (folder / "traffic-metr-la" / "los_speed.csv.gz" for folder in folders):
        if path.is_file():
            values = pd.read_csv(path).to_numpy(dtype=np.float64)
            assert values.shape == (STEPS, 207), values.shape
            return values
    raise SystemExit("the detectors' speeds are needed: set CITYLIB_DATA to the data folder")


def synthetic(count: int = SYNTHETIC, steps: int = STEPS) -> np.ndarray[Any, Any]:
    """Return ARIMA(2,1,2) series of random parameters, (steps, count)."""
    from citylib.timeseries.specification import Specification

    generator = np.random.default_rng(20261126)
    spec = Specification((2, 0, 2))
    natural = spec.natural(generator.uniform(-1.3, 1.3, (count, 4)))
    shocks = generator.standard_normal((steps + 200, count))
    y = np.zeros_like(shocks)
    for t in range(2, len(y)):
        y[t] = natural[:, 0] * y[t - 1] + natural[:, 1] * y[t - 2]
        y[t] += shocks[t] + natural[:, 2] * shocks[t - 1] + natural[:, 3] * shocks[t - 2]
    return y[200:].cumsum(axis=0)


def city(quick: bool) -> np.ndarray[Any, Any]:
    """Return the series of the first rows: all detectors and the synthetic ones, or a few of them."""
    whole = np.column_stack([detectors(), synthetic()])
    return whole[:, ::31] if quick else whole


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds of a call and what it returned, or None where it raised."""

    def kept() -> Any:
        try:
            return work()
        except Exception:
            return None

    return rows.spent(kept)


def by_r(series: np.ndarray[Any, Any], *arguments: str) -> list[dict[str, Any]]:
    """Return what R makes of each column; nothing where there is no R."""
    if shutil.which("Rscript") is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.csv"
        header = ",".join(f"s{i}" for i in range(series.shape[1]))
        np.savetxt(path, series, delimiter=",", header=header, comments="", fmt="%.17g")
        done = rows.checked(["Rscript", str(HERE / "arima.R"), str(path), *arguments])
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def scored(y: np.ndarray[Any, Any], order: tuple[int, int, int], natural: Iterable[float] | None) -> float:
    """Return statsmodels' exact log-likelihood at ARMA parameters, the variance at its best; NaN without one."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    if natural is None or not np.isfinite(list(natural)).all():
        return float("nan")
    model = SARIMAX(np.diff(y, n=order[1]), order=(order[0], 0, order[2]), concentrate_scale=True)
    model.tolerance = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(model.loglike(np.asarray(list(natural))))
        except Exception:
            return float("nan")


def peers() -> dict[str, Callable[[np.ndarray[Any, Any]], Any]]:
    """Return what fits one series and gives AR and MA coefficients, by name."""
    from statsforecast.arima import arima as theirs
    from statsmodels.tsa.arima.estimators.innovations import innovations_mle
    from statsmodels.tsa.arima.model import ARIMA

    p, d, q = ORDER

    def statsforecast(y: np.ndarray[Any, Any]) -> Any:
        found = theirs(y, order=ORDER, include_mean=False, method="CSS-ML")["coef"]
        return [found[f"ar{i + 1}"] for i in range(p)] + [found[f"ma{i + 1}"] for i in range(q)]

    def innovations(y: np.ndarray[Any, Any]) -> Any:
        found, _ = innovations_mle(np.diff(y, n=d), order=(p, 0, q), demean=False)
        return [*found.ar_params, *found.ma_params]

    def default(y: np.ndarray[Any, Any]) -> Any:
        return ARIMA(y, order=ORDER, trend="n").fit().params[: p + q]

    return {"statsforecast": statsforecast, "innovations_mle": innovations, "statsmodels": default}


def arima(quick: bool) -> Raw:
    """Fit all series by everybody, a chunk at a time each, and score all parameters by one likelihood."""
    from citylib.timeseries import many

    series = city(quick)
    count = series.shape[1]
    slow = set(np.linspace(0, count - 1, min(60, count), dtype=int).tolist())
    began = time.process_time()
    many.fit(series[:, :1], order=ORDER)
    raw: Raw = {"compile": time.process_time() - began, "seconds": {}, "loglikelihood": {}, "count": count}
    contenders = peers()
    for contender in contenders.values():
        spent(lambda: contender(series[:, 0]))  # noqa: B023  # compiles, and imports
    for i in range(0, count, CHUNK):
        part = series[:, i : i + CHUNK]
        found = many.fit(part, order=ORDER)
        # In a city's call no series has a time of its own: it has one in the call for a city of which all are like it.
        own = [spent(lambda: many.fit(np.tile(y[:, None], CHUNK), order=ORDER))[0] / CHUNK for y in part.T]  # noqa: B023
        _keep(raw, "citylib", own, list(found.parameters), part)
        for name, contender in contenders.items():
            chosen = [j for j in range(part.shape[1]) if name != "statsmodels" or i + j in slow]
            done = [spent(lambda: contender(part[:, j])) for j in chosen]  # noqa: B023
            _keep(raw, name, [s for s, _ in done], [f for _, f in done], part[:, chosen])
        for method in ("CSS-ML", "ML", "CSS"):
            lines = by_r(part, *map(str, ORDER), method)
            if lines:
                _keep(raw, f"R {method}", [x["seconds"] for x in lines], [x["coefficients"] for x in lines], part)
    raw["slow"] = sorted(slow)
    return raw


def _keep(raw: Raw, name: str, seconds: list[float], found: list[Any], part: np.ndarray[Any, Any]) -> None:
    raw["seconds"].setdefault(name, []).extend(seconds)
    heights = [scored(part[:, j], ORDER, one) for j, one in enumerate(found)]
    raw["loglikelihood"].setdefault(name, []).extend(heights)


def judge_arima(raw: Raw) -> Verdict:
    """Hold the speed against the fastest full likelihood fit, and the share of series below the best found."""
    seconds, count = raw["seconds"], raw["count"]
    counted = [n for n in ("statsforecast", "innovations_mle", "R CSS-ML", "R ML") if n in seconds]
    ours, mean = median(seconds["citylib"]), float(np.mean(seconds["citylib"]))
    fastest = min(counted, key=lambda n: median(seconds[n]))
    by_median = median(seconds[fastest]) / ours
    by_mean = min(float(np.mean(seconds[n])) for n in counted) / mean
    height = {n: np.full(count, np.nan) for n in seconds}
    for name, values in raw["loglikelihood"].items():
        at = raw["slow"] if name == "statsmodels" else range(count)
        height[name][list(at)] = values
    best = np.nanmax(np.stack(list(height.values())), axis=0)
    below = {n: np.where(np.isnan(h), np.inf, best - h) for n, h in height.items()}
    share = {n: float((below[n] > 0.01).mean()) for n in [*counted, "citylib"]}
    worst = float(below["citylib"].max())
    told = ", ".join(f"{n} {share[n]:.0%}" for n in counted)
    slow = np.array(raw["slow"])
    default = f"statsmodels' default {(below['statsmodels'][slow] > 0.01).mean():.0%} of {len(slow)} (ours there "
    default += f"{(below['citylib'][slow] > 0.01).mean():.0%})"
    good = by_median >= 50 and by_mean >= 5 and share["citylib"] <= min(share[n] for n in counted) and worst < 3
    complete = len(counted) == 4 and count == 207 + SYNTHETIC
    return Verdict(
        f"{ours * 1e3:.2f} ms a series, mean {mean * 1e3:.2f}; {share['citylib']:.1%} over 0.01 below the best, "
        f"worst {worst:.2f}",
        f"{fastest} {median(seconds[fastest]) * 1e3:.0f} ms; below the best: {told}; {default}",
        f"{by_median:.0f} times by the median, {by_mean:.0f} by the mean",
        bool(good and complete),
    )


def orders(quick: bool) -> Raw:
    """Choose orders for forty series, beside AutoARIMA and auto.arima; all choices refitted by one likelihood."""
    from statsforecast.arima import auto_arima_f

    from citylib.timeseries import many, order_choice

    whole = np.column_stack([detectors(), synthetic()])
    series = whole[:, np.linspace(0, whole.shape[1] - 1, 4 if quick else 40, dtype=int)]
    many.fit(series[:, :1], order=ORDER)
    order_choice.choose(series[:, :1], d=1)
    spent(lambda: auto_arima_f(series[:, 0], d=1, seasonal=False, allowmean=False, allowdrift=False))
    raw: Raw = {"citylib": [], "statsforecast": [], "R": [], "aicc": {}, "orders": {}}
    chosen: dict[str, list[Any]] = {"citylib": [], "statsforecast": [], "R": []}
    for i in range(0, series.shape[1], 20):
        part = series[:, i : i + 20]
        seconds, found = spent(lambda: order_choice.choose(part, d=1))  # noqa: B023
        raw["citylib"].append(seconds / part.shape[1])
        for j, c in enumerate(found.chosen):
            chosen["citylib"].append((found.candidates[c].order, found.fits[c].parameters[j].tolist()))
        for y in part.T:
            seconds, theirs = spent(
                lambda: auto_arima_f(y, d=1, seasonal=False, allowmean=False, allowdrift=False)  # noqa: B023
            )
            raw["statsforecast"].append(seconds)
            p, q = int(theirs["arma"][0]), int(theirs["arma"][1])
            natural = [theirs["coef"][f"ar{k + 1}"] for k in range(p)] + [
                theirs["coef"][f"ma{k + 1}"] for k in range(q)
            ]
            chosen["statsforecast"].append(((p, 1, q), natural))
        for line in by_r(part, "auto", "1"):
            raw["R"].append(line["seconds"])
            chosen["R"].append((tuple(line["order"]), line["coefficients"]))
    for name, picks in chosen.items():
        raw["aicc"][name] = [_criterion(series[:, j], *pick) for j, pick in enumerate(picks)]
        raw["orders"][name] = [list(order) for order, _ in picks]
    return raw


def _criterion(y: np.ndarray[Any, Any], order: tuple[int, int, int], natural: list[float]) -> float:
    from citylib.timeseries.arima_fits import aicc

    return float(aicc(scored(y, order, natural), order[0] + order[2] + 1, len(y) - order[1]))


def judge_orders(raw: Raw) -> Verdict:
    """Hold speed and criterion against AutoARIMA with its defaults."""
    ours, theirs = np.array(raw["aicc"]["citylib"]), np.array(raw["aicc"]["statsforecast"])
    ratio = median(raw["statsforecast"]) / float(np.mean(raw["citylib"]))
    no_worse = float((ours <= theirs + 0.01).mean())
    beside = f"; auto.arima {median(raw['R']):.2f} s" if raw["R"] else ""
    good = ratio >= 20 and ours.mean() <= theirs.mean() and no_worse >= 0.9 and len(ours) == 40
    return Verdict(
        f"{np.mean(raw['citylib']) * 1e3:.0f} ms a series, AICc {(theirs - ours).mean():.2f} lower by the mean, "
        f"no worse on {no_worse:.0%}",
        f"AutoARIMA {median(raw['statsforecast']):.2f} s{beside}",
        f"{ratio:.0f} times",
        bool(good),
    )


def hourly(seed: int, steps: int = 8760) -> np.ndarray[Any, Any]:
    """Return a year of hours of a SARIMA(1,0,1)(1,1,1)24."""
    generator = np.random.default_rng(seed)
    e = generator.standard_normal(steps + 500)
    w = np.zeros_like(e)
    a, b = np.zeros(26), np.zeros(26)
    a[[1, 24, 25]], b[[1, 24, 25]] = [0.7, 0.3, -0.21], [0.2, -0.8, -0.16]
    for t in range(26, len(e)):
        w[t] = e[t] + sum(a[k] * w[t - k] + b[k] * e[t - k] for k in (1, 24, 25))
    y = w.copy()
    for t in range(24, len(y)):
        y[t] += y[t - 24]
    return y[500:]


SEASONAL = (1, 1, 1, 24)


def sarima(quick: bool) -> Raw:
    """Fit a year of hours five times each, with the memory of ours, and hold the likelihoods against each other."""
    from statsmodels.tsa.arima.estimators.innovations import innovations_mle
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    from citylib.timeseries import likelihood, many

    raw: Raw = {"citylib": [], "innovations_mle": [], "below": [], "apart": []}
    many.fit(hourly(0, 400)[:, None], order=(1, 0, 1), seasonal=SEASONAL)
    for seed in range(1 if quick else 5):
        y = hourly(seed, 2000 if quick else 8760)
        seconds, ours = spent(lambda: many.fit(y[:, None], order=(1, 0, 1), seasonal=SEASONAL))  # noqa: B023
        raw["citylib"].append(seconds)
        w = likelihood.differenced(y, 0, 1, 24)
        seconds, theirs = spent(
            lambda: innovations_mle(w, order=(1, 0, 1), seasonal_order=(1, 0, 1, 24), demean=False)  # noqa: B023
        )
        raw["innovations_mle"].append(seconds)
        model = SARIMAX(w, order=(1, 0, 1), seasonal_order=(1, 0, 1, 24))
        model.tolerance = 0
        at_ours = model.loglike(np.append(ours.parameters[0], ours.variance[0]))
        found = theirs[0]
        at_theirs = model.loglike(
            np.array(
                [*found.ar_params, *found.ma_params, *found.seasonal_ar_params, *found.seasonal_ma_params, found.sigma2]
            )
        )
        raw["below"].append(float(at_theirs - at_ours))
        raw["apart"].append(float(abs(at_ours - ours.loglikelihood[0])))
    raw["memory"] = _memory_of("many.fit(hourly(0)[:, None], order=(1, 0, 1), seasonal=SEASONAL)")
    return raw


def _memory_of(work: str) -> int:
    """Return the peak memory of a process that does nothing else."""
    code = f"from benchmarks.timeseries import *; from citylib.timeseries import many; {work}; " \
           "print(rows.peak_memory())"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent)
    return int(done.stdout.split()[-1])


def judge_sarima(raw: Raw) -> Verdict:
    """Hold speed, memory and likelihood against innovations_mle."""
    ours, theirs = median(raw["citylib"]), median(raw["innovations_mle"])
    good = theirs / ours >= 50 and raw["memory"] < 500e6 and max(raw["below"]) < 0.01 and max(raw["apart"]) < 1e-6
    told = f"{ours:.3f} s, {raw['memory'] / 1e6:.0f} MB; likelihoods apart {max(raw['apart']):.1e}"
    told += f", at the optimum at most {max(raw['below']):+.4f} below"
    return Verdict(told, f"innovations_mle {theirs:.1f} s", f"{theirs / ours:.0f} times", bool(good))


def scale(quick: bool) -> Raw:
    """Fit the same 200 series repeated to 2,000 and to 20,000, with the memory of each."""
    raw: Raw = {"seconds": {}, "memory": {}}
    for count in (200, 400) if quick else (2000, 20000):
        code = (
            "import time; from benchmarks.timeseries import *; from citylib.timeseries import many; "
            "y = np.column_stack([detectors()[:, :100], synthetic()]); many.fit(y[:, :1], order=ORDER); "
            f"y = np.tile(y, (1, {count // 200})); b = time.process_time(); "
            "many.fit(y, order=ORDER, standard_errors=False); "
            "print(time.process_time() - b, rows.peak_memory() - y.nbytes)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent)
        seconds, memory = done.stdout.split()[-2:]
        raw["seconds"][str(count)], raw["memory"][str(count)] = float(seconds), int(float(memory))
    return raw


def judge_scale(raw: Raw) -> Verdict:
    """Hold ten times the series against ten times the time, and memory against itself."""
    (few, one), (lots, two) = ((int(n), s) for n, s in raw["seconds"].items())
    ratio = (two / lots) / (one / few)
    extra = (raw["memory"][str(lots)] - raw["memory"][str(few)]) / 1e6
    told = f"{two:.1f} s for {lots:,}; {extra:+.0f} MB beside the readings themselves"
    return Verdict(
        told, f"{one:.1f} s for {few:,}", f"{ratio:.3f} of linear", bool(abs(ratio - 1) <= 0.1 and extra < 200)
    )


def threads(quick: bool) -> Raw:
    """Fit all series by one thread and by two."""
    from citylib.timeseries import many

    series = city(quick)
    many.fit(series[:, :1], order=ORDER)
    raw: Raw = {"one": [], "two": []}
    for _ in range(1 if quick else 5):
        for name, workers in (("one", 1), ("two", 2)):
            before = time.monotonic()
            many.fit(series, order=ORDER, workers=workers, block=32)
            raw[name].append(time.monotonic() - before)
    return raw


def judge_threads(raw: Raw) -> Verdict:
    """Say how much faster two are."""
    one, two = median(raw["one"]), median(raw["two"])
    return Verdict(f"{two:.2f} s by two threads", f"{one:.2f} s by one", f"{one / two:.2f} times")


BASE = ("numpy", "numba", "statsmodels")
POINTS = (
    Point("arima", "ARIMA(2,1,2), T=2016, 207 detectors and 100 synthetic series, no constant: CPU, and how near the "
          "best optimum by statsmodels' likelihood", "50 times by the median, 5 by the mean; share no larger than any "
          "peer's, worst under 3", arima, judge_arima, (*BASE, "statsforecast"), (*FILES, "benchmarks/arima.R"),
          long=True),
    Point("orders", "p, q up to 3, d = 1, for 40 of these series", "20 times; AICc no worse by the mean and on 90 %",
          orders, judge_orders, (*BASE, "statsforecast"), (*FILES, "benchmarks/arima.R"), long=True),
    Point("sarima", "SARIMA(1,0,1)(1,1,1)24, T=8760", "50 times, under 500 MB, likelihoods equal to 1e-6, no "
          "lower than 0.01", sarima, judge_sarima, BASE, FILES, long=True),
    *garch.POINTS,
    Point("scale", "200 series repeated to 2,000 and to 20,000: CPU seconds, memory",
          "within 10 % of linear, memory bounded",
          scale, judge_scale, BASE, FILES, long=True),
    Point("threads", "two threads against one, seconds", "", threads, judge_threads, BASE, FILES),
)  # fmt: skip


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats and smaller sizes; ends in under a minute")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point, and keep it if it is long")
    given = parser.parse_args()
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
