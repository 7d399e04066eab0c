"""The data chapters run on the tiny city, on real files and on a city's own file, and find what is planted in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "data/01_a_citys_data"


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, sources=["synthetic:tiny"])
    city = data.load("synthetic:tiny")
    assert ran["records"]["kinds_of_fault"]["value"] == len(city.faults)
    assert ran["records"]["found_share"]["value"] > 0.95
    put_back = pd.read_parquet(ran["folder"] / ran["tables"]["put_back"]["file"]).set_index("variable")
    masked = sum(f.count for f in city.faults if f.where == "flow" and f.action == "masked")
    assert put_back.loc["flow", "put_back"] == masked
    assert {"presence_0", "filled_run", "ages_0"} <= set(ran["figures"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, sources=["synthetic:tiny"])
    assert "kinds_of_fault" in [p.get("name") for p in payloads]


def test_an_own_file(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    times = pd.date_range("2025-03-03", periods=24 * 21, freq="h")
    counts = pd.DataFrame({"time": times, "sensor": "a", "flow": np.random.default_rng(0).poisson(300, len(times))})
    path = tmp_path / "counts.csv"
    counts.drop(index=range(100, 130)).to_csv(path, index=False)
    ran = run_chapter(CHAPTER, sources=[f"file:{path}"])
    gaps = pd.read_parquet(ran["folder"] / ran["tables"]["gaps"]["file"])
    assert gaps["steps"].max() == 30


@pytest.mark.real
def test_real_files(run_chapter: Callable[..., Any], real_data: Path) -> None:
    names = ["traffic-i94", "air-beijing-multisite", "infra-water-mains-kitchener", "traffic-metr-la"]
    ran = run_chapter(CHAPTER, sources=names)
    tables = {name: pd.read_parquet(ran["folder"] / table["file"]) for name, table in ran["tables"].items()}
    repeated, ages = tables["repeated_hours"].iloc[0], tables["ages"].iloc[0]
    assert (repeated["rows"], repeated["hours"]) == (48204, 40575)
    assert ages["before_laying"] == 317
    assert tables["put_back"].set_index("variable").loc["temperature", "put_back"] == 10
    assert ran["records"]["flattered_by"]["value"] > 0
    assert {file["source"] for file in ran["receipt"]["data"]} == set(names)


PLACE = "data/02_one_place"


def test_one_district_of_the_tiny_city(run_chapter: Callable[..., Any]) -> None:
    given = {"source": "synthetic:tiny", "by": "district", "place": "Kiln Yard", "combine": "mean"}
    ran = run_chapter(PLACE, **given)
    records, tables = ran["records"], {n: pd.read_parquet(ran["folder"] / t["file"]) for n, t in ran["tables"].items()}
    city = data.load("synthetic:tiny")
    members = city.table("sensors").query("district == 'Kiln Yard'")["sensor"]
    flow = city.panel().to_frame()[list(members)]
    both = flow.mean(axis=1, skipna=False)  # by pandas alone
    assert records["sensors_used"]["value"] == len(members) == 3
    assert records["missing_share"]["value"] == pytest.approx(both.isna().mean())
    assert records["mean"]["value"] == pytest.approx(both.mean(), rel=0.02)
    usual = tables["usual"].set_index("hour")
    working = both[both.index.dayofweek < 5]
    np.testing.assert_allclose(usual["working_day"], working.groupby(working.index.hour).mean())
    assert records["highest_hour"]["value"] == usual["working_day"].idxmax()
    for name in ("mean", "change", "mae", "error_share", "quiet_below"):
        low, high = records[name]["interval"]
        assert low <= records[name]["value"] <= high
    assert records["mean"]["blocks"] == 5  # whole weeks of 6, as days are missing
    assert records["mae"]["blocks"] == records["error_share"]["blocks"] > 1
    assert records["mean_too_narrow"]["value"] == (records["memory_beyond_block"]["value"] > 0.3)
    assert records["mae"]["baseline"] > 0
    assert len(tables["place"]) == 5
    assert {"readings", "usual_figure"} <= set(ran["figures"])


@pytest.mark.parametrize("run_plainly", ["papermill", "nbconvert"], indirect=True)
def test_one_place_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(PLACE, source="synthetic:tiny")
    assert {"mean", "change", "quiet_below"} <= {p.get("name") for p in payloads}


def test_one_place_of_an_own_file_of_crossings(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    times = pd.date_range("2025-03-03", periods=24 * 7 * 10, freq="h")
    draw = np.random.default_rng(0)
    day = 200 + 150 * np.sin(2 * np.pi * (times.hour - 8) / 24)
    parts = []
    for sensor, share in (("east", 1.0), ("west", 0.5)):
        counts = draw.poisson(share * day * np.where(times >= times[24 * 7 * 5], 1.2, 1.0))
        parts.append(pd.DataFrame({"time": times, "sensor": sensor, "flow [veh/h]": counts.astype(float)}))
    frame = pd.concat(parts)
    frame.loc[(frame["sensor"] == "west") & frame["time"].dt.day.isin([9, 10]), "flow [veh/h]"] = np.nan
    path = tmp_path / "crossing.csv"
    frame.to_csv(path, index=False)
    ran = run_chapter(PLACE, source=f"file:{path}", place="east")
    change = ran["records"]["change"]
    planted = 0.2 * 200 / 220  # of the mean of both halves
    error = np.sqrt(2 * 220 / (24 * 35)) / 220  # of the difference of two means of Poisson counts, of the mean
    assert change["value"] == pytest.approx(planted, abs=4 * error)
    assert change["interval"][0] > 0
    assert ran["records"]["highest_hour"]["value"] == 14
    assert ran["records"]["quiet_from_hour"]["value"] in (0, 1)
    assert "place" not in ran["tables"]


def test_one_place_of_days_is_cut_into_years(run_chapter: Callable[..., Any], tmp_path: Path) -> None:
    days = pd.date_range("2010-01-01", periods=365 * 8, freq="D")
    heat = 10 - 15 * np.cos(2 * np.pi * days.dayofyear / 365.25) + np.random.default_rng(0).standard_normal(len(days))
    path = tmp_path / "heat.csv"
    pd.DataFrame({"time": days, "sensor": "roof", "heat [°C]": heat.round(2)}).to_csv(path, index=False)
    ran = run_chapter(PLACE, source=f"file:{path}", combine="mean", quiet=3)
    assert ran["records"]["highest_month"]["value"] == 7
    assert ran["records"]["quiet_from_month"]["value"] == 12
    assert ran["records"]["change"]["unit"] == "of the standard deviation"  # below zero in winter


@pytest.mark.real
def test_one_crossing_of_boroondara(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(PLACE, source="traffic-scats-boroondara", by="scats", place="3001", unseen=0.45)
    sensors = pd.read_parquet(ran["folder"] / ran["tables"]["sensors"]["file"])
    assert (sensors["counts"] == "left out").sum() == 1  # two days of 31
    where = pd.read_parquet(ran["folder"] / ran["tables"]["place"]["file"])
    assert where["latitude"].iloc[0] == pytest.approx(-37.815, abs=0.01)
