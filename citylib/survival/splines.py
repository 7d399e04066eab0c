"""Restricted cubic splines: a bent line for a covariate, straight beyond its outer knots.

Legend: n values, k knots.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["restricted_cubic"]

FloatArray = npt.NDArray[np.float64]


def restricted_cubic(x: npt.ArrayLike, knots: npt.ArrayLike) -> FloatArray:
    """Return the columns that bend a straight line: with `x` itself beside them they span the restricted cubic splines.

    Such a spline is a cubic between neighbouring knots, smooth to its second derivative, and straight outside the first
    and the last, where few values would otherwise decide on much. Whether the effect bends at all is a test that the
    coefficients of these columns are 0.

    Parameters
    ----------
    x : array_like, shape (n,)
        Values.
    knots : array_like, shape (k,)
        Where the curve may bend, increasing; 3 or more. Quantiles of `x` do.

    Returns
    -------
    ndarray, shape (n, k - 2)
        In the unit of `x`.

    Raises
    ------
    InputError
        Fewer than three knots, knots that do not increase, missing values.

    References
    ----------
    Durrleman, S. and Simon, R. (1989). Flexible regression models with cubic splines. Statistics in Medicine 8(5),
    551-561.
    Harrell, F. E. (2015). Regression Modeling Strategies, 2nd ed., section 2.4. Springer.

    Examples
    --------
    >>> restricted_cubic([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 3.0]).round(4).ravel().tolist()
    [0.0, 0.1111, 0.7222, 1.6667, 2.6667]
    """
    x_n = checks.series("x", x)
    t_k = np.asarray(checks.increasing("knots", knots), dtype=np.float64)
    if len(t_k) < 3:
        raise InputError("knots", "hold at least three", len(t_k))
    cube_nk = np.maximum(x_n[:, None] - t_k, 0.0) ** 3
    last, before = t_k[-1], t_k[-2]
    left = np.outer(cube_nk[:, -2], last - t_k[:-2]) - np.outer(cube_nk[:, -1], before - t_k[:-2])
    return np.asarray((cube_nk[:, :-2] - left / (last - before)) / (last - t_k[0]) ** 2)
