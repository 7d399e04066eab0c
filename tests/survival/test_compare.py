"""Models compared on unseen rows: each measure is the engine's own, errors know clusters, differences are paired."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.survival import censoring, concordance
from citylib.survival.brier import brier
from citylib.survival.compare import Scores, compared, pooled, scores
from citylib.survival.kaplan_meier import kaplan_meier
from citylib.survival.time_auc import time_auc

TIME = np.arange(1.0, 11.0)
AT = [5.0, 10.0]


def drawn(n: int = 400, seed: int = 0, mains: int = 150) -> dict[str, Any]:
    """Durations that a shared quality of each main makes alike, half of them censored."""
    draw = np.random.default_rng(seed)
    main = draw.integers(0, mains, n)
    x, hidden = draw.normal(size=mains)[main], draw.gamma(2, 0.5, mains)[main]
    rate = np.exp(0.7 * x) / 9
    life, watched = draw.exponential(1 / (rate * hidden)), draw.uniform(3, 25, n)
    return {"t": np.minimum(life, watched), "d": life <= watched, "rate": rate, "main": main}


def judge(case: dict[str, Any], rate: Any, **more: Any) -> Scores:
    forecast = np.exp(-np.outer(rate, TIME))
    return scores(case["t"], case["d"], forecast, TIME, horizons=AT, cluster=case["main"], **more)


def by_name(found: Scores) -> dict[str, tuple[float, float]]:
    return dict(zip(found.measure, zip(found.value, found.error, strict=True), strict=True))


def test_each_measure_is_that_of_its_engine() -> None:
    case = drawn()
    t, d, forecast = case["t"], case["d"], np.exp(-np.outer(case["rate"], TIME))
    found = by_name(scores(t, d, forecast, TIME, horizons=AT))  # each row its own cluster
    seen = censoring.fit(t, d)
    own = concordance.harrell(t, d, case["rate"])
    np.testing.assert_allclose(found["Harrell's C"], (own.value, own.error), rtol=1e-10)
    own = concordance.uno(t, d, case["rate"], until=10.0, censoring=seen)
    np.testing.assert_allclose(found["Uno's C"], (own.value, own.error), rtol=1e-10)
    area, square = time_auc(t, d, case["rate"], AT), brier(t, d, forecast, TIME)
    for k, h in enumerate(AT):
        np.testing.assert_allclose(found[f"AUC at {h:g}"], (area.value[k], area.error[k]), rtol=1e-10)
        place = int(h) - 1
        np.testing.assert_allclose(found[f"Brier at {h:g}"][0], square.score[place], rtol=1e-10)
        np.testing.assert_allclose(found[f"Brier at {h:g}"][1], square.error[place], rtol=2e-3)  # n against n - 1
    np.testing.assert_allclose(found["integrated Brier"], square.integrated, rtol=2e-3)


def test_what_was_seen_is_kaplan_and_meiers_share() -> None:
    case = drawn()
    found = by_name(judge(case, np.full(400, 0.1)))
    curve = kaplan_meier(case["t"], case["d"])["all"]
    for h in AT:
        share = 1 - curve.at(h).item()
        np.testing.assert_allclose(found[f"observed - expected at {h:g}"][0], share - (1 - np.exp(-0.1 * h)), rtol=1e-9)
        assert np.isnan(found[f"calibration slope at {h:g}"][0])  # all forecasts alike: there is no slope
    assert found["Harrell's C"][0] == 0.5


def test_slope_tells_bold_forecasts_from_timid_ones() -> None:
    draw = np.random.default_rng(5)
    x = draw.normal(size=20_000)
    rate = np.exp(x) / 10
    case = {"t": draw.exponential(1 / rate), "d": np.ones(20_000), "main": np.arange(20_000)}
    slope = {k: by_name(judge(case, np.exp(k * x) / 10))["calibration slope at 5"] for k in (0.5, 1.0, 2.0)}
    assert abs(slope[1.0][0] - 1) < 3 * slope[1.0][1] < 0.1
    assert slope[2.0][0] < 0.8 < 1.3 < slope[0.5][0]


def test_rows_said_twice_do_not_count_twice() -> None:
    case = drawn(200)
    once = judge(case | {"main": np.arange(200)}, case["rate"])
    twice = {name: np.tile(values, 2) for name, values in case.items()} | {"main": np.tile(np.arange(200), 2)}
    again = judge(twice, twice["rate"])
    np.testing.assert_allclose(again.value, once.value, rtol=1e-9)
    np.testing.assert_allclose(again.error, once.error, rtol=1e-9)


def test_errors_over_clusters_are_those_of_many_draws() -> None:
    found = [judge(drawn(seed=s), drawn(seed=s)["rate"]) for s in range(150)]
    values, errors = np.array([f.value for f in found]), np.array([f.error for f in found])
    ratio = errors.mean(axis=0) / values.std(axis=0, ddof=1)
    assert (np.abs(ratio - 1) < 0.25).all(), dict(zip(found[0].measure, ratio, strict=True))  # 150 draws: 6 % each way


def test_differences_are_paired() -> None:
    case = drawn()
    good, near, flat = (judge(case, r) for r in (case["rate"], case["rate"] * 1.02, np.full(400, 0.1)))
    table = compared({"flat": flat, "good": good, "near": near}, simple=["flat", "near"])
    whole = table[table["measure"] == "integrated Brier"].set_index("model")
    assert whole.loc["good", "baseline"] == "near"
    paired = whole.loc["good", "difference_high"] - whole.loc["good", "difference_low"]
    assert paired < 0.2 * (whole.loc["good", "high"] - whole.loc["good", "low"])
    assert np.isnan(whole.loc["near", "difference"])  # it is the best simple one itself
    assert table[table["measure"].str.startswith(("observed", "calibration"))]["difference"].isna().all()
    order = table[table["measure"] == "Uno's C"].set_index("model")
    assert order.loc["flat", "difference"] < 0
    assert len(table) == 3 * len(good.measure)


def test_folds_are_put_together() -> None:
    case = drawn()
    halves = [{k: v[p] for k, v in case.items()} for p in (case["main"] % 2 == 0, case["main"] % 2 == 1)]
    parts = [judge(half, half["rate"]) for half in halves]
    both = pooled(parts)
    np.testing.assert_allclose(both.value, (parts[0].value + parts[1].value) / 2)
    np.testing.assert_allclose(both.error, np.sqrt(parts[0].error ** 2 + parts[1].error ** 2) / 2, rtol=1e-9)


def test_bad_input_is_refused() -> None:
    case = drawn(100)
    forecast = np.exp(-np.outer(case["rate"], TIME))
    with pytest.raises(InputError, match="horizons"):
        scores(case["t"], case["d"], forecast, TIME, horizons=[5.5])
    with pytest.raises(InputError, match="same length"):
        scores(case["t"], case["d"], forecast, TIME, horizons=AT, cluster=case["main"][:-1])
    with pytest.raises(InputError, match="at most 1"):
        scores(case["t"], case["d"], forecast + 1, TIME, horizons=AT)
    with pytest.raises(InputError, match="watched"):
        scores(case["t"], case["d"], forecast, TIME + 90, horizons=[95.0])
    one = judge(case, case["rate"])
    with pytest.raises(InputError, match="simple"):
        compared({"one": one}, simple=["other"])
    with pytest.raises(InputError, match="same rows"):
        compared({"one": one, "two": judge(drawn(90), drawn(90)["rate"])}, simple=["one"])
    with pytest.raises(InputError, match="at least one"):
        pooled([])
