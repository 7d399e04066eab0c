"""Moran's I: do neighbours resemble each other, over the whole map and place by place.

With z the values less their mean, I = (n / S0) z'Wz / z'z. Local: I_i = z_i sum_j w_ij z_j / (z'z / n), whose sum is
S0 I. Permutations are worked out for all places in a few array operations. Legend: n places, R permutations, K the
largest number of neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from citylib import checks
from citylib.errors import InputError
from citylib.spatial.lag_models import weights

__all__ = ["QUADRANTS", "LocalMoran", "Moran", "bayes_standardised", "local_moran", "moran"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

QUADRANTS = ("high among high", "low among low", "high among low", "low among high")
LOOK_AGAIN = 0.02  # first p-value up to which a place is drawn anew
AT_ONCE = 4_000_000  # numbers held in memory at a time while permuting
ROUNDING = 1e-10  # by which two sums of the same numbers in another order may differ, relative to their size


@dataclass(frozen=True, eq=False)
class Moran:
    """Moran's I of one map, and what it would be if values lay anywhere.

    Parameters
    ----------
    value : float
        I.
    expected : float
        Its mean over all ways to lay the values on the map, -1 / (n - 1).
    variance_normal : float
        Its variance if values are independent normal draws.
    variance_random : float
        Its variance over all ways to lay these values on the map.
    draws : ndarray, shape (R,)
        I of R random ways.
    places : int
        n.
    """

    value: float
    expected: float
    variance_normal: float
    variance_random: float
    draws: FloatArray
    places: int

    @property
    def z_normal(self) -> float:
        """Standard score if values are independent normal draws."""
        return (self.value - self.expected) / math.sqrt(self.variance_normal)

    @property
    def z_random(self) -> float:
        """Standard score over all ways to lay the values on the map."""
        return (self.value - self.expected) / math.sqrt(self.variance_random)

    @property
    def p_normal(self) -> float:
        """Two-sided p-value of `z_normal` by the normal curve."""
        return float(2 * stats.norm.sf(abs(self.z_normal)))

    @property
    def p_random(self) -> float:
        """Two-sided p-value of `z_random` by the normal curve."""
        return float(2 * stats.norm.sf(abs(self.z_random)))

    @property
    def p_value(self) -> float:
        """Two-sided p-value by the draws, none smaller than 2 / (R + 1).

        Raises
        ------
        InputError
            Made without draws.
        """
        if not len(self.draws):
            raise InputError("draws", "be at least 1 for a p-value by permutation", 0)
        near = ROUNDING * max(1.0, abs(self.value))
        counts = (self.draws >= self.value - near).sum(), (self.draws <= self.value + near).sum()
        return float(_two_sided(np.array(counts[0]), np.array(counts[1]), len(self.draws)))


@dataclass(frozen=True, eq=False)
class LocalMoran:
    """Local Moran statistics, one a place.

    Parameters
    ----------
    value : ndarray, shape (n,)
        I_i; their sum is S0 I.
    z : ndarray, shape (n,)
        Values in standard deviations from their mean.
    lag : ndarray, shape (n,)
        Weighted sum of the neighbours' z: their mean if rows of the weights sum to 1.
    p_value : ndarray, shape (n,)
        Two-sided, by conditional permutation: the place keeps its value, the others' are laid around it anew. None is
        smaller than `finest`, and none is corrected for the number of places.
    quadrant : ndarray of int, shape (n,)
        Which of `QUADRANTS`; -1 where a place or its neighbours lie at the mean.
    draws : int
        R.
    finest : float
        Smallest p-value that could have come out.
    """

    value: FloatArray
    z: FloatArray
    lag: FloatArray
    p_value: FloatArray
    quadrant: IntArray
    draws: int
    finest: float

    def table(self) -> pd.DataFrame:
        """Return value, z, lag, p_value and the quadrant's name, a row a place."""
        names = np.array([*QUADRANTS, "neither"], dtype=object)[self.quadrant]
        columns = {"local_i": self.value, "z": self.z, "lag": self.lag, "p_value": self.p_value, "quadrant": names}
        return pd.DataFrame(columns)


