"""What own past failures, and those of neighbours, say beside an asset's kind: gamma and Poisson, with a memory.

Asset i fails in year t as Poisson(z_i mu_it), with mu from its kind, age and length, and z_i gamma of mean 1 and
variance 1 / prior. After years whose failures n and expectations mu are forgotten by half every `half_life` years, z_i
is gamma with

    shape = prior g_i + sum w n,    rate = prior + sum w mu,    w = 2^(-age of the year / half_life)

so the next year is negative binomial. An asset of which little was expected keeps its prior; one of which much was
expected goes by its own record. g_i is the same mean for the other assets at its place: (near + sum w n) / (near +
sum w mu) over its neighbours, 1 without them.
Legend: N assets, Y years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from citylib import checks
from citylib.errors import InputError

__all__ = ["HALF_LIVES", "NEARS", "PRIORS", "Memory", "Posterior", "choose", "filtered"]

FloatArray = npt.NDArray[np.float64]
PRIORS = (0.5, 1.0, 2.0, 4.0)
HALF_LIVES = (5.0, 10.0, 20.0, np.inf)
NEARS = (1.0, 2.0, 5.0, np.inf)


@dataclass(frozen=True)
class Memory:
    """How much the past counts.

    Parameters
    ----------
    prior : float
        Expected failures at which an asset's own record counts as much as its kind; 1 / variance of z.
    half_life : float
        Years after which a year counts half; infinite: nothing is forgotten.
    near : float
        Expected failures at which the record of the neighbours counts as much as nothing known of them; infinite: they
        do not count.
    """

    prior: float
    half_life: float = np.inf
    near: float = np.inf

    def __post_init__(self) -> None:
        for name in ("prior", "half_life", "near"):
            if not getattr(self, name) > 0:
                raise InputError(name, "be above 0", getattr(self, name))
        if np.isinf(self.prior):
            raise InputError("prior", "be finite", self.prior)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of each z before each year.

    Parameters
    ----------
    shape, rate : ndarray, shape (N, Y + 1)
        Of its gamma law: column t before year t, the last before the year after all.
    """

    shape: FloatArray
    rate: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean of z, shape (N, Y + 1)."""
        return np.asarray(self.shape / self.rate)


def filtered(
    failures: npt.ArrayLike, expected: npt.ArrayLike, memory: Memory, *, place: npt.ArrayLike | None = None
) -> Posterior:
    """Return what was known of each asset's multiplier before each year, by the years before it alone.

    Parameters
    ----------
    failures : array_like, shape (N, Y)
        How often each failed in each year.
    expected : array_like, shape (N, Y)
        How often one of its kind would have; 0 where it was not under watch.
    memory : Memory
        How much the past counts.
    place : array_like, shape (N,), optional
        Where each lies, such as its street; missing: it has no neighbours.

    Returns
    -------
    Posterior

    Raises
    ------
    InputError
        Shapes that differ, negative numbers.

    References
    ----------
    Bühlmann, H. and Gisler, A. (2005). A Course in Credibility Theory and its Applications. Springer.
    Harvey, A. C. and Fernandes, C. (1989). Time series models for count or qualitative observations. Journal of
    Business & Economic Statistics 7(4), 407-417.

    Examples
    --------
    >>> known = filtered([[0, 2]], [[0.5, 0.5]], Memory(prior=1.0))
    >>> known.mean.round(3).tolist()
    [[1.0, 0.667, 1.5]]
    """
    n, mu, code = _given(failures, expected, place)
    sums = _sums(n, mu, memory.half_life, code)
    return _posterior(sums, memory)


def choose(
    failures: npt.ArrayLike,
    expected: npt.ArrayLike,
    *,
    place: npt.ArrayLike | None = None,
    burn: int = 4,
    priors: Sequence[float] = PRIORS,
    half_lives: Sequence[float] = HALF_LIVES,
    nears: Sequence[float] = NEARS,
) -> tuple[Memory, pd.DataFrame]:
    """Choose the memory that would have foreseen each past year best from the years before it.

    The score is minus the logarithm of the probability that the negative binomial law gave to what came, summed over
    assets and years after the first `burn`.

    Parameters
    ----------
    failures, expected : array_like, shape (N, Y)
        As in `filtered`.
    place : array_like, shape (N,), optional
        As there.
    burn : int, default 4
        First years that are not scored: little was known before them.
    priors, half_lives, nears : sequence of float
        What is tried; without `place` no neighbours are.

    Returns
    -------
    (best, tried) : Memory, pandas.DataFrame
        `tried` has prior, half_life, near and score [nats], best first.

    Raises
    ------
    InputError
        No year is left to score, nothing to try.
    """
    n, mu, code = _given(failures, expected, place)
    first = checks.integer("burn", burn, minimum=1)
    if first >= n.shape[1]:
        raise InputError("burn", f"leave one of {n.shape[1]} years to score", first)
    for name, values in (("priors", priors), ("half_lives", half_lives), ("nears", nears)):
        if not len(values):
            raise InputError(name, "hold something to try", list(values))
    rows = []
    for half_life in half_lives:
        sums = _sums(n, mu, half_life, code)
        for prior, near in product(priors, nears if code is not None else (np.inf,)):
            memory = Memory(float(prior), float(half_life), float(near))
            known = _posterior(sums, memory)
            score = _score(n[:, first:], mu[:, first:], known.shape[:, first:-1], known.rate[:, first:-1])
            rows.append({"prior": memory.prior, "half_life": half_life, "near": near, "score": score})
    tried = pd.DataFrame(rows).sort_values("score", kind="stable", ignore_index=True)
    best = tried.iloc[0]
    return Memory(float(best["prior"]), float(best["half_life"]), float(best["near"])), tried


def _given(
    failures: npt.ArrayLike, expected: npt.ArrayLike, place: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64] | None]:
    n = checks.array("failures", failures, ndim=2, minimum=0)
    mu = checks.array("expected", expected, ndim=2, minimum=0)
    if n.shape != mu.shape:
        raise InputError("failures, expected", "have the same shape", (n.shape, mu.shape))
    if place is None:
        return n, mu, None
    code = pd.factorize(np.asarray(place, dtype=object))[0].astype(np.int64)
    checks.same_length(place=code, failures=n)
    return n, mu, code


def _sums(
    n: FloatArray, mu: FloatArray, half_life: float, code: npt.NDArray[np.int64] | None
) -> tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]:
    """Return forgotten sums of failures and expectations before each year, own and of the others at the place."""
    keep = 2.0 ** (-1 / half_life)
    own = np.zeros((2, len(n), n.shape[1] + 1))
    for t in range(n.shape[1]):
        own[0, :, t + 1] = keep * (own[0, :, t] + n[:, t])
        own[1, :, t + 1] = keep * (own[1, :, t] + mu[:, t])
    if code is None:
        return own[0], own[1], None, None
    others = np.zeros_like(own)
    for k, t in product(range(2), range(own.shape[2])):
        others[k, :, t] = np.bincount(code + 1, own[k, :, t])[code + 1] - own[k, :, t]
    others[:, code < 0] = 0.0
    return own[0], own[1], np.maximum(others[0], 0.0), np.maximum(others[1], 0.0)


def _posterior(sums: tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None], memory: Memory) -> Posterior:
    own_n, own_mu, near_n, near_mu = sums
    place: FloatArray | float = 1.0
    if near_n is not None and near_mu is not None and np.isfinite(memory.near):
        place = (memory.near + near_n) / (memory.near + near_mu)
    return Posterior(memory.prior * place + own_n, memory.prior + own_mu)


def _score(n: FloatArray, mu: FloatArray, shape: FloatArray, rate: FloatArray) -> float:
    """Return minus the log probability of `n`; nothing failed in most rows, whose part is cheap."""
    none = -shape * np.log1p(mu / rate)
    some = (n > 0) & (mu > 0)
    k, a, chance = n[some], shape[some], mu[some] / (rate[some] + mu[some])
    more = special.gammaln(a + k) - special.gammaln(a) - special.gammaln(k + 1) + k * np.log(chance)
    return float(-none.sum() - more.sum())
