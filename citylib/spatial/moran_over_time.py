"""Moran's I of a map at every step of time: whether what is left over at one moment is alike among neighbours.

Legend: T time steps, n places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.lag_models import weights

__all__ = ["moran_over_time"]


def moran_over_time(values: npt.ArrayLike, w: sparse.sparray | npt.ArrayLike, /) -> npt.NDArray[np.float64]:
    """Return Moran's I of each step over the places that were read then.

    Parameters
    ----------
    values : array_like, shape (T, n)
        Such as errors of forecasts; NaN where there is none.
    w : sparse matrix or array_like, shape (n, n)
        Weights, no islands; usually rows that sum to 1.

    Returns
    -------
    ndarray, shape (T,)
        NaN where fewer than four places were read, no two of them are neighbours, or all are equal. With nothing
        in common among neighbours its mean over many steps is -1 / (n - 1).

    Raises
    ------
    InputError
        Infinite values, weights of another order or with islands.

    References
    ----------
    Moran, P. A. P. (1950). Notes on continuous stochastic phenomena. Biometrika 37, 17-23.

    Examples
    --------
    >>> row = np.eye(4, k=1) + np.eye(4, k=-1)
    >>> moran_over_time([[1, 2, 4, 5], [1, 5, 2, 4]], row).round(2).tolist()
    [0.4, -0.93]
    """
    given = checks.matrix("values", values, missing=True)
    if given.shape[1] < 4:
        raise InputError("values", "have at least 4 places", given.shape)
    matrix = weights("w", w, given.shape[1])
    there = ~np.isnan(given)
    count = there.sum(axis=1)
    z = np.where(there, given, 0.0)
    z = np.where(there, z - (z.sum(axis=1) / np.maximum(count, 1))[:, None], 0.0)
    whole = (there * (there.astype(np.float64) @ matrix.T)).sum(axis=1)
    square, across = (z * z).sum(axis=1), (z * (z @ matrix.T)).sum(axis=1)
    largest = np.abs(np.where(there, given, 0.0)).max(axis=1)
    usable = (count >= 4) & (whole > 0) & (square > 1e-24 * largest**2 * np.maximum(count, 1))
    out = np.full(len(given), np.nan)
    np.divide(across * count, whole * square, out=out, where=usable)
    return out
