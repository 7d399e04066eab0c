"""The covariance of log-rank sums of many groups, kept as a diagonal less outer products.

V = diag(a) - F F' - M. Where times are few F is a narrow table, and the test needs no k x k matrix
at all: the inverse of V follows from one of R x R (Woodbury's identity).
Legend: k groups, R columns, one for each time with events.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import linalg

__all__ = ["Covariance", "add"]

FloatArray = npt.NDArray[np.float64]
SMALLEST_PIVOT = 1e-6  # of a matrix scaled to ones on its diagonal; below it the matrix is taken for singular


@dataclass(frozen=True, eq=False)
class Covariance:
    """A covariance whose rows sum to 0.

    Parameters
    ----------
    diagonal : ndarray, shape (k,)
        The numbers a.
    factor : ndarray, shape (k, R)
        The table F; no columns: there is none.
    outer : ndarray, shape (k, k), or None
        The matrix M.
    """

    diagonal: FloatArray
    factor: FloatArray
    outer: FloatArray | None = None

    @cached_property
    def matrix(self) -> FloatArray:
        """The matrix itself, shape (k, k)."""
        out = -self.factor @ self.factor.T
        if self.outer is not None:
            out -= self.outer
        out[np.diag_indices(len(out))] += self.diagonal
        return out

    def quadratic(self, shift: FloatArray) -> tuple[float, int]:
        """Return shift' V^- shift and the rank of V, at most k - 1; shift (k,) sums to 0.

        Groups that were never under watch together make the rank smaller: the test falls into parts.

        Examples
        --------
        >>> Covariance(np.array([2.0, 2.0]), np.array([[1.0], [1.0]])).quadratic(np.array([1.0, -1.0]))
        (1.0, 1)
        """
        there = self.diagonal > 0
        if there.sum() < 2:
            return 0.0, 0
        shift = shift[there]
        found = self._narrow(shift, there) if self.outer is None and 2 * self.factor.shape[1] < len(shift) else None
        return found or _full(shift, self.matrix[np.ix_(there, there)])

    def _narrow(self, shift: FloatArray, there: npt.NDArray[np.bool_]) -> tuple[float, int] | None:
        """Solve by Woodbury's identity without the last group; None where V has less than full rank."""
        scaled = self.factor[there][:-1] / np.sqrt(self.diagonal[there][:-1, None])
        whitened = (shift / np.sqrt(self.diagonal[there]))[:-1]
        inner = np.eye(scaled.shape[1]) - scaled.T @ scaled
        lower = _cholesky(inner)
        if lower is None:
            return None
        along = linalg.solve_triangular(lower, scaled.T @ whitened, lower=True, check_finite=False)
        return float(whitened @ whitened + along @ along), len(whitened)


def add(first: Covariance, second: Covariance) -> Covariance:
    """Return the sum of two covariances, of two strata."""
    factor = np.column_stack([first.factor, second.factor])
    outers = [c.outer for c in (first, second) if c.outer is not None]
    if factor.shape[1] > len(factor):
        outers.append(factor @ factor.T)
        factor = np.zeros((len(factor), 0))
    return Covariance(first.diagonal + second.diagonal, factor, sum(outers[1:], outers[0]) if outers else None)


def _full(shift: FloatArray, matrix: FloatArray) -> tuple[float, int]:
    scale = np.sqrt(np.maximum(np.diag(matrix), 0))
    if scale.min() > 0:
        lower = _cholesky((matrix / np.outer(scale, scale))[:-1, :-1])
        if lower is not None:
            half = linalg.solve_triangular(lower, (shift / scale)[:-1], lower=True, check_finite=False)
            return float(half @ half), len(half)
    values, vectors = linalg.eigh(matrix)
    kept = values > 1e-9 * max(values[-1], 0.0)
    if not kept.any():
        return 0.0, 0
    along = vectors[:, kept].T @ shift
    return float((along**2 / values[kept]).sum()), int(kept.sum())


def _cholesky(matrix: FloatArray) -> FloatArray | None:
    try:
        lower: FloatArray = linalg.cholesky(matrix, lower=True, check_finite=False)
    except linalg.LinAlgError:
        return None
    return lower if np.diag(lower).min() > SMALLEST_PIVOT else None
