"""Whatever happens to a file on its way, citylib reads it or refuses it in its own words; no other error comes out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from citylib import seeds
from citylib.data import own_files, schema
from citylib.errors import CitylibError

from .refusals import SQUARE, feature, geojson

CELLS = (
    *("", " ", "\t", "NA", "-1", "inf", "1e400", "abc", '"', '"a,b"', "1,5", "²", "True", "99999999999999999999"),
    *("2024", "2024-13-45", "9999-12-31", "now", "2024-03-01T00:00Z", "2024-03-01T00:00+99:99", "POINT EMPTY", "[]"),
)
MARKS = ("\r", "\n", "\t", ";", ",", '"', "[", "]", "é", "\ufeff", " ", "0", "-", ":")


def changed_text(text: str, rng: np.random.Generator) -> str:
    """Change a cell, repeat or lose a row, put in a mark, or cut the text off; one to three times."""
    for _ in range(rng.integers(1, 4)):
        lines = text.split("\n")
        row = int(rng.integers(len(lines)))
        at = int(rng.integers(len(text) + 1))
        match int(rng.integers(5)):
            case 0 | 1:
                cells = lines[row].split(",")
                cells[int(rng.integers(len(cells)))] = CELLS[int(rng.integers(len(CELLS)))]
                lines[row] = ",".join(cells)
                text = "\n".join(lines)
            case 2:
                text = "\n".join([*lines[:row], lines[int(rng.integers(len(lines)))], *lines[row:]])
            case 3:
                text = text[:at] + MARKS[int(rng.integers(len(MARKS)))] + text[at:]
            case _:
                text = text[:at]
    return text


def changed_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Change some bytes, or cut the file off."""
    out = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(out)))
        out[at : at + 4] = rng.bytes(int(rng.integers(5)))
    return bytes(out[: int(rng.integers(1, len(out)))] if rng.random() < 0.2 else out)


def read(path: Path, content: bytes) -> bool:
    """Return whether the file was read; False: citylib refused it."""
    path.write_bytes(content)
    try:
        own_files.read(str(path))
    except CitylibError:
        return False
    return True


@pytest.mark.parametrize("form", schema.FORMS, ids=lambda f: f.name)
def test_changed_tables(form: schema.Form, tmp_path: Path) -> None:
    rng = seeds.generator(0, "tables", form.name)
    outcomes = [read(tmp_path / "a.csv", changed_text(form.example + "\n", rng).encode()) for _ in range(60)]
    assert not all(outcomes)


def test_changed_outlines(tmp_path: Path) -> None:
    rng = seeds.generator(0, "outlines")
    text = geojson(feature("a", SQUARE), feature("b", SQUARE))
    words = ("null", "1", '"x"', "[", "]", "{}", "", "1e308")
    outcomes = []
    for _ in range(60):
        at = int(rng.integers(len(text)))
        other = text[:at] + words[int(rng.integers(len(words)))] + text[at + int(rng.integers(5)) :]
        outcomes.append(read(tmp_path / "a.geojson", other.encode()))
    assert not all(outcomes)
    assert read(tmp_path / "a.geojson", json.dumps(json.loads(text)).encode())


@pytest.mark.parametrize("ending", ["parquet", "npz", "h5"])
def test_changed_bytes(ending: str, tmp_path: Path) -> None:
    rng = seeds.generator(0, "bytes", ending)
    out = io.BytesIO()
    times = pd.date_range("2024-01-01", periods=3, freq="h")
    if ending == "parquet":
        pd.DataFrame({"time": times, "sensor": list("aab"), "v [m]": [1.0, 2.0, 3.0]}).to_parquet(out)
    elif ending == "npz":
        np.savez_compressed(out, data=np.ones((3, 2)), time=times.to_numpy())
    else:
        import h5py

        with h5py.File(out, "w") as store:
            store["df/axis0"] = np.array([b"a", b"b"])
            store["df/axis1"] = times.to_numpy().astype("datetime64[ns]").astype("int64")
            store["df/block0_items"] = np.array([b"a", b"b"])
            store["df/block0_values"] = np.ones((3, 2))
    path = tmp_path / f"a.{ending}"
    assert read(path, out.getvalue())
    outcomes = [read(path, changed_bytes(out.getvalue(), rng)) for _ in range(60)]
    assert not all(outcomes)
