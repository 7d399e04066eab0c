"""How sure a mean loss is, or a difference of two: block bootstrap and Diebold-Mariano.

T time steps, N sensors. Losses of neighbouring hours resemble each other, so
hours cannot be drawn one by one: whole blocks of them are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["Interval", "Verdict", "block_bootstrap", "blocks", "diebold_mariano", "paired_bootstrap"]

FloatArray = npt.NDArray[np.float64]
CHUNK = 4_000_000  # numbers held at once while resampling


@dataclass(frozen=True)
class Interval:
    """An estimate with its bootstrap interval.

    Parameters
    ----------
    estimate : float
        The mean over what was scored.
    low, high : float
        Ends of the interval.
    level : float
        Coverage that it claims.
    block : int
        Steps in a block.
    blocks : int
        Blocks that it rests on, from `blocks`: whoever widens it uses Student's t with one degree of freedom less.
    """

    estimate: float
    low: float
    high: float
    level: float
    block: int
    blocks: int

    @property
    def ends(self) -> tuple[float, float]:
        """Return (low, high), as `citylib.results.record` takes it."""
        return self.low, self.high

    @property
    def excludes_zero(self) -> bool:
        """Whether zero lies outside: a difference that the data can tell from none."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Verdict:
    """Outcome of the Diebold-Mariano test.

    Parameters
    ----------
    difference : float
        Mean loss of the first minus that of the second; below zero the first is better.
    statistic : float
        Difference over its standard error.
    p_value : float
        Two-sided, of equal expected loss.
    standard_error : float
        Heteroskedasticity and autocorrelation consistent.
    """

    difference: float
    statistic: float
    p_value: float
    standard_error: float


