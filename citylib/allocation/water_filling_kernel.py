"""The compiled heart of water-filling: resources are fixed at a bound, a side at a time, until the rest fits.

Legend: B instances, N resources, Q rows of what is the same for all (1) or given by instance (B).
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["FREE", "HIGH", "LOW", "OUT", "fill_rows"]

FREE, LOW, HIGH, OUT = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def fill_rows(worth_BN, rate_BN, low_QN, high_QN, mask_QN, budget_B, share_BN, level_B, residual_B, side_BN):
    """Fill the last four with shares, log shadow price, KKT residual and the side each resource ends on.

    The amounts are s_i = clip((worth_i - level) / rate_i, low_i, high_i), with sum R. At a level that fits those not
    yet fixed, too little below the lower bounds or too much above the upper says which side is settled for good.
    """
    count, n = worth_BN.shape
    amount = np.empty(n)
    for k in range(count):
        q = k if low_QN.shape[0] > 1 else 0
        h = k if high_QN.shape[0] > 1 else 0
        m = k if mask_QN.shape[0] > 1 else 0
        budget = budget_B[k]
        for i in range(n):
            side_BN[k, i] = FREE if mask_QN[m, i] else OUT
            amount[i] = 0.0
        level = np.nan
        while True:
            over_rate, base, rest, free = 0.0, 0.0, budget, 0
            for i in range(n):
                if side_BN[k, i] == FREE:
                    inverse = 1.0 / rate_BN[k, i]
                    over_rate += inverse
                    base += worth_BN[k, i] * inverse
                    free += 1
                else:
                    rest -= amount[i]
            if free == 0:
                break
            level = (base - rest) / over_rate
            under, over = 0.0, 0.0
            for i in range(n):
                if side_BN[k, i] == FREE:
                    amount[i] = (worth_BN[k, i] - level) / rate_BN[k, i]
                    if amount[i] < low_QN[q, i] * budget:
                        under += low_QN[q, i] * budget - amount[i]
                    elif amount[i] > high_QN[h, i] * budget:
                        over += amount[i] - high_QN[h, i] * budget
            if under == 0.0 and over == 0.0:
                break
            for i in range(n):
                if side_BN[k, i] == FREE:
                    if under >= over and amount[i] < low_QN[q, i] * budget:
                        side_BN[k, i] = LOW
                        amount[i] = low_QN[q, i] * budget
                    elif under < over and amount[i] > high_QN[h, i] * budget:
                        side_BN[k, i] = HIGH
                        amount[i] = high_QN[h, i] * budget
        if free == 0:  # every resource at a bound: one more unit goes where it is worth most
            level = -np.inf
            for i in range(n):
                if side_BN[k, i] == LOW:
                    level = max(level, worth_BN[k, i] - rate_BN[k, i] * amount[i])
        level_B[k] = level
        total, worst = 0.0, 0.0
        for i in range(n):
            share_BN[k, i] = amount[i] / budget
            total += share_BN[k, i]
            if side_BN[k, i] != OUT and level > -np.inf:
                off = np.expm1(worth_BN[k, i] - rate_BN[k, i] * share_BN[k, i] * budget - level)
                if side_BN[k, i] == LOW:
                    off = max(off, 0.0)
                elif side_BN[k, i] == HIGH:
                    off = max(-off, 0.0)
                worst = max(worst, abs(off))
        residual_B[k] = max(worst, abs(total - 1.0))
