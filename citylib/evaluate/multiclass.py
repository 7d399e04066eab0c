"""Scores of probabilities of several classes, and their calibration.

Cases may be weighted, so that all scores can be worked out again for whole blocks of time drawn with replacement.

Legend: n cases, K classes, numbered 0 to K - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
from scipy import optimize

from citylib import checks
from citylib.errors import InputError

__all__ = ["LEANS", "Scored", "favouring", "lean", "temperature", "tempered"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BINS = 15
LEANS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LIKELIEST = cast("IntArray", None)


@dataclass(frozen=True, eq=False)
class Scored:
    """Probabilities of classes and what came, ready to be scored, as they are or with weights.

    Parameters
    ----------
    actual : array_like of int, shape (n,)
        Class of each case, 0 to K - 1.
    probability : array_like, shape (n, K)
        Of each class; rows add up to 1.
    predicted : array_like of int, shape (n,), optional
        Class said; by default the likeliest.

    Raises
    ------
    InputError
        Probabilities that do not add up to 1 or are below 0, classes outside 0 to K - 1, no cases.

    Examples
    --------
    >>> Scored([0, 1], [[0.8, 0.2], [0.6, 0.4]]).scores()["accuracy"]
    0.5
    """

    actual: IntArray
    probability: FloatArray
    predicted: IntArray = _LIKELIEST
    _said: FloatArray = field(init=False, repr=False)  # probability of the class said
    _bin: IntArray = field(init=False, repr=False)  # of that probability
    _order: IntArray = field(init=False, repr=False)  # cases by the probability of each class, shape (n, K)
    _last: list[IntArray] = field(init=False, repr=False)  # the last of equal ones, in that order

    def __post_init__(self) -> None:
        chance = checks.matrix("probability", self.probability)
        truth = _classes("actual", self.actual, chance)
        guess = chance.argmax(axis=1) if self.predicted is None else _classes("predicted", self.predicted, chance)
        if (chance < 0).any() or np.abs(chance.sum(axis=1) - 1).max() > 1e-6:
            worst = int(np.abs(chance.sum(axis=1) - 1).argmax())
            raise InputError("probability", "be 0 or more and add up to 1 in each row", chance[worst].tolist())
        said = chance[np.arange(len(chance)), guess]
        order = np.argsort(chance, axis=0, kind="stable")
        ordered = np.take_along_axis(chance, order, axis=0)
        last = [np.flatnonzero(np.append(column[1:] != column[:-1], True)) for column in ordered.T]
        place = _bins(said)
        for name, value in (
            ("actual", truth), ("probability", chance), ("predicted", guess), ("_said", said),
            ("_order", order), ("_last", last), ("_bin", place),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def classes(self) -> int:
        """Number of classes K."""
        return int(self.probability.shape[1])

    def confusion(self, weight: npt.ArrayLike | None = None) -> FloatArray:
        """Return how often each class (down) was said to be each (across), shape (K, K)."""
        cell = self.actual * self.classes + self.predicted
        counts = np.bincount(cell, self._weight(weight), self.classes**2).astype(np.float64)
        return counts.reshape(self.classes, self.classes)

    def recall(self, weight: npt.ArrayLike | None = None) -> FloatArray:
        """Return the share of each class that was recognised, shape (K,); NaN for a class that did not come."""
        table = self.confusion(weight)
        total = table.sum(axis=1)
        share: FloatArray = np.divide(np.diag(table), total, out=np.full(self.classes, np.nan), where=total > 0)
        return share

    def macro_f1(self, weight: npt.ArrayLike | None = None) -> float:
        """Return the mean over classes of F1; see `citylib.evaluate.classification.macro_f1`."""
        table = self.confusion(weight)
        both = table.sum(axis=0) + table.sum(axis=1)
        return float((2 * np.diag(table)[both > 0] / both[both > 0]).mean())

    def auc(self, weight: npt.ArrayLike | None = None) -> FloatArray:
        """Return, for each class against the rest, the area under the ROC curve, shape (K,); ties count half.

        It is NaN for a class that did not come, or alone came.
        """
        weights = self._weight(weight)
        found = np.full(self.classes, np.nan)
        for k in range(self.classes):
            order, last = self._order[:, k], self._last[k]
            mass, hit = weights[order], (self.actual == k)[order]
            good, bad = (np.diff(np.cumsum(mass * is_so)[last], prepend=0.0) for is_so in (hit, ~hit))
            if good.sum() > 0 and bad.sum() > 0:
                found[k] = good @ (np.cumsum(bad) - bad / 2) / (good.sum() * bad.sum())
        return found

    def calibration_error(self, weight: npt.ArrayLike | None = None) -> float:
        """Return the mean distance between the confidence in the class said and the share of hits, over 15 bins.

        The expected calibration error of Guo et al. (2017), with bins of about equally many cases.
        """
        weights = self._weight(weight)
        off = np.bincount(self._bin, weights * (self._said - (self.actual == self.predicted)))
        return float(np.abs(off).sum() / weights.sum())

    def log_loss(self, weight: npt.ArrayLike | None = None) -> float:
        """Return the mean of minus the log of the probability given to what came, in nats.

        Raises
        ------
        InputError
            Something came that was given the probability 0.
        """
        given = self.probability[np.arange(len(self.actual)), self.actual]
        if (given <= 0).any():
            raise InputError(
                "probability", "leave a chance to whatever came", f"{int((given <= 0).sum())} cases given 0"
            )
        weights = self._weight(weight)
        return float(-(weights @ np.log(given)) / weights.sum())

    def scores(self, weight: npt.ArrayLike | None = None) -> dict[str, float]:
        """Return accuracy, macro F1, mean AUC and recall over classes, log loss (where finite), calibration error."""
        weights = self._weight(weight)
        found = {
            "accuracy": float(weights @ (self.actual == self.predicted) / weights.sum()),
            "macro_f1": self.macro_f1(weights),
            "recall": float(np.nanmean(self.recall(weights))),
            "auc": float(np.nanmean(self.auc(weights))),
            "calibration_error": self.calibration_error(weights),
        }
        if (self.probability[np.arange(len(self.actual)), self.actual] > 0).all():
            found["log_loss"] = self.log_loss(weights)
        return found

    def _weight(self, weight: npt.ArrayLike | None) -> FloatArray:
        if weight is None:
            return np.ones(len(self.actual))
        found = checks.array("weight", weight, ndim=1, minimum=0.0)
        checks.same_length(weight=found, actual=self.actual)
        if not found.sum() > 0:
            raise InputError("weight", "be above 0 somewhere", 0)
        return found


def favouring(probability: npt.ArrayLike, frequency: npt.ArrayLike, *, lean: float) -> IntArray:
    """Return the class to say when rare ones count as much as common ones: the one with the largest p_k / f_k^a.

    The probabilities stay what they are; only what is said leans to the rare. With a = 0 it is the likeliest class,
    with a = 1 the one whose probability is raised most over what it is without any knowledge.

    Parameters
    ----------
    probability : array_like, shape (n, K)
        Of each class.
    frequency : array_like, shape (K,)
        How often each occurs in what was learned from, above 0.
    lean : float
        The power a, 0 or more.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    InputError
        Frequencies that are not above 0, or not one a class.

    Examples
    --------
    >>> [favouring([[0.7, 0.3]], [0.9, 0.1], lean=a).tolist() for a in (0.0, 1.0)]
    [[0], [1]]
    """
    chance, often = checks.matrix("probability", probability), checks.series("frequency", frequency)
    if len(often) != chance.shape[1] or not (often > 0).all():
        raise InputError("frequency", f"hold {chance.shape[1]} numbers above 0", often.tolist())
    return np.asarray((chance / often ** checks.number("lean", lean, minimum=0)).argmax(axis=1), dtype=np.int64)


def lean(
    actual: npt.ArrayLike, probability: npt.ArrayLike, frequency: npt.ArrayLike, *, tried: Sequence[float] = LEANS
) -> float:
    """Return the lean of `favouring` with the highest macro F1, on data that the model was not fitted on.

    Parameters
    ----------
    actual : array_like of int, shape (n,)
        Classes.
    probability : array_like, shape (n, K)
        Of each class.
    frequency : array_like, shape (K,)
        As in `favouring`.
    tried : sequence of float, default (0, 0.25, 0.5, 0.75, 1)
        Of equals the first is taken.

    Returns
    -------
    float

    Examples
    --------
    >>> lean([0, 0, 0, 1], [[0.8, 0.2]] * 3 + [[0.7, 0.3]], [0.75, 0.25])
    1.0
    """
    scores = [
        Scored(np.asarray(actual), np.asarray(probability), favouring(probability, frequency, lean=a)).macro_f1()
        for a in tried
    ]
    return float(tried[int(np.argmax(scores))])


def tempered(probability: npt.ArrayLike, by: float) -> FloatArray:
    """Return probabilities made softer (`by` above 1) or sharper: p^(1/t), made to add up to 1 again.

    It is the softmax of scores divided by t, and leaves the order of classes as it is.

    Parameters
    ----------
    probability : array_like, shape (n, K)
        Of each class; rows add up to 1.
    by : float
        The temperature t.

    Returns
    -------
    ndarray, shape (n, K)

    Examples
    --------
    >>> tempered([[0.9, 0.1]], 2.0).round(3).tolist()
    [[0.75, 0.25]]
    """
    chance = checks.matrix("probability", probability)
    by = checks.number("by", by, above=0)
    with np.errstate(divide="ignore"):
        power = np.log(chance) / by
    power = np.exp(power - power.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def temperature(actual: npt.ArrayLike, probability: npt.ArrayLike) -> float:
    """Return the temperature that makes the log loss least, on data that the model was not fitted on.

    Parameters
    ----------
    actual : array_like of int, shape (n,)
        Classes.
    probability : array_like, shape (n, K)
        All above 0.

    Returns
    -------
    float
        Between 1/20 and 20.

    Raises
    ------
    InputError
        As `Scored`, or something came that was given the probability 0.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML.

    Examples
    --------
    >>> round(temperature([0, 0, 0, 1], [[0.9, 0.1]] * 4), 2)
    2.0
    """
    given = Scored(np.asarray(actual), checks.matrix("probability", probability))
    given.log_loss()
    rows = np.arange(len(given.actual))
    found = optimize.minimize_scalar(
        lambda log_t: -np.log(tempered(given.probability, float(np.exp(log_t)))[rows, given.actual]).mean(),
        bounds=(-np.log(20), np.log(20)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    return float(np.exp(found.x))


def _classes(argument: str, value: npt.ArrayLike, chance: FloatArray) -> IntArray:
    found = np.asarray(value)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise InputError(argument, "be whole numbers, one a case", f"{found.dtype} of shape {found.shape}")
    checks.same_length(**{argument: found, "probability": chance})
    if found.min() < 0 or found.max() >= chance.shape[1]:
        raise InputError(argument, f"lie between 0 and {chance.shape[1] - 1}", (int(found.min()), int(found.max())))
    return found.astype(np.int64)


def _bins(said: FloatArray) -> IntArray:
    """Return the bin of each confidence, of about equally many cases each; equal ones share theirs."""
    upper = np.unique(np.quantile(said, np.linspace(0, 1, BINS + 1)[1:], method="inverted_cdf"))
    return np.searchsorted(upper, said, side="left").astype(np.int64)
