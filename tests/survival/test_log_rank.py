"""Log-rank tests against the plain form, lifelines, and laws; many groups by product, sweep and narrow solve alike."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from citylib.errors import InputError
from citylib.survival.log_rank import WEIGHTINGS, log_rank, pairwise, plain

Array = np.ndarray[Any, Any]


def drawn(n: int, groups: int, *, whole: bool, seed: int = 4) -> dict[str, Array]:
    draw = np.random.default_rng(seed)
    duration = draw.exponential(6, n) + 0.5
    duration = np.ceil(duration) + 1 if whole else duration
    entry = duration * draw.uniform(0, 0.9, n)
    return {
        "duration": duration,
        "event": draw.random(n) < 0.7,
        "group": draw.integers(0, groups, n),
        "entry": np.floor(entry) if whole else entry,
    }


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(("n", "groups", "whole"), [(200, 4, True), (200, 4, False), (250, 40, True), (250, 60, False)])
@pytest.mark.parametrize("late", [False, True])
def test_equals_the_plain_form(n: int, groups: int, whole: bool, late: bool, weighting: str) -> None:
    rows = drawn(n, groups, whole=whole)
    if not late:
        del rows["entry"]
    how = {"weighting": weighting, "power": (0.5, 1.5)}
    found = log_rank(**rows, **how)
    observed, expected, variance = plain(**rows, **how)
    np.testing.assert_allclose(found.observed, observed, rtol=1e-12)
    np.testing.assert_allclose(found.expected, expected, rtol=1e-10)
    np.testing.assert_allclose(found.variance, variance, atol=1e-12 * np.abs(variance).max())
    shift = observed - expected
    np.testing.assert_allclose(found.statistic, shift @ np.linalg.pinv(variance) @ shift, rtol=1e-8)
    assert found.freedom == found.status.count("ok") - 1
    np.testing.assert_allclose(found.p_value, stats.chi2.sf(found.statistic, found.freedom))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_each_pair_equals_a_test_of_two(weighting: str, whole: bool) -> None:
    rows = drawn(150, 5, whole=whole) | {"strata": np.arange(150) % 3}
    found = pairwise(**rows, weighting=weighting)
    for first, second, statistic, p in zip(found.first, found.second, found.statistic, found.p_value, strict=True):
        keep = np.isin(rows["group"], [int(first), int(second)])
        alone = log_rank(**{name: value[keep] for name, value in rows.items()}, weighting=weighting)
        np.testing.assert_allclose((statistic, p), (alone.statistic, alone.p_value), rtol=1e-9)


@pytest.mark.parametrize(("ours", "theirs"), [
    ("log-rank", None), ("gehan", "wilcoxon"), ("tarone-ware", "tarone-ware"), ("peto", "peto"),
    ("fleming-harrington", "fleming-harrington"),
])  # fmt: skip
def test_equals_lifelines(ours: str, theirs: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' own deprecations at import are not ours
        from lifelines.statistics import multivariate_logrank_test
    rows = drawn(200, 4, whole=True)
    more: dict[str, Any] = {"p": 1.0, "q": 0.5} if ours == "fleming-harrington" else {}
    lifelines = multivariate_logrank_test(rows["duration"], rows["group"], rows["event"], weightings=theirs, **more)
    found = log_rank(rows["duration"], rows["event"], rows["group"], weighting=ours, power=(1.0, 0.5))
    np.testing.assert_allclose(found.statistic, lifelines.test_statistic, rtol=1e-10)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 6)), min_size=4, max_size=40))
def test_any_rows_at_all(rows: list[tuple[int, bool, int]]) -> None:
    t, e, g = (np.array(column) for column in zip(*rows, strict=True))
    if not e.any() or len(np.unique(g)) < 2:
        return
    found = log_rank(t, e, g)
    observed, expected, variance = plain(t, e, g)
    np.testing.assert_allclose(found.observed.sum(), found.expected.sum(), rtol=1e-12)
    np.testing.assert_allclose(found.variance, variance, atol=1e-12)
    shift = observed - expected
    np.testing.assert_allclose(found.statistic, shift @ np.linalg.pinv(variance, rcond=1e-9) @ shift, atol=1e-7)
    assert found.freedom == np.linalg.matrix_rank(variance, tol=1e-9)


def test_groups_never_watched_together_cost_a_degree_of_freedom() -> None:
    early = drawn(40, 2, whole=False)
    late = drawn(40, 2, whole=False, seed=5)
    shift = early["duration"].max() + 1
    rows = {
        "duration": np.append(early["duration"], late["duration"] + shift),
        "event": np.append(early["event"], late["event"]),
        "group": np.append(early["group"], late["group"] + 2),
        "entry": np.append(early["entry"], late["entry"] + shift),
    }
    parts = [log_rank(**early), log_rank(**late)]
    found = log_rank(**rows)
    assert found.freedom == 2
    np.testing.assert_allclose(found.statistic, sum(p.statistic for p in parts), rtol=1e-8)
    pairs = pairwise(**rows)
    apart = (pairs.first == "0") & (pairs.second == "3")
    assert np.isnan(pairs.p_value[apart]).all()


def test_a_group_gone_before_the_first_event_does_not_count() -> None:
    found = log_rank([1, 1, 2, 3, 4, 5], [0, 0, 1, 1, 1, 1], ["gone", "gone", "a", "b", "a", "b"])
    assert found.status == ("ok", "ok", "never at risk")
    assert found.freedom == 1


def test_nothing_to_compare_is_said() -> None:
    found = log_rank([1.0, 2.0], [0, 1], ["a", "b"])
    assert (found.freedom, found.statistic) == (0, 0.0)
    assert np.isnan(found.p_value)


def test_one_member_groups() -> None:
    found = log_rank([1.0, 2.0, 3.0], [1, 1, 1], ["a", "b", "c"])
    assert found.status == ("ok",) * 3
    assert found.freedom == 2


def test_size_is_as_claimed_under_no_difference() -> None:
    draw = np.random.default_rng(2)
    runs, hits = 400, 0
    for _ in range(runs):
        t, c = draw.exponential(1, 120), draw.exponential(2, 120)
        hits += log_rank(np.minimum(t, c), t <= c, np.arange(120) % 3).p_value < 0.05
    # 99.9 % binomial band around 0.05 of 400 runs: 0.05 +- 3.3 * 0.0109
    assert abs(hits / runs - 0.05) < 0.036


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": ["a", "a"]}, "group must hold at least two groups, got 1"),
        ({"group": ["a", None]}, "group must have no missing values, got '1 missing'"),
        ({"group": ["a"]}, "group must hold one label for each of 2 rows"),
        ({"event": [0, 0]}, "event must hold at least one event, got '2 rows, all censored'"),
        ({"duration": [1.0, -1.0]}, "duration must be at least 0"),
        ({"entry": [0.0, 2.0]}, "entry must lie before the duration's end, got '1 rows, first at row 1: 2 against 2'"),
        ({"weighting": "wilcoxon"}, "weighting must be one of: log-rank, gehan"),
        ({"power": (-1.0, 0.0)}, "power must be at least 0"),
        ({"strata": ["x"]}, "strata must hold one label for each of 2 rows"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    rows: dict[str, Any] = {"duration": [1.0, 2.0], "event": [1, 1], "group": ["a", "b"]} | change
    for function in (log_rank, pairwise):
        with pytest.raises(InputError, match=message):
            function(**rows)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("late", [False, True])
def test_a_weight_is_so_many_rows(weighting: str, late: bool) -> None:
    draw = np.random.default_rng(8)
    t, e, g = draw.integers(2, 20, 90).astype(float), draw.random(90) < 0.7, draw.integers(0, 4, 90)
    times, strata = draw.integers(1, 5, 90), draw.integers(0, 2, 90)
    entry = {"entry": np.maximum(t - draw.integers(1, 9, 90), 0)} if late else {}
    power = {"weighting": weighting, "power": (0.5, 1.0)}
    again = {name: np.repeat(column, times) for name, column in entry.items()}
    many = (np.repeat(t, times), np.repeat(e, times), np.repeat(g, times))
    one = log_rank(t, e, g, weight=times, strata=strata, **entry, **power)
    other = log_rank(*many, strata=np.repeat(strata, times), **again, **power)
    np.testing.assert_allclose(one.variance, other.variance, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(one.statistic, other.statistic, rtol=1e-10)
    pair, pairs = pairwise(t, e, g, weight=times, **entry, **power), pairwise(*many, **again, **power)
    np.testing.assert_allclose(pair.statistic, pairs.statistic, rtol=1e-10)
    part = draw.uniform(0.5, 3, 90)
    found = log_rank(t, e, g, weight=part, **entry, **power)
    for value, wanted in zip(
        (found.observed, found.expected, found.variance), plain(t, e, g, weight=part, **entry, **power), strict=True
    ):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-10)
