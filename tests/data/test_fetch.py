"""Search order and downloads: folder, cache, address; every byte checked, nothing broken kept."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from citylib.data import cache, fetch, registry
from citylib.errors import ChecksumError, DownloadError, InputError, SourceMissingError

from .conftest import CONTENT, MakeSource, Server


def put(folder: Path, data: bytes, name: str = "readings.csv.gz", source: str = "tiny-set") -> Path:
    path = folder / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def kept(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_download_is_checked_moved_and_then_found_in_the_cache(
    no_data: Path, server: Server, make_source: MakeSource
) -> None:
    source = make_source(server.address)
    first = fetch.fetch(source)["readings.csv.gz"]
    assert first.origin == "download"
    assert first.path.read_bytes() == CONTENT
    assert first.bytes == len(CONTENT)
    assert kept(no_data) == [no_data / "tiny-set" / "readings.csv"]
    second = fetch.fetch(source)["readings.csv.gz"]
    assert (second.origin, second.path, second.sha256) == ("cache", first.path, first.sha256)
    assert server.asked == ["/readings.csv"]


def test_progress_is_shown_when_asked_for(
    no_data: Path, server: Server, make_source: MakeSource, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch.download(make_source(server.address).files[0], progress=True)
    assert "100%" in capsys.readouterr().err


def test_folder_comes_before_the_cache(
    no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_source: MakeSource
) -> None:
    source = make_source()
    put(no_data, CONTENT, "readings.csv")
    assert fetch.fetch(source)["readings.csv.gz"].origin == "cache"
    path = put(tmp_path / "data", gzip.compress(CONTENT, mtime=0))
    monkeypatch.setenv("CITYLIB_DATA", str(tmp_path / "data"))
    found = fetch.fetch(source)["readings.csv.gz"]
    assert (found.origin, found.path) == ("folder", path)


def test_several_folders_and_the_sets_own_folder(
    no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_source: MakeSource
) -> None:
    path = put(tmp_path / "b", gzip.compress(CONTENT, mtime=0))
    (tmp_path / "a").mkdir()
    monkeypatch.setenv("CITYLIB_DATA", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert fetch.fetch(make_source())["readings.csv.gz"].path == path
    monkeypatch.setenv("CITYLIB_DATA", str(path.parent))
    assert fetch.fetch(make_source())["readings.csv.gz"].path == path


def test_a_relative_folder_is_looked_for_from_here(
    no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYLIB_DATA", "here")
    assert fetch.folders() == (tmp_path / "here",)
    monkeypatch.setenv("CITYLIB_DATA", os.path.join("here", "..", "here"))
    assert fetch.folders() == (tmp_path / "here",)
    monkeypatch.setenv("CITYLIB_DATA", "there")
    with pytest.raises(InputError, match="CITYLIB_DATA must name folders that exist, got 'there'; looked from"):
        fetch.folders()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("readings.csv", CONTENT),
        ("readings.csv.gz", gzip.compress(CONTENT, compresslevel=1, mtime=7)),
    ],
    ids=["unpacked", "compressed anew"],
)
def test_the_same_content_in_another_wrapping_will_do(
    name: str, data: bytes, no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_source: MakeSource
) -> None:
    path = put(tmp_path / "data", data, name)
    monkeypatch.setenv("CITYLIB_DATA", str(tmp_path / "data"))
    found = fetch.fetch(make_source())["readings.csv.gz"]
    assert found.path == path
    assert found.sha256 == cache.sha256(path)


@pytest.mark.parametrize(
    "data", [CONTENT + b"x", gzip.compress(CONTENT + b"x"), gzip.compress(CONTENT)[:-9], b""], ids=lambda d: str(len(d))
)
def test_other_bytes_in_a_folder_are_refused(
    data: bytes, no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_source: MakeSource
) -> None:
    source = make_source()
    path = put(tmp_path / "data", data)
    monkeypatch.setenv("CITYLIB_DATA", str(tmp_path / "data"))
    with pytest.raises(ChecksumError) as caught:
        fetch.fetch(source)
    for part in ("tiny-set/readings.csv.gz", str(path), source.files[0].sha256_stored, cache.sha256(path)):
        assert part in str(caught.value)
    assert path.read_bytes() == data


def test_a_damaged_file_in_the_cache_is_replaced(no_data: Path, server: Server, make_source: MakeSource) -> None:
    path = put(no_data, b"damaged", "readings.csv")
    source = make_source(server.address)
    assert fetch.locate(source.files[0]) is None
    assert fetch.fetch(source)["readings.csv.gz"].origin == "download"
    assert path.read_bytes() == CONTENT


def test_a_download_with_other_bytes_is_not_kept(no_data: Path, server: Server, make_source: MakeSource) -> None:
    server.body = b"<html>moved</html>"
    source = make_source(server.address)
    with pytest.raises(ChecksumError) as caught:
        fetch.fetch(source)
    assert str(source.files[0].sha256_original) in str(caught.value)
    assert source.files[0].url in str(caught.value)
    assert "nothing was kept" in str(caught.value)
    assert kept(no_data) == []


@pytest.mark.parametrize(
    ("status", "promised", "reason"),
    [(404, None, "404"), (500, None, "500"), (200, 1000, "IncompleteRead")],
    ids=["not found", "server error", "cut off"],
)
def test_a_download_that_fails_keeps_nothing(
    status: int, promised: int | None, reason: str, no_data: Path, server: Server, make_source: MakeSource
) -> None:
    server.status, server.promised = status, promised
    source = make_source(server.address)
    with pytest.raises(DownloadError) as caught:
        fetch.fetch(source)
    for part in (f"{server.address}/readings.csv", reason, "nothing was kept", "CITYLIB_DATA"):
        assert part in str(caught.value)
    assert kept(no_data) == []


def test_no_network_says_what_to_do(no_data: Path, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(
        DownloadError, match=r"http://127\.0\.0\.1:1/readings\.csv could not be downloaded.*refused"
    ) as e:
        fetch.fetch(make_source())
    assert "set CITYLIB_DATA to a folder that holds tiny-set/readings.csv.gz" in str(e.value)
    assert "0x" not in str(e.value)
    assert kept(no_data) == []


def test_a_rewritten_file_comes_from_a_folder_only(no_data: Path, make_source: MakeSource) -> None:
    with pytest.raises(SourceMissingError, match=r"'tiny-set' must be in a data folder.*joined from many.*is not set"):
        fetch.fetch(make_source(None))


def test_find_listed_finds_registered_and_own_files(
    no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(CONTENT)
    found = fetch.find_listed(str(own))
    assert found is not None
    assert (found.origin, found.sha256) == ("own", cache.sha256(own))
    assert fetch.find_listed(str(tmp_path / "gone.csv")) is None
    (file,) = registry.source("traffic-i94").files
    assert fetch.find_listed(file.key) is None
    put(tmp_path / "data", b"other", file.name, file.source)
    monkeypatch.setenv("CITYLIB_DATA", str(tmp_path / "data"))
    assert fetch.find_listed(file.key) is None


@pytest.mark.real
def test_every_file_is_in_the_data_folder(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLIB_DATA", str(real_data))
    for source in registry.sources():
        for file, found in zip(source.files, fetch.fetch(source).values(), strict=True):
            assert found.origin == "folder"
            assert (found.sha256, found.bytes) == (file.sha256_stored, file.bytes_stored)
            listed = fetch.find_listed(file.key)
            assert listed == found
