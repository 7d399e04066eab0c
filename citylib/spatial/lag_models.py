"""Spatial lag and spatial error regression by maximum likelihood, for as many places as a sparse factor holds.

Lag: y = rho W y + X b + e. Error: y = X b + u, u = lambda W u + e. All that the likelihood asks of I - rho W is the
logarithm of its determinant, taken from a sparse factor; the traces in the standard errors are derivatives of such
logarithms, so that no inverse is ever formed. Held equal to spreg by a test. Legend: n places, K columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, sparse, stats
from scipy.sparse.linalg import splu

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.log_determinants import maximum, traces, unit

__all__ = ["SpatialFit", "checked", "error", "lag", "weights"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpatialFit:
    """A fitted spatial regression.

    Parameters
    ----------
    kind : str
        "lag" or "error".
    names : tuple of str
        Of the K columns.
    coefficients : ndarray, shape (K,)
        Of the columns. In a lag model they are not effects: neighbours answer, and are answered (see `trace`).
    spatial : float
        rho or lambda.
    variance : float
        Of e.
    covariance : ndarray, shape (K + 1, K + 1) or None
        Of the coefficients and then the spatial parameter, from the expected information; None if not asked for.
    loglikelihood : float
        At the optimum.
    residuals : ndarray, shape (n,)
        Estimates of e.
    trace : float or None
        Mean of the diagonal of (I - rho W)^-1: what a place's own column does to it, per unit of its coefficient.
    row_sums : bool
        Whether the rows of W sum to 1.
    """

    kind: str
    names: tuple[str, ...]
    coefficients: FloatArray
    spatial: float
    variance: float
    covariance: FloatArray | None
    loglikelihood: float
    residuals: FloatArray
    trace: float | None
    row_sums: bool

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, standard error, interval and p-value (normal) of each coefficient and the spatial parameter.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of the interval.

        Raises
        ------
        InputError
            Fitted without standard errors.
        """
        if self.covariance is None:
            raise InputError("fit", "have standard errors", "fitted with standard_errors=False")
        estimate = np.append(self.coefficients, self.spatial)
        errors = np.sqrt(np.diag(self.covariance))
        reach = stats.norm.ppf(0.5 + checks.fraction("level", level) / 2) * errors
        columns = {
            "estimate": estimate, "standard_error": errors, "low": estimate - reach, "high": estimate + reach,
            "p_value": 2 * stats.norm.sf(np.abs(estimate / errors)),
        }  # fmt: skip
        last = "rho" if self.kind == "lag" else "lambda"
        return pd.DataFrame(columns, index=pd.Index([*self.names, last], name="column"))


