"""Poisson and negative binomial regression of many series of counts at once, with exposure and honest errors.

Expected counts are exposure * exp(x'b). All series of a block take each Newton step together; what has no answer
(all zero, separated, collinear, too few rows) is told series by series and never stops the others. For a single
series statsmodels does: tests hold this equal to its GLM and NegativeBinomial.
Legend: N series, n of them in a block, T rows, K columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError
from citylib.panel import Panel
from citylib.regression import count_likelihood as likelihood
from citylib.regression.dependence import dependent
from citylib.regression.separation import separated

__all__ = ["ManyCounts", "fit"]

FloatArray = npt.NDArray[np.float64]
LAWS = ("poisson", "negative binomial")
ERRORS = ("model", "robust", "cluster")
STATUSES = (
    *("fitted", "all missing", "too few rows", "one group", "all zero", "collinear", "separated", "no convergence"),
)
MOST = 2**53  # up to which every whole number can be held
CLOSE = 1e-9  # smallest eigenvalue of scaled columns' products, below which dependence is looked for exactly


@dataclass(frozen=True, eq=False)
class ManyCounts:
    """Regressions of many series of counts.

    Rows of series that could not be fitted are NaN; `status` says why, and `told` which columns are to blame.

    Parameters
    ----------
    names : tuple of str
        Of the K columns.
    series : tuple of str
        Ids.
    law : str
        "poisson" or "negative binomial", whose variance is mu + dispersion mu^2.
    errors : str
        "model", "robust" or "cluster".
    status : ndarray of str, shape (N,)
        Fitted, all missing, too few rows, one group (for clustered errors: all its rows lie in one), all zero,
        collinear, separated, no convergence.
    coefficients : ndarray, shape (N, K)
        Effects on the logarithm of the expected count, per unit of the column.
    covariance : ndarray, shape (N, K, K)
        Of the coefficients.
    dispersion : ndarray, shape (N,)
        Zero for Poisson, and where counts vary no more than Poisson's.
    dispersion_error : ndarray, shape (N,)
        Its standard error from the curvature of the likelihood; NaN where it is zero.
    log_likelihood : ndarray, shape (N,)
        In nats.
    rows : ndarray of int, shape (N,)
        Rows used.
    told : dict of str to str
        For a collinear series which column follows from which; for a separated one which columns run away.
    """

    names: tuple[str, ...]
    series: tuple[str, ...]
    law: str
    errors: str
    status: npt.NDArray[np.str_]
    coefficients: FloatArray
    covariance: FloatArray
    dispersion: FloatArray
    dispersion_error: FloatArray
    log_likelihood: FloatArray
    rows: npt.NDArray[np.int64]
    told: dict[str, str]

    @property
    def standard_errors(self) -> FloatArray:
        """Of the coefficients, shape (N, K)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def rate_ratios(self, column: str, *, level: float = 0.95, per: float = 1.0) -> pd.DataFrame:
        """Return by what factor the expected count changes when one column rises, a row a series.

        Parameters
        ----------
        column : str
            One of `names`.
        level : float, default 0.95
            Coverage of the interval, normal on the logarithm.
        per : float, default 1
            By how much the column rises, in its own unit.

        Returns
        -------
        pandas.DataFrame
            Index the series; columns ``ratio``, ``low``, ``high``, ``p_value`` (two-sided, of no change), ``status``.
        """
        k = self.names.index(checks.one_of("column", column, self.names))
        size = checks.number("per", per)
        centre, error = self.coefficients[:, k], self.standard_errors[:, k]
        reach = stats.norm.ppf(0.5 + checks.fraction("level", level) / 2) * error * abs(size)
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.norm.sf(np.abs(centre / error))
        columns = {"ratio": np.exp(centre * size), "low": np.exp(centre * size - reach),
                   "high": np.exp(centre * size + reach), "p_value": p_value, "status": self.status}  # fmt: skip
        return pd.DataFrame(columns, index=pd.Index(self.series, name="series"))

    def predict(self, x: pd.DataFrame | npt.ArrayLike, *, exposure: npt.ArrayLike = 1.0) -> FloatArray:
        """Return expected counts of new rows, shape (T, N); NaN for series that could not be fitted.

        Parameters
        ----------
        x : DataFrame or array_like, shape (T, K) or (N, T, K)
            The same columns in the same order; a frame's names are checked.
        exposure : array_like, shape (T, N), (T, 1) or (1, N), default 1
            As in `fit`.
        """
        if isinstance(x, pd.DataFrame) and tuple(map(str, x.columns)) != self.names:
            raise InputError("x", f"have the columns of the fit: {', '.join(self.names[:8])}", list(x.columns)[:8])
        rows = checks.array("x", x, missing=True)
        if rows.ndim not in (2, 3) or rows.shape[-1] != len(self.names):
            raise InputError("x", f"have {len(self.names)} columns", rows.shape)
        linear = np.einsum("...tk,nk->tn" if rows.ndim == 2 else "ntk,nk->tn", rows, self.coefficients)
        return np.asarray(np.exp(linear) * _exposure(exposure, linear.shape))


