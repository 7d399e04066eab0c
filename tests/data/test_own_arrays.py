"""Own arrays: HDF5 in the layout of METR-LA and PEMS-BAY, npz in that of PEMS04 and PEMS08; small files made here."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from citylib.data import own_files

STEP = np.timedelta64(5, "m")


def write_hdf(
    path: Path, values: npt.NDArray[np.float64], labels: npt.NDArray[np.generic], key: str, *, turned: bool = False
) -> None:
    """Write a frame as pandas' fixed format does: axis0 columns, axis1 index in ns, block0 the numbers."""
    times = np.datetime64("2012-03-01", "ns") + np.arange(len(values)) * STEP
    with h5py.File(path, "w") as store:
        group = store.create_group(key)
        group.attrs["pandas_type"] = np.bytes_("frame")
        group.create_dataset("axis0", data=labels)
        index = group.create_dataset("axis1", data=times.astype("int64"))
        index.attrs["kind"] = np.bytes_("datetime64")
        group.create_dataset("block0_items", data=labels)
        group.create_dataset("block0_values", data=values.T if turned else values)


@pytest.mark.parametrize(
    ("key", "labels", "turned"),
    [("df", np.array([b"773869", b"767541", b"767542"]), False), ("speed", np.array([400001, 400017, 400030]), True)],
    ids=["metr-la", "pems-bay"],
)
def test_hdf_of_speeds(tmp_path: Path, key: str, labels: npt.NDArray[np.generic], turned: bool) -> None:
    values = np.array([[64.4, 67.6, 67.1], [62.7, 0.0, 66.1], [64.0, 63.5, 66.6], [60.0, 61.0, 62.0]])
    write_hdf(tmp_path / "speeds.h5", values, labels, key, turned=turned)
    dataset = own_files.read(str(tmp_path / "speeds.h5"))
    panel = dataset.panel()
    assert (panel.variable, panel.unit, panel.step) == ("speed", "mph", STEP)
    assert panel.sensors == tuple(v.decode() if isinstance(v, bytes) else str(v) for v in labels.tolist())
    np.testing.assert_array_equal(panel.values, np.where(values == 0, np.nan, values))
    masked = next(f for f in dataset.faults if f.code == "zero-reading")
    assert (masked.count, masked.total, masked.action) == (1, 12, "masked")


def test_hdf_in_several_blocks_with_another_unit_of_time(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as store:
        group = store.create_group("df")
        group["axis0"] = np.array([b"a", b"b"])
        index = group.create_dataset("axis1", data=np.array([0, 3600, 7200]))
        index.attrs["kind"] = "datetime64[s]"
        for n, (label, numbers) in enumerate(((b"b", [1.0, 2.0, 3.0]), (b"a", [4, 5, 6]))):
            group[f"block{n}_items"] = np.array([label])
            group[f"block{n}_values"] = np.array(numbers).reshape(-1, 1)
    panel = own_files.read(str(tmp_path / "a.h5")).panel()
    np.testing.assert_array_equal(panel.values, [[4, 1], [5, 2], [6, 3]])
    assert panel.step == np.timedelta64(1, "h")


@pytest.mark.parametrize(("name", "start"), [("PEMS04", "2018-01-01"), ("pems08", "2016-07-01")])
def test_npz_of_flow_occupancy_speed(tmp_path: Path, name: str, start: str) -> None:
    data = np.arange(24, dtype="float64").reshape(4, 2, 3)
    np.savez_compressed(tmp_path / f"{name}.npz", data=data)
    dataset = own_files.read(str(tmp_path / f"{name}.npz"))
    assert [(p.variable, p.unit) for p in dataset.panels.values()] == [
        ("flow", "veh/5 min"),
        ("occupancy", "share"),
        ("speed", "mph"),
    ]
    np.testing.assert_array_equal(dataset.panel("speed").values, data[:, :, 2])
    assert (str(dataset.panel().times[0])[:10], dataset.panel().step) == (start, STEP)
    assert "inferred-times" in {f.code for f in dataset.faults}


def test_npz_that_says_everything(tmp_path: Path) -> None:
    times = np.datetime64("2024-01-01T00") + np.arange(3) * np.timedelta64(1, "h")
    data = np.array([[[1.0, 5.0]], [[np.nan, 6.0]], [[3.0, 7.0]]])
    names = {"sensors": ["x"], "variables": ["a", "b"], "units": ["m", "s"]}
    np.savez(tmp_path / "own.npz", data=data, time=times, **{k: np.array(v) for k, v in names.items()})
    dataset = own_files.read(str(tmp_path / "own.npz"))
    assert [(p.variable, p.unit, p.sensors) for p in dataset.panels.values()] == [
        ("a", "m", ("x",)),
        ("b", "s", ("x",)),
    ]
    np.testing.assert_array_equal(dataset.panel("a").series("x"), [1, np.nan, 3])


@pytest.mark.parametrize(("depth", "names"), [(0, ["flow"]), (2, ["variable_0", "variable_1"])])
def test_npz_of_another_depth(tmp_path: Path, depth: int, names: list[str]) -> None:
    data = np.ones((3, 2, depth)) if depth else np.ones((3, 2))
    np.savez(tmp_path / "own.npz", data=data, time=np.arange("2024-01-01", "2024-01-04", dtype="datetime64[D]"))
    assert list(own_files.read(str(tmp_path / "own.npz")).panels) == names
