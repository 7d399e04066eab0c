"""How many failures a ranking finds in the part of the network that can be looked at, and how sure that is.

Assets are taken in the order of their score until their length reaches a share of all; what is caught is the share of
the failures that came. Intervals draw assets: failures of one asset belong together.
Legend: N assets, R rounds (forecasts made at different times), D draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError, UnknownNameError

__all__ = ["Round", "by_expected", "compare", "curve", "unseen_bounds"]

FloatArray = npt.NDArray[np.float64]
CHUNK = 50  # draws in work at a time, which bounds memory


@dataclass(frozen=True, eq=False)
class Round:
    """A forecast and what came.

    Parameters
    ----------
    scores : mapping of str to array_like, shape (N,)
        What each rule goes by, highest first.
    length : array_like, shape (N,)
        Of each asset, above 0 [m].
    came : array_like, shape (N,)
        Failures of each after the forecast.
    there : array_like of bool, shape (N,), optional
        Which assets there were to rank; None: all.
    """

    scores: Mapping[str, npt.ArrayLike]
    length: npt.ArrayLike
    came: npt.ArrayLike
    there: npt.ArrayLike | None = None


def curve(
    score: npt.ArrayLike, length: npt.ArrayLike, came: npt.ArrayLike, *, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the share of the length taken and of the failures found, asset by asset from the highest score.

    Parameters
    ----------
    score, length, came : array_like, shape (N,)
        As in `Round`.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`; draws the order of equal scores.

    Returns
    -------
    (taken, found) : ndarray, shape (N + 1,)
        From 0 to 1 both.

    Examples
    --------
    >>> taken, found = curve([3, 2, 1], [50, 30, 20], [1, 0, 1], generator=np.random.default_rng(0))
    >>> taken.tolist(), found.tolist()
    ([0.0, 0.5, 0.8, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    s, metres, hits, _ = _given({"score": score}, length, came, None)
    order = np.lexsort((generator.random(len(metres)), -s["score"]))
    taken = np.append(0.0, np.cumsum(metres[order]))
    found = np.append(0.0, np.cumsum(hits[order]))
    return taken / taken[-1], found / found[-1]


def compare(
    rounds: Sequence[Round],
    *,
    baseline: str,
    generator: np.random.Generator,
    tops: Sequence[float] = (0.05, 0.1),
    draws: int = 1000,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return what each rule catches in all rounds together, and how much more than the baseline.

    Parameters
    ----------
    rounds : sequence of Round
        Of the same assets and rules; a draw takes the same assets in all of them.
    baseline : str
        The rule that the others are held against.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`; draws assets, and the order of equal scores.
    tops : sequence of float
        Shares of the length that can be looked at.
    draws : int, default 1000
        Draws of assets, at least 100.
    level : float, default 0.95
        Coverage that intervals claim.

    Returns
    -------
    pandas.DataFrame
        A row a rule and share: rule, top, caught, low, high, minus_baseline, difference_low, difference_high.

    Raises
    ------
    InputError
        No round, rounds of other rules, no failure that came, lengths not above 0, scores missing.
    UnknownNameError
        The baseline is no rule.

    Examples
    --------
    >>> one = Round({"good": [2, 1, 0, 0], "bad": [0, 0, 1, 2]}, [1, 1, 1, 1], [5, 3, 1, 1])
    >>> found = compare([one], baseline="bad", generator=np.random.default_rng(0), tops=[0.5], draws=100)
    >>> found[["rule", "caught", "minus_baseline"]].round(2).values.tolist()
    [['good', 0.8, 0.6], ['bad', 0.2, 0.0]]
    """
    shares = np.sort(checks.array("tops", list(tops), ndim=1, at_least=1))
    for share in shares:
        checks.fraction("tops", float(share))
    count, half = checks.integer("draws", draws, minimum=100), (1 - checks.fraction("level", level)) / 2
    if not rounds:
        raise InputError("rounds", "hold at least one", 0)
    given = [_given(r.scores, r.length, r.came, r.there) for r in rounds]
    if baseline not in given[0][0]:
        raise UnknownNameError("baseline", baseline, list(given[0][0]))
    size = len(given[0][1])
    weight = np.ones((count + 1, size), dtype=np.int16)
    for draw in range(1, count + 1):
        weight[draw] = np.bincount(generator.integers(0, size, size), minlength=size)
    rules = list(given[0][0])
    hits, total = np.zeros((len(rules), len(shares), count + 1)), np.zeros(count + 1)
    for scores, metres, came, there in given:
        checks.same_length(length_of_the_first=given[0][1], length_of_another=metres)
        if set(scores) != set(rules):
            raise InputError("rounds", f"have the same rules, {', '.join(rules)}", ", ".join(scores))
        luck = generator.random(size)[there]
        broken = np.flatnonzero(there & (came > 0))  # few: the draws of all assets at once would fill the memory
        total += weight[:, broken] @ came[broken]
        for k, rule in enumerate(rules):
            order = np.flatnonzero(there)[np.lexsort((luck, -scores[rule][there]))]
            hits[k] += _hits(weight, order, metres, came, shares)
    caught = hits / np.maximum(total, 1.0)
    less = caught - caught[rules.index(baseline)]
    rows = []
    for k, rule in enumerate(rules):
        for j, share in enumerate(shares):
            low, high = np.quantile(caught[k, j, 1:], [half, 1 - half])
            row = {"rule": rule, "top": float(share), "caught": caught[k, j, 0], "low": low, "high": high}
            low, high = np.quantile(less[k, j, 1:], [half, 1 - half])
            rows.append(row | {"minus_baseline": less[k, j, 0], "difference_low": low, "difference_high": high})
    return pd.DataFrame(rows)


