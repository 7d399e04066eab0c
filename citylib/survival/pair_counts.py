"""Compiled counts of concordant pairs in O(n log n), by a Fenwick tree over the ranks of the predicted risk.

A pair is one that ended and one under watch just after. Ending and going out of sight at one time
is a pair (who went out of sight lasted longer); two that ended at one time are none.
Without weights the tables are of whole numbers, which take half the room. Where nobody enters late either,
`citylib.survival.pair_halves` is faster.
Legend: n durations sorted by time, at one time those that ended first; B distinct times; R distinct risks.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["as_earlier", "as_later", "blocks", "ended_first"]


@njit(cache=True, nogil=True)
def ended_first(event, out):
    """Return rows that ended, then the others, both as they stand; out is (n,)."""
    first, other = np.uint64(0), np.uint64(event.sum())
    for i in range(len(event)):
        here = np.uint64(event[i])
        out[first if here else other] = i
        first += here
        other += np.uint64(1) - here
    return out


@njit(cache=True, nogil=True)
def blocks(time, event, opens, middles):
    """Fill in where each distinct time opens, then n, and where its endings end; return how many times there are.

    time, event (n,) are in order, those that ended first; opens is (n + 1,), middles (n,) or longer.
    """
    b = -1
    for i in range(len(time)):
        if i == 0 or time[i] != time[i - 1]:
            b += 1
            opens[b], middles[b] = i, i
        middles[b] += event[i]
    opens[b + 1] = len(time)
    return b + 1


@njit(cache=True, nogil=True, inline="always")
def _add(tree, rank, weight):
    """Add a weight at a rank, 0 .. R - 1; tree is (R + 1,)."""
    k = rank + 1
    while k < len(tree):
        tree[k] += weight
        k += k & -k


@njit(cache=True, nogil=True, inline="always")
def _below(tree, rank):
    """Return the weight at ranks below this one."""
    total = tree[0]  # 0, of the type of the tree
    k = rank
    while k > 0:
        total += tree[k]
        k -= k & -k
    return total


@njit(cache=True, nogil=True)
def as_earlier(rank, weight, left, opens, middles, ranks, time, entry, by_entry, counts):
    """Return what each that ended makes of those who lasted longer: concordant + tied / 2, and all, both (n,).

    left is (n,), the weight of each as the one that ended; block b holds rows opens[b] .. middles[b] - 1 that
    ended at its time, then up to opens[b + 1] those that went out of sight. entry is (n,) or empty, by_entry its
    order, latest first. counts (2,) gets the concordant and the tied added.
    """
    tree, here = np.zeros(ranks + 1, weight.dtype), np.zeros(ranks, weight.dtype)
    ties = ranks < len(rank)
    score, pairs = np.zeros(len(rank)), np.zeros(len(rank))
    under_watch, late = 0.0, 0
    concordant, tied = 0.0, 0.0
    for b in range(len(middles) - 1, -1, -1):
        for j in range(middles[b], opens[b + 1]):
            _add(tree, rank[j], weight[j])
            if ties:
                here[rank[j]] += weight[j]
            under_watch += weight[j]
        if middles[b] == opens[b]:
            continue
        while late < len(by_entry) and entry[by_entry[late]] >= time[opens[b]]:
            j = by_entry[late]
            _add(tree, rank[j], -weight[j])
            if ties:
                here[rank[j]] -= weight[j]
            under_watch -= weight[j]
            late += 1
        for i in range(opens[b], middles[b]):
            below = _below(tree, rank[i])
            same = here[rank[i]] if ties else here[0]
            score[i] = left[i] * (below + 0.5 * same)
            pairs[i] = left[i] * under_watch
            concordant += left[i] * below
            tied += left[i] * same
        for i in range(opens[b], middles[b]):
            _add(tree, rank[i], weight[i])
            if ties:
                here[rank[i]] += weight[i]
            under_watch += weight[i]
    counts[0] += concordant
    counts[1] += tied
    return score, pairs


@njit(cache=True, nogil=True)
def as_later(rank, weight, left, opens, middles, ranks, time, entry, by_entry, score, pairs):
    """Add what each makes of those that ended before it, while it was under watch; by_entry is earliest first."""
    tree, here = np.zeros(ranks + 1, left.dtype), np.zeros(ranks, left.dtype)
    ties = ranks < len(rank)
    ended, late = 0.0, 0
    for b in range(len(middles)):
        while late < len(by_entry) and entry[by_entry[late]] < time[opens[b]]:
            j = by_entry[late]
            score[j] -= weight[j] * (ended - _below(tree, rank[j]) - 0.5 * (here[rank[j]] if ties else here[0]))
            pairs[j] -= weight[j] * ended
            late += 1
        for j in range(opens[b], middles[b]):
            score[j] += weight[j] * (ended - _below(tree, rank[j]) - 0.5 * (here[rank[j]] if ties else here[0]))
            pairs[j] += weight[j] * ended
        for i in range(opens[b], middles[b]):
            if left[i] > 0.0:
                _add(tree, rank[i], left[i])
                if ties:
                    here[rank[i]] += left[i]
                ended += left[i]
        for j in range(middles[b], opens[b + 1]):
            score[j] += weight[j] * (ended - _below(tree, rank[j]) - 0.5 * (here[rank[j]] if ties else here[0]))
            pairs[j] += weight[j] * ended
