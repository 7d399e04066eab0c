"""What holds for every loader: packed or plain, faults counted, broken files refused with all that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from citylib.data.dataset import Dataset
from citylib.errors import ArchiveError, SchemaError, SourceMissingError
from tests.data.sources.conftest import read
from tests.data.sources.tiny_files import FILES

Tiny = Callable[..., dict[str, Path]]
NAMES = sorted(FILES)
CSV = sorted((name, file) for name in NAMES for file in FILES[name]() if ".csv" in file)
BARE = {"los_adj.csv.gz", "pems_bay_sensor_locations.csv", "pems_bay_distances_2017.csv.gz", "pemsd7_w_228.csv.gz"}


@pytest.mark.parametrize("name", NAMES)
def test_a_data_set_is_named_and_its_faults_count_something(name: str, small: Callable[[str], Dataset]) -> None:
    dataset = small(name)
    assert dataset.name == name
    assert dataset.title
    assert dataset.panels or dataset.tables
    assert dataset.faults
    for fault in dataset.faults:
        assert 0 < fault.count <= fault.total, fault
        assert not fault.what.endswith(".")
    for variable, panel in dataset.panels.items():
        assert panel.variable == variable
        assert panel.unit
        assert panel.zone


@pytest.mark.parametrize("name", NAMES)
def test_plain_files_read_as_packed_ones_do(name: str, tiny: Tiny) -> None:
    packed = read(name, tiny(name))
    plain = read(name, tiny(name, packed=False))
    assert list(packed.tables) == list(plain.tables)
    for table in packed.tables:
        pd.testing.assert_frame_equal(packed.tables[table], plain.tables[table])
    for variable, panel in packed.panels.items():
        np.testing.assert_array_equal(panel.values, plain.panels[variable].values)
    assert packed.faults == plain.faults


@pytest.mark.parametrize("name", NAMES)
def test_a_file_not_given_is_named(name: str, tiny: Tiny) -> None:
    paths = tiny(name)
    del paths[next(iter(paths))]
    if name == "air-beijing-multisite":  # every file there is a station, so any number of them will do
        paths.clear()
    with pytest.raises(SourceMissingError, match="needed"):
        read(name, paths)


@pytest.mark.parametrize(("name", "file"), CSV)
def test_an_empty_file_is_refused(name: str, file: str, tiny: Tiny) -> None:
    with pytest.raises(SchemaError):
        read(name, tiny(name, {file: b""}))


@pytest.mark.parametrize(("name", "file"), [pair for pair in CSV if pair[1] not in BARE])
def test_lacking_columns_are_all_named(name: str, file: str, tiny: Tiny) -> None:
    with pytest.raises(SchemaError) as caught:
        read(name, tiny(name, {file: b"other,words\n1,2\n" * 5}))
    assert caught.value.argument == file
    if file != "los_speed.csv.gz":  # its columns are its detectors, whatever they are called
        assert "must be there" in caught.value.faults[0]


@pytest.mark.parametrize(
    ("name", "file"), sorted((name, file) for name in NAMES for file in FILES[name]() if "geojson" in file)
)
@pytest.mark.parametrize(
    "broken",
    [
        b"{}",
        b"no json",
        b'{"features": []}',
        b'{"features": [{"type": "Feature", "properties": {"a": 1}, "geometry": null}]}',
    ],
)
def test_broken_geojson_is_refused(name: str, file: str, broken: bytes, tiny: Tiny) -> None:
    with pytest.raises(SchemaError):
        read(name, tiny(name, {file: broken}))


@pytest.mark.parametrize("name", ["traffic-i94", "network-pittsburgh"])
def test_a_truncated_archive_is_refused(name: str, tiny: Tiny) -> None:
    paths = tiny(name)
    first = next(iter(paths.values()))
    first.write_bytes(first.read_bytes()[:60])
    with pytest.raises(ArchiveError, match="cut short"):
        read(name, paths)


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_real_files_load(name: str, real: Callable[[str], Dataset]) -> None:
    dataset = real(name)
    assert all(0 < fault.count <= fault.total for fault in dataset.faults)
    for panel in dataset.panels.values():
        assert panel.zone
        assert len(np.unique(np.diff(panel.times))) == 1 or panel.variable == "monthly_mean_temperature"
