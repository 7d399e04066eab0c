"""Least squares for ten thousand sensors beside statsmodels, each sensor with its own design."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

HERE = Path(__file__).parent
SENSORS, COMPARED, ROWS, COLUMNS, LAGS, BLOCK = 10_000, 200, 2_000, 12, 24, 100
FILES = ("citylib/regression/many.py", "citylib/regression/design.py")
Array = np.ndarray[Any, Any]


def designs(start: int, stop: int) -> Array:
    """Return each sensor's own design, (stop - start, ROWS, COLUMNS)."""
    out = np.empty((stop - start, ROWS, COLUMNS))
    for i in range(start, stop):
        out[i - start] = np.random.default_rng(i).standard_normal((ROWS, COLUMNS))
    out[:, :, 0] = 1.0
    return out


def answers(start: int, stop: int) -> Array:
    """Return readings of sensors, (ROWS, stop - start): errors that lean on the hour before."""
    x = designs(start, stop)
    e = np.stack([np.random.default_rng((i, 1)).standard_normal(ROWS) for i in range(start, stop)])
    e[:, 1:] += 0.5 * e[:, :-1]
    return np.einsum("ntk,k->tn", x, np.linspace(1, 2, COLUMNS)) + e.T


def ours(start: int, stop: int, errors: str) -> tuple[float, Any]:
    """Fit a part of the sensors; return CPU seconds, the making of the designs taken off, and the fit."""
    from citylib.regression import many

    made = {"seconds": 0.0}

    def given(i: int, j: int) -> Array:
        before = time.process_time()
        out = designs(start + i, start + j)
        made["seconds"] += time.process_time() - before
        return out

    y = answers(start, stop)
    before = time.process_time()
    found = many.fit(given, y, errors=errors, lags=LAGS if errors == "HAC" else None, block=BLOCK)
    return time.process_time() - before - made["seconds"], found


def theirs(i: int, errors: str) -> tuple[float, Array, Array]:
    """Fit one sensor by statsmodels; return CPU seconds, coefficients and standard errors."""
    import statsmodels.api as sm

    x, y = designs(i, i + 1)[0], answers(i, i + 1)[:, 0]
    before = time.process_time()
    more: dict[str, Any] = {"cov_kwds": {"maxlags": LAGS}} if errors == "HAC" else {}
    found = sm.OLS(y, x).fit(cov_type=errors, **more)
    coefficients, deviations = np.asarray(found.params), np.asarray(found.bse)
    return time.process_time() - before, coefficients, deviations


def measure(quick: bool) -> Raw:
    """Fit all sensors by ours and a part of them by statsmodels, in five turns each."""
    sensors, compared = (500, 20) if quick else (SENSORS, COMPARED)
    raw: Raw = {"sensors": sensors, "compared": compared}
    for errors in ("HC3", "HAC"):
        ours(0, BLOCK, errors), theirs(0, errors)
        raw[errors] = {"citylib": [], "statsmodels": [], "apart": 0.0}
        for turn in range(5):
            first, last = turn * sensors // 5, (turn + 1) * sensors // 5
            seconds, found = ours(first, last, errors)
            raw[errors]["citylib"].append(seconds / (last - first))
            for i in range(first, first + compared // 5):
                seconds, coefficients, deviations = theirs(i, errors)
                raw[errors]["statsmodels"].append(seconds)
                at = i - first
                apart = max(
                    float(np.abs(found.coefficients[at] / coefficients - 1).max()),
                    float(np.abs(found.standard_errors[at] / deviations - 1).max()),
                )
                raw[errors]["apart"] = max(raw[errors]["apart"], apart)
    code = (
        "from benchmarks.regression import *; from citylib.regression import many; "
        f"y = np.zeros((ROWS, {2 * BLOCK})); y[:] = answers(0, {2 * BLOCK}); ours(0, 1, 'HC3'); "
        f"many.fit(designs, y, block=BLOCK); print(rows.peak_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE.parent)
    raw["memory"] = int(done.stdout.split()[-1])
    return raw


def judge(raw: Raw) -> Verdict:
    """Hold speed, agreement and memory."""
    told, peer, ratios = [], [], []
    for errors in ("HC3", "HAC"):
        mine, other = median(raw[errors]["citylib"]), median(raw[errors]["statsmodels"])
        ratios.append(other / mine)
        told.append(f"{errors} {mine * 1e3:.2f} ms")
        peer.append(f"{errors} {other * 1e3:.2f} ms")
    apart = max(raw[e]["apart"] for e in ("HC3", "HAC"))
    good = min(ratios) >= 5 and apart < 1e-10 and raw["memory"] < 500e6 and raw["sensors"] == SENSORS
    words = f"{', '.join(told)} a sensor, {raw['memory'] / 1e6:.0f} MB; apart {apart:.0e}"
    return Verdict(
        words, f"statsmodels {', '.join(peer)}", " and ".join(f"{r:.1f}" for r in ratios) + " times", bool(good)
    )


POINTS = (
    Point(
        "least_squares", "10,000 sensors, each with its own 2,000 x 12 design, HC3 and HAC(24); statsmodels on 200",
        "5 times, 1e-10, blocks under 500 MB", measure, judge, ("numpy", "scipy", "statsmodels"), FILES,
    ),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
