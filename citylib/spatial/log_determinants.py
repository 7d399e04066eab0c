"""The logarithm of the determinant of I - rho W, from a sparse factor, and what the likelihoods of space ask of it.

Traces are derivatives of such logarithms, so that no inverse is ever formed. Legend: n places.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from scipy.sparse.linalg import splu

__all__ = ["Stencil", "log_determinant", "maximum", "traces", "unit"]

FloatArray = npt.NDArray[np.float64]

COARSE = 1e-3  # to which the parameter is bracketed before derivatives are taken
LIMIT = 1e-6  # distance kept from the ends of the parameter's range
NUDGE = 1e-4  # of the argument of a logarithm whose derivative is a trace
NARROW = 40  # how much nearer the points of a derivative are than the end of the range, where it has a pole
# Weights of values at -2, -1, 0, 1, 2 steps in the first and second derivative, to the fourth power of the step.
FIRST = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12
SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12


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


class Stencil:
    """The logarithm of |I - rho W| at five points around the optimum, and what follows of it near there.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
        Weights W.
    centre : float
        The middle point.
    step : float
        From one point to the next.
    """

    def __init__(self, matrix: sparse.csr_array, centre: float, step: float) -> None:
        self.centre, self.step = centre, step
        self.values = np.array([_log_determinant_at(matrix, centre + i * step) for i in range(-2, 3)])
        self._fitted = np.polynomial.Polynomial.fit(np.arange(-2, 3), self.values, 4)

    def value(self, at: float, order: int = 0) -> float:
        """The logarithm or its derivative at a point within the five."""
        fitted = self._fitted.deriv(order) if order else self._fitted
        return float(fitted((at - self.centre) / self.step)) / self.step**order


def maximum(matrix: sparse.csr_array, profile: Callable[[float], float]) -> tuple[float, Stencil]:
    """Return where the profile plus log |I - rho W| is highest, to rounding, and the logarithm around there.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
        Weights W, of eigenvalues 1 at most; see `unit`.
    profile : callable
        The rest of the log-likelihood at rho.
    """
    low, high = _range(matrix)

    def negative(rho: float) -> float:
        return -profile(rho) - _log_determinant_at(matrix, rho)

    found = optimize.minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": COARSE})
    centre = float(found.x)
    for _ in range(4):
        step = min(2 * COARSE, (high - centre) / NARROW, (centre - low) / NARROW)
        stencil = Stencil(matrix, centre, step)
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


def _polished(profile: Callable[[float], float], stencil: Stencil, rho: float, step: float) -> float:
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


def traces(matrix: sparse.csr_array, rho: float, stencil: Stencil) -> tuple[float, float, float]:
    """Return tr G, tr GG and tr G'G of G = W (I - rho W)^-1, as derivatives of log-determinants.

    tr G = -d/drho log |A|, tr GG = -d2/drho2 log |A| and tr G'G = d/dt log |A'A + t W'W| at t = 0, with A = I - rho W.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
        Weights W.
    rho : float
        Where.
    stencil : Stencil
        The logarithm around there.
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


def _radius(matrix: sparse.csr_array) -> float:
    """Return a bound on the eigenvalues: none is larger than the largest row sum (or column sum), whatever its sign."""
    return float(min(abs(matrix).sum(axis=1).max(), abs(matrix).sum(axis=0).max()))


def unit(matrix: sparse.csr_array) -> tuple[sparse.csr_array, float]:
    """Return weights whose eigenvalues are 1 at most, and what they were divided by: the search is made for such.

    Parameters
    ----------
    matrix : sparse array, shape (n, n)
        Weights W.
    """
    size = _radius(matrix)
    return (matrix, 1.0) if abs(size - 1) < 1e-9 else (matrix / size, size)


def _range(matrix: sparse.csr_array) -> tuple[float, float]:
    """Return the range around zero in which I - rho W cannot be singular."""
    radius = _radius(matrix)
    return (-1 + LIMIT) / radius, (1 - LIMIT) / radius
