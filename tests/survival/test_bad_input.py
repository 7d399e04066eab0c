"""Bad and odd input of every public function: refused with argument, rule and value before work starts, or said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import FitWarning, InputError
from citylib.survival import censoring, cox, cox_residuals, log_rank, proportionality, standardised
from citylib.survival.brier import brier
from citylib.survival.cluster import cluster_bootstrap
from citylib.survival.concordance import harrell, uno
from citylib.survival.contrasts import against_average
from citylib.survival.cumulative_incidence import cumulative_incidence
from citylib.survival.durations import gap_times, heaps
from citylib.survival.kaplan_meier import kaplan_meier
from citylib.survival.mean_cumulative import mean_cumulative
from citylib.survival.time_auc import time_auc

Rows = dict[str, Any]
N = 60
DRAW = np.random.default_rng(20261126)
ROWS: Rows = {
    "duration": np.round(DRAW.exponential(5, N) + 0.1, 2),
    "event": DRAW.random(N) < 0.7,
    "x": DRAW.normal(size=(N, 2)),
    "group": np.arange(N) % 3,
    "cause": np.arange(N) % 2,
    "cluster": np.arange(N) // 2,
    "subject": np.arange(N),
}


def taken(rows: Rows, *names: str) -> Rows:
    return {name: rows[name] for name in names if name in rows}


def both(rows: Rows) -> tuple[Any, Any]:
    return rows["duration"], rows["event"]


def curves(r: Rows) -> list[Any]:
    found = kaplan_meier(*both(r), **taken(r, "group", "entry", "weight"))
    return [v for c in found for v in (c.survival, c.cumulative_hazard, c.restricted_mean(float(c.time[-1])))]


def ranks(r: Rows) -> list[Any]:
    found = log_rank.log_rank(*both(r), r["group"], **taken(r, "entry", "weight"))
    return [found.observed, found.expected, found.statistic]


def pairs(r: Rows) -> list[Any]:
    log_rank.pairwise(*both(r), r["group"], **taken(r, "entry", "weight"))
    return []  # NaN where two groups were never under watch together


def incidence(r: Rows) -> list[Any]:
    found = cumulative_incidence(*both(r), r["cause"], **taken(r, "group", "entry", "weight"))
    return [v for one in found.values() for v in (one.incidence, one.variance)]


def recurrent(r: Rows) -> list[Any]:
    entry = r.get("entry", np.zeros(len(r["duration"])))
    found = mean_cumulative(entry, *both(r), r["subject"], group=r["group"])
    return [v for one in found.values() for v in (one.mean, one.variance)]


def order(r: Rows) -> list[Any]:
    found = harrell(*both(r), r["x"][:, 0], **taken(r, "entry", "weight", "cluster"))
    return [found.value, found.error]


def order_by_uno(r: Rows) -> list[Any]:
    found = uno(*both(r), r["x"][:, 0], **taken(r, "entry", "cluster"))
    return [found.value, found.error]


def squares(r: Rows) -> list[Any]:
    found = brier(*both(r), np.full((len(r["duration"]), 1), 0.5), [0.0], **taken(r, "entry"))
    return [found.score, found.error]


def area(r: Rows) -> list[Any]:
    time_auc(*both(r), r["x"][:, 0], [float(np.median(ROWS["duration"]))], **taken(r, "entry"))
    return []  # NaN where nobody ended by the time


def watched(r: Rows) -> list[Any]:
    return [censoring.fit(*both(r), **taken(r, "entry")).watched]


def drawn(r: Rows) -> list[Any]:
    return [cluster_bootstrap(*both(r), r["cluster"], generator=seeds.generator(0), draws=100).survival]


def regression(r: Rows) -> list[Any]:
    given = taken(r, "x", "entry", "weight", "cluster", "stratum")
    found = cox.fit(r["duration"], r["event"], **given)
    return [found.reached, cox_residuals.martingale(found), cox_residuals.baseline(found).hazard]


FUNCTIONS: dict[str, Callable[[Rows], list[Any]]] = {
    f.__name__: f
    for f in (
        curves, ranks, pairs, incidence, recurrent, order, order_by_uno, squares, area, watched, drawn, regression,
    )
}  # fmt: skip
ALL = tuple(FUNCTIONS)
LATE = ("curves", "ranks", "pairs", "incidence", "recurrent", "order", "regression")
LATE_TOO = (*LATE, "order_by_uno", "squares", "area", "watched")
WEIGHED = ("curves", "ranks", "pairs", "incidence", "order", "regression")
GROUPED = ("curves", "ranks", "pairs", "incidence", "recurrent")
RISKS = ("order", "order_by_uno", "area")


def odd(values: Any, value: float, row: int = 4) -> Any:
    return np.where(np.arange(N) == row, value, values)


t, e, x, one = ROWS["duration"], ROWS["event"], ROWS["x"], np.ones(N)
REFUSED: tuple[tuple[str, Rows, str, tuple[str, ...]], ...] = (
    ("a negative duration", {"duration": odd(t, -1.0)}, "must be at least 0, got '-1, first at row 4'", ALL),
    ("a missing duration", {"duration": odd(t, np.nan)}, "must have no missing values, got '1 NaN, first", ALL),
    ("an infinite duration", {"duration": odd(t, np.inf)}, "must be finite, got '1 infinite value", ALL),
    ("words for durations", {"duration": np.full(N, "long")}, "must be numeric", ALL),
    ("durations in a table", {"duration": t[:, None]}, r"must have 1 dimension\(s\), got", ALL),
    ("a missing event", {"event": odd(e, np.nan)}, "event must have no missing values", ALL),
    ("an event that is neither", {"event": odd(e, 2)}, "event must hold only 0 and 1", ALL),
    ("an event too few", {"event": e[1:]}, "must have the same length", ALL),
    ("entry at the end", {"entry": odd(0 * t, t[4])}, "entry must (be before stop|lie before)", LATE_TOO),
    ("entry after the end", {"entry": odd(0 * t, t[4] + 1)}, "entry must .*, got '1 row", LATE_TOO),
    ("a missing entry", {"entry": odd(0 * t, np.nan)}, "entry must have no missing values", LATE_TOO),
    ("a weight of 0", {"weight": odd(one, 0)}, "weight must be (above|more than) 0", WEIGHED),
    ("a negative weight", {"weight": odd(one, -1)}, "weight must be (above|more than) 0", WEIGHED),
    ("a missing weight", {"weight": odd(one, np.nan)}, "weight must have no missing values", WEIGHED),
    ("an infinite weight", {"weight": odd(one, np.inf)}, "weight must be finite", WEIGHED),
    ("weights beyond squares", {"weight": one * 1e200}, "weight must lie between 1e-100", WEIGHED),
    ("weights that drown others", {"weight": odd(one, 1e14)}, "weight must be at most 1e.12 times", WEIGHED),
    ("a group without a name", {"group": odd(ROWS["group"], np.nan)}, "group must have no missing values", GROUPED),
    ("a cluster without a name", {"cluster": odd(ROWS["cluster"], np.nan)}, "cluster must have no missing values",
     ("order", "order_by_uno", "drawn", "regression")),
    ("a subject without a name", {"subject": odd(ROWS["subject"], np.nan)}, "subject must have no", ("recurrent",)),
    ("a cause without a name", {"cause": odd(ROWS["cause"], np.nan, int(np.argmax(e)))}, "cause must have no missing",
     ("incidence",)),
    ("one group only", {"group": 0 * ROWS["group"]}, "group must hold at least two groups", ("ranks", "pairs")),
    ("one cluster only", {"cluster": np.zeros(N)}, "cluster must hold at least two clusters", ("drawn", "regression")),
    ("no events", {"event": ~(e | True)}, "event must (hold|leave) at least one",
     ("ranks", "pairs", "incidence", "order", "order_by_uno", "regression")),
    ("a missing risk", {"x": odd(x[:, 0], np.nan)[:, None]}, "(risk|x) must have no missing", (*RISKS, "regression")),
    ("an infinite risk", {"x": odd(x[:, 0], np.inf)[:, None]}, "(risk|x) must be finite", (*RISKS, "regression")),
    ("a covariate that never varies", {"x": x * [1, 0] + 3}, "x must vary in every column, got 'x1", ("regression",)),
    ("columns that determine each other", {"x": x[:, [0, 0]] * [1, -2]},
     "x must have no columns that determine each other, got 'x0, x1'", ("regression",)),
    ("a covariate beyond squares", {"x": x * [1, 1e300]}, "x must spread by .*, got 'x1 from", ("regression",)),
    ("a covariate below squares", {"x": x * [1, 1e-300]}, "x must spread by .*, got 'x1 from", ("regression",)),
    ("nobody to compare with", {"stratum": np.arange(N)}, "x must vary among those at risk together", ("regression",)),
    ("all ended together", {"duration": one, "event": one}, "event must leave at least one pair",
     ("order", "order_by_uno")),
    ("all under watch ended before others came",
     {"duration": 1 + np.arange(N), "event": one, "entry": odd(0 * t + 1.5, 0, 0)}, "entry must not leave a time",
     ("order_by_uno", "squares", "area", "watched")),
    ("stretches that overlap", {"subject": np.zeros(N)}, "entry must not lie inside another stretch", ("recurrent",)),
)  # fmt: skip
NOTHING = {name: value[:0] for name, value in ROWS.items()}
SINGLE = {name: value[:1] for name, value in ROWS.items()}
REFUSED += (("no rows", NOTHING, "must have at least 1 rows, got 0", ALL),)
REFUSED += (
    ("one row", SINGLE, "must (have|hold|leave|vary|not|be) ", ("ranks", "order", "squares", "drawn", "regression")),
)
TAKEN: tuple[tuple[str, Rows, tuple[str, ...]], ...] = (
    ("as they are", {}, ALL),
    ("huge times", {"duration": t * 1e100}, ALL),
    ("tiny times", {"duration": t * 1e-100}, ALL),
    ("times near the end of numbers", {"duration": t * 1e306}, ALL),
    ("times below normal numbers", {"duration": t * 1e-310}, ALL),
    ("times far from 0 that differ little", {"duration": 1e9 + t * 1e-6}, ALL),
    ("huge times, late entries", {"duration": t * 1e100, "entry": t * 0.5e100}, LATE),
    ("tiny times, late entries", {"duration": t * 1e-100, "entry": t * 0.5e-100}, LATE),
    ("huge weights", {"weight": one * 1e100}, WEIGHED),
    ("tiny weights", {"weight": one * 1e-100}, WEIGHED),
    ("late entries", {"entry": np.where(np.arange(N) % 2, 0.3 * t, 0)}, (*LATE, "order_by_uno", "area", "watched")),
    ("weights far apart", {"weight": np.where(np.arange(N) % 2, 1e6, 1e-6)}, WEIGHED),
    ("huge covariates", {"x": x * 1e100}, (*RISKS, "regression")),
    ("tiny covariates", {"x": x * 1e-100}, (*RISKS, "regression")),
    ("huge and tiny covariates", {"x": x * [1e100, 1e-100]}, ("regression",)),
    ("groups of one", {"group": np.arange(N)}, GROUPED),
    ("all ended", {"event": one}, ALL),
    ("nobody ended", {"event": 0 * one}, ("curves", "recurrent", "squares", "area", "watched", "drawn")),
    ("all events tied", {"duration": one, "event": one},
     ("curves", "ranks", "pairs", "incidence", "recurrent", "watched", "drawn", "regression")),
    ("all times tied", {"duration": one},
     ("curves", "ranks", "incidence", "recurrent", "order", "order_by_uno", "watched")),
    ("all times 0", {"duration": 0 * one}, ("ranks", "incidence", "order", "watched", "drawn")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message", "name"),
    [pytest.param(change, message, name, id=f"{what}: {name}") for what, change, message, on in REFUSED for name in on],
)
def test_refused(change: Rows, message: str, name: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        FUNCTIONS[name](ROWS | change)
    assert told.value.argument
    assert told.value.rule


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("change", "name"), [pytest.param(change, name, id=f"{what}: {name}") for what, change, on in TAKEN for name in on]
)
def test_taken_without_a_warning_and_answered_in_numbers(change: Rows, name: str) -> None:
    for value in FUNCTIONS[name](ROWS | change):
        assert np.isfinite(value).all()


@pytest.mark.parametrize("scale", [1e-100, 1e-3, 1e100])
def test_units_change_nothing_but_units(scale: float) -> None:
    found, moved = cox.fit(t, e, x, cluster=ROWS["cluster"]), cox.fit(t * scale, e, x * scale, cluster=ROWS["cluster"])
    np.testing.assert_allclose(moved.coefficients * scale, found.coefficients, rtol=1e-9)
    np.testing.assert_allclose(moved.standard_errors * scale, found.standard_errors, rtol=1e-9)
    weighed = cox.fit(t, e, x, weight=one * scale)
    np.testing.assert_allclose(weighed.coefficients, cox.fit(t, e, x).coefficients, rtol=1e-9)
    first, second = (kaplan_meier(t * s, e)["all"] for s in (1.0, scale))
    np.testing.assert_allclose(second.survival, first.survival, rtol=1e-12)
    np.testing.assert_allclose(
        np.array(second.restricted_mean(3 * scale)) / scale, np.array(first.restricted_mean(3.0)), rtol=1e-12
    )
    for more in ({}, {"weight": one * scale}):
        np.testing.assert_allclose(harrell(t * scale, e, x[:, 0] * scale, **more).value, harrell(t, e, x[:, 0]).value)


def test_what_is_thin_says_so() -> None:
    group = np.where(np.arange(N) < 1, "one", np.where(np.arange(N) < 20, "quiet", "many"))
    event = np.where(group == "quiet", 0, 1)
    words = {"many": "ok", "one": "one member", "quiet": "no events"}
    found = kaplan_meier(t, event, group=group)
    assert dict(zip(found.groups, found.status, strict=True)) == words
    ways = cumulative_incidence(t, event, ROWS["cause"], group=group)
    assert {name: one.status for name, one in ways.items()} == words
    means = mean_cumulative(0 * t, t, event, ROWS["subject"], group=group)
    assert {name: one.status for name, one in means.items()} == words
    never = log_rank.log_rank([1.0, 2.0, 3.0, 4.0], [0, 1, 1, 1], ["gone", "a", "a", "b"])
    assert never.status == ("ok", "ok", "never at risk")


def test_a_covariate_that_separates_is_said_and_nothing_diverges() -> None:
    spared = ~e & (np.arange(N) % 3 == 0)  # none of these ever had the event
    with pytest.warns(FitWarning, match=r"grows without end .*: x0 separates"):
        found = cox.fit(t, e, np.column_stack([spared, x[:, 1]]))
    assert found.unbounded == ("x0",)
    assert found.coefficients[0] == -np.inf
    assert np.isnan(found.standard_errors[0])
    assert np.isfinite(found.loglikelihood)
    with pytest.raises(InputError, match="fit must have finite coefficients only, got 'x0'"):
        cox_residuals.schoenfeld(found, scaled=True)
    with pytest.raises(InputError, match="fit must have finite coefficients only, got 'x0'"):
        cox_residuals.dfbeta(found)
    with pytest.raises(InputError, match="fit must have finite coefficients only, got 'x0'"):
        proportionality.proportionality(found)


def test_rows_of_one_subject_in_any_order_are_the_same_to_the_mean_of_events() -> None:
    entry, exit, event, subject = [0, 2, 5, 0], [2, 5, 9, 8], [1, 1, 0, 0], ["a", "a", "a", "b"]
    found = mean_cumulative(entry, exit, event, subject)["all"]
    again = mean_cumulative(entry[::-1], exit[::-1], event[::-1], subject[::-1])["all"]
    np.testing.assert_array_equal(found.mean, again.mean)
    np.testing.assert_allclose(found.variance, again.variance, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"asset": ["a", None]}, "asset must have no missing values, got '1 missing'"),
        ({"date": ["2001-01-01", None]}, "date must have no missing values"),
        ({"date": ["2001-01-01", "soon"]}, "date must be dates"),
        ({"date": ["1901-01-01", "1902-01-01"]}, "date must have a record from"),
        ({"asset": [], "date": []}, "date must have a record from"),
        ({"asset": ["a"]}, "asset, date must have the same length"),
        ({"end": "1999-01-01"}, "end must be after start"),
        ({"start": "soon"}, "start must be a date"),
        ({"installed": {"a": "2001-06-01"}}, "date must not lie before its asset's installation"),
        ({"removed": {"b": "2001-06-01"}}, "date must not lie after its asset's removal"),
    ],
)
def test_records_that_cannot_be(change: Rows, message: str) -> None:
    given: Rows = {
        "asset": ["a", "b"],
        "date": ["2001-01-01", "2002-01-01"],
        "start": "2000-01-01",
        "end": "2005-01-01",
    }
    with pytest.raises(InputError, match=message):
        gap_times(**given | change)


def test_heaps_of_no_dates_are_none() -> None:
    assert heaps(np.zeros(0, dtype="datetime64[D]")).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coefficients": [1.0, np.nan]}, "coefficients must have no missing values"),
        ({"coefficients": [1.0, np.inf]}, "coefficients must be finite"),
        ({"coefficients": []}, "coefficients must have at least 1 rows"),
        ({"coefficients": [1.0]}, "coefficients must go with a square covariance and one name more"),
        ({"covariance": [[1.0, np.nan], [np.nan, 1.0]]}, "covariance must have no missing values"),
        ({"covariance": [[1.0, 0.0], [0.0, 0.0]]}, "covariance must have variances above 0"),
        ({"covariance": [[1.0, 0.5], [0.1, 1.0]]}, "covariance must be symmetric"),
        ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, "covariance must be positive definite, got '-1 as its smallest"),
        ({"covariance": [[1.0, 1.0], [1.0, 1.0]]}, "covariance must be positive definite"),
        ({"names": ["a", "a", "b"]}, "names must have no duplicates"),
        ({"weights": [1.0, 0.0, 0.0]}, "weights must be above 0 for two groups at least, got 'a only'"),
        ({"weights": [1.0, -1.0, 1.0]}, "weights must be at least 0"),
        ({"weights": [0.0, 0.0, 0.0]}, "weights must be 3 numbers of 0 or more"),
    ],
)
def test_groups_that_cannot_be_held_to_their_average(change: Rows, message: str) -> None:
    given: Rows = {"coefficients": [1.0, 2.0], "covariance": np.eye(2), "names": ["a", "b", "c"]}
    with pytest.raises(InputError, match=message):
        against_average(**given | change, generator=seeds.generator(0))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-100, 1e100])
def test_groups_in_any_unit_are_as_far_apart(scale: float) -> None:
    found, moved = (
        against_average([1.0 * s, 2.0 * s], np.eye(2) * s**2, ["a", "b", "c"], generator=seeds.generator(0), draws=1000)
        for s in (1.0, scale)
    )
    np.testing.assert_allclose(moved.estimate / scale, found.estimate, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moved.p_value, found.p_value, rtol=1e-10)
    np.testing.assert_allclose((moved.critical, moved.joint), (found.critical, found.joint), rtol=1e-10)


@pytest.mark.filterwarnings("error")
def test_mixes_of_strata() -> None:
    base = cox_residuals.baseline(cox.fit(t, e, x, stratum=ROWS["group"]))
    mix = {"0": 1.0, "1": 2.0, "2": 1.0}
    for change, message in (
        ({"mix": {}}, "mix must have a share above 0"),
        ({"mix": {"0": -1.0}}, "mix must be at least 0"),
        ({"mix": {"0": np.nan}}, "mix must have no missing values"),
        ({"time": [np.nan]}, "time must have no missing values"),
        ({"log_ratio": [0.0, 1.0, 2.0]}, "log_ratio must be one number, or one for each of 2 times"),
        ({"log_ratio": np.inf}, "log_ratio must be finite"),
    ):
        given: Rows = {"mix": mix, "time": [1.0, 2.0]} | change
        with pytest.raises(InputError, match=message):
            standardised.survival(base, **given)
    curve = standardised.survival(base, mix, [0.0, 50.0], log_ratio=[1e3, -1e3])
    np.testing.assert_allclose(curve, 1.0)
    assert standardised.quantile(base, mix, 0.5, log_ratio=[-1e3, 1e3])[0] == np.inf
