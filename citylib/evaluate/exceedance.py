"""Whether thresholds are exceeded as often as they claim, and not in bursts: Kupiec, Christoffersen.

T time steps. A hit is a reading above its threshold; NaN where there is no reading or no threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["Coverage", "Likelihoods", "christoffersen", "hits", "kupiec"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Likelihoods:
    """Outcome of a likelihood ratio test.

    Parameters
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    p_value : float
        By chi-squared.
    degrees : int
        Its degrees of freedom.
    """

    statistic: float
    p_value: float
    degrees: int


@dataclass(frozen=True)
class Coverage:
    """Outcome of Christoffersen's tests.

    Parameters
    ----------
    independence : Likelihoods
        Of a hit from whether the step before was one.
    conditional : Likelihoods
        Of both at once: the right share, and independence.
    after_hit, after_none : float
        Share of hits one step after a hit, and after none; NaN where there was no such step.
    """

    independence: Likelihoods
    conditional: Likelihoods
    after_hit: float
    after_none: float


def hits(actual: npt.ArrayLike, threshold: npt.ArrayLike) -> FloatArray:
    """Return 1 where a reading lies above its threshold, 0 where not, NaN where one of the two is missing.

    Parameters
    ----------
    actual : array_like, shape (T,)
        Readings; NaN where there is none.
    threshold : array_like, shape (T,)
        In the unit of the readings; NaN where none was given.

    Examples
    --------
    >>> hits([1.0, 5.0, float("nan")], [2.0, 2.0, 2.0]).tolist()
    [0.0, 1.0, nan]
    """
    truth = checks.series("actual", actual, missing=True)
    limit = checks.series("threshold", threshold, missing=True)
    checks.same_length(actual=truth, threshold=limit)
    return np.where(np.isnan(truth) | np.isnan(limit), np.nan, (truth > limit).astype(float))


def kupiec(hit: npt.ArrayLike, *, share: float) -> Likelihoods:
    """Test whether hits are as frequent as claimed, taking them as independent.

    With x hits in n steps, the statistic is -2 log [p^x (1 - p)^(n - x)] + 2 log [(x / n)^x (1 - x / n)^(n - x)], with
    one degree of freedom. Where hits come in bursts they are fewer independent cases than n, and it rejects too often:
    see `christoffersen`, and `citylib.evaluate.compare.block_bootstrap` for an interval that allows for it.

    Parameters
    ----------
    hit : array_like, shape (T,)
        From `hits`.
    share : float
        Share of hits that is claimed, between 0 and 1: 0.05 for a threshold of 95 %.

    Returns
    -------
    Likelihoods

    Raises
    ------
    InputError
        No step, or other values than 0 and 1.

    References
    ----------
    Kupiec, P. H. (1995). Techniques for verifying the accuracy of risk measurement models. Journal of Derivatives
    3(2), 73-84.

    Examples
    --------
    >>> found = kupiec(np.r_[np.ones(9), np.zeros(91)], share=0.05)
    >>> round(found.statistic, 3), round(found.p_value, 3)
    (2.751, 0.097)
    """
    p = checks.fraction("share", share)
    seen = _hits(hit)
    seen = seen[~np.isnan(seen)]
    ones, number = float(seen.sum()), len(seen)
    claimed = _bernoulli(ones, number - ones, p)
    return _ratio(claimed, _bernoulli(ones, number - ones, ones / number), 1)


def christoffersen(hit: npt.ArrayLike, *, share: float) -> Coverage:
    """Test whether a hit makes another one more, or less, likely at the next step.

    A chain of first order is held against independence with the same share of hits: pairs of neighbouring steps are
    counted, those with a missing one are left out. The conditional test holds the chain against independence with the
    share that is claimed, over the same pairs: two degrees of freedom. Memory of more than one step is not seen.

    Parameters
    ----------
    hit : array_like, shape (T,)
        From `hits`, on a regular axis.
    share : float
        Share of hits that is claimed.

    Returns
    -------
    Coverage

    Raises
    ------
    InputError
        No pair of neighbouring steps, or other values than 0 and 1.

    References
    ----------
    Christoffersen, P. F. (1998). Evaluating interval forecasts. International Economic Review 39(4), 841-862.

    Examples
    --------
    >>> found = christoffersen([0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], share=0.25)
    >>> round(found.after_hit, 2), round(found.after_none, 2), found.independence.p_value < 0.1
    (0.6, 0.2, False)
    """
    p = checks.fraction("share", share)
    seen = _hits(hit)
    before, now = seen[:-1], seen[1:]
    both = ~np.isnan(before) & ~np.isnan(now)
    if not both.any():
        raise InputError("hit", "hold two neighbouring steps", f"{len(seen)} steps, no such pair")
    before, now = before[both], now[both]
    counts = [[float(((before == i) & (now == j)).sum()) for j in (0, 1)] for i in (0, 1)]
    shares = [ones / (zeros + ones) if zeros + ones else np.nan for zeros, ones in counts]
    chain = sum(_bernoulli(ones, zeros, s) for (zeros, ones), s in zip(counts, shares, strict=True) if zeros + ones)
    ones = float(now.sum())
    alike = _bernoulli(ones, len(now) - ones, ones / len(now))
    claimed = _bernoulli(ones, len(now) - ones, p)
    return Coverage(_ratio(alike, chain, 1), _ratio(claimed, chain, 2), shares[1], shares[0])


def _hits(hit: npt.ArrayLike) -> FloatArray:
    out = checks.series("hit", hit, missing=True)
    if np.isnan(out).all():
        raise InputError("hit", "hold at least one step", f"{len(out)} steps, all missing")
    odd = ~np.isnan(out) & (out != 0) & (out != 1)
    if odd.any():
        raise InputError("hit", "hold only 0, 1 and NaN", f"{out[odd][0]:g}, first at row {int(np.argmax(odd))}")
    return out


def _bernoulli(ones: float, zeros: float, share: float) -> float:
    return float(special.xlogy(ones, share) + special.xlog1py(zeros, -share))


def _ratio(narrow: float, wide: float, degrees: int) -> Likelihoods:
    statistic = max(0.0, 2 * (wide - narrow))
    return Likelihoods(statistic, float(stats.chi2.sf(statistic, degrees)), degrees)