def weights(argument: str, value: object, places: int) -> sparse.csr_array:
    """Return a weights matrix ready for use, or say what is wrong with it.

    Parameters
    ----------
    argument : str
        Its name in the caller's signature.
    value : sparse matrix or array_like, shape (n, n)
        Weight of place j for place i in row i.
    places : int
        n.

    Raises
    ------
    InputError
        Another order, weights that are not finite or negative, a place that is its own neighbour, islands (named
        by row).
    """
    try:
        matrix = sparse.csr_array(value, dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise InputError(argument, "be a matrix of numbers", type(value).__name__) from fault
    if matrix.shape != (places, places):
        raise InputError(argument, f"be of order {places}, one row a place", matrix.shape)
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError(
            argument,
            "hold finite weights, none below zero",
            matrix.data[~((matrix.data >= 0) & np.isfinite(matrix.data))][:3],
        )
    own = np.flatnonzero(matrix.diagonal())
    if len(own):
        raise InputError(argument, "have no place that is its own neighbour", f"row {own[0]}")
    islands = np.flatnonzero(np.diff(matrix.indptr) == 0)
    if len(islands):
        told = ", ".join(map(str, islands[:8])) + (", ..." if len(islands) > 8 else "")
        raise InputError(argument, "have no islands (places without neighbours)", f"{len(islands)}: rows {told}")
    return matrix


def lag(
    x: pd.DataFrame | npt.ArrayLike,
    y: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    names: Sequence[str] | None = None,
    standard_errors: bool = True,
) -> SpatialFit:
    """Fit y = rho W y + X b + e by maximum likelihood.

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
    standard_errors : bool, default True
        Whether they are worked out.

    Returns
    -------
    SpatialFit

    Raises
    ------
    InputError
        Missing or infinite values, numbers that cannot be squared, too few places, dependent columns, weights of
        another order or with islands.

    References
    ----------
    Ord, K. (1975). Estimation methods for models of spatial interaction. JASA 70(349), 120-126.
    Anselin, L. (1988). Spatial Econometrics: Methods and Models. Kluwer, chapter 6.
    """
    design, readings, given, labels = checked(x, y, w, names)
    unit_y = _unit_of(readings)
    readings = readings / unit_y
    matrix, size = unit(given)
    n = len(readings)
    q, triangle = np.linalg.qr(design)
    lagged = matrix @ readings
    own, others = readings - q @ (q.T @ readings), lagged - q @ (q.T @ lagged)
    squares = np.array([own @ own, own @ others, others @ others])

    def variance(rho: float) -> float:
        return float(squares[0] - 2 * rho * squares[1] + rho**2 * squares[2]) / n

    rho, stencil = maximum(matrix, lambda r: -n / 2 * np.log(variance(r)))
    s2 = variance(rho)
    beta = linalg.solve_triangular(triangle, q.T @ (readings - rho * lagged))
    height = -n / 2 * (np.log(2 * np.pi * s2) + 1) + stencil.value(rho)
    covariance = trace = None
    if standard_errors:
        one, two, crossed = traces(matrix, rho, stencil)
        trace = 1 + rho * one / n
        moved = matrix @ _solved(matrix, rho, design @ beta)  # how the expected y moves with rho
        information = np.zeros((len(beta) + 2, len(beta) + 2))
        k = len(beta)
        information[:k, :k] = design.T @ design / s2
        information[:k, k] = information[k, :k] = design.T @ moved / s2
        information[k, k] = two + crossed + moved @ moved / s2
        information[k, k + 1] = information[k + 1, k] = one / s2
        information[k + 1, k + 1] = n / (2 * s2**2)
        covariance = _inverse(information)[: k + 1, : k + 1]
        covariance[k, :] /= size
        covariance[:, k] /= size
    residual = own - rho * others
    found = SpatialFit("lag", labels, beta, rho / size, s2, covariance, height, residual, trace, _sums_to_one(given))
    return _in_unit(found, unit_y)


def error(
    x: pd.DataFrame | npt.ArrayLike,
    y: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    names: Sequence[str] | None = None,
    standard_errors: bool = True,
) -> SpatialFit:
    """Fit y = X b + u, u = lambda W u + e, by maximum likelihood.

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
    standard_errors : bool, default True
        Whether they are worked out.

    Returns
    -------
    SpatialFit

    Raises
    ------
    InputError
        As `lag` does.

    References
    ----------
    Anselin, L. (1988). Spatial Econometrics: Methods and Models. Kluwer, chapter 8.
    """
    design, readings, given, labels = checked(x, y, w, names)
    unit_y = _unit_of(readings)
    readings = readings / unit_y
    matrix, size = unit(given)
    n, k = design.shape
    stacked = np.column_stack([design, readings])
    moved = matrix @ stacked

    def filtered(lam: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        rest = stacked - lam * moved
        q, triangle = np.linalg.qr(rest[:, :-1])
        return rest[:, -1] - q @ (q.T @ rest[:, -1]), q.T @ rest[:, -1], triangle

    def profile(lam: float) -> float:
        residual = filtered(lam)[0]
        return float(-n / 2 * np.log(residual @ residual / n))

    lam, stencil = maximum(matrix, profile)
    residual, turned, triangle = filtered(lam)
    s2 = float(residual @ residual / n)
    beta = linalg.solve_triangular(triangle, turned)
    height = -n / 2 * (np.log(2 * np.pi * s2) + 1) + stencil.value(lam)
    covariance = None
    if standard_errors:
        one, two, crossed = traces(matrix, lam, stencil)
        inverse = linalg.solve_triangular(triangle, np.eye(k))
        corner = _inverse(np.array([[two + crossed, one / s2], [one / s2, n / (2 * s2**2)]]))
        covariance = linalg.block_diag(s2 * inverse @ inverse.T, corner[0, 0] / size**2)
    found = SpatialFit("error", labels, beta, lam / size, s2, covariance, height, residual, None, _sums_to_one(given))
    return _in_unit(found, unit_y)


def _unit_of(readings: FloatArray) -> float:
    """Return the power of two nearest to the largest reading: divided by it readings keep every digit."""
    return float(np.ldexp(1.0, int(np.frexp(np.abs(readings).max())[1])))


def _in_unit(found: SpatialFit, size: float) -> SpatialFit:
    """Return the fit of readings that were divided by `size` in the readings' own unit."""
    covariance = found.covariance
    if covariance is not None:
        each = np.append(np.full(len(found.coefficients), size), 1.0)
        covariance = covariance * np.outer(each, each)
    return replace(
        found,
        coefficients=found.coefficients * size,
        variance=found.variance * size**2,
        covariance=covariance,
        loglikelihood=found.loglikelihood - len(found.residuals) * float(np.log(size)),
        residuals=found.residuals * size,
    )


def _solved(matrix: sparse.csr_array, rho: float, right: FloatArray) -> FloatArray:
    return np.asarray(splu(sparse.csc_matrix(sparse.eye_array(matrix.shape[0]) - rho * matrix)).solve(right))


def _inverse(information: FloatArray) -> FloatArray:
    scale = 1 / np.sqrt(np.diag(information))
    return np.asarray(np.linalg.inv(information * np.outer(scale, scale)) * np.outer(scale, scale))


def _sums_to_one(matrix: sparse.csr_array) -> bool:
    return bool(np.allclose(matrix.sum(axis=1), 1.0))


def checked(
    x: pd.DataFrame | npt.ArrayLike, y: npt.ArrayLike, w: object, names: Sequence[str] | None
) -> tuple[FloatArray, FloatArray, sparse.csr_array, tuple[str, ...]]:
    """Return design, readings, weights and names as they are computed with, or say what is wrong; see `lag`."""
    design = checks.squarable("x", checks.matrix("x", x))
    readings = checks.squarable("y", checks.series("y", y))
    n = checks.same_length(x=design, y=readings)
    k = design.shape[1]
    if names is None:
        names = [str(c) for c in x.columns] if isinstance(x, pd.DataFrame) else [f"x{i}" for i in range(k)]
    if not k:
        raise InputError("x", "have a column at least", design.shape)
    if len(names) != k:
        raise InputError("names", f"be {k}, one a column", len(names))
    if n <= k + 2:
        raise InputError("x", f"have more rows than {k + 2}, its columns and two more", n)
    if np.ptp(readings) == 0:
        raise InputError("y", "vary", f"{n} readings, all equal")
    triangle = np.abs(np.diag(np.linalg.qr(design / np.maximum(np.linalg.norm(design, axis=0), 1e-300), mode="r")))
    if triangle.min() < 1e-9:
        rule = "have linearly independent columns"
        raise InputError("x", rule, f"{names[int(triangle.argmin())]} follows from those before it")
    return design, readings, weights("w", w, n), tuple(checks.unique("names", list(names)))
