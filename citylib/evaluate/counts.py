"""Scores of forecasts that are whole distributions of counts: Poisson's, or the negative binomial's.

A distribution is given by its mean and its dispersion a: variance mean + a mean^2, and a = 0 is Poisson's. Arrays of
any shapes that broadcast. A count that is NaN is not scored; a forecast that is NaN where a count is read is refused.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from citylib import checks
from citylib.errors import InputError

__all__ = [
    "cdf", "log_score", "pit_histogram", "pmf", "quantile", "quantile_residuals", "ranked_probability_score",
    "rootogram",
]  # fmt: skip

FloatArray = npt.NDArray[np.float64]
FAINT = 1e-8  # dispersion times mean below which the law is Poisson's: rounding would do more harm
STEP, REACH = 0.1, 40.0  # of the trapezoid in log(tan(t / 2)), whose error is below rounding


def cdf(counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0) -> FloatArray:
    """Return the probability of at most so many; see `log_score` for the parameters."""
    y, mu, a = _given(counts, mean, dispersion)
    wide = a > 0
    with np.errstate(invalid="ignore"):
        size = 1 / np.where(wide, a, 1.0)
        return np.asarray(np.where(wide, stats.nbinom.cdf(y, size, size / (size + mu)), stats.poisson.cdf(y, mu)))


def pmf(counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0) -> FloatArray:
    """Return the probability of exactly so many; see `log_score` for the parameters."""
    y, mu, a = _given(counts, mean, dispersion)
    wide = a > 0
    with np.errstate(invalid="ignore"):
        size = 1 / np.where(wide, a, 1.0)
        return np.asarray(np.where(wide, stats.nbinom.pmf(y, size, size / (size + mu)), stats.poisson.pmf(y, mu)))


def quantile(level: float, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0) -> FloatArray:
    """Return the smallest count that is not exceeded with probability `level` or more.

    Parameters
    ----------
    level : float
        Between 0 and 1.
    mean, dispersion : array_like
        As in `log_score`; NaN gives NaN.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> quantile(0.95, [4.0, 4.0], dispersion=[0.0, 0.5]).tolist()
    [8.0, 11.0]
    """
    p = checks.fraction("level", level)
    _, mu, a = _given(np.nan, mean, dispersion)
    wide = a > 0
    size = 1 / np.where(wide, a, 1.0)
    return np.asarray(np.where(wide, stats.nbinom.ppf(p, size, size / (size + mu)), stats.poisson.ppf(p, mu)))


def log_score(counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0) -> FloatArray:
    """Return minus the logarithm of the probability that was given to what came, in nats; lower is better.

    Parameters
    ----------
    counts : array_like
        What came; NaN where nothing was read.
    mean : array_like
        Of the forecast distribution, above zero.
    dispersion : array_like, default 0
        Its a, 0 or more.

    Returns
    -------
    ndarray
        NaN where nothing was read.

    Raises
    ------
    InputError
        Counts that are negative or not whole, means not above zero, a forecast missing where a count is read.

    References
    ----------
    Czado, C., Gneiting, T. and Held, L. (2009). Predictive model assessment for count data. Biometrics 65(4),
    1254-1261.

    Examples
    --------
    >>> log_score([0, 2], 1.0).round(4).tolist()
    [1.0, 1.6931]
    """
    y, mu, a = _given(counts, mean, dispersion, scored=True)
    wide = a > 0
    with np.errstate(invalid="ignore"):
        size = 1 / np.where(wide, a, 1.0)
        return np.asarray(
            -np.where(wide, stats.nbinom.logpmf(y, size, size / (size + mu)), stats.poisson.logpmf(y, mu))
        )


def ranked_probability_score(
    counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0
) -> FloatArray:
    """Return sum over k of (F(k) - [y <= k])^2 = E|X - y| - E|X - X'| / 2, in counts; lower is better.

    It is the absolute error of a forecast that is one number, so the two may be compared. E|X - y| follows from the
    distribution functions; E|X - X'| is (1/pi) times the integral of (1 - |phi(t)|^2) / (1 - cos t) over 0 to pi, with
    phi the characteristic function, by the trapezoid rule in log tan(t/2), exact to rounding.

    Parameters
    ----------
    counts, mean, dispersion : array_like
        As in `log_score`.

    Returns
    -------
    ndarray
        NaN where nothing was read.

    Raises
    ------
    InputError
        As `log_score` does.

    References
    ----------
    Czado, C., Gneiting, T. and Held, L. (2009). Predictive model assessment for count data. Biometrics 65(4),
    1254-1261.
    Jordan, A., Krueger, F. and Lerch, S. (2019). Evaluating probabilistic forecasts with scoringRules. Journal of
    Statistical Software 90(12).

    Examples
    --------
    >>> by_sum = sum((stats.poisson.cdf(k, 3.0) - (k >= 5)) ** 2 for k in range(60))
    >>> round(float(ranked_probability_score(5, 3.0)), 10) == round(float(by_sum), 10)
    True
    """
    y, mu, a = _given(counts, mean, dispersion, scored=True)
    wide = a > 0
    size = 1 / np.where(wide, a, 1.0)
    chance = size / (size + mu)
    with np.errstate(invalid="ignore"):
        whole = np.where(wide, stats.nbinom.cdf(y, size, chance), stats.poisson.cdf(y, mu))
        part = np.where(wide, stats.nbinom.cdf(y - 1, size + 1, chance), stats.poisson.cdf(y - 1, mu))
    apart = y * (2 * whole - 1) - mu * (2 * part - 1)
    return np.asarray(apart - _mean_difference(mu, a) / 2)


def pit_histogram(
    counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0, bins: int = 10
) -> FloatArray:
    """Return the shares of the probability integral transform in equal bins, shape (bins,).

    All are 1 / bins if the forecast is calibrated. A count spreads its weight evenly from F(y - 1) to F(y), so nothing
    is drawn at random. A U says that the forecast is too narrow, a hill that it is too wide, a slope that it is biased.

    Parameters
    ----------
    counts, mean, dispersion : array_like
        As in `log_score`.
    bins : int, default 10
        Number of bins.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> pit_histogram([0.0], 1e-9, bins=2).round(3).tolist()
    [0.5, 0.5]
    """
    y, mu, a = _given(counts, mean, dispersion, scored=True)
    number = checks.integer("bins", bins, minimum=2)
    read = ~np.isnan(y)
    if not read.any():
        raise InputError("counts", "hold at least one count", f"{y.size} values, all missing")
    high = cdf(y[read], mu[read], dispersion=a[read])
    low = np.where(y[read] > 0, cdf(np.maximum(y[read] - 1, 0), mu[read], dispersion=a[read]), 0.0)
    edges = np.arange(number + 1)[:, None] / number
    width = np.maximum(high - low, 1e-300)
    reached = np.clip((edges - low) / width, 0.0, 1.0).mean(axis=1)
    return np.asarray(np.diff(reached))


def quantile_residuals(
    counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0, generator: np.random.Generator
) -> FloatArray:
    """Return residuals that are standard normal if the distribution is true, whatever the mean.

    A number drawn between F(y - 1) and F(y) is uniform; the residual is its normal quantile.

    Parameters
    ----------
    counts, mean, dispersion : array_like
        As in `log_score`.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.

    Returns
    -------
    ndarray
        NaN where nothing was read.

    References
    ----------
    Dunn, P. K. and Smyth, G. K. (1996). Randomized quantile residuals. Journal of Computational and Graphical
    Statistics 5(3), 236-244.
    """
    y, mu, a = _given(counts, mean, dispersion, scored=True)
    high = cdf(y, mu, dispersion=a)
    low = np.where(y > 0, cdf(np.where(y > 0, y - 1, y), mu, dispersion=a), 0.0)
    drawn = low + generator.random(y.shape) * (high - low)
    return np.asarray(stats.norm.ppf(np.clip(drawn, 1e-300, 1 - 1e-16)))


def rootogram(
    counts: npt.ArrayLike, mean: npt.ArrayLike, *, dispersion: npt.ArrayLike = 0.0, most: int = 20
) -> pd.DataFrame:
    """Return how often each count was read and how often it was to be expected.

    Parameters
    ----------
    counts, mean, dispersion : array_like
        As in `log_score`.
    most : int, default 20
        Last row: so many or more.

    Returns
    -------
    pandas.DataFrame
        Index ``count``; columns ``read``, ``expected``, and ``sd``, the standard deviation of what is read if the
        distributions are true and rows independent.

    References
    ----------
    Kleiber, C. and Zeileis, A. (2016). Visualizing count data regressions using rootograms. The American Statistician
    70(3), 296-303.

    Examples
    --------
    >>> rootogram([0, 0, 1, 5], 1.0, most=2).round(3)["expected"].tolist()
    [1.472, 1.472, 1.057]
    """
    y, mu, a = _given(counts, mean, dispersion, scored=True)
    last = checks.integer("most", most, minimum=1)
    read = ~np.isnan(y)
    y, mu, a = y[read], mu[read], a[read]
    rows = []
    left = np.ones(y.shape)
    for k in range(last):
        chance = pmf(np.full(y.shape, float(k)), mu, dispersion=a)
        left = left - chance
        rows.append({"count": k, "read": int((y == k).sum()), "expected": chance.sum(), "sd": _sd(chance)})
    left = np.clip(left, 0.0, 1.0)
    rows.append({"count": last, "read": int((y >= last).sum()), "expected": left.sum(), "sd": _sd(left)})
    return pd.DataFrame(rows).set_index("count")


def _sd(chance: FloatArray) -> float:
    return float(np.sqrt((chance * (1 - chance)).sum()))


def _given(
    counts: npt.ArrayLike, mean: npt.ArrayLike, dispersion: npt.ArrayLike, *, scored: bool = False
) -> tuple[FloatArray, FloatArray, FloatArray]:
    named = {"counts": counts, "mean": mean, "dispersion": dispersion}
    arrays = {name: checks.array(name, value, missing=True) for name, value in named.items()}
    try:
        y, mu, a = np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = tuple(v.shape for v in arrays.values())
        raise InputError("counts, mean, dispersion", "have shapes that fit", shapes) from None
    odd = (y < 0) | (~np.isnan(y) & (y != np.round(y)))
    if odd.any():
        raise InputError("counts", "be whole numbers from 0", f"{y[odd][0]:g}")
    if (mu <= 0).any():
        raise InputError("mean", "be above zero", f"{mu[mu <= 0][0]:g}")
    if (a < 0).any():
        raise InputError("dispersion", "be 0 or more", f"{a[a < 0][0]:g}")
    silent = ~np.isnan(y) & (np.isnan(mu) | np.isnan(a))
    if scored and silent.any():
        raise InputError("mean, dispersion", "be numbers wherever a count is read", f"{int(silent.sum())} NaN")
    with np.errstate(invalid="ignore"):
        return y, mu, np.where(a * mu > FAINT, a, 0.0 * a)


def _mean_difference(mu: FloatArray, a: FloatArray) -> FloatArray:
    """Return E|X - X'| of two independent draws."""
    out = np.asarray(2 * mu * (special.ive(0, 2 * mu) + special.ive(1, 2 * mu)))
    wide = (a > 0) & ~np.isnan(mu)
    if wide.any():
        pairs, back = np.unique(np.column_stack([mu[wide], a[wide]]), axis=0, return_inverse=True)
        means, spreads = pairs.T
        variance = means * (1 + spreads * means)
        total = np.zeros(len(pairs))
        reach = REACH + np.log(1 + variance.max()) / 2
        for at in np.arange(-reach, REACH, STEP):
            v = np.exp(at)
            # |phi|^2 = (1 + 2 a variance (1 - cos t))^(-1/a) with 1 - cos t = 2 v^2 / (1 + v^2)
            square = np.log1p(4 * spreads * variance * v**2 / (1 + v**2)) / spreads
            total -= np.expm1(-square) / v
        out[wide] = (total * STEP / np.pi)[back.reshape(-1)]
    return np.asarray(out)
