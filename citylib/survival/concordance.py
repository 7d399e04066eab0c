"""Concordance: how often what was predicted to end sooner did. Harrell's C and Uno's C in O(n log n), with errors.

A pair is one that ended and one under watch just after. It is concordant if the one that ended had
the higher risk; equal risks count half. Two that ended at one time are no pair.
Legend: n durations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import censoring as censored
from citylib.survival import life_table, pair_counts, pair_halves, sorting
from citylib.survival.censoring import Censoring
from citylib.survival.life_table import Durations

__all__ = ["Concordance", "harrell", "plain", "uno"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Weights = FloatArray | npt.NDArray[np.int32]


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
        Whether to work out the standard error.

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
    entry: npt.ArrayLike | None = None,
    until: float | None = None,
    censoring: Censoring | None = None,
    cluster: npt.ArrayLike | None = None,
    error: bool = True,
) -> Concordance:
    """Return Uno's C: as Harrell's, but what went out of sight no longer bends it.

    Each pair weighs 1 / G(t-)^2, with t the time at which the first ended and G the probability of
    being watched so long; with late entries W(t-), that of being under watch then. Its standard error takes
    them as known, as R's does.

    Parameters
    ----------
    duration, event, risk, entry, cluster, error
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
    data = life_table.durations(duration, event, entry=entry)
    counted = data.event if until is None else data.event & (data.exit <= checks.number("until", until, above=0))
    seen = censored.fit(data.exit, data.event, entry=data.entry) if censoring is None else censoring
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
    left: Weights,
    cluster: npt.ArrayLike | None,
    error: bool,
) -> Concordance:
    """Count pairs that weigh `left`, shape (n,), of the one that ended, times the weights of both."""
    risk_n = checks.array("risk", risk, ndim=1)
    n = checks.same_length(duration=data.exit, risk=risk_n)
    by_tree = data.weight is not None or data.entry is not None
    found = (_by_tree if by_tree else _by_halves)(data, risk_n, left, error)
    total = found.total
    if total <= 0:
        raise InputError("event", "leave at least one pair to compare", f"{int(data.event.sum())} events in {n} rows")
    value = (found.concordant + found.tied / 2) / total
    deviation, influence = math.nan, np.zeros(0)
    if error:
        influence = np.empty(n)
        influence[found.rows] = (found.score - value * found.pairs) / total
        parts = influence
        if cluster is not None:
            names, code = life_table.codes("cluster", cluster, n)
            parts = life_table.totals(code, influence, len(names))
        deviation = math.sqrt(float(parts @ parts))
    discordant = total - found.concordant - found.tied
    return Concordance(value, deviation, found.concordant, discordant, found.tied, influence)


class _Counted(NamedTuple):
    """Pairs of each row, shape (n,), as either of the two: concordant and half of the tied, and all; and all in all."""

    rows: IntArray
    score: FloatArray
    pairs: FloatArray
    concordant: float
    tied: float
    total: float


def _in_time(data: Durations, room: FloatArray) -> tuple[IntArray, FloatArray, IntArray, IntArray]:
    """Return rows by time, those that ended first; their times; where each time opens and its endings end.

    They lie in `room`, shape (5, n + 1).
    """
    n = len(data.exit)
    start = pair_counts.ended_first(data.event, room[4].view(np.int64)[:n])
    time, rows = sorting.in_order(data.exit, start, room=room[:4, :n])
    opens, middles = room[2].view(np.int64), room[3].view(np.int64)
    blocks = pair_counts.blocks(time, data.event[rows], opens, middles)
    return rows, time, opens[: blocks + 1], middles[:blocks]


def _by_halves(data: Durations, risk: FloatArray, left: Weights, error: bool) -> _Counted:
    """Count pairs where the one that lasted longer weighs 1 and everybody was watched from the start."""
    n = len(risk)
    room = np.empty((11, n + 1))  # in one piece, and used again: memory that has just been got is slow
    rows, _, opens, middles = _in_time(data, room[:5])
    rank_n, ranks = sorting.dense_ranks(risk, room=room[4:8, :n])
    rank, weight = room[0].view(np.int64)[:n], room[4, :n]
    np.take(rank_n, rows, out=rank, mode="clip")
    room[5, :n] = left
    np.take(room[5], rows, out=weight, mode="clip")
    pair_halves.by_rank(rows, rank, opens, middles)  # so that of two that end together none seems to outlast the other
    score, concordant = pair_halves.parted(rank, weight, ranks, room[5:, :n])
    tied = pair_halves.tied(rank, weight, opens, middles, ranks, score) if ranks < n else 0.0
    pairs = room[0, :n]
    total = pair_halves.compared(weight, opens, middles, pairs)
    return _Counted(rows, score, pairs, concordant, tied, total)


def _by_tree(data: Durations, risk: FloatArray, left: Weights, error: bool) -> _Counted:
    """Count pairs whatever the weights and entries."""
    rows, time, opens, middles = _in_time(data, np.empty((5, len(risk) + 1)))
    rank, ranks = sorting.dense_ranks(risk)
    weight = np.ones(len(rows), dtype=left.dtype) if data.weight is None else data.weight
    left = left if data.weight is None else left * weight
    entry = np.zeros(0) if data.entry is None else data.entry[rows]
    late = sorting.order(entry)
    table = (rank[rows], weight[rows], left[rows], opens, middles, ranks, time, entry)
    counts = np.zeros(2)
    score, pairs = pair_counts.as_earlier(*table, late[::-1], counts)
    concordant, tied = counts.tolist()
    total = float(pairs.sum())
    if error:
        pair_counts.as_later(*table, late, score, pairs)
    return _Counted(rows, score, pairs, concordant, tied, total)
