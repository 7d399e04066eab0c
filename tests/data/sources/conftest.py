"""Loaders at hand: on hand-made files of every data set's form, and on the real files."""

from __future__ import annotations

import gzip
import importlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from citylib.data.dataset import Dataset
from tests.data.sources.tiny_files import FILES


def read(name: str, paths: Mapping[str, Path]) -> Dataset:
    """Return the data set `name` as its loader reads it."""
    module = importlib.import_module(f"citylib.data.sources.{name.replace('-', '_')}")
    dataset: Dataset = module.read(paths)
    return dataset


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Write the hand-made files of a data set, some replaced, packed as their name says; return their paths."""

    def write(name: str, replaced: Mapping[str, bytes] | None = None, *, packed: bool = True) -> dict[str, Path]:
        paths = {}
        for file, data in {**FILES[name](), **(replaced or {})}.items():
            paths[file] = tmp_path / file
            paths[file].write_bytes(gzip.compress(data) if packed and file.endswith(".gz") else data)
        return paths

    return write


@pytest.fixture
def small(tiny: Callable[..., dict[str, Path]]) -> Callable[..., Dataset]:
    """Read the hand-made files of a data set, some replaced."""

    def load(name: str, replaced: Mapping[str, bytes] | None = None) -> Dataset:
        return read(name, tiny(name, replaced))

    return load


@cache
def _real(folder: Path, name: str) -> Dataset:
    return read(name, {path.name: path for path in (folder / name).iterdir()})


@pytest.fixture
def real(real_data: Path) -> Callable[[str], Dataset]:
    """Read the real files of a data set."""
    return lambda name: _real(real_data, name)


@pytest.fixture
def faults() -> Callable[[Dataset], dict[Any, tuple[int, int, str]]]:
    """Return the faults of a data set by code (and by code and place): count, total, action."""

    def by_code(dataset: Dataset) -> dict[Any, tuple[int, int, str]]:
        out: dict[Any, tuple[int, int, str]] = {}
        for fault in dataset.faults:
            found = (fault.count, fault.total, fault.action)
            out[fault.code] = out[fault.code, fault.where] = found
        return out

    return by_code
