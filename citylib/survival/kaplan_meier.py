"""Kaplan-Meier survival curves of many groups in one pass, with bands, medians and restricted means.

Legend: n durations, G groups, K distinct times of one group. A curve is a step
function: it holds its value from a time up to, not including, the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError, UnknownNameError

__all__ = ["Curve", "Curves", "kaplan_meier", "plain"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """One group's survival curve.

    Parameters
    ----------
    group : str
        Its name.
    time : ndarray, shape (K,)
        Distinct times at which something ended, in the unit of the durations.
    at_risk : ndarray of int, shape (K,)
        Still under watch just before each time.
    events : ndarray of int, shape (K,)
        Ended at it.
    censored : ndarray of int, shape (K,)
        Went out of sight at it, after the events.
    survival : ndarray, shape (K,)
        Estimated probability of lasting longer than each time.
    greenwood : ndarray, shape (K,)
        Running sum of d / (n (n - d)): the variance of log survival.
    lower, upper : ndarray, shape (K,)
        Pointwise band by log(-log); NaN where survival is 0, as it says nothing there.
    level : float
        Coverage that the band claims.
    """

    group: str
    time: FloatArray
    at_risk: IntArray
    events: IntArray
    censored: IntArray
    survival: FloatArray
    greenwood: FloatArray
    lower: FloatArray
    upper: FloatArray
    level: float

    @property
    def variance(self) -> FloatArray:
        """Greenwood's variance of the survival estimate, shape (K,); NaN where survival is 0."""
        with np.errstate(invalid="ignore"):  # 0 * inf after the last one ended: no information, NaN
            return self.survival**2 * self.greenwood

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return survival at given times; NaN beyond the last time watched, unless the curve is 0 by then.

        Examples
        --------
        >>> curve = kaplan_meier([1.0, 2.0, 3.0], [True, False, True])["all"]
        >>> curve.at([0.5, 1.0, 2.5]).round(3).tolist()
        [1.0, 0.667, 0.667]
        """
        return self._read(self.survival, 1.0, time)

    def band_at(self, time: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper ends of the band at given times; see `at`."""
        return self._read(self.lower, 1.0, time), self._read(self.upper, 1.0, time)

    def at_risk_at(self, time: npt.ArrayLike) -> IntArray:
        """Return how many are under watch just before given times: the numbers under a plot."""
        when = checks.array("time", time, minimum=0)
        row = np.searchsorted(self.time, when, side="left")
        return np.append(self.at_risk, 0)[row]

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
        knots = np.concatenate([[0.0], self.time[inside], [until]])
        steps = np.diff(knots) * np.concatenate([[1.0], self.survival[inside]])
        left = np.cumsum(steps[::-1])[::-1][1:]  # area from each time on to `until`
        # left is 0 once survival is, where d / (n (n - d)) has no value: those terms add nothing
        terms = np.divide(left**2 * self.events[inside], _pairs(self)[inside], where=left > 0, out=np.zeros(len(left)))
        return float(steps.sum()), math.sqrt(float(terms.sum()))

    def _read(self, values: FloatArray, before: float, time: npt.ArrayLike) -> FloatArray:
        when = checks.array("time", time, minimum=0)
        out = np.append(before, values)[np.searchsorted(self.time, when, side="right")]
        unseen = (when > self.time[-1]) & (self.survival[-1] > 0)
        return np.where(unseen, np.nan, out)


