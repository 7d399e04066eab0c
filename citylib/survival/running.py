"""Compiled passes over the rows of risk sets: sums within groups, places of times, variance of recurrent events.

Legend: n durations, K rows of distinct times, group by group, G groups, S subjects, C clusters.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["clustered", "locate", "mean_variance", "sums"]


@njit(cache=True, nogil=True)
def sums(bounds, values):
    """Return running sums within groups; values (K,)."""
    out = np.empty(len(values))
    for g in range(len(bounds) - 1):
        total = 0.0
        for k in range(bounds[g], bounds[g + 1]):
            total += values[k]
            out[k] = total
    return out


@njit(cache=True, nogil=True)
def locate(bounds, time, code, when):
    """Return, for each of n, the last row of its group with a time not after `when`, (n,); there is one."""
    out = np.empty(len(code), dtype=np.int64)
    for i in range(len(code)):
        low, high = bounds[code[i]], bounds[code[i] + 1]
        while low < high:
            middle = (low + high) // 2
            if time[middle] <= when[i]:
                low = middle + 1
            else:
                high = middle
        out[i] = low - 1
    return out


@njit(cache=True, nogil=True)
def mean_variance(bounds, at_risk, events, exits, exit_cell, entries, entry_cell, event, subject, subjects):
    """Return the robust variance of the mean cumulative function, (K,).

    exits, entries (n,) are the rows in order of exit_cell, entry_cell (n,), where they leave and enter; subject (n,).
    What a subject adds is its own events less the expected, each over the number at risk. The expected grows alike
    for all under watch, so that three sums over them, and one over the others, give the sum of squares.
    """
    state = np.zeros(subjects)  # under watch: own part less the expected at entry; else: what it adds
    out = np.empty(len(at_risk))
    left, come = 0, 0
    for g in range(len(bounds) - 1):
        expected, watched, first, second, rest = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(bounds[g], bounds[g + 1]):
            if at_risk[k] > 0:
                expected += events[k] / at_risk[k] ** 2
            while left < len(exits) and exit_cell[exits[left]] == k:
                i = exits[left]
                own = state[subject[i]]
                watched, first, second = watched - 1.0, first - own, second - own * own
                own -= expected
                if event[i]:
                    own += 1.0 / at_risk[k]
                state[subject[i]] = own
                rest += own * own
                left += 1
            while come < len(entries) and entry_cell[entries[come]] == k:
                i = entries[come]
                own = state[subject[i]]
                rest -= own * own
                own += expected
                state[subject[i]] = own
                watched, first, second = watched + 1.0, first + own, second + own * own
                come += 1
            out[k] = rest + second - 2.0 * expected * first + expected * expected * watched
    return out


@njit(cache=True, nogil=True)
def clustered(bounds, incidence, one, slope, exits, exit_cell, entries, entry_cell, gone, weight, cluster, clusters):
    """Return the sum over clusters of the squared sum of what their rows add to an incidence F, (K,).

    A row under watch adds one + F slope, (K,), less what that was when it came; one that left keeps gone[0] + F gone[1]
    of it, (2, n). exits, entries (n,) are the rows in order of exit_cell, entry_cell (n,), where they leave and come;
    entries is empty where all come at the start. Each group has sums of its own.
    """
    out = np.empty(len(incidence))
    # of each cluster: weight under watch, and what the others kept, less what those under watch began with
    there, kept, steep = np.zeros(clusters), np.zeros(clusters), np.zeros(clusters)
    left, come = 0, 0
    for g in range(len(bounds) - 1):
        tt, kk, ss, tk, ts, ks = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        first, last = left, left
        while last < len(exits) and exit_cell[exits[last]] < bounds[g + 1]:
            last += 1
        if len(entries) == 0:
            for i in exits[first:last]:
                c, w = cluster[i], weight[i]
                tt += w * (2.0 * there[c] + w)
                there[c] += w
        for k in range(bounds[g], bounds[g + 1]):
            while left < last and exit_cell[exits[left]] == k:
                i = exits[left]
                c, w = cluster[i], weight[i]
                t, a, s = -w, w * gone[0, i], w * gone[1, i]
                tt, kk, ss = tt + t * (2 * there[c] + t), kk + a * (2 * kept[c] + a), ss + s * (2 * steep[c] + s)
                tk += there[c] * a + t * (kept[c] + a)
                ts += there[c] * s + t * (steep[c] + s)
                ks += kept[c] * s + a * (steep[c] + s)
                there[c], kept[c], steep[c] = there[c] + t, kept[c] + a, steep[c] + s
                left += 1
            while come < len(entries) and entry_cell[entries[come]] == k:
                i = entries[come]
                c, w = cluster[i], weight[i]
                t, a, s = w, -w * one[k], -w * slope[k]
                tt, kk, ss = tt + t * (2 * there[c] + t), kk + a * (2 * kept[c] + a), ss + s * (2 * steep[c] + s)
                tk += there[c] * a + t * (kept[c] + a)
                ts += there[c] * s + t * (steep[c] + s)
                ks += kept[c] * s + a * (steep[c] + s)
                there[c], kept[c], steep[c] = there[c] + t, kept[c] + a, steep[c] + s
                come += 1
            f = incidence[k]
            now = one[k] + f * slope[k]
            out[k] = now * now * tt + kk + f * f * ss + 2.0 * (now * (tk + f * ts) + f * ks)
        for i in exits[first:last]:
            there[cluster[i]], kept[cluster[i]], steep[cluster[i]] = 0.0, 0.0, 0.0
    return out
