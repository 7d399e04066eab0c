"""What a column does in a spatial lag model: to its own place, to the others, and in all, with intervals.

In y = rho W y + X b + e a change of column k moves y by S = (I - rho W)^-1 b_k, a matrix: the diagonal is what places
do to themselves (a little more than b_k, for neighbours answer), the rest what they do to each other. Reported are
means over the places. Legend: n places, K columns, R draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import splu

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.lag_models import SpatialFit, weights
from citylib.spatial.log_determinants import log_determinant

__all__ = ["Effects", "effects"]

FloatArray = npt.NDArray[np.float64]
NODES = 32  # points between which the two means of (I - rho W)^-1 are interpolated
EDGE = 1e-3  # how near to the ends of its range a draw of rho may lie


@dataclass(frozen=True, eq=False)
class Effects:
    """Mean effects of columns in a spatial lag model.

    Parameters
    ----------
    names : tuple of str
        Of the K columns asked for.
    direct, indirect, total : ndarray, shape (K,)
        On the own place, on all others together, and their sum, per unit of the column.
    draws : ndarray, shape (R, 3, K)
        Direct, indirect and total of coefficients drawn from their estimated law.
    refused : int
        Draws whose spatial parameter lay outside its range, and were drawn anew.
    """

    names: tuple[str, ...]
    direct: FloatArray
    indirect: FloatArray
    total: FloatArray
    draws: FloatArray
    refused: int

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return each column's effects with intervals from the draws, three rows a column.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of the intervals.
        """
        tail = (1 - checks.fraction("level", level)) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail], axis=0)
        rows = [
            (name, kind, getattr(self, kind)[k], low[i, k], high[i, k])
            for k, name in enumerate(self.names)
            for i, kind in enumerate(("direct", "indirect", "total"))
        ]
        return pd.DataFrame(rows, columns=["column", "effect", "estimate", "low", "high"])


def effects(
    fit: SpatialFit,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    generator: np.random.Generator,
    columns: Sequence[str] | None = None,
    draws: int = 2000,
) -> Effects:
    """Return direct, indirect and total effects of a fitted spatial lag model.

    Parameters
    ----------
    fit : SpatialFit
        Of kind "lag", with standard errors.
    w : sparse matrix or array_like, shape (n, n)
        The weights it was fitted with.
    generator : numpy.random.Generator
        Draws coefficients and rho from the normal law of their estimates.
    columns : sequence of str, optional
        Which; by default all, of which the intercept's mean nothing.
    draws : int, default 2000
        R.

    Returns
    -------
    Effects

    Raises
    ------
    InputError
        Another kind of model, no standard errors, weights of another order, a column that is not in the model, a rho so
        badly known that nine draws in ten lie outside its range.

    References
    ----------
    LeSage, J. and Pace, R. K. (2009). Introduction to Spatial Econometrics. CRC Press, chapter 2.
    """
    if fit.kind != "lag":
        raise InputError("fit", "be a spatial lag model: in the others a coefficient is an effect", fit.kind)
    if fit.covariance is None:
        raise InputError("fit", "have standard errors", "fitted with standard_errors=False")
    matrix = weights("w", w, len(fit.residuals))
    wanted = fit.names if columns is None else checks.unique("columns", list(columns))
    at = [fit.names.index(checks.one_of("columns", name, fit.names)) for name in wanted]
    draws = checks.integer("draws", draws, minimum=100)
    drawn, refused = _drawn(fit, generator, draws, (1 - EDGE) / _radius(matrix))
    rho = drawn[:, -1]
    own, whole = _means(matrix, min(rho.min(), fit.spatial), max(rho.max(), fit.spatial), np.append(rho, fit.spatial))
    beta = np.vstack([drawn[:, :-1], fit.coefficients])[:, at]
    parts = np.stack([own[:, None] * beta, (whole - own)[:, None] * beta, whole[:, None] * beta], axis=1)
    direct, indirect, total = parts[-1]
    return Effects(tuple(wanted), direct, indirect, total, parts[:-1], refused)


def _drawn(fit: SpatialFit, generator: np.random.Generator, draws: int, reach: float) -> tuple[FloatArray, int]:
    """Return draws of the coefficients and rho, with rho within its range."""
    assert fit.covariance is not None
    centre = np.append(fit.coefficients, fit.spatial)
    scale = np.sqrt(np.diag(fit.covariance))
    root = np.linalg.cholesky(fit.covariance / np.outer(scale, scale))  # columns differ in unit by orders of magnitude
    made = centre + (generator.standard_normal((10 * draws, len(centre))) @ root.T) * scale
    good = np.abs(made[:, -1]) <= reach
    if good.sum() < draws:
        raise InputError("fit", "know rho well enough for one draw in ten to lie in its range", f"{good.mean():.1%}")
    last = int(np.flatnonzero(good)[draws - 1])
    return made[good][:draws], last + 1 - draws


def _means(matrix: sparse.csr_array, low: float, high: float, rho: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the mean diagonal and the mean row sum of (I - rho W)^-1 at many rho.

    They are worked out at a few Chebyshev points of t = atanh(rho / end), in which the poles at both ends of rho's
    range lie infinitely far away; the diagonal's from the derivative of the log-determinant
    (tr (I - rho W)^-1 = n - rho d/drho log |I - rho W|).
    """
    n, end = matrix.shape[0], 1 / _radius(matrix)
    domain = [float(np.arctanh(low / end)) - 1e-3, float(np.arctanh(high / end)) + 1e-3]
    angle = (np.arange(NODES) + 0.5) * np.pi / NODES
    nodes = sum(domain) / 2 + (domain[1] - domain[0]) / 2 * np.cos(angle)
    eye = sparse.eye_array(n, format="csr")
    factors = [sparse.csc_matrix(eye - end * np.tanh(t) * matrix) for t in nodes]
    heights = [log_determinant(factor) for factor in factors]
    sums = [splu(factor).solve(np.ones(n)).mean() for factor in factors]
    height, whole = (np.polynomial.Chebyshev.fit(nodes, v, NODES - 1, domain=domain) for v in (heights, sums))
    at = np.arctanh(rho / end)
    slope = height.deriv()(at) / (end - rho**2 / end)  # by the chain rule
    return np.asarray(1 - rho * slope / n), np.asarray(whole(at))


def _radius(matrix: sparse.csr_array) -> float:
    """Return the largest size that an eigenvalue can have."""
    return float(min(matrix.sum(axis=1).max(), matrix.sum(axis=0).max()))
