"""Rises are found, calm weeks are left alone, and the exact test is the law it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from citylib import seeds
from citylib.errors import InputError
from citylib.regression import rises

NAMES = [f"type {k}" for k in range(30)]


def calm(scatter: float = 0.1, weeks: int = 46, key: int = 0) -> pd.DataFrame:
    draw = seeds.generator(key, "calm")
    mean = draw.uniform(1, 60, len(NAMES))
    return pd.DataFrame(draw.poisson(draw.gamma(1 / scatter, scatter, (weeks, len(NAMES))) * mean), columns=NAMES)


@pytest.mark.parametrize(("count", "total", "scatter"), [(1, 1, 0.5), (7, 30, 0.2), (40, 90, 1.5), (0, 5, 1.0)])
def test_the_tail_is_beta_binomial(count: int, total: int, scatter: float) -> None:
    r = 1 / scatter
    peer = stats.betabinom.sf(count - 1, total, r, 8 * r)
    assert rises.upper_tail(count, total, weeks=8, dispersion=scatter) == pytest.approx(peer, rel=1e-9)


def test_without_scatter_it_is_binomial() -> None:
    ours = rises.upper_tail(12, 50, weeks=8, dispersion=1e-7)
    assert ours == pytest.approx(stats.binom.sf(11, 50, 1 / 9), rel=1e-4)


def test_the_exact_test_keeps_its_level_whatever_the_mean() -> None:
    draw = seeds.generator(0, "level")
    for mean in (0.5, 5.0, 200.0):
        counts = draw.poisson(draw.gamma(5, 0.2, (2000, 9)) * mean)
        p = [rises.upper_tail(int(c[-1]), int(c.sum()), weeks=8, dispersion=0.2) for c in counts]
        assert np.mean(np.array(p) <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_dispersion_is_found_and_leans_on_the_others() -> None:
    known = rises.dispersion(calm(0.2, weeks=180), weeks=8)
    assert np.median(known) == pytest.approx(0.2, abs=0.05)
    alone, leaning = (rises.dispersion(calm(0.2, weeks=27), weeks=8, lean=lean) for lean in (0.0, 30.0))
    assert np.log(leaning).std() < 0.5 * np.log(alone).std()


def test_a_rise_is_reported_first_and_calm_weeks_hardly_ever() -> None:
    counts = calm()
    assert not rises.rose(counts)["reported"].any()
    counts.iloc[-1, 3] += 8 * int(counts.iloc[-9:-1, 3].mean() + 5)
    found = rises.rose(counts)
    assert found.index[0] == NAMES[3]
    assert found["reported"].sum() == 1
    share, error = rises.false_alarms([20.0] * 20, [0.1] * 20, history=40, generator=seeds.generator(1), worlds=200)
    assert share <= 0.05 + 3 * error


def test_many_types_need_more() -> None:
    alone = pd.DataFrame({"a": [10] * 8 + [21]})
    crowd = pd.DataFrame({"a": [10] * 8 + [21], **{f"b{k}": [10] * 9 for k in range(60)}})
    scatter = 0.001
    assert rises.rose(alone, dispersion=[scatter])["reported"].all()
    assert not rises.rose(crowd, dispersion=[scatter] * 61)["reported"].any()


def test_the_smallest_reportable_count() -> None:
    counts = calm()
    found = rises.rose(counts)
    least = rises.reportable(found, weeks=8, level=0.05)
    name, scatter = found.index[-1], found["dispersion"].reindex(counts.columns).to_numpy()
    for count, reported in ((least[name], True), (least[name] - 1, False)):
        counts.loc[counts.index[-1], name] = count
        assert rises.rose(counts, dispersion=scatter).loc[name, "reported"] == reported


def test_a_type_that_never_came_is_calm() -> None:
    counts = calm(weeks=30)
    counts["none"] = 0
    found = rises.rose(counts)
    assert found.loc["none", "p_value"] == 1
    assert not found.loc["none", "reported"]


@pytest.mark.parametrize(
    ("counts", "match"),
    [
        (pd.DataFrame({"a": [1, 2, 3]}), "at least 9 weeks"),
        (pd.DataFrame({"a": [1.5] * 12}), "whole numbers"),
        (pd.DataFrame({"a": [-1] * 12}), "whole numbers"),
    ],
)
def test_refusals(counts: pd.DataFrame, match: str) -> None:
    with pytest.raises(InputError, match=match):
        rises.rose(counts)


def test_dispersion_must_be_above_zero() -> None:
    with pytest.raises(InputError, match="dispersion"):
        rises.rose(pd.DataFrame({"a": [1] * 12}), dispersion=[0.0])


@pytest.mark.parametrize(
    ("argument", "given"),
    [("total", {"total": 3}), ("count", {"count": -1}), ("weeks", {"weeks": 0}), ("dispersion", {"dispersion": 0.0})],
)
def test_a_tail_of_nothing_is_refused(argument: str, given: dict[str, float]) -> None:
    asked: dict[str, Any] = {"count": 5, "total": 20, "weeks": 8, "dispersion": 0.1} | given
    with pytest.raises(InputError, match=argument):
        rises.upper_tail(asked.pop("count"), asked.pop("total"), **asked)
