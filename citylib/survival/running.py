"""Compiled passes over the rows of risk sets: sums within groups, places of times, variance of recurrent events.

Legend: n durations, K rows of distinct times, group by group, G groups, S subjects.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["locate", "mean_variance", "sums"]


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
