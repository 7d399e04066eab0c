"""Compiled sums of log-rank tests: the covariance of many groups by a sweep through time, and tests of all pairs.

Legend: k groups, C changes of the numbers at risk, T times with events, K rows of the groups' risk sets, P pairs.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = ["pair_tests", "swept_products"]


@njit(cache=True, nogil=True)
def swept_products(group, change, total, groups):
    """Return the sum over times of a(t) Y(t) Y(t)', (k, k), going back in time from when nobody is left.

    group, change, total are (C,), latest first: by how much the number at risk of `group` is larger before
    than after, and the sum of a over the times before. One row of the matrix is touched by each change.
    """
    at_risk = np.zeros(groups)
    half = np.zeros((groups, groups))
    for c in range(len(group)):
        g, more, a = group[c], change[c], total[c]
        if a > 0.0:
            row = half[g]
            factor = a * more
            for h in range(groups):
                row[h] += factor * at_risk[h]
            row[g] += 0.5 * factor * more
        at_risk[g] += more
    return half + half.T


@njit(cache=True, nogil=True)
def pair_tests(bounds, time, at_risk, events, after, weighting, p, q, shift, variance):
    """Add the weighted difference of observed and expected of each pair's first group, and its variance, both (P,).

    bounds is (k + 1,), the other tables (K,); weighting 0: 1, 1: n, 2: root of n, 3: Peto and Peto's survival,
    4: S^p (1 - S)^q with S just before. Pairs come as (0, 1), (0, 2), ..., (k - 2, k - 1).
    """
    groups = len(bounds) - 1
    pair = -1
    for g in range(groups):
        for h in range(g + 1, groups):
            pair += 1
            i, j = bounds[g], bounds[h]
            end_i, end_j = bounds[g + 1], bounds[h + 1]
            if i == end_i or j == end_j:
                continue
            now_g, now_h = at_risk[i], at_risk[j]
            survival = 1.0
            u, v = 0.0, 0.0
            while i < end_i and j < end_j:  # once one group is done there is nobody to compare with
                time_i, time_j = time[i], time[j]
                d_g, d_h = 0.0, 0.0
                y_g, y_h = now_g, now_h
                if time_i <= time_j:
                    d_g, now_g = events[i], after[i]
                    i += 1
                if time_j <= time_i:
                    d_h, now_h = events[j], after[j]
                    j += 1
                d, n = d_g + d_h, y_g + y_h
                if d > 0.0:
                    w = 1.0
                    if weighting == 1:
                        w = n
                    elif weighting == 2:
                        w = math.sqrt(n)
                    elif weighting == 3:
                        survival *= 1.0 - d / (n + 1.0)
                        w = survival
                    elif weighting == 4:
                        w = survival**p * (1.0 - survival) ** q
                        survival *= 1.0 - d / n
                    share = y_g / n
                    u += w * (d_g - d * share)
                    if n > 1.0:
                        v += w * w * d * (n - d) / (n - 1.0) * share * (1.0 - share)
            shift[pair] += u
            variance[pair] += v
