"""Survival from now on, hazards carried on, remaining lives and the ridge: closed forms, planted truth, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.survival import cox, remaining, ridge
from citylib.survival.conditional import carried_on, survival_ahead
from citylib.survival.cox_plain import Plain


def test_survival_ahead_is_a_ratio_of_survivals() -> None:
    grid, k, rate = np.linspace(0, 40, 4001), 1.7, np.array([0.01, 0.05])
    hazard, waited, ahead = rate[:, None] * grid**k, np.array([3.0, 12.5]), np.array([0.0, 5.0, 10.0])
    found = survival_ahead(hazard, grid, ahead, waited=waited)
    truth = np.exp(-rate[:, None] * ((waited[:, None] + ahead) ** k - waited[:, None] ** k))
    np.testing.assert_allclose(found, truth, atol=1e-5)  # straight lines between times 0.01 apart
    np.testing.assert_allclose(survival_ahead(hazard, grid, [40.0])[:, 0], np.exp(-hazard[:, -1]))


def test_a_constant_hazard_is_carried_on_as_it_is() -> None:
    grid = np.linspace(0, 20, 201)
    hazard = np.outer([0.1, 0.3], grid)
    broken = np.where(grid > 8, 99.0, hazard)
    np.testing.assert_allclose(carried_on(broken, grid, known_to=8.0), hazard)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": [1.0, 2.0, 3.0]}, "begin at 0"),
        ({"hazard": [[0.0, 1.0]]}, "columns"),
        ({"ahead": [9.0]}, "reach 9"),
        ({"waited": [-1.0]}, "waited"),
        ({"waited": [0.0, 0.0]}, "same length"),
    ],
)
def test_waits_that_cannot_be_are_refused(change: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"hazard": [[0.0, 1.0, 2.0]], "time": [0.0, 1.0, 2.0], "ahead": [1.0], "waited": [0.0]}
    given |= change
    with pytest.raises(InputError, match=words):
        survival_ahead(given["hazard"], given["time"], given["ahead"], waited=given["waited"])


def test_quantiles_of_one_weibull_have_a_closed_form() -> None:
    age, m, s = np.array([0.0, 20.0, 70.0]), 3.5, 60.0
    found = remaining.quantiles(age, [[m]], np.full((1, 3, 1), s), [0.1, 0.5, 0.9])
    for p, share in enumerate((0.1, 0.5, 0.9)):
        np.testing.assert_allclose(found[:, p], s * ((age / s) ** m - np.log(1 - share)) ** (1 / m) - age, rtol=1e-9)
        stays = remaining.outlives(age, found[:, p], [[m]], np.full((1, 3, 1), s))
        np.testing.assert_allclose(stays, 1 - share, rtol=1e-9)


def test_two_causes_and_unknown_laws() -> None:
    draw = np.random.default_rng(0)
    shape, scale = np.array([[4.0], [1.5]]), np.array([[[80.0]], [[120.0]]])
    first, second = (scale[c] * draw.exponential(size=200_000) ** (1 / shape[c]) for c in (0, 1))
    life = np.minimum(first, second).ravel()
    left = life[life > 40] - 40
    found = remaining.quantiles([40.0], shape, scale, [0.25, 0.5, 0.75])[0]
    np.testing.assert_allclose(found, np.quantile(left, [0.25, 0.5, 0.75]), rtol=0.02)  # 100,000 lives
    sure, unsure = np.full((1, 1, 50), 80.0), 80 * np.exp(draw.normal(0, 0.3, (1, 1, 50)))
    narrow, wide = (remaining.quantiles([40.0], np.full((1, 50), 4.0), s, [0.1, 0.9])[0] for s in (sure, unsure))
    assert np.ptp(wide) > np.ptp(narrow)  # ignorance widens


def test_lives_that_cannot_be_are_refused() -> None:
    assert remaining.quantiles([5.0], [[2.0]], [[[np.inf]]], [0.5]).tolist() == [[np.inf]]
    for given, words in (
        (([-1.0], [[2.0]], [[[9.0]]]), "age"),
        (([1.0], [[0.0]], [[[9.0]]]), "shape"),
        (([1.0], [[2.0]], [[[0.0]]]), "scale"),
        (([1.0], [[2.0]], [[[np.nan]]]), "scale"),
        (([1.0, 2.0], [[2.0]], [[[9.0]]]), "causes, things and draws"),
    ):
        with pytest.raises(InputError, match=words):
            remaining.quantiles(*given, [0.5])
    with pytest.raises(InputError, match="shares"):
        remaining.quantiles([1.0], [[2.0]], [[[9.0]]], [1.0])


def rows(n: int, p: int, strength: float) -> tuple[Any, ...]:
    draw = np.random.default_rng(3)
    x = draw.normal(size=(n, p))
    life, watched = draw.exponential(np.exp(-strength * x[:, 0])), draw.exponential(2.0, n)
    return np.minimum(life, watched), life <= watched, x


def test_the_ridge_is_verweij_and_van_houwelingens() -> None:
    t, d, x = rows(60, 3, 1.0)
    fold = np.arange(60) % 3
    found = ridge.choose(t, d, x, fold=fold, penalties=[0.5, 50.0])
    for penalty, total in zip(found.penalty, found.likelihood, strict=True):
        by_hand = 0.0
        for k in range(3):
            keep = fold != k
            beta = cox.fit(t[keep], d[keep], x[keep], ridge=float(penalty)).coefficients
            by_hand += Plain(t, d, x).likelihood(beta)[0] - Plain(t[keep], d[keep], x[keep]).likelihood(beta)[0]
        np.testing.assert_allclose(total, by_hand, rtol=1e-9)
    assert found.best == found.penalty[found.likelihood.argmax()]


def test_noise_is_held_hard_and_signal_is_not() -> None:
    for strength, ends in ((0.0, 1000.0), (2.0, 1.0)):
        t, d, x = rows(200, 5 if strength == 0 else 1, strength)
        assert ridge.choose(t, d, x, fold=np.arange(200) % 4, penalties=[1.0, 1000.0]).best == ends


def test_folds_and_penalties_that_cannot_be_are_refused() -> None:
    t, d, x = rows(40, 1, 1.0)
    with pytest.raises(InputError, match="2 folds"):
        ridge.choose(t, d, x, fold=np.zeros(40), penalties=[1.0])
    with pytest.raises(InputError, match="penalties"):
        ridge.choose(t, d, x, fold=np.arange(40) % 2, penalties=[0.0])
    with pytest.raises(InputError, match="same length"):
        ridge.choose(t, d, x, fold=np.arange(39) % 2, penalties=[1.0])
