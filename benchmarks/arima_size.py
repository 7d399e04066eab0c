"""SARIMA of a year of hours beside innovations_mle; ARIMA of ever more series, and by two threads.

Points of ``python -m benchmarks.timeseries``.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arima_series import FILES, ORDER, city, spent
from benchmarks.rows import Point, Raw, Verdict, median

__all__ = ["SARIMA", "SCALE"]

HERE = Path(__file__).parent


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
    code = "from benchmarks import rows; from benchmarks.arima_size import SEASONAL, hourly; " \
           f"from citylib.timeseries import many; {work}; print(rows.peak_memory())"  # fmt: skip
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
            "import time; import numpy as np; from benchmarks import rows; "
            "from benchmarks.arima_series import ORDER, detectors, synthetic; from citylib.timeseries import many; "
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
SARIMA = (
    Point("sarima", "SARIMA(1,0,1)(1,1,1)24, T=8760", "50 times, under 500 MB, likelihoods equal to 1e-6, no "
          "lower than 0.01", sarima, judge_sarima, BASE, FILES, long=True),
)  # fmt: skip
SCALE = (
    Point("scale", "200 series repeated to 2,000 and to 20,000: CPU seconds, memory",
          "within 10 % of linear, memory bounded",
          scale, judge_scale, BASE, FILES, long=True),
    Point("threads", "two threads against one, seconds", "", threads, judge_threads, BASE, FILES),
)  # fmt: skip
