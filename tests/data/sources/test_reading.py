"""Reading: packed or plain by the bytes, typed, all faults of a file together with their lines."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from citylib.data.sources import reading
from citylib.errors import ArchiveError, SchemaError, SourceMissingError


def file(folder: Path, data: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_the_bytes_say_whether_a_file_is_packed(tmp_path: Path) -> None:
    data = b"a,b\n1,x\n"
    assert reading.content(file(tmp_path, gzip.compress(data), "named.csv")) == data
    assert reading.content(file(tmp_path, data, "named.csv.gz")) == data


@pytest.mark.parametrize("cut", [5, 12, 25, -4])
def test_a_cut_archive_is_refused(tmp_path: Path, cut: int) -> None:
    path = file(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 50)[:cut], "a.csv.gz")
    with pytest.raises(ArchiveError, match=r"a\.csv\.gz cannot be unpacked"):
        reading.content(path)


def test_columns_come_typed_and_in_order(tmp_path: Path) -> None:
    path = file(tmp_path, b"\xef\xbb\xbft,n,w\n2026-01-01,1,None\n2026-01-02,NA,\n")
    frame = reading.read_csv(path, text=("w",), numbers=("n",), times={"t": "%Y-%m-%d"})
    assert list(frame) == ["w", "n", "t"]
    assert frame["w"].iloc[0] == "None"
    assert frame["w"].isna().tolist() == [False, True]
    assert frame["n"].dtype == np.float64
    assert frame["t"].dtype == "datetime64[ns]"


def test_all_faults_of_a_file_come_together_with_their_lines(tmp_path: Path) -> None:
    path = file(tmp_path, b"t,n,m\n2026-01-01,1,1\nx,two,inf\n,three,2\n2026-13-01,4,4\n")
    with pytest.raises(SchemaError) as caught:
        reading.read_csv(path, numbers=("n", "m"), times={"t": "%Y-%m-%d"})
    assert caught.value.argument == "a.csv"
    assert list(caught.value.faults) == [
        "column 'n' must be a number, got 'two' (2 cell(s), line(s) 3, 4)",
        "column 'm' must be finite, got 1 cell(s), line(s) 3",
        "column 't' must be a time of the form %Y-%m-%d, got 'x' (2 cell(s), line(s) 3, 5)",
        "column 't' must have no missing times, got 1 cell(s), line(s) 4",
    ]


def test_lines_are_counted_from_the_first_of_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, b"about\n\nn\n1\nx\n")
    with pytest.raises(SchemaError, match=r"line\(s\) 5"):
        reading.read_csv(path, numbers=("n",), skiprows=2)
    with pytest.raises(SchemaError, match=r"line\(s\) 2"):
        reading.read_csv(file(tmp_path, b"1\nx\n"), numbers=("n",), header=None, names=["n"])


def test_many_bad_lines_are_counted_and_three_shown(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"5 cell\(s\), line\(s\) 2, 3, 4, \.\.\."):
        reading.read_csv(file(tmp_path, b"n\n" + b"x\n" * 5), numbers=("n",))


def test_a_missing_time_may_be_allowed(tmp_path: Path) -> None:
    path = file(tmp_path, b"t,n\n,1\n2026-01-01,2\n")
    assert reading.read_csv(path, times={"t": "%Y-%m-%d"}, optional=True)["t"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    "data", [b"", b"n\n", b'n\n"1\n', b"n\n\xff\xfe\n", b"n,n2\n1,2\n1,2,3,4\n", b"n,n2\n1,2,3\n1,2,3\n"]
)
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SchemaError):
        reading.read_csv(file(tmp_path, data), numbers=("n",))


def test_a_header_names_columns_once(tmp_path: Path) -> None:
    assert reading.header(file(tmp_path, b'"a", b\n1,2\n')) == ["a", "b"]
    with pytest.raises(SchemaError, match="each once, got a"):
        reading.header(file(tmp_path, b"a,a\n"))
    with pytest.raises(SchemaError, match="got nothing"):
        reading.header(file(tmp_path, b""))


def test_a_file_not_given_is_said_with_those_that_were(tmp_path: Path) -> None:
    with pytest.raises(SourceMissingError, match=r"b\.csv is needed.*a\.csv"):
        reading.find({"a.csv": tmp_path}, "b.csv")


def test_clock_times_must_exist_and_be_an_hour_apart(tmp_path: Path) -> None:
    parts = pd.DataFrame({"year": [2026, 2026], "month": [2, 2], "day": [28, 30], "hour": [0, 0]})
    with pytest.raises(SchemaError, match=r"make a time.*line\(s\) 3"):
        reading.clock_times(tmp_path / "a.csv", parts)
    with pytest.raises(SchemaError, match=r"an hour apart.*row 3"):
        reading.hourly(tmp_path / "a.csv", pd.DatetimeIndex(["2026-01-01T00", "2026-01-01T02"]))


def test_a_fault_that_did_not_occur_is_none() -> None:
    assert reading.fault("code", "what", 0, 10, "masked") == ()
    assert reading.fault("code", "what", np.int64(2), 10, "masked")[0].count == 2
