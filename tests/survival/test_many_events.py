"""Cumulative incidence and the mean cumulative function: plain forms, laws, refusals; delayed entry of curves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from citylib.errors import InputError, UnknownNameError
from citylib.survival import cumulative_incidence as incidence
from citylib.survival import life_table
from citylib.survival import mean_cumulative as recurrent
from citylib.survival.kaplan_meier import kaplan_meier, plain

Array = np.ndarray[Any, Any]


def drawn(n: int, *, whole: bool) -> tuple[Array, Array, Array, Array, Array]:
    draw = np.random.default_rng(7)
    t = draw.exponential(8, n) + 1
    entry = t * draw.uniform(0, 0.9, n)
    t, entry = (np.ceil(t), np.floor(entry)) if whole else (t, entry)
    return t, draw.random(n) < 0.7, np.where(draw.random(n) < 0.4, "frost", "rust"), entry, draw.integers(0, 3, n)


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_incidence_equals_the_plain_form(whole: bool, late: bool) -> None:
    t, e, c, entry, g = drawn(150, whole=whole)
    more = {"entry": entry} if late else {}
    for name, found in incidence.cumulative_incidence(t, e, c, group=g, **more).items():
        at = g == int(name)
        time, table = incidence.plain(t[at], e[at], c[at], **{k: v[at] for k, v in more.items()})
        np.testing.assert_array_equal(found.time, time)
        np.testing.assert_allclose(found.incidence, table, rtol=1e-12)
        curve = kaplan_meier(t[at], e[at], **{k: v[at] for k, v in more.items()})["all"]
        np.testing.assert_allclose(found.incidence.sum(axis=1) + curve.survival, 1, rtol=1e-12)


def test_variance_is_the_sum_of_squares_of_what_each_row_adds() -> None:
    t, e, c, entry, _ = drawn(40, whole=True)
    ones, step, added = np.ones(40), 1e-5, []
    for i in range(40):
        up, down = ones.copy(), ones.copy()
        up[i], down[i] = 1 + step, 1 - step
        both = [incidence.cumulative_incidence(t, e, c, entry=entry, weight=w)["all"].incidence for w in (up, down)]
        added.append((both[0] - both[1]) / (2 * step))
    found = incidence.cumulative_incidence(t, e, c, entry=entry)["all"]
    np.testing.assert_allclose(found.variance, (np.array(added) ** 2).sum(axis=0), rtol=1e-6, atol=1e-12)


def test_reading_incidence() -> None:
    found = incidence.cumulative_incidence([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], ["a", "b", "", ""])["all"]
    np.testing.assert_array_equal(found.at([0.5, 1.0, 4.0, 5.0], "a"), [0.0, 0.25, 0.25, np.nan])
    low, high = found.band_at([2.0], "b")
    assert low[0] < 0.25 < high[0]
    with pytest.raises(UnknownNameError):
        found.at([1.0], "c")


def rows_of(subjects: int) -> tuple[Array, Array, Array, Array]:
    draw, rows = np.random.default_rng(5), []
    for s in range(subjects):
        start, end = (draw.uniform(0, 4) + np.array([0, draw.uniform(1, 10)])).round(1)
        while start < end:
            stop = np.round(start + draw.exponential(2) + 0.1, 1)
            rows.append((start, min(stop, end), float(stop < end), s))
            start = stop + (draw.random() < 0.3) * 0.5
    return tuple(np.array(rows)[draw.permutation(len(rows))].T)  # type: ignore[return-value]


def test_recurrent_events_equal_the_plain_form() -> None:
    rows = rows_of(40)
    found = recurrent.mean_cumulative(*rows)["all"]
    time, mean, variance = recurrent.plain(*rows)
    np.testing.assert_array_equal(found.time, time)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-9, atol=1e-14)
    low, high = found.band_at([3.0])
    assert low[0] < found.at([3.0])[0] < high[0]
    assert np.isnan(found.at([1e3])[0])


def test_groups_are_worked_out_alone() -> None:
    start, stop, event, subject = rows_of(30)
    group = subject.astype(int) % 2
    for name, found in recurrent.mean_cumulative(start, stop, event, subject, group=group).items():
        at = group == int(name)
        alone = recurrent.mean_cumulative(start[at], stop[at], event[at], subject[at])["all"]
        np.testing.assert_allclose(found.variance, alone.variance, rtol=1e-9)


@pytest.mark.parametrize("whole", [False, True])
def test_curves_with_entry_and_weights_equal_the_plain_form(whole: bool) -> None:
    t, e, _, entry, g = drawn(200, whole=whole)
    w = np.random.default_rng(0).uniform(0.5, 3, 200)
    curves = kaplan_meier(t, e, group=g, entry=entry, weight=w)
    for curve in curves:
        at = g == int(curve.group)
        time, survival, greenwood = plain(t[at], e[at], entry=entry[at], weight=w[at])
        np.testing.assert_array_equal(curve.time, time)
        np.testing.assert_allclose(curve.survival, survival, rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(curve.greenwood, greenwood, rtol=1e-9)
    data = life_table.durations(t, e, entry=entry, weight=w)
    names, code = life_table.codes("group", g, 200)
    by_sort = life_table.count(data, names, code, by_table=False)
    np.testing.assert_allclose(curves.changes.at_risk, by_sort.at_risk, atol=1e-12)
    np.testing.assert_array_equal(curves.changes.time, by_sort.time)


def test_numbers_at_risk_under_a_curve_with_entry() -> None:
    curve = kaplan_meier([5.0, 9.0, 9.0], [1, 1, 0], entry=[0.0, 2.0, 6.0])["all"]
    assert curve.at_risk_at([0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 9.0, 9.5]).tolist() == [0, 1, 1, 2, 2, 1, 2, 2, 0]
    assert curve.time.tolist() == [5.0, 9.0]
    low, high = curve.hazard_band
    assert (low < curve.cumulative_hazard).all()
    assert (curve.cumulative_hazard < high).all()


def test_status_of_each_group() -> None:
    curves = kaplan_meier(
        [1, 2, 3, 4, 5, 1, 2, 9], [1, 0, 0, 0, 1, 1, 1, 1],
        group=list("ooqqs") + ["gap"] * 3, entry=[0, 0, 0, 0, 0, 0, 0, 4],
    )  # fmt: skip
    assert dict(zip(curves.groups, curves.status, strict=True)) == {
        "gap": "risk set empties", "o": "ok", "q": "no events", "s": "one member",
    }  # fmt: skip
    assert curves["q"].median == np.inf
    assert curves["gap"].status == "risk set empties"


def test_group_labels() -> None:
    import pandas as pd

    assert kaplan_meier([1, 2, 3], [1, 1, 1], group=[10, 9, 10]).groups == ("9", "10")
    assert kaplan_meier([1, 2, 3], [1, 1, 1], group=pd.Categorical(["b", "a", "b"])).groups == ("a", "b")
    assert kaplan_meier([1, 2, 3], [1, 1, 1], group=pd.Series(["b", "a", "b"])).groups == ("a", "b")
    assert kaplan_meier([1, 2, 3], [1, 1, 1], group=[True, False, True]).groups == ("False", "True")
    assert kaplan_meier([1, 2, 3], [1, 1, 1], group=[10**12, -5, 7]).groups == ("-5", "7", "1000000000000")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": [0.0, 1.0, 1.0], "exit": [2.0, 2.0, 3.0]}, r"entry must not lie inside another stretch of its subj"),
        ({"entry": [0.0, 2.0, 2.0]}, "entry must lie before the duration's end"),
        ({"entry": [-1.0, 1.0, 2.0]}, "entry must be at least 0"),
        ({"subject": ["a"]}, "subject must hold one label for each of 3 rows"),
        ({"subject": ["a", None, "b"]}, "subject must have no missing values"),
        ({"event": [0, 2, 0]}, "event must hold only 0 and 1"),
    ],
)
def test_refusals_of_recurrent_events(change: dict[str, Any], message: str) -> None:
    rows = {"entry": [0.0, 1.0, 2.0], "exit": [1.0, 2.0, 3.0], "event": [1, 1, 0], "subject": ["a"] * 3} | change
    with pytest.raises(InputError, match=message):
        recurrent.mean_cumulative(**rows)


def test_refusals_of_incidence() -> None:
    with pytest.raises(InputError, match="event must hold at least one event, got '2 rows, all censored'"):
        incidence.cumulative_incidence([1.0, 2.0], [0, 0], ["", ""])
    with pytest.raises(InputError, match="cause must hold one label for each of 2 rows"):
        incidence.cumulative_incidence([1.0, 2.0], [1, 0], ["a"])
    with pytest.raises(InputError, match="cause must have no missing values"):
        incidence.cumulative_incidence([1.0, 2.0], [1, 0], [None, "a"])


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_clusters_add_up_what_their_rows_add(late: bool, weighed: bool) -> None:
    t, e, c, entry, g = drawn(60, whole=True)
    weight = np.random.default_rng(3).uniform(0.5, 2, 60) if weighed else np.ones(60)
    more: dict[str, Any] = {"group": g} | ({"entry": entry} if late else {})
    estimate = incidence.cumulative_incidence
    each = estimate(t, e, c, weight=weight, **more)
    alone = estimate(t, e, c, weight=weight, cluster=np.arange(60), **more)
    cluster, shift = np.arange(60) // 4, 1e-5 * np.eye(60)
    found = estimate(t, e, c, weight=weight, cluster=cluster, **more)
    up, down = ([estimate(t, e, c, weight=weight + way * row, **more) for row in shift] for way in (1, -1))
    for name, one in found.items():
        np.testing.assert_allclose(alone[name].variance, each[name].variance, rtol=1e-9, atol=1e-14)
        # what a row adds is how the estimate moves with its weight
        adds = [w * (a[name].incidence - b[name].incidence) / 2e-5 for w, a, b in zip(weight, up, down, strict=True)]
        sums = np.add.reduceat(np.array(adds), np.arange(0, 60, 4), axis=0)
        np.testing.assert_allclose(one.variance, (sums**2).sum(axis=0), atol=1e-10)
    with pytest.raises(InputError, match="cluster must hold at least two clusters"):
        estimate(t, e, c, cluster=np.zeros(60))


def test_clusters_of_incidence_are_those_of_r() -> None:
    # R 4.2.2, survival 3.5.3: summary(survfit(Surv(t, s) ~ 1, cluster = k, robust = TRUE), times = 1:8)$std.err; with
    # several causes R 3.5.3 does not look at the cluster
    t, s = [1, 2, 2, 3, 4, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 1, 0, 1, 1, 0]
    errors = [
        0.0894427190999916, 0.178885438199983, 0.1905383766321, 0.225755245942121, 0.225755245942121, 0.208065524259856,
        0.104032762129928, 0.104032762129928,
    ]  # fmt: skip
    found = incidence.cumulative_incidence(t, s, s, cluster=np.arange(10) // 2)["all"]
    np.testing.assert_allclose(np.sqrt(found.variance).ravel(), errors, rtol=1e-12)
