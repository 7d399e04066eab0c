"""Own events: typed, in order of opening, open ones censored."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from citylib.data import own_files
from citylib.data.dataset import Dataset


def read(tmp_path: Path, text: str) -> Dataset:
    (tmp_path / "calls.csv").write_text(text, encoding="utf-8")
    return own_files.read(str(tmp_path / "calls.csv"))


def test_events_are_typed_and_ordered(tmp_path: Path) -> None:
    dataset = read(
        tmp_path,
        "id,opened,closed,category,latitude,longitude,units,note\n"
        "2,2024-03-02T13:05,,Pothole,42.36,-71.06,3,late\n"
        "01,2024-03-01T13:05,2024-03-02T09:10,Lamp,,,2,\n",
    )
    events = dataset.table("events")
    assert dataset.kind == "events"
    assert events["id"].tolist() == ["01", "2"]
    assert events["units"].tolist() == [2.0, 3.0]
    assert events["note"].tolist()[1] == "late"
    assert (events["closed"] - events["opened"]).dt.total_seconds().tolist()[0] == 72300
    found = {(f.code, f.where): f.count for f in dataset.faults}
    assert found[("open-event", "closed")] == 1
    assert found[("missing-value", "latitude")] == 1


def test_without_ids_the_row_number_serves(tmp_path: Path) -> None:
    dataset = read(tmp_path, "opened,category\n2024-03-02,b\n2024-03-01,a\n")
    assert dataset.table("events")["id"].tolist() == ["3", "2"]
    assert dataset.faults == ()


def test_a_missing_id_is_no_duplicate(tmp_path: Path) -> None:
    dataset = read(tmp_path, "id,opened,category\n,2024-03-02,b\n,2024-03-01,a\n")
    assert {f.where for f in dataset.faults} == {"id"}


def test_times_in_a_named_zone_are_turned_into_utc_and_that_is_told(tmp_path: Path) -> None:
    opened = pd.DatetimeIndex(["2024-10-27T02:30"], tz="Europe/Berlin", ambiguous=[True])
    frame = pd.DataFrame({"opened": opened, "closed": opened + pd.Timedelta("1h"), "category": "Lamp"})
    frame.to_parquet(tmp_path / "calls.parquet")
    dataset = own_files.read(str(tmp_path / "calls.parquet"))
    assert [(f.code, f.where) for f in dataset.faults] == [("turned-to-utc", "opened"), ("turned-to-utc", "closed")]
    assert str(dataset.table("events")["opened"][0]) == "2024-10-27 00:30:00"


def test_a_place_at_zero_is_reported_and_kept(tmp_path: Path) -> None:
    dataset = read(tmp_path, "opened,category,latitude,longitude\n2024-03-02,b,0,0\n2024-03-03,b,0,5\n")
    assert [(f.code, f.count, f.total) for f in dataset.faults] == [("zero-place", 1, 2)]
    assert dataset.table("events")["latitude"].tolist() == [0.0, 0.0]
