"""Cumulative incidence by Aalen and Johansen: of several ways to end, how likely each is by a time.

One minus Kaplan-Meier of one way, with the others taken for censoring, says too much: it asks what would
happen if nothing else could.
Legend: n durations, C causes, K distinct times of one group, M given times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.survival import counting, life_table, running
from citylib.survival.life_table import Durations, LifeTable

__all__ = ["Incidence", "cumulative_incidence", "plain"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Incidence:
    """Cumulative incidence of one group.

    Parameters
    ----------
    group : str
        Its name.
    causes : tuple of str
        The ways to end, sorted.
    time : ndarray, shape (K,)
        Distinct times at which somebody left.
    at_risk : ndarray, shape (K,)
        Under watch just before each.
    events : ndarray, shape (K, C)
        Ended at it, by cause.
    incidence : ndarray, shape (K, C)
        Probability of having ended by each time in each way.
    variance : ndarray, shape (K, C)
        Of it, by the infinitesimal jackknife, as in R's survival.
    lower, upper : ndarray, shape (K, C)
        Pointwise band by log(-log); NaN where the incidence is 0 or 1.
    status : str
        ``"ok"``, or what to know first: see `citylib.survival.life_table.LifeTable`.
    """

    group: str
    causes: tuple[str, ...]
    time: FloatArray
    at_risk: FloatArray
    events: FloatArray
    incidence: FloatArray
    variance: FloatArray
    lower: FloatArray
    upper: FloatArray
    status: str = "ok"

    def at(self, time: npt.ArrayLike, cause: str) -> FloatArray:
        """Return the incidence of a cause at given times, shape (M,); NaN beyond the last time watched."""
        return self._read(self.incidence, 0.0, time, cause)

    def band_at(self, time: npt.ArrayLike, cause: str) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the band of a cause at given times, each of shape (M,); see `at`."""
        return self._read(self.lower, np.nan, time, cause), self._read(self.upper, np.nan, time, cause)

    def _read(self, values: FloatArray, before: float, time: npt.ArrayLike, cause: str) -> FloatArray:
        if cause not in self.causes:
            raise UnknownNameError("cause", cause, self.causes)
        when = checks.array("time", time, minimum=0)
        column = np.append(before, values[:, self.causes.index(cause)])
        seen = (when <= self.time[-1]) | (self.incidence[-1].sum() > 1 - 1e-12)
        return np.where(seen, column[np.searchsorted(self.time, when, side="right")], np.nan)


def cumulative_incidence(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    cause: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, Incidence]:
    """Estimate the cumulative incidence of each cause in each group.

    F_c(t) is the sum over times u <= t of S(u-) d_c(u) / n(u), with S the Kaplan-Meier curve of all
    causes together; the incidences and S(t) add up to 1. The variance is the sum of squares of what
    each row adds (infinitesimal jackknife), so it is also right for weights of sampling; with clusters it
    is that of what each cluster adds.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    group : array_like of str or int, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    weight : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    cluster : array_like of str or int, shape (n,), optional
        Asset that each row belongs to; rows of one asset may depend on each other.
    level : float, default 0.95
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    cause : array_like of str or int, shape (n,)
        How each ended; what stands where `event` is False is not looked at.

    Returns
    -------
    dict of str to Incidence
        By group.

    Raises
    ------
    InputError
        Nothing ended, and what `citylib.survival.life_table.durations` refuses.

    References
    ----------
    Aalen, O. O. and Johansen, S. (1978). An empirical transition matrix for non-homogeneous Markov
    chains based on censored observations. Scandinavian Journal of Statistics 5(3), 141-150.

    Examples
    --------
    >>> found = cumulative_incidence([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 1], ["fixed", "void", "", "fixed"])["all"]
    >>> found.causes, found.incidence[-1].tolist()
    (('fixed', 'void'), [0.75, 0.25])
    """
    level = checks.fraction("level", level)
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    causes, why = _causes(cause, data)
    names, code = life_table.codes("group", group, len(data.exit))
    sets = life_table.count(data, names, code)
    weight_n = np.ones(len(code)) if data.weight is None else data.weight
    exit_n = running.locate(sets.bounds, sets.time, code, data.exit)
    entry_n = None if data.entry is None else running.locate(sets.bounds, sets.time, code, data.entry)
    rows = len(sets.time)
    events = np.column_stack([life_table.totals(exit_n, weight_n * (why == c), rows) for c in range(len(causes))])
    survival, _ = counting.product_limit(sets.bounds, sets.at_risk, sets.events)
    before = np.append(1.0, survival[:-1])
    before[sets.bounds[:-1]] = 1.0
    risk = np.where(sets.at_risk > 0, sets.at_risk, 1.0)
    incidence = np.column_stack([running.sums(sets.bounds, before * d / risk) for d in events.T])
    places = (exit_n, entry_n, weight_n, data.event, _clusters(cluster, exit_n, entry_n))
    variance = np.column_stack(
        [_variance(sets, before, events[:, c], incidence[:, c], why == c, *places) for c in range(len(causes))]
    )
    lower, upper = _band(incidence, variance, float(stats.norm.ppf((1 + level) / 2)))
    out, status = {}, sets.status
    for g, name in enumerate(names):
        part = np.arange(sets.bounds[g], sets.bounds[g + 1])
        part = part[sets.ended[part] > 0]
        tables = (events[part], incidence[part], variance[part], lower[part], upper[part])
        out[name] = Incidence(name, causes, sets.time[part], sets.at_risk[part], *tables, status[g])
    return out


