"""What ARIMA is measured on: detectors, synthetic series, and the files that the figures depend on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import rows

__all__ = ["FILES", "ORDER", "STEPS", "SYNTHETIC", "city", "detectors", "spent", "synthetic"]

STEPS, SYNTHETIC = 2016, 100
ORDER = (2, 1, 2)
FILES = tuple(f"citylib/timeseries/{name}.py" for name in (
    "many", "arima_fits", "block", "climb", "coefficients", "conditional", "exact_climb", "fast_filter", "lanes",
    "presample", "recursion", "kalman", "likelihood", "seen", "specification", "order_choice"
))  # fmt: skip


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
