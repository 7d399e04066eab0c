"""Concordance: how often what was predicted to end sooner did. Harrell's C and Uno's C in O(n log n), with errors.

A pair is one that ended and one under watch just after. It is concordant if the one that ended had
the higher risk; equal risks count half. Two that ended at one time are no pair.
Legend: n durations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import censoring as censored
from citylib.survival import life_table, pair_counts, sorting
from citylib.survival.censoring import Censoring
from citylib.survival.life_table import Durations

__all__ = ["Concordance", "harrell", "plain", "uno"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Concordance:
    """A concordance index.

    Parameters
    ----------
    value : float
        Share of pairs that are concordant: 1/2 says nothing, 1 is perfect.
    error : float
        Standard error by the infinitesimal jackknife; NaN if it was not asked for.
    concordant, discordant, tied : float
        Pairs, weighted where weights were given; tied in risk.
    influence : ndarray, shape (n,)
        What each row adds to the error: error^2 is the sum of squares, taken over clusters. Two
        models on the same rows differ with error sqrt(sum((a.influence - b.influence)^2)). Empty if
        it was not asked for.
    """

    value: float
    error: float
    concordant: float
    discordant: float
    tied: float
    influence: FloatArray


def harrell(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    error: bool = True,
) -> Concordance:
    """Return Harrell's C: the share of pairs that can be compared in which the higher risk ended first.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    weight : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    risk : array_like, shape (n,)
        Predicted risk, the larger the sooner; only its order counts.
    cluster : array_like of str or int, shape (n,), optional
        Asset that each row belongs to; rows of one asset may depend on each other.
    error : bool, default True
        Whether to work out the standard error; it takes about as long again.

    Returns
    -------
    Concordance

    Raises
    ------
    InputError
        No pair that can be compared, and what `citylib.survival.life_table.durations` refuses.

    References
    ----------
    Harrell, F. E., Califf, R. M., Pryor, D. B., Lee, K. L. and Rosati, R. A. (1982). Evaluating the
    yield of medical tests. Journal of the American Medical Association 247(18), 2543-2546.
    Therneau, T. M. and Watson, D. A. (2017). The concordance statistic and the Cox model. Mayo
    Clinic, technical report 85.

    Examples
    --------
    >>> found = harrell([1.0, 2.0, 3.0, 4.0], [True, True, False, True], [0.9, 0.3, 0.5, 0.1])
    >>> found.value, round(found.error, 4)
    (0.8, 0.204)
    """
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    return _concordance(data, risk, data.event.astype(np.int32), cluster, error)


def uno(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    *,
    until: float | None = None,
    censoring: Censoring | None = None,
    cluster: npt.ArrayLike | None = None,
    error: bool = True,
) -> Concordance:
    """Return Uno's C: as Harrell's, but what went out of sight no longer bends it.

    Each pair weighs 1 / G(t-)^2, with t the time at which the first ended and G the probability of
    being watched so long. Its standard error takes G as known, as R's does.

    Parameters
    ----------
    duration, event, risk, cluster, error
        As in `harrell`.
    until : float, optional
        Only endings up to this time count: beyond it few are watched and weights grow large.
    censoring : Censoring, optional
        From `citylib.survival.censoring.fit` on the training rows; by default of these rows.

    Returns
    -------
    Concordance

    Raises
    ------
    InputError
        As `harrell` does; an ending at a time to which nobody is watched.

    References
    ----------
    Uno, H., Cai, T., Pencina, M. J., D'Agostino, R. B. and Wei, L. J. (2011). On the C-statistics for
    evaluating overall adequacy of risk prediction procedures with censored survival data.
    Statistics in Medicine 30(10), 1105-1117.

    Examples
    --------
    >>> round(uno([1.0, 2.0, 3.0, 4.0], [True, False, True, True], [0.9, 0.3, 0.1, 0.4]).value, 4)
    0.5714
    """
    data = life_table.durations(duration, event)
    counted = data.event if until is None else data.event & (data.exit <= checks.number("until", until, above=0))
    seen = censored.fit(data.exit, data.event) if censoring is None else censoring
    return _concordance(data, risk, seen.weights(data.exit, counted) ** 2, cluster, error)


def plain(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    risk: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weight: npt.ArrayLike | None = None,
) -> tuple[float, float]:
    """Return Harrell's C and its standard error, written as the textbook has it.

    The reference for `harrell`: every pair is looked at, for reading and for tests.

    Parameters
    ----------
    duration, event, risk, entry, weight
        As in `harrell`.

    Returns
    -------
    (value, error) : float
    """
    data = life_table.durations(duration, event, entry=entry, weight=weight)
    t, risk_n = data.exit, checks.array("risk", risk, ndim=1)
    later = (t[:, None] < t) | ((t[:, None] == t) & ~data.event)
    if data.entry is not None:
        later &= data.entry < t[:, None]
    w = np.ones(len(t)) if data.weight is None else data.weight
    pair = np.outer(w * data.event, w) * later
    score = np.where(risk_n[:, None] > risk_n, 1.0, np.where(risk_n[:, None] == risk_n, 0.5, 0.0))
    value = (pair * score).sum() / pair.sum()
    shift = pair * (score - value)
    return float(value), math.sqrt(((shift.sum(axis=0) + shift.sum(axis=1)) ** 2).sum()) / float(pair.sum())


def _concordance(
    data: Durations,
    risk: npt.ArrayLike,
    left: FloatArray | npt.NDArray[np.int32],
    cluster: npt.ArrayLike | None,
    error: bool,
) -> Concordance:
    """Count pairs that weigh `left`, shape (n,), of the one that ended, times the weights of both."""
    n = len(data.exit)
    risk_n = checks.array("risk", risk, ndim=1)
    checks.same_length(duration=data.exit, risk=risk_n)
    weight = np.ones(n, dtype=left.dtype) if data.weight is None else data.weight
    left = left if data.weight is None else left * weight
    rows = sorting.order(data.exit, np.concatenate([np.flatnonzero(data.event), np.flatnonzero(~data.event)]))
    time = data.exit[rows]
    opens = np.append(np.flatnonzero(np.append(True, time[1:] != time[:-1])), n)
    middles = opens[:-1] + np.add.reduceat(data.event[rows], opens[:-1], dtype=np.int64)
    rank, ranks = sorting.dense_ranks(risk_n)
    entry = np.zeros(0) if data.entry is None else data.entry[rows]
    late = sorting.order(entry)
    table = (rank[rows], weight[rows], left[rows], opens, middles, ranks, time, entry)
    counts = np.zeros(2)
    score, pairs = pair_counts.as_earlier(*table, late[::-1], counts)
    total = float(pairs.sum())
    if total <= 0:
        raise InputError("event", "leave at least one pair to compare", f"{int(data.event.sum())} events in {n} rows")
    value = float(score.sum()) / total
    deviation, influence = math.nan, np.zeros(0)
    if error:
        pair_counts.as_later(*table, late, score, pairs)
        influence = np.empty(n)
        influence[rows] = (score - value * pairs) / total
        parts = influence
        if cluster is not None:
            names, code = life_table.codes("cluster", cluster, n)
            parts = life_table.totals(code, influence, len(names))
        deviation = math.sqrt(float(parts @ parts))
    concordant, tied = counts.tolist()
    return Concordance(value, deviation, concordant, total - concordant - tied, tied, influence)
