"""Least squares with standard errors that survive unequal variance and dependence in time.

T rows, K columns. Solved by QR, never by inverting X'X. Held equal to statsmodels'
OLS by a test; what is added is autocorrelation-consistent errors that know which
hours are absent, and refusal of input that has no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, stats

from citylib import checks
from citylib.errors import InputError
from citylib.regression.dependence import dependent
from citylib.regression.scores import SPARSE, pair_sums, reach_of, shortened

__all__ = ["ERRORS", "LinearFit", "fit"]

FloatArray = npt.NDArray[np.float64]
ERRORS = ("classic", "HC3", "HAC")


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A fitted linear regression.

    Parameters
    ----------
    names : tuple of str
        Names of the K columns.
    coefficients : ndarray, shape (K,)
        In the unit of y per unit of the column.
    covariance : ndarray, shape (K, K)
        Of the coefficients, of the kind `errors`.
    errors : str
        "classic", "HC3" or "HAC".
    fitted, residuals, leverage : ndarray, shape (T,)
        Per training row; leverage is the diagonal of the hat matrix.
    sigma : float
        Residual standard deviation, with T - K degrees of freedom.
    r_squared : float
        Share of the variance about the mean that is explained.
    triangle : ndarray, shape (K, K)
        R of the QR decomposition: X'X = R'R.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    errors: str
    fitted: FloatArray
    residuals: FloatArray
    leverage: FloatArray
    sigma: float
    r_squared: float
    triangle: FloatArray

    @property
    def degrees(self) -> int:
        """Residual degrees of freedom, T - K."""
        return len(self.residuals) - len(self.names)

    @property
    def left_out(self) -> FloatArray:
        """Residual of each row from the fit without it, e / (1 - h), shape (T,); NaN where h is 1."""
        rest = 1 - self.leverage
        out = np.full(len(rest), np.nan)
        np.divide(self.residuals, rest, out=out, where=rest > 1e-9)
        return out

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, standard error, interval and p-value of each coefficient.

        Parameters
        ----------
        level : float, default 0.95
            Coverage of the interval (Student's t, T - K degrees).

        Returns
        -------
        pandas.DataFrame
            Index the names; columns ``estimate``, ``standard_error``, ``low``, ``high``, ``p_value``.
        """
        errors = np.sqrt(np.diag(self.covariance))
        reach = stats.t.ppf(0.5 + checks.fraction("level", level) / 2, self.degrees) * errors
        p_value = 2 * stats.t.sf(np.abs(self.coefficients / errors), self.degrees)
        columns = {
            "estimate": self.coefficients,
            "standard_error": errors,
            "low": self.coefficients - reach,
            "high": self.coefficients + reach,
            "p_value": p_value,
        }
        return pd.DataFrame(columns, index=pd.Index(self.names, name="column"))

    def predict(self, x: pd.DataFrame | npt.ArrayLike) -> FloatArray:
        """Return the expected y of new rows, shape (T,); NaN where an input is.

        Parameters
        ----------
        x : DataFrame or array_like, shape (T, K)
            The same columns in the same order; a frame's names are checked.
        """
        return self._rows(x) @ self.coefficients

    def standard_error_of(self, x: pd.DataFrame | npt.ArrayLike) -> FloatArray:
        """Return the standard error of one new reading at each row, sigma sqrt(1 + x'(X'X)^-1 x), shape (T,).

        True for errors of equal variance and without dependence; see `citylib.regression.intervals`.
        """
        rows = self._rows(x)
        whitened = np.full_like(rows, np.nan)
        known = ~np.isnan(rows).any(axis=1)
        whitened[known] = linalg.solve_triangular(self.triangle, rows[known].T, trans="T").T
        return np.asarray(self.sigma * np.sqrt(1 + (whitened**2).sum(axis=1)))

    def _rows(self, x: pd.DataFrame | npt.ArrayLike) -> FloatArray:
        if isinstance(x, pd.DataFrame) and tuple(map(str, x.columns)) != self.names:
            raise InputError("x", f"have the columns of the fit: {', '.join(self.names[:8])}", list(x.columns)[:8])
        rows = checks.matrix("x", x, missing=True, at_least=0)
        if rows.shape[1] != len(self.names):
            raise InputError("x", f"have {len(self.names)} columns", rows.shape[1])
        return rows


