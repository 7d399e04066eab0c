"""Kaplan-Meier against R, lifelines, its plain form and closed forms."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import InputError, UnknownNameError
from citylib.survival.kaplan_meier import kaplan_meier, plain

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "kaplan_meier.json").read_text())
GROUPS = tuple(REFERENCE["curves"])


def numbers(values: list[float | None]) -> np.ndarray[Any, Any]:
    return np.array([np.nan if v is None else v for v in values])


@pytest.fixture(scope="module")
def curves() -> Any:
    return kaplan_meier(REFERENCE["duration"], REFERENCE["event"], group=REFERENCE["group"])


@pytest.mark.parametrize("group", GROUPS)
def test_equals_r(curves: Any, group: str) -> None:
    ours, r = curves[group], REFERENCE["curves"][group]
    np.testing.assert_array_equal(ours.time, r["time"])
    np.testing.assert_array_equal(ours.at_risk, r["at_risk"])
    np.testing.assert_array_equal(ours.events, r["events"])
    np.testing.assert_allclose(ours.survival, r["survival"], rtol=0, atol=1e-12)
    std = numbers(r["std_log"])
    np.testing.assert_allclose(np.sqrt(ours.greenwood)[~np.isnan(std)], std[~np.isnan(std)], rtol=1e-12)
    np.testing.assert_allclose(ours.lower, _one_before_events(r["lower"], r["survival"]), rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.upper, _one_before_events(r["upper"], r["survival"]), rtol=0, atol=1e-12)
    assert (ours.median, *ours.quantile_interval(0.5)) == tuple(math.inf if v is None else v for v in r["median"])
    np.testing.assert_allclose(ours.restricted_mean(10.0), r["rmean10"], rtol=1e-12)


def _one_before_events(band: list[float | None], survival: list[float]) -> np.ndarray[Any, Any]:
    """R leaves the band empty where nothing has ended yet; ours is 1 there."""
    return np.where(np.array(survival) == 1, 1.0, numbers(band))


def test_quantile_is_the_first_time_where_r_takes_the_middle_of_a_flat_stretch(curves: Any) -> None:
    for group in GROUPS:
        ours, r = curves[group], REFERENCE["curves"][group]["quarter"]
        if (ours.survival == 0.75).any():
            flat = ours.time[np.searchsorted(-ours.survival, -0.75) :][:2]
            assert (ours.quantile(0.25), flat.mean()) == (flat[0], r[0])
        else:
            assert ours.quantile(0.25) == r[0]


@pytest.mark.parametrize("group", GROUPS)
def test_equals_lifelines(curves: Any, group: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lifelines' own deprecations at import are not ours
        from lifelines import KaplanMeierFitter
    keep = np.array(REFERENCE["group"]) == group
    t, e = np.array(REFERENCE["duration"], dtype=float)[keep], np.array(REFERENCE["event"])[keep]
    theirs = KaplanMeierFitter().fit(t, e)
    ours = curves[group]
    np.testing.assert_allclose(ours.at(ours.time), theirs.predict(ours.time).to_numpy(), rtol=0, atol=1e-12)
    band = theirs.confidence_interval_.loc[ours.time].to_numpy()
    inner = (ours.survival > 0) & (ours.survival < 1)
    np.testing.assert_allclose(np.column_stack([ours.lower, ours.upper])[inner], band[inner], rtol=0, atol=1e-10)
    assert ours.median == theirs.median_survival_time_


durations = st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from("xyz")), min_size=1, max_size=60)


@given(durations)
def test_equals_the_plain_form_group_by_group(rows: list[tuple[int, bool, str]]) -> None:
    t, e, g = (np.array(column) for column in zip(*rows, strict=True))
    for curve in kaplan_meier(t, e, group=g):
        time, survival, greenwood = plain(t[g == curve.group], e[g == curve.group])
        np.testing.assert_array_equal(curve.time, time)
        np.testing.assert_allclose(curve.survival, survival, atol=1e-12)
        np.testing.assert_allclose(curve.greenwood, greenwood, rtol=1e-10)


@given(durations)
def test_laws(rows: list[tuple[int, bool, str]]) -> None:
    t, e, _ = (np.array(column) for column in zip(*rows, strict=True))
    curve = kaplan_meier(t, e)["all"]
    assert (np.diff(np.append(1.0, curve.survival)) <= 0).all()
    inner = (curve.survival > 0) & (curve.survival < 1)
    assert (curve.lower[inner] < curve.survival[inner]).all()
    assert (curve.survival[inner] < curve.upper[inner]).all()
    assert curve.events.sum() == e.sum()
    assert (curve.events + curve.censored).sum() == len(t)


def test_without_censoring_it_is_the_share_still_going() -> None:
    t = np.random.default_rng(1).exponential(3.0, 500)
    curve = kaplan_meier(t, np.ones(500))["all"]
    when = np.linspace(0, 8, 33)
    share = (t[:, None] > when).mean(axis=0)
    np.testing.assert_allclose(curve.at(when), share, atol=1e-12)
    inner = share[-2] * (1 - share[-2]) / 500
    at = np.searchsorted(curve.time, when[-2], side="right") - 1
    np.testing.assert_allclose(curve.variance[at], inner, rtol=1e-10)  # Greenwood is binomial then
    np.testing.assert_allclose(curve.restricted_mean(4.0)[0], np.minimum(t, 4.0).mean(), rtol=1e-12)


def test_restricted_mean_after_the_last_one_ended() -> None:
    curve = kaplan_meier([1.0, 2.0], [True, True])["all"]
    assert curve.restricted_mean(9.0)[0] == 1.5
    np.testing.assert_allclose(curve.restricted_mean(9.0)[1], math.sqrt(0.5**2 / 2), rtol=1e-12)


def test_reading_a_curve() -> None:
    curve = kaplan_meier([1.0, 2.0, 2.0, 4.0], [True, True, False, False])["all"]
    np.testing.assert_array_equal(curve.at([0.0, 1.0, 3.0, 5.0]), [1.0, 0.75, 0.5, np.nan])
    assert curve.at_risk_at([0.0, 1.0, 1.5, 4.0, 4.5]).tolist() == [4, 4, 3, 1, 0]
    assert curve.quantile(0.9) == math.inf
    assert curve.quantile_interval(0.5)[1] == math.inf
    low, high = curve.band_at([0.5, 1.0])
    assert low[0] == high[0] == 1.0
    assert low[1] < 0.75 < high[1]


def test_band_covers_the_truth_about_as_often_as_it_claims() -> None:
    draw = np.random.default_rng(8)
    hits, runs = 0, 400
    for _ in range(runs):
        life, watched = draw.exponential(1.0, 120), draw.uniform(0.2, 3.0, 120)
        curve = kaplan_meier(np.minimum(life, watched), life <= watched)["all"]
        low, high = curve.band_at([0.7])
        hits += bool(low[0] <= math.exp(-0.7) <= high[0])
    # 99.9 % binomial band around 0.95 of 400 runs: 0.95 +- 3.3 * 0.0109
    assert abs(hits / runs - 0.95) < 0.036


@pytest.mark.parametrize(
    ("duration", "event", "message"),
    [
        ([], [], "duration must have at least 1 rows"),
        ([1.0, -2.0], [1, 1], "duration must be at least 0, got '-2, first at row 1'"),
        ([1.0, math.nan], [1, 1], "duration must have no missing values"),
        ([1.0, 2.0], [1], "must have the same length"),
        ([1.0, 2.0], [1, 2], "event must hold only 0 and 1"),
    ],
)
def test_refusals(duration: list[float], event: list[int], message: str) -> None:
    for function in (kaplan_meier, plain):
        with pytest.raises(InputError, match=message):
            function(duration, event)


def test_refusals_of_a_curve() -> None:
    curves = kaplan_meier([1.0, 2.0], [True, False], group=["cast iron", "cast iron"])
    with pytest.raises(UnknownNameError, match="did you mean 'cast iron'"):
        curves["cast irn"]
    assert len(curves) == 1
    with pytest.raises(InputError, match="until must be at most the last time watched, 2, got"):
        curves["cast iron"].restricted_mean(3.0)
    with pytest.raises(InputError, match="share must lie between 0 and 1"):
        curves["cast iron"].quantile(1.0)
