"""The bars of the Cox benchmark can fail, and its rows are what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks import survival


def measured(**changes: Any) -> dict[str, Any]:
    one = {"rows": 100_000, "citylib": [0.02] * 5, "lifelines": [0.4] * 5, "R": [1.0] * 5, "apart": [1e-12, 1e-11]}
    return {"100000": one | changes}


def test_speed_and_agreement_are_held_against_all_peers() -> None:
    judge = survival.judge(10, ("lifelines", "R"))
    assert judge(measured()).ok
    assert not judge(measured(citylib=[0.05] * 5)).ok
    assert not judge(measured(citylib=[0.02] * 3)).ok, "a median of five"
    assert not judge(measured(apart=[1e-12, 2e-8])).ok
    assert not judge({"100000": {k: v for k, v in measured()["100000"].items() if k not in ("R", "apart")}}).ok
    assert not survival.judge_ties(measured(statsmodels=[1.0])).ok, "all three sizes"
    every = {size: measured(statsmodels=[1.0])["100000"] for size in ("10000", "100000", "1000000")}
    assert survival.judge_ties(every).ok
    assert survival.judge_memory({"above": [10**8], "design": 8 * 10**7, "rows": 10**6}).ok
    assert not survival.judge_memory({"above": [3 * 10**8], "design": 8 * 10**7, "rows": 10**6}).ok


@pytest.mark.parametrize("late", [True, False])
def test_rows_are_heavily_tied_and_enter_before_they_leave(late: bool) -> None:
    data = survival.durations(2_000, late=late, strata=True)
    assert len(np.unique(data["stop"])) < 70
    assert 0.5 < data["event"].mean() < 0.9
    if late:
        assert (data["entry"] < data["stop"]).all()
        assert np.isin(data["entry"], data["stop"]).mean() > 0.9, "many enter at the time of an event"
    coefficients, errors = survival.ours(data)
    peers, deviations = survival.by_lifelines(data)()
    np.testing.assert_allclose(coefficients, peers, atol=1e-4)
    np.testing.assert_allclose(errors, deviations, rtol=1e-3)
