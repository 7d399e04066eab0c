"""The time series chapters run on the tiny city, on real data and on a city's own file, and say what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "timeseries/02_arima"
SMALL = {"horizon": 12, "orders": [1, 0, 1], "fit_steps": 600}


def table(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """A year of days of an AR(1) around a yearly wave, with a gap: the model's home ground."""
    draw = np.random.default_rng(1)
    days = pd.date_range("2020-01-01", periods=4 * 365, freq="D")
    noise = np.zeros(len(days))
    for t in range(1, len(days)):
        noise[t] = 0.8 * noise[t - 1] + draw.standard_normal()
    values = 20 + 8 * np.cos(2 * np.pi * days.dayofyear / 365.25) + noise
    frame = pd.DataFrame({"time": days, "sensor": "roof", "heat [°C]": values.round(2)})
    path = tmp_path / "heat.csv"
    frame.drop(index=range(700, 720)).to_csv(path, index=False)
    return path


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny")
    records = ran["records"]
    assert records["largest_leak"]["value"] < 1e-6
    assert records["mae"]["interval"][0] < records["mae"]["value"] < records["mae"]["interval"][1]
    assert records["mae"]["unit"] == "veh/h"
    assert 0.7 < records["coverage_at_last_step"]["value"] <= 1
    assert {"readings", "memory", "residual_memory", "error_by_step", "coverage", "examples"} <= set(ran["figures"])
    scaled = table(ran, "scaled_errors")
    mase, mae = records["mase"], records["mae"]
    assert mase["value"] / mase["baseline"] == pytest.approx(mae["value"] / mae["baseline"])
    assert list(scaled.columns) == ["hours_ahead", "ARIMA", "ETS", "seasonal naive", "persistence"]
    assert {"ARIMA, no season", "ETS", "Theta", "SARIMA"} <= set(table(ran, "scores")["forecast"])
    equal = table(ran, "equal_accuracy").set_index("against")
    assert (equal["p_holm"] >= equal["p_value"]).all()
    spans = table(ran, "interval_scores").set_index("intervals")
    assert {"ARIMA", "ARIMA, corrected", "ETS"} <= set(spans.index)
    surprise = table(ran, "likelihood_by_hand")
    np.testing.assert_allclose(surprise["by_hand"], surprise["library"])
    assert "worth_of_weather" not in records
    assert scaled["seasonal naive"].mean() == pytest.approx(mase["baseline"], rel=0.05)
    hand = table(ran, "by_hand")
    np.testing.assert_allclose(hand["by_hand"], hand["library"])


@pytest.mark.slow
@pytest.mark.parametrize("season", ["none", "weekly"])
def test_every_season(run_chapter: Callable[..., Any], season: str) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", season=season, variable="PM2.5", logarithm=True, **SMALL)
    blind, lagged = {"ARIMA, no season"}, {"SARIMA"}
    common = {"ARIMA", "ETS", "Theta", "seasonal naive", "persistence"}
    assert set(table(ran, "scores")["forecast"]) == common | (lagged if season == "none" else blind)


