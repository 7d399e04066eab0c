"""Log-rank tests: do groups last equally long? k samples, stratified, weighted, and every pair.

Legend: n durations, k groups, T distinct times with events, C changes of a group's number at risk, P pairs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.survival import life_table, rank_covariance, rank_sums
from citylib.survival.life_table import Durations, LifeTable
from citylib.survival.rank_covariance import Covariance

__all__ = ["WEIGHTINGS", "LogRank", "Pairs", "log_rank", "pairwise", "plain"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
WEIGHTINGS = ("log-rank", "gehan", "tarone-ware", "peto", "fleming-harrington")


@dataclass(frozen=True, eq=False)
class LogRank:
    """A test of k groups.

    Parameters
    ----------
    groups : tuple of str
        Their names, sorted.
    observed, expected : ndarray, shape (k,)
        Weighted events, and as many as there would be if all groups were alike.
    covariance : Covariance
        Of observed - expected, if all groups are alike; `variance` is it as a matrix.
    statistic : float
        Chi-squared.
    freedom : int
        Its degrees of freedom; 0: nothing could be compared.
    p_value : float
        NaN where nothing could be compared.
    status : tuple of str
        Of each group ``"ok"``, or ``"never at risk"``: not under watch at any event, so it does not count.
    """

    groups: tuple[str, ...]
    observed: FloatArray
    expected: FloatArray
    covariance: Covariance
    statistic: float
    freedom: int
    p_value: float
    status: tuple[str, ...]

    @property
    def variance(self) -> FloatArray:
        """Covariance of observed - expected, shape (k, k)."""
        return self.covariance.matrix


@dataclass(frozen=True, eq=False)
class Pairs:
    """Tests of all pairs of groups.

    Parameters
    ----------
    first, second : ndarray of str, shape (P,)
        The groups compared.
    statistic : ndarray, shape (P,)
        Chi-squared with one degree of freedom.
    p_value : ndarray, shape (P,)
        Of each pair alone; NaN where the two were never under watch together at an event. For many
        pairs hand them to `scipy.stats.false_discovery_control`.
    """

    first: npt.NDArray[np.str_]
    second: npt.NDArray[np.str_]
    statistic: FloatArray
    p_value: FloatArray


def log_rank(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    weighting: str = "log-rank",
    power: tuple[float, float] = (1.0, 0.0),
) -> LogRank:
    """Test whether k groups have one survival curve.

    The statistic is (O - E)' V^- (O - E), with O and E the observed and expected events of each
    group, each time weighted. The part of V that is a sum of outer products comes from one matrix
    product where times are few, and from one sweep back through time where they are many.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    group : array_like of str or int, shape (n,)
        Group of each, at least two.
    strata : array_like of str or int, shape (n,), optional
        Only those of one stratum are compared with each other; O, E and V are added up.
    weight : array_like, shape (n,), optional
        How many rows like it each stands for: the test is that of as many rows. Its variance takes weights for
        counts, so it is too sure, or not sure enough, with weights of sampling.
    weighting : {"log-rank", "gehan", "tarone-ware", "peto", "fleming-harrington"}
        Weight of each time: 1, the number at risk n, its root, Peto and Peto's survival
        (the product of 1 - d / (n + 1)), or S^p (1 - S)^q with S the curve of all just before.
    power : tuple of two floats, default (1, 0)
        p and q, both 0 or more; only with "fleming-harrington".

    Returns
    -------
    LogRank

    Raises
    ------
    InputError
        One group only, no events, and what `citylib.survival.life_table.durations` refuses.

    References
    ----------
    Fleming, T. R. and Harrington, D. P. (1991). Counting Processes and Survival Analysis. Wiley.

    Examples
    --------
    >>> test = log_rank([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [True] * 6, list("aaabbb"))
    >>> round(test.statistic, 4), test.freedom
    (5.0517, 1)
    """
    which, p, q = _weighting(weighting, power)
    names, parts = _prepare(duration, event, group, entry, strata, weight)
    sums = [_sums(sets, which, p, q) for sets in parts]
    observed = np.asarray(np.sum([s[0] for s in sums], axis=0))
    expected = np.asarray(np.sum([s[1] for s in sums], axis=0))
    covariance = functools.reduce(rank_covariance.add, [s[2] for s in sums])
    statistic, freedom = covariance.quadratic(observed - expected)
    p_value = float(stats.chi2.sf(statistic, freedom)) if freedom else float("nan")
    status = tuple("ok" if t else "never at risk" for t in expected > 0)
    return LogRank(names, observed, expected, covariance, statistic, freedom, p_value, status)


def pairwise(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    weighting: str = "log-rank",
    power: tuple[float, float] = (1.0, 0.0),
) -> Pairs:
    """Test every pair of groups, each as if the others were not there.

    Parameters
    ----------
    duration, event, group, entry, strata, weight, weighting, power
        As in `log_rank`.

    Returns
    -------
    Pairs

    Raises
    ------
    InputError
        As `log_rank` does.

    Examples
    --------
    >>> from scipy.stats import false_discovery_control
    >>> tests = pairwise([1, 2, 3, 4, 5, 6, 7, 8, 9], [1] * 9, list("aaabbbccc"))
    >>> list(zip(tests.first.tolist(), tests.second.tolist(), false_discovery_control(tests.p_value).round(3).tolist()))
    [('a', 'b', 0.025), ('a', 'c', 0.025), ('b', 'c', 0.025)]
    """
    which, p, q = _weighting(weighting, power)
    names, parts = _prepare(duration, event, group, entry, strata, weight)
    first, second = np.triu_indices(len(names), 1)
    shift, variance = np.zeros(len(first)), np.zeros(len(first))
    for s in parts:
        rank_sums.pair_tests(s.bounds, s.time, s.at_risk, s.events, s.after, which, p, q, shift, variance)
    nothing = np.full(len(first), np.nan)
    statistic = np.divide(shift**2, variance, out=nothing, where=variance > 0)
    labels = np.array(names)
    return Pairs(labels[first], labels[second], statistic, np.asarray(stats.chi2.sf(statistic, 1)))


def plain(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    weighting: str = "log-rank",
    power: tuple[float, float] = (1.0, 0.0),
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return observed, expected and their covariance without strata, written as the textbook has it.

    The reference for `log_rank`: a loop over the times with events, for reading and for tests.

    Parameters
    ----------
    duration, event, group, entry, weight, weighting, power
        As in `log_rank`.

    Returns
    -------
    (observed, expected, variance) : ndarray
        Of shapes (k,), (k,), (k, k).
    """
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    names, code = life_table.codes("group", group, len(data.exit))
    entry_n = np.full(len(code), -np.inf) if data.entry is None else data.entry
    w_n = np.ones(len(code)) if data.weight is None else data.weight
    k, (p, q), survival, peto = len(names), power, 1.0, 1.0
    observed, expected, variance = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for time in np.unique(data.exit[data.event]):
        y_k, d_k = (
            np.bincount(code, weights=w_n * there, minlength=k)
            for there in ((entry_n < time) & (time <= data.exit), (data.exit == time) & data.event)
        )
        n, d = y_k.sum(), d_k.sum()
        peto *= 1 - d / (n + 1)
        w = dict(zip(WEIGHTINGS, (1.0, n, n**0.5, peto, survival**p * (1 - survival) ** q), strict=True))[weighting]
        survival *= 1 - d / n
        share = y_k / n
        observed += w * d_k
        expected += w * d * share
        variance += w**2 * d * ((n - d) / (n - 1) if n > 1 else 0) * (np.diag(share) - np.outer(share, share))
    return observed, expected, variance


def _weighting(weighting: str, power: tuple[float, float]) -> tuple[int, float, float]:
    which = WEIGHTINGS.index(checks.one_of("weighting", weighting, WEIGHTINGS))
    if np.shape(power) != (2,):
        raise InputError("power", "be two numbers", power)
    p, q = (checks.number("power", value, minimum=0) for value in power)
    return which, p, q


def _prepare(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    entry: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    weight: npt.ArrayLike | None,
) -> tuple[tuple[str, ...], list[LifeTable]]:
    """Return names of the groups and the risk sets of each stratum."""
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    names, code = life_table.codes("group", group, len(data.exit))
    if len(names) < 2:
        raise InputError("group", "hold at least two groups", len(names))
    if not data.event.any():
        raise InputError("event", "hold at least one event", f"{len(data.event)} rows, all censored")
    if strata is None:
        return names, [life_table.count(data, names, code)]
    layers, layer = life_table.codes("strata", strata, len(code))
    parts = []
    for rows in np.split(np.argsort(layer, kind="stable"), np.cumsum(np.bincount(layer, minlength=len(layers)))[:-1]):
        late, weighed = (None if column is None else column[rows] for column in (data.entry, data.weight))
        part = Durations(data.exit[rows], data.event[rows], late, weighed)
        parts.append(life_table.count(part, names, code[rows]))
    return names, [sets for sets in parts if sets.events.any()]


def _sums(sets: LifeTable, which: int, p: float, q: float) -> tuple[FloatArray, FloatArray, Covariance]:
    """Return observed, expected and their covariance of one stratum."""
    k, group = len(sets.names), sets.group
    ends = sets.events > 0
    time_T = np.unique(sets.time[ends])
    times = len(time_T)
    at_C = np.searchsorted(time_T, sets.time, side="right")  # who enters or leaves at a time is counted from the next
    less_C = sets.ended - sets.entered
    event_T = life_table.totals(at_C[ends] - 1, sets.events[ends], times)
    risk_T = np.cumsum(life_table.totals(at_C, less_C, times + 1)[::-1])[::-1][1:]
    risk_T = np.maximum(risk_T, event_T)  # with weights, sums in another order
    weight_T = _weights(risk_T, event_T, which, p, q)
    share_T = weight_T * event_T / risk_T
    tied_T = np.divide(risk_T - event_T, risk_T - 1, out=np.zeros(times), where=risk_T > 1)
    outer_T = weight_T**2 * event_T * tied_T / risk_T**2
    # a row that leaves at a time has been at risk at every earlier one: sums over times become sums over rows
    until = np.vstack([np.zeros(2), np.cumsum(np.column_stack([share_T, outer_T * risk_T]), axis=0)])
    observed = life_table.totals(group[ends], sets.events[ends] * weight_T[at_C[ends] - 1], k)
    expected = life_table.totals(group, less_C * until[at_C, 0], k)
    diagonal = life_table.totals(group, less_C * until[at_C, 1], k)
    if times * k <= 8 * len(group):  # a cell of the product by BLAS costs about an eighth of one of the sweep
        step = life_table.totals(group * (times + 1) + at_C, less_C, k * (times + 1))
        risk_kT = np.cumsum(step.reshape(k, times + 1)[:, ::-1], axis=1)[:, ::-1][:, 1:]
        return observed, expected, Covariance(diagonal, risk_kT * np.sqrt(outer_T))
    order = np.argsort(-at_C, kind="stable")
    total = np.append(0.0, np.cumsum(outer_T))[at_C[order]]
    outer = np.asarray(rank_sums.swept_products(group[order], less_C[order], total, k))
    return observed, expected, Covariance(diagonal, np.zeros((k, 0)), outer)


def _weights(risk_T: FloatArray, event_T: FloatArray, which: int, p: float, q: float) -> FloatArray:
    if which == 0:
        return np.ones(len(risk_T))
    if which == 1:
        return risk_T
    if which == 2:
        return np.sqrt(risk_T)
    if which == 3:
        return np.asarray(np.cumprod(1 - event_T / (risk_T + 1)), dtype=np.float64)
    before: FloatArray = np.append(1.0, np.cumprod(1 - event_T / risk_T))[:-1]
    return np.asarray(before**p * (1 - before) ** q)
