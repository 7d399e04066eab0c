"""What rose this week: the counts of many types against what each had in the weeks before, with few false alarms.

Counts of a type are taken for negative binomial, with one mean over the last weeks. Given their sum, the count of one
week among b + 1 is beta-binomial whatever the mean: an exact test that knows how little b weeks say of a mean. How much
counts scatter beyond Poisson's law is estimated in the same way, without the means, each type leaning on all.
Legend: T weeks, K types.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from citylib import checks
from citylib.errors import InputError

__all__ = ["dispersion", "false_alarms", "reportable", "rose", "upper_tail"]

FloatArray = npt.NDArray[np.float64]
GRID = np.geomspace(1e-4, 10.0, 60)  # dispersions that are tried


def dispersion(counts_TK: npt.ArrayLike, *, weeks: int, lean: float = 10.0) -> FloatArray:
    """Return how much the counts of each type scatter beyond Poisson's law: variance is mean + a mean^2.

    Runs of ``weeks + 1`` weeks are each given a mean of their own, so that seasons do not count as scatter but what
    moves within a run does: the test has to live with that. a maximises the likelihood of the counts given the sum of
    their run, to which `lean` times the mean likelihood of all types is added.

    Parameters
    ----------
    counts_TK : array_like of int, shape (T, K)
        Past weeks, without the one to be judged.
    weeks : int
        Weeks that the test compares with, b.
    lean : float, default 10
        Weight of all types together against the one, in types.

    Returns
    -------
    ndarray, shape (K,)
        a, between 0.0001 and 10.

    Raises
    ------
    InputError
        Counts that are negative or not whole, or fewer weeks than one run.

    References
    ----------
    Robinson, M. D. and Smyth, G. K. (2008). Small-sample estimation of negative binomial dispersion, with applications
    to SAGE data. Biostatistics 9(2), 321-332.

    Examples
    --------
    >>> from citylib import seeds
    >>> draw = seeds.generator(0)
    >>> counts = draw.poisson(draw.gamma(5, 30 / 5, (90, 40)))
    >>> bool(0.15 < np.median(dispersion(counts, weeks=8)) < 0.25)
    True
    """
    y_TK = _counts(counts_TK)
    run = checks.integer("weeks", weeks, minimum=1) + 1
    lean = checks.number("lean", lean, minimum=0)
    if len(y_TK) < run:
        raise InputError("counts_TK", f"hold at least {run} weeks", len(y_TK))
    kept = y_TK[len(y_TK) % run :].reshape(-1, run, y_TK.shape[1])
    sums = kept.sum(axis=1)
    size = (1 / GRID)[:, None]
    likelihood = np.zeros((len(GRID), y_TK.shape[1]))
    for block, total in zip(kept, sums, strict=True):
        part = special.gammaln(block[None] + size[:, None]).sum(axis=1) - run * special.gammaln(size)
        likelihood += part + special.gammaln(run * size) - special.gammaln(total[None] + run * size)
    informed = sums.sum(axis=0) > 0
    shared = likelihood[:, informed].mean(axis=1, keepdims=True) if informed.any() else np.zeros((len(GRID), 1))
    best = (likelihood + lean * shared).argmax(axis=0)
    return np.asarray(GRID[best])


def upper_tail(count: int, total: int, *, weeks: int, dispersion: float) -> float:
    """Return the probability of `count` or more in one week, given the sum of it and of the weeks before.

    Parameters
    ----------
    count : int
        Of the week.
    total : int
        Of the week and of those before.
    weeks : int
        Weeks before, b.
    dispersion : float
        a, above zero; as it goes to zero the law goes to the binomial with chance 1 / (b + 1).

    Returns
    -------
    float

    Raises
    ------
    InputError
        A count above the sum it is part of, no weeks, a dispersion that is not above zero.

    Examples
    --------
    >>> from scipy import stats
    >>> ours = upper_tail(12, 52, weeks=8, dispersion=0.1)
    >>> bool(np.isclose(ours, stats.betabinom.sf(11, 52, 10, 80)))
    True
    """
    count, weeks = checks.integer("count", count, minimum=0), checks.integer("weeks", weeks, minimum=1)
    total, r = checks.integer("total", total, minimum=count), 1 / checks.number("dispersion", dispersion, above=0)
    if count == 0:
        return 1.0
    k = np.arange(count, total + 1)
    log = special.gammaln(total + 1) - special.gammaln(k + 1) - special.gammaln(total - k + 1)
    log += special.betaln(k + r, total - k + weeks * r) - special.betaln(r, weeks * r)
    return float(min(1.0, np.exp(log).sum()))


def rose(
    counts_TK: pd.DataFrame, *, weeks: int = 8, level: float = 0.05, dispersion: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Test for each type whether its count in the last week is more than the weeks before let expect.

    Parameters
    ----------
    counts_TK : DataFrame of int, shape (T, K)
        A row a week, in order, the last one judged; a column a type.
    weeks : int, default 8
        Weeks before it that it is compared with.
    level : float, default 0.05
        Types are reported so that, of those reported, at most this share is expected to be false (Benjamini and
        Hochberg); where nothing rose, that is the chance that a week reports anything at all.
    dispersion : array_like, shape (K,), optional
        By default from all weeks but the last, by `dispersion`.

    Returns
    -------
    pandas.DataFrame
        Index ``type``, the least likely first; columns ``count``, ``expected`` (mean of the weeks before),
        ``dispersion``, ``p_value`` (of so many or more), ``q_value`` (the smallest level at which it is reported),
        ``reported``.

    Raises
    ------
    InputError
        Counts that are negative or not whole, too few weeks, a dispersion that is not above zero.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> weekly = pd.DataFrame({"hole": [9, 11, 10, 8, 12, 9, 10, 11, 31], "lamp": [5, 4, 6, 5, 7, 4, 5, 6, 6]})
    >>> rose(weekly, dispersion=[0.01, 0.01])["reported"].to_dict()
    {'hole': True, 'lamp': False}
    """
    y_TK = _counts(counts_TK)
    weeks = checks.integer("weeks", weeks, minimum=1)
    level = checks.fraction("level", level)
    if len(y_TK) < weeks + 1:
        raise InputError("counts_TK", f"hold at least {weeks + 1} weeks", len(y_TK))
    scatter = _scatter(y_TK[:-1], weeks) if dispersion is None else checks.series("dispersion", dispersion)
    checks.same_length(types=np.empty(y_TK.shape[1]), dispersion=scatter)
    if (scatter <= 0).any():
        raise InputError("dispersion", "be above zero", float(scatter.min()))
    now, before = y_TK[-1], y_TK[-1 - weeks : -1].sum(axis=0)
    p_value = np.array(
        [
            upper_tail(int(y), int(y + b), weeks=weeks, dispersion=float(a))
            for y, b, a in zip(now, before, scatter, strict=True)
        ]
    )
    q_value = _adjusted(p_value)
    found = pd.DataFrame(
        {"count": now, "expected": before / weeks, "dispersion": scatter, "p_value": p_value, "q_value": q_value},
        index=pd.Index(counts_TK.columns, name="type"),
    )
    found["reported"] = found["q_value"] <= level
    return found.sort_values(["p_value", "count"], ascending=[True, False], kind="stable")


