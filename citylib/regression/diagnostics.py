"""What would make a linear fit wrong: columns that repeat each other, errors that remember.

What statsmodels has (Breusch-Pagan, RESET, influence of rows) is used from there. Here is
what it lacks: inflation of a whole category at once, measures of memory that know of gaps, and
how standard errors depend on the memory that they allow for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import linalg

from citylib import checks
from citylib.errors import InputError
from citylib.regression.scores import SPARSE, pair_sums, shortened

__all__ = ["autocorrelation", "durbin_watson", "errors_by_lag", "variance_inflation"]

FloatArray = npt.NDArray[np.float64]


def variance_inflation(x: pd.DataFrame, terms: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the generalised variance inflation of each term, all its columns together.

    For one numeric column it is the usual factor 1 / (1 - R²) of that column on the others. For
    a category the usual factor of a single level depends on which level was chosen as
    reference; the generalised one, det(R_in) det(R_out) / det(R), does not.

    Parameters
    ----------
    x : pandas.DataFrame
        Design matrix with an intercept or without, none missing.
    terms : mapping of str to sequence of str
        Columns of each term, as `Design.terms_`.

    Returns
    -------
    pandas.DataFrame
        Index ``term``; ``columns`` (number), ``gvif`` and ``inflation`` = gvif^(1 / (2 columns)): how many
        times wider the term's intervals are than with unrelated inputs.

    Raises
    ------
    InputError
        A constant column within a term, or columns that depend on each other.

    References
    ----------
    Fox, J. and Monette, G. (1992). Generalized collinearity diagnostics. Journal of the American
    Statistical Association 87(417), 178-183.
    """
    columns = [c for block in terms.values() for c in block]
    for name in columns:
        checks.one_of("terms", name, [str(c) for c in x.columns])
    values = checks.matrix("x", x[columns].to_numpy(), at_least=2)
    spread = values.std(axis=0)
    if not spread.all():
        raise InputError("x", "have no constant column within a term", columns[int(np.argmin(spread))])
    correlation = np.atleast_2d(np.corrcoef(values, rowvar=False))
    sign, whole = np.linalg.slogdet(correlation)
    if sign <= 0 or not np.isfinite(whole):
        raise InputError("x", "have linearly independent columns", "a singular correlation matrix")
    rows = []
    for term, block in terms.items():
        inside = np.isin(columns, list(block))
        own = np.linalg.slogdet(correlation[np.ix_(inside, inside)])[1]
        rest = np.linalg.slogdet(correlation[np.ix_(~inside, ~inside)])[1] if not inside.all() else 0.0
        gvif = float(np.exp(own + rest - whole))
        rows.append({"term": term, "columns": len(block), "gvif": gvif, "inflation": gvif ** (0.5 / len(block))})
    return pd.DataFrame(rows).set_index("term")


def durbin_watson(residuals: npt.ArrayLike) -> float:
    """Return the Durbin-Watson statistic of residuals on a regular time axis, gaps allowed.

    Mean squared step between neighbours over mean square: 2 without memory, toward 0 with positive memory.
    Without gaps it is the usual statistic times T / (T - 1).

    Parameters
    ----------
    residuals : array_like, shape (T,)
        In order of time, NaN where there is no reading.

    Raises
    ------
    InputError
        No two neighbouring residuals, or all zero.
    """
    values = checks.series("residuals", residuals, missing=True)
    steps = np.diff(values)
    if np.isnan(steps).all():
        raise InputError("residuals", "hold two neighbours", f"{len(values)} steps")
    size = float(np.nanmean(values**2))
    if size == 0:
        raise InputError("residuals", "differ from zero", 0.0)
    return float(np.nanmean(steps**2)) / size


