"""Least squares for every sensor of a city at once, with errors that survive unequal variance and dependence in time.

Each sensor has its own design, or all share one. A missing row counts as none: it is zero across, so that sensors
with gaps and without go through the same products. Held equal to `citylib.regression.linear` by a test.
Legend: N sensors, n of them in a block, T rows, K columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg, stats
from tqdm import tqdm

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.regression.dependence import dependent
from citylib.regression.linear import ERRORS
from citylib.regression.scores import SPARSE, moving_sums, pair_sums, reach_of, shortened

__all__ = ["ManyLinear", "fit"]

FloatArray = npt.NDArray[np.float64]
Designs = Callable[[int, int], FloatArray]

STATUSES = ("fitted", "too few rows", "constant", "all missing", "collinear", "row fits itself", "out of range")
CLOSE = 1e-7  # a column's new part, as a share of it, below which columns are looked at for dependence
STEEP = 100.0  # of a triangle and its inverse, above which coefficients are mended once
WELL = 1e-2  # above which one factorisation is as good as two


@dataclass(frozen=True, eq=False)
class ManyLinear:
    """Linear regressions of many sensors.

    Rows of sensors that could not be fitted are NaN; `status` says why.

    Parameters
    ----------
    names : tuple of str
        Of the K columns.
    sensors : tuple of str
        Ids.
    status : ndarray of str, shape (N,)
        Fitted, too few rows, constant, all missing, collinear, row fits itself, out of range (numbers too large or
        small to be squared: take another unit).
    coefficients : ndarray, shape (N, K)
        In the unit of y per unit of the column.
    covariance : ndarray, shape (N, K, K)
        Of the coefficients, of the kind `errors`.
    errors : str
        "classic", "HC3" or "HAC".
    sigma, r_squared : ndarray, shape (N,)
        Residual standard deviation with T - K degrees of freedom; share of the variance explained.
    rows : ndarray of int, shape (N,)
        Rows used.
    repeats : dict of str to str
        For a collinear sensor, which column follows from which others.
    """

    names: tuple[str, ...]
    sensors: tuple[str, ...]
    status: npt.NDArray[np.str_]
    coefficients: FloatArray
    covariance: FloatArray
    errors: str
    sigma: FloatArray
    r_squared: FloatArray
    rows: npt.NDArray[np.int64]
    repeats: dict[str, str]

    @property
    def standard_errors(self) -> FloatArray:
        """Of the coefficients, shape (N, K)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    @property
    def p_values(self) -> FloatArray:
        """Two-sided, by Student's t with T - K degrees, shape (N, K)."""
        degrees = (self.rows - len(self.names))[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(2 * stats.t.sf(np.abs(self.coefficients / self.standard_errors), degrees))

    def table(self, column: str, *, level: float = 0.95) -> pd.DataFrame:
        """Return estimate, standard error, interval and p-value of one column, a row a sensor.

        Parameters
        ----------
        column : str
            One of `names`.
        level : float, default 0.95
            Coverage of the interval (Student's t).
        """
        k = self.names.index(checks.one_of("column", column, self.names))
        degrees = np.maximum(self.rows - len(self.names), 1)
        estimate, error = self.coefficients[:, k], self.standard_errors[:, k]
        reach = stats.t.ppf(0.5 + checks.fraction("level", level) / 2, degrees) * error
        columns = {
            "estimate": estimate, "standard_error": error, "low": estimate - reach, "high": estimate + reach,
            "p_value": self.p_values[:, k], "status": self.status,
        }  # fmt: skip
        return pd.DataFrame(columns, index=pd.Index(self.sensors, name="sensor"))


def fit(
    x: npt.ArrayLike | pd.DataFrame | Designs,
    values: Panel | npt.ArrayLike,
    /,
    *,
    errors: str = "HC3",
    lags: int | None = None,
    steps: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    block: int = 128,
    progress: bool = False,
) -> ManyLinear:
    """Fit y = X b to each sensor by least squares.

    Parameters
    ----------
    x : DataFrame or array_like, shape (T, K) or (N, T, K), or callable
        The design all sensors share, or each sensor's own, with its intercept; or a function that returns those of
        sensors i to j, shape (j - i, T, K), so that they need not be held all at once. NaN in rows that
        are not to count.
    values : Panel or array_like, shape (T, N)
        Readings; NaN where one is missing.
    errors : {"HC3", "HAC", "classic"}
        As for `citylib.regression.linear.fit`.
    lags : int, optional
        For HAC: at least as long as errors remember.
    steps : array_like of int, shape (T,), optional
        For HAC: number of each row's step on a regular time axis. Without it, rows count as consecutive; a missing
        reading keeps its place in either case.
    names : sequence of str, optional
        Of the columns, if `x` is no frame.
    block : int, default 128
        Sensors in work at a time, which bounds memory.
    progress : bool, default False
        Whether a bar is shown.

    Returns
    -------
    ManyLinear

    Raises
    ------
    InputError
        Infinite values, other lengths, a shared design with dependent columns (named), `lags` missing for HAC or
        longer than the rows, no columns.

    References
    ----------
    MacKinnon, J. G. and White, H. (1985). Some heteroskedasticity-consistent covariance matrix estimators with
    improved finite sample properties. Journal of Econometrics 29(3), 305-325.
    Newey, W. K. and West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix. Econometrica 55(3), 703-708.

    Examples
    --------
    >>> hours = np.arange(6.0)
    >>> city = fit(np.c_[np.ones(6), hours], np.c_[1 + 2 * hours, np.full(6, np.nan)], names=["intercept", "hour"])
    >>> city.status.tolist(), city.coefficients[0].round(6).tolist()
    (['fitted', 'all missing'], [1.0, 2.0])
    """
    y_TN, sensors = _values(values)
    rows, many = y_TN.shape
    checks.one_of("errors", errors, ERRORS)
    when = np.arange(rows) if steps is None else checks.steps("steps", steps)
    checks.same_length(steps=when, values=y_TN)
    reach = reach_of(lags, when) if errors == "HAC" else 0
    if int(when[-1] - when[0]) + reach > SPARSE * rows:
        when = shortened(when, reach)
    designs, labels = _designs(x, rows, many, names)
    columns = len(labels)
    step = checks.integer("block", block, minimum=1)
    out = ManyLinear(
        labels, sensors, np.full(many, "fitted", dtype=f"<U{max(map(len, STATUSES))}"),
        np.full((many, columns), np.nan), np.full((many, columns, columns), np.nan), errors,
        np.full(many, np.nan), np.full(many, np.nan), np.zeros(many, dtype=np.int64), {},
    )  # fmt: skip
    for i in tqdm(range(0, many, step), unit="block", disable=not progress):
        part = slice(i, min(i + step, many))
        _fit_block(out, part, designs(part.start, part.stop), y_TN[:, part].T, errors, reach, when)
    return out


def _values(values: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    if isinstance(values, Panel):
        return checks.matrix("values", values.values, missing=True), tuple(map(str, values.sensors))
    y_TN = checks.matrix("values", values, missing=True)
    return y_TN, tuple(map(str, range(y_TN.shape[1])))


def _designs(
    x: npt.ArrayLike | pd.DataFrame | Designs, rows: int, many: int, names: Sequence[str] | None
) -> tuple[Designs, tuple[str, ...]]:
    """Return a function that gives checked designs of a block, and the names of the columns."""
    if callable(x):
        given: Designs = x
        first = np.asarray(given(0, 1))
        if first.ndim != 3:
            raise InputError("x", f"give designs of shape (n, {rows}, K)", first.shape)
        columns = first.shape[-1]
    else:
        own = checks.array("x", x, missing=True)
        if own.ndim not in (2, 3) or own.shape[-2] != rows or (own.ndim == 3 and len(own) != many):
            raise InputError("x", f"have shape ({rows}, K) or ({many}, {rows}, K)", own.shape)
        columns = own.shape[-1]

        def given(start: int, stop: int) -> FloatArray:
            return own[start:stop] if own.ndim == 3 else np.broadcast_to(own, (stop - start, *own.shape))

    if names is None and isinstance(x, pd.DataFrame):
        names = [str(c) for c in x.columns]
    if not columns:
        raise InputError("x", "have a column at least", f"shape (..., {rows}, 0)")
    labels = tuple(checks.unique("names", list(names or (f"x{k}" for k in range(columns)))))
    if len(labels) != columns:
        raise InputError("names", f"be {columns}, one a column", len(labels))
    if not callable(x) and own.ndim == 2:
        checks.squarable("x", own[~np.isnan(own).any(axis=1)])
        repeats = dependent(own[~np.isnan(own).any(axis=1)], labels)
        if repeats:
            told = "; ".join(f"{a} = {b}" for a, b in repeats.items())
            raise InputError("x", "have linearly independent columns", told)

    def designs(start: int, stop: int) -> FloatArray:
        block = checks.array("x", given(start, stop), ndim=3, missing=True)
        if block.shape != (stop - start, rows, columns):
            raise InputError("x", f"give designs of shape ({stop - start}, {rows}, {columns})", block.shape)
        return block

    return designs, labels


def _fit_block(
    out: ManyLinear,
    part: slice,
    x_nTK: FloatArray,
    y_nT: FloatArray,
    errors: str,
    reach: int,
    when: npt.NDArray[np.int64],
) -> None:
    columns = x_nTK.shape[2]
    known = ~np.isnan(y_nT)
    if np.isnan(x_nTK.sum()):
        known &= ~np.isnan(x_nTK).any(axis=2)
    y = np.where(known, y_nT, 0.0)
    x = x_nTK if known.all() else np.where(known[:, :, None], x_nTK, 0.0)
    rows = known.sum(axis=1)
    out.rows[part] = rows
    status = out.status[part]
    low, high = np.where(known, y_nT, np.inf).min(axis=1), np.where(known, y_nT, -np.inf).max(axis=1)
    largest = np.maximum(np.abs(low), np.abs(high))
    status[(largest < checks.SQUARES[0]) | (largest > checks.SQUARES[1])] = "out of range"
    status[low >= high] = "constant"
    status[rows <= columns] = "too few rows"
    status[~np.isfinite(y_nT).any(axis=1)] = "all missing"
    good = np.flatnonzero(status == "fitted")
    triangles = np.zeros((len(status), columns, columns))
    for i in good:
        triangle, status[i], repeats = _triangle(x[i], out.names)
        if status[i] == "out of range":
            continue
        if repeats:
            out.repeats[out.sensors[part.start + i]] = repeats
        else:
            triangles[i] = triangle
    good = np.flatnonzero(status == "fitted")
    if len(good):
        _solve(out, part.start, good, x, y, known, triangles[good], errors, reach, when)


def _triangle(x_TK: FloatArray, names: Sequence[str]) -> tuple[FloatArray, str, str]:
    """Return R of the QR decomposition by Cholesky's of X'X, twice where once would lose digits."""
    size = np.sqrt(np.einsum("tk,tk->k", x_TK, x_TK))
    told = np.where(size > 0, size, 1.0)
    if not (told.min() >= checks.SQUARES[0] and told.max() <= checks.SQUARES[1]):
        return np.zeros((len(size), len(size))), "out of range", ""
    gram = x_TK.T @ x_TK
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = gram / size / size[:, None]
    try:
        upper = np.linalg.cholesky(scaled).T
        smallest = np.diag(upper).min()
    except np.linalg.LinAlgError:
        upper, smallest = np.zeros_like(gram), 0.0
    if not smallest > CLOSE:
        repeats = dependent(x_TK, list(names))
        if repeats:
            return upper, "collinear", "; ".join(f"{a} = {b}" for a, b in repeats.items())
        return np.asarray(np.linalg.qr(x_TK, mode="r")), "fitted", ""
    triangle = upper * size
    if smallest < WELL:
        basis = linalg.solve_triangular(triangle, x_TK.T, trans="T", check_finite=False)
        triangle = np.linalg.cholesky(basis @ basis.T).T @ triangle
    return triangle, "fitted", ""


def _solve(
    out: ManyLinear,
    start: int,
    good: npt.NDArray[np.intp],
    x: FloatArray,
    y: FloatArray,
    known: npt.NDArray[np.bool_],
    triangles: FloatArray,
    errors: str,
    reach: int,
    when: npt.NDArray[np.int64],
) -> None:
    columns = x.shape[2]
    inverses = np.linalg.inv(triangles)
    for i, triangle, inverse in zip(good, triangles, inverses, strict=True):
        x_TK, y_T, at = x[i], y[i], start + i
        normal = inverse @ inverse.T
        beta = normal @ (x_TK.T @ y_T)
        residual = y_T - x_TK @ beta
        if np.abs(inverse).max() * np.abs(triangle).max() > STEEP:  # where X'X loses digits
            basis, steep = np.linalg.qr(x_TK)
            beta = linalg.solve_triangular(steep, basis.T @ y_T)
            residual = y_T - x_TK @ beta
            inverse = linalg.solve_triangular(steep, np.eye(columns))
            normal = inverse @ inverse.T
        rows = int(out.rows[at])
        squares = float(residual @ residual)
        mean = y_T.sum() / rows
        total = float(((y_T - mean)[known[i]] ** 2).sum())
        if errors == "classic":
            covariance = normal * squares / (rows - columns)
        else:
            meat = _meat(x_TK, inverse, residual, errors, reach, when)
            if meat is None:
                out.status[at] = "row fits itself"
                continue
            covariance = meat
        out.coefficients[at], out.covariance[at] = beta, covariance
        out.sigma[at], out.r_squared[at] = np.sqrt(squares / (rows - columns)), 1 - squares / total


def _meat(
    x_TK: FloatArray, inverse: FloatArray, residual: FloatArray, errors: str, reach: int, when: npt.NDArray[np.int64]
) -> FloatArray | None:
    if errors == "HC3":
        basis_TK = x_TK @ inverse
        rest = 1 - np.einsum("tk,tk->t", basis_TK, basis_TK)
        if rest.min() < 1e-9:
            return None
        scores = basis_TK * (residual / rest)[:, None]
        return np.asarray(inverse @ (scores.T @ scores) @ inverse.T)
    span = int(when[-1] - when[0])
    normal = inverse @ inverse.T
    if span + reach > SPARSE * len(when):
        return np.asarray(normal @ pair_sums(x_TK * residual[:, None], when, reach) @ normal)
    # Bartlett's weights are those of sums over lags + 1 steps with each other: one product in place of one a lag.
    moving = np.zeros((span + 1 + reach, x_TK.shape[1]))
    moving_sums(np.ascontiguousarray(x_TK), residual, when - when[0], reach, moving)
    return np.asarray(normal @ (moving.T @ moving) @ normal / (reach + 1))