@pytest.mark.slow
def test_weather_beside_the_calendar(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", variable="PM2.5", regressors=["wind_speed"], **SMALL)
    worth = ran["records"]["worth_of_weather"]
    assert worth["interval"][0] < worth["value"] < worth["interval"][1]
    equal = table(ran, "equal_accuracy").set_index("against")
    assert np.isnan(equal.loc["ARIMA, weather known", "p_holm"])  # it stands in no verdict
    assert "ARIMA, weather known" in set(table(ran, "scores")["forecast"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", **SMALL)
    assert "mae" in [p.get("name") for p in payloads]


def test_an_own_file_of_days(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(CHAPTER, source=f"file:{own_file}", season="yearly", horizon=5, orders=[1, 0, 0], refit_steps=100)
    found = table(ran, "coefficients").set_index("parameter")
    phi = found.loc["ar.L1"]
    assert abs(phi["estimate"] - 0.8) < 3.3 * phi["standard_error"]
    assert ran["records"]["missing_share"]["value"] == pytest.approx(20 / 1460)
    assert ran["records"]["fits"]["value"] == 4
    scores = table(ran, "scores").set_index("forecast")
    assert scores.loc["ARIMA", "difference_high"] < 0  # on its home ground it must win
    assert scores.loc["ARIMA", "mae"] < scores.loc["persistence", "mae"]


def test_a_season_shorter_than_a_step_is_refused(refused: Callable[..., str], own_file: Path) -> None:
    assert "season must last at least 2 days" in refused(CHAPTER, source=f"file:{own_file}", season="daily")


@pytest.mark.real
@pytest.mark.slow
def test_melbourne(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"horizon": 7, "orders": [2, 0, 1], "season": "yearly", "cut": "1989-01-01"}
    ran = run_chapter(CHAPTER, source="weather-cities", **given)
    scores = table(ran, "scores").set_index("forecast")
    heat = pd.Series(data.load("weather-cities").panel("max_temperature").series("Melbourne"))
    first = 2922  # days before 1989
    naive = []
    for origin in range(first, len(heat) - 7 + 1):  # the baseline again, by pandas alone; two days are missing
        before = heat.shift(365).fillna(heat.shift(730)).iloc[origin : origin + 7]
        naive.append(np.nanmean(np.abs(before - heat.iloc[origin : origin + 7])))
    assert scores.loc["seasonal naive", "mae"] == pytest.approx(np.mean(naive), rel=1e-9)
    assert scores.loc["ARIMA", "difference_high"] < 0


@pytest.mark.real
@pytest.mark.slow
def test_beijing(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"sensor": "Dongsi", "logarithm": True, "cut": "2016-03-01", "orders": [1, 0, 1]}
    ran = run_chapter(CHAPTER, source="air-beijing-multisite", **given)
    scores = table(ran, "scores").set_index("forecast")
    assert scores.loc["ARIMA", "difference_high"] < 0  # it beats seasonal naive
    assert any("no proven gain" in text for text in ran["said"])  # and not persistence


CITY = "timeseries/04_every_sensor"


def test_every_sensor_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CITY, source="synthetic:tiny", largest=[1, 1])
    records = ran["records"]
    assert records["largest_leak"]["value"] < 1e-6
    assert records["fitted"]["value"] == records["sensors"]["value"]
    by_sensor = table(ran, "by_sensor")
    assert len(by_sensor) == records["sensors"]["value"]
    assert (by_sensor["verdict"] == "ARIMA").sum() == records["wins"]["value"]
    assert {"error_by_step", "where"} <= set(ran["figures"])
    assert set(table(ran, "use")["use"]) <= {"ARIMA", "seasonal naive"}


@pytest.fixture
def own_city(tmp_path: Path) -> Path:
    """Six sensors of hours: five remember, one of them with gaps, one is constant; a seventh is hardly ever there."""
    draw = np.random.default_rng(3)
    hours = pd.date_range("2026-01-05", periods=24 * 40, freq="h")
    parts = []
    for i in range(7):
        noise = np.zeros(len(hours))
        for t in range(1, len(hours)):
            noise[t] = 0.9 * noise[t - 1] + draw.standard_normal()
        values = 50 + 10 * np.sin(2 * np.pi * hours.hour / 24) + noise
        values = np.full(len(hours), 5.0) if i == 5 else values
        frame = pd.DataFrame({"time": hours, "sensor": f"s{i}", "flow [veh/h]": np.round(values, 2)})
        parts.append(frame.drop(index=range(100, 150)) if i == 1 else frame.iloc[:100] if i == 6 else frame)
    path = tmp_path / "city.csv"
    pd.concat(parts).to_csv(path, index=False)
    return path


def test_every_sensor_of_an_own_city(run_chapter: Callable[..., Any], own_city: Path) -> None:
    ran = run_chapter(CITY, source=f"file:{own_city}", largest=[1, 1])
    assert ran["records"]["sensors"]["value"] == 6
    orders = table(ran, "orders").set_index("sensor")
    assert orders.loc["s5", "status"] == "constant"
    by_sensor = table(ran, "by_sensor").set_index("sensor")
    remembering = ["s0", "s1", "s2", "s3", "s4"]
    assert (by_sensor.loc[remembering, "gain"] > 0).all()  # on its home ground it must win
    assert (by_sensor.loc[remembering, "verdict"] == "ARIMA").sum() >= 4
    assert 0.9 < ran["records"]["coverage"]["value"] < 0.98


def test_identification_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter("timeseries/01_identification", source="synthetic:tiny", draws=50)
    power = table(ran, "power").set_index("phi")
    assert power.loc[0.5, "adf_rejects_unit_root"] > 0.9
    assert power.loc[1.0, "adf_rejects_unit_root"] < 0.2
    assert power.loc[1.0, "kpss_rejects_level"] > 0.8
    assert {"readings", "planted_memory", "memory", "parts"} <= set(ran["figures"])
    assert table(ran, "strength").set_index("part")["strength"].max() > 0.8


def test_identification_sees_a_planted_kind(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter("timeseries/01_identification", source=f"file:{own_file}", season="weekly", horizon=7, draws=50)
    strength = table(ran, "strength").set_index("part")["strength"]
    assert strength.filter(like="season").max() < 0.5, "nothing repeats by week here"
    assert ran["records"]["steps"]["value"] == 740, "the longest stretch without a gap"


ROUGH = "timeseries/03_volatility"


def test_volatility_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(ROUGH, source="synthetic:tiny", windows=[24, 48, 96], horizon=3)
    records = ran["records"]
    assert records["largest_leak"]["value"] < 1e-9
    hand = table(ran, "by_hand")
    np.testing.assert_allclose(hand["by_hand"], hand["library"])
    passed = table(ran, "exceedance")
    assert ((passed["low"] <= passed["measured"]) & (passed["measured"] <= passed["high"])).all()
    assert len(passed) == 7 * 3
    alerts = table(ran, "alerts").set_index("rule")
    assert alerts.loc["always", "missed"] == 0
    assert alerts.loc["never", "missed"] == 1
    assert {"readings", "spread", "memory", "news", "shapes", "passed", "stretch", "passed_ahead"} <= set(
        ran["figures"]
    )


@pytest.fixture
def own_bursts(tmp_path: Path) -> Path:
    """A year of hours with planted bursts about a planted day whose noons are three times as rough, with gaps."""
    draw, steps = np.random.default_rng(2), 365 * 24
    hours = pd.date_range("2026-01-05", periods=steps, freq="h")
    rough = np.where((hours.hour > 8) & (hours.hour < 18), 3.0, 1.0)
    shock, variance, noise = np.zeros(steps), 1.0, np.zeros(steps)
    for t in range(1, steps):
        variance = 0.06 + 0.14 * shock[t - 1] ** 2 + 0.8 * variance
        shock[t] = np.sqrt(variance) * draw.standard_normal()
        noise[t] = 0.7 * noise[t - 1] + rough[t] * shock[t]
    frame = pd.DataFrame({"time": hours, "sensor": "roof", "heat [°C]": (20 + rough + noise).round(3)})
    gone = np.r_[np.arange(900, 930), draw.integers(0, steps, 200)]
    path = tmp_path / "bursts.csv"
    frame.drop(index=np.unique(gone)).to_csv(path, index=False)
    return path


def test_volatility_finds_planted_bursts_and_wins_on_its_home_ground(
    run_chapter: Callable[..., Any], own_bursts: Path
) -> None:
    ran = run_chapter(ROUGH, source=f"file:{own_bursts}", variable=None, season="daily", lags=[1], horizon=2)
    records = ran["records"]
    assert records["scale"]["value"] == "none"
    low, high = records["half_life"]["interval"]
    assert low < np.log(0.5) / np.log(0.94) < high
    assert 2.5 < records["spread_ratio"]["value"] < 4.0
    assert records["levels_won"]["value"] >= 1
    assert records["levels_lost"]["value"] == 0
    for level, most in ((900, 0.25), (950, 0.3), (990, 0.8)):  # thirty to two hundred readings above
        assert abs(records[f"passed_{level}_permille"]["value"] / (1 - level / 1000) - 1) < most
    assert records["largest_leak"]["value"] < 1e-9


def test_volatility_refuses_what_it_cannot_do(refused: Callable[..., str], own_bursts: Path) -> None:
    said = refused(ROUGH, source=f"file:{own_bursts}", variable=None, scale="log")
    assert "scale must be none where readings lie below zero" in said


def test_volatility_refuses_an_alert_beyond_all_readings(refused: Callable[..., str]) -> None:
    said = refused(ROUGH, source="synthetic:tiny", windows=[24, 48, 96], horizon=3, alert=1000.0)
    assert "alert must lie within the readings before the cut" in said


@pytest.mark.slow
def test_volatility_says_when_gaps_leave_nothing_to_judge(
    refused: Callable[..., str], tmp_path: Path, own_bursts: Path
) -> None:
    frame = pd.read_csv(own_bursts)
    thin = tmp_path / "thin.csv"
    frame.iloc[np.r_[0:6000, 6000 : len(frame) : 7]].to_csv(thin, index=False)  # no two neighbours after the cut
    said = refused(ROUGH, source=f"file:{thin}", variable=None, cut="2026-09-20")
    assert "lags must leave 100 readings with all of them read" in said


@pytest.mark.real
@pytest.mark.slow
def test_volatility_of_beijing(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"sensor": "Dongsi", "lags": [1, 2, 3, 24], "cut": "2016-03-01", "alert": 150.0}
    ran = run_chapter(ROUGH, source="air-beijing-multisite", **given)
    records = ran["records"]
    assert records["largest_leak"]["value"] < 1e-9
    assert records["levels_won"]["value"] == 3  # a step ahead it beats both
    assert any("6 hours ahead no difference from a rolling variance is proven" in text for text in ran["said"])
    steady = table(ran, "exceedance").query("threshold == 'constant, normal' and level == 0.9")["measured"].item()
    assert steady < 0.06  # a normal threshold of 90 % is passed half as often as it claims