def false_alarms(
    mean_K: npt.ArrayLike,
    dispersion_K: npt.ArrayLike,
    *,
    history: int,
    generator: np.random.Generator,
    weeks: int = 8,
    level: float = 0.05,
    worlds: int = 200,
) -> tuple[float, float]:
    """Return how often `rose` reports anything in worlds where nothing rose, everything estimated afresh in each.

    Parameters
    ----------
    mean_K, dispersion_K : array_like, shape (K,)
        Of the counts of each type, the same in all weeks.
    history : int
        Weeks before the judged one from which the dispersion is estimated.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    weeks, level : int, float
        As in `rose`.
    worlds : int, default 200
        Worlds drawn.

    Returns
    -------
    (share, error) : float
        Share of the worlds with a false alarm, and its standard error.

    Raises
    ------
    InputError
        Means below zero, a dispersion not above zero, too few weeks or worlds.

    Examples
    --------
    >>> from citylib import seeds
    >>> share, _ = false_alarms([20.0] * 10, [0.1] * 10, history=36, generator=seeds.generator(0), worlds=100)
    >>> share <= 0.1
    True
    """
    mean, scatter = checks.series("mean_K", mean_K), checks.series("dispersion_K", dispersion_K)
    checks.same_length(mean_K=mean, dispersion_K=scatter)
    if (mean < 0).any() or (scatter <= 0).any():
        raise InputError("mean_K, dispersion_K", "be zero or more, and above zero", (mean.min(), scatter.min()))
    history = checks.integer("history", history, minimum=weeks + 1)
    worlds = checks.integer("worlds", worlds, minimum=10)
    names = [str(k) for k in range(len(mean))]
    alarms = 0
    for _ in range(worlds):
        rate = generator.gamma(1 / scatter, scatter, (history + 1, len(mean))) * mean
        drawn = pd.DataFrame(generator.poisson(rate), columns=names)
        alarms += bool(rose(drawn, weeks=weeks, level=level)["reported"].any())
    share = alarms / worlds
    return share, float(np.sqrt(max(share * (1 - share), 1 / worlds) / worlds))


def reportable(found: pd.DataFrame, *, weeks: int, level: float) -> pd.Series[int]:
    """Return for each type the smallest count that `rose` would have reported, other types as they are.

    It tells how much a type must rise to be seen: a rise below stays unseen, and no report is no proof of calm.

    Parameters
    ----------
    found : pandas.DataFrame
        From `rose`.
    weeks, level : int, float
        As given to it.

    Returns
    -------
    pandas.Series of int
        By type, in the order of `found`.
    """
    p_value = found["p_value"].to_numpy()
    least = []
    for k, (expected, scatter) in enumerate(zip(found["expected"], found["dispersion"], strict=True)):
        others, before = np.delete(p_value, k), round(expected * weeks)

        def above(count: float, others: FloatArray = others, before: int = before, scatter: float = scatter) -> float:
            y = int(count)
            p = upper_tail(y, y + before, weeks=weeks, dispersion=scatter)
            return float(_adjusted(np.append(others, p))[-1]) - level

        high = 1
        while above(high) > 0:
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if above(middle) <= 0 else (middle, high)
        least.append(high)
    return pd.Series(least, index=found.index, name="reportable")


def _scatter(past_TK: FloatArray, weeks: int) -> FloatArray:
    return dispersion(past_TK, weeks=weeks)


def _adjusted(p_value: FloatArray) -> FloatArray:
    """Return the smallest level at which each is reported by Benjamini and Hochberg's procedure."""
    order = np.argsort(p_value, kind="stable")
    scaled = p_value[order] * len(p_value) / np.arange(1, len(p_value) + 1)
    out = np.empty_like(scaled)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out


def _counts(counts_TK: npt.ArrayLike | pd.DataFrame) -> FloatArray:
    values = checks.matrix("counts_TK", counts_TK)
    if (values < 0).any() or (values != np.round(values)).any():
        raise InputError("counts_TK", "hold whole numbers from 0", float(values[(values < 0) | (values % 1 != 0)][0]))
    return values
