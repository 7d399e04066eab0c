"""Sums of scores over a window that moves in time, compiled: what autocorrelation-consistent errors are made of.

Legend: T rows, K columns, S steps of the time axis from the first row to the last.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from citylib import checks
from citylib.errors import InputError

__all__ = ["SPARSE", "moving_sums", "pair_sums", "reach_of", "shortened"]

FloatArray = npt.NDArray[np.float64]
SPARSE = 20  # steps a row, from which on a sum over all steps is no longer quicker than one over pairs of rows


def reach_of(lags: object, step_T: npt.NDArray[np.int64]) -> int:
    """Return `lags` if it is a whole number of steps that some rows may be apart, or say what is wrong with it.

    Parameters
    ----------
    lags : object
        As the caller has it.
    step_T : ndarray of int, shape (T,)
        Step of each row, increasing.

    Raises
    ------
    InputError
        No whole number, or as many steps as lie from the first row to the last, or more.
    """
    reach = checks.integer("lags (for HAC)", lags, minimum=0)
    span = int(step_T[-1]) - int(step_T[0]) + 1
    if reach >= span:
        raise InputError("lags (for HAC)", f"be fewer than the {span} steps from the first row to the last", reach)
    return reach


def shortened(step_T: npt.NDArray[np.int64], reach: int) -> npt.NDArray[np.int64]:
    """Return the steps with long gaps cut to the shortest one that no pair of rows within `reach` spans.

    Parameters
    ----------
    step_T : ndarray of int, shape (T,)
        Step of each row, increasing.
    reach : int
        Lags.

    Examples
    --------
    >>> shortened(np.array([7, 8, 10**15]), 1).tolist()
    [0, 1, 3]
    """
    return np.concatenate([[0], np.minimum(np.diff(step_T), reach + 1).cumsum()]).astype(np.int64)


def pair_sums(score_TK: FloatArray, step_T: npt.NDArray[np.int64], reach: int) -> FloatArray:
    """Return Newey and West's sum over pairs of rows, shape (K, K), for steps far apart: time costs no memory.

    Parameters
    ----------
    score_TK : ndarray, shape (T, K)
        Scores x e.
    step_T : ndarray of int, shape (T,)
        Step of each row, increasing.
    reach : int
        Lags.

    Examples
    --------
    >>> pair_sums(np.ones((3, 1)), np.array([0, 1, 10**15]), 1).tolist()
    [[4.0]]
    """
    total = score_TK.T @ score_TK
    for rows in range(1, len(step_T)):  # apart
        lag_R = step_T[rows:] - step_T[:-rows]
        if lag_R.min() > reach:
            break
        weight_R = np.maximum(1 - lag_R / (reach + 1), 0.0)
        cross = score_TK[rows:].T @ (score_TK[:-rows] * weight_R[:, None])
        total += cross + cross.T
    return np.asarray(total)


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
