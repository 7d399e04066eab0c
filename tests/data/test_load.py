"""load: the one door; provenance in a notebook, none of this machine's paths, the same for every source."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data, results
from citylib.data import registry
from citylib.data.dataset import DataFile, Dataset, Fault
from citylib.data.load import summary
from citylib.errors import UnknownNameError
from citylib.panel import Panel

from .conftest import CONTENT, MakeSource, Server


@pytest.fixture
def handed_back(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[dict[str, Any]], str]]:
    """What load hands back through results."""
    seen: list[tuple[str, list[dict[str, Any]], str]] = []

    def loaded(source: str, files: list[dict[str, Any]], line: str) -> dict[str, Any]:
        seen.append((source, files, line))
        return {}

    monkeypatch.setattr(results, "loaded", loaded)
    return seen


def test_importing_data_loads_nothing_heavy() -> None:
    heavy = ("pandas", "pooch", "pandera", "geopandas", "h5py", "pyarrow", "torch", "matplotlib")
    code = f"import sys; from citylib import data; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_tiny_synthetic_city_is_the_same_for_the_same_seed(handed_back: list[Any]) -> None:
    one, same, other = (data.load("synthetic:tiny", seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.panel().values, same.panel().values)
    assert not np.array_equal(one.panel().values, other.panel().values, equal_nan=True)
    assert [source for source, _, _ in handed_back] == ["synthetic:tiny"] * 3


def test_a_size_that_is_not_named_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="size must be one of: standard, tiny, got ''"):
        data.load("synthetic:")


def test_a_registered_set_is_read_by_its_module_and_lists_its_files(
    no_data: Path,
    server: Server,
    make_source: MakeSource,
    handed_back: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = make_source(server.address)
    seen: dict[str, Path] = {}

    class Reader:
        @staticmethod
        def read(paths: dict[str, Path]) -> Dataset:
            seen.update(paths)
            panel = Panel([[1.0], [2.0]], ["2024-01-01T00", "2024-01-01T01"], ["a"], unit="m")
            return Dataset("tiny-set", "Tiny", "panel", {"value": panel})

    monkeypatch.setitem(sys.modules, "citylib.data.sources.tiny_set", Reader)  # type: ignore[arg-type]
    monkeypatch.setattr(registry, "_registered", lambda: (source,))
    dataset = data.load("tiny-set")
    assert seen["readings.csv.gz"].read_bytes() == CONTENT
    (file,) = dataset.files
    assert (file.file, file.origin, file.bytes) == ("tiny-set/readings.csv.gz", "download", len(CONTENT))
    ((name, files, line),) = handed_back
    assert name == "tiny-set"
    assert files == [{"file": file.file, "sha256": file.sha256, "bytes": file.bytes, "origin": "download"}]
    assert str(no_data) not in line


def test_the_line_for_the_reader() -> None:
    panel = Panel([[1.0, 2.0], [3.0, np.nan]], ["2024-01-01T00", "2024-01-01T01"], ["a", "b"], unit="m", variable="x")
    fault = Fault("gap", "A gap.", 1, 4, "reported")
    files = (DataFile("x/a", "0", 1, "folder"), DataFile("x/b", "0", 1, "cache"))
    text = summary(Dataset("x", "A set", "panel", {"x": panel, "y": panel}, faults=(fault,), files=files))
    assert text == (
        "A set: x [m] and 1 more, 2 times at 2 sensors, 2024-01-01 00:00 to 2024-01-01 01:00, 25.0% missing; "
        "1 kind of fault handled or reported; 2 files (cache, folder)."
    )
    tables = {"edges": panel.to_frame()}
    assert summary(Dataset("x", "A graph", "graph", tables=tables)) == "A graph: 2 edges."


@pytest.mark.real
@pytest.mark.parametrize("name", ["traffic-i94", "weather-cities", "infra-water-mains-kitchener"])
def test_real_sets_load_through_the_door(name: str, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYLIB_DATA", str(real_data))
    dataset = data.load(name)
    assert dataset.kind == registry.source(name).kind
    assert {f.file for f in dataset.files} == {f.key for f in registry.source(name).files}
    assert all(len(f.sha256) == 64 for f in dataset.files)


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["weather-cities", "traffic-pems-station", "traffic-sensor-graphs", "spatial-examples"]
)
def test_the_published_form_reads_the_same_as_the_stored_one(
    name: str, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYLIB_DATA", str(real_data))
    stored = data.load(name)
    (tmp_path / name).mkdir()
    for file in registry.source(name).files:
        content = (real_data / name / file.name).read_bytes()
        plain = gzip.decompress(content) if file.stored_form == "gzip" else content
        (tmp_path / name / file.original_name).write_bytes(plain)
    monkeypatch.setenv("CITYLIB_DATA", str(tmp_path))
    published = data.load(name)
    for variable, panel in stored.panels.items():
        np.testing.assert_array_equal(panel.values, published.panel(variable).values)
    for table, frame in stored.tables.items():
        pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(published.tables[table]))
    assert [f.sha256 for f in published.files] == [f.sha256_original for f in registry.source(name).files]
