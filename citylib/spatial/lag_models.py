"""Spatial lag and spatial error regression by maximum likelihood, for as many places as a sparse factor holds.

Lag: y = rho W y + X b + e. Error: y = X b + u, u = lambda W u + e. All that the likelihood asks of I - rho W is the
logarithm of its determinant, taken from a sparse factor; the traces in the standard errors are derivatives of such
logarithms, so that no inverse is ever formed. Held equal to spreg by a test. Legend: n places, K columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, optimize, sparse, stats
from scipy.sparse.linalg import splu

from citylib import checks
from citylib.errors import InputError

__all__ = ["SpatialFit", "checked", "error", "lag", "log_determinant", "weights"]

FloatArray = npt.NDArray[np.float64]

COARSE = 1e-3  # to which the parameter is bracketed before derivatives are taken
LIMIT = 1e-6  # distance kept from the ends of the parameter's range
NUDGE = 1e-4  # of the argument of a logarithm whose derivative is a trace
NARROW = 40  # how much nearer the points of a derivative are than the end of the range, where it has a pole
# Weights of values at -2, -1, 0, 1, 2 steps in the first and second derivative, to the fourth power of the step.
FIRST = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12
SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12


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
    matrix = sparse.csr_array(value, dtype=np.float64)
    if matrix.shape != (places, places):
        raise InputError(argument, f"be of order {places}, one row a place", matrix.shape)
    matrix.eliminate_zeros()
    if not np.isfinite(matrix.data).all() or (matrix.data < 0).any():
        raise InputError(argument, "hold finite weights, none below zero", matrix.data[~(matrix.data >= 0)][:3])
    own = np.flatnonzero(matrix.diagonal())
    if len(own):
        raise InputError(argument, "have no place that is its own neighbour", f"row {own[0]}")
    islands = np.flatnonzero(np.diff(matrix.indptr) == 0)
    if len(islands):
        told = ", ".join(map(str, islands[:8])) + (", ..." if len(islands) > 8 else "")
        raise InputError(argument, "have no islands (places without neighbours)", f"{len(islands)}: rows {told}")
    return matrix


def log_determinant(matrix: sparse.sparray) -> float:
    """Return the logarithm of the absolute determinant of a sparse matrix, from its factors.

    Examples
    --------
    >>> round(log_determinant(sparse.csc_array(np.diag([2.0, 3.0]))), 6)
    1.791759
    """
    # The pattern of I - rho W is near symmetric and its diagonal large: ordered so, and pivoted on it.
    options = {"SymmetricMode": True}
    factor = splu(sparse.csc_matrix(matrix), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    return float(np.log(np.abs(factor.U.diagonal())).sum())


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
        Missing or infinite values, too few places, dependent columns, weights of another order or with islands.

    References
    ----------
    Ord, K. (1975). Estimation methods for models of spatial interaction. JASA 70(349), 120-126.
    Anselin, L. (1988). Spatial Econometrics: Methods and Models. Kluwer, chapter 6.
    """
    design, readings, matrix, labels = checked(x, y, w, names)
    n = len(readings)
    q, triangle = np.linalg.qr(design)
    lagged = matrix @ readings
    own, others = readings - q @ (q.T @ readings), lagged - q @ (q.T @ lagged)
    squares = np.array([own @ own, own @ others, others @ others])

    def variance(rho: float) -> float:
        return float(squares[0] - 2 * rho * squares[1] + rho**2 * squares[2]) / n

    rho, stencil = _maximum(matrix, lambda r: -n / 2 * np.log(variance(r)))
    s2 = variance(rho)
    beta = linalg.solve_triangular(triangle, q.T @ (readings - rho * lagged))
    height = -n / 2 * (np.log(2 * np.pi * s2) + 1) + stencil.value(rho)
    covariance = trace = None
    if standard_errors:
        one, two, crossed = _traces(matrix, rho, stencil)
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
    return SpatialFit("lag", labels, beta, rho, s2, covariance, height, own - rho * others, trace, _sums_to_one(matrix))


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
    design, readings, matrix, labels = checked(x, y, w, names)
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

    lam, stencil = _maximum(matrix, profile)
    residual, turned, triangle = filtered(lam)
    s2 = float(residual @ residual / n)
    beta = linalg.solve_triangular(triangle, turned)
    height = -n / 2 * (np.log(2 * np.pi * s2) + 1) + stencil.value(lam)
    covariance = None
    if standard_errors:
        one, two, crossed = _traces(matrix, lam, stencil)
        inverse = linalg.solve_triangular(triangle, np.eye(k))
        corner = _inverse(np.array([[two + crossed, one / s2], [one / s2, n / (2 * s2**2)]]))
        covariance = linalg.block_diag(s2 * inverse @ inverse.T, corner[0, 0])
    return SpatialFit("error", labels, beta, lam, s2, covariance, height, residual, None, _sums_to_one(matrix))


