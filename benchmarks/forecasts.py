"""Forecasts of real series a day ahead beside statsforecast's automatic models, on the same windows.

Everybody sees the same readings: a window before the cut to choose and fit by, and at each origin the last window
before it, with the parameters kept. Gaps are filled by the last reading of their hour, for the peers take none;
filled hours are not scored.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict

FloatArray = npt.NDArray[np.float64]
DAY = HORIZON = 24
EVERY = 29  # hours from one origin to the next: all hours of the day are met
FILES = (
    *(f"citylib/timeseries/{n}.py" for n in (
        "arima", "many", "arima_fits", "block", "climb", "fast_filter", "kalman", "seasonal_arima", "smoothing",
        "theta", "naive", "presample", "recursion"
    )),
    "citylib/evaluate/backtest.py", "citylib/evaluate/compare.py",
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


SERIES = {
    "PM2.5 at Dongsi, Beijing": Series("air-beijing-multisite", None, "Dongsi", "2016-03-01", True),
    "temperature at Dongsi, Beijing": Series("air-beijing-multisite", "temperature", "Dongsi", "2016-05-01"),
    "load of PJME": Series("electricity-pjm", None, "PJME", "2018-02-02"),
    "bike rentals, Washington": Series("mobility-bike-sharing", None, "city", "2012-06-01"),
}


def readings(series: Series, window: int, origins: int) -> tuple[FloatArray, FloatArray, int]:
    """Return readings from a window before the cut to the last origin's end, the same filled, and where the cut is."""
    from citylib import data

    panel = data.load(series.source).panel(series.variable).select(sensors=[series.sensor]).regular()
    cut = int(np.searchsorted(panel.times, np.datetime64(series.cut)))
    y = panel.series(series.sensor)[cut - window : cut + EVERY * (origins - 1) + HORIZON]
    y = np.log(y) if series.logarithm else y
    filled = pd.DataFrame(np.append(y, np.full(-len(y) % DAY, np.nan)).reshape(-1, DAY)).ffill().bfill().to_numpy()
    return y, filled.ravel()[: len(y)], window


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
        "seasonal naive": lambda: SeasonalNaive(DAY),
    }


def peers() -> dict[str, Callable[[], Any]]:
    """Return statsforecast's automatic models, by name."""
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, AutoTheta

    return {
        "AutoARIMA": lambda: AutoARIMA(season_length=DAY),
        "AutoETS": lambda: AutoETS(season_length=DAY),
        "AutoTheta": lambda: AutoTheta(season_length=DAY),
        "MSTL": lambda: MSTL(season_length=[DAY, 7 * DAY]),
    }


def compared(quick: bool) -> Raw:
    """Let everybody forecast every series from the same origins; keep errors, seconds and tests."""
    from citylib.evaluate import compare
    from citylib.evaluate.backtest import backtest

    window, origins = (600, 8) if quick else (2016, 60)
    raw: Raw = {"window": window, "origins": origins, "series": {}}
    for name, series in SERIES.items():
        y, filled, cut = readings(series, window, origins)
        at = cut + EVERY * np.arange(origins)
        read = ~np.isnan(y[at[:, None] + np.arange(HORIZON)])
        back = np.exp if series.logarithm else np.asarray
        actual = back(filled[at[:, None] + np.arange(HORIZON)])
        centres: dict[str, FloatArray] = {}
        seconds: dict[str, float] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for who, make in ours(window, len(y)).items():
                began = time.process_time()
                found = backtest(make(), filled, first=cut, horizon=HORIZON, every=EVERY)
                centres[who], seconds[who] = back(found.centre), time.process_time() - began
            for who, make in peers().items():
                began = time.process_time()
                model = make().fit(filled[:cut])
                ahead = [model.forward(filled[o - window : o], HORIZON)["mean"] for o in at]
                centres[who], seconds[who] = back(np.array(ahead)), time.process_time() - began
        losses = {}
        for who, centre in centres.items():
            losses[who] = np.nanmean(np.where(read, np.abs(centre - actual), np.nan), axis=1)
        scored = ~np.isnan(losses["ARIMA"])
        base = losses["seasonal naive"][scored].mean()
        entry = raw["series"][name] = {"scored": int(scored.sum())}
        for who, loss in losses.items():
            entry[who] = {"error": float(loss[scored].mean() / base), "seconds": seconds[who]}
            if who != "ARIMA":
                test = compare.diebold_mariano(losses["ARIMA"][scored], loss[scored], lags=1)
                entry[who] |= {"difference": test.difference / base, "p_value": test.p_value}
    return raw


def judge(raw: Raw) -> Verdict:
    """Say who has the lowest error where, and what ARIMA of the chapter has there."""
    said, best = [], []
    for name, entry in raw["series"].items():
        errors = {who: found["error"] for who, found in entry.items() if who != "scored"}
        lowest = min(errors, key=lambda who: errors[who])
        said.append(f"{name} {errors['ARIMA']:.2f}")
        best.append(f"{lowest} {errors[lowest]:.2f}")
    return Verdict("ARIMA, seasonal naive's error 1: " + "; ".join(said), "lowest there: " + "; ".join(best))


POINTS = (
    Point("forecasts", "a day ahead, four series of hours, from the same 60 origins each: mean absolute error", "",
          compared, judge, ("numpy", "statsmodels", "statsforecast"), FILES, long=True),
)  # fmt: skip


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller window and fewer origins")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--only", help="measure one point, and keep it")
    given = parser.parse_args()
    return rows.run(POINTS, quick=given.quick, only=given.only, to=given.json)


if __name__ == "__main__":
    raise SystemExit(main())
