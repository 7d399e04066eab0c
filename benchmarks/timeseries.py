"""ARIMA, order choice and SARIMA for many series beside statsforecast, statsmodels and R; GARCH by `benchmarks.garch`.

All of them are measured by ``python -m benchmarks.timeseries --only POINT``.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import arima_size, garch, rows
from benchmarks.arima_series import FILES, ORDER, SYNTHETIC, city, detectors, spent, synthetic
from benchmarks.rows import Point, Raw, Verdict, median

HERE = Path(__file__).parent
CHUNK = 40  # series between two turns of each contender


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


BASE = ("numpy", "numba", "statsmodels")
POINTS = (
    Point("arima", "ARIMA(2,1,2), T=2016, 207 detectors and 100 synthetic series, no constant: CPU, and how near the "
          "best optimum by statsmodels' likelihood", "50 times by the median, 5 by the mean; share no larger than any "
          "peer's, worst under 3", arima, judge_arima, (*BASE, "statsforecast"), (*FILES, "benchmarks/arima.R"),
          long=True),
    Point("orders", "p, q up to 3, d = 1, for 40 of these series", "20 times; AICc no worse by the mean and on 90 %",
          orders, judge_orders, (*BASE, "statsforecast"), (*FILES, "benchmarks/arima.R"), long=True),
    *arima_size.SARIMA,
    *garch.POINTS,
    *arima_size.SCALE,
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
