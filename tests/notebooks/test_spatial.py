"""The spatial chapters run on the tiny city, on real data and on a city's own file, and say what they should."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from citylib import data

WEIGHTS = "spatial/01_weights_and_autocorrelation"


def table(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(WEIGHTS, source="synthetic:tiny", draws=999)
    records = ran["records"]
    assert records["points"]["value"] + records["points_outside"]["value"] == len(
        data.load("synthetic:tiny").table("incidents")
    )
    assert records["moran_i"]["baseline"] == pytest.approx(-1 / (records["places"]["value"] - 1))
    low, high = records["likeness"]["interval"]
    assert low < records["likeness"]["value"] < high
    hand = table(ran, "by_hand")
    assert hand["orders"].sum() == 24
    assert hand["moran_i"].max() == pytest.approx(0.4)
    assert "library's value, mean and variance are the same" in " ".join(ran["said"])
    assert {"values", "links", "shuffled", "scatter", "clusters"} <= set(ran["figures"])
    assert set(table(ran, "weights")["neighbours"]) == {"queen", "rook", "nearest", "distance", "streets"}


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(WEIGHTS, source="synthetic:tiny", draws=199)
    assert "moran_i" in [p.get("name") for p in payloads]


@pytest.fixture
def own_areas(tmp_path: Path) -> Path:
    """A hundred districts with a figure of chance, nine of them high; one stands alone, one is unknown."""
    draw = np.random.default_rng(0)
    features = []
    for k in range(100):
        row, column = divmod(k, 10)
        west, south = 4.0 + 0.01 * column + (1.0 if k == 99 else 0.0), 52.0 + 0.006 * row
        shape = shapely.box(west, south, west + 0.01, south + 0.006)
        level = draw.standard_normal() + (5.0 if 3 <= row < 6 and 3 <= column < 6 else 0.0)
        properties = {"area": f"D{k:02d}", "noise": None if k == 0 else round(level + 50, 3)}
        features.append({"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)})
    path = tmp_path / "districts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_own_areas(run_chapter: Callable[..., Any], own_areas: Path) -> None:
    ran = run_chapter(WEIGHTS, source=f"file:{own_areas}", places="areas", variable="noise")
    said = " ".join(ran["said"])
    assert "for want of a value: 1 of 100" in said
    assert "Without a neighbour, and left out of what follows: 1 (D99)." in said
    assert ran["records"]["p_value"]["value"] < 0.05
    first = table(ran, "look_first")
    assert "D44" in set(first["place"])  # the middle of the block
    block = {f"D{10 * row + column}" for row in (3, 4, 5) for column in (3, 4, 5)}
    assert len(set(first["place"]) - block) <= 2


def test_own_events_without_outlines(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    at = np.vstack([draw.uniform(0, 1, (300, 2)), draw.uniform(0.4, 0.6, (300, 2))])
    frame = pd.DataFrame({"opened": pd.Timestamp("2026-01-01"), "category": "call"}, index=range(600))
    frame["latitude"], frame["longitude"] = 52 + 0.05 * at[:, 0], 4 + 0.08 * at[:, 1]
    path = tmp_path / "calls.csv"
    frame.rename_axis("id").to_csv(path)
    ran = run_chapter(WEIGHTS, source=f"file:{path}", points="events", draws=1999)
    # a few lie in slivers of cells at the rim, which are left out
    assert ran["records"]["points"]["value"] + ran["records"]["points_outside"]["value"] == 600
    assert ran["records"]["points_outside"]["value"] < 12
    assert ran["records"]["p_value"]["value"] < 0.01
    assert ran["records"]["clusters"]["value"] > 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"neighbours": "streets", "places": "areas", "variable": "noise"}, "neighbours must be one of"),
        ({"places": "cells", "variable": "noise"}, "variable must be left out where places are cells"),
        ({"places": "areas", "variable": "nose"}, "did you mean 'noise'"),
        ({"places": "areas", "points": "areas"}, "points must name a table with latitude and longitude"),
    ],
)
def test_what_cannot_be_done_is_said(
    refused: Callable[..., str], own_areas: Path, given: dict[str, Any], words: str
) -> None:
    assert words in refused(WEIGHTS, source=f"file:{own_areas}", draws=99, **given)


@pytest.mark.real
def test_columbus(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(WEIGHTS, source="spatial-examples", places="areas", variable="crime", draws=999)
    areas = data.load("spatial-examples").table("areas")
    shapes, x = list(areas.geometry), areas["crime"].to_numpy()
    z, total = x - x.mean(), 0.0
    for i, one in enumerate(shapes):  # I again, by every pair looked at in turn
        near = [j for j, other in enumerate(shapes) if j != i and one.intersects(other)]
        total += z[i] * np.mean(z[near])
    assert ran["records"]["moran_i"]["value"] == pytest.approx(total / (z @ z))
    assert ran["records"]["p_value"]["value"] == pytest.approx(2 / 1000)


@pytest.mark.real
def test_montreal(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(WEIGHTS, source="emergency-montreal-fire", places="areas", gap=5.0, reach=4000.0, draws=999)
    records = ran["records"]
    assert records["points"]["value"] + records["points_outside"]["value"] == 26_850
    assert records["places"]["value"] == 66
    assert records["moran_i_plain_rates"]["value"] > 0


REGRESSION = "spatial/02_spatial_regression"


def test_regression_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(REGRESSION, source="synthetic:tiny", most=100, worlds=20, draws=200)
    records = ran["records"]
    assert records["places"]["value"] == 100
    low, high = records["rho"]["interval"]
    assert low < records["rho"]["value"] < high
    hand = table(ran, "by_hand")
    np.testing.assert_allclose(hand.drop(columns="to").sum(axis=1), 2.0)  # 1 / (1 - 1/2)
    worlds = table(ran, "worlds").set_index("truth")
    assert (worlds["worlds"] == 20).all()
    assert set(table(ran, "effects")["effect"]) == {"direct", "indirect", "total"}
    assert len(table(ran, "planted")) == 3


def test_regression_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(REGRESSION, source="synthetic:tiny", most=60, worlds=20, draws=200)
    assert "rho" in [p.get("name") for p in payloads]


def test_regression_of_own_areas_finds_the_lag_it_was_made_with(
    run_chapter: Callable[..., Any], tmp_path: Path
) -> None:
    side, draw = 15, np.random.default_rng(2)
    row, column = np.divmod(np.arange(side**2), side)
    near = (np.abs(row[:, None] - row[None]) + np.abs(column[:, None] - column[None])) == 1
    w = near / near.sum(axis=1, keepdims=True)
    wealth = draw.standard_normal(side**2)
    noise = np.linalg.solve(np.eye(side**2) - 0.7 * w, 3 + 2 * wealth + draw.standard_normal(side**2))
    features = []
    for k in range(side**2):
        shape = shapely.box(4 + 0.01 * column[k], 52 + 0.006 * row[k], 4.01 + 0.01 * column[k], 52.006 + 0.006 * row[k])
        properties = {"area": f"D{k}", "noise": float(noise[k]), "wealth": float(wealth[k])}
        features.append({"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)})
    path = tmp_path / "districts.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    given = {"places": "areas", "response": "noise", "columns": ["wealth"], "neighbours": "rook"}
    ran = run_chapter(REGRESSION, source=f"file:{path}", worlds=20, draws=500, gap=0.5, **given)
    low, high = ran["records"]["rho"]["interval"]
    assert low < 0.7 < high
    low, high = ran["records"]["total_effect"]["interval"]
    assert low < 2 / 0.3 < high
    assert ran["records"]["rule"]["value"] == "lag"
    assert "as many places as these can tell which" in " ".join(ran["said"])
    unseen = table(ran, "unseen").set_index("model")
    assert unseen.loc["lag", "high"] < 0


@pytest.mark.real
@pytest.mark.slow
def test_regression_columbus(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"places": "areas", "response": "crime", "columns": ["income", "home_value"], "neighbours": "queen"}
    ran = run_chapter(REGRESSION, source="spatial-examples", worlds=20, **given)
    areas = data.load("spatial-examples").table("areas")
    x = np.column_stack([np.ones(49), areas["income"], areas["home_value"]])
    expected = np.linalg.lstsq(x, areas["crime"], rcond=None)[0]
    np.testing.assert_allclose(table(ran, "ordinary")["estimate"], expected, rtol=1e-8)
    assert "No verdict between the two models" in " ".join(ran["said"])
    # what spreg 1.9.0's OLS(spat_diag=True) gives for this regression with queen's neighbours of libpysal
    known = {"lag": 8.898, "error": 5.206, "robust lag": 3.736, "robust error": 0.044, "both": 8.942}
    found = table(ran, "tests").set_index("test")["statistic"]
    assert {name: round(float(found[name]), 3) for name in known} == known


SPACE_TIME = "spatial/03_space_time"


def test_space_time_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(SPACE_TIME, source="synthetic:tiny", judged_days=7, placebos=5)
    said = " ".join(ran["said"])
    assert "nothing leaks" in said
    assert "Rows and library agree." in said
    hand = table(ran, "by_hand")
    np.testing.assert_allclose(hand["by_library"], [0, 1], atol=1e-8)
    scores = table(ran, "scores").set_index("model")
    assert scores.loc[ran["records"]["chosen_model"]["value"], "rmse"] == ran["records"]["rmse"]["value"]
    assert ran["records"]["rmse"]["baseline"] == scores.loc["persistence", "rmse"]
    chosen = table(ran, "chosen").set_index("model")
    with_neighbours = chosen[~chosen.index.str.startswith("AR")]
    assert with_neighbours["judged_rmse"].idxmin() == ran["records"]["chosen_model"]["value"]
    truth = table(ran, "truth").set_index("city")
    np.testing.assert_allclose(truth[["own", "ring"]], [[0.5, 0.3], [0.8, 0.0]], atol=0.06)  # 8 sensors, 1,700 steps
    assert {"error_by_step", "links", "placebo", "where", "stand_ins"} <= set(ran["figures"])


def test_space_time_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(SPACE_TIME, source="synthetic:tiny", judged_days=7, placebos=5)
    assert "gain_over_ar" in [p.get("name") for p in payloads]


@pytest.fixture
def own_road(tmp_path: Path) -> Path:
    """Ten counters along a road: what one reads, the next reads an hour later, but for chance; one is silent."""
    draw, hours = np.random.default_rng(4), 24 * 40
    upstream = draw.standard_normal(hours + 10)
    rows = []
    for k in range(10):
        level = 100 + 20 * upstream[9 - k : hours + 9 - k] + 2 * draw.standard_normal(hours)
        frame = pd.DataFrame({"time": pd.date_range("2026-01-01", periods=hours, freq="h"), "sensor": f"c{k}"})
        frame["value"] = level.round(3) if k else [*level[:40].round(3), *[None] * (hours - 40)]
        frame["latitude"], frame["longitude"] = 52.0, round(4 + 0.01 * k, 3)
        rows.append(frame)
    path = tmp_path / "road.csv"
    pd.concat(rows).to_csv(path, index=False)
    return path


def test_space_time_of_an_own_road_finds_that_the_next_counter_knows(
    run_chapter: Callable[..., Any], own_road: Path
) -> None:
    given = {"judged_days": 7, "placebos": 19, "number": 2, "lags": 2, "horizon": 1, "season": "daily"}
    ran = run_chapter(SPACE_TIME, source=f"file:{own_road}", **given)
    records = ran["records"]
    assert records["sensors"]["value"] == 9
    assert "Left out, for want of readings or of a place: c0." in " ".join(ran["said"])
    # c1 has lost its source; each of the others is told all but the noise of two counters: 400 + 4 against 8
    assert records["gain_over_ar"]["value"] == pytest.approx(8 / 9 * (1 - 8 / 404), abs=0.05)
    assert records["p_graph"]["value"] == pytest.approx(1 / 20)
    gains = table(ran, "by_sensor").set_index("sensor")["gain"]
    assert gains.drop("c1").min() > 0.9
    assert gains["c1"] < 0.2


def test_what_space_time_cannot_do_is_said(refused: Callable[..., str]) -> None:
    for given, words in (
        ({"judged_days": 200}, "judged_days must leave two days or more"),
        ({"judged_days": 7, "graph": "adjacencies"}, "did you mean 'adjacency'"),
        ({"judged_days": 7, "graph": "sensors"}, "graph must name a table of weights"),
        ({"judged_days": 7, "block_hours": 300}, "block_hours must fit three times"),
    ):
        assert words in refused(SPACE_TIME, source="synthetic:tiny", placebos=5, **given)


@pytest.mark.real
@pytest.mark.slow
def test_space_time_los_loop(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"variable": "speed_as_published", "measured": "speed", "graph": "adjacency_directed", "lags": 12}
    given |= {"every": 1, "season": "daily", "judged_days": 1, "block_hours": 2, "placebos": 5}
    ran = run_chapter(SPACE_TIME, source="traffic-metr-la", **given)
    y = data.load("traffic-metr-la").panel("speed_as_published").values
    at = np.arange(1612 + 12, 2016 - 3)
    assert len(at) == 389
    missed = np.stack([y[at + h] - y[at - 1] for h in range(3)])
    scores = table(ran, "scores").set_index("model")
    assert scores.loc["persistence", "rmse"] == pytest.approx(np.sqrt((missed**2).mean()))
    assert scores.loc["persistence", "mae"] == pytest.approx(np.abs(missed).mean())
    assert ran["records"]["filled_share"]["value"] == pytest.approx(0.119, abs=0.001)
    assert len(table(ran, "published")) == 5
    assert scores.loc["neighbours", "rmse"] < 5.051  # ridge on lags and neighbours as measured before, chosen alike
    assert ran["records"]["gain_over_persistence"]["interval"][0] > 0
