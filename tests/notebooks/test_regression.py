"""The regression chapters run on the tiny city, on real data and on a city's own file, and say what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "regression/01_linear_regression"


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Eight weeks of one road in a city's own form: flow with a planted temperature effect of 20 veh/h per degree."""
    generator = np.random.default_rng(0)
    times = pd.date_range("2025-03-03", periods=24 * 56, freq="h")
    temperature = 10 + 5 * np.sin(np.arange(len(times)) / 50) + generator.normal(0, 2, len(times))
    rush = np.where(times.hour.isin([7, 8, 16, 17]) & (times.weekday < 5), 900, 300)
    flow = np.round(rush + 20 * (temperature - 10) + generator.normal(0, 15, len(times)))
    frame = pd.DataFrame({"time": times, "sensor": "Main St", "flow": flow, "temperature": temperature.round(1)})
    frame["sky"] = np.where(generator.random(len(times)) < 0.3, "wet", "dry")
    frame = frame.drop(index=range(300, 340))  # absent hours
    path = tmp_path / "road.csv"
    frame.to_csv(path, index=False)
    return path


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny")
    records = ran["records"]
    assert records["difference_to_matrix_form"]["value"] < 1e-9
    assert records["mae"]["interval"][0] < records["mae"]["value"] < records["mae"]["interval"][1]
    assert records["mae"]["unit"] == "veh/h"
    assert 0.8 < records["coverage"]["value"] <= 1
    assert {"weekly_profile", "one_input", "coefficients", "residuals", "ten_days"} <= set(ran["figures"])
    assert {"standard_errors", "test_scores", "by_kind_of_day", "ranges"} <= set(ran["tables"])
    assert any("no regression" in text or "without any regression" in text for text in ran["said"])
    assert {"errors_by_lag", "influence", "effects_that_differ", "memory_by_row_and_clock"} <= set(ran["figures"])
    low, high = records["durbin_watson"]["interval"]
    assert low < records["durbin_watson"]["value"] < high
    errors = pd.read_parquet(ran["folder"] / ran["tables"]["standard_errors"]["file"])
    assert {"classic", "HC3", "by_day", "HAC", "HAC_in_time", "days"} <= set(errors)
    copies = pd.read_parquet(ran["folder"] / ran["tables"]["hours_twice"]["file"])
    assert (copies["by_row_with_copies"] < copies["by_hour_with_copies"]).all()
    assert records["hours_worth"]["value"] < records["rows_with_copies"]["value"]


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny")
    assert "mae" in [p.get("name") for p in payloads]


