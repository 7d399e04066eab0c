"""Water mains of Kitchener: breaks laid to the pipe that broke, codes and placeholders told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from citylib.data.dataset import Dataset
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "infra-water-mains-kitchener"


def test_faults_of_the_small_files(small: Small, faults: Faults) -> None:
    found = faults(small(NAME))
    assert found["installed-missing"] == (1, 4, "reported")
    assert found["installed-placeholder"] == (2, 3, "reported")
    assert found["not-active"] == (1, 4, "reported")
    assert found["lined-epoch"] == (1, 1, "masked")
    assert found["unknown-code", "assets.condition_score"] == (1, 4, "masked")
    assert found["unknown-code", "assets.criticality"] == (1, 4, "masked")
    assert found["unknown-code", "assets.diameter_mm"] == (1, 4, "masked")
    assert found["break-unlinked"] == (1, 8, "dropped")
    assert found["break-before-laying"] == (1, 7, "dropped")
    assert found["break-before-laying-same-year"] == (1, 7, "dropped")
    assert found["break-to-2015-of-later-pipe"] == (1, 7, "dropped")
    assert found["asset-gone"] == (2, 8, "reported")
    assert found["before-recording"] == (1, 8, "reported")
    assert found["entry-day"] == (1, 8, "reported")
    assert found["service-line"] == (1, 8, "reported")
    assert found["cancelled"] == (1, 8, "reported")
    assert found["same-main-same-day"] == (1, 5, "reported")
    assert found["log-year-missing"] == (1, 8, "reported")
    assert found["unknown-code", "breaks.log_material"] == (1, 8, "masked")


def test_tables_of_the_small_files(small: Small) -> None:
    dataset = small(NAME)
    assets, breaks, unused = (dataset.table(t) for t in ("assets", "breaks", "breaks_unused"))
    assert dataset.kind == "assets"
    assert assets["asset"].tolist() == ["1", "2", "3", "4"]
    assert assets["installed_year"].tolist()[:3] == [1958, 2016, 2005]
    assert assets.loc[1, ["diameter_mm", "criticality", "condition_score"]].isna().all()
    assert assets["lined"].tolist() == [True, False, False, False]
    assert assets["lined_on"].isna().all()
    assert assets["cleaned"].all()
    # A break of the year of laying without the log saying that its pipe is gone stays, whatever the day.
    assert breaks["incident"].tolist() == ["1", "6", "8", "7", "5"]
    assert breaks["same_day"].tolist() == [False, True, False, False, False]
    assert breaks["entry_day"].tolist() == [False, False, False, False, True]
    assert set(breaks["asset"]) <= set(assets["asset"])
    assert dict(zip(unused["incident"], unused["reason"], strict=True)) == {
        "2": "before the year of laying",
        "3": "before the day of laying, in its year",
        "4": "main not in the inventory",
    }
    assert assets.attrs["snapshot"]
    assert set(assets.attrs["snapshot"]) <= set(assets)
    assert (breaks.attrs["recorded_from"], breaks.attrs["recorded_until"]) == (1997, 2011)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("water_mains.csv.gz", b",2\n", b",1\n", "unique"),
        ("water_mains.csv.gz", b"1958/01/01", b"1958-01-01", "be a time"),
        ("water_mains.csv.gz", b"Shape__Length", b"length", "must be there"),
        ("water_main_breaks.csv.gz", b"INCIDENT_DATE", b"when", "must be there"),
        ("water_main_breaks.csv.gz", b"-80.5", b"west", "be a number"),
    ],
)
def test_broken_files_are_refused(small: Small, file: str, old: bytes, new: bytes, message: str) -> None:
    data = FILES[NAME]()[file]
    assert old in data
    with pytest.raises(SchemaError, match=message):
        small(NAME, {file: data.replace(old, new, 1)})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    assets, breaks, unused = (dataset.table(t) for t in ("assets", "breaks", "breaks_unused"))
    found = faults(dataset)
    assert len(assets) == 15_903
    assert assets["asset"].is_unique
    assert assets["installed"].isna().mean() == pytest.approx(0.0085, abs=5e-5)
    assert (assets["installed_year"].min(), str(assets["installed"].max())[:7]) == (1889, "2023-05")
    assert assets["length_m"].sum() == pytest.approx(929e3, rel=1e-3)
    assert assets["lined"].sum() == 58
    assert found["not-active"][0] == 3
    assert found["installed-placeholder"][0] / found["installed-placeholder"][1] == pytest.approx(0.55, abs=0.005)
    assert len(breaks) + len(unused) == 2_766
    assert found["break-unlinked"] == (2_766 - 2_339, 2_766, "dropped")
    assert found["break-before-laying"] == (317, 2_339, "dropped")
    assert found["break-to-2015-of-later-pipe"][0] == 117
    # The log has 14 more that are earlier than the day of laying in its year, all of pipes that are gone.
    assert found["break-before-laying-same-year"][0] == 14
    assert found["break-of-undated-main"] == (13, 2_339, "reported")
    assert len(breaks) / 2_766 == pytest.approx(0.73, abs=0.005)
    assert found["asset-gone"][0] == 712
    assert not breaks.loc[
        breaks["date"] < breaks["asset"].map(assets.set_index("asset")["installed"]), "asset_exists"
    ].any()
    assert found["before-recording"][0] == 10
    assert found["entry-day"][0] == 59 + 21
    assert found["service-line"][0] == 30
    assert found["log-year-missing"][0] / 2_766 == pytest.approx(0.064, abs=5e-4)
    until_2015 = breaks["asset"].map(assets.set_index("asset")["installed_year"]) <= 2015
    assert (until_2015 & breaks["year"].between(2016, 2022)).sum() == 522


@pytest.mark.real
def test_the_snapshot_knows_the_breaks_before_it(real: Callable[[str], Dataset]) -> None:
    dataset = real(NAME)
    assets, breaks = dataset.table("assets"), dataset.table("breaks")
    number = assets["asset"].map(breaks["asset"].value_counts()).fillna(0)
    score = assets["condition_score"]
    assert score[number == 0].mean() > score[number >= 4].mean() + 3
