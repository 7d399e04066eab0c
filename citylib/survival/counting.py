"""Compiled counting: durations into a table of group by whole time, and the product-limit estimate of many groups.

Legend: n durations, G groups, W whole times 0 .. W - 1, K rows of distinct times, group by group.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["product_limit", "tally", "tally_weighted", "whole"]


@njit(cache=True, nogil=True)
def whole(value):
    """Return the largest value if all are whole numbers, else -1; value (n,) is 0 or more."""
    top = np.int64(0)
    for i in range(len(value)):
        k = np.int64(value[i])
        if k != value[i]:
            return -1
        if k > top:
            top = k
    return top


@njit(cache=True, nogil=True)
def tally(code, time, event, groups, width):
    """Return how many went out of sight and how many ended, (G, W, 2)."""
    out = np.zeros((groups, width, 2), dtype=np.int64)
    for i in range(len(code)):
        out[code[i], np.int64(time[i]), np.int64(event[i])] += 1
    return out


@njit(cache=True, nogil=True)
def tally_weighted(code, time, event, weight, groups, width):
    """Return the weights of those who went out of sight and of those who ended, (G, W, 2)."""
    out = np.zeros((groups, width, 2))
    for i in range(len(code)):
        out[code[i], np.int64(time[i]), np.int64(event[i])] += weight[i]
    return out


@njit(cache=True, nogil=True)
def product_limit(bounds, at_risk, events):
    """Return survival and Greenwood's sum of each group, both (K,); infinite once all at risk have ended."""
    survival, greenwood = np.empty(len(at_risk)), np.empty(len(at_risk))
    for g in range(len(bounds) - 1):
        s, v = 1.0, 0.0
        for k in range(bounds[g], bounds[g + 1]):
            n, d = at_risk[k], events[k]
            if d > 0.0:
                s *= 1.0 - d / n
                v += d / (n * (n - d)) if d < n else np.inf
            survival[k], greenwood[k] = s, v
    return survival, greenwood
