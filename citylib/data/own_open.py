"""Opening an own file: from a path to bytes that are worth reading, or a refusal that says what to do."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from citylib.data import own_archive
from citylib.errors import InputError, nearest

__all__ = ["ENDINGS", "Opened", "open_own"]

ENDINGS = (".csv", ".parquet", ".geojson", ".json", ".h5", ".npz")
TEXT_ENDINGS = (".csv", ".geojson", ".json")
REFUSED = {
    (".xls", ".xlsx", ".xlsm", ".ods"): ("be no spreadsheet", "save the sheet as CSV (UTF-8) or Parquet"),
    (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npy"): (
        "be no pickle (opening one runs whatever it holds)",
        "save the table as CSV or Parquet, an array as npz",
    ),
    (".shp", ".dbf", ".gpkg", ".kml"): ("be GeoJSON or GeoParquet", "convert it, with geopandas or QGIS for instance"),
}
MAGIC = {
    b"\x80\x02": ".pkl",
    b"\x80\x03": ".pkl",
    b"\x80\x04": ".pkl",
    b"\x80\x05": ".pkl",
    b"\xd0\xcf\x11\xe0": ".xls",
}


@dataclass(frozen=True)
class Opened:
    """An own file, opened.

    Parameters
    ----------
    given : str
        The path as the user wrote it.
    path : Path
        The same as a path.
    ending : str
        Ending of the data, such as ``".csv"``, once unpacked.
    data : bytes
        The data, unpacked.
    sha256 : str
        Of the bytes on disk.
    bytes : int
        Their number.
    """

    given: str
    path: Path
    ending: str
    data: bytes
    sha256: str
    bytes: int


def open_own(given: str) -> Opened:
    """Read an own file.

    Parameters
    ----------
    given : str
        Its path.

    Returns
    -------
    Opened

    Raises
    ------
    InputError
        Not there, a folder, empty, of a kind that is not read, cut off, or no UTF-8 text.
    ArchiveError
        An archive that is broken or reaches outside its folder.
    """
    path = Path(given).expanduser()
    argument = f"file {given}"
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        close = nearest(path.name, beside)
        hint = f"did you mean {path.parent / close}?" if close else f"looked from {Path.cwd()}"
        raise InputError("file", "exist", given, hint)
    if not path.is_file():
        raise InputError("file", "be a file", f"the folder {given}" if path.is_dir() else given, "name one file in it")
    disk = path.read_bytes()
    digest, size = hashlib.sha256(disk).hexdigest(), len(disk)
    if not size:
        raise InputError(argument, "hold data", "an empty file (0 bytes)")
    name, data = path.name, disk
    if own_archive.is_archive(name):
        name, data = own_archive.single_member(path)
    if name.lower().endswith(".gz") or (data[:2] == b"\x1f\x8b" and _ending(argument, name) in TEXT_ENDINGS):
        data = _gunzip(argument, data)
        name = name[:-3] if name.lower().endswith(".gz") else name
    ending = _ending(argument, name)
    for magic, really in MAGIC.items():
        if data.startswith(magic):
            _refuse(argument, really, f"a file that is one inside, called {name}")
    if not data.strip():
        raise InputError(argument, "hold data", "an empty file")
    if ending in TEXT_ENDINGS:
        data = _utf8(argument, data)
    return Opened(given, path, ending, data, digest, size)


def _ending(argument: str, name: str) -> str:
    ending = Path(name).suffix.lower()
    ending = {".hdf5": ".h5", ".hdf": ".h5", ".pq": ".parquet"}.get(ending, ending)
    if ending not in ENDINGS:
        _refuse(argument, ending, name)
        known = ", ".join([*ENDINGS, ".gz", *own_archive.ENDINGS])
        close = nearest(ending, ENDINGS) if ending else None
        raise InputError(argument, f"end in one of {known}", ending or "no ending", f"{close}?" if close else "")
    return ending


def _refuse(argument: str, ending: str, value: str) -> None:
    for endings, (rule, hint) in REFUSED.items():
        if ending in endings:
            raise InputError(argument, rule, value, hint)


def _gunzip(argument: str, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            out = stream.read(own_archive.LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(argument, "be a complete gzip file", f"{error}", "copy it again, it may be cut off") from None
    if len(out) > own_archive.LIMIT:
        raise InputError(argument, f"unpack to at most {own_archive.LIMIT >> 30} GiB", "more")
    return out


def _utf8(argument: str, data: bytes) -> bytes:
    text = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        value = f"byte 0x{text[error.start]:02x} in line {line}"
        raise InputError(argument, "be UTF-8 text", value, "save it again as UTF-8") from None
    if b"\x00" in text:
        line = text.count(b"\n", 0, text.index(b"\x00")) + 1
        raise InputError(argument, "be UTF-8 text", f"a zero byte in line {line}", "save it again as UTF-8")
    return text