def test_an_own_file_with_covariates(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(CHAPTER, source=f"file:{own_file}", categories=["sky"])  # temperature: all it has
    low, high = _interval(pd.read_parquet(ran["folder"] / ran["tables"]["standard_errors"]["file"]), "temperature")
    assert low < 20 < high
    assert ran["records"]["mae_minus_baseline"]["interval"][1] < 0  # the temperature is worth something here
    assert ran["records"]["missing_share"]["value"] == pytest.approx(40 / (24 * 56))
    effects = pd.read_parquet(ran["folder"] / ran["tables"]["effects_by_group"]["file"])
    assert effects["input"].eq("temperature").sum() == 3  # planted alike in all hours
    assert ((effects["low"] < 20) & (effects["high"] > 20))[effects["input"].eq("temperature")].any()
    low, high = ran["records"]["change_of_level"]["interval"]
    assert low < 0 < high  # nothing changed half way


def test_an_own_file_with_one_number_a_day_and_no_category(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    days = pd.date_range("2022-01-01", periods=900, freq="D")
    temperature = 10 + 8 * np.sin(np.arange(900) / 58) + generator.normal(0, 2, 900)
    flow = np.round(500 + 100 * (days.weekday < 5) + 6 * temperature + generator.normal(0, 20, 900))
    frame = pd.DataFrame({"time": days, "sensor": "Main St", "flow": flow, "temperature": temperature.round(1)})
    path = tmp_path / "days.csv"
    frame.drop(index=range(300, 400)).to_csv(path, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{path}", calendar=["weekday"], effects_by="weekend")
    low, high = _interval(pd.read_parquet(ran["folder"] / ran["tables"]["standard_errors"]["file"]), "temperature")
    assert low < 6 < high
    assert any("gap of 100 days" in text for text in ran["said"])


def test_a_target_among_the_inputs_is_refused(refused: Callable[..., str]) -> None:
    assert "explain itself" in refused(CHAPTER, source="synthetic:tiny", numeric=["flow"])


@pytest.mark.real
@pytest.mark.slow
def test_interstate_94(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="traffic-i94", numeric=["temperature", "rain", "snow", "clouds"])
    records = ran["records"]
    frame = data.load("traffic-i94").frame()  # the baseline again, by pandas alone
    frame["holiday"] = frame["holiday"].fillna("none")
    frame = frame.dropna()
    cut = len(frame) - round(0.2 * len(frame))
    hour = np.where(frame["holiday"] != "none", 6, frame.index.weekday) * 24 + frame.index.hour
    table = frame["volume"].iloc[:cut].groupby(hour[:cut]).mean()
    baseline = np.abs(frame["volume"].iloc[cut:].to_numpy() - table.loc[hour[cut:]].to_numpy()).mean()
    assert records["mae"]["baseline"] == pytest.approx(baseline, rel=1e-9)
    assert records["mae"]["value"] < records["mae"]["baseline"]
    assert records["missing_share"]["value"] == pytest.approx(11976 / 52551)
    assert abs(records["slope_with_calendar"]["value"]) < abs(records["slope_alone"]["value"]) / 2
    filed = data.load("traffic-i94").table("weather")
    rows = filed["time"].isin(frame.index[:cut]).sum()
    assert records["rows_with_copies"]["value"] == rows
    assert records["rows_with_copies"]["baseline"] == cut
    assert records["hours_worth"]["value"] < cut
    assert any("gap of 307 days" in text for text in ran["said"])


def _interval(errors: pd.DataFrame, name: str) -> tuple[float, float]:
    row = errors.set_index("input").loc[name]
    return row["estimate"] - 2.6 * row["HAC_in_time"], row["estimate"] + 2.6 * row["HAC_in_time"]


COUNTS = "regression/02_counts"


def test_counts_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(COUNTS, source="synthetic:tiny", category="all", worlds=50)
    records = ran["records"]
    assert records["by_hand_minus_library"]["value"] < 1e-9
    assert records["ratio_by_hand"]["value"] == pytest.approx(records["ratio_by_regression"]["value"], rel=1e-6)
    low, high = records["rps_minus_baseline"]["interval"]
    assert low < records["rps_minus_baseline"]["value"] < high
    assert {"rate_ratios", "rootograms", "pit", "where"} <= set(ran["figures"])
    assert {"over_dispersion", "standard_errors", "every_place", "scores", "held_ready"} <= set(ran["tables"])
    assert records["places_off_the_law"]["value"] <= 4


def test_counts_of_an_own_file_find_what_is_planted(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    days = pd.date_range("2024-01-01", periods=500, freq="D")
    mean = np.where(days.weekday < 5, 6.0, 2.0)
    calls = generator.poisson(mean * generator.gamma(2.0, 0.5, 500))  # dispersion 0.5
    frame = pd.DataFrame({"id": range(calls.sum()), "opened": np.repeat(days.to_numpy(), calls), "category": "call"})
    path = tmp_path / "calls.csv"
    frame.assign(latitude=45.0, longitude=-70.0).to_csv(path, index=False)
    options = {"by": "city", "category": "all", "exposure": "time", "numeric": [], "calendar": ["weekend"]}
    ran = run_chapter(COUNTS, source=f"file:{path}", table="events", worlds=50, planted=0.5, **options)
    low, high = ran["records"]["dispersion"]["interval"]
    assert low < 0.5 < high
    errors = pd.read_parquet(ran["folder"] / ran["tables"]["standard_errors"]["file"]).set_index("input")
    effect, error = errors.loc["weekend=yes", ["coefficient", "robust"]]
    assert abs(effect - np.log(2 / 6)) < 3 * error
    assert ran["records"]["log_score_gain"]["value"] > 0
    assert ran["records"]["coverage_poisson_errors"]["value"] < ran["records"]["coverage_robust_errors"]["value"]


@pytest.mark.real
@pytest.mark.parametrize("part", ["casual", "registered"])
def test_a_part_of_the_count_among_the_inputs_is_refused(
    part: str, refused: Callable[..., str], real_data: Path
) -> None:
    given = {"source": "mobility-bike-sharing", "table": "days", "counts": "rentals", "exposure": "time"}
    assert "they are the answer" in refused(COUNTS, **given, by="city", numeric=[part])


def test_every_sensor_tiny(run_chapter: Callable[..., Any]) -> None:
    options = {"unseen": 10, "days": [7, 14], "placebos": 5, "complete": 0.5}
    ran = run_chapter("regression/03_every_sensor", source="synthetic:tiny", **options)
    records = ran["records"]
    assert records["regression_minus_mean_by_hour"]["value"] < 1e-9
    assert records["fitted"]["value"] == 8
    assert records["respond_to_wind_speed"]["value"] == 0  # the synthetic city's traffic knows no wind
    assert records["error_few_days"]["value"] < records["error_few_days"]["baseline"]
    low, high = records["few_days_minus_own"]["interval"]
    assert low < records["few_days_minus_own"]["value"] < high
    assert {"where", "error_by_days", "funnel"} <= set(ran["figures"])
    assert {"finds", "placebo", "kept", "by_days", "plan"} <= set(ran["tables"])


def test_every_sensor_refuses_what_leaves_nothing_to_learn_from(refused: Callable[..., str]) -> None:
    said = refused("regression/03_every_sensor", source="synthetic:tiny", unseen=40, complete=0.5)
    assert "days to learn from" in said


def test_every_sensor_refuses_a_place_at_which_an_input_is_not_read(refused: Callable[..., str]) -> None:
    given = {"source": "synthetic:tiny", "unseen": 10, "days": [7], "complete": 0.5}
    given |= {"inputs": ["temperature", "PM2.5"], "weather": "B77"}
    assert "must be one of: A01" in refused("regression/03_every_sensor", **given)