def fit(
    x: pd.DataFrame | npt.ArrayLike,
    counts: Panel | npt.ArrayLike,
    /,
    *,
    exposure: npt.ArrayLike = 1.0,
    law: str = "poisson",
    errors: str = "model",
    groups: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    block: int = 64,
) -> ManyCounts:
    """Fit E[y] = exposure * exp(x'b) to each series by maximum likelihood.

    Parameters
    ----------
    x : DataFrame or array_like, shape (T, K) or (N, T, K)
        The design all series share, or each one's own, with its intercept. NaN in rows that are not to count.
    counts : Panel or array_like, shape (T, N)
        Whole numbers from 0; NaN where one is missing.
    exposure : array_like, shape (T, N), (T, 1) or (1, N), default 1
        Over how much (km2, days, people) a count was made; above zero. The coefficient of its logarithm is 1.
    law : {"poisson", "negative binomial"}
        The negative binomial has variance mu + a mu^2 (NB2), and each series its own a. Where the likelihood falls
        as a leaves zero, a is zero and the fit is Poisson's.
    errors : {"model", "robust", "cluster"}
        By the law's own information; by a sandwich that needs only the mean to be right (HC1, factor T / (T - K));
        or by one that lets all rows of a group depend on each other (factor G / (G - 1) * (T - 1) / (T - K)).
    groups : array_like, shape (T,), optional
        For "cluster": the group of each row, the same for all series.
    names : sequence of str, optional
        Of the columns, if `x` is no frame.
    block : int, default 64
        Series in work at a time, which bounds memory.

    Returns
    -------
    ManyCounts

    Raises
    ------
    InputError
        Counts that are negative or not whole, exposure that is not above zero, shapes that do not fit, `groups`
        missing for "cluster" or fewer than two of them, no columns.

    References
    ----------
    Cameron, A. C. and Trivedi, P. K. (2013). Regression Analysis of Count Data, 2nd ed. Cambridge.
    Correia, S., Guimaraes, P. and Zylkin, T. (2019). Verifying the existence of maximum likelihood estimates for
    generalized linear models. arXiv 1903.01633.

    Examples
    --------
    Two places counted for 4 days; the rate of the first is 10 calls in 4 days, the second had none:

    >>> city = fit(np.ones((4, 1)), np.c_[[1, 4, 3, 2], np.zeros(4)], names=["intercept"])
    >>> city.status.tolist(), round(float(np.exp(city.coefficients[0, 0])), 6)
    (['fitted', 'all zero'], 2.5)
    """
    y_TN, series = _counts(counts)
    x_NTK, labels = _design(x, y_TN.shape, names)
    e_TN = _exposure(exposure, y_TN.shape)
    checks.one_of("law", law, LAWS)
    checks.one_of("errors", errors, ERRORS)
    codes = _groups(groups, len(y_TN)) if errors == "cluster" else None
    many, columns = y_TN.shape[1], len(labels)
    out = ManyCounts(
        labels, series, law, errors, np.full(many, "fitted", dtype=f"<U{max(map(len, STATUSES))}"),
        np.full((many, columns), np.nan), np.full((many, columns, columns), np.nan), np.full(many, np.nan),
        np.full(many, np.nan), np.full(many, np.nan), np.zeros(many, dtype=np.int64), {},
    )  # fmt: skip
    step = checks.integer("block", block, minimum=1)
    for i in range(0, many, step):
        part = slice(i, min(i + step, many))
        own = x_NTK[part] if len(x_NTK) > 1 else np.broadcast_to(x_NTK, (part.stop - i, *x_NTK.shape[1:]))
        _fit_block(out, part, own, y_TN[:, part].T, e_TN[:, part].T, codes)
    return out


