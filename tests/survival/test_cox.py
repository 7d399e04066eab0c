"""Cox regression: laws it must keep, planted truth, and what it refuses or warns of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib.errors import FitWarning, InputError, UnknownNameError
from citylib.survival import cox, cox_residuals, proportionality
from citylib.survival.cox_plain import Plain

close = np.testing.assert_allclose
COEFFICIENTS = np.array([0.6, -0.4, 0.0])


def city(rows: int, seed: int, *, whole: bool = True) -> dict[str, Any]:
    """Return durations in whole years (or not) whose hazard is known."""
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((rows, 3))
    x[:, 1] = x[:, 1] > 0.4
    life = 20 * generator.exponential(np.exp(-x @ COEFFICIENTS))
    watched = generator.uniform(1, 40, rows)
    stop = np.minimum(life, watched)
    return {"stop": np.ceil(stop) if whole else stop, "event": life <= watched, "x": x}


def like(one: cox.CoxFit, two: cox.CoxFit, *, tolerance: float = 1e-9) -> None:
    close(one.coefficients, two.coefficients, rtol=0, atol=tolerance)
    close(one.standard_errors, two.standard_errors, rtol=1e-7)


def test_finds_what_was_planted_whatever_the_times_look_like() -> None:
    for whole in (True, False):
        found = cox.fit(**city(40_000, 1, whole=whole))
        assert (np.abs(found.coefficients - COEFFICIENTS) < 4 * found.standard_errors).all()
        assert found.standard_errors.max() < 0.02


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_equals_its_plain_form_with_and_without_ties(whole: bool, ties: str) -> None:
    data = city(150, 2, whole=whole)
    beta, covariance = Plain(**data, efron=ties == "efron").fit(steps=10)
    found = cox.fit(**data, ties=ties)
    close(found.coefficients, beta, rtol=0, atol=1e-12)
    close(found.covariance, covariance, rtol=0, atol=1e-10)


def test_many_rows_which_begin_with_a_part_of_them_come_out_where_a_climb_from_zero_does() -> None:
    data = city(17_000, 3)
    half = 8_500
    weighed = cox.fit(**data, ridge=1.0, stratum=np.arange(17_000) % 3)
    rows = {key: value[:half] for key, value in data.items()}
    few = cox.fit(**rows, ties="breslow")
    many = cox.fit(**{k: np.concatenate([v, v]) for k, v in rows.items()}, ties="breslow")
    close(many.coefficients, few.coefficients, rtol=0, atol=1e-9)
    close(many.covariance * 2, few.covariance, rtol=1e-7)
    # the gradient of the penalised likelihood is 0 at its top
    close(cox_residuals.score(weighed).sum(axis=0), weighed.coefficients, rtol=0, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.floats(0.05, 0.95), ties=st.sampled_from(["efron", "breslow"]))
def test_nothing_changes_when_rows_are_shuffled_or_cut_in_two(seed: int, cut: float, ties: str) -> None:
    data = city(60, seed % 40)
    data["event"][:5] = True
    entry = np.zeros(60)
    found = cox.fit(**data, entry=entry, ties=ties)
    order = np.random.default_rng(seed).permutation(60)
    like(found, cox.fit(**{k: v[order] for k, v in data.items()}, ties=ties))
    # a row cut anywhere says the same as the whole, also at a time of events
    at = data["stop"] * cut if seed % 2 else np.floor(data["stop"] * cut)
    two = at > 0
    cut_rows = {
        "stop": np.concatenate([np.where(two, at, data["stop"]), data["stop"][two]]),
        "event": np.concatenate([data["event"] & ~two, data["event"][two]]),
        "x": np.concatenate([data["x"], data["x"][two]]),
    }
    whose = np.concatenate([np.arange(60), np.flatnonzero(two)])
    halves = cox.fit(
        **cut_rows, entry=np.concatenate([entry, at[two]]), ties=ties,
        subject=whose, cluster=whose,
    )  # fmt: skip
    whole = cox.fit(**data, ties=ties, cluster=np.arange(60))
    like(whole, halves)
    close(whole.loglikelihood, halves.loglikelihood, rtol=1e-11)
    together = np.bincount(whose, weights=cox_residuals.martingale(halves))
    close(together, cox_residuals.martingale(whole), rtol=0, atol=1e-9)


def test_laws_of_units_weights_and_strata() -> None:
    data = city(400, 5)
    found = cox.fit(**data)
    moved = data | {"x": data["x"] * [1e-9, 1e6, 3] + [1e-6, 1997e6, 0]}
    units = cox.fit(**moved)
    close(units.coefficients * [1e-9, 1e6, 3], found.coefficients, rtol=0, atol=1e-9)
    later = cox.fit(data["stop"] * 7 + 1900, data["event"], data["x"], entry=np.full(400, 1900.0))
    like(found, later)
    twice = {k: np.concatenate([v, v]) for k, v in data.items()}
    weighed, doubled = cox.fit(**data, ties="breslow", weight=np.full(400, 2.0)), cox.fit(**twice, ties="breslow")
    like(weighed, doubled)
    apart = cox.fit(**twice, stratum=np.repeat(["a", "b"], 400))
    close(apart.coefficients, found.coefficients, rtol=0, atol=1e-9)
    close(apart.covariance * 2, found.covariance, rtol=1e-7)
    lonely = {k: np.concatenate([v, v[:1]]) for k, v in data.items()}
    like(found, cox.fit(**lonely, stratum=np.append(np.repeat("many", 400), "one")))


def test_more_strata_and_wider_times_than_a_table_holds() -> None:
    data = city(300, 6)
    stratum = np.arange(300) // 5
    found = cox.fit(**data, stratum=stratum)
    wide = cox.fit(data["stop"] * 1e9 + 0.5, data["event"], data["x"], stratum=stratum * 1_000)
    like(found, wide)
    assert not cox_residuals.baseline(found).at([0.0], stratum="7").any()


def test_residuals_add_up() -> None:
    data = city(500, 7)
    late = np.floor(data["stop"] * 0.5)
    found = cox.fit(**data, entry=late, stratum=np.arange(500) % 2, names=["size", "iron", "slope"])
    close(cox_residuals.martingale(found).sum(), 0, atol=1e-8)
    close(cox_residuals.score(found).sum(axis=0), 0, atol=1e-6)
    left = cox_residuals.schoenfeld(found)
    close(left.residuals.sum(axis=0), 0, atol=1e-6)
    close(cox_residuals.schoenfeld(found, scaled=True).residuals.mean(axis=0), found.coefficients, atol=1e-8)
    base = cox_residuals.baseline(found, [0, 1, 0])
    assert base.to_frame().groupby("stratum")["cumulative"].is_monotonic_increasing.all()
    close(base.hazard, cox_residuals.baseline(found).hazard * found.hazard_ratios[1])
    assert ((base.survival > 0) & (base.survival < 1)).all()
    low, high = found.interval(level=0.9)
    frame = found.to_frame(level=0.9)
    close(frame["lower"], np.exp(low))
    close(frame["upper"], np.exp(high))
    assert frame.index.tolist() == ["size", "iron", "slope"]


def test_a_coefficient_that_turns_with_time_is_found_and_one_that_does_not_is_not() -> None:
    generator = np.random.default_rng(8)
    x = generator.standard_normal((4_000, 2))
    early = generator.exponential(np.exp(-x @ [1.0, 0.5]))
    late = 1 + generator.exponential(np.exp(-x @ [-0.5, 0.5]))
    life = np.where(early < 1, early, late)
    found = proportionality.proportionality(cox.fit(life, np.ones(4_000), x))
    assert found.p[0] < 1e-8
    assert found.joint_p < 1e-8
    assert found.p[1] > 1e-3


@pytest.mark.parametrize("rows", [60, 20_000])
def test_a_monotone_likelihood_is_said(rows: int) -> None:
    data = city(rows, 9)
    data["x"][:, 1] = ~data["event"] & (np.arange(rows) % 3 == 0)  # such a one never had the event
    with pytest.warns(FitWarning, match="grows without end.*spared separates"):
        found = cox.fit(**data, names=["size", "spared", "slope"], cluster=np.arange(rows))
    assert found.unbounded == ("spared",)
    assert found.coefficients[1] == -np.inf
    assert found.hazard_ratios[1] == 0
    assert np.isnan(found.standard_errors[1])
    assert np.isfinite(found.reached).all()
    assert np.isfinite(cox_residuals.martingale(found)).all()
    # the others are what they are without those rows
    kept = data["x"][:, 1] == 0
    without = cox.fit(data["stop"][kept], data["event"][kept], data["x"][kept][:, [0, 2]])
    close(found.coefficients[[0, 2]], without.coefficients, rtol=0, atol=1e-6)
    close(np.sqrt(np.diag(found.covariance))[[0, 2]], without.standard_errors, rtol=1e-4)
    with pytest.raises(InputError, match="fit must have finite coefficients only, got 'spared'"):
        proportionality.proportionality(found)
    assert np.isfinite(cox.fit(**data, ridge=0.5).coefficients).all()


def test_covariates_that_separate_only_together_are_named_together() -> None:
    stop = np.arange(1.0, 41)
    x = np.random.default_rng(10).standard_normal((40, 3))
    x[:, 2] = -stop / 10 - x[:, 1]  # the sum of two columns orders the events
    with pytest.warns(FitWarning, match="b, c separates"):
        found = cox.fit(stop, np.ones(40), pd.DataFrame(x, columns=["a", "b", "c"]))
    assert set(found.unbounded) >= {"b", "c"}


def refused(match: str, **changes: Any) -> None:
    data: dict[str, Any] = city(30, 11) | {"names": ["size", "iron", "slope"]}
    with pytest.raises(InputError, match=match):
        cox.fit(**data | changes)


def test_bad_input_is_refused_with_argument_rule_and_value() -> None:
    data = city(30, 11)
    stop, event, x = data["stop"], data["event"], data["x"]
    odd = lambda a, value: np.where(np.arange(30) == 4, value, a)  # noqa: E731
    refused(r"stop must be at least 0, got '-1, first at row 4'", stop=odd(stop, -1))
    refused(r"stop must have no missing values", stop=odd(stop, np.nan))
    refused(
        r"entry must be before stop, got '1 row\(s\) of no or negative length, first row 4", entry=odd(0 * stop, stop)
    )
    refused(r"event must hold at least one event, got 'none in 30 rows'", event=np.zeros(30))
    refused(r"event must hold only 0 and 1", event=odd(event, 2))
    refused(r"weight must be above 0, got '1 row\(s\), first 0 at row 4'", weight=odd(np.ones(30), 0))
    refused(r"weight must have no missing", weight=odd(np.ones(30), np.nan))
    refused(r"x must have no missing", x=np.where(x == x[3, 1], np.nan, x))
    refused(r"x must vary in every column, got 'iron is 3 throughout'", x=np.where([0, 1, 0], 3.0, x))
    refused(r"must have the same length", weight=np.ones(29))
    refused(r"names must name the 3 columns", names=["a"])
    refused(r"names must have no duplicates", names=["a", "a", "b"])
    refused(r"x must have at least one column", x=np.empty((30, 0)), names=None)
    refused(r"ridge must be at least 0", ridge=-1)
    refused(r"cluster must hold at least two clusters", cluster=np.zeros(30))
    refused(r"stratum must have no missing values", stratum=np.where(np.arange(30) == 4, None, "a"))
    refused(r"stratum must have 1 dimension", stratum=np.zeros((30, 1)))
    with pytest.raises(
        UnknownNameError, match="ties must be one of: efron, breslow, got 'efrom'; did you mean 'efron'"
    ):
        cox.fit(**data, ties="efrom")


def test_dependent_columns_are_named() -> None:
    data = city(500, 12)
    x, names = data["x"], ["size", "iron", "slope", "copy"]
    for copy in (x[:, 0] + 2 * x[:, 1] - 5, x[:, 0] * 1e6 + 3, x[:, 1] - x[:, 0]):
        dependent = data | {"x": np.column_stack([x, copy])}
        with pytest.raises(InputError, match=r"x must have no columns that determine each other, got '.*copy'") as told:
            cox.fit(**dependent, names=names)
        assert "size" in str(told.value)
        assert "slope" not in str(told.value)
        assert np.isfinite(cox.fit(**dependent, ridge=1e-3).coefficients).all()
    stratum = np.arange(500) % 4
    with pytest.raises(InputError, match="x must vary among those at risk together, got 'copy'"):
        cox.fit(**data | {"x": np.column_stack([x, stratum])}, names=names, stratum=stratum)
    with pytest.raises(InputError, match="x must vary among those at risk together, got 'x0, x1, x2'"):
        cox.fit(**data, stratum=np.arange(500))  # nobody is at risk with anybody


def test_rows_of_one_subject_follow_each_other() -> None:
    x = [[0.0], [1.0], [2.0], [0.5]]
    given: dict[str, Any] = {"event": [0, 1, 1, 0], "x": x, "subject": ["a", "a", "b", "b"]}
    with pytest.raises(
        InputError, match=r"subject must have rows that do not overlap.*first a: row 0 is \(0, 3\], row 1 is \(2, 5\]"
    ):
        cox.fit([3, 5, 4, 9], entry=[0, 2, 0, 4], **given)
    with pytest.raises(InputError, match=r"subject must have its rows in order of time.*first b: row 2 is \(4, 9\]"):
        cox.fit([3, 5, 9, 4], entry=[0, 3, 4, 0], **given)
    with pytest.raises(InputError, match=r"one row each where no entry is given.*a in rows 0 and 1.*cluster instead"):
        cox.fit([3, 5, 4, 9], **given)
    assert cox.fit([3, 5, 4, 9], entry=[0, 3, 0, 4], **given, ridge=1.0).steps > 0


def test_what_the_test_of_proportionality_and_the_baseline_refuse() -> None:
    data = city(50, 13)
    found = cox.fit(**data)
    with pytest.raises(UnknownNameError):
        proportionality.proportionality(found, transform="sqrt")
    with pytest.raises(InputError, match="x must have a value for each of x0, x1, x2, got 2"):
        cox_residuals.baseline(found, [0, 1])
    with pytest.raises(InputError, match="at or before 0"):
        proportionality.proportionality(
            cox.fit(data["stop"] - data["stop"].min(), data["event"], data["x"]), transform="log"
        )
    with pytest.raises(InputError, match="events at two times"):
        proportionality.proportionality(cox.fit(np.ones(50), data["event"], data["x"]))
