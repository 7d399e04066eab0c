"""The registry: complete, in agreement with itself and with the real data folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from citylib.data import registry
from citylib.errors import UnknownNameError

SHA256 = re.compile(r"[0-9a-f]{64}")


def test_every_set_is_described() -> None:
    sets = registry.sources()
    assert len(sets) == 18
    assert sum(len(s.files) for s in sets) == 50
    for one in sets:
        assert one.kind in registry.KINDS
        for text in (one.title, one.description, one.period, one.meant_for, one.licence_stated, one.licence_publisher):
            assert text.strip()
        assert one.traps
        assert one.bytes_stored == sum(f.bytes_stored for f in one.files)


@pytest.mark.parametrize("source", registry.sources(), ids=lambda s: s.name)
def test_every_file_is_pinned(source: registry.Source) -> None:
    for file in source.files:
        assert SHA256.fullmatch(file.sha256_stored)
        assert re.fullmatch(r"[0-9a-f]{40}", file.commit)
        assert file.rows > 0
        assert file.bytes_stored > 0
        assert file.key == f"{source.name}/{file.name}"
        if file.url is None:
            assert file.stored_form not in ("gzip", "unchanged")
            continue
        assert SHA256.fullmatch(file.sha256_original or "")
        parts = urlsplit(file.url)
        assert (parts.scheme, parts.netloc) == ("https", "raw.githubusercontent.com")
        assert parts.path.startswith(f"/{file.repo}/{file.commit}/")
        assert " " not in file.url
        if file.stored_form == "unchanged":
            assert (file.sha256_original, file.bytes_original) == (file.sha256_stored, file.bytes_stored)


def test_rewritten_files_come_from_a_folder_only() -> None:
    rewritten = {f.name for s in registry.sources() for f in s.files if f.url is None}
    assert "boston_311_2015.csv.gz" in rewritten
    assert "nyc_bike_grid_2014.npz" in rewritten
    assert not registry.source("requests-boston-311").downloadable
    assert registry.source("traffic-i94").downloadable


def test_a_path_with_spaces_is_quoted() -> None:
    files = registry.source("emergency-montreal-fire").files
    address = next(f.url for f in files if f.name == "montreal_population.csv")
    assert address is not None
    assert address.endswith("/data/census%20data%20cleaned/population_merged_data.csv")


def test_original_name_drops_the_compression_that_is_ours() -> None:
    (file,) = registry.source("traffic-i94").files
    assert file.original_name == "metro_interstate_traffic_volume.csv"
    unchanged = registry.source("weather-cities").files[-1]
    assert unchanged.original_name == unchanged.name


def test_repo_may_stand_at_the_file() -> None:
    (source,) = registry.parse(
        """
        [one]
        title = "t"
        kind = "graph"
        description = "d"
        period = "p"
        meant_for = "m"
        licence_stated = "s"
        licence_publisher = "p"
        traps = []
        [[one.files]]
        name = "a.csv"
        repo = "x/y"
        commit = "c"
        path = "a b.csv"
        rows = 1
        stored = "unchanged"
        sha256 = "00"
        bytes = 3
        notes = "n"
        """
    )
    assert source.files[0].url == "https://raw.githubusercontent.com/x/y/c/a%20b.csv"
    assert source.files[0].bytes_stored == 3


def test_unknown_name_offers_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'traffic-metr-la'"):
        registry.source("traffic-metr_la")


@pytest.mark.real
def test_registry_agrees_with_the_data_folder(real_data: Path) -> None:
    listed = {entry["file"]: entry for entry in json.loads((real_data / "REGISTRY.json").read_text())}
    files = {f.key: f for s in registry.sources() for f in s.files}
    assert set(files) == set(listed)
    for key, file in files.items():
        entry = listed[key]
        assert file.sha256_stored == entry["sha256_stored"]
        assert file.bytes_stored == entry["bytes_stored"]
        assert file.rows == entry["rows"]
        assert (file.repo, file.commit) == (entry["repo"], entry["commit"])
        if file.url is not None:
            assert file.sha256_original == entry["sha256_original"]
            assert file.bytes_original == entry["bytes_original"]
            assert file.path == entry["path"]
