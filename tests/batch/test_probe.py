"""What is asked of a kernel, asked here of this process."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest

import citylib
from citylib.batch import probe


@pytest.fixture
def loaded():
    """The probe as the kernel has it: its text run in a module of its own."""
    module = types.ModuleType("probed_here")
    exec(compile(Path(probe.__file__).read_text(), probe.__file__, "exec"), module.__dict__)
    return module


def test_imported_files_and_versions_are_told(loaded):
    root = loaded.watch()
    assert Path(root) == Path(citylib.__file__).resolve().parent
    told = json.loads(loaded.report())
    assert {"__init__.py", "batch/probe.py", "errors.py"} <= set(told["files"])
    assert not any("__pycache__" in f for f in told["files"])
    assert told["versions"]["citylib"] == citylib.__version__
    assert told["peak_memory_bytes"] > 2**20


def test_a_file_of_the_package_that_is_opened_is_told(loaded):
    root = loaded.watch()
    assert "py.typed" not in json.loads(loaded.report())["files"]
    (Path(root) / "py.typed").read_bytes()
    assert "py.typed" in json.loads(loaded.report())["files"]


def test_a_kernel_without_citylib_tells_nothing(loaded, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.delitem(sys.modules, "citylib")
    assert loaded.watch() == ""
    told = json.loads(loaded.report())
    assert told["files"] == []
    assert "citylib" not in told["versions"]


def test_a_package_reached_by_way_of_a_link_is_watched_too(loaded, monkeypatch, tmp_path):
    package = Path(citylib.__file__).parent
    (tmp_path / "linked").symlink_to(package)
    found = types.SimpleNamespace(submodule_search_locations=[str(tmp_path / "linked")])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: found)
    assert Path(loaded.watch()) == package.resolve()
    (tmp_path / "linked" / "py.typed").read_bytes()
    assert "py.typed" in json.loads(loaded.report())["files"]
