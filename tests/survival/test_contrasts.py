"""Groups against their average: closed forms, no group is special, and coverage of all intervals at once."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError
from citylib.survival.contrasts import Contrasts, against_average


def held(b: list[float], v: np.ndarray, names: list[str], weights: list[float] | None = None) -> Contrasts:
    return against_average(b, v, names, weights=weights, generator=seeds.generator(3))


def test_two_groups_are_one_comparison() -> None:
    found = held([0.6], np.array([[0.09]]), ["a", "b"], [3, 1])
    np.testing.assert_allclose(found.estimate, [-0.15, 0.45])
    np.testing.assert_allclose(found.standard_errors, [0.075, 0.225])
    np.testing.assert_allclose(found.p_value, [found.joint_p] * 2)  # z = 2 for both, and chi-squared 4
    np.testing.assert_allclose(found.joint, 4.0)
    assert found.critical == pytest.approx(1.96, abs=0.015)  # 100,000 draws: standard error 0.007


def test_critical_value_of_equal_groups_is_that_of_the_analysis_of_means() -> None:
    # differences of 3 and 10 equal means from their mean, known variance: 2.34 and 2.80 in Nelson's table (1983)
    for groups, critical in ((3, 2.34), (10, 2.80)):
        v = np.eye(groups - 1) + 1  # b_g = mean_g - mean_1, each mean of variance 1
        found = held([0.0] * (groups - 1), v, [str(g) for g in range(groups)])
        assert found.critical == pytest.approx(critical, abs=0.02)
        np.testing.assert_allclose(found.standard_errors, np.sqrt(1 - 1 / groups))


def test_no_group_is_special() -> None:
    draw = np.random.default_rng(1)
    mean, error = draw.normal(size=5), draw.uniform(0.1, 0.5, 5)
    weights = draw.uniform(1, 9, 5)
    answers = []
    for order in ([0, 1, 2, 3, 4], [3, 1, 4, 0, 2]):
        b = mean[order][1:] - mean[order[0]]
        v = np.diag(error[order][1:] ** 2) + error[order[0]] ** 2
        found = held(b.tolist(), v, [str(g) for g in order], weights[order].tolist())
        answers.append(found.to_frame().sort_index())
    for column in ("estimate", "standard_error", "p", "q"):
        np.testing.assert_allclose(answers[0][column], answers[1][column], atol=1e-12)
    np.testing.assert_allclose(answers[0]["estimate"], mean - weights @ mean / weights.sum(), atol=1e-12)


def test_all_intervals_hold_at_once_as_often_as_they_claim() -> None:
    draw = np.random.default_rng(2)
    groups, worlds, hits, alone = 8, 400, 0, 0
    error = draw.uniform(0.2, 1.0, groups)
    v = np.diag(error[1:] ** 2) + error[0] ** 2
    critical = held([0.0] * (groups - 1), v, [str(g) for g in range(groups)]).critical
    for _ in range(worlds):
        mean = draw.normal(0, error)
        centred = mean - mean.mean()
        spread = np.sqrt(np.diag((np.eye(groups) - 1 / groups) @ np.diag(error**2) @ (np.eye(groups) - 1 / groups)))
        hits += bool((np.abs(centred) <= critical * spread).all())
        alone += bool((np.abs(centred) <= 1.96 * spread).all())
    assert 0.915 <= hits / worlds <= 0.98  # 99.9 % binomial band of 0.95 in 400 worlds, rounded outwards
    assert alone / worlds < 0.85


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (([0.1], [[1.0, 0.0], [0.0, 1.0]], ["a", "b"]), "square covariance"),
        (([0.1], [[1.0]], ["a", "b", "c"]), "one name more"),
        (([0.1], [[0.0]], ["a", "b"]), "variances above 0"),
        (([0.1], [[1.0]], ["a", "a"]), "names"),
        (([np.nan], [[1.0]], ["a", "b"]), "missing"),
    ],
)
def test_refusals(arguments: tuple[list[float], list[list[float]], list[str]], what: str) -> None:
    with pytest.raises(InputError, match=what):
        against_average(*arguments, generator=seeds.generator(0))


@pytest.mark.parametrize("weights", [[0, 0], [-1, 2], [1, 1, 1]])
def test_weights_that_give_no_mean_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="weights"):
        against_average([0.1], [[1.0]], ["a", "b"], weights=weights, generator=seeds.generator(0))
