"""Own sensor readings: long and wide, zones, gaps, coordinates; what comes out is what went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib import data
from citylib.data import own_files
from citylib.data.dataset import Dataset
from citylib.data.own_panel import UNSTATED
from citylib.errors import SchemaError

LONG = """\
time,sensor,volume [veh/h],temperature [°C],weather
2024-03-01T00:00,007,5,1.5,Rain
2024-03-01T00:00,B,9,,Dry
2024-03-01T01:00,007,,1.5,Rain
2024-03-01T03:00,007,7,2,none
"""


def read(tmp_path: Path, text: str, name: str = "readings.csv") -> Dataset:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return own_files.read(str(tmp_path / name))


def faults(dataset: Dataset) -> dict[tuple[str, str], tuple[int, int, str]]:
    return {(f.code, f.where): (f.count, f.total, f.action) for f in dataset.faults}


def test_long_file_gives_a_panel_a_variable_and_a_category_a_text(tmp_path: Path) -> None:
    dataset = read(tmp_path, LONG)
    assert dataset.kind == "panel"
    assert list(dataset.panels) == ["volume", "temperature"]
    volume = dataset.panel()
    assert (volume.sensors, volume.unit, volume.variable, volume.zone) == (("007", "B"), "veh/h", "volume", None)
    np.testing.assert_array_equal(volume.series("007"), [5, np.nan, np.nan, 7])
    np.testing.assert_array_equal(volume.series("B"), [9, np.nan, np.nan, np.nan])
    assert dataset.panel("temperature").sensors == ("007",)
    assert dataset.categories["weather"]["007"].tolist()[:2] == ["Rain", "Rain"]
    assert dataset.categories["weather"]["007"].iloc[3] == "none"
    assert dataset.frame("007").columns.tolist() == ["volume", "temperature", "weather"]


def test_long_file_says_what_it_lacks(tmp_path: Path) -> None:
    assert faults(read(tmp_path, LONG)) == {
        ("absent-step", "time"): (1, 4, "reported"),
        ("missing-reading", "volume"): (5, 8, "reported"),
        ("empty-sensor", "temperature"): (1, 2, "dropped"),
        ("missing-reading", "temperature"): (1, 4, "reported"),
    }


def test_provenance_is_the_bytes_on_disk(tmp_path: Path) -> None:
    dataset = read(tmp_path, LONG)
    (file,) = dataset.files
    assert (file.file, file.bytes, file.origin) == (str(tmp_path / "readings.csv"), len(LONG.encode()), "own")


def test_wide_file_is_one_variable(tmp_path: Path) -> None:
    dataset = read(tmp_path, "time,A1 [veh/h],A2 [veh/h]\n2024-03-01T13:00,412,388\n2024-03-01T14:00,,401\n")
    panel = dataset.panel()
    assert (panel.sensors, panel.unit, panel.variable) == (("A1", "A2"), "veh/h", "value")
    np.testing.assert_array_equal(panel.values, [[412, 388], [np.nan, 401]])


def test_a_unit_that_is_not_stated_is_reported_not_invented(tmp_path: Path) -> None:
    dataset = read(tmp_path, "time,A1\n2024-03-01,4\n2024-03-02,5\n")
    assert dataset.panel().unit == UNSTATED
    assert ("no-unit", "value") in faults(dataset)


def test_a_variable_without_readings_is_left_out_and_reported(tmp_path: Path) -> None:
    dataset = read(tmp_path, "time,sensor,a [m],b [m]\n2024-03-01,x,,1\n2024-03-02,x,,2\n")
    assert list(dataset.panels) == ["b"]
    assert faults(dataset)[("empty-variable", "a")] == (2, 2, "dropped")


@pytest.mark.parametrize(
    ("mark", "wrap"),
    [(",", "{}"), (";", "{}"), ("\t", "{}"), (",", "\ufeff{}"), (",", "{}\r\n\r\n")],
    ids=["comma", "semicolon", "tab", "byte-order mark", "blank lines"],
)
def test_ways_to_write_a_csv(tmp_path: Path, mark: str, wrap: str) -> None:
    text = "Time,SENSOR,value [m]\n2024-03-01T00:00,a,1\n2024-03-01 01:00:00, a ,2\n".replace(",", mark)
    panel = read(tmp_path, wrap.format(text)).panel()
    assert panel.sensors == ("a",)
    np.testing.assert_array_equal(panel.series("a"), [1, 2])


@pytest.mark.parametrize("word", ["", "NA", "N/A", "NaN", "nan", "null", "NULL"])
def test_words_for_a_missing_value(tmp_path: Path, word: str) -> None:
    dataset = read(tmp_path, f"time,sensor,value [m]\n2024-03-01,a,1\n2024-03-02,a,{word}\n")
    np.testing.assert_array_equal(dataset.panel().series("a"), [1, np.nan])


@pytest.mark.parametrize(
    ("offset", "zone"),
    [
        ("", None),
        ("Z", "UTC"),
        ("+00:00", "UTC"),
        ("+01:00", "UTC+01:00"),
        ("-0530", "UTC-05:30"),
        ("+02", "UTC+02:00"),
    ],
)
def test_one_offset_names_the_zone_and_keeps_the_clock(tmp_path: Path, offset: str, zone: str | None) -> None:
    panel = read(tmp_path, f"time,a [m]\n2024-03-01T13:00{offset},1\n2024-03-01T14:00{offset},2\n").panel()
    assert panel.zone == zone
    assert str(panel.times[0])[:16] == "2024-03-01T13:00"


def test_parquet_in_a_named_zone_becomes_utc_so_no_hour_repeats(tmp_path: Path) -> None:
    times = pd.date_range("2024-10-27T00:00", periods=4, freq="h", tz="Europe/Berlin")
    pd.DataFrame({"time": times, "sensor": 301, "value [m]": range(4)}).to_parquet(tmp_path / "a.parquet")
    dataset = own_files.read(str(tmp_path / "a.parquet"))
    panel = dataset.panel()
    assert faults(dataset)[("turned-to-utc", "time")] == (4, 4, "mended")
    assert (panel.zone, panel.sensors) == ("UTC", ("301",))
    assert panel.step == np.timedelta64(1, "h")
    assert str(panel.times[0])[:16] == "2024-10-26T22:00"


def test_parquet_in_utc_or_without_a_zone(tmp_path: Path) -> None:
    times = pd.date_range("2024-03-01", periods=3, freq="D")
    for zone, index in ((None, times), ("UTC", times.tz_localize("UTC"))):
        pd.DataFrame({"a [m]": [1.0, 2.0, 3.0]}, index=index.rename("time")).to_parquet(tmp_path / "a.parquet")
        dataset = own_files.read(str(tmp_path / "a.parquet"))
        panel = dataset.panel()
        assert (panel.zone, str(panel.times[0])[:10]) == (zone, "2024-03-01")
        assert dataset.faults == ()


def test_the_two_hours_of_a_clock_change_are_mixed_zones_and_no_duplicates(tmp_path: Path) -> None:
    hours = ["T02:00+02:00", "T02:00+01:00", "T03:00+01:00"]
    with pytest.raises(SchemaError) as refused:
        read(tmp_path, "time,a [m]\n" + "".join(f"2024-10-27{h},1\n" for h in hours))
    assert len(refused.value.faults) == 1
    assert "got '2024-10-27T02:00+02:00' (row 2); write all times in UTC" in refused.value.faults[0]


def test_marks_of_loggers_for_no_reading_are_reported_and_kept(tmp_path: Path) -> None:
    dataset = read(tmp_path, "time,a [°C],b [°C]\n2024-03-01,-9999,4\n2024-03-02,5,-999\n2024-03-03,-9998,2\n")
    assert faults(dataset) == {("missing-mark", "value"): (2, 6, "reported")}
    assert "-999 or -9999" in dataset.faults[0].what
    assert dataset.panel().series("a")[0] == -9999


def test_one_column_may_be_called_as_a_variable(tmp_path: Path) -> None:
    assert read(tmp_path, "time,volume [veh/h]\n2024-03-01,4\n").panel().sensors == ("volume",)


def test_sensors_across_stand_in_the_order_of_the_file_and_times_sorted(tmp_path: Path) -> None:
    text = "time,sensor,v [m],w\n2024-03-02,z,1,x\n2024-03-03,z,2,y\n2024-03-01,a,3,q\n2024-03-02,a,4,\n"
    dataset = read(tmp_path, text)
    assert dataset.panel().sensors == ("z", "a")
    np.testing.assert_array_equal(dataset.panel().values, [[np.nan, 3], [1, 4], [2, np.nan]])
    assert dataset.categories["w"]["z"].iloc[1:].tolist() == ["x", "y"]
    assert dataset.categories["w"].isna().to_numpy().tolist() == [[True, False], [False, True], [False, True]]


def test_parquet_and_csv_of_one_table_agree(tmp_path: Path) -> None:
    read(tmp_path, LONG)
    frame = pd.read_csv(tmp_path / "readings.csv", dtype={"sensor": str}, keep_default_na=False, na_values=[""])
    frame["weather"] = frame["weather"].astype("category")
    frame.to_parquet(tmp_path / "same.parquet")
    one, other = (own_files.read(str(tmp_path / name)) for name in ("readings.csv", "same.parquet"))
    for variable in one.panels:
        np.testing.assert_array_equal(one.panel(variable).values, other.panel(variable).values)
    pd.testing.assert_frame_equal(one.categories["weather"], other.categories["weather"])


def test_coordinates_are_those_of_the_sensor(tmp_path: Path) -> None:
    text = (
        "time,sensor,v [m],latitude,longitude\n2024-03-01,a,1,48.1,11.5\n2024-03-02,a,2,,\n2024-03-01,b,1,48.2,11.6\n"
    )
    panel = read(tmp_path, text).panel()
    assert panel.coordinates is not None
    np.testing.assert_array_equal(panel.coordinates, [[48.1, 11.5], [48.2, 11.6]])


@pytest.mark.parametrize(
    "times",
    [["2024-01-31", "2024-02-29", "2024-03-31"], ["2024-01-01T00:00", "2024-01-01T00:01", "2024-01-02T00:00"]],
    ids=["months", "a burst and a pause"],
)
def test_times_off_a_grid_stay_as_they_are_and_are_reported(tmp_path: Path, times: list[str]) -> None:
    dataset = read(tmp_path, "time,a [m]\n" + "".join(f"{t},1\n" for t in times))
    assert dataset.panel().shape == (3, 1)
    assert ("irregular-times", "time") in faults(dataset)


@pytest.mark.parametrize(
    ("step", "name"), [("7D", "7 days"), ("h", "1 hour"), ("5min", "5 minutes"), ("30s", "30 seconds")]
)
def test_absent_steps_are_named_in_words(tmp_path: Path, step: str, name: str) -> None:
    times = pd.date_range("2024-01-01", periods=6, freq=step).delete(3)
    text = "time,a [m]\n" + "".join(f"{t.isoformat()},1\n" for t in times)
    what = next(f.what for f in read(tmp_path, text).faults if f.code == "absent-step")
    assert f"Steps of {name} are absent" in what


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.integers(-99, 99)), min_size=2, max_size=2), min_size=1, max_size=8))
def test_long_and_wide_files_of_the_same_readings_agree(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int | None]]
) -> None:
    folder = tmp_path_factory.mktemp("same")
    for place in range(2):  # a sensor without any reading is left out; here both have one
        if all(row[place] is None for row in rows):
            rows[0][place] = 1
    times = [f"2024-01-01T{hour:02d}:00" for hour in range(len(rows))]
    wide = "time,a [m],b [m]\n" + "".join(
        f"{t},{','.join('' if v is None else str(v) for v in row)}\n" for t, row in zip(times, rows, strict=True)
    )
    long = "time,sensor,value [m]\n" + "".join(
        f"{t},{s},{'' if v is None else v}\n"
        for t, row in zip(times, rows, strict=True)
        for s, v in zip("ab", row, strict=True)
    )
    one, other = read(folder, wide, "wide.csv").panel(), read(folder, long, "long.csv").panel()
    np.testing.assert_array_equal(one.values, other.values)
    assert (one.sensors, one.unit, one.times.tolist()) == (other.sensors, other.unit, other.times.tolist())


def test_load_takes_an_own_file_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path, LONG)
    monkeypatch.chdir(tmp_path)
    dataset = data.load("file:readings.csv")
    assert dataset.name == "file:readings.csv"
    assert dataset.files[0].file == "readings.csv"
