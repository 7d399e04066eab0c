"""Streets of Pittsburgh: blanks missing, lists opened, the reverse of two-way streets at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from citylib.data.dataset import Dataset
from citylib.data.sources.network_pittsburgh import with_reverse
from citylib.errors import SchemaError
from tests.data.sources.tiny_files import FILES

Small = Callable[..., Dataset]
Faults = Callable[[Dataset], Mapping[Any, tuple[int, int, str]]]


NAME = "network-pittsburgh"


def test_the_small_files(small: Small, faults: Faults) -> None:
    dataset = small(NAME)
    found, nodes, edges = faults(dataset), dataset.table("nodes"), dataset.table("edges")
    assert nodes["component"].tolist() == [0, 0, 0, 1]
    assert nodes["district"].isna().tolist() == [False, False, True, True]
    assert nodes["control"].tolist()[0] == "traffic_signals"
    assert edges["one_way"].tolist() == [True, False, False]
    assert edges["road_class"].tolist() == ["residential", "residential", "service"]
    assert edges["speed_limit_kmh"].tolist() == pytest.approx([40.2, 56.3, np.nan], nan_ok=True)
    assert edges["lanes"].tolist() == pytest.approx([2, 3, np.nan], nan_ok=True)
    assert edges["bridge"].tolist() == [True, False, False]
    assert edges["tunnel"].tolist() == [False, True, False]
    assert edges["road"].isna().tolist() == [False, False, True]
    assert dataset.table("areas")["area_km2"].tolist() == pytest.approx([2.58999])
    assert found["stored-once"] == (2, 3, "reported")
    assert found["not-connected"] == (1, 4, "reported")
    assert found["speed-missing"] == (1, 3, "reported")
    assert found["lanes-missing"] == (1, 3, "reported")
    assert found["list-as-text"] == (3, 12, "mended")
    assert found["self-loop"] == (1, 3, "reported")
    assert found["outside-city"] == (2, 4, "reported")


def test_every_two_way_street_gets_its_reverse_once(small: Small) -> None:
    edges = with_reverse(small(NAME).table("edges"))
    ends = [["10", "11"], ["12", "11"], ["13", "13"], ["11", "12"]]
    assert edges[["start", "end"]].to_numpy().tolist() == ends
    back = edges[edges["reverse"]]
    assert len(back) == 1
    assert back["length_m"].tolist() == [50.0]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("pittsburgh_nodes.csv.gz", b",11,", b",10,", "unique"),
        ("pittsburgh_edges.csv.gz", b",13,service", b",99,service", "line 4 names another"),
        ("pittsburgh_edges.csv.gz", b"38.7", b"long", "be a number"),
    ],
)
def test_broken_files_are_refused(small: Small, file: str, old: bytes, new: bytes, message: str) -> None:
    data = FILES[NAME]()[file]
    assert old in data
    with pytest.raises(SchemaError, match=message):
        small(NAME, {file: data.replace(old, new)})


@pytest.mark.real
def test_the_real_files_are_as_measured(real: Callable[[str], Dataset], faults: Faults) -> None:
    dataset = real(NAME)
    found, nodes, edges = faults(dataset), dataset.table("nodes"), dataset.table("edges")
    assert (len(nodes), len(edges), len(dataset.table("areas"))) == (20_930, 29_834, 90)
    assert found["stored-once"][0] == 26_507
    assert edges["one_way"].sum() == 3_327
    assert edges["length_m"].sum() == pytest.approx(3_204e3, abs=1e3)
    assert nodes["component"].max() + 1 == 101
    assert (nodes["component"] == 0).sum() == 20_652
    assert edges["speed_limit_kmh"].notna().mean() == pytest.approx(0.09, abs=0.005)
    assert edges["lanes"].notna().mean() == pytest.approx(0.16, abs=0.005)
    assert not edges["road_class"].str.contains(r"\[", na=False).any()
    assert set(nodes["district"].dropna()) <= set(dataset.table("areas")["area"])
    assert len(with_reverse(edges)) == 29_834 + 26_507 - (~edges["one_way"] & (edges["start"] == edges["end"])).sum()
