"""Concordance against the plain form, lifelines and scikit-survival where it is installed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import InputError
from citylib.survival import censoring
from citylib.survival.concordance import harrell, plain, uno

rows_strategy = st.lists(
    st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 5), st.integers(1, 8), st.integers(1, 5)),
    min_size=2,
    max_size=40,
)


@given(rows_strategy)
def test_equals_the_plain_form(rows: list[tuple[int, bool, int, int, int]]) -> None:
    t, e, x, back, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    for more in (
        {},
        {"entry": np.maximum(t - back, 0)},
        {"weight": w},
        {"entry": np.maximum(t - back, 0), "weight": w},
    ):
        start = more.get("entry", np.full(len(t), -1.0))
        later = (t[:, None] < t) | ((t[:, None] == t) & (e == 0))
        if not (e[:, None].astype(bool) & later & (start < t[:, None])).any():
            with pytest.raises(InputError, match="event must leave at least one pair to compare"):
                harrell(t, e, x, **more)
            continue
        found = harrell(t, e, x, **more)
        np.testing.assert_allclose((found.value, found.error), plain(t, e, x, **more), rtol=1e-10, atol=1e-14)
        assert found.value == harrell(t, e, x, **more, error=False).value


@pytest.mark.parametrize("risks", [5, 10**6])
@pytest.mark.parametrize("times", [4, 10**6])
def test_both_ways_to_count_give_the_same(times: int, risks: int) -> None:
    draw = np.random.default_rng(4)
    t, x, e = draw.integers(1, times, 900), draw.integers(0, risks, 900), draw.random(900) < 0.7
    halves, tree = harrell(t, e, x), harrell(t, e, x, weight=np.ones(900))
    np.testing.assert_allclose(halves.influence, tree.influence, rtol=1e-9, atol=1e-15)
    for name in ("value", "error", "concordant", "discordant", "tied"):
        np.testing.assert_allclose(getattr(halves, name), getattr(tree, name), rtol=1e-12)
    np.testing.assert_allclose((halves.value, halves.error), plain(t, e, x), rtol=1e-10)


def test_pairs_of_uno_weigh_what_they_should() -> None:
    draw = np.random.default_rng(5)
    t, x, e = draw.integers(1, 30, 300), draw.integers(0, 40, 300), draw.random(300) < 0.7
    e[t == t.max()] = False
    watched = censoring.fit(t, e).before(t)
    pair = np.where(e, watched**-2.0, 0.0)[:, None] * ((t > t[:, None]) | ((t == t[:, None]) & ~e))
    score = pair * ((x[:, None] > x) + 0.5 * (x[:, None] == x))
    found = uno(t, e, x)
    np.testing.assert_allclose(found.value, score.sum() / pair.sum(), rtol=1e-12)
    shift = score - found.value * pair
    np.testing.assert_allclose(found.influence, (shift.sum(axis=0) + shift.sum(axis=1)) / pair.sum(), atol=1e-15)


def test_equals_lifelines() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' own deprecations at import are not ours
        from lifelines.utils import concordance_index
    draw = np.random.default_rng(3)
    t, x = np.ceil(draw.exponential(9, 400)), draw.integers(0, 20, 400)
    e = draw.random(400) < 0.6
    np.testing.assert_allclose(harrell(t, e, x).value, concordance_index(t, -x, e), rtol=0, atol=1e-14)


def test_equals_scikit_survival() -> None:
    metrics = pytest.importorskip("sksurv.metrics", reason="scikit-survival is not installed: citylib[forest]")
    from sksurv.util import Surv

    draw = np.random.default_rng(3)
    t, x = draw.exponential(9, 300), draw.normal(size=300)
    e = draw.random(300) < 0.6
    both = Surv.from_arrays(e, t)
    assert abs(harrell(t, e, x).value - metrics.concordance_index_censored(e, t, x)[0]) < 1e-12
    assert abs(uno(t, e, x, until=15).value - metrics.concordance_index_ipcw(both, both, x, tau=15.0)[0]) < 1e-12


def test_perfect_and_useless_forecasts() -> None:
    t = np.arange(1.0, 30.0)
    e = np.arange(29) % 3 > 0
    assert harrell(t, e, -t).value == 1.0
    assert harrell(t, e, t).value == 0.0
    assert harrell(t, e, np.zeros(29)).value == 0.5


def test_infinitesimal_jackknife_is_what_repeated_samples_show() -> None:
    draw = np.random.default_rng(9)
    values, errors = [], []
    for _ in range(300):
        life = draw.exponential(1, 150)
        watched, x = draw.uniform(0.3, 3, 150), -np.log(life) + draw.normal(0, 1.5, 150)
        found = harrell(np.minimum(life, watched), life <= watched, x)
        values.append(found.value)
        errors.append(found.error)
    # a standard deviation of 300 draws is known to 4 %
    np.testing.assert_allclose(np.std(values), np.mean(errors), rtol=0.15)


def test_uno_does_not_move_with_censoring_where_harrell_does() -> None:
    draw = np.random.default_rng(11)
    n = 20_000
    # a forecast that is good early and useless late, so that what is seen decides
    life = draw.exponential(1, n)
    x = np.where(life < 0.5, -life, -0.75) + draw.normal(0, 0.1, n)
    cut = 2.0
    truth = harrell(np.minimum(life, cut), life <= cut, x).value
    watched = draw.exponential(1.0, n)
    t, e = np.minimum(life, watched), life <= watched
    assert abs(uno(t, e, x, until=cut).value - truth) < 0.02
    assert abs(harrell(t, e, x).value - truth) > 0.03


def test_influence_of_clusters_adds_up() -> None:
    draw = np.random.default_rng(1)
    t, e, x = draw.exponential(5, 60), draw.random(60) < 0.7, draw.normal(size=60)
    cluster = np.arange(60) // 3
    found = harrell(t, e, x, cluster=cluster)
    by_cluster = np.bincount(cluster, weights=found.influence)
    np.testing.assert_allclose(found.error, np.sqrt((by_cluster**2).sum()))
    np.testing.assert_allclose(found.influence.sum(), 0, atol=1e-15)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": [0, 0, 0]}, "event must leave at least one pair to compare, got '0 events in 3 rows'"),
        ({"duration": [1.0, -2.0, 3.0]}, "duration must be at least 0"),
        ({"risk": [1.0, np.nan, 3.0]}, "risk must have no missing values"),
        ({"risk": [1.0]}, "duration, risk must have the same length"),
        ({"weight": [1.0, 0.0, 1.0]}, "weight must be more than 0, got '0, first at row 1'; leave such rows out"),
        ({"entry": [1.0, 0.0, 0.0]}, "entry must lie before the duration's end"),
        ({"cluster": [1, 2]}, "cluster must hold one label for each of 3 rows"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    rows: dict[str, Any] = {"duration": [1.0, 2.0, 3.0], "event": [1, 1, 0], "risk": [3.0, 2.0, 1.0]} | change
    with pytest.raises(InputError, match=message):
        harrell(**rows)


def test_an_ending_beyond_all_watching_is_refused() -> None:
    seen = censoring.fit([1.0, 2.0, 3.0], [1, 0, 0])
    with pytest.raises(InputError, match="duration must end where somebody can still be watched, got 4"):
        uno([1.0, 4.0, 5.0], [1, 1, 0], [3.0, 2.0, 1.0], censoring=seen)
    assert uno([1.0, 4.0, 5.0], [1, 1, 0], [3.0, 2.0, 1.0], censoring=seen, until=3.0).value == 1.0
