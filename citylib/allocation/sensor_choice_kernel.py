"""The compiled heart of greedy choice: gains are worked out again only where an old one could still be the largest.

Legend: N sensors, K reads.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["lazily"]


@njit(cache=True, nogil=True)
def lazily(cov_NN, variance, weight_N, can_N, chosen_K):
    """Fill the last with the sensors that bring the weighted sum of variances down most, one after the other; -1: none.

    After m reads the covariance is P - U U' with a column of U a read, so one column of it costs N m. An old gain is
    taken as a bound of the new one (Minoux): exact where gains only fall as more is read.
    """
    n, reads = cov_NN.shape[0], chosen_K.shape[0]
    factor = np.empty((reads, n))
    column = np.empty(n)
    bound, fresh = np.empty(n), np.zeros(n, dtype=np.int64)
    for j in range(n):
        bound[j] = -1.0
        if can_N[j]:
            total = 0.0
            for i in range(n):
                total += weight_N[i] * cov_NN[j, i] * cov_NN[j, i]
            bound[j] = total / (cov_NN[j, j] + variance)
    for m in range(reads):
        chosen_K[m] = -1
        while True:
            j = int(np.argmax(bound))
            if bound[j] < 0.0:
                return
            for i in range(n):
                column[i] = cov_NN[j, i]
            for q in range(m):
                away = factor[q, j]
                for i in range(n):
                    column[i] -= away * factor[q, i]
            if fresh[j] == m:
                break
            total = 0.0
            for i in range(n):
                total += weight_N[i] * column[i] * column[i]
            bound[j] = total / (column[j] + variance)
            fresh[j] = m
        root = np.sqrt(column[j] + variance)
        for i in range(n):
            factor[m, i] = column[i] / root
        chosen_K[m] = j
        bound[j] = -1.0
