"""Brier score, time-dependent AUC and the censoring distribution: closed forms, scikit-survival, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.survival import censoring
from citylib.survival.brier import brier
from citylib.survival.concordance import uno
from citylib.survival.time_auc import time_auc

TIME = [3.0, 6.0, 9.0]


def drawn(n: int = 250) -> tuple[Any, ...]:
    draw = np.random.default_rng(6)
    life, watched, x = draw.exponential(9, n), draw.uniform(1, 25, n), draw.normal(size=n)
    life = life * np.exp(-x)
    forecast = np.exp(-np.outer(np.exp(x), TIME) / 9)
    return np.minimum(life, watched), life <= watched, x, forecast


def test_without_censoring_they_are_what_everyone_knows() -> None:
    life = np.random.default_rng(1).exponential(9, 200)
    x = -life + np.random.default_rng(2).normal(0, 5, 200)
    forecast = np.random.default_rng(3).random((200, 3))
    found = brier(life, np.ones(200), forecast, TIME)
    np.testing.assert_allclose(found.score, ((forecast - (life[:, None] > TIME)) ** 2).mean(axis=0))
    area = time_auc(life, np.ones(200), x, TIME)
    for m, t in enumerate(TIME):
        above = x[life <= t][:, None] > x[life > t]
        np.testing.assert_allclose(area.value[m], above.mean())


def test_equals_scikit_survival() -> None:
    metrics = pytest.importorskip("sksurv.metrics", reason="scikit-survival is not installed: citylib[forest]")
    from sksurv.util import Surv

    t, e, x, forecast = drawn()
    both = Surv.from_arrays(e, t)
    found = brier(t, e, forecast, TIME)
    np.testing.assert_allclose(found.score, metrics.brier_score(both, both, forecast, TIME)[1], rtol=1e-12)
    np.testing.assert_allclose(
        found.integrated[0], metrics.integrated_brier_score(both, both, forecast, TIME), rtol=1e-12
    )
    for risk in (x, np.round(x), 1 - forecast):
        value, mean = metrics.cumulative_dynamic_auc(both, both, risk, TIME)
        area = time_auc(t, e, risk, TIME)
        np.testing.assert_allclose(area.value, value, rtol=1e-12)
        np.testing.assert_allclose(area.mean, mean, rtol=1e-12)


def test_weights_make_up_for_censoring() -> None:
    draw = np.random.default_rng(0)
    n = 40_000
    life, watched = draw.exponential(5, n), draw.exponential(8, n)
    forecast = np.full((n, 1), 0.3)
    full = brier(life, np.ones(n), forecast, [4.0])
    seen = brier(np.minimum(life, watched), life <= watched, forecast, [4.0])
    assert abs(seen.score[0] - full.score[0]) < 4 * seen.error[0]


def test_auc_error_is_what_repeated_samples_show() -> None:
    draw = np.random.default_rng(4)
    values, errors = [], []
    for _ in range(300):
        life, watched = draw.exponential(5, 150), draw.uniform(2, 12, 150)
        found = time_auc(np.minimum(life, watched), life <= watched, -np.log(life) + draw.normal(0, 1.5, 150), [4.0])
        values.append(found.value[0])
        errors.append(found.error[0])
    # a standard deviation of 300 draws is known to 4 %; weights taken as known cost some more
    np.testing.assert_allclose(np.std(values), np.mean(errors), rtol=0.2)


def test_censoring_comes_after_endings_at_one_time() -> None:
    seen = censoring.fit([1.0, 1.0, 2.0, 3.0], [1, 0, 0, 1])
    np.testing.assert_allclose(seen.watched, [2 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(seen.before([1.0, 2.0]), [1.0, 2 / 3])
    np.testing.assert_allclose(seen.at([0.5, 1.0]), [1.0, 2 / 3])


def test_no_case_yet_is_not_a_number() -> None:
    assert np.isnan(time_auc([3.0, 4.0], [1, 1], [1.0, 0.0], [1.0]).value[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"survival": [[0.5], [1.5]]}, "survival must be at most 1, got 1.5"),
        ({"survival": [[0.5, 0.5], [0.1, 0.2]]}, r"survival must have the shape \(2, 1\) of rows and times"),
        ({"time": [2.0, 1.0]}, "time must be strictly increasing"),
        ({"duration": [2.0], "event": [1], "survival": [[0.1]]}, "duration must have at least 2 rows, got 1"),
        ({"event": [1, 0], "time": [9.0]}, "time must lie where somebody is still watched, got 9.0"),
        ({"duration": [-1.0, 2.0]}, "duration must be at least 0"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"duration": [1.0, 2.0], "event": [1, 1], "survival": [[0.5], [0.5]], "time": [1.5]}
    with pytest.raises(InputError, match=message):
        brier(**(given | change))


def test_other_refusals() -> None:
    with pytest.raises(InputError, match="time must hold at least two times to integrate over, got 1"):
        _ = brier([1.0, 2.0], [1, 1], [[0.5], [0.5]], [1.5]).integrated
    with pytest.raises(InputError, match=r"risk must have the shape \(2,\) or \(2, 1\), got \(3,\)"):
        time_auc([1.0, 2.0], [1, 1], [1.0, 2.0, 3.0], [1.5])


def test_late_entries_do_not_move_scores_that_know_of_them() -> None:
    draw = np.random.default_rng(12)
    n = 60_000
    x = draw.normal(size=n)
    life = draw.exponential(np.exp(-x))
    forecast = lambda t, of: np.exp(-np.outer(np.exp(0.6 * of), t))  # noqa: E731  too flat on purpose
    when, until = np.array([0.3, 1.0]), 1.0
    whole = (np.minimum(life, 9.0), life <= 9.0)
    truth = [*brier(*whole, forecast(when, x), when).score, *time_auc(*whole, x, when).value]
    truth.append(uno(*whole, x, until=until).value)
    entry = np.where(draw.random(n) < 0.3, 0.0, draw.uniform(0, 2, n))
    end = np.minimum(life, entry + draw.exponential(2.0, n))
    seen = entry < end
    rows, x = (end[seen], (life <= end)[seen]), x[seen]
    late = entry[seen]
    scores = brier(*rows, forecast(when, x), when, entry=late)
    found = [*scores.score, *time_auc(*rows, x, when, entry=late).value, uno(*rows, x, until=until, entry=late).value]
    np.testing.assert_allclose(found, truth, atol=0.008)
    assert (scores.error < 0.003).all()
    naive = [*brier(*rows, forecast(when, x), when).score, *time_auc(*rows, x, when).value]
    assert np.abs(np.array(naive) - truth[:4]).max() > 0.03


def test_entries_at_the_start_are_no_late_entries() -> None:
    draw = np.random.default_rng(13)
    t, x = draw.integers(1, 12, 80).astype(float), draw.normal(size=80)
    e, zero, when = (draw.random(80) < 0.6) & (t < 11), np.zeros(80), [2.0, 5.0]
    survival = draw.random((80, 2))
    np.testing.assert_allclose(censoring.fit(t, e, entry=zero).at(t), censoring.fit(t, e).at(t), rtol=1e-12)
    np.testing.assert_allclose(uno(t, e, x, entry=zero).influence, uno(t, e, x).influence, rtol=1e-9, atol=1e-15)
    for one, other in ((time_auc(t, e, x, when, entry=zero), time_auc(t, e, x, when)),):
        np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
        np.testing.assert_allclose(one.error, other.error, rtol=1e-12)
    late, early = brier(t, e, survival, when, entry=zero), brier(t, e, survival, when)
    np.testing.assert_allclose(late.score, early.score, rtol=1e-12)
    with pytest.raises(
        InputError, match="entry must not leave a time at which all under watch ended before others came"
    ):
        censoring.fit([1.0, 5.0, 6.0], [1, 1, 0], entry=[0.0, 2.0, 2.0])
