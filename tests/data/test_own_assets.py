"""Own assets: one row an asset or a row a failure, failures in a file beside, years and dates."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from citylib.data import own_files
from citylib.data.dataset import Dataset
from citylib.errors import SchemaError

ASSETS = """\
asset,installed,removed,failed,material,length_m
m1,1987,,2003-02-11,cast iron,120
m1,1987,,2010-12-03,cast iron,120
m2,2001-06-01,2019,,PVC,85
m3,2001-06-01,,,,85
"""


def read(tmp_path: Path, text: str, name: str = "mains.csv") -> Dataset:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return own_files.read(str(tmp_path / name), kind="assets")


def test_repeated_rows_are_failures_of_one_asset(tmp_path: Path) -> None:
    dataset = read(tmp_path, ASSETS)
    assets, breaks = dataset.table("assets"), dataset.table("breaks")
    assert dataset.kind == "assets"
    assert assets["asset"].tolist() == ["m1", "m2", "m3"]
    assert assets["installed"].dt.strftime("%Y-%m-%d").tolist() == ["1987-01-01", "2001-06-01", "2001-06-01"]
    assert assets["removed"].isna().tolist() == [True, False, True]
    assert assets["length_m"].tolist() == [120.0, 85.0, 85.0]
    assert breaks["asset"].tolist() == ["m1", "m1"]
    assert breaks["date"].dt.year.tolist() == [2003, 2010]


def test_the_end_of_observation_is_the_latest_date_unless_given(tmp_path: Path) -> None:
    dataset = read(tmp_path, ASSETS)
    assert (dataset.table("assets")["observed_until"] == pd.Timestamp("2019-01-01")).all()
    found = {f.code: f for f in dataset.faults}
    assert found["assumed-end"].count == 3
    assert "2019-01-01" in found["assumed-end"].what
    assert found["missing-value"].where == "material"
    told = read(tmp_path, "asset,installed,removed,observed_until\na,2001,,2020-05-05\nb,2001,2010-01-01,2020-05-05\n")
    assert "assumed-end" not in {f.code for f in told.faults}
    assert (told.table("assets")["observed_until"] == pd.Timestamp("2020-05-05")).all()
    assert told.table("breaks").empty


def test_years_are_reported_as_such(tmp_path: Path) -> None:
    found = {f.where: f.count for f in read(tmp_path, ASSETS).faults if f.code == "year-only"}
    assert found == {"installed": 2, "removed": 1}


def test_a_year_may_fall_in_the_year_of_a_date(tmp_path: Path) -> None:
    dataset = read(tmp_path, "asset,installed,failed\na,2010-06-15,2010\nb,2010,2010-01-01\n")
    assert len(dataset.table("breaks")) == 2


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_failures_in_a_file_beside(tmp_path: Path, ending: str) -> None:
    breaks = pd.DataFrame({"asset": ["m2", "m1"], "date": ["2010-03-01", "1999"]})
    path = tmp_path / f"mains_breaks{ending}"
    if ending == ".parquet":
        breaks.to_parquet(path)
    else:
        breaks.to_csv(path, index=False)
    dataset = read(tmp_path, "asset,installed,depth [m]\nm1,1987,1.5\nm2,2001-06-01,2\n")
    assert dataset.table("breaks")["asset"].tolist() == ["m1", "m2"]
    assert [Path(f.file).name for f in dataset.files] == ["mains.csv", f"mains_breaks{ending}"]
    assert dataset.table("assets")["depth"].tolist() == [1.5, 2.0]


def test_faults_of_both_files_are_told_together(tmp_path: Path) -> None:
    beside = "asset,date\nm1,1980-01-01\nm9,1999-01-01\nm1,1999-01-01\nm1,1999-01-01\n,1999\nm2,2021-01-01\nm1,soon\n"
    (tmp_path / "mains_breaks.csv").write_text(beside)
    with pytest.raises(SchemaError) as caught:
        read(tmp_path, "asset,installed,removed,length_m\nm1,1987,,-4\nm2,2001-06-01,2020,5\n")
    text = "\n".join(caught.value.faults)
    for part in (
        "column 'length_m' must be at least 0, got -4 (row 2)",
        "column 'date' must not come before 'installed' of the asset, got 1980-01-01 00:00:00 (row 2)",
        "column 'asset' must be an asset of the other file, got 'm9' (row 3)",
        "columns 'asset' and 'date' must have no duplicates, got 'm1, 1999-01-01' (rows 4, 5)",
        "column 'asset' must have no missing values, got nothing (row 6)",
        "column 'date' must not come after 'removed' of the asset, got 2021-01-01 00:00:00 (row 7)",
        "column 'date' must be a date or a year, got 'soon' (row 8)",
    ):
        assert part in text
    assert text.count("mains_breaks.csv: ") == 6


def test_a_file_beside_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "mains_breaks.csv").write_text("asset,break_date\nm1,1999-01-01\n")
    with pytest.raises(SchemaError, match=r"include 'date'.*is 'break_date' that column\? then rename it"):
        read(tmp_path, "asset,installed\nm1,1987\n")


def test_parquet_with_dates_and_whole_years(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "asset": [1, 2],
            "installed": [1987.0, 2001.0],
            "failed": pd.to_datetime(["2003-02-11T07:00", None]).tz_localize("UTC"),
        }
    )
    frame.to_parquet(tmp_path / "mains.parquet")
    dataset = own_files.read(str(tmp_path / "mains.parquet"))
    assert dataset.kind == "assets"
    assert dataset.table("assets")["asset"].tolist() == ["1", "2"]
    assert dataset.table("assets")["installed"].dt.year.tolist() == [1987, 2001]
    assert dataset.table("breaks")["date"].tolist() == [pd.Timestamp("2003-02-11")]


def test_a_year_is_moved_within_itself_to_what_it_cannot_precede(tmp_path: Path) -> None:
    text = "asset,installed,removed,failed\na,2001-06-01,,2001\nb,1990,2010,2010-06-01\nc,1990,2010,2009\n"
    dataset = read(tmp_path, text)
    breaks, assets = dataset.table("breaks").set_index("asset"), dataset.table("assets").set_index("asset")
    assert str(breaks.loc["a", "date"])[:10] == "2001-06-01"
    assert [str(d)[:10] for d in assets.loc[["b", "c"], "removed"]] == ["2010-06-01", "2010-01-01"]
    assert {f.code: f.count for f in dataset.faults}["year-only-moved"] == 2
    life = breaks.join(assets)
    assert ((life["date"] >= life["installed"]) & ~(life["date"] > life["removed"])).all()


def test_a_failure_before_the_record_begins_and_a_place_at_zero_are_reported(tmp_path: Path) -> None:
    text = (
        "asset,installed,observed_from,failed,latitude,longitude\n"
        "a,1950-01-02,1997-01-01,1990-03-03,0,0\na,1950-01-02,1997-01-01,1999-03-03,0,0\n"
    )
    found = {f.code: (f.count, f.total, f.action) for f in read(tmp_path, text).faults}
    assert found["before-observation"] == (1, 2, "reported")
    assert found["zero-place"] == (1, 1, "reported")