def moran(
    values: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    generator: np.random.Generator,
    draws: int = 999,
) -> Moran:
    """Return Moran's I of a map with its moments and random permutations.

    Parameters
    ----------
    values : array_like, shape (n,)
        One a place, four places or more.
    w : sparse matrix or array_like, shape (n, n)
        Weights, no islands; usually rows that sum to 1.
    generator : numpy.random.Generator
        Lays values on the map.
    draws : int, default 999
        R, how often; 0: not at all.

    Returns
    -------
    Moran

    Raises
    ------
    InputError
        Missing, infinite or constant values, weights of another order or with islands, weights that make every way to
        lay the values on the map the same (all pairs neighbours).

    References
    ----------
    Moran, P. A. P. (1950). Notes on continuous stochastic phenomena. Biometrika 37, 17-23.
    Cliff, A. D. and Ord, J. K. (1981). Spatial Processes: Models and Applications. Pion.

    Examples
    --------
    >>> row = sparse.diags_array([[1.0] * 3, [1.0] * 3], offsets=[1, -1])
    >>> found = moran([1, 2, 4, 5], row, generator=np.random.default_rng(0))
    >>> round(found.value, 3), round(found.expected, 3)
    (0.4, -0.333)
    """
    z, matrix = _checked(values, w)
    draws = checks.integer("draws", draws, minimum=0)
    n = len(z)
    whole = float(matrix.sum())
    scale = n / whole / float(z @ z)
    normal, random = _variances(z, matrix)
    made: list[FloatArray] = []
    at_once = max(1, AT_ONCE // n)
    for first in range(0, draws, at_once):
        laid = generator.permuted(np.tile(z, (min(at_once, draws - first), 1)), axis=1)
        made.append(scale * np.einsum("rn,nr->r", laid, matrix @ laid.T))
    found = np.concatenate(made) if made else np.zeros(0)
    return Moran(scale * float(z @ (matrix @ z)), -1 / (n - 1), normal, random, found, n)


def local_moran(
    values: npt.ArrayLike,
    w: sparse.sparray | npt.ArrayLike,
    /,
    *,
    generator: np.random.Generator,
    draws: int = 999,
    closer: int = 0,
) -> LocalMoran:
    """Return the local Moran statistic of every place, with p-values by conditional permutation.

    One set of random orders serves all places, as each place's test is about its own order only; so the p-values of
    two places lean on each other a little more than their data do.

    A control over thousands of places asks for p-values far finer than 1 / R. With `closer`, places whose first p-value
    is at most 2 % are drawn anew that many times, and the new p-value stands. It is a valid one: it can be below a
    level of 2 % or less only if the new draws alone say so, and below a higher one only if the first draws did.

    Parameters
    ----------
    values : array_like, shape (n,)
        One a place, four places or more.
    w : sparse matrix or array_like, shape (n, n)
        Weights, no islands; usually rows that sum to 1.
    generator : numpy.random.Generator
        Lays the others' values around each place.
    draws : int, default 999
        R, how often.
    closer : int, default 0
        How often for places that look unlike chance; 0: they are not looked at again.

    Returns
    -------
    LocalMoran

    Raises
    ------
    InputError
        As `moran` does.

    References
    ----------
    Anselin, L. (1995). Local indicators of spatial association: LISA. Geographical Analysis 27(2), 93-115.
    """
    z, matrix = _checked(values, w)
    draws, closer = checks.integer("draws", draws, minimum=1), checks.integer("closer", closer, minimum=0)
    z = z / math.sqrt(float(z @ z) / len(z))
    lag = matrix @ z
    weight = _padded(matrix)
    near = ROUNDING * np.maximum(1.0, weight.sum(axis=1)) * np.abs(z).max()
    p_value = _laid_around(z, lag, weight, near, np.arange(len(z)), draws, generator)
    again = np.flatnonzero(p_value <= LOOK_AGAIN) if closer else np.zeros(0, dtype=np.int64)
    if len(again):
        p_value[again] = _laid_around(z, lag, weight, near, again, closer, generator)
    at_mean = (np.abs(z) <= near) | (np.abs(lag) <= near)
    side = np.where(z > 0, np.where(lag > 0, 0, 2), np.where(lag > 0, 3, 1))
    quadrant = np.where(at_mean, -1, side).astype(np.int64)
    p_value[np.abs(z) <= near] = 1.0
    return LocalMoran(z * lag, z, lag, p_value, quadrant, draws, 2 / (max(draws, closer) + 1))


def bayes_standardised(events: npt.ArrayLike, exposure: npt.ArrayLike, /) -> FloatArray:
    """Return rates as standard scores that know how much each place's rate can be trusted.

    A rate of few people swings more than one of many, so that plain rates are no fair draws from one law. With b the
    city's rate and v_i = a + b / exposure_i its variance in place i (a: between places, estimated by moments), the
    score is (rate_i - b) / sqrt(v_i); where v_i came out below zero, b / exposure_i alone is taken.

    Parameters
    ----------
    events : array_like, shape (n,)
        Counts, none below zero.
    exposure : array_like, shape (n,)
        What they are counted on: people, square kilometres, hours; all above zero.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        Values that are missing, infinite or below zero, an exposure of zero, no events at all.

    References
    ----------
    Assuncao, R. M. and Reis, E. A. (1999). A new proposal to adjust Moran's I for population density. Statistics in
    Medicine 18, 2147-2162.

    Examples
    --------
    >>> bayes_standardised([1, 2, 30], [10.0, 10.0, 100.0]).round(2).tolist()
    [-1.13, -0.48, 0.48]
    """
    count = checks.array("events", events, ndim=1, minimum=0, at_least=2)
    base = checks.array("exposure", exposure, ndim=1, minimum=0)
    checks.same_length(events=count, exposure=base)
    empty = np.flatnonzero(base == 0)
    if len(empty):
        raise InputError("exposure", "be above zero", f"0 in {len(empty)} place(s), first at row {empty[0]}")
    if not count.sum() > 0:
        raise InputError("events", "hold at least one event", f"{len(count)} zeros")
    rate, whole = count / base, float(count.sum() / base.sum())
    spread = float(base @ (rate - whole) ** 2 / base.sum())
    between = spread - whole / float(base.mean())
    variance = between + whole / base
    variance = np.where(variance <= 0, whole / base, variance)
    return np.asarray((rate - whole) / np.sqrt(variance))


def _checked(values: npt.ArrayLike, w: object) -> tuple[FloatArray, sparse.csr_array]:
    given = checks.series("values", values, at_least=4)
    matrix = weights("w", w, len(given))
    if np.ptp(given) <= 1e-12 * np.abs(given).max():
        raise InputError("values", "vary", f"{len(given)} values, all equal")
    normal = _variances(given - given.mean(), matrix)[0]
    if normal < 1e-12:
        rule = "leave some pairs out, for with all pairs alike Moran's I is the same for every map"
        raise InputError("w", rule, f"{matrix.nnz} weights of {len(given)} places")
    return given - given.mean(), matrix


def _variances(z: FloatArray, matrix: sparse.csr_array) -> tuple[float, float]:
    """Return the variance of I for normal values, and over all orders of these values (Cliff and Ord, 1981)."""
    n = len(z)
    s0 = float(matrix.sum())
    s1 = float(((matrix + matrix.T).power(2)).sum()) / 2
    s2 = float(((np.asarray(matrix.sum(axis=1)) + np.asarray(matrix.sum(axis=0))) ** 2).sum())
    square = 1 / (n - 1) ** 2
    normal = (n**2 * s1 - n * s2 + 3 * s0**2) / ((n**2 - 1) * s0**2) - square
    peak = float((z**4).mean() / (z**2).mean() ** 2)
    even = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    odd = peak * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    return normal, (even - odd) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - square


def _laid_around(
    z: FloatArray,
    lag: FloatArray,
    weight: FloatArray,
    near: FloatArray,
    places: IntArray,
    draws: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Return the p-values of some places: the values of all others are laid around each anew."""
    kept = weight.shape[1]
    order = _orders(generator, len(z) - 1, kept, draws)
    above, below = np.zeros(len(places), dtype=np.int64), np.zeros(len(places), dtype=np.int64)
    at_once = max(1, AT_ONCE // (draws * kept))
    for first in range(0, len(places), at_once):
        part = slice(first, first + at_once)
        here = places[part]
        others = order[None] + (order[None] >= here[:, None, None])  # numbers of the n - 1 others: the place is skipped
        drawn = np.einsum("prk,pk->pr", z[others], weight[here])
        above[part] = (drawn >= (lag - near)[here, None]).sum(axis=1)
        below[part] = (drawn <= (lag + near)[here, None]).sum(axis=1)
    return _two_sided(above, below, draws)


def _padded(matrix: sparse.csr_array) -> FloatArray:
    """Return the weights of each row from the left, shape (n, K), zeros after them."""
    number = np.diff(matrix.indptr)
    most = int(number.max())
    weight = np.zeros((len(number), most))
    weight[np.arange(most)[None, :] < number[:, None]] = matrix.data
    return weight


def _orders(generator: np.random.Generator, size: int, kept: int, draws: int) -> IntArray:
    """Return the first `kept` of `draws` random orders of 0 to size - 1."""
    if kept**2 < size:  # most rows of free draws hold no number twice: those that do are drawn anew
        order = generator.integers(0, size, (draws, kept))
        twice = np.arange(draws)
        while len(twice):
            sorted_ = np.sort(order[twice], axis=1)
            twice = twice[(sorted_[:, 1:] == sorted_[:, :-1]).any(axis=1)]
            order[twice] = generator.integers(0, size, (len(twice), kept))
        return order
    made = []
    at_once = max(1, AT_ONCE // size)
    for first in range(0, draws, at_once):
        laid = np.tile(np.arange(size), (min(at_once, draws - first), 1))
        made.append(generator.permuted(laid, axis=1)[:, :kept])
    return np.concatenate(made)


def _two_sided(above: npt.NDArray[np.integer], below: npt.NDArray[np.integer], draws: int) -> FloatArray:
    """Return p-values from how many draws were as high, and as low; the map that is there counts as one more draw."""
    return np.asarray(np.minimum(1.0, 2 * (np.minimum(above, below) + 1) / (draws + 1)))