def _counts(counts: Panel | npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    held = counts.values if isinstance(counts, Panel) else counts
    y_TN = checks.matrix("counts", held, missing=True)
    read = y_TN[~np.isnan(y_TN)]
    if (read < 0).any() or (read != np.round(read)).any():
        odd = read[(read < 0) | (read != np.round(read))][0]
        raise InputError("counts", "be whole numbers from 0", f"{odd:g}")
    if (read > MOST).any():
        raise InputError("counts", "be at most 2**53, up to which whole numbers can be held", f"{read.max():g}")
    names = counts.sensors if isinstance(counts, Panel) else range(y_TN.shape[1])
    return y_TN, tuple(map(str, names))


def _design(
    x: pd.DataFrame | npt.ArrayLike, shape: tuple[int, ...], names: Sequence[str] | None
) -> tuple[FloatArray, tuple[str, ...]]:
    own = checks.array("x", x, missing=True)
    if own.ndim == 2:
        own = own[None]
    if own.ndim != 3 or own.shape[1] != shape[0] or len(own) not in (1, shape[1]):
        raise InputError("x", f"have shape ({shape[0]}, K) or ({shape[1]}, {shape[0]}, K)", np.shape(x))
    if not own.shape[2]:
        raise InputError("x", "have a column at least", np.shape(x))
    if names is None:
        held = isinstance(x, pd.DataFrame)
        names = [str(c) for c in x.columns] if held else [f"x{k}" for k in range(own.shape[2])]  # type: ignore[union-attr]
    labels = tuple(checks.unique("names", list(names)))
    if len(labels) != own.shape[2]:
        raise InputError("names", f"be {own.shape[2]}, one a column", len(labels))
    return own, labels


def _exposure(exposure: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    held = checks.array("exposure", exposure)
    if held.ndim not in (0, 2) or any(a not in (1, b) for a, b in zip(held.shape, shape, strict=False)):
        raise InputError(
            "exposure", f"be one number, or have shape {shape}, ({shape[0]}, 1) or (1, {shape[1]})", held.shape
        )
    if (held <= 0).any():
        raise InputError("exposure", "be above zero", f"{held[held <= 0][0]:g}" if held.ndim else float(held))
    return np.broadcast_to(held, shape)


def _groups(groups: npt.ArrayLike | None, rows: int) -> npt.NDArray[np.intp]:
    if groups is None:
        raise InputError("groups", "be given for clustered errors", groups)
    given = np.asarray(groups)
    if given.ndim != 1:
        raise InputError("groups", "have 1 dimension(s)", given.shape)
    codes, levels = pd.factorize(given)
    checks.same_length(groups=codes, counts=range(rows))
    if len(levels) < 2 or (codes < 0).any():
        raise InputError("groups", "be at least two, none missing", len(levels))
    return codes


def _fit_block(
    out: ManyCounts,
    part: slice,
    x_nTK: FloatArray,
    y_nT: FloatArray,
    e_nT: FloatArray,
    codes: npt.NDArray[np.intp] | None,
) -> None:
    known = ~np.isnan(y_nT) & ~np.isnan(x_nTK).any(axis=2)
    y, x = np.where(known, y_nT, 0.0), np.where(known[:, :, None], x_nTK, 0.0)
    out.rows[part] = rows = known.sum(axis=1)
    status = out.status[part]
    status[y.sum(axis=1) == 0] = "all zero"
    if codes is not None:
        first = codes[known.argmax(axis=1)]  # the group of each series' first row
        status[((codes == first[:, None]) | ~known).all(axis=1)] = "one group"
    status[rows <= x.shape[2]] = "too few rows"
    status[rows == 0] = "all missing"
    _triage(out, part.start, status, x, y, known)
    good = np.flatnonzero(status == "fitted")
    if not len(good):
        return
    block = likelihood.Block(x[good], y[good], e_nT[good], known[good])
    found = likelihood.climb(block, negative_binomial=out.law != "poisson")
    status[good[~found.converged]] = "no convergence"
    kept = np.flatnonzero(found.converged)
    covariance = likelihood.covariance(block, found, out.errors, codes)
    at = part.start + good[kept]
    out.coefficients[at], out.covariance[at] = found.beta[kept], covariance[kept]
    out.dispersion[at], out.log_likelihood[at] = found.alpha[kept], found.height[kept]
    out.dispersion_error[at] = likelihood.dispersion_error(block, found)[kept]


def _triage(
    out: ManyCounts,
    start: int,
    status: npt.NDArray[np.str_],
    x: FloatArray,
    y: FloatArray,
    known: npt.NDArray[np.bool_],
) -> None:
    """Tell series whose columns depend on each other, and those whose likelihood has no highest point."""
    for i in np.flatnonzero((_smallest(x) < CLOSE) & (status == "fitted")):
        repeats = dependent(x[i][known[i]], out.names)
        if repeats:
            status[i] = "collinear"
            out.told[out.series[start + i]] = "; ".join(f"{a} = {b}" for a, b in repeats.items())
    some = np.where((y > 0)[:, :, None], x, 0.0)
    for i in np.flatnonzero((_smallest(some) < CLOSE) & (status == "fitted")):
        away = separated(x[i][known[i]], y[i][known[i]], out.names)
        if away:
            status[i] = "separated"
            out.told[out.series[start + i]] = ", ".join(away)


def _smallest(x_nTK: FloatArray) -> FloatArray:
    """Return the smallest eigenvalue of X'X with columns of length 1, shape (n,); 0 where a column is empty."""
    gram = x_nTK.transpose(0, 2, 1) @ x_nTK
    size = np.sqrt(np.diagonal(gram, axis1=1, axis2=2))
    empty = (size == 0).any(axis=1)
    size = np.where(size == 0, 1.0, size)
    found = np.linalg.eigvalsh(gram / size[:, :, None] / size[:, None, :])[:, 0]
    return np.asarray(np.where(empty, 0.0, found), dtype=np.float64)
