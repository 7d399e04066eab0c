"""A survival curve, and what is read from it: values, bands, quantiles, restricted means, hazards, numbers at risk.

Legend: K distinct times at which somebody left, C times at which somebody left or entered.
A curve is a step function: it holds its value from a time up to, not including, the next.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["Curve"]

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64] | npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curve:
    """One group's survival curve.

    Parameters
    ----------
    group : str
        Its name.
    time : ndarray, shape (K,)
        Distinct times at which something ended, in the unit of the durations.
    at_risk : ndarray, shape (K,)
        Still under watch just before each time; whole numbers where no weights were given.
    events : ndarray, shape (K,)
        Ended at it.
    censored : ndarray, shape (K,)
        Went out of sight at it, after the events.
    survival : ndarray, shape (K,)
        Estimated probability of lasting longer than each time.
    greenwood : ndarray, shape (K,)
        Running sum of d / (n (n - d)): the variance of log survival.
    lower, upper : ndarray, shape (K,)
        Pointwise band by log(-log); NaN where survival is 0, as it says nothing there.
    level : float
        Coverage that the band claims.
    change : ndarray, shape (C,)
        Times at which somebody left or entered.
    watched : ndarray, shape (C + 1,)
        Under watch before the first of them, and from just after each on.
    status : str
        ``"ok"``, or what to know before reading the curve: see `Curves`.
    """

    group: str
    time: FloatArray
    at_risk: Counts
    events: Counts
    censored: Counts
    survival: FloatArray
    greenwood: FloatArray
    lower: FloatArray
    upper: FloatArray
    level: float
    change: FloatArray
    watched: Counts
    status: str = "ok"

    @property
    def variance(self) -> FloatArray:
        """Greenwood's variance of the survival estimate, shape (K,); NaN where survival is 0."""
        with np.errstate(invalid="ignore"):  # 0 * inf after the last one ended: no information, NaN
            return self.survival**2 * self.greenwood

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return survival at given times; NaN beyond the last time watched, unless the curve is 0 by then.

        Examples
        --------
        >>> from citylib.survival.kaplan_meier import kaplan_meier
        >>> curve = kaplan_meier([1.0, 2.0, 3.0], [True, False, True])["all"]
        >>> curve.at([0.5, 1.0, 2.5]).round(3).tolist()
        [1.0, 0.667, 0.667]
        """
        return self._read(self.survival, 1.0, time)

    def band_at(self, time: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper ends of the band at given times; see `at`."""
        return self._read(self.lower, 1.0, time), self._read(self.upper, 1.0, time)

    def at_risk_at(self, time: npt.ArrayLike) -> Counts:
        """Return how many are under watch just before given times: the numbers under a plot."""
        when = checks.array("time", time, minimum=0)
        return self.watched[np.searchsorted(self.change, when, side="left")]

    @property
    def cumulative_hazard(self) -> FloatArray:
        """Nelson and Aalen's estimate of the cumulative hazard: the running sum of d / n, shape (K,)."""
        return np.cumsum(self.events / self.at_risk)

    @property
    def hazard_variance(self) -> FloatArray:
        """Aalen's variance of the cumulative hazard: the running sum of d / n^2, shape (K,)."""
        return np.cumsum(self.events / np.square(self.at_risk, dtype=np.float64))

    @property
    def hazard_band(self) -> tuple[FloatArray, FloatArray]:
        """Pointwise band of the cumulative hazard by its logarithm, each end of shape (K,); NaN before any event.

        References
        ----------
        Aalen, O. (1978). Nonparametric inference for a family of counting processes. Annals of
        Statistics 6(4), 701-726.
        """
        hazard = self.cumulative_hazard
        # 0 / 0 before the first event: NaN on purpose; so little weight that the band has no end: infinite
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            spread = np.exp(float(stats.norm.ppf((1 + self.level) / 2)) * np.sqrt(self.hazard_variance) / hazard)
        return hazard / spread, hazard * spread

    def quantile(self, share: float) -> float:
        """Return the first time by which at least `share` have ended; inf if the curve does not get there."""
        return _first_at_or_below(self.time, self.survival, 1 - checks.fraction("share", share))

    def quantile_interval(self, share: float) -> tuple[float, float]:
        """Return where the band crosses the quantile's level, as Brookmeyer and Crowley do; inf: not reached.

        References
        ----------
        Brookmeyer, R. and Crowley, J. (1982). A confidence interval for the median survival time.
        Biometrics 38(1), 29-41.
        """
        level = 1 - checks.fraction("share", share)
        low = _first_at_or_below(self.time, np.nan_to_num(self.lower, nan=0.0), level)
        high = _first_at_or_below(self.time, np.nan_to_num(self.upper, nan=1.0), level)
        return low, high

    @property
    def median(self) -> float:
        """The time by which half have ended; inf if the curve stays above one half."""
        return self.quantile(0.5)

    def restricted_mean(self, until: float) -> tuple[float, float]:
        """Return the mean duration cut off at `until`, and its standard error.

        It is the area under the curve from 0 to `until`: the years without failure to expect of
        the next `until` years. Unlike the mean it needs nothing that was not watched.

        Raises
        ------
        InputError
            `until` lies beyond the last time watched.
        """
        until = checks.number("until", until, above=0)
        if until > self.time[-1] and self.survival[-1] > 0:
            raise InputError("until", f"be at most the last time watched, {self.time[-1]:g}", until)
        inside = self.time < until
        knots = np.concatenate([[0.0], self.time[inside] / until, [1.0]])  # squares of any time are then numbers
        steps = np.diff(knots) * np.concatenate([[1.0], self.survival[inside]])
        left = np.cumsum(steps[::-1])[::-1][1:]  # area from each time on to `until`
        # left is 0 once survival is, where d / (n (n - d)) has no value: those terms add nothing
        terms = np.divide(left**2 * self.events[inside], _pairs(self)[inside], where=left > 0, out=np.zeros(len(left)))
        return until * float(steps.sum()), until * math.sqrt(float(terms.sum()))

    def _read(self, values: FloatArray, before: float, time: npt.ArrayLike) -> FloatArray:
        when = checks.array("time", time, minimum=0)
        out = np.append(before, values)[np.searchsorted(self.time, when, side="right")]
        unseen = (when > self.time[-1]) & (self.survival[-1] > 0)
        return np.where(unseen, np.nan, out)


def _pairs(curve: Curve) -> FloatArray:
    at_risk = curve.at_risk.astype(np.float64)
    return at_risk * (at_risk - curve.events)


def _first_at_or_below(time: FloatArray, values: FloatArray, level: float) -> float:
    # a product of fractions that should give 1/2 exactly may miss it by rounding
    below = np.flatnonzero(values <= level + 1e-12)
    return float(time[below[0]]) if len(below) else math.inf
