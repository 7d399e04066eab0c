"""Sums of scores over a window that moves in time, compiled: what autocorrelation-consistent errors are made of.

Legend: T rows, K columns, S steps of the time axis from the first row to the last.
"""

from __future__ import annotations

from numba import njit

__all__ = ["moving_sums"]


@njit(cache=True, nogil=True)
def moving_sums(x_TK, residual_T, step_T, reach, out_SK):
    """Fill in, for each step, the sum of the scores x e of the rows at it and at the `reach` steps before it.

    Parameters
    ----------
    x_TK : ndarray, shape (T, K)
        Design.
    residual_T : ndarray, shape (T,)
        Residuals.
    step_T : ndarray of int, shape (T,)
        Step of each row, from 0, increasing.
    reach : int
        Lags.
    out_SK : ndarray, shape (S + reach, K)
        Filled in; zero where no row is near.
    """
    rows, columns = x_TK.shape
    enters = 0
    leaves = 0
    for s in range(out_SK.shape[0]):
        if s:
            for k in range(columns):
                out_SK[s, k] = out_SK[s - 1, k]
        if enters < rows and step_T[enters] == s:
            for k in range(columns):
                out_SK[s, k] += x_TK[enters, k] * residual_T[enters]
            enters += 1
        if leaves < rows and step_T[leaves] == s - reach - 1:
            for k in range(columns):
                out_SK[s, k] -= x_TK[leaves, k] * residual_T[leaves]
            leaves += 1
