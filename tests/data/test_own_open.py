"""Opening own files: compression and archives are seen through, whatever they are called."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from citylib.data import own_files, own_open

TEXT = b"time,a [m]\n2024-01-01,1\n2024-01-02,2\n"


def tar(mode: str, name: str = "folder/readings.csv") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", TEXT),
        ("A.CSV", TEXT),
        ("a.csv.gz", gzip.compress(TEXT)),
        ("a.csv", gzip.compress(TEXT)),
        ("a.zip", zipped(**{"folder/readings.csv": TEXT, "__MACOSX/readings.csv": b"x", "folder/.DS_Store": b"x"})),
        ("a.zip", zipped(**{"readings.csv.gz": gzip.compress(TEXT)})),
        ("a.tar", tar("w")),
        ("a.tar.gz", tar("w:gz")),
        ("a.tgz", tar("w:gz")),
        ("a.tar.bz2", tar("w:bz2")),
        ("a.tar.xz", tar("w:xz", "./readings.csv")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrappings_are_seen_through(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    dataset = own_files.read(str(tmp_path / name))
    assert dataset.panel().series("a").tolist() == [1, 2]
    assert dataset.files[0].bytes == len(data)
    assert {p.name for p in tmp_path.iterdir()} == {name}


def test_a_path_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.csv").write_bytes(TEXT)
    assert own_open.open_own("~/a.csv").data == TEXT
