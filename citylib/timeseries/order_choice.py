"""How many differences and which orders: one rule of differencing for the whole city, then AICc sensor by sensor.

Likelihoods of series differenced differently are of different data: only where d and D are the same for all
candidates may their criteria be compared. Legend: T time steps, N sensors, M candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import identify, many
from citylib.timeseries.arima_fits import ManyArima, readings
from citylib.timeseries.specification import Specification

__all__ = ["ChosenOrders", "choose", "differences"]

FloatArray = npt.NDArray[np.float64]
Three = tuple[FloatArray, FloatArray, FloatArray]

KPSS_95 = 0.463  # of the test for a level; Kwiatkowski et al. (1992), table 1
STRONG = 0.64  # strength of a season from which it is differenced; Wang, Smith and Hyndman (2006)


@dataclass(frozen=True, eq=False)
class ChosenOrders:
    """For each sensor the order with the least AICc.

    Parameters
    ----------
    sensors : tuple of str
        Ids.
    candidates : tuple of Specification
        Those tried, M.
    criterion : ndarray, shape (N, M)
        AICc; NaN where a sensor could not be fitted.
    chosen : ndarray of int, shape (N,)
        Index of the candidate; -1 for a sensor without one.
    fits : mapping of int to ManyArima
        By candidate, the fits of all sensors.
    """

    sensors: tuple[str, ...]
    candidates: tuple[Specification, ...]
    criterion: FloatArray
    chosen: npt.NDArray[np.int64]
    fits: Mapping[int, ManyArima]

    @property
    def status(self) -> npt.NDArray[np.str_]:
        """Of each sensor's chosen fit, or why there is none, shape (N,)."""
        return np.array([self.fits[max(c, 0)].status[i] for i, c in enumerate(self.chosen)])

    def table(self) -> pd.DataFrame:
        """Return a row a sensor: the order, AICc, how much better than the simplest, status."""
        names = [_name(c) for c in self.candidates]
        found = self.chosen >= 0
        rows = np.arange(len(self.sensors))
        least = np.where(found, self.criterion[rows, self.chosen], np.nan)
        columns = {
            "order": [names[c] if c >= 0 else "" for c in self.chosen],
            "aicc": least,
            "below_simplest": self.criterion[:, 0] - least,
            "status": self.status,
        }
        return pd.DataFrame(columns, index=pd.Index(self.sensors, name="sensor"))

    def forecast(
        self, values: Panel | npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> Three:
        """Return centre, lower and upper ends of each sensor by its own order, as `ManyArima.forecast` does.

        Parameters
        ----------
        values : Panel or array_like, shape (T, N)
            Readings of the same sensors from the first step of the fit on.
        origins : array_like of int, shape (O,)
            Steps known at each origin.
        horizon : int
            Steps ahead H.
        level : float, default 0.95
            Coverage asked of the intervals.
        """
        y_TN, _ = readings(values)
        horizon, origins = checks.integer("horizon", horizon, minimum=1), checks.steps("origins", origins)
        if y_TN.shape[1] != len(self.sensors):
            raise InputError("values", f"have the {len(self.sensors)} sensors of the fit", y_TN.shape[1])
        out = np.full((3, len(self.sensors), len(origins), horizon), np.nan)
        for c, found in self.fits.items():
            mine = np.flatnonzero(self.chosen == c)
            if len(mine):
                made = found.of(mine).forecast(y_TN[:, mine], origins=origins, horizon=horizon, level=level)
                out[:, mine] = np.stack(made)
        return out[0], out[1], out[2]


def choose(
    values: Panel | npt.ArrayLike,
    /,
    *,
    d: int,
    seasonal_d: int = 0,
    season: int = 1,
    most: tuple[int, int] = (3, 3),
    seasonal_most: tuple[int, int] = (1, 1),
    constant: bool = False,
    starts: int = 8,
    workers: int = 1,
    progress: bool = False,
) -> ChosenOrders:
    """Fit every order up to `most` to each sensor and choose by AICc.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Readings; NaN where one is missing.
    d, seasonal_d : int
        Differences, the same for all: see `differences`.
    season : int, default 1
        Steps in a season; 1: none.
    most, seasonal_most : (int, int)
        Largest p and q, P and Q.
    constant : bool, default False
        Whether each model has a mean (after differences, a trend).
    starts : int, default 8
        Starts followed for each fit.
    workers : int, default 1
        Threads.
    progress : bool, default False
        Whether a bar is shown.

    Returns
    -------
    ChosenOrders

    Raises
    ------
    InputError
        As `citylib.timeseries.many.fit` does.

    References
    ----------
    Hyndman, R. J. and Khandakar, Y. (2008). Automatic time series forecasting: the forecast package for R.
    Journal of Statistical Software 27(3). Theirs searches step by step; here all candidates are tried.

    Examples
    --------
    >>> e = np.random.default_rng(0).standard_normal((400, 2))
    >>> y = np.zeros_like(e)
    >>> for t in range(1, 400):
    ...     y[t] = 0.8 * y[t - 1] + e[t]
    >>> choose(y, d=0, most=(2, 1)).table()["order"].tolist()
    ['(1,0,0)', '(1,0,0)']
    """
    p, q = (checks.integer("most", k, minimum=0) for k in most)
    often, many_q = (checks.integer("seasonal_most", k, minimum=0) for k in seasonal_most)
    if checks.integer("season", season, minimum=1) == 1:
        often, many_q, seasonal_d = 0, 0, 0
    tried = sorted(product(range(p + 1), range(q + 1), range(often + 1), range(many_q + 1)), key=lambda o: (sum(o), o))
    candidates = tuple(Specification((a, d, b), (c, seasonal_d, e, season)) for a, b, c, e in tried)
    made = many.fit_orders(
        values, candidates, constant=constant, starts=starts, standard_errors=False, workers=workers, progress=progress
    )  # fmt: skip
    fits = dict(enumerate(made))
    criterion = np.column_stack([found.aicc for found in fits.values()])
    usable = np.where(np.isfinite(criterion), criterion, np.inf)
    chosen = np.where(np.isfinite(usable).any(axis=1), usable.argmin(axis=1), -1)
    return ChosenOrders(fits[0].sensors, candidates, criterion, chosen.astype(np.int64), fits)


def differences(values: Panel | npt.ArrayLike, /, *, season: int = 1) -> tuple[int, int, pd.DataFrame]:
    """Return d and D for all sensors, by one rule, and what it saw of each.

    A season is differenced (D = 1) where it is strong at more than half of the sensors; then d = 1 where the KPSS
    test rejects a level at 5 % at more than half of them.

    Parameters
    ----------
    values : Panel or array_like, shape (T, N)
        Readings; NaN where one is missing.
    season : int, default 1
        Steps in a season; 1: none.

    Returns
    -------
    (d, seasonal_d, seen) : int, int, DataFrame
        `seen` has a row a sensor: ``strength`` of the season, ``kpss`` statistic; NaN where it cannot be worked out.

    References
    ----------
    Kwiatkowski, D., Phillips, P. C. B., Schmidt, P. and Shin, Y. (1992). Testing the null hypothesis of stationarity
    against the alternative of a unit root. Journal of Econometrics 54, 159-178.
    Wang, X., Smith, K. A. and Hyndman, R. J. (2006). Characteristic-based clustering for time series data. Data
    Mining and Knowledge Discovery 13, 335-364.
    """
    y_TN, sensors = readings(values)
    season = checks.integer("season", season, minimum=1)
    strength = np.full(len(sensors), np.nan)
    if season > 1:
        strength = np.array([identify.seasonal_strength(y, season=season) for y in y_TN.T])
    seasonal_d = int(_most(strength > STRONG, ~np.isnan(strength)))
    left = y_TN[season:] - y_TN[:-season] if seasonal_d else y_TN
    statistic = np.array([identify.kpss(y) for y in left.T])
    d = int(_most(statistic > KPSS_95, ~np.isnan(statistic)))
    return d, seasonal_d, pd.DataFrame(
        {"strength": strength, "kpss": statistic}, index=pd.Index(sensors, name="sensor")
    )  # fmt: skip


def _most(yes: npt.NDArray[np.bool_], asked: npt.NDArray[np.bool_]) -> bool:
    return bool(asked.any() and yes[asked].mean() > 0.5)


def _name(one: Specification) -> str:
    text = "({},{},{})".format(*one.order)
    return text + "({},{},{}){}".format(*one.seasonal) if one.season > 1 else text
