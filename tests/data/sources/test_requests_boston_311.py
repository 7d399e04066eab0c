"""Requests of Boston: times put right, places that stand for none masked, the future named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "requests-boston-311"
FILE = "boston_311_2015.csv.gz"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found, table = faults(dataset), dataset.table("requests").set_index("request")
    assert table.index.tolist() == ["1", "2", "3", "4", "5"]
    assert table.loc["5", "closed"] == table.loc["5", "opened"]
    assert pd.isna(table.loc["2", "closed"])
    assert pd.isna(table.loc["3", "closed"])
    assert table.loc["4", ["latitude", "longitude"]].isna().all()
    assert table["ward"].tolist()[:3] == ["3", "3", "3"]
    assert table["zip"].tolist()[0] == "02108"
    assert table["closed_early"].tolist() == [False, True, False, False, True]
    assert table["outcome"].fillna("").tolist() == ["other", "", "", "noted", "noted"]  # 2 has no closing time any more
    assert found["closed-before-opened"] == (1, 4, "mended")
    assert found["closed-long-before-opened"] == (1, 4, "masked")
    assert found["default-place"] == (1, 5, "masked")
    assert found["ward-spelling"] == (1, 4, "mended")
    assert found["open"] == (2, 5, "reported")
    assert found["note-from-the-future"] == (4, 5, "reported")
    assert found["contact-masked"] == (1, 5, "reported")
    assert found["missing", "requests.target"] == (1, 5, "reported")
    assert found["missing", "requests.zip"] == (1, 5, "reported")
    assert found["type-absent"] == (4, 6, "reported")  # one of the five is in this file


def test_columns_of_the_future_are_named(small: Small) -> None:
    table = small(NAME).table("requests")
    assert set(table.attrs["future"]) <= set(table)
    assert {"closure_note", "outcome", "closed_early"} <= set(table.attrs["future"])
    assert table.attrs["snapshot"] == "2015-03-01 10:00"


@pytest.mark.parametrize(
    ("old", "new"), [(b"2015-01-04T00:00:00", b""), (b"2,2015", b"1,2015"), (b"42.36,", b"north,")]
)
def test_broken_files_are_refused(small: Small, old: bytes, new: bytes) -> None:
    data = FILES[NAME]()[FILE]
    assert old in data
    with pytest.raises(SchemaError, match=FILE):
        small(NAME, {FILE: data.replace(old, new)})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    found, table = faults(dataset), dataset.tables["requests"]
    assert len(table) == 121_145
    assert (str(table["opened"].min()), str(table["opened"].max())) == ("2015-01-01 00:20:09", "2015-12-31 23:10:09")
    assert table["category"].nunique() == 158
    assert dataset.table("types")["requests"].sum() == 121_145
    assert found["closed-before-opened"][0] == table["closed_early"].sum() == 197
    assert "closed-long-before-opened" not in found
    assert found["open"][0] == 19_873
    assert found["contact-masked"][0] == 3_326
    assert found["type-absent"][:2] == (5, 163)
    assert table["closed"].isna().mean() == pytest.approx(0.164, abs=5e-4)
    assert table["target"].isna().mean() == pytest.approx(0.223, abs=5e-4)
    assert table["closure_note"].isna().mean() == pytest.approx(0.163, abs=5e-4)
    assert table["district"].isna().mean() == pytest.approx(0.090, abs=5e-4)
    # Nearly all cases without a neighbourhood stand at the default place, and as many more with one do.
    assert table.loc[table["district"].isna(), "latitude"].isna().mean() > 0.98
    assert found["default-place"][0] == 17_070
    still_open = table["status"] == "Open"
    assert table.loc[still_open, "closure_note"].notna().mean() == pytest.approx(0.004, abs=5e-4)
    assert table.loc[~still_open, "closure_note"].notna().all()
    right = table.groupby("category")["department"].agg(lambda d: d.value_counts().iloc[0]).sum() / len(table)
    assert right == pytest.approx(0.94, abs=0.005)
    assert set(table["ward"].dropna()) <= {str(k) for k in range(1, 23)}
    assert table["zip"].dropna().str.fullmatch(r"0\d{4}").all()
