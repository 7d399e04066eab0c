"""The cache: where it lies and what it tells of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from citylib.data import cache, registry


def test_cache_folder_is_the_platforms_unless_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CITYLIB_CACHE", raising=False)
    assert cache.folder().name == "citylib"
    monkeypatch.setenv("CITYLIB_CACHE", str(tmp_path))
    assert cache.folder() == tmp_path


def test_a_relative_cache_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CITYLIB_CACHE", "kept")
    assert cache.folder() == tmp_path / "kept"


def test_a_file_is_kept_in_its_published_form(no_data: Path) -> None:
    (file,) = registry.source("traffic-i94").files
    assert cache.path(file) == no_data / "traffic-i94" / "metro_interstate_traffic_volume.csv"


def test_sha256_of_a_file_larger_than_a_chunk(tmp_path: Path) -> None:
    data = b"x" * (cache.CHUNK + 7)
    (tmp_path / "big").write_bytes(data)
    assert cache.sha256(tmp_path / "big") == hashlib.sha256(data).hexdigest()