class _Stencil:
    """log |I - rho W| at five points around the optimum, and what follows of it near there."""

    def __init__(self, matrix: sparse.csr_array, centre: float, step: float) -> None:
        self.centre, self.step = centre, step
        self.values = np.array([_log_determinant_at(matrix, centre + i * step) for i in range(-2, 3)])
        self._fitted = np.polynomial.Polynomial.fit(np.arange(-2, 3), self.values, 4)

    def value(self, at: float, order: int = 0) -> float:
        """The logarithm or its derivative at a point within the five."""
        fitted = self._fitted.deriv(order) if order else self._fitted
        return float(fitted((at - self.centre) / self.step)) / self.step**order


def _maximum(matrix: sparse.csr_array, profile: Callable[[float], float]) -> tuple[float, _Stencil]:
    """Return where the profile plus log |I - rho W| is highest, to rounding, and the logarithm around there."""
    low, high = _range(matrix)

    def negative(rho: float) -> float:
        return -profile(rho) - _log_determinant_at(matrix, rho)

    found = optimize.minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": COARSE})
    centre = float(found.x)
    for _ in range(4):
        step = min(2 * COARSE, (high - centre) / NARROW, (centre - low) / NARROW)
        stencil = _Stencil(matrix, centre, step)
        fine = optimize.minimize_scalar(
            lambda rho: -profile(rho) - stencil.value(rho),  # noqa: B023  # used before it changes
            bounds=(centre - 2 * step, centre + 2 * step),
            method="bounded",
            options={"xatol": 1e-9},
        )
        rho = _polished(profile, stencil, float(fine.x), step)
        if abs(rho - centre) <= step:
            return rho, stencil
        centre = rho
    return rho, stencil


def _polished(profile: Callable[[float], float], stencil: _Stencil, rho: float, step: float) -> float:
    """Return the root of the derivative, which is exact to more digits than the place of a maximum."""
    near = step / 10
    for _ in range(3):
        values = np.array([profile(rho + i * near) for i in range(-2, 3)])
        slope = FIRST @ values / near + stencil.value(rho, 1)
        curve = SECOND @ values / near**2 + stencil.value(rho, 2)
        if curve >= 0:
            break
        rho -= float(np.clip(slope / curve, -near, near))
    return rho


def _traces(matrix: sparse.csr_array, rho: float, stencil: _Stencil) -> tuple[float, float, float]:
    """Return tr G, tr GG and tr G'G of G = W (I - rho W)^-1, as derivatives of log-determinants.

    tr G = -d/drho log |A|, tr GG = -d2/drho2 log |A| and tr G'G = d/dt log |A'A + t W'W| at t = 0, with A = I - rho W.
    """
    one, two = -stencil.value(rho, 1), -stencil.value(rho, 2)
    factor = sparse.eye_array(matrix.shape[0], format="csr") - rho * matrix
    squared, moved = (factor.T @ factor).tocsc(), (matrix.T @ matrix).tocsc()
    low, high = _range(matrix)
    step = min(NUDGE, (min(1 - rho / high, 1 - rho / low) / (NARROW / 4)) ** 2)
    values = np.array([log_determinant(squared + i * step * moved) if i else 0.0 for i in range(-2, 3)])
    return one, two, float(FIRST @ values / step)


def _log_determinant_at(matrix: sparse.csr_array, rho: float) -> float:
    return log_determinant(sparse.eye_array(matrix.shape[0], format="csr") - rho * matrix)


def _range(matrix: sparse.csr_array) -> tuple[float, float]:
    """Return the range around zero in which I - rho W cannot be singular."""
    # No eigenvalue is larger than the largest row sum (or column sum), whatever its sign.
    radius = float(min(abs(matrix).sum(axis=1).max(), abs(matrix).sum(axis=0).max()))
    return (-1 + LIMIT) / radius, (1 - LIMIT) / radius


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
    design, readings = checks.matrix("x", x), checks.series("y", y)
    n = checks.same_length(x=design, y=readings)
    k = design.shape[1]
    if names is None:
        names = [str(c) for c in x.columns] if isinstance(x, pd.DataFrame) else [f"x{i}" for i in range(k)]
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
