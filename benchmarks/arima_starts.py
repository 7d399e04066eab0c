"""How often the starts of an ARIMA(2,1,2) miss the highest top that many more starts find."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.arima_series import FILES, ORDER, detectors, synthetic
from benchmarks.rows import Point, Raw, Verdict

MANY = 400  # starts to hold the usual ones against
SEED = 20261126


def tops(series: np.ndarray[Any, Any], from_Sk: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    """Return the highest log-likelihood of each series (T, N) that a climb from the starts reaches."""
    from citylib.timeseries import many
    from citylib.timeseries.block import Block
    from citylib.timeseries.exact_climb import highest
    from citylib.timeseries.specification import Specification

    spec = Specification(ORDER)
    block = Block(series, np.zeros((len(series), 0)), spec)
    n, starts = block.series, spec.starts() if from_Sk is None else from_Sk
    at, value, turns, top = np.zeros((n, 4)), np.empty(n), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    readings, sizes = block.differenced(), np.array(spec.sizes)
    highest(readings, sizes, *spec.lags, spec.states, starts, many.TURNS, many.TOLERANCE, at, value, turns, top)
    return value


def searched(quick: bool) -> Raw:
    """Climb from the usual starts, and from many drawn at random and put near where cities' series have theirs."""
    series = np.column_stack([detectors(), synthetic()])
    series = series[:, :: 30 if quick else 1]
    rng = np.random.default_rng(SEED)
    wide = np.arctanh(rng.uniform(-0.99, 0.99, (MANY // 2, 4)))
    slow = np.arctanh(rng.uniform([0.8, -0.99, 0.8, -0.99], 0.99, (MANY // 2, 4)))  # near a unit root that cancels
    usual = tops(series, None)
    return {"usual": usual.tolist(), "many": tops(series, np.concatenate([wide, slow])).tolist(), "starts": MANY}


def judge(raw: Raw) -> Verdict:
    """Say how many series lie below the highest top known, and how far."""
    usual, many = np.array(raw["usual"]), np.array(raw["many"])
    below, other = many - usual, usual - many
    return Verdict(
        f"{(below > 0.01).mean():.1%} of {len(usual)} series over 0.01 below, worst {max(0.0, below.max()):.1f}",
        f"{raw['starts']} starts: {(other > 0.01).mean():.1%} over 0.01 below the usual eight, "
        f"worst {max(0.0, other.max()):.1f}",
    )


POINTS = (
    Point("starts", "ARIMA(2,1,2), T=2016, 207 detectors and 100 synthetic series: eight starts against many", "",
          searched, judge, ("numpy", "numba"), FILES, long=True),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