def plain(
    duration: npt.ArrayLike, event: npt.ArrayLike, cause: npt.ArrayLike, *, entry: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return times and incidence, (K,) and (K, C), of one group, written as the textbook has it.

    The reference for `cumulative_incidence`: a loop over the distinct times, for reading and for tests.

    Parameters
    ----------
    duration, event, cause, entry
        As in `cumulative_incidence`.

    Returns
    -------
    (time, incidence) : ndarray
    """
    data = life_table.durations(duration, event, entry=entry)
    causes, why = _causes(cause, data)
    entry_n = np.full(len(why), -np.inf) if data.entry is None else data.entry
    survival, incidence, out = 1.0, np.zeros(len(causes)), []
    time_K = np.unique(data.exit)
    for time in time_K:
        n = ((entry_n < time) & (time <= data.exit)).sum()
        d_C = np.array([((data.exit == time) & (why == c)).sum() for c in range(len(causes))])
        incidence = incidence + survival * d_C / n
        survival *= 1 - d_C.sum() / n
        out.append(incidence)
    return time_K, np.array(out)


def _causes(cause: npt.ArrayLike, data: Durations) -> tuple[tuple[str, ...], IntArray]:
    """Return names of the causes and each row's number, -1 where it was censored."""
    label = np.asarray(cause)
    if label.shape != data.exit.shape:
        raise InputError("cause", f"hold one label for each of {len(data.exit)} rows", label.shape)
    if not data.event.any():
        raise InputError("event", "hold at least one event", f"{len(data.event)} rows, all censored")
    names, code = life_table.codes("cause", label[data.event], int(data.event.sum()))
    out = np.full(len(data.exit), -1)
    out[data.event] = code
    return names, out


_Clusters = tuple[IntArray, int, IntArray, IntArray]


def _clusters(cluster: npt.ArrayLike | None, exit_n: IntArray, entry_n: IntArray | None) -> _Clusters | None:
    """Return the number of each row's cluster, how many there are, and rows in the order they leave and come."""
    if cluster is None:
        return None
    names, code = life_table.codes("cluster", cluster, len(exit_n))
    if len(names) < 2:
        raise InputError("cluster", "hold at least two clusters", len(names))
    comes = np.zeros(0, dtype=np.int64) if entry_n is None else np.argsort(entry_n, kind="stable")
    return code, len(names), np.argsort(exit_n, kind="stable"), comes


def _variance(
    sets: LifeTable,
    before: FloatArray,
    caused: FloatArray,
    incidence: FloatArray,
    own: npt.NDArray[np.bool_],
    exit_n: IntArray,
    entry_n: IntArray | None,
    weight_n: FloatArray,
    event_n: npt.NDArray[np.bool_],
    clusters: _Clusters | None,
) -> FloatArray:
    """Return the infinitesimal jackknife variance of one cause, (K,).

    What a row adds at t is the sum, over its times u up to t, of S(u-) (dN_c - d_c / n) / n
    - (F(t) - F(u)) (dN - d / n) / (n - d): a + F(t) b, where a and b are alike for all under watch
    but for when they began, and stay as they are once a row has left.
    """
    bounds, rows = sets.bounds, len(sets.time)
    risk = np.where(sets.at_risk > 0, sets.at_risk, 1.0)
    stay = sets.at_risk - sets.events
    over = np.divide(1.0, stay, out=np.zeros(rows), where=stay > 0)  # once all have ended F stands still
    hazard = sets.events / risk
    a_K = running.sums(bounds, -before * caused / risk**2 - incidence * hazard * over)
    b_K = running.sums(bounds, hazard * over)
    a_n = a_K[exit_n] + np.where(own, (before / risk)[exit_n], 0.0) + np.where(event_n, (incidence * over)[exit_n], 0.0)
    b_n = b_K[exit_n] - np.where(event_n, over[exit_n], 0.0)
    if clusters is not None:
        code, number, exits, entries = clusters
        comes = exit_n if entry_n is None else entry_n
        order = (exits, exit_n, entries, comes, np.vstack([a_n, b_n]), weight_n, code, number)
        return np.asarray(running.clustered(bounds, incidence, a_K, b_K, *order))
    w_n = weight_n**2

    def gone(value: FloatArray) -> FloatArray:
        return np.asarray(running.sums(bounds, life_table.totals(exit_n, w_n * value, rows)))

    def under_watch(value: FloatArray) -> FloatArray:
        change = -life_table.totals(exit_n, w_n * value, rows)
        if entry_n is not None:
            change += life_table.totals(entry_n, w_n * value, rows)
            return np.asarray(running.sums(bounds, change))
        total = np.add.reduceat(-change, bounds[:-1])
        return np.asarray(np.repeat(total, np.diff(bounds)) + running.sums(bounds, change))

    now = a_K + incidence * b_K
    out = under_watch(np.ones(len(w_n))) * now**2
    if entry_n is not None:
        a_0, b_0 = a_K[entry_n], b_K[entry_n]
        a_n, b_n = a_n - a_0, b_n - b_0
        out -= 2 * now * (under_watch(a_0) + incidence * under_watch(b_0))
        out += under_watch(a_0**2) + 2 * incidence * under_watch(a_0 * b_0) + incidence**2 * under_watch(b_0**2)
    return np.asarray(out + gone(a_n**2) + 2 * incidence * gone(a_n * b_n) + incidence**2 * gone(b_n**2))


def _band(incidence: FloatArray, variance: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    lower, upper = np.full(incidence.shape, np.nan), np.full(incidence.shape, np.nan)
    inner = (incidence > 0) & (incidence < 1 - 1e-12)
    f = incidence[inner]
    spread = np.exp(z * np.sqrt(np.maximum(variance[inner], 0)) / (f * np.log(f)))  # below 1
    with np.errstate(divide="ignore"):  # so little weight that the band is all from 0 to 1
        lower[inner], upper[inner] = f ** (1 / spread), f**spread
    return lower, upper
