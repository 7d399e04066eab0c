"""Mean cumulative function: how many events a subject has had by a time, on average, when events come again.

Nelson's estimate needs no model, and its robust variance lets the events of one subject depend on each other.
Legend: n rows, K distinct times of one group, M given times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.survival import life_table, running

__all__ = ["MeanCumulative", "mean_cumulative", "plain"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MeanCumulative:
    """Mean number of events of one group.

    Parameters
    ----------
    group : str
        Its name.
    time : ndarray, shape (K,)
        Distinct times at which a row ended.
    at_risk : ndarray of int, shape (K,)
        Subjects under watch just before each.
    events : ndarray of int, shape (K,)
        Events at it.
    mean : ndarray, shape (K,)
        Events of a subject by each time, on average.
    variance : ndarray, shape (K,)
        Of it, robust: the sum of squares of what each subject adds.
    lower, upper : ndarray, shape (K,)
        Pointwise band by the logarithm; NaN before the first event.
    status : str
        ``"ok"``, or what to know first: see `citylib.survival.life_table.LifeTable`. ``"one member"``: one subject, of
        which nothing tells how it differs from others; the variance is 0.
    """

    group: str
    time: FloatArray
    at_risk: IntArray
    events: IntArray
    mean: FloatArray
    variance: FloatArray
    lower: FloatArray
    upper: FloatArray
    status: str = "ok"

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return the mean number at given times, shape (M,); NaN beyond the last time watched."""
        return self._read(self.mean, 0.0, time)

    def band_at(self, time: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the band at given times, each of shape (M,); see `at`."""
        return self._read(self.lower, np.nan, time), self._read(self.upper, np.nan, time)

    def _read(self, values: FloatArray, before: float, time: npt.ArrayLike) -> FloatArray:
        when = checks.array("time", time, minimum=0)
        out = np.append(before, values)[np.searchsorted(self.time, when, side="right")]
        return np.where(when <= self.time[-1], out, np.nan)


def mean_cumulative(
    entry: npt.ArrayLike,
    exit: npt.ArrayLike,
    event: npt.ArrayLike,
    subject: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> dict[str, MeanCumulative]:
    """Estimate the mean number of events by time from rows that each end in an event or not.

    M(t) is the sum over times u <= t of d(u) / n(u), with n(u) subjects under watch. The rows are
    those of an Andersen-Gill model: one for each stretch from one event to the next, and one to the
    end of watching.

    Parameters
    ----------
    entry, exit : array_like, shape (n,)
        Stretch (entry, exit] under watch, as ages or as times since a common beginning.
    event : array_like of bool, shape (n,)
        True: it ends in an event.
    subject : array_like of str or int, shape (n,)
        Whose it is. Stretches of one subject may leave gaps but not overlap.
    group : array_like of str or int, shape (n,), optional
        Group of each row; by default all are in the one group ``"all"``.
    level : float, default 0.95
        Coverage that the pointwise bands claim.

    Returns
    -------
    dict of str to MeanCumulative
        By group.

    Raises
    ------
    InputError
        Stretches that overlap, and what `citylib.survival.life_table.durations` refuses.

    References
    ----------
    Nelson, W. (1988). Graphical analysis of system repair data. Journal of Quality Technology 20(1), 24-35.
    Lawless, J. F. and Nadeau, C. (1995). Some simple robust methods for the analysis of recurrent
    events. Technometrics 37(2), 158-168.

    Examples
    --------
    >>> found = mean_cumulative([0, 2, 5, 0], [2, 5, 9, 8], [1, 1, 0, 0], ["a", "a", "a", "b"])["all"]
    >>> found.at([1.0, 2.0, 8.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    level = checks.fraction("level", level)
    data = life_table.durations(exit, event, entry=entry, argument="exit")
    assert data.entry is not None
    names, code = life_table.codes("group", group, len(data.exit))
    people, person = life_table.codes("subject", subject, len(data.exit))
    both = code * len(people) + person
    _apart(data.entry, data.exit, both, np.array(people)[person])
    sets = life_table.count(data, names, code)
    leaves = running.locate(sets.bounds, sets.time, code, data.exit)
    comes = running.locate(sets.bounds, sets.time, code, data.entry)
    risk = np.where(sets.at_risk > 0, sets.at_risk, 1.0)
    mean = running.sums(sets.bounds, sets.events / risk)
    _, own = np.unique(both, return_inverse=True)
    orders = (np.argsort(leaves, kind="stable"), leaves, np.argsort(comes, kind="stable"), comes)
    variance = running.mean_variance(
        sets.bounds, sets.at_risk, sets.events, *orders, data.event, own, int(own.max()) + 1
    )
    variance = np.maximum(variance, 0.0)  # sums that cancel may end a hair below
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 before the first event: NaN on purpose
        spread = np.exp(float(stats.norm.ppf((1 + level) / 2)) * np.sqrt(variance) / mean)
    subjects = np.bincount(np.unique(both) // len(people), minlength=len(names))
    status = replace(sets, members=subjects).status
    out = {}
    for g, name in enumerate(names):
        part = np.arange(sets.bounds[g], sets.bounds[g + 1])
        part = part[sets.ended[part] > 0]
        m, s = mean[part], spread[part]
        counts = (sets.at_risk[part].astype(np.int64), sets.events[part].astype(np.int64))
        out[name] = MeanCumulative(name, sets.time[part], *counts, m, variance[part], m / s, m * s, status[g])
    return out


def plain(
    entry: npt.ArrayLike, exit: npt.ArrayLike, event: npt.ArrayLike, subject: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, mean and robust variance of one group, written as the textbook has it.

    The reference for `mean_cumulative`: loops over times and subjects, for reading and for tests.

    Parameters
    ----------
    entry, exit, event, subject
        As in `mean_cumulative`.

    Returns
    -------
    (time, mean, variance) : ndarray
        Each of shape (K,).
    """
    data = life_table.durations(exit, event, entry=entry, argument="exit")
    assert data.entry is not None
    people, person = life_table.codes("subject", subject, len(data.exit))
    mean, adds, rows = 0.0, np.zeros(len(people)), []
    for time in np.unique(data.exit):
        there = (data.entry < time) & (time <= data.exit)
        ends = (data.exit == time) & data.event
        n, d = int(there.sum()), int(ends.sum())
        mean += d / n
        adds += (
            np.bincount(person[ends], minlength=len(people)) - np.bincount(person[there], minlength=len(people)) * d / n
        ) / n
        rows.append((float(time), mean, float((adds**2).sum())))
    time_K, mean_K, variance_K = np.array(rows).T
    return time_K, mean_K, variance_K


def _apart(entry: FloatArray, exit: FloatArray, subject: IntArray, names: npt.NDArray[np.str_]) -> None:
    """Refuse stretches of one subject that overlap."""
    row = np.lexsort((entry, subject))
    over = (subject[row][1:] == subject[row][:-1]) & (entry[row][1:] < exit[row][:-1])
    if over.any():
        at = int(np.argmax(over))
        i, j = row[at], row[at + 1]
        stretches = f"({entry[i]:g}, {exit[i]:g}] and ({entry[j]:g}, {exit[j]:g}]"
        value = f"{int(over.sum())} overlaps, first of {names[i]}: {stretches}"
        raise InputError("entry", "not lie inside another stretch of its subject", value)