def autocorrelation(residuals: npt.ArrayLike, *, lags: int) -> FloatArray:
    """Return the autocorrelation of a series with gaps at lags 0 to `lags`, from the pairs that exist.

    Parameters
    ----------
    residuals : array_like, shape (T,)
        On a regular time axis, NaN where there is no reading.
    lags : int
        Longest lag, in steps.

    Returns
    -------
    ndarray, shape (lags + 1,)
        NaN at a lag that no pair has.

    Raises
    ------
    InputError
        Fewer than two readings, all equal, or `lags` not below T.

    References
    ----------
    Parzen, E. (1963). On spectral analysis with missing observations and amplitude modulation. Sankhya A 25.
    """
    values = checks.series("residuals", residuals, missing=True, at_least=2)
    lags = checks.integer("lags", lags, minimum=1, maximum=len(values) - 1)
    centred = values - np.nanmean(values) if (~np.isnan(values)).any() else values
    size = np.nanmean(centred**2) if (~np.isnan(centred)).sum() > 1 else 0.0
    if not size > 0:
        raise InputError("residuals", "hold two different readings", f"{int((~np.isnan(values)).sum())} readings")
    known = ~np.isnan(centred)
    filled = np.where(known, centred, 0.0)  # an absent pair adds nothing to the sum, and isn't counted
    out = np.full(lags + 1, np.nan)
    for lag in range(lags + 1):
        pairs = int((known[lag:] & known[: len(known) - lag]).sum())
        if pairs:
            out[lag] = filled[lag:] @ filled[: len(filled) - lag] / pairs / size
    return out


def errors_by_lag(
    x: pd.DataFrame,
    residuals: npt.ArrayLike,
    *,
    lags: Sequence[int],
    columns: Sequence[str] | None = None,
    steps: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the HAC standard errors of chosen coefficients for many choices of the longest lag.

    They are those of `citylib.regression.linear.fit`, without its K by K matrices: a coefficient is a weighted sum
    of the errors, and its variance is that of the sum.

    Parameters
    ----------
    x : pandas.DataFrame, shape (T, K)
        Design matrix with its intercept, none missing, columns independent.
    residuals : array_like, shape (T,)
        Of the fit.
    lags : sequence of int
        Longest lags, each 0 or more; 0 allows for unequal variance alone.
    columns : sequence of str, optional
        Which coefficients; by default all.
    steps : array_like of int, shape (T,), optional
        Number of each row's step on a regular time axis, strictly increasing. Without it rows count as consecutive.

    Returns
    -------
    pandas.DataFrame
        Index ``lag``, a column a coefficient, in the unit of the coefficient.

    Raises
    ------
    InputError
        Missing values, lengths that differ, a lag below 0, steps that do not increase.
    UnknownNameError
        A column that is not in `x`.

    References
    ----------
    Newey, W. K. and West, K. D. (1987). A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix. Econometrica 55(3), 703-708.

    Examples
    --------
    >>> x = pd.DataFrame({"intercept": np.ones(6), "hour": np.arange(6.0)})
    >>> errors_by_lag(x, [1.0, -1, 1, -1, 1, -1], lags=[0, 1], columns=["intercept"]).round(2)["intercept"].tolist()
    [0.72, 0.45]
    """
    design, rest = checks.matrix("x", x.to_numpy()), checks.series("residuals", residuals)
    rows = checks.same_length(x=design, residuals=rest)
    known = [str(c) for c in x.columns]
    chosen = known if columns is None else [checks.one_of("columns", name, known) for name in columns]
    when = np.arange(rows) if steps is None else checks.steps("steps", steps)
    checks.same_length(steps=when, x=design)
    tried = [checks.integer("lags", lag, minimum=0) for lag in lags]
    if int(when[-1] - when[0]) > SPARSE * rows:
        when = shortened(when, min(max(tried, default=0), int(when[-1] - when[0])))
    triangle = np.linalg.qr(design, mode="r")
    inverse = linalg.solve_triangular(triangle, np.eye(len(known)))
    weights = design @ (inverse @ inverse.T)[:, [known.index(name) for name in chosen]]
    span = int(when[-1] - when[0]) + 1
    if span > SPARSE * rows:  # times in seconds: no grid of them fits into memory
        scores = weights * rest[:, None]
        errors = {lag: np.sqrt(np.diag(pair_sums(scores, when, lag))) for lag in tried}
        return pd.DataFrame.from_dict(errors, orient="index", columns=chosen).rename_axis("lag")
    total = np.zeros((span + 1, len(chosen)))
    total[when - when[0] + 1] = weights * rest[:, None]
    np.cumsum(total, axis=0, out=total)
    found = {}
    for lag in tried:
        ends = np.arange(span + lag)
        window = total[np.minimum(ends + 1, span)] - total[np.maximum(ends - lag, 0)]
        found[lag] = np.sqrt((window**2).sum(axis=0) / (lag + 1))
    return pd.DataFrame.from_dict(found, orient="index", columns=chosen).rename_axis("lag")
