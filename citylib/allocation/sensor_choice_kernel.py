"""The compiled heart of greedy choice: the covariance is brought up to date after every read, and all gains with it.

Legend: N sensors, K reads.
"""

from __future__ import annotations

from numba import njit

__all__ = ["choose"]


@njit(cache=True, nogil=True)
def choose(cov_NN, variance, weight_N, can_N, chosen_K):
    """Fill the last with the sensors that bring the weighted sum of variances down most, one after the other; -1: none.

    Every gain is worked out anew after every read, N^2 a read. Lazy gains (Minoux) would be fewer, but hold only where
    gains never rise, and those of a sum of variances can: one reading may make another worth more.
    """
    n = cov_NN.shape[0]
    cov = cov_NN.copy()
    left = can_N.copy()
    for m in range(chosen_K.shape[0]):
        best, most = -1, -1.0
        for j in range(n):
            if left[j]:
                total = 0.0
                for i in range(n):
                    total += weight_N[i] * cov[j, i] * cov[j, i]
                gain = total / (cov[j, j] + variance)
                if gain > most:
                    best, most = j, gain
        chosen_K[m] = best
        if best < 0:
            continue
        left[best] = False
        if m + 1 < chosen_K.shape[0]:
            column = cov[best].copy()
            scale = 1.0 / (column[best] + variance)
            for i in range(n):
                share = scale * column[i]
                for j in range(n):
                    cov[i, j] -= share * column[j]
