"""Dataset: what it hands out, under which names, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from citylib import data
from citylib.data.dataset import Dataset, Fault
from citylib.errors import InputError, UnknownNameError
from citylib.panel import Panel

TIMES = np.arange("2024-01-01T00", "2024-01-01T03", dtype="datetime64[h]")
FIRST = ["id", "opened", "closed", "category", "latitude", "longitude"]


def city() -> Dataset:
    flow = Panel([[1.0, np.nan], [2.0, 5.0], [3.0, 6.0]], TIMES, ("a", "b"), "veh/h", variable="flow")
    rain = Panel([[0.5], [0.0], [0.25]], TIMES, ("city",), "mm", variable="rain")
    weather = pd.DataFrame({"city": ["wet", "dry", "wet"]}, index=pd.DatetimeIndex(TIMES))
    faults = (Fault("gap", "Readings lack.", 1, 6, "reported", "flow"), Fault("none", "Of none.", 0, 0, "reported"))
    tables = {"incidents": pd.DataFrame({"incident": ["x"], "time": [pd.Timestamp(0)], "kind": ["fire"]})}
    return Dataset("tiny", "Tiny", "panel", {"flow": flow, "rain": rain}, {"weather": weather}, tables, faults)


def test_a_frame_joins_a_sensors_variables_with_the_citys() -> None:
    frame = city().frame("b")
    assert frame.columns.tolist() == ["flow", "rain", "weather"]
    np.testing.assert_array_equal(frame["flow"], [np.nan, 5, 6])
    assert frame["weather"].tolist() == ["wet", "dry", "wet"]
    np.testing.assert_array_equal(city().frame()["flow"], [1, 2, 3])  # a has no gap


def test_panels_and_tables_by_name_and_the_nearest_is_offered() -> None:
    tiny = city()
    assert tiny.panel().variable == "flow"
    assert tiny.panel("rain").unit == "mm"
    with pytest.raises(UnknownNameError, match="did you mean 'rain'"):
        tiny.panel("rein")
    with pytest.raises(UnknownNameError, match="did you mean 'incidents'"):
        tiny.table("incident")
    with pytest.raises(UnknownNameError, match="sensor must be one of: a, b"):
        tiny.frame("c")
    with pytest.raises(InputError, match="hold readings of sensors over time"):
        Dataset("none", "None", "graph").panel()


def test_a_table_handed_out_is_a_copy() -> None:
    tiny = city()
    tiny.table("incidents")["kind"] = "none"
    tiny.events()["category"] = "none"
    assert tiny.table("incidents")["kind"].tolist() == ["fire"]


def test_quality_tells_every_fault_with_its_share() -> None:
    table = city().quality()
    assert table["share"].tolist() == [pytest.approx(1 / 6), 0.0]
    assert table.columns.tolist() == ["code", "what", "where", "count", "share", "action"]


def test_events_have_one_set_of_names_whatever_the_source_calls_them(tmp_path: Path) -> None:
    events = city().events()
    assert events.columns.tolist() == FIRST
    assert events.loc[0, ["id", "category"]].tolist() == ["x", "fire"]
    assert events["closed"].dtype == "datetime64[ns]"
    assert events["closed"].isna().all()
    (tmp_path / "calls.csv").write_text("opened,category,closed,units\n2024-03-01,Lamp,2024-03-02,3\n")
    synthetic, own = data.load("synthetic:tiny"), data.load(f"file:{tmp_path / 'calls.csv'}")
    requests, calls = synthetic.events(), own.events()
    assert requests.columns[:6].tolist() == calls.columns[:6].tolist() == FIRST
    assert (requests.dtypes[FIRST] == calls.dtypes[FIRST]).all()
    assert requests["id"].tolist() == synthetic.table("requests")["request"].tolist()
    assert requests.attrs["future"] == synthetic.table("requests").attrs["future"]
    assert len(synthetic.events("incidents")) == len(synthetic.table("incidents"))


def test_events_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="hold events, requests or incidents"):
        Dataset("none", "None", "graph").events()
    with pytest.raises(UnknownNameError, match="table must be one of: incidents"):
        city().events("requests")


@pytest.mark.real
@pytest.mark.parametrize("name", ["requests-boston-311", "emergency-montreal-fire"])
def test_events_of_real_cities_have_those_names_too(name: str, real_data: Path) -> None:
    events = data.load(name).events()
    assert events.columns[:6].tolist() == FIRST
    assert events[["id", "opened", "category"]].notna().all(axis=None)


def test_shown_it_is_a_list_of_what_it_holds_not_the_data():
    shown = repr(data.load("synthetic"))
    assert "Panel(flow [veh/h], 8760 times x 40 sensors" in shown
    assert "\n  requests: " in shown
    assert len(shown.splitlines()) < 40
    assert max(map(len, shown.splitlines())) < 160
