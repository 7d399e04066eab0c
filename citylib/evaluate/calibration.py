"""Whether stated uncertainty is true: probabilities against shares, intervals against how often they cover."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["coverage_by_step", "reliability", "wilson"]

FloatArray = npt.NDArray[np.float64]


def wilson(hits: npt.ArrayLike, cases: npt.ArrayLike, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
    """Return Wilson's interval for a share, which stays between 0 and 1 for few cases too.

    Parameters
    ----------
    hits, cases : array_like
        How often it happened, out of how many independent cases (at least 1).
    level : float, default 0.95
        Coverage that the interval claims.

    Returns
    -------
    (low, high) : ndarray

    Raises
    ------
    InputError
        No cases, or more hits than cases.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22(158), 209-212.

    Examples
    --------
    >>> [round(float(end), 3) for end in wilson(0, 10)]
    [0.0, 0.278]
    """
    k, n = checks.array("hits", hits, minimum=0), checks.array("cases", cases, minimum=1)
    if (k > n).any():
        raise InputError("hits", "be at most cases", float(np.max(k - n)))
    z = float(stats.norm.ppf((1 + checks.fraction("level", level)) / 2))
    share = k / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def reliability(actual: npt.ArrayLike, probability: npt.ArrayLike, *, bins: int = 10) -> pd.DataFrame:
    """Return, for bins of about equally many cases, the mean probability and the share that happened.

    Parameters
    ----------
    actual : array_like of bool, shape (n,)
        Whether it happened.
    probability : array_like, shape (n,)
        Forecast probability that it would, 0 to 1. Equal probabilities stay in one bin.
    bins : int, default 10
        At most so many bins.

    Returns
    -------
    pandas.DataFrame
        Columns cases, predicted, observed, low, high (Wilson's 95 % interval); a row a bin.

    Examples
    --------
    >>> reliability([True, False, False, False], [0.4, 0.4, 0.2, 0.2], bins=2)["observed"].tolist()
    [0.0, 0.5]
    """
    truth = checks.binary("actual", actual)
    chance = checks.series("probability", probability)
    checks.same_length(actual=truth, probability=chance)
    if ((chance < 0) | (chance > 1)).any():
        raise InputError("probability", "lie between 0 and 1 inclusive", f"{chance.min():g} to {chance.max():g}")
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, checks.integer("bins", bins, minimum=1) + 1)))
    place = np.clip(np.searchsorted(edges, chance, side="left") - 1, 0, None)
    cases = pd.DataFrame({"bin": place, "predicted": chance, "observed": truth.astype(float)})
    found = cases.groupby("bin").agg(
        cases=("predicted", "size"), predicted=("predicted", "mean"), observed=("observed", "mean")
    )
    found["low"], found["high"] = wilson(found["observed"] * found["cases"], found["cases"])
    return found.reset_index(drop=True)


def coverage_by_step(actual_OH: npt.ArrayLike, lower_OH: npt.ArrayLike, upper_OH: npt.ArrayLike) -> FloatArray:
    """Return, for each step ahead, the share of readings within their interval, shape (H,).

    Parameters
    ----------
    actual_OH : array_like, shape (O, H)
        What came, for O origins and H steps ahead; NaN where there is no reading.
    lower_OH, upper_OH : array_like, shape (O, H)
        Ends of the intervals.

    Returns
    -------
    ndarray
        NaN for a step at which nothing was read.

    Examples
    --------
    >>> coverage_by_step([[1.0, 5.0]], [[0.0, 0.0]], [[2.0, 2.0]]).tolist()
    [1.0, 0.0]
    """
    truth = checks.matrix("actual_OH", actual_OH, missing=True)
    low = checks.matrix("lower_OH", lower_OH, missing=True)
    high = checks.matrix("upper_OH", upper_OH, missing=True)
    if not truth.shape == low.shape == high.shape:
        shapes = (truth.shape, low.shape, high.shape)
        raise InputError("actual_OH, lower_OH, upper_OH", "have the same shape", shapes)
    read = ~np.isnan(truth)
    silent = read & (np.isnan(low) | np.isnan(high))
    if silent.any():
        raise InputError("lower_OH, upper_OH", "be numbers wherever a reading counts", f"{int(silent.sum())} NaN")
    inside = ((truth >= low) & (truth <= high)).sum(axis=0)
    cases = read.sum(axis=0)
    share: FloatArray = np.divide(inside, cases, out=np.full(truth.shape[1], np.nan), where=cases > 0)
    return share
