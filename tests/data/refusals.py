"""Files that must be refused: how they are made, and what their refusal must say."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import geopandas
import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet
from shapely.geometry import Polygon, box

from citylib.errors import CitylibError, SchemaError

HEAD = "time,sensor,volume [veh/h]\n"
LONG = HEAD + "2024-03-01T00:00,a,1\n2024-03-01T01:00,a,2\n"
SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]


@dataclass(frozen=True)
class Case:
    """A file, what kind it is read as, and the parts its refusal must have."""

    name: str
    file: str
    content: bytes | str | Callable[[], bytes]
    parts: tuple[str, ...]
    kind: str | None = None
    error: type[CitylibError] = SchemaError


def parquet(frame: pd.DataFrame) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        frame.to_parquet(out)
        return out.getvalue()

    return make


def npz(**arrays: object) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        np.savez(out, **{name: np.asarray(array) for name, array in arrays.items()})
        return out.getvalue()

    return make


def hdf(**datasets: object) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        with h5py.File(out, "w") as store:
            for name, values in datasets.items():
                store[f"df/{name}"] = values
        return out.getvalue()

    return make


def tar(*members: tuple[str, bytes], link: str = "") -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for name, content in members:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            if link:
                info = tarfile.TarInfo(link)
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
        return out.getvalue()

    return make


def zipped(*members: tuple[str, bytes], link: str = "") -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in members:
                archive.writestr(name, content)
            if link:
                info = zipfile.ZipInfo(link)
                info.external_attr = 0o120777 << 16
                archive.writestr(info, "/etc/passwd")
        return out.getvalue()

    return make


def geojson(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more})


def feature(area: str | None, rings: object, kind: str = "Polygon") -> dict[str, object]:
    geometry = None if rings is None else {"type": kind, "coordinates": rings}
    return {"type": "Feature", "properties": {"area": area}, "geometry": geometry}


def geoparquet(*shapes: Polygon) -> Callable[[], bytes]:
    def make() -> bytes:
        out = io.BytesIO()
        names = [f"area {n}" for n in range(len(shapes))]
        geopandas.GeoDataFrame({"area": names}, geometry=list(shapes), crs=4326).to_parquet(out)
        return out.getvalue()

    return make


def broken_metadata() -> bytes:
    table = pyarrow.parquet.read_table(io.BytesIO(geoparquet(box(0, 0, 1, 1))()))
    out = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata({b"geo": b"{}"}), out)
    return out.getvalue()


BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


CSV = LONG.encode()
WHEN = np.arange("2024-01-01T00", "2024-01-01T03", dtype="datetime64[h]")
TIMES = pd.DataFrame({"time": ["x"], "asset": ["y"]})
