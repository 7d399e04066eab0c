"""Does a regression leave space in its residuals, and of which kind? Moran's test and Lagrange multipliers.

All that is needed is the ordinary regression: a multiplier is the slope of the larger model's likelihood where its
spatial parameter is zero, measured by its standard deviation. Legend: n places, K columns, M = I - X (X'X)^-1 X'.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from citylib.errors import InputError
from citylib.spatial.lag_models import checked

__all__ = ["multipliers"]

FloatArray = npt.NDArray[np.float64]


def multipliers(
    x: pd.DataFrame | npt.ArrayLike,
    y: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    names: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Test the residuals of an ordinary regression for a spatial lag and for spatial errors.

    Parameters
    ----------
    x : DataFrame or array_like, shape (n, K)
        Design with its intercept.
    y : array_like, shape (n,)
        What is explained.
    w : sparse matrix or array_like, shape (n, n)
        Weights; usually rows that sum to 1.
    names : sequence of str, optional
        Of the columns, if `x` is no frame.

    Returns
    -------
    DataFrame
        statistic, degrees, p_value of "Moran" (standard normal, two-sided) and, chi square, of "lag", "error", "robust
        lag", "robust error" (each as if the other were there too) and "both".

    Raises
    ------
    InputError
        As `citylib.spatial.lag_models.lag` does; residuals that are all zero; a lag of the fit that the columns
        explain.

    References
    ----------
    Burridge, P. (1980). On the Cliff-Ord test for spatial correlation. JRSS B 42(1), 107-108.
    Anselin, L. (1988). Lagrange multiplier test diagnostics for spatial dependence and spatial heterogeneity.
    Geographical Analysis 20(1), 1-17.
    Anselin, L., Bera, A. K., Florax, R. and Yoon, M. J. (1996). Simple diagnostic tests for spatial dependence.
    Regional Science and Urban Economics 26(1), 77-104.
    """
    design, readings, matrix, _ = checked(x, y, w, names)
    n = len(readings)
    q = np.linalg.qr(design)[0]
    fitted = q @ (q.T @ readings)
    residual = readings - fitted
    s2 = float(residual @ residual) / n
    if not s2 > 1e-18 * float(readings @ readings) / n:
        raise InputError("y", "not be explained by the columns to the last digit", f"residual variance {s2:.3g}")
    moved = matrix @ fitted
    moved = moved - q @ (q.T @ moved)
    whole = float(matrix.multiply(matrix.T).sum() + matrix.power(2).sum())  # tr WW + tr W'W
    known = float(moved @ moved) / s2 + whole  # n J
    by_error, by_lag = (float(residual @ (matrix @ v)) / s2 for v in (residual, readings))
    if known - whole <= 1e-9 * known:
        raise InputError("x", "leave the spatial lag of its fit unexplained", "an intercept alone, or the like")
    robust_error = (by_error - whole / known * by_lag) ** 2 / (whole * (1 - whole / known))
    robust_lag = (by_lag - by_error) ** 2 / (known - whole)
    squares = {
        "lag": by_lag**2 / known,
        "error": by_error**2 / whole,
        "robust lag": robust_lag,
        "robust error": robust_error,
        "both": robust_lag + by_error**2 / whole,
    }
    z = _moran(q, residual, matrix)
    rows = [("Moran", z, 0, 2 * stats.norm.sf(abs(z)))]
    for name, square in squares.items():
        degrees = 2 if name == "both" else 1
        rows.append((name, square, degrees, float(stats.chi2.sf(square, degrees))))
    return pd.DataFrame(rows, columns=["test", "statistic", "degrees", "p_value"]).set_index("test")


def _moran(q: FloatArray, residual: FloatArray, matrix: sparse.csr_array) -> float:
    """Return the standard score of Moran's I of residuals, which are no free values (Cliff and Ord, 1981)."""
    n, k = q.shape
    w = sparse.csr_array((matrix + matrix.T) / 2)  # the same I, and one kind of trace
    wq = w @ q
    inner = q.T @ wq
    first = -float(np.trace(inner))  # tr MW
    second = float(w.power(2).sum()) - 2 * float((wq * wq).sum()) + float((inner * inner).sum())  # tr MWMW
    scale = n / float(w.sum())
    mean = scale * first / (n - k)
    variance = scale**2 * (2 * second + first**2) / ((n - k) * (n - k + 2)) - mean**2
    value = scale * float(residual @ (w @ residual)) / float(residual @ residual)
    return float((value - mean) / np.sqrt(variance))
