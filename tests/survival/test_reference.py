"""Curves, log-rank tests, concordance, incidence and recurrent events against R's survival."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citylib.survival.concordance import harrell, uno
from citylib.survival.cumulative_incidence import cumulative_incidence
from citylib.survival.kaplan_meier import kaplan_meier
from citylib.survival.log_rank import log_rank, pairwise
from citylib.survival.mean_cumulative import mean_cumulative

R = json.loads((Path(__file__).parents[1] / "reference" / "survival_curves.json").read_text())
Array = np.ndarray[Any, Any]


def numbers(values: list[float | None]) -> Array:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def column(name: str) -> Array:
    return np.array(R[name])


def extras(kind: str) -> dict[str, Array]:
    given = {"entry": column("entry"), "weight": column("weight")}
    return {name: value for name, value in given.items() if name in kind or kind == "both"}


@pytest.mark.parametrize("kind", ["entry", "weight", "both"])
@pytest.mark.parametrize("group", ["iron", "plastic", "steel"])
def test_curves_with_delayed_entry_and_weights(group: str, kind: str) -> None:
    curve = kaplan_meier(column("exit"), column("event"), group=column("group"), **extras(kind))[group]
    r = R["curves"][f"{group} {kind}"]
    at = np.isin(r["time"], curve.time)  # R lists times of entry too
    np.testing.assert_array_equal(curve.time, np.array(r["time"])[at])
    for ours, name in ((curve.at_risk, "at_risk"), (curve.events, "events"), (curve.survival, "survival")):
        np.testing.assert_allclose(ours, numbers(r[name])[at], rtol=0, atol=1e-12)
    inner = (curve.survival > 0) & (curve.survival < 1)
    for ours, name in ((np.sqrt(curve.greenwood), "std_log"), (curve.lower, "lower"), (curve.upper, "upper")):
        np.testing.assert_allclose(ours[inner], numbers(r[name])[at][inner], rtol=1e-12)
    np.testing.assert_allclose(curve.cumulative_hazard, numbers(r["hazard"])[at], rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(curve.hazard_variance), numbers(r["std_hazard"])[at], rtol=1e-12)
    median, low, high = (math.inf if v is None else v for v in r["median"])
    assert (curve.median, curve.quantile_interval(0.5)[1]) == (median, high)
    if (np.diff(curve.lower[inner]) <= 0).all():
        assert curve.quantile_interval(0.5)[0] == low
    else:  # few at risk early: the band dips below one half and comes back; ours takes the first crossing
        assert curve.quantile_interval(0.5)[0] <= low
    np.testing.assert_allclose(curve.restricted_mean(9.0), r["rmean9"], rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("log-rank", {}),
        ("fleming-harrington", {"weighting": "fleming-harrington"}),
        ("fleming-harrington half", {"weighting": "fleming-harrington", "power": (0.5, 0.0)}),
        ("stratified", {"strata": column("layer")}),
        ("stratified fleming-harrington", {"weighting": "fleming-harrington", "strata": column("layer")}),
    ],
)
def test_log_rank(name: str, how: dict[str, Any]) -> None:
    found, r = log_rank(column("exit"), column("event"), column("group"), **how), R["log_rank"][name]
    np.testing.assert_allclose(found.observed, r["observed"], rtol=1e-12)
    np.testing.assert_allclose(found.expected, r["expected"], rtol=1e-12)
    np.testing.assert_allclose(found.variance.ravel(), r["variance"], rtol=1e-11)
    np.testing.assert_allclose(found.statistic, r["statistic"], rtol=1e-11)
    assert found.freedom == 2


def test_a_pair_is_tested_as_if_the_others_were_not_there() -> None:
    found = pairwise(column("exit"), column("event"), column("group"))
    assert (found.first[0], found.second[0]) == ("iron", "plastic")
    np.testing.assert_allclose(found.statistic[0], R["log_rank"]["iron and plastic"]["statistic"], rtol=1e-11)


@pytest.mark.parametrize("kind", ["plain", "weight", "entry", "entry weight", "cluster", "uno"])
def test_concordance(kind: str) -> None:
    given = (column("exit"), column("event"), column("risk"))
    if kind == "uno":
        found = uno(*given, until=15)
    else:
        more = {"cluster": column("cluster")} if kind == "cluster" else {}
        found = harrell(*given, **extras(kind), **more)
    r = R["concordance"][kind]
    np.testing.assert_allclose(found.value, r["value"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.error, r["error"], rtol=1e-10)
    np.testing.assert_allclose((found.concordant, found.discordant, found.tied), r["counts"], rtol=1e-10)


@pytest.mark.parametrize("kind", ["plain", "entry", "weight", "both"])
def test_incidence(kind: str) -> None:
    found = cumulative_incidence(column("exit"), column("event"), column("cause"), **extras(kind))["all"]
    r = R["incidence"][kind]
    at = np.isin(r["time"], found.time)
    for c, cause in enumerate(("corrosion", "frost")):
        np.testing.assert_allclose(found.incidence[:, c], numbers(r[cause])[at], rtol=0, atol=1e-12)
        deviation = numbers(r[f"std_{cause}"])[at]
        np.testing.assert_allclose(np.sqrt(found.variance[:, c]), deviation, rtol=1e-9)


def test_recurrent_events() -> None:
    r = R["recurrent"]
    found = mean_cumulative(r["entry"], r["exit"], r["event"], r["subject"])["all"]
    at = np.isin(r["time"], found.time)
    np.testing.assert_array_equal(found.at_risk, np.array(r["at_risk"])[at])
    np.testing.assert_allclose(found.mean, np.array(r["mean"])[at], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.sqrt(found.variance), np.array(r["std"])[at], rtol=1e-9)
