"""Scores of classes and probabilities against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from citylib.errors import InputError
from citylib.evaluate import classification


@pytest.fixture
def cases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(2)
    actual = draw.integers(0, 3, 200)
    predicted = np.where(draw.random(200) < 0.6, actual, draw.integers(0, 3, 200))
    return actual, predicted, np.round(np.clip(0.3 * (actual == 1) + draw.random(200) * 0.7, 0.01, 0.99), 2)


def test_equals_scikit_learn(cases: tuple[np.ndarray, ...]) -> None:
    actual, predicted, chance = cases
    happened = actual == 1
    pairs = [
        (classification.accuracy(actual, predicted), metrics.accuracy_score(actual, predicted)),
        (classification.macro_f1(actual, predicted), metrics.f1_score(actual, predicted, average="macro")),
        (classification.auc(happened, chance), metrics.roc_auc_score(happened, chance)),
        (classification.brier(happened, chance).mean(), metrics.brier_score_loss(happened, chance)),
        (classification.log_loss(happened, chance).mean(), metrics.log_loss(happened, chance)),
    ]
    for ours, theirs in pairs:
        assert ours == pytest.approx(theirs, abs=1e-12)
    np.testing.assert_array_equal(
        classification.confusion(actual, predicted), metrics.confusion_matrix(actual, predicted)
    )


def test_a_class_never_hit_scores_nothing() -> None:
    assert classification.macro_f1(["a", "a", "b"], ["a", "a", "a"]) == pytest.approx(0.4)


def test_confusion_names_both_axes() -> None:
    found = classification.confusion(["rest", "work"], ["work", "work"])
    assert (found.index.name, found.columns.name) == ("actual", "predicted")
    assert found.loc["rest", "work"] == 1


def test_any_monotone_score_has_the_same_auc(cases: tuple[np.ndarray, ...]) -> None:
    actual, _, chance = cases
    assert classification.auc(actual == 1, chance) == classification.auc(actual == 1, np.exp(3 * chance))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classification.auc([True, True], [0.1, 0.2]), "hold cases that happened and cases that did not"),
        (lambda: classification.brier([True], [1.2]), "probability must be at most 1, got '1.2'"),
        (lambda: classification.brier([True], [-0.2]), "probability must be at least 0"),
        (lambda: classification.brier([True, False], [0.2]), "actual, probability must have the same shape"),
        (lambda: classification.log_loss([True, False], [0.0, 0.5]), "leave a chance to whatever happened"),
        (lambda: classification.accuracy([], []), "hold at least one case"),
        (lambda: classification.accuracy(["a"], [1]), "be labels like those of actual"),
        (lambda: classification.confusion(["a"], ["a", "b"]), "same length"),
    ],
)
def test_refusals(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
