"""The passes over the rows that a Cox regression is made of, compiled.

A row is at risk at the event times numbered before + 1 to last (see `citylib.survival.risk_sets`). What the likelihood
needs of the risk sets are sums over their members, and a member's part in them is r = w exp(x'b) and r x, whatever the
time. So rows need no order: each adds its part at `last`, takes it off at `before`, and a running sum from the latest
event time back does the rest. And sum_k h_k sum_{i at risk at k} r_i x_i x_i' is added up the other way round: the x x'
of a row times the hazard it lived through, so that second moments are one matrix product.

At event time k, with d deaths of total weight W, u = 1/d, 2/d .. 1 for Efron's ties (for Breslow's all u are 1), those
who live on summing to R0 and R1, the dying to D0 and D1, and c = 1 / (R0 + u D0), the table of steps holds W/d times

    h = sum c,  g = sum u c,  a = sum c^2,  b = sum u c^2,  e = sum u^2 c^2

so every sum has terms of one sign: nothing is lost where nearly all of a risk set die at once.

Legend: n rows, p columns, P columns with room for one more and then to a multiple of 4, K event times; 2: those who
live on at a time and those who die at it; 7 columns of a step.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

__all__ = [
    "ALIVE", "CROSS", "DEAD", "DEATH", "LIVED", "LIVED_DEAD", "ONE",
    "curvature", "extents", "hazards", "moments", "scores", "spread", "steps",
]  # fmt: skip

# columns of a step: h summed up to here, for who lives on and for who dies here; then h, g, a, b, e
LIVED, LIVED_DEAD, ONE, DEATH, ALIVE, CROSS, DEAD = range(7)
BLOCK = 256  # rows at a time: they stay in the nearest cache


@njit(cache=True, nogil=True)
def extents(x_np, middle_p, scale_p):
    """Fill in the mean of each column and one over its standard deviation; 0 where it does not vary."""
    rows, columns = x_np.shape
    total, squares = np.zeros(columns), np.zeros(columns)
    for i in range(rows):
        for j in range(columns):
            away = x_np[i, j] - x_np[0, j]
            total[j] += away
            squares[j] += away * away
    for j in range(columns):
        mean = total[j] / rows
        middle_p[j] = x_np[0, j] + mean
        variance = squares[j] / rows - mean * mean
        if variance <= 1e-6 * squares[j] / rows:  # the first row lies far from all others: add up again from the mean
            variance = 0.0
            for i in range(rows):
                variance += (x_np[i, j] - middle_p[j]) ** 2
            variance = variance / rows if squares[j] > 0.0 else 0.0
        scale_p[j] = 1.0 / math.sqrt(variance) if variance > 0.0 else 0.0


@njit(cache=True, nogil=True)
def spread(r_n, last_n, before_n, died_n, sum_K2):
    """Add up r of the rows where each leaves the risk sets, and take it off where it has not yet entered."""
    for i in range(len(r_n)):
        k = last_n[i]
        if k >= 0:
            sum_K2[k, died_n[i]] += r_n[i]
            if before_n[i] >= 0:
                sum_K2[before_n[i], 0] -= r_n[i]


@njit(cache=True, nogil=True)
def steps(sum_K2, deaths_K, weight_K, opens_K, efron, step_K7):
    """Turn sums at each event time into steps of the hazard; return the sum of W/d log(R0 + u D0).

    `sum_K2` is overwritten by R0 and D0. The running sum keeps what rounding takes from it, and begins anew in each
    stratum.
    """
    total = 0.0
    running, lost = 0.0, 0.0
    for k in range(len(sum_K2) - 1, -1, -1):
        if k == len(sum_K2) - 1 or opens_K[k + 1]:
            running, lost = 0.0, 0.0
        for side in range(2):
            amount = sum_K2[k, side]
            after = running + amount
            lost += (running - after) + amount if abs(running) >= abs(amount) else (amount - after) + running
            running = after
            if side == 0:
                sum_K2[k, 0] = max(running + lost, 0.0)
        living, dying = sum_K2[k, 0], sum_K2[k, 1]
        d = deaths_K[k]
        share = weight_K[k] / d
        whole = living + dying
        if efron and d > 1:
            h, g, a, b, e, product, logs = 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0
            for m in range(1, d + 1):
                u = m / d
                c = 1.0 / (living + u * dying)
                uc = u * c
                h += c
                g += uc
                a += c * c
                b += uc * c
                e += uc * uc
                product *= c * whole
                if m % 16 == 0:  # sixteen factors, each from 1 to d, stay within the range of a number
                    logs += math.log(product)
                    product = 1.0
            logs += math.log(product)
        else:
            c = 1.0 / whole
            h, a, logs = d * c, d * c * c, 0.0
            g, b, e = h, a, a
        total += share * (d * math.log(whole) - logs)
        step_K7[k, 2], step_K7[k, 3] = share * h, share * g
        step_K7[k, 4], step_K7[k, 5], step_K7[k, 6] = share * a, share * b, share * e
    hazards(opens_K, step_K7)
    return total


@njit(cache=True, nogil=True)
def hazards(opens_K, step_K7):
    """Add up the hazard from the first event time of each stratum on; who dies at a time lives through less of it."""
    lived = 0.0
    for k in range(len(opens_K)):
        until = 0.0 if opens_K[k] else lived
        lived = until + step_K7[k, 2]
        step_K7[k, 0], step_K7[k, 1] = lived, until + step_K7[k, 3]


@njit(cache=True, nogil=True)
def moments(x_np, middle_p, scale_p, r_n, weight_n, last_n, before_n, died_n, step_K7, sum_K2P, out_PP):
    """Add up r x at each event time, and over all rows x x' times r times the hazard lived through.

    Column p of `out_PP` becomes the gradient: x times (w at a death, less r times that hazard). `weight_n` has length 1
    where all weights are one.
    """
    rows, columns = x_np.shape
    wide = sum_K2P.shape[2]
    weighted = len(weight_n) > 1
    z, vz, part = np.zeros((BLOCK, wide)), np.zeros((BLOCK, wide)), np.zeros((wide, wide))
    sum_K2P[:] = 0.0
    out_PP[:] = 0.0
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        for i in range(start, stop):
            for j in range(columns):
                z[i - start, j] = (x_np[i, j] - middle_p[j]) * scale_p[j]
        if stop - start < BLOCK:
            z[stop - start :] = 0.0
            vz[stop - start :] = 0.0
        for i in range(start, stop):
            line = i - start
            k = last_n[i]
            if k < 0:
                vz[line, :] = 0.0
                continue
            dies = died_n[i]
            r = r_n[i]
            hazard = step_K7[k, dies]
            k0 = before_n[i]
            if k0 >= 0:
                hazard -= step_K7[k0, 0]
                for q in range(wide):
                    sum_K2P[k0, 0, q] -= r * z[line, q]
            v = r * hazard
            for q in range(wide):
                sum_K2P[k, dies, q] += r * z[line, q]
            for q in range(wide):
                vz[line, q] = v * z[line, q]
            vz[line, columns] = (dies * weight_n[i] if weighted else dies) - v
        np.dot(z.T, vz, part)
        out_PP += part


@njit(cache=True, nogil=True)
def curvature(sum_K2P, opens_K, step_K7, out_PP):
    """Take from `out_PP` the squares of the means of the risk sets; `sum_K2P` is overwritten by R1 and D1."""
    times, _, wide = sum_K2P.shape
    running = np.zeros(wide)
    pairs, part = np.zeros((BLOCK, wide)), np.zeros((wide, wide))
    filled = 0
    for k in range(times - 1, -1, -1):
        if k == times - 1 or opens_K[k + 1]:
            running[:] = 0.0
        # R1 and D1 weigh in by a, b, b, e: that matrix as the square of its triangular root
        root = math.sqrt(step_K7[k, 4])
        cross = step_K7[k, 5] / root if root > 0.0 else 0.0
        rest = math.sqrt(max(step_K7[k, 6] - cross * cross, 0.0))
        for q in range(wide):
            living = sum_K2P[k, 0, q] + running[q]
            dying = sum_K2P[k, 1, q]
            sum_K2P[k, 0, q] = living
            running[q] = living + dying
            pairs[filled, q] = root * living + cross * dying
            pairs[filled + 1, q] = rest * dying
        filled += 2
        if filled == BLOCK:
            np.dot(pairs.T, pairs, part)
            out_PP -= part
            filled = 0
    pairs[filled:] = 0.0
    np.dot(pairs.T, pairs, part)
    out_PP -= part


@njit(cache=True, nogil=True)
def scores(x_np, middle_p, scale_p, r_n, weight_n, last_n, before_n, died_n, step_K7, mean_Kp, lived_K2p, out_np):
    """Fill in what each row adds to the gradient, per unit of its weight: its score residual.

    `mean_Kp` holds the mean of x over each risk set, as its deaths see it; `lived_K2p` its sum over steps of the hazard
    up to each time, for who lives on and for who dies there. `weight_n` has length 1 where all weights are one.
    """
    rows, columns = x_np.shape
    weighted = len(weight_n) > 1
    for i in range(rows):
        k, k0, dies = last_n[i], before_n[i], died_n[i]
        if k < 0:
            out_np[i, :] = 0.0
            continue
        r = r_n[i] / weight_n[i] if weighted else r_n[i]
        hazard = step_K7[k, dies]
        if k0 >= 0:
            hazard -= step_K7[k0, 0]
        for j in range(columns):
            z = (x_np[i, j] - middle_p[j]) * scale_p[j]
            share = lived_K2p[k, dies, j]
            if k0 >= 0:
                share -= lived_K2p[k0, 0, j]
            value = z - mean_Kp[k, j] if dies else 0.0
            out_np[i, j] = value - r * (z * hazard - share)