def fit(
    x: pd.DataFrame | npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    errors: str = "HC3",
    lags: int | None = None,
    steps: npt.ArrayLike | None = None,
    corrected: bool = False,
    names: Sequence[str] | None = None,
) -> LinearFit:
    """Fit y = X b by least squares.

    Parameters
    ----------
    x : DataFrame or array_like, shape (T, K)
        Design matrix with its intercept, none missing.
    y : array_like, shape (T,)
        Readings, none missing.
    errors : {"HC3", "HAC", "classic"}
        HC3 allows unequal variance; HAC also dependence between rows up to `lags` steps
        apart (Bartlett weights); classic assumes neither.
    lags : int, optional
        For HAC: at least as long as errors remember (24 for hourly traffic).
    steps : array_like of int, shape (T,), optional
        For HAC: number of each row's step on a regular time axis, strictly increasing. Rows are
        then paired by time, so that a gap of weeks is not taken for one hour. Without it rows count as consecutive.
    corrected : bool, default False
        For HAC: whether the covariance is multiplied by T / (T - K), as residuals are smaller than errors.
    names : sequence of str, optional
        Names of the columns if `x` is no frame.

    Returns
    -------
    LinearFit

    Raises
    ------
    InputError
        Missing or infinite values, fewer rows than columns plus one, dependent columns (named),
        `lags` missing for HAC or longer than the rows, numbers too large or small to be squared.

    References
    ----------
    MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance matrix
    estimators with improved finite sample properties. Journal of Econometrics 29(3), 305-325.
    Newey, W. K. and West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix. Econometrica 55(3), 703-708.
    Parzen, E. (1963). On spectral analysis with missing observations and amplitude modulation. Sankhya A 25.

    Examples
    --------
    >>> line = fit([[1, 0], [1, 1], [1, 2], [1, 3]], [1.0, 2.9, 5.1, 7.0], names=["intercept", "hour"])
    >>> line.coefficients.round(2).tolist()
    [0.97, 2.02]
    """
    design = checks.squarable("x", checks.matrix("x", x))
    readings = checks.squarable("y", checks.series("y", y))
    rows = checks.same_length(x=design, y=readings)
    columns = design.shape[1]
    labels = _labels(x, names, columns)
    checks.one_of("errors", errors, ERRORS)
    if not columns:
        raise InputError("x", "have a column at least", design.shape)
    if rows <= columns:
        raise InputError("x", f"have more rows than its {columns} columns", rows)
    q, triangle = np.linalg.qr(design)
    if np.abs(np.diag(triangle)).min() <= 1e-9 * np.linalg.norm(design, axis=0).max():
        repeats = dependent(design, labels)
        if repeats:
            raise InputError(
                "x", "have linearly independent columns", "; ".join(f"{a} = {b}" for a, b in repeats.items())
            )
    coefficients = linalg.solve_triangular(triangle, q.T @ readings)
    fitted = design @ coefficients
    residuals = readings - fitted
    leverage = np.minimum((q**2).sum(axis=1), 1.0)
    sigma = float(np.sqrt(residuals @ residuals / (rows - columns)))
    spread = float(((readings - readings.mean()) ** 2).sum())
    meat = _meat(q, residuals, leverage, errors, lags, steps)
    inverse = linalg.solve_triangular(triangle, np.eye(columns))
    covariance = inverse @ (sigma**2 * np.eye(columns) if meat is None else meat) @ inverse.T
    if errors == "HAC" and corrected:
        covariance *= rows / (rows - columns)
    r_squared = 1 - float(residuals @ residuals) / spread if spread > 0 else 0.0
    return LinearFit(
        labels, coefficients, covariance, errors, fitted, residuals, leverage, sigma, r_squared, np.asarray(triangle)
    )


def _labels(x: object, names: Sequence[str] | None, columns: int) -> tuple[str, ...]:
    if names is None:
        names = [str(c) for c in x.columns] if isinstance(x, pd.DataFrame) else [f"x{k}" for k in range(columns)]
    if len(names) != columns:
        raise InputError("names", f"be {columns}, one a column", len(names))
    return tuple(checks.unique("names", list(names)))


def _meat(
    q: FloatArray,
    residuals: FloatArray,
    leverage: FloatArray,
    errors: str,
    lags: int | None,
    steps: npt.ArrayLike | None,
) -> FloatArray | None:
    """Middle of the sandwich in the coordinates of Q, where X'X is the identity; None for the classic one."""
    if errors == "classic":
        return None
    if errors == "HC3":
        if (leverage > 1 - 1e-9).any():
            row = int(np.argmax(leverage))
            hint = "a column that only this row fills: pool rare levels or leave it out"
            raise InputError("x", "have no row that fits itself (HC3)", f"leverage 1 at row {row}", hint)
        scores = q * (residuals / (1 - leverage))[:, None]
        return np.asarray(scores.T @ scores)
    scores = q * residuals[:, None]
    rows = len(residuals)
    when = np.arange(rows) if steps is None else checks.steps("steps", steps)
    checks.same_length(steps=when, y=residuals)
    reach = reach_of(lags, when)
    if int(when[-1] - when[0]) + reach > SPARSE * rows:
        when = shortened(when, reach)
    if int(when[-1] - when[0]) + reach > SPARSE * rows:
        return pair_sums(scores, when, reach)
    return _by_windows(scores, when, reach)


def _by_windows(scores: FloatArray, when: npt.NDArray[np.int64], reach: int) -> FloatArray:
    """The same by sums over windows of reach + 1 steps, whose squares hold Bartlett's weights: one product in all."""
    window = np.zeros((int(when[-1] - when[0]) + 1 + reach, scores.shape[1]))
    window[when - when[0]] = scores
    np.cumsum(window, axis=0, out=window)
    window[reach + 1 :] -= window[: -reach - 1].copy()
    return np.asarray(window.T @ window / (reach + 1))
