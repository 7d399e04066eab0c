"""Scores of predicted classes and of predicted probabilities.

Legend: n cases, K classes. Class labels may be numbers or text.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from citylib import checks
from citylib.errors import InputError

__all__ = ["accuracy", "auc", "brier", "confusion", "log_loss", "macro_f1"]

FloatArray = npt.NDArray[np.float64]


def accuracy(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of cases whose class was predicted, 0 to 1.

    Examples
    --------
    >>> accuracy(["work", "rest", "work"], ["work", "work", "work"])
    0.6666666666666666
    """
    truth, guess = _labels(actual, predicted)
    return float((truth == guess).mean())


def confusion(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> pd.DataFrame:
    """Return how often each class (down) was predicted as each (across), classes sorted.

    Examples
    --------
    >>> confusion(["work", "rest", "work"], ["work", "work", "work"]).loc["rest", "work"].item()
    1
    """
    truth, guess = _labels(actual, predicted)
    names = np.union1d(truth, guess)
    rows, columns = np.searchsorted(names, truth), np.searchsorted(names, guess)
    counts = np.bincount(rows * len(names) + columns, minlength=len(names) ** 2).reshape(len(names), len(names))
    return pd.DataFrame(counts, index=pd.Index(names, name="actual"), columns=pd.Index(names, name="predicted"))


def macro_f1(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean over classes of F1, so that a rare class counts as much as a common one.

    A class that occurs nowhere and is never predicted is not in the mean; one that is never hit scores 0.
    """
    counts = confusion(actual, predicted).to_numpy()
    hits = np.diag(counts)
    return float((2 * hits / (counts.sum(axis=0) + counts.sum(axis=1))).mean())


def auc(actual: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the probability that a case that happened scores above one that did not, ties counting half.

    Parameters
    ----------
    actual : array_like of bool, shape (n,)
        Whether it happened.
    score : array_like, shape (n,)
        Higher where it was thought more likely.

    Returns
    -------
    float
        The area under the ROC curve, 0 to 1; 0.5 says the score knows nothing.

    Raises
    ------
    InputError
        All cases happened, or none did.

    Examples
    --------
    >>> auc([True, False, False], [0.9, 0.9, 0.1])
    0.75
    """
    truth, value = checks.binary("actual", actual), checks.series("score", score)
    count = checks.same_length(actual=truth, score=value)
    positive = int(truth.sum())
    if positive in (0, count):
        raise InputError("actual", "hold cases that happened and cases that did not", f"{positive} of {count} happened")
    ranks = stats.rankdata(value)
    return float((ranks[truth].sum() - positive * (positive + 1) / 2) / (positive * (count - positive)))


def brier(actual: npt.ArrayLike, probability: npt.ArrayLike) -> FloatArray:
    """Return the squared distance of each probability from what happened, shape (n,); its mean is the Brier score.

    The scores of single cases are returned, not their mean, so that they can be resampled in
    blocks or by cluster: `citylib.evaluate.compare.block_bootstrap`.

    Parameters
    ----------
    actual : array_like of bool, shape (n,)
        Whether it happened.
    probability : array_like, shape (n,)
        Forecast probability that it would, 0 to 1.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78(1), 1-3.

    Examples
    --------
    >>> brier([True, False], [0.5, 0.0]).tolist()
    [0.25, 0.0]
    """
    truth, chance = _probabilities(actual, probability)
    return (chance - truth) ** 2


def log_loss(actual: npt.ArrayLike, probability: npt.ArrayLike) -> FloatArray:
    """Return minus the log of the probability given to what happened, shape (n,); see `brier`.

    Raises
    ------
    InputError
        Something happened that was given the probability 0: no finite loss.

    Examples
    --------
    >>> log_loss([True], [0.5]).round(4).tolist()
    [0.6931]
    """
    truth, chance = _probabilities(actual, probability)
    given = np.where(truth, chance, 1 - chance)
    if (given == 0).any():
        rule = "leave a chance to whatever happened"
        raise InputError("probability", rule, f"{int((given == 0).sum())} cases given 0, first at {given.argmin()}")
    return -np.log(given)


def _labels(actual: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
    truth, guess = np.asarray(actual), np.asarray(predicted)
    if checks.same_length(actual=truth, predicted=guess) == 0:
        raise InputError("actual", "hold at least one case", 0)
    if (truth.dtype.kind in "US") != (guess.dtype.kind in "US"):
        raise InputError("predicted", f"be labels like those of actual ({truth.dtype})", guess.dtype)
    return truth, guess


def _probabilities(actual: npt.ArrayLike, probability: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    truth = checks.binary("actual", actual)
    chance = checks.array("probability", probability, minimum=0)
    if (chance > 1).any():
        raise InputError("probability", "be at most 1", f"{chance.max():g}")
    if truth.shape != chance.shape:
        raise InputError("actual, probability", "have the same shape", (truth.shape, chance.shape))
    return truth, chance