@dataclass(frozen=True, eq=False)
class Curves:
    """Survival curves of all groups, by name.

    Parameters
    ----------
    curves : tuple of Curve
        In the order of the sorted group names.
    """

    curves: tuple[Curve, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""
        return tuple(curve.group for curve in self.curves)

    def __getitem__(self, group: str) -> Curve:
        if group not in self.groups:
            raise UnknownNameError("group", group, self.groups)
        return self.curves[self.groups.index(group)]

    def __iter__(self) -> Iterator[Curve]:
        return iter(self.curves)

    def __len__(self) -> int:
        return len(self.curves)


def kaplan_meier(
    duration: npt.ArrayLike, event: npt.ArrayLike, *, group: npt.ArrayLike | None = None, level: float = 0.95
) -> Curves:
    """Estimate the survival curve of each group from right-censored durations.

    S(t) is the product over times t_i <= t of (1 - d_i / n_i), with d_i events among n_i at risk.
    Its band is that of log(-log S), so it stays between 0 and 1. All groups are worked out together
    after one sort; `plain` is the same estimate written as the textbook has it.

    Parameters
    ----------
    duration : array_like, shape (n,)
        How long each was watched, 0 or more, in any unit.
    event : array_like of bool, shape (n,)
        True: it ended. False: watching ended first.
    group : array_like of str, shape (n,), optional
        Group of each; by default all are in the one group ``"all"``.
    level : float, default 0.95
        Coverage that the pointwise bands claim.

    Returns
    -------
    Curves

    Raises
    ------
    InputError
        No durations, negative or missing ones, lengths that differ.

    References
    ----------
    Kaplan, E. L. and Meier, P. (1958). Nonparametric estimation from incomplete observations.
    Journal of the American Statistical Association 53(282), 457-481.

    Examples
    --------
    >>> curve = kaplan_meier([1.0, 2.0, 2.0, 3.0], [True, True, False, True])["all"]
    >>> curve.survival.round(4).tolist(), curve.median
    ([0.75, 0.5, 0.0], 2.0)
    """
    t_n = checks.array("duration", duration, ndim=1, at_least=1, minimum=0)
    e_n = checks.binary("event", event)
    g_n = np.full(len(t_n), "all") if group is None else np.asarray(group).astype(np.str_)
    checks.same_length(duration=t_n, event=e_n, group=g_n)
    level = checks.fraction("level", level)
    names, code_n = np.unique(g_n, return_inverse=True)
    row = np.lexsort((t_n, code_n))
    t_n, e_n, code_n = t_n[row], e_n[row], code_n[row]
    opens = np.flatnonzero(np.append(True, (t_n[1:] != t_n[:-1]) | (code_n[1:] != code_n[:-1])))
    ended = np.diff(np.append(opens, len(t_n)))
    events = np.add.reduceat(e_n.astype(np.int64), opens)
    last = np.cumsum(np.bincount(code_n, minlength=len(names)))
    at_risk = last[code_n[opens]] - opens
    bounds = np.searchsorted(code_n[opens], np.arange(len(names) + 1))
    curves = []
    for k, name in enumerate(names):
        part = slice(bounds[k], bounds[k + 1])
        curves.append(_curve(str(name), t_n[opens][part], at_risk[part], events[part], ended[part], level))
    return Curves(tuple(curves))


def plain(duration: npt.ArrayLike, event: npt.ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, survival and Greenwood's sum of one group, written as the textbook has it.

    The reference for `kaplan_meier`: a loop over the distinct times, for reading and for tests.

    Parameters
    ----------
    duration, event
        As in `kaplan_meier`.

    Returns
    -------
    (time, survival, greenwood) : ndarray
        Each of shape (K,).
    """
    t_n = checks.array("duration", duration, ndim=1, at_least=1, minimum=0)
    e_n = checks.binary("event", event)
    checks.same_length(duration=t_n, event=e_n)
    survival, greenwood = 1.0, 0.0
    rows = []
    for time in np.unique(t_n):
        n = int((t_n >= time).sum())
        d = int(((t_n == time) & e_n).sum())
        survival *= 1 - d / n
        greenwood += d / (n * (n - d)) if d < n else math.inf
        rows.append((float(time), survival, greenwood))
    time_K, survival_K, greenwood_K = np.array(rows).T
    return time_K, survival_K, greenwood_K


def _curve(name: str, time: FloatArray, at_risk: IntArray, events: IntArray, ended: IntArray, level: float) -> Curve:
    survival = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore"):  # d = n ends the curve: infinite on purpose
        greenwood: FloatArray = np.cumsum(events / (at_risk * (at_risk - events).astype(np.float64)))
    z = float(stats.norm.ppf((1 + level) / 2))
    inner = (survival > 0) & (survival < 1)
    edge = np.where(survival == 1, 1.0, np.nan)
    lower, upper = edge.copy(), edge.copy()
    log_s = np.log(survival[inner])
    spread = z * np.sqrt(greenwood[inner]) / log_s  # below zero, as log_s is
    lower[inner] = np.exp(log_s * np.exp(-spread))
    upper[inner] = np.exp(log_s * np.exp(spread))
    return Curve(name, time, at_risk, events, ended - events, survival, greenwood, lower, upper, level)


def _pairs(curve: Curve) -> FloatArray:
    at_risk = curve.at_risk.astype(np.float64)
    return at_risk * (at_risk - curve.events)


def _first_at_or_below(time: FloatArray, values: FloatArray, level: float) -> float:
    # a product of fractions that should give 1/2 exactly may miss it by rounding
    below = np.flatnonzero(values <= level + 1e-12)
    return float(time[below[0]]) if len(below) else math.inf
