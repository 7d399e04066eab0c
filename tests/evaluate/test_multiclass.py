"""Scores of several classes equal scikit-learn's, with weights and ties too; temperatures equal a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from citylib.errors import InputError
from citylib.evaluate import classification
from citylib.evaluate.multiclass import Scored, favouring, lean, temperature, tempered


def cases(n: int = 400, classes: int = 4, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    chance = draw.dirichlet(np.ones(classes), n)
    if ties:
        chance = np.round(chance * 4) + 1
        chance /= chance.sum(axis=1, keepdims=True)
    actual = np.array([draw.choice(classes, p=p) for p in chance])
    return actual, chance, draw.integers(0, 4, n).astype(float)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_scores_are_scikit_learns(ties: bool, weighted: bool) -> None:
    actual, chance, weight = cases(ties=ties)
    given = {"sample_weight": weight} if weighted else {}
    one, w = Scored(actual, chance), weight if weighted else None
    said = chance.argmax(axis=1)
    assert one.macro_f1(w) == pytest.approx(metrics.f1_score(actual, said, average="macro", **given), abs=1e-12)
    np.testing.assert_allclose(one.recall(w), metrics.recall_score(actual, said, average=None, **given), atol=1e-12)
    np.testing.assert_allclose(one.confusion(w), metrics.confusion_matrix(actual, said, **given), atol=1e-12)
    each = [metrics.roc_auc_score(actual == k, chance[:, k], **given) for k in range(4)]
    np.testing.assert_allclose(one.auc(w), each, atol=1e-12)
    assert one.log_loss(w) == pytest.approx(metrics.log_loss(actual, chance, **given), abs=1e-12)
    assert one.scores(w)["accuracy"] == pytest.approx(metrics.accuracy_score(actual, said, **given), abs=1e-12)
    if not weighted:
        whole = metrics.roc_auc_score(actual, chance, multi_class="ovr", average="macro")
        assert one.scores()["auc"] == pytest.approx(whole, abs=1e-12)
        assert one.macro_f1() == pytest.approx(classification.macro_f1(actual, said), abs=1e-12)


def test_a_weight_is_so_many_copies() -> None:
    actual, chance, weight = cases(200)
    again = np.repeat(np.arange(200), weight.astype(int))
    plain, copied = Scored(actual, chance).scores(weight), Scored(actual[again], chance[again]).scores()
    for name in ("accuracy", "macro_f1", "recall", "auc", "log_loss"):
        assert plain[name] == pytest.approx(copied[name], abs=1e-12)


def test_the_calibration_error_by_hand() -> None:
    # confidence 0.8 in ten cases of which six are hits, 0.6 in ten of which seven are
    chance = np.array([[0.8, 0.2]] * 10 + [[0.6, 0.4]] * 10)
    actual = np.array([0] * 6 + [1] * 4 + [0] * 7 + [1] * 3)
    assert Scored(actual, chance).calibration_error() == pytest.approx((0.2 + 0.1) / 2)
    honest = np.array([0] * 8 + [1] * 2 + [0] * 6 + [1] * 4)
    assert Scored(honest, chance).calibration_error() == pytest.approx(0)


def test_classes_that_do_not_come() -> None:
    one = Scored([0, 0, 1], [[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1]])
    assert np.isnan(one.recall()[2])
    assert np.isnan(one.auc()[2])
    assert one.scores()["auc"] == 1.0


def test_temperature() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(20_000, 3)) * 2
    true = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    actual = (true.cumsum(axis=1) > draw.random((len(true), 1))).argmax(axis=1)
    sharp = tempered(true, 1 / 2.5)  # as of scores 2.5 times too large
    found = temperature(actual, sharp)
    assert found == pytest.approx(2.5, rel=0.05)
    np.testing.assert_allclose(tempered(sharp, 2.5), true, atol=1e-9)
    assert Scored(actual, tempered(sharp, found)).calibration_error() < Scored(actual, sharp).calibration_error() / 3
    # nine in ten said, three in four came: p^(1/t) / (p^(1/t) + q^(1/t)) = 3/4 at t = log 9 / log 3
    assert temperature([0, 0, 0, 1], [[0.9, 0.1]] * 4) == pytest.approx(np.log(9) / np.log(3), rel=1e-4)


def test_what_is_said_may_favour_the_rare() -> None:
    actual, chance, _ = cases()
    often = np.bincount(actual) / len(actual)
    np.testing.assert_array_equal(favouring(chance, often, lean=0), chance.argmax(axis=1))
    np.testing.assert_array_equal(favouring(chance, often, lean=1), (chance / often).argmax(axis=1))
    best = lean(actual, chance, often)
    reached = {a: Scored(actual, chance, favouring(chance, often, lean=a)).macro_f1() for a in (0, 0.25, 0.5, 0.75, 1)}
    assert reached[best] == max(reached.values())
    with pytest.raises(InputError, match="4 numbers above 0"):
        favouring(chance, [0.5, 0.5, 0, 0], lean=1)


def test_refusals() -> None:
    with pytest.raises(InputError, match="add up to 1"):
        Scored([0, 1], [[0.5, 0.4], [0.5, 0.5]])
    with pytest.raises(InputError, match="between 0 and 1"):
        Scored([0, 2], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(InputError, match="same length"):
        Scored([0], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(InputError, match="whole numbers"):
        Scored([0.0, 1.0], [[0.5, 0.5], [0.5, 0.5]])
    with pytest.raises(InputError, match="leave a chance"):
        Scored([0, 1], [[0.5, 0.5], [1.0, 0.0]]).log_loss()
    assert "log_loss" not in Scored([0, 1], [[0.5, 0.5], [1.0, 0.0]]).scores()
    with pytest.raises(InputError, match="above 0 somewhere"):
        Scored([0], [[0.5, 0.5]]).macro_f1([0.0])
