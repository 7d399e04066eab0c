"""How often to visit each monitor when visits are short: a concave budget again, with water-filling's conditions.

A monitor's reading forgets at a rate c: a time t after a visit that left the variance p, it is v - (v - p) e^(-2 c t).
Visited f times a day, evenly, its mean is v - (v - p) h(f) with h(f) = f (1 - e^(-2 c / f)) / (2 c). h is concave, so
the best frequencies have one price. Legend: N monitors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.allocation.sensor_filter import IntArray, State
from citylib.errors import InputError

__all__ = ["Polling", "Scheduled", "mean_variance", "poll"]

FloatArray = npt.NDArray[np.float64]
HALVINGS = 200


@dataclass(frozen=True, eq=False)
class Polling:
    """How often each monitor is visited.

    Parameters
    ----------
    visits_N : ndarray, shape (N,)
        Visits a day; 0: never, as even the first visit would bring less than one elsewhere.
    variance_N : ndarray, shape (N,)
        Mean variance of what is then believed.
    price : float
        By how much one visit a day more brings the sum of variances down.
    """

    visits_N: FloatArray
    variance_N: FloatArray
    price: float


def mean_variance(
    visits_N: npt.ArrayLike, variance_N: npt.ArrayLike, forgets_N: npt.ArrayLike, *, noise: float
) -> FloatArray:
    """Return the mean variance of what is believed of monitors that are visited so often.

    Parameters
    ----------
    visits_N : array_like, shape (..., N)
        Visits a day, none negative.
    variance_N : array_like, shape (N,)
        v, the variance of what is never visited.
    forgets_N : array_like, shape (N,)
        c: the correlation of two readings t days apart is e^(-c t).
    noise : float
        Standard deviation of the noise of a visit, above 0.

    Returns
    -------
    ndarray, shape (..., N)

    Raises
    ------
    InputError
        Not finite, negative visits, another number of monitors.

    Examples
    --------
    >>> mean_variance([0.0, 1e6], [1.0, 1.0], [2.0, 2.0], noise=1e-3).round(3).tolist()
    [1.0, 0.0]
    """
    variance, forgets, left = _given(variance_N, forgets_N, noise)
    visits = checks.array("visits", visits_N, minimum=0)
    if visits.shape[-1:] != variance.shape:
        raise InputError("visits", f"be those of {len(variance)} monitors", visits.shape)
    often = visits > 0
    rate = np.where(often, visits, 1.0)
    known = np.where(often, -rate * np.expm1(-2 * forgets / rate) / (2 * forgets), 0.0)
    return np.asarray(variance - (variance - left) * known)


def poll(variance_N: npt.ArrayLike, forgets_N: npt.ArrayLike, *, budget: float, noise: float) -> Polling:
    """Return the visits a day that bring the sum of mean variances down most.

    Every monitor that is visited at all has the same price (v - p) h'(f). One that forgets fast has a low price even
    for its first visit, (v - p) / (2 c): it is left alone, though it is the one of which least is known.

    p, the variance just after a visit, is taken to be what one reading leaves of v, as if nothing were remembered of
    the visits before. With many visits a day less is left than that.

    Parameters
    ----------
    variance_N, forgets_N : array_like, shape (N,)
        As in `mean_variance`; above 0.
    budget : float
        Visits a day in all, above 0.
    noise : float
        Standard deviation of the noise of a visit, above 0.

    Returns
    -------
    Polling

    Raises
    ------
    InputError
        A variance, rate, budget or noise that is not above 0.

    References
    ----------
    Cho, J. and Garcia-Molina, H. (2003). Effective page refresh policies for web crawlers. ACM Transactions on Database
    Systems 28(4).

    Examples
    --------
    >>> found = poll([1.0, 1.0, 1.0], [1.0, 1.0, 50.0], budget=4.0, noise=0.1)
    >>> found.visits_N.round(6).tolist()
    [2.0, 2.0, 0.0]
    """
    variance, forgets, left = _given(variance_N, forgets_N, noise)
    total = checks.number("budget", budget, above=0)
    worth = variance - left
    low, high = 0.0, float((worth / (2 * forgets)).max())
    for _ in range(HALVINGS):
        price = (low + high) / 2
        low, high = (price, high) if _visits(price, worth, forgets).sum() > total else (low, price)
    visits = _visits(high, worth, forgets)
    if (
        not visits.any()
    ):  # so few that the price cannot be told from the first visit's: to those where that is worth most
        first = worth / forgets
        visits = (first == first.max()).astype(np.float64)
    visits = visits * total / visits.sum()
    return Polling(visits, mean_variance(visits, variance, forgets, noise=noise), high)


def _visits(price: float, worth_N: FloatArray, forgets_N: FloatArray) -> FloatArray:
    """Return the frequencies whose marginal benefit is the price; 0 where even the first visit is worth less."""
    aim = 2 * forgets_N * price / worth_N  # 1 - e^-u - u e^-u with u = 2 c / f, which rises from 0 to 1
    seen = aim < 1
    low, high = np.zeros(len(worth_N)), np.full(len(worth_N), 800.0)
    for _ in range(HALVINGS // 2):
        u = (low + high) / 2
        under = -np.expm1(-u) - u * np.exp(-u) < aim
        low, high = np.where(under, u, low), np.where(under, high, u)
    return np.where(seen, 2 * forgets_N / np.maximum(high, 1e-12), 0.0)


def _given(
    variance_N: npt.ArrayLike, forgets_N: npt.ArrayLike, noise: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    variance, forgets = checks.series("variance", variance_N), checks.series("forgets", forgets_N)
    checks.same_length(variance=variance, forgets=forgets)
    for name, value in (("variance", variance), ("forgets", forgets)):
        if (value <= 0).any():
            raise InputError(name, "be above 0 at every monitor", float(value.min()))
    square = checks.number("noise", noise, above=0) ** 2
    return variance, forgets, variance * square / (variance + square)


class Scheduled:
    """Visit what is most overdue: steps since the last visit times the wanted frequency.

    Parameters
    ----------
    visits_N : array_like, shape (N,)
        Wanted frequencies, none negative, of `poll`; monitors with 0 are never visited.
    """

    def __init__(self, visits_N: npt.ArrayLike) -> None:
        self.visits_N = checks.array("visits", visits_N, ndim=1, minimum=0)

    def pick(self, state: State, reads: int) -> IntArray:
        """Return the most overdue."""
        if len(self.visits_N) != state.can_BN.shape[1]:
            raise InputError("visits", f"have the {state.can_BN.shape[1]} monitors", len(self.visits_N))
        due = np.where(state.can_BN, state.age_BN * self.visits_N, 0.0)
        at = np.argsort(-due, axis=1, kind="stable")[:, :reads]
        return np.where(np.take_along_axis(due, at, axis=1) > 0, at, -1)
