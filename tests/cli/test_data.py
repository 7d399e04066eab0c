"""citylib data: what it prints, plain and drawn, and the code it ends with."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from citylib.cli.data import app
from citylib.data import fetch, registry
from citylib.data.fetch import Found
from citylib.data.registry import SourceFile

LONG = "time,sensor,volume [veh/h]\n2024-03-01T00:00,a,1\n2024-03-01T01:00,a,\n"


def call(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=answer)


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No data folder, and an empty cache."""
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    monkeypatch.setenv("CITYLIB_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def downloads(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Downloads that succeed at once; the files asked for."""
    asked: list[str] = []

    def download(file: SourceFile, *, progress: bool | None = None) -> Found:
        asked.append(file.key)
        return Found(Path("kept") / file.original_name, "download", "0", 1)

    monkeypatch.setattr(fetch, "download", download)
    return asked


def test_list_names_every_set_and_where_it_is(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("list")
    assert result.exit_code == 0
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["name", "kind", "size", "where", "title"]
    assert [row[0] for row in rows[1:]] == [*(s.name for s in registry.sources()), "synthetic"]
    where = {row[0]: row[3] for row in rows[1:]}
    assert where["traffic-i94"] == "not here"
    assert where["requests-boston-311"] == "not here, folder only"
    assert where["traffic-metr-la"] == "3 not here, 2 not here, folder only"
    (file,) = registry.source("traffic-i94").files
    put = no_data / "traffic-i94" / file.name
    put.parent.mkdir()
    put.write_bytes(b"something else")
    monkeypatch.setenv("CITYLIB_DATA", str(no_data))
    assert "\tdamaged\t" in next(line for line in call("list").stdout.splitlines() if line.startswith("traffic-i94"))


def test_list_is_drawn_in_a_terminal(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    result = call("list")
    assert result.exit_code == 0
    assert "│ traffic-i94" in result.stdout
    assert "\t" not in result.stdout


def test_a_data_folder_that_is_not_there_is_wrong_usage(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLIB_DATA", str(no_data / "gone"))
    result = call("list")
    assert result.exit_code == 2
    assert "CITYLIB_DATA must name folders that exist" in result.stderr


def test_show_says_licence_traps_and_addresses(no_data: Path) -> None:
    result = call("show", "traffic-metr-la")
    source = registry.source("traffic-metr-la")
    assert result.exit_code == 0
    for text in (source.title, source.description, source.period, source.licence_stated, "unverified", *source.traps):
        assert text in result.stdout
    for file in source.files:
        assert (file.url or f"none: {file.stored_form}") in result.stdout


@pytest.mark.parametrize("command", ["show", "fetch"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [("synthetic", "drawn when it is loaded"), ("synthetic:tiny", "drawn when"), ("file:a.csv", "data check a.csv")],
)
def test_a_source_without_files_of_the_registry_is_told_apart(
    command: str, name: str, hint: str, no_data: Path
) -> None:
    result = call(command, name)
    assert result.exit_code == 2
    assert f"source must be a set with files, got '{name}'" in result.stderr
    assert hint in result.stderr


@pytest.mark.parametrize("command", ["show", "fetch"])
def test_an_unknown_set_is_wrong_usage_and_the_nearest_is_offered(command: str, no_data: Path) -> None:
    result = call(command, "trafic-i94")
    assert result.exit_code == 2
    assert "did you mean 'traffic-i94'?" in result.stderr


def test_fetch_shows_size_and_licence_and_downloads_when_told_to(downloads: list[str]) -> None:
    result = call("fetch", "traffic-i94", "--yes")
    assert result.exit_code == 0
    assert "1 file(s), 3.0 MiB to download" in result.stdout
    assert "UCI data set 492 states CC BY 4.0" in result.stdout
    assert "download: kept/metro_interstate_traffic_volume.csv" in result.stdout
    assert downloads == ["traffic-i94/metro_interstate_traffic_volume.csv.gz"]


def test_fetch_without_a_terminal_needs_yes(downloads: list[str]) -> None:
    result = call("fetch", "traffic-i94")
    assert result.exit_code == 2
    assert "nothing was downloaded: say --yes" in result.stderr
    assert downloads == []


@pytest.mark.parametrize(("answer", "code", "count"), [("y\n", 0, 1), ("n\n", 1, 0)])
def test_fetch_asks_in_a_terminal(
    answer: str, code: int, count: int, downloads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("citylib.cli.data._asks", lambda: True)
    result = call("fetch", "traffic-i94", answer=answer)
    assert (result.exit_code, len(downloads)) == (code, count)


def test_fetch_of_what_cannot_be_had(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call("fetch", "requests-boston-311", "--yes")
    assert result.exit_code == 1
    assert "must be in a data folder" in result.stderr
    source = registry.source("traffic-i94")
    away = replace(source.files[0], url="http://127.0.0.1:1/a.csv")
    monkeypatch.setattr(registry, "_registered", lambda: (replace(source, files=(away,)),))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    result = call("fetch", "traffic-i94", "--yes")
    assert result.exit_code == 1
    assert "could not be downloaded" in result.stderr


def test_fetch_of_what_is_there_asks_nothing(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = registry.source("traffic-i94")
    file = replace(source.files[0], sha256_stored=hashlib.sha256(b"here").hexdigest())
    monkeypatch.setattr(registry, "_registered", lambda: (replace(source, files=(file,)),))
    put = no_data / "traffic-i94" / file.name
    put.parent.mkdir()
    put.write_bytes(b"here")
    monkeypatch.setenv("CITYLIB_DATA", str(no_data))
    result = call("fetch", "traffic-i94")
    assert result.exit_code == 0
    assert result.stdout == f"folder: {put}\n"


def test_check_says_what_a_good_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(LONG)
    for words in ((str(path),), (f"file:{path}", "--as", "panel")):
        result = call("check", *words)
        assert result.exit_code == 0
        assert "can be used as panel" in result.stdout
        assert "volume [veh/h], 2 times at 1 sensor" in result.stdout
        assert "missing-reading\tvolume\t1 of 2\treported\tReadings are missing." in result.stdout
    path.write_text(LONG.replace("01:00,a,", "01:00,a,2"))
    assert "reported" not in call("check", str(path)).stdout


def test_check_lists_every_fault_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(LONG + "2024-03-01T02:00,a,-3\n2024-03-01T02:00,,many\n")
    result = call("check", str(path), "--as", "panel")
    assert result.exit_code == 1
    for part in ("3 faults", "got -3 (row 4)", "got 'many' (row 5)", "column 'sensor' must have no missing values"):
        assert part in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "words", "code", "part"),
    [
        ("a.csv", b"", (), 1, "must hold data"),
        ("a.xlsx", b"x", (), 1, "must be no spreadsheet"),
        ("a.tar", b"x", (), 1, "must be a complete archive"),
        ("a.csv", LONG.encode(), ("--as", "pannel"), 2, "pannel"),
        ("", b"", (), 2, "file must be a file"),
    ],
)
def test_check_tells_faults_from_wrong_usage(
    name: str, content: bytes, words: tuple[str, ...], code: int, part: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    if name:
        path.write_bytes(content)
    result = call("check", str(path), *words)
    assert result.exit_code == code
    assert part in result.stderr


def test_check_of_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    result = call("check", str(tmp_path / "gone.csv"))
    assert result.exit_code == 2
    assert "file must exist" in result.stderr
