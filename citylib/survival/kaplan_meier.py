"""Kaplan-Meier and Nelson-Aalen curves of many groups in one pass, with bands, medians and restricted means.

Legend: n durations, G groups, K rows: the distinct times of each group, group by group.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import UnknownNameError
from citylib.survival import counting, life_table
from citylib.survival.curve import Curve
from citylib.survival.life_table import LifeTable

__all__ = ["Curve", "Curves", "kaplan_meier", "plain"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Curves:
    """Survival curves of all groups, by name.

    Parameters
    ----------
    sets : LifeTable
        Counts at the K rows at which somebody left.
    survival, greenwood : ndarray, shape (K,)
        Of all groups, one after the other; see `Curve`.
    level : float
        Coverage that the bands claim.
    changes : LifeTable
        Counts at all rows, those at which somebody only entered too.
    weighted : bool
        Whether the counts are sums of weights.
    """

    sets: LifeTable
    survival: FloatArray
    greenwood: FloatArray
    level: float
    changes: LifeTable
    weighted: bool

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups, sorted."""
        return self.sets.names

    @cached_property
    def status(self) -> tuple[str, ...]:
        """Of each group ``"ok"``, or what to know before reading its curve.

        ``"no events"``: it stays at 1. ``"one member"``. ``"risk set empties"``: with delayed entry
        nobody was under watch for a while, or all under watch ended while others were still to come;
        what the curve says later rests on nobody.
        """
        return self.changes.status

    @cached_property
    def band(self) -> tuple[FloatArray, FloatArray]:
        """Pointwise log(-log) band of all groups, one after the other, each end of shape (K,)."""
        s = self.survival
        inner = (s > 0) & (s < 1)
        lower = np.where(s == 1, 1.0, np.nan)
        upper = lower.copy()
        log_s = np.log(s[inner])
        z = float(stats.norm.ppf((1 + self.level) / 2))
        spread = np.exp(z * np.sqrt(self.greenwood[inner]) / log_s)  # below 1, as log_s is below 0
        with np.errstate(divide="ignore"):  # so little weight that the band is all from 0 to 1
            lower[inner] = np.exp(log_s / spread)
        upper[inner] = np.exp(log_s * spread)
        return lower, upper

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.groups)}

    def __getitem__(self, group: str) -> Curve:
        if group not in self._place:
            raise UnknownNameError("group", group, self.groups)
        return self._curve(self._place[group])

    def __iter__(self) -> Iterator[Curve]:
        return (self._curve(k) for k in range(len(self)))

    def __len__(self) -> int:
        return len(self.groups)

    def _curve(self, k: int) -> Curve:
        sets, changes = self.sets, self.changes
        part = slice(sets.bounds[k], sets.bounds[k + 1])
        every = slice(changes.bounds[k], changes.bounds[k + 1])
        counts = [sets.at_risk[part], sets.events[part], sets.ended[part] - sets.events[part]]
        counts.append(np.append(changes.at_risk[every][:1], changes.after[every]))
        at_risk, events, censored, watched = counts if self.weighted else [c.astype(np.int64) for c in counts]
        return Curve(
            group=self.groups[k],
            time=sets.time[part],
            at_risk=at_risk,
            events=events,
            censored=censored,
            survival=self.survival[part],
            greenwood=self.greenwood[part],
            lower=self.band[0][part],
            upper=self.band[1][part],
            level=self.level,
            change=changes.time[every],
            watched=watched,
            status=self.status[k],
        )


def kaplan_meier(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    group: npt.ArrayLike | None = None,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Curves:
    """Estimate the survival curve of each group from right-censored durations.

    S(t) is the product over times t_i <= t of (1 - d_i / n_i), with d_i events among n_i at risk.
    Its band is that of log(-log S), so it stays between 0 and 1. All groups are worked out together;
    `plain` is the same estimate written as the textbook has it. Each curve has the cumulative hazard
    of Nelson and Aalen beside it.

    Parameters
    ----------
    duration : array_like, shape (n,)
        How long each had lasted when watching ended, 0 or more, in any unit.
    event : array_like of bool, shape (n,)
        True: it ended. False: watching ended first.
    group : array_like of str or int, shape (n,), optional
        Group of each; by default all are in the one group ``"all"``.
    entry : array_like, shape (n,), optional
        How long each had lasted when watching began (delayed entry); at risk from just after it.
        The curve is then that of those who outlived the first entry.
    weight : array_like, shape (n,), optional
        How many each stands for. Variances take weights for counts: right for rows that were added
        up, too small or too large for weights of sampling.
    level : float, default 0.95
        Coverage that the pointwise bands claim.

    Returns
    -------
    Curves

    Raises
    ------
    InputError
        No durations, negative or missing ones, an entry not before its end, weights not above 0,
        lengths that differ.

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
    level = checks.fraction("level", level)
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    changes = life_table.count(data, *life_table.codes("group", group, len(data.exit)))
    sets = changes if entry is None else changes.pick(changes.ended > 0)
    survival, greenwood = counting.product_limit(sets.bounds, sets.at_risk, sets.events)
    return Curves(sets, survival, greenwood, level, changes, weight is not None)


def plain(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, survival and Greenwood's sum of one group, written as the textbook has it.

    The reference for `kaplan_meier`: a loop over the distinct times, for reading and for tests.

    Parameters
    ----------
    duration, event, entry, weight
        As in `kaplan_meier`.

    Returns
    -------
    (time, survival, greenwood) : ndarray
        Each of shape (K,).
    """
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    w_n = np.ones(len(data.exit)) if data.weight is None else data.weight
    entry_n = np.full(len(data.exit), -math.inf) if data.entry is None else data.entry
    survival, greenwood = 1.0, 0.0
    rows = []
    for time in np.unique(data.exit):
        n = float(w_n[(entry_n < time) & (time <= data.exit)].sum())
        d = float(w_n[(data.exit == time) & data.event].sum())
        survival *= 1 - d / n
        greenwood += d / (n * (n - d)) if d < n else math.inf
        rows.append((float(time), survival, greenwood))
    time_K, survival_K, greenwood_K = np.array(rows).T
    return time_K, survival_K, greenwood_K