def block_bootstrap(
    losses: npt.ArrayLike,
    *,
    block: int,
    generator: np.random.Generator,
    draws: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the mean of `losses` with an interval from a circular block bootstrap and Student's t.

    With s the standard deviation of the resampled means and B the number of blocks, the ends lie
    t sqrt(B / (B - 1)) s off the mean, t with B - 1 degrees of freedom. Percentiles of the resampled means would
    be too narrow where blocks are few: they scatter about the mean that was seen, by B - 1 parts in B of the
    variance, and take it as known (Hesterberg, 2015). Means of blocks that hardly depend on each other are as good
    as so many independent readings, and t keeps its level even where they vary unequally (Ibragimov and Müller, 2010).

    Parameters
    ----------
    losses : array_like, shape (T,) or (T, N)
        Loss at each step, such as absolute errors; NaN where nothing was scored. Blocks are
        runs of steps, with all sensors of a step together.
    block : int
        Steps in a block: at least as long as errors remember (24 for hourly traffic).
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    draws : int, default 2000
        Resamples, at least 100.
    level : float, default 0.95
        Coverage that the interval claims.

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        Nothing scored, or fewer than two blocks.

    References
    ----------
    Hesterberg, T. C. (2015). What teachers should know about the bootstrap. The American Statistician 69(4), 371-386.

    Ibragimov, R. and Müller, U. K. (2010). t-statistic based correlation and heterogeneity robust inference. Journal
    of Business and Economic Statistics 28(4), 453-468.

    Politis, D. N. and Romano, J. P. (1992). A circular block-resampling procedure for stationary
    data. In LePage and Billard (eds), Exploring the Limits of Bootstrap. Wiley.

    Examples
    --------
    >>> from citylib import seeds
    >>> found = block_bootstrap(np.arange(100.0) % 7, block=7, generator=seeds.generator(0))
    >>> found.low < found.estimate < found.high, found.blocks
    (True, 14)
    """
    values = _losses("losses", losses)
    block = checks.integer("block", block, minimum=1)
    draws = checks.integer("draws", draws, minimum=100)
    level = checks.fraction("level", level)
    number = blocks(values, block)
    if number < 2:
        read = int((~np.isnan(values)).any(axis=1).sum())
        raise InputError(
            "losses", f"hold at least two blocks of {block} steps", f"{len(values)} steps, of which {read} are scored"
        )
    counts = (~np.isnan(values)).sum(axis=1).astype(np.float64)
    sums = np.nansum(values, axis=1)
    means = _resampled(sums, counts, block, draws, generator)
    error = float(means.std()) * math.sqrt(number / (number - 1))
    reach = float(stats.t.ppf((1 + level) / 2, number - 1)) * error
    middle = float(sums.sum() / counts.sum())
    return Interval(middle, middle - reach, middle + reach, level, block, number)


def blocks(losses: npt.ArrayLike, block: int) -> int:
    """Return on how many blocks the mean of `losses` rests.

    With w the readings in each of the T circular runs of `block` steps, it is (sum w)^2 / (block sum w^2), rounded
    down: T / block where each step has as many, fewer where readings crowd into part of the time (the effective number
    of unequal weights of Kish, 1965).

    Parameters
    ----------
    losses : array_like, shape (T,) or (T, N)
        NaN where nothing was scored.
    block : int
        Steps in a block.

    Returns
    -------
    int
        0 where there is less than one.

    Raises
    ------
    InputError
        Nothing scored.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley.

    Examples
    --------
    >>> blocks(np.ones(31), 7), blocks([1.0, 1.0, np.nan, np.nan, np.nan, np.nan], 1)
    (4, 2)
    """
    values = _losses("losses", losses)
    block = checks.integer("block", block, minimum=1)
    if len(values) < block:
        return 0
    counts = (~np.isnan(values)).sum(axis=1).astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(np.concatenate([counts, counts[:block]]))])
    weight = total[block : block + len(counts)] - total[: len(counts)]
    return int(weight.sum() ** 2 / (weight @ weight) / block + 1e-9)  # whole numbers are not to be lost by rounding


def paired_bootstrap(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    block: int,
    generator: np.random.Generator,
    draws: int = 2000,
    level: float = 0.95,
) -> Interval:
    """Return the mean of `first` minus `second` with the interval of `block_bootstrap`.

    The two models meet the same hours in every resample, so hours that are hard for both cancel.

    Parameters
    ----------
    first, second : array_like, shape (T,) or (T, N)
        Losses of two models on the same steps, NaN in the same places.
    block, generator, draws, level
        As in `block_bootstrap`.

    Returns
    -------
    Interval
        Below zero: the first is better.

    Raises
    ------
    InputError
        Shapes that differ, or readings scored for one model only.
    """
    one, two = _pair(first, second)
    return block_bootstrap(one - two, block=block, generator=generator, draws=draws, level=level)


def diebold_mariano(first: npt.ArrayLike, second: npt.ArrayLike, *, lags: int) -> Verdict:
    """Test whether two forecasts have equal expected loss.

    With d the difference of losses and g_k its autocovariances, the variance of the mean of d is
    (g_0 + 2 sum_k (1 - k / (lags + 1)) g_k) / T: Bartlett weights (Newey and West, 1987), which
    cannot go below zero, with the factor T / (T - 1) of one estimated mean; Student's t with T - 1 degrees.

    Parameters
    ----------
    first, second : array_like, shape (T,)
        Losses, one per origin in order of time (for several steps ahead: their mean), none missing.
    lags : int
        Autocovariances used, 0 or more; for forecasts h steps ahead at least h - 1.

    Returns
    -------
    Verdict

    Raises
    ------
    InputError
        Fewer than lags + 2 differences, or all differences equal.

    References
    ----------
    Diebold, F. X. and Mariano, R. S. (1995). Comparing predictive accuracy. Journal of Business
    and Economic Statistics 13(3), 253-263.
    """
    lags = checks.integer("lags", lags, minimum=0)
    one = checks.series("first", first, at_least=lags + 2)
    two = checks.series("second", second, at_least=lags + 2)
    steps = checks.same_length(first=one, second=two)
    difference = one - two
    centred = difference - difference.mean()
    if not np.ptp(difference) > 0:
        raise InputError("first, second", "differ by more than a constant", f"{steps} equal differences")
    variance = centred @ centred
    for k in range(1, lags + 1):
        variance += 2 * (1 - k / (lags + 1)) * (centred[k:] @ centred[:-k])
    error = math.sqrt(variance / steps / (steps - 1))
    statistic = float(difference.mean()) / error
    return Verdict(float(difference.mean()), statistic, float(2 * stats.t.sf(abs(statistic), steps - 1)), error)


def _losses(argument: str, value: npt.ArrayLike) -> FloatArray:
    out = checks.array(argument, value, missing=True)
    if out.ndim not in (1, 2):
        raise InputError(argument, "have shape (steps,) or (steps, sensors)", out.shape)
    if np.isnan(out).all():
        raise InputError(argument, "hold at least one loss", f"{out.size} values, all missing")
    return out.reshape(len(out), -1)


def _pair(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, two = _losses("first", first), _losses("second", second)
    if one.shape != two.shape:
        raise InputError("first, second", "have the same shape", (one.shape, two.shape))
    apart = np.isnan(one) != np.isnan(two)
    if apart.any():
        raise InputError("first, second", "be scored on the same readings", f"{int(apart.sum())} scored for one only")
    return one, two


def _resampled(
    sums: FloatArray, counts: FloatArray, block: int, draws: int, generator: np.random.Generator
) -> FloatArray:
    """Means of circular block resamples of exactly T steps, by running totals: O(draws * T / block)."""
    steps = len(sums)
    totals = [np.concatenate([[0.0], np.cumsum(np.concatenate([x, x[: block - 1]]))]) for x in (sums, counts)]
    blocks = -(-steps // block)
    lengths = np.full(blocks, block)
    lengths[-1] = steps - block * (blocks - 1)
    means: list[FloatArray] = []
    at_once = max(1, CHUNK // blocks)
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        begin = generator.integers(0, steps, size=(rows, blocks))
        total, number = ((t[begin + lengths] - t[begin]).sum(axis=1) for t in totals)
        means.append(np.divide(total, number, out=np.full(rows, np.nan), where=number > 0))
    found = np.concatenate(means)
    return found[~np.isnan(found)]
