"""Exponential smoothing: forecasts that need no more than a level, a slope that fades and a season.

Errors are additive. With m steps in a season, level l, slope b, season s and what the step ahead got wrong e:
the step ahead is l + phi b + s(t - m); then l moves to l + phi b + alpha e, b to phi b + beta e, s to s + gamma e.
Legend: T time steps, O origins, H steps ahead, m steps in a season.
"""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from citylib import checks
from citylib.errors import InputError
from citylib.timeseries.arima_fits import aicc
from citylib.timeseries.decompose import classical_season
from citylib.timeseries.smoothing_filter import states

__all__ = ["ExponentialSmoothing", "Smoother", "Smoothing", "fitted", "smoothed", "with_ends"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TRENDS = ("none", "damped")
DAMPING = (0.8, 0.98)  # between which phi may lie
SEASONS = 5  # from which the first season is worked out


class Smoothing(NamedTuple):
    """The parameters of additive exponential smoothing.

    Parameters
    ----------
    alpha, beta, gamma : float
        How far level, slope and season follow an error.
    phi : float
        What is left of the slope at each step.
    """

    alpha: float
    beta: float = 0.0
    gamma: float = 0.0
    phi: float = 0.0


def smoothed(
    y: npt.ArrayLike, *, parameters: Smoothing, level: float, season: npt.ArrayLike = (0.0,)
) -> tuple[FloatArray, FloatArray]:
    """Return one-step errors and the levels after each step, both of shape (T,), in plain form.

    Parameters
    ----------
    y : array_like, shape (T,)
        Readings; NaN where one is missing, and nothing is learned from it.
    parameters : Smoothing
        What follows an error how far.
    level : float
        Before the first step; the slope there is zero.
    season : array_like, shape (m,)
        What each phase adds, the phase of the first step first.

    Examples
    --------
    >>> errors, levels = smoothed([1.0, 2.0], parameters=Smoothing(0.5), level=1.0)
    >>> errors.tolist(), levels.tolist()
    ([0.0, 1.0], [1.0, 1.5])
    """
    y_T = checks.series("y", y, missing=True)
    at, slope, each = float(level), 0.0, list(checks.series("season", season))
    errors, levels = np.empty((2, len(y_T)))
    for t, reading in enumerate(y_T):
        phase = t % len(each)
        errors[t] = reading - (at + parameters.phi * slope + each[phase])
        learned = 0.0 if np.isnan(errors[t]) else float(errors[t])
        at += parameters.phi * slope + parameters.alpha * learned
        slope = parameters.phi * slope + parameters.beta * learned
        each[phase] += parameters.gamma * learned
        levels[t] = at
    return errors, levels


class Smoother:
    """What the forecasters by smoothing share: a filter passed over the readings, and states at the origins.

    Parameters
    ----------
    period : int
        Steps in a season m.
    window : int or None
        Most recent steps that a fit uses.
    """

    start_: int
    scale_: float
    sigma_: float
    level_: float
    season_: FloatArray
    parameters_: Smoothing

    def __init__(self, period: int, window: int | None) -> None:
        self.period = checks.integer("period", period, minimum=1)
        self.window = None if window is None else checks.integer("window", window, minimum=3 * self.period)

    def part(self, y_T: npt.ArrayLike) -> FloatArray:
        """Return the readings to fit to; refuse what cannot be."""
        known = checks.series("y_T", y_T, missing=True, at_least=3 * self.period)
        self.start_ = max(0, len(known) - self.window) if self.window else 0
        part = known[self.start_ :]
        read = part[~np.isnan(part)]
        if len(read) < max(10, 2 * self.period):
            raise InputError("y_T", f"hold at least {max(10, 2 * self.period)} readings to fit to", len(read))
        if not np.ptp(read) > 0:
            raise InputError("y_T", "vary", f"{len(read)} readings, all equal")
        self.scale_ = float(read.std())
        return part

    def states(self, y_T: npt.ArrayLike, origins: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return levels and slopes, each (O,), and seasons (O, m), the next step's first, at the origins."""
        known = checks.series("y_T", y_T, missing=True)
        origins_O = checks.steps("origins", origins)
        if not len(origins_O) or origins_O[0] <= self.start_ or origins_O[-1] > len(known):
            rule = f"lie after the start of the fit ({self.start_}) and within the readings given ({len(known)})"
            raise InputError("origins", rule, origins_O.tolist())
        part = known[self.start_ : origins_O[-1]]
        _, levels, slopes, seasons = _filtered(
            part, self.level_, self.season_, self.parameters_, origins_O - self.start_
        )
        return levels, slopes, seasons


class ExponentialSmoothing(Smoother):
    """Additive exponential smoothing, with or without a damped slope, whichever has the lower AICc.

    The parameters minimise the squared one-step errors, which is maximum likelihood for normal ones; the first
    season starts it and does not count. Intervals are normal and take the parameters for known. Where a reading is
    missing nothing is learned from it.

    Parameters
    ----------
    period : int
        Steps in a season m; 1: no season.
    trends : sequence of {"none", "damped"}, default both
        What may be chosen.
    window : int, optional
        Most recent steps that a fit uses; by default all.

    Attributes
    ----------
    trend_ : str
        The one chosen.
    parameters_ : Smoothing
        alpha, beta, gamma, phi.
    sigma_ : float
        Standard deviation of the one-step errors.
    level_, season_ : float, ndarray of shape (m,)
        Before the first step of the fit.

    References
    ----------
    Hyndman, R. J., Koehler, A. B., Ord, J. K. and Snyder, R. D. (2008). Forecasting with Exponential Smoothing:
    The State Space Approach. Springer, chapters 2, 5 and 6.

    Examples
    --------
    >>> y = np.tile([1.0, 5.0, 3.0], 30) + 0.1 * np.random.default_rng(0).standard_normal(90)
    >>> centre, _, _ = ExponentialSmoothing(3).fit(y).forecast(y, origins=[90], horizon=3)
    >>> centre.round().tolist()
    [[1.0, 5.0, 3.0]]
    """

    def __init__(self, period: int, *, trends: tuple[str, ...] = TRENDS, window: int | None = None) -> None:
        super().__init__(period, window)
        self.trends = tuple(checks.one_of("trends", trend, TRENDS) for trend in trends)
        if not self.trends:
            raise InputError("trends", f"name one of {TRENDS}", trends)

    def fit(self, y_T: npt.ArrayLike, /) -> Self:
        """Fit to the most recent `window` readings.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 on; NaN where one is missing.

        Raises
        ------
        InputError
            Less than three seasons, too few readings, all equal, or none of some phase of the first seasons.
        """
        part = self.part(y_T)
        self.level_, self.season_ = _first_states(part, self.period)
        found = [fitted(part, self.level_, self.season_, trend, self.period, self.scale_) for trend in self.trends]
        best = int(np.argmin([criterion for criterion, _, _ in found]))
        self.trend_, (_, self.parameters_, self.sigma_) = self.trends[best], found[best]
        return self

    def forecast(
        self, y_T: npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends from each origin, at the fitted parameters.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 up to the last origin at least.
        origins : array_like of int, shape (O,)
            Steps known at each origin, increasing, after the start of the fit.
        horizon : int
            Steps ahead H.
        level : float, default 0.95
            Coverage asked of the intervals.

        Returns
        -------
        (centre, lower, upper) : ndarray
            Each of shape (O, H).

        Raises
        ------
        InputError
            Origins outside the readings.
        """
        levels, slopes, seasons = self.states(y_T, origins)
        step_H = np.arange(checks.integer("horizon", horizon, minimum=1))
        alpha, beta, gamma, phi = self.parameters_
        kept_H = np.cumsum(phi ** (step_H + 1.0))  # of the slope, over 1, 2, ... steps
        centre = levels[:, None] + slopes[:, None] * kept_H + seasons[:, step_H % self.period]
        moved_H = alpha + beta * kept_H + gamma * ((step_H + 1) % self.period == 0)
        return with_ends(centre, moved_H, self.sigma_, level)


def _first_states(part: FloatArray, m: int) -> tuple[float, FloatArray]:
    """Level of the first season, and the mean shape of the first few."""
    if m == 1:
        return float(np.nanmean(part[: max(3, np.isnan(part).argmin() + 1)])), np.zeros(1)
    seasons = min(SEASONS, len(part) // m)
    while seasons < len(part) // m and np.isnan(part[: seasons * m].reshape(-1, m)).all(axis=0).any():
        seasons += 1
    season = classical_season(part[: max(seasons, 3) * m], m)
    early = (part - season[np.arange(len(part)) % m])[~np.isnan(part)][:m]
    return float(early.mean()), season


def _filtered(
    part: FloatArray, level: float, season: FloatArray, parameters: Smoothing, wanted: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    errors = np.empty(len(part))
    levels, slopes = np.empty((2, len(wanted)))
    seasons = np.empty((len(wanted), len(season)))
    states(part, level, season, tuple(map(float, parameters)), wanted, errors, levels, slopes, seasons)
    return errors, levels, slopes, seasons


def fitted(
    part: FloatArray, level: float, season: FloatArray, trend: str, m: int, scale: float, *, fixed: bool = False
) -> tuple[float, Smoothing, float]:
    """Return AICc, parameters and the standard deviation of the errors, at the least squares of one-step errors.

    Parameters
    ----------
    part : ndarray, shape (T,)
        Readings; NaN where one is missing.
    level, season : float, ndarray of shape (m,)
        Before the first step.
    trend : {"none", "damped"}
        Whether there is a slope.
    m : int
        Steps in a season; 1: none.
    scale : float
        Standard deviation of the readings.
    fixed : bool, default False
        Whether the season does not learn.
    """
    none = np.empty(0, dtype=np.int64)
    rows = slice(m if m > 1 else 1, None)

    def errors(free: FloatArray) -> FloatArray:
        found = _filtered(part, level, season, _natural(free, trend, m, fixed), none)[0][rows]
        return found[~np.isnan(found)] / scale

    def height(free: FloatArray) -> float:
        error = errors(free)
        return float(np.log(error @ error / len(error)))

    size = 1 + 2 * (trend == "damped") + (m > 1 and not fixed)
    starts = [np.full(size, at) for at in (-2.0, 0.0, 2.0)]
    start = min(starts, key=height)
    found = optimize.minimize(height, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9})
    error = errors(found.x)
    count = len(error)
    loglikelihood = -0.5 * count * (np.log(2 * np.pi) + found.fun + 1)
    criterion = float(aicc(loglikelihood, size + 1, count))
    sigma = float(np.sqrt(error @ error / max(count - size, 1))) * scale
    return criterion, _natural(found.x, trend, m, fixed), sigma


def _natural(free: FloatArray, trend: str, m: int, fixed: bool) -> Smoothing:
    """Parameters within the usual region, of numbers without bounds."""
    share = special.expit(np.clip(free, -12.0, 12.0))
    alpha = float(share[0])
    beta, phi = 0.0, 0.0
    if trend == "damped":
        beta, phi = alpha * float(share[1]), DAMPING[0] + (DAMPING[1] - DAMPING[0]) * float(share[2])
    gamma = (1 - alpha) * float(share[-1]) if m > 1 and not fixed else 0.0
    return Smoothing(alpha, beta, gamma, phi)


def with_ends(
    centre: FloatArray, moved_H: FloatArray, sigma: float, level: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Add normal intervals to forecasts.

    Parameters
    ----------
    centre : ndarray, shape (O, H)
        Forecasts.
    moved_H : ndarray, shape (H,)
        Of an error, what is left in the forecast after 1, 2, ... steps.
    sigma : float
        Standard deviation of the one-step errors.
    level : float
        Coverage asked of the intervals.
    """
    z = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2))
    half = z * sigma * np.sqrt(1.0 + np.r_[0.0, np.cumsum(moved_H[:-1] ** 2)])
    return centre, centre - half, centre + half