def by_expected(expected: npt.ArrayLike, came: npt.ArrayLike, *, groups: int = 10, level: float = 0.95) -> pd.DataFrame:
    """Return failures expected and failures that came, in groups of equally many assets from the least expected up.

    Parameters
    ----------
    expected, came : array_like, shape (N,)
        Of each asset.
    groups : int, default 10
        How many.
    level : float, default 0.95
        Coverage that the intervals claim, if counts are Poisson.

    Returns
    -------
    pandas.DataFrame
        group (from 1), assets, expected, came, low, high: the means of a Poisson count between which `came` is not
        surprising.

    References
    ----------
    Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28(3/4), 437-442.

    Examples
    --------
    >>> by_expected([0.1, 0.2, 1.0, 3.0], [0, 0, 1, 3], groups=2)[["expected", "came"]].round(1).values.tolist()
    [[0.3, 0.0], [4.0, 4.0]]
    """
    mean = checks.array("expected", expected, ndim=1, at_least=1, minimum=0)
    seen = checks.array("came", came, ndim=1, minimum=0)
    checks.same_length(expected=mean, came=seen)
    number = checks.integer("groups", groups, minimum=2, maximum=len(mean))
    half = (1 - checks.fraction("level", level)) / 2
    rows = []
    for k, part in enumerate(np.array_split(np.argsort(mean, kind="stable"), number)):
        count = seen[part].sum()
        low, high = stats.gamma.ppf(half, count) if count else 0.0, stats.gamma.ppf(1 - half, count + 1)
        rows.append((k + 1, len(part), mean[part].sum(), count, low, high))
    return pd.DataFrame(rows, columns=["group", "assets", "expected", "came", "low", "high"])


def unseen_bounds(caught: float, seen: int, unseen: int) -> tuple[float, float]:
    """Return between what the share caught would lie, had failures of assets that are gone been counted too.

    Assets that were removed before the inventory was made can be ranked by no rule. Taken is that the list of those
    that are there stays as it is, so that what it catches of their failures does too. Then at worst none of the others
    had been caught, at best all. Had the assets that are gone stood on the same list and used up part of its length,
    fewer of the failures seen would have been caught, and the lower bound would be lower.

    Parameters
    ----------
    caught : float
        Share of the failures seen that was caught.
    seen, unseen : int
        Failures of assets in the inventory, and of assets that are gone.

    Returns
    -------
    (low, high) : float

    References
    ----------
    Manski, C. F. (1989). Anatomy of the selection problem. Journal of Human Resources 24(3), 343-360.

    Examples
    --------
    >>> unseen_bounds(0.5, 80, 20)
    (0.4, 0.6)
    """
    share = checks.fraction("caught", caught, closed=True)
    known, gone = checks.integer("seen", seen, minimum=1), checks.integer("unseen", unseen, minimum=0)
    return share * known / (known + gone), (share * known + gone) / (known + gone)


def _given(
    scores: Mapping[str, npt.ArrayLike], length: npt.ArrayLike, came: npt.ArrayLike, there: npt.ArrayLike | None
) -> tuple[dict[str, FloatArray], FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    metres, hits = checks.series("length", length), checks.series("came", came)
    held = {str(rule): checks.series(str(rule), score) for rule, score in scores.items()}
    present = np.ones(len(metres), dtype=bool) if there is None else checks.binary("there", there)
    checks.same_length(length=metres, came=hits, there=present, **held)
    if (metres <= 0).any():
        raise InputError("length", "be above 0", f"{int((metres <= 0).sum())} that are not")
    if not hits[present].sum() > 0 or (hits < 0).any():
        raise InputError("came", "hold a failure, and none below 0", float(hits[present].sum()))
    return held, metres, hits, present


def _hits(
    weight: npt.NDArray[np.int16],
    order: npt.NDArray[np.intp],
    length: FloatArray,
    came: FloatArray,
    shares: FloatArray,
) -> FloatArray:
    """Return failures found within each share of the length in each draw, shape (shares, D + 1)."""
    metres, hits, out = length[order], came[order], np.empty((len(shares), len(weight)))
    for start in range(0, len(weight), CHUNK):
        drawn = weight[start : start + CHUNK, order]
        taken = np.cumsum(drawn * metres, axis=1)
        found = np.column_stack([np.zeros(len(drawn)), np.cumsum(drawn * hits, axis=1)])
        for j, share in enumerate(shares):
            last = (taken <= share * taken[:, -1:] * (1 + 1e-12)).sum(axis=1)
            out[j, start : start + CHUNK] = found[np.arange(len(drawn)), last]
    return out
