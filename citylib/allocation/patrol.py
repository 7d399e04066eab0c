"""Patrol hours from a forecast of counts: what a district may expect, how surely, and within which fair limits.

Legend: T weeks, D districts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from citylib import checks
from citylib.allocation import bounds
from citylib.errors import InputError

__all__ = ["CountForecast", "fair_limits", "forecast", "log_scores"]

FloatArray = npt.NDArray[np.float64]
BEGIN = 2  # weeks that the law begins from


@dataclass(frozen=True, eq=False)
class CountForecast:
    """What next week's counts may be, a negative binomial law a district.

    Parameters
    ----------
    mean : ndarray, shape (D,)
        Expected counts.
    low, high : ndarray, shape (D,)
        Ends of the interval of the counts themselves.
    shape, rate : ndarray, shape (D,)
        Of the gamma law of the expected count.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    shape: FloatArray
    rate: FloatArray


def forecast(counts: npt.ArrayLike, *, discount: float, strength: float = 4.0, level: float = 0.9) -> CountForecast:
    """Forecast next week's counts from all weeks before it, old ones counting less.

    A gamma law for each district's rate is updated week by week, shape = discount * shape + count and rate = discount *
    rate + 1, beginning from the city's mean with the weight of `strength` weeks (of the first two, of all districts
    together, so small districts are not taken for silent ones).

    Parameters
    ----------
    counts : array_like, shape (T, D)
        Counts a week, 0 or more.
    discount : float
        Above 0, up to 1: what a week still counts when it is one week older.
    strength : float, default 4
        Weeks that the beginning counts for, above 0.
    level : float, default 0.9
        Of the interval.

    Returns
    -------
    CountForecast

    Raises
    ------
    InputError
        No weeks or no counts, negative or broken counts, a discount outside (0, 1].

    References
    ----------
    West, M. and Harrison, J. (1997). Bayesian Forecasting and Dynamic Models. Springer. Section 10.8 (discounting).

    Examples
    --------
    >>> forecast([[4.0, 0.0], [6.0, 0.0]], discount=1.0, strength=1.0).mean.round(2).tolist()
    [4.17, 0.83]
    """
    seen = _counts(counts)
    shape, rate = _walk(seen, discount, strength)[-1]
    tail = (1 - checks.fraction("level", level)) / 2
    law = stats.nbinom(shape, rate / (rate + 1))
    return CountForecast(shape / rate, law.ppf(tail), law.ppf(1 - tail), shape, np.full(len(shape), rate))


def log_scores(counts: npt.ArrayLike, *, discount: float, strength: float = 4.0) -> FloatArray:
    """Return the logarithm of the probability that each week's count was given, from the weeks before it only.

    Parameters
    ----------
    counts : array_like, shape (T, D)
        Counts a week, 0 or more.
    discount : float
        As in `forecast`.
    strength : float, default 4
        As in `forecast`.

    Returns
    -------
    ndarray, shape (T - 2,)
        Sums over districts, from the third week: the beginning knows the mean of the first two.

    Raises
    ------
    InputError
        As `forecast`; fewer than three weeks.

    Examples
    --------
    >>> log_scores([[1.0, 1.0]] * 6, discount=1.0).shape
    (4,)
    """
    seen = _counts(counts)
    if len(seen) <= BEGIN:
        raise InputError("counts", f"hold more than {BEGIN} weeks", len(seen))
    walked = _walk(seen, discount, strength)
    out = np.empty(len(seen))
    for t in range(BEGIN, len(seen)):
        shape, rate = walked[t]
        y = seen[t]
        gamma = special.gammaln(shape + y) - special.gammaln(shape) - special.gammaln(y + 1)
        out[t] = float((gamma + shape * np.log(rate / (rate + 1)) - y * np.log(rate + 1)).sum())
    return out[BEGIN:]


def fair_limits(
    reference: npt.ArrayLike, *, floor: float, ceiling: float, names: Sequence[str] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and largest share of every district: so much of its share of a reference.

    The reference is something that patrols do not change, such as residents or ground; the counts are not, for whoever
    is watched more is recorded more.

    Parameters
    ----------
    reference : array_like, shape (D,)
        Residents, square kilometres or the like; above 0.
    floor : float
        0 to 1: no district has less than so much of its share.
    ceiling : float
        1 or more: none has more than so much of it.
    names : sequence of str, optional
        Names of the districts, for messages.

    Returns
    -------
    low, high : ndarray, shape (D,)
        For `citylib.allocation.water_filling.fill`.

    Raises
    ------
    InputError
        A reference that is not above 0, limits on the wrong side of 1.

    Examples
    --------
    >>> [v.round(2).tolist() for v in fair_limits([1.0, 3.0], floor=0.5, ceiling=2.0)]
    [[0.12, 0.38], [0.5, 1.0]]
    """
    whole = checks.series("reference", reference)
    if (whole <= 0).any():
        raise InputError("reference", "be above 0 in every district", float(whole.min()))
    least = checks.number("floor", floor, minimum=0, maximum=1)
    most = checks.number("ceiling", ceiling, minimum=1)
    share = whole / whole.sum()
    low, high = least * share, np.minimum(most * share, 1.0)
    bounds.check(low[None], high[None], np.ones((1, len(share)), dtype=np.bool_), names=names)
    return low, high


def _counts(counts: npt.ArrayLike) -> FloatArray:
    seen = checks.matrix("counts", counts)
    if (seen < 0).any() or (seen != np.round(seen)).any():
        raise InputError("counts", "be whole numbers, 0 or more", float(seen.min()))
    if not seen.sum() > 0:
        raise InputError("counts", "be above 0 somewhere", 0)
    return seen


def _walk(seen: FloatArray, discount: float, strength: float) -> list[tuple[FloatArray, float]]:
    """Return shape and rate before every week, and after the last."""
    keep = checks.number("discount", discount, above=0, maximum=1)
    begin = checks.number("strength", strength, above=0)
    first = seen[:BEGIN].mean()
    shape, rate = np.full(seen.shape[1], begin * max(float(first), 0.1)), begin
    out = [(shape, rate)]
    for week in seen:
        shape, rate = keep * shape + week, keep * rate + 1
        out.append((shape, rate))
    return out
