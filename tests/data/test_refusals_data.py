"""What is refused of a user's data: each case with argument, rule and value, and the rows where there are some."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from citylib import data
from citylib.data import own_archive, own_files
from citylib.errors import ArchiveError, CitylibError, InputError, SchemaError, UnknownNameError

from .refusals import (
    BOW_TIE,
    CSV,
    HEAD,
    LONG,
    SQUARE,
    TIMES,
    WHEN,
    Case,
    broken_metadata,
    feature,
    geojson,
    geoparquet,
    hdf,
    npz,
    parquet,
    tar,
    zipped,
)

FILES = [
    # the file as a whole
    Case("empty file", "a.csv", "", ("must hold data", "0 bytes"), error=InputError),
    Case("blank file", "a.csv", " \n\n", ("must hold data", "an empty file"), error=InputError),
    Case("header only", "a.csv", HEAD, ("must hold rows under its header", "the header only"), error=InputError),
    Case("no such ending", "a.txt", LONG, ("must end in one of .csv", "'.txt'"), error=InputError),
    Case("no ending", "readings", LONG, ("must end in one of .csv", "no ending"), error=InputError),
    Case("misspelt ending", "a.parqet", LONG, ("'.parqet'", ".parquet?"), error=InputError),
    Case("spreadsheet", "a.xlsx", LONG, ("must be no spreadsheet", "'a.xlsx'", "save the sheet as CSV"),
         error=InputError),
    Case("old spreadsheet called csv", "a.csv", b"\xd0\xcf\x11\xe0" + b"0" * 9, ("be no spreadsheet",),
         error=InputError),
    Case("pickle", "a.pkl", pickle.dumps([1]), ("must be no pickle", "'a.pkl'", "save the table as CSV"),
         error=InputError),
    Case("pickle called csv", "a.csv", pickle.dumps([1]), ("must be no pickle", "called a.csv"), error=InputError),
    Case("shapefile", "a.shp", "x", ("must be GeoJSON or GeoParquet", "'a.shp'"), error=InputError),
    Case("latin 1", "a.csv", LONG.replace("a", "ä").encode("latin-1"), ("be UTF-8 text", "byte 0xe4 in line 2"),
         error=InputError),
    Case("utf-16", "a.csv", LONG.encode("utf-16"), ("must be UTF-8 text", "byte 0xff in line 1"), error=InputError),
    Case("zero bytes", "a.csv", b"time,a\n\x00\x00", ("be UTF-8 text", "a zero byte in line 2"), error=InputError),
    Case("gzip cut off", "a.csv.gz", gzip.compress(CSV)[:-12], ("be a complete gzip file", "cut off"),
         error=InputError),
    Case("gzip that is none", "a.csv.gz", CSV, ("be a complete gzip file", "Not a gzipped file"), error=InputError),
    Case("parquet cut off", "a.parquet", lambda: parquet(TIMES)()[:-20], ("be a complete Parquet file",),
         error=InputError),
    Case("parquet that is none", "a.parquet", b"abcd" * 9, ("be a complete Parquet file",), error=InputError),
    Case("csv cut off", "a.csv", LONG + "2024-03-01T02:00,", ("the last row must have 3 cells", "got 2 (row 4)",
         "cut off")),
    Case("longer rows", "a.csv", LONG + "2024-03-01T02:00,a,3,4\n",
         ("rows must have 3 cells as the header has, got 4 (row 4)",)),
    Case("all rows longer", "a.csv", "time,a\n2024,1,2\n2025,3,4\n",
         ("have 2 cells as the header has, got 3 (rows 2, 3)",)),
    Case("open quotation", "a.csv", HEAD + '2024-03-01,"a,1\n2024-03-02,a,2\n', ("must", "row 2")),
    Case("repeated header", "a.csv", "time,a,a [m]\n2024,1,2\n", ("name each column once, got 'a' in columns 2, 3",)),
    Case("nameless column", "a.csv", "time,,a\n2024,1,2\n", ("name each column once, got no name in column 2",)),
    Case("blank first row", "a.csv", "\n" + LONG, ("have column names in its first row", "an empty row"),
         error=InputError),
    Case("open quotation, long", "a.csv", HEAD + '2024-03-01,"' + "a" * 140_000, ("an open quotation mark in row 2",)),
    Case("a very long last row", "a.csv", HEAD + '2024-03-01,' + "a" * 140_000, ("the last row must have 3 cells",)),
    # archives
    Case("zip outside", "a.zip", zipped(("../evil.csv", CSV)), ("'../evil.csv'", "inside its own folder"),
         error=ArchiveError),
    Case("zip absolute", "a.zip", zipped(("/etc/evil.csv", CSV)), ("'/etc/evil.csv'", "inside its own"),
         error=ArchiveError),
    Case("zip with a drive", "a.zip", zipped(("C:\\evil.csv", CSV)), ("evil.csv'", "inside its own folder"),
         error=ArchiveError),
    Case("zip with a link", "a.zip", zipped(link="passwd.csv"), ("hold plain files", "'passwd.csv'"),
         error=ArchiveError),
    Case("tar outside", "a.tar", tar(("x/../../evil.csv", CSV)), ("inside its own", "evil.csv"), error=ArchiveError),
    Case("tar with a link", "a.tar", tar(("a.csv", CSV), link="b.csv"), ("hold plain files", "'b.csv'"),
         error=ArchiveError),
    Case("zip cut off", "a.zip", lambda: zipped(("a.csv", CSV))()[:-9], ("be a complete archive",),
         error=ArchiveError),
    Case("tar.gz cut off", "a.tar.gz", lambda: gzip.compress(tar(("a.csv", CSV))())[:-20], ("complete archive",),
         error=ArchiveError),
    Case("zip of two", "a.zip", zipped(("a.csv", CSV), ("b.csv", CSV)), ("exactly one data file", "a.csv, b.csv"),
         error=InputError),
    Case("zip of none", "a.zip", zipped(), ("exactly one data file", "none"), error=InputError),
    Case("pickle in a zip", "a.zip", zipped(("a.pkl", b"x")), ("must be no pickle", "'a.pkl'"), error=InputError),
    # columns and cells of sensor readings
    Case("no time", "a.csv", "timestamp,sensor,v\n2024,a,1\n", ("include 'time'", "'timestamp'", "then rename it")),
    Case("no readings", "a.csv", "time,sensor\n2024,a\n", ("include 'value'", "'time', 'sensor'")),
    Case("time alone", "a.csv", "time\n2024-01-01\n2024-01-02\n", ("include 'sensor'",
         "a column of readings for each")),
    Case("word for a number", "a.csv", LONG + "2024-03-01T02:00,a,many\n",
         ("column 'volume' must be a number, got 'many' (row 4)",)),
    Case("decimal comma", "a.csv", LONG + '2024-03-01T02:00,a,"1,5"\n', ("got '1,5' (row 4)",
         "write a decimal point")),
    Case("thousands marked", "a.csv", LONG + '2024-03-01T02:00,a,"1,234"\n', ("got '1,234' (row 4)",
         "thousands without a mark")),
    Case("spans for numbers", "a.parquet", parquet(pd.DataFrame({"time": WHEN, "v [m]": WHEN - WHEN[0]})),
         ("column 'v' must be a number, got '0 days", "row 1")),
    Case("no header", "a.csv", "2024-03-01T00:00,a,1\n2024-03-01T01:00,a,2\n",
         ("include 'time'", "the first row must name the columns")),
    Case("a title over the header", "a.csv", "# of the city\n" + LONG,
         ("have 1 cell as the header has, got 3", "the first row must name the columns")),
    Case("a time too far", "a.csv", "time,a\n2024-03-01,1\n9999-12-31,2\n",
         ("got '9999-12-31' (row 3)", "years run from 1678 to 2261")),
    Case("variables for sensors", "a.csv", "time,volume,temp\n2024-03-01,1,2\n",
         ("columns must be sensors, not variables, got 'volume', 'temp'", "add a column 'sensor'")),
    Case("dates for numbers", "a.parquet", parquet(pd.DataFrame({"time": WHEN, "v [m]": WHEN})),
         ("column 'v' must be a number", "row 1")),
    Case("flags for numbers", "a.parquet", parquet(pd.DataFrame({"time": WHEN, "v [m]": [True] * 3})),
         ("column 'v' must be a number, got True",)),
    Case("day and month", "a.csv", HEAD + "31/01/2024,a,1\n",
         ("column 'time' must be an ISO 8601 time, got '31/01/2024' (row 2)", "2024-03-01")),
    Case("numbers for times", "a.parquet", parquet(pd.DataFrame({"time": [1, 2], "a": [1, 2]})),
         ("'time' must be an ISO 8601 time, got '1', '2' (rows 1, 2)",)),
    Case("time missing", "a.csv", LONG + ",a,3\n",
         ("column 'time' must have no missing values, got nothing (row 4)",)),
    Case("sensor missing", "a.csv", LONG + "2024-03-01T02:00,,3\n",
         ("column 'sensor' must have no missing values, got nothing (row 4)",)),
    Case("repeated time", "a.csv", LONG + "2024-03-01T01:00,a,3\n",
         ("columns 'time' and 'sensor' must have no duplicates", "(rows 3, 4)", "UTC")),
    Case("repeated time, wide", "a.csv", "time,a\n2024-03-01,1\n2024-03-01,2\n",
         ("column 'time' must have no duplicates", "(rows 2, 3)")),
    Case("time steps back", "a.csv", LONG + "2024-03-01T00:30,a,3\n",
         ("'time' must increase within a sensor, got 2024-03-01 00:30:00 (row 4)", "sort")),
    Case("time steps back, wide", "a.csv", "time,a\n2024-03-02,1\n2024-03-01,2\n",
         ("'time' must increase, got 2024-03-01 00:00:00 (row 3)",)),
    Case("zone in some rows", "a.csv", HEAD + "2024-03-01T00:00Z,a,1\n2024-03-01T01:00,a,2\n2024-03-01T02:00Z,a,2\n",
         ("zones: UTC, none", "carry one UTC offset in every row", "(row 3)")),
    Case("two zones", "a.csv", "time,a\n2024-03-30T00:00+01:00,1\n2024-04-01T00:00+02:00,1\n",
         ("zones: UTC+01:00, UTC+02:00", "write all times in UTC")),
    Case("infinite", "a.csv", HEAD + "2024-03-01T00:00,a,inf\n2024-03-01T01:00,a,-inf\n",
         ("column 'volume' must be finite, got inf, -inf (rows 2, 3)",)),
    Case("negative count", "a.csv", LONG + "2024-03-01T02:00,a,-3\n",
         ("column 'volume' must be at least 0, got -3 (row 4)",)),
    Case("negative count, wide", "a.csv", "time,a [veh/h]\n2024,1\n2025,-1\n",
         ("column 'a' must be at least 0, got -1 (row 3)",)),
    Case("all missing", "a.csv", HEAD + "2024-03-01T00:00,a,\n",
         ("readings must include at least one number, got none in 'volume'",)),
    Case("all missing, wide", "a.csv", "time,a,b\n2024,,\n",
         ("readings must include at least one number, got none in 'a', 'b'",)),
    Case("units that differ, wide", "a.csv", "time,a [m],b [s]\n2024,1,2\n", ("columns must have one unit, got m, s",
         "add a column 'sensor'")),
    Case("text, wide", "a.csv", "time,a,weather\n2024,1,Rain\n",
         ("all hold numbers, one sensor each, got text in 'weather'",)),
    Case("latitude out of range", "a.csv", "time,sensor,v,latitude,longitude\n2024,a,1,95,11\n",
         ("'latitude' must lie in [-90, 90], got 95 (row 2)",)),
    Case("infinite longitude", "a.csv", "time,sensor,v,latitude,longitude\n2024,a,1,5,inf\n",
         ("'longitude' must be finite, got inf (row 2)",)),
    Case("latitude alone", "a.csv", "time,sensor,v,latitude\n2024,a,1,5\n",
         ("give latitude and longitude together, got only 'latitude'",)),
    Case("a sensor that moves", "a.csv", "time,sensor,v,latitude,longitude\n2024,a,1,5,5\n2025,a,1,5,6\n",
         ("be one place for a sensor, got 'a' (row 3)",)),
    # assets
    Case("assets without names", "a.csv", "installed,failed\n1999,2001\n", ("include 'asset'",), "assets"),
    Case("assets without dates", "a.csv", "asset,built,failed\na,1999,2001\n", ("include 'installed'",
         "is 'built' that column?"), "assets"),
    Case("no failures at all", "a.csv", "asset,installed\na,1999\n", ("include 'failed' or 'removed'", "a_breaks.csv"),
         "assets"),
    Case("an asset twice", "a.csv", "asset,installed,removed\na,1999,\na,1999,\n",
         ("column 'asset' must have no duplicates, got 'a' (rows 2, 3)",)),
    Case("a failure twice", "a.csv", "asset,installed,failed\na,1999,2001-02-03\na,1999,2001-02-03\n",
         ("'asset' and 'failed' must have no duplicates", "(rows 2, 3)")),
    Case("failed before installed", "a.csv", "asset,installed,failed\na,1999-05-01,1999-04-01\n",
         ("'failed' must not come before 'installed', got '1999-04-01 before 1999-05-01' (row 2)",)),
    Case("removed before failed", "a.csv", "asset,installed,removed,failed\na,1999,2001-01-01,2001-04-01\n",
         ("column 'removed' must not come before 'failed'",)),
    Case("an asset that differs", "a.csv", "asset,installed,failed,material\na,1999,2001,PVC\na,1999,2002,iron\n",
         ("'material' must be the same in every row of an asset, got 'iron' (row 3)",)),
    Case("installed missing", "a.csv", "asset,installed,removed\na,,2001\n",
         ("column 'installed' must have no missing values, got nothing (row 2)",)),
    Case("a date that is none", "a.csv", "asset,installed,removed\na,1999,never\n",
         ("'removed' must be a date or a year, got 'never' (row 2)", "1987")),
    Case("negative length", "a.csv", "asset,installed,removed,length_m\na,1999,2001,-2\n",
         ("'length_m' must be at least 0, got -2 (row 2)",)),
    # events
    Case("events without type", "a.csv", "opened,type\n2024-01-01,x\n", ("include 'category'",
         "is 'type' that column?"), "events"),
    Case("events without times", "a.csv", "created,category\n2024-01-01,x\n", ("include 'opened'",
         "is 'created' that column?"), "events"),
    Case("closed before opened", "a.csv", "opened,closed,category\n2024-01-02,2024-01-01,x\n",
         ("'closed' must not come before 'opened'", "(row 2)")),
    Case("a negative count of events", "a.csv", "opened,category,vehicles\n2024-01-02,x,-1\n",
         ("'vehicles' must be at least 0, got -1 (row 2)",)),
    Case("an id twice", "a.csv", "id,opened,category\n1,2024-01-02,x\n1,2024-01-03,x\n",
         ("column 'id' must have no duplicates, got '1' (rows 2, 3)",)),
    Case("events in two zones", "a.csv", "opened,closed,category\n2024-01-02T00:00Z,2024-01-03T00:00,x\n",
         ("'opened' and 'closed' must be in one zone, got opened in UTC, closed in no zone",)),
    Case("half a place", "a.csv", "opened,category,latitude,longitude\n2024-01-02,x,5,\n",
         ("latitude and longitude must be given together, got '5, nothing' (row 2)",)),
    # areas
    Case("areas without names", "a.csv", "district,population\nNorth,5\n", ("include 'area'",
         "is 'district' that column?"), "areas"),
    Case("an area twice", "a.csv", "area,population\nNorth,5\nNorth,6\n",
         ("column 'area' must have no duplicates, got 'North' (rows 2, 3)",)),
    Case("a negative population", "a.csv", "area,population,population change\nNorth,-5,-5\n",
         ("1 fault", "'population' must be at least 0, got -5 (row 2)")),
    Case("one feature alone", "a.geojson", json.dumps(feature("a", SQUARE)),
         ("be a GeoJSON FeatureCollection, got 'Feature'",), error=InputError),
    Case("wkt that is none", "a.csv", "area,geometry\nNorth,round\n", ("'geometry' must be WKT",
         "got 'round' (row 2)")),
    Case("json cut off", "a.geojson", geojson(feature("a", SQUARE))[:-9], ("be complete GeoJSON", "in line 1"),
         error=InputError),
    Case("json that is no geojson", "a.json", "[1]", ("be a GeoJSON FeatureCollection", "list"), error=InputError),
    Case("no features", "a.geojson", geojson(), ("must hold areas", "no features"), error=InputError),
    Case("odd features", "a.geojson", geojson(feature("a", SQUARE), 7),
         ("be GeoJSON features with a geometry, got 'a int' (feature 2)",)),
    Case("odd geometry", "a.geojson", geojson(feature("a", SQUARE, "Circle")), ("hold GeoJSON geometries",),
         error=InputError),
    Case("odd properties", "a.geojson", geojson({"type": "Feature", "properties": [1], "geometry": None}),
         ("be GeoJSON features with a geometry, got 'properties that are a list' (feature 1)",)),
    Case("far outside", "a.geojson", geojson(feature("a", [[[0, 1e308], [1, 0], [1, 1], [0, 1e308]]])),
         ("latitude in [-90, 90]", "(feature 1)")),
    Case("geoparquet of nothing", "a.parquet", geoparquet(), ("must hold areas, got 'no rows'",), error=InputError),
    Case("geoparquet with broken metadata", "a.parquet", broken_metadata, ("be a complete GeoParquet file",),
         error=InputError),
    Case("another crs", "a.geojson", geojson(feature("a", SQUARE), crs={"properties": {"name": "EPSG:25832"}}),
         ("be WGS84 degrees, got 'EPSG:25832'",)),
    Case("no geometry", "a.geojson", geojson(feature("a", SQUARE), feature("b", None)), ("geometry must not be empty",
         "(feature 2)")),
    Case("metres for degrees", "a.geojson",
         geojson(feature("a", [[[500, 5000], [600, 5000], [600, 6000], [500, 5000]]])), ("longitude in [-180, 180]",
         "500, 5000", "(feature 1)")),
    Case("invalid outline", "a.parquet", geoparquet(box(0, 0, 1, 1), BOW_TIE),
         ("geometry must be valid, got 'Self-intersection", "(row 2)", "make_valid")),
    # arrays
    Case("npz with objects", "a.npz", npz(data=np.array([{}, None])), ("hold no pickled objects",
         "opening one runs code"), error=InputError),
    Case("npz without data", "a.npz", npz(x=[1]), ("hold an array called data", "'x'"), error=InputError),
    Case("npz of words", "a.npz", npz(data=[["a"]]), ("numbers (T, N) or (T, N, F)", "<U1"), error=InputError),
    Case("npz without times", "a.npz", npz(data=np.ones((3, 2))), ("hold an array called time", "PEMS04"),
         error=InputError),
    Case("npz with few times", "a.npz", npz(data=np.ones((4, 2)), time=WHEN), ("hold time as 4 values of datetime64",
         "(3,)"), error=InputError),
    Case("npz with few names", "a.npz", npz(data=np.ones((3, 2)), time=WHEN, sensors=["a", "a"]),
         ("name each of 2 sensors once", "1 names"), error=InputError),
    Case("npz cut off", "a.npz", lambda: npz(data=np.ones((3, 2)))()[:-9], ("be a complete npz file",),
         error=InputError),
    Case("npz negative", "a.npz", npz(data=[[1, -1], [1, 1], [1, 1]], time=WHEN),
         ("variable 'flow' must be at least 0, got -1 (row 1)",)),
    Case("npz infinite", "a.npz", npz(data=[[1, 1], [1, np.inf], [1, 1]], time=WHEN),
         ("variable 'flow' must be finite, got inf (row 2)",)),
    Case("npz times repeat", "a.npz", npz(data=np.ones((3, 2)), time=WHEN[[0, 1, 1]]),
         ("times must have no duplicates", "(rows 2, 3)")),
    Case("npz times step back", "a.npz", npz(data=np.ones((3, 2)), time=WHEN[[0, 2, 1]]), ("times must increase",
         "(row 3)")),
    Case("npz of nothing", "a.npz", npz(data=np.full((3, 2), np.nan), time=WHEN), ("include at least one number",)),
    Case("h5 that is none", "a.h5", b"abc", ("be a complete HDF5 file",), error=InputError),
    Case("h5 of another layout", "a.h5", hdf(table=[1, 2]), ("one frame in the layout of pandas", "format='fixed'"),
         error=InputError),
    Case("h5 without times", "a.h5", hdf(axis0=[b"a"], axis1=[0.5]), ("have times as the index", "float64"),
         error=InputError),
    Case("h5 without numbers", "a.h5", hdf(axis0=[b"a"], axis1=[0]), ("a frame in the fixed layout of pandas",),
         error=InputError),
    Case("h5 with pickles", "a.h5", hdf(axis0=[b"a"], axis1=[0], block0_items=[b"a"], block0_values=[[b"x"]]),
         ("hold numbers only", "pickles"), error=InputError),
    Case("h5 of wrong shape", "a.h5", hdf(axis0=[b"a"], axis1=[0], block0_items=[b"a"], block0_values=[[1.0, 2.0]]),
         ("hold 1 times by 1 columns", "(1, 2)"), error=InputError),
    Case("h5 as assets", "a.h5", hdf(axis0=[b"a"], axis1=[0]), ("kind must be panel for a file that ends in .h5",
         "'assets'"), "assets", InputError),
    Case("geojson as events", "a.geojson", geojson(), ("kind must be areas for a file that ends in .geojson",),
         "events", InputError),
]  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=lambda c: c.name)
def test_a_file_is_refused_with_argument_rule_and_value(case: Case, tmp_path: Path) -> None:
    path = tmp_path / case.file
    content = case.content() if callable(case.content) else case.content
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CitylibError) as caught:
        own_files.read(str(path), kind=case.kind)
    assert type(caught.value) is case.error, caught.value
    for part in case.parts:
        assert part in str(caught.value), caught.value
    assert [p.name for p in tmp_path.iterdir()] == [case.file]  # nothing was written beside it


def test_there_are_more_than_forty_cases_each_with_a_name_of_its_own() -> None:
    names = [case.name for case in FILES]
    assert len(names) == len(set(names)) >= 40


def test_all_faults_of_a_file_are_told_together_with_rows_as_a_person_counts_them(tmp_path: Path) -> None:
    text = (
        "time,sensor,volume [veh/h],temperature [°C]\n"
        "2024-03-01T00:00,007,-5,1.5\n"
        "2024-03-01T00:00,007,inf,abc\n"
        "\n"
        "03/01/2024,007,7,2\n"
        ",B,9,\n"
        "2024-02-01T00:00,007,9,\n"
        "2024-02-01T00:00,,9,\n"
    )
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(SchemaError) as caught:
        own_files.read(str(tmp_path / "a.csv"))
    assert set(caught.value.faults) == {
        "column 'time' must have no missing values, got nothing (row 6)",
        "column 'time' must be an ISO 8601 time, got '03/01/2024' (row 5); write it as 2024-03-01T13:00",
        "column 'temperature' must be a number, got 'abc' (row 3)",
        "column 'sensor' must have no missing values, got nothing (row 8)",
        "column 'volume' must be finite, got inf (row 3)",
        "column 'volume' must be at least 0, got -5 (row 2)",
        "columns 'time' and 'sensor' must have no duplicates, got '2024-03-01 00:00:00, 007' (rows 2, 3); "
        "at a clock change write times in UTC",
        "column 'time' must increase within a sensor, got 2024-02-01 00:00:00 (row 7); "
        "sort the rows by sensor and time",
    }
    assert str(caught.value).startswith(f"file {tmp_path / 'a.csv'}: 8 faults\n")


def test_many_rows_are_counted_not_listed(tmp_path: Path) -> None:
    rows = "".join(f"2024-01-{day:02d},a,-{day}\n" for day in range(1, 21))
    (tmp_path / "a.csv").write_text(HEAD + rows)
    with pytest.raises(SchemaError, match=r"got -1, -2, -3, \.\.\. \(rows 2, 3, 4, 5, 6 and 15 more\)"):
        own_files.read(str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("source", "arguments", "error", "parts"),
    [
        ("trafic-i94", {}, UnknownNameError, ("source must be one of", "'trafic-i94'", "did you mean 'traffic-i94'?")),
        ("synthetik", {}, UnknownNameError, ("did you mean 'synthetic'?",)),
        ("", {}, InputError, ("source must be the name of a source or file:PATH, got ''",)),
        (7, {}, InputError, ("source must be the name of a source or file:PATH, got 7",)),
        ("file:", {}, InputError, ("source must name a file after file:",)),
        ("file:gone.csv", {}, InputError, ("file must exist, got 'gone.csv'", "looked from")),
        ("file:readings.cvs", {}, InputError, ("file must exist", "did you mean readings.csv?")),
        ("file:.", {}, InputError, ("file must be a file, got 'the folder .'", "name one file in it")),
        ("file:nowhere/a.csv", {}, InputError, ("file must exist, got 'nowhere/a.csv'",)),
        ("file:readings.csv", {"kind": "panels"}, UnknownNameError, ("kind must be one of", "did you mean 'panel'?")),
        ("traffic-i94", {"kind": "panel"}, InputError, ("kind must be left out unless source is file:PATH", "'panel'")),
        ("synthetic:tiny", {"seed": -1}, InputError, ("seed must be at least 0, got -1",)),
        ("synthetic:tiny", {"seed": "0"}, InputError, ("seed must be a whole number, got '0'",)),
        ("synthetic:huge", {}, CitylibError, ("'huge'",)),
    ],
)
def test_a_source_is_refused_with_argument_rule_and_value(
    source: str,
    arguments: dict[str, str],
    error: type[CitylibError],
    parts: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "readings.csv").write_text(LONG)
    with pytest.raises(error) as caught:
        data.load(source, **arguments)  # type: ignore[arg-type]
    for part in parts:
        assert part in str(caught.value), caught.value


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv.gz", gzip.compress(CSV)), ("a.zip", zipped(("a.csv", CSV))())],
    ids=["gz", "zip"],
)
def test_what_unpacks_to_too_much_is_refused(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_archive, "LIMIT", 10)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="must unpack to at most"):
        own_files.read(str(tmp_path / name))


def test_a_password_is_not_asked_for(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.csv", CSV))())
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):  # the bit that says "encrypted"
        content[content.index(mark) + (6 if mark.endswith(b"\x04") else 8)] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveError, match="without a password"):
        own_files.read(str(tmp_path / "a.zip"))
