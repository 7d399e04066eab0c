"""Reading the files of a data set, compressed or not, with all faults of a file said together."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data.dataset import Fault
from citylib.errors import ArchiveError, SchemaError, SourceMissingError

__all__ = [
    "bad_cells",
    "clock_times",
    "content",
    "fault",
    "find",
    "header",
    "hourly",
    "need",
    "read_csv",
    "refuse",
]

_GZIP = b"\x1f\x8b"
_SHOWN = 3  # rows named in a fault


def find(paths: Mapping[str, Path], name: str) -> Path:
    """Return the path of the file `name`.

    Parameters
    ----------
    paths : mapping of str to Path
        Files given, by name without folder.
    name : str
        The file wanted.

    Returns
    -------
    Path

    Raises
    ------
    SourceMissingError
        It is not among `paths`.
    """
    if name not in paths:
        raise SourceMissingError(
            f"{name} is needed, and only these files were given: {', '.join(sorted(paths)) or 'none'}"
        )
    return Path(paths[name])


def content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if it starts as a gzip file does.

    Parameters
    ----------
    path : Path
        The file, whatever its name ends in.

    Returns
    -------
    bytes

    Raises
    ------
    ArchiveError
        It is cut short or broken.
    """
    data = path.read_bytes()
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (EOFError, OSError, zlib.error) as error:
        raise ArchiveError(
            f"{path.name} cannot be unpacked ({error}): it is cut short or broken; fetch it again"
        ) from None


def read_csv(
    path: Path,
    *,
    text: Sequence[str] = (),
    numbers: Sequence[str] = (),
    times: Mapping[str, str] | None = None,
    missing: Sequence[str] = ("", "NA"),
    optional: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Return the named columns of a CSV file, typed, or say everything that is wrong with it.

    Parameters
    ----------
    path : Path
        The file, gzip or plain.
    text, numbers : sequence of str
        Columns wanted as text and as float64.
    times : mapping of str to str, optional
        Columns wanted as datetime64, each with its format (``"ISO8601"`` too).
    missing : sequence of str
        Cells that mean "missing"; nothing else does, so the word None stays a word.
    optional : bool, default False
        Whether a cell of a time column may be missing.
    **options
        For `pandas.read_csv` (``header``, ``names``, ``skiprows``, ``decimal``).

    Returns
    -------
    pandas.DataFrame
        Columns in the order text, numbers, times.

    Raises
    ------
    SchemaError
        Columns that lack, cells that are no number or no time; all of them, with row numbers.
    ArchiveError
        The file is cut short.
    """
    times = dict(times or {})
    wanted = [*text, *numbers, *times]
    data = content(path)
    options = {"encoding": "utf-8-sig", **options}
    try:
        if "names" not in options:
            need(path, wanted, pd.read_csv(io.BytesIO(data), nrows=0, **options).columns)
        frame: pd.DataFrame = pd.read_csv(
            io.BytesIO(data),
            dtype=dict.fromkeys([*text, *times], "object"),
            na_values=list(missing),
            keep_default_na=False,
            low_memory=False,
            **options,
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(path.name, [f"the file must be a table of comma-separated values: {error}"]) from None
    if not isinstance(frame.index, pd.RangeIndex):
        raise SchemaError(path.name, ["rows must have a cell a column, and theirs are more than the header names"])
    frame, faults = _typed(frame[wanted], numbers, times, optional, _first_line(options))
    if not len(frame):
        faults.append("the file must have rows, and it has none below its header")
    if faults:
        raise SchemaError(path.name, faults)
    return frame


def header(path: Path, delimiter: str = ",") -> list[str]:
    """Return the words of a CSV file's first line.

    Parameters
    ----------
    path : Path
        The file, gzip or plain.
    delimiter : str, default ","
        What stands between words.

    Returns
    -------
    list of str

    Raises
    ------
    SchemaError
        The file is empty, or names a column twice.
    """
    first = content(path).split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").strip()
    names = [name.strip().strip('"') for name in first.split(delimiter)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not first or twice:
        raise SchemaError(
            path.name, [f"its first line must name columns, each once, got {', '.join(twice) or 'nothing'}"]
        )
    return names


def clock_times(path: Path, parts: pd.DataFrame) -> pd.Series[Any]:
    """Return the times of columns year, month, day, hour.

    Parameters
    ----------
    path : Path
        The file they come from, for the refusal.
    parts : pandas.DataFrame
        The columns, so named.

    Returns
    -------
    pandas.Series of datetime64

    Raises
    ------
    SchemaError
        Parts that make no time.
    """
    times = pd.to_datetime(parts, errors="coerce")
    if times.isna().any():
        where = _rows(times.isna().to_numpy(), 2)
        raise SchemaError(path.name, [f"columns {', '.join(parts.columns)} must make a time, and don't in {where}"])
    return times


def hourly(path: Path, index: pd.DatetimeIndex) -> None:
    """Refuse times that are not an hour apart throughout.

    Parameters
    ----------
    path : Path
        The file they come from, for the refusal.
    index : pandas.DatetimeIndex
        The times.

    Raises
    ------
    SchemaError
        With the first row that is not.
    """
    odd = np.diff(index.to_numpy()) != np.timedelta64(1, "h")
    if odd.any():
        at = int(np.argmax(odd))
        raise SchemaError(
            path.name, [f"rows must be an hour apart, got {index[at]} and then {index[at + 1]} in row {at + 3}"]
        )


def refuse(name: str, *faults: str) -> SchemaError:
    """Return the refusal of a file that is typed well and still can't be what it claims to be.

    Parameters
    ----------
    name : str
        The file.
    *faults : str
        What is wrong, a sentence each.

    Returns
    -------
    SchemaError
        To be raised.
    """
    return SchemaError(name, faults)


def fault(code: str, what: str, count: Any, total: Any, action: Any, where: str = "") -> tuple[Fault, ...]:
    """Return the fault as a tuple of one, or an empty one when it did not occur.

    Parameters
    ----------
    code, what : str
        Its short name, and a sentence a reader understands.
    count, total : int
        How many, out of how many.
    action : {"masked", "dropped", "mended", "reported"}
        What was done.
    where : str, optional
        Variable, table or column.

    Returns
    -------
    tuple of Fault
    """
    return (Fault(code, what, int(count), int(total), action, where),) if int(count) else ()


def need(path: Path, wanted: Sequence[str], found: Any, noun: str = "column") -> None:
    """Refuse a file that lacks something it must have, naming all of it.

    Parameters
    ----------
    path : Path
        The file, for the refusal.
    wanted, found : sequence of str
        What it must have, and what it has.
    noun : str, default "column"
        What they are.

    Raises
    ------
    SchemaError
        Something lacks.
    """
    have = [str(c) for c in found]
    lacking = [c for c in wanted if c not in have]
    if lacking:
        shown = ", ".join(have[:15]) + (", ..." if len(have) > 15 else "")
        raise SchemaError(path.name, [f"{noun} {c!r} must be there; the file has: {shown}" for c in lacking])


def _first_line(options: Mapping[str, Any]) -> int:
    """Return the number, counted from 1, of the line that the first row stands in."""
    return int(options.get("skiprows", 0)) + (1 if options.get("header", 0) is None else 2)


def _typed(
    frame: pd.DataFrame, numbers: Sequence[str], times: Mapping[str, str], optional: bool, first: int
) -> tuple[pd.DataFrame, list[str]]:
    """Return the columns of `frame` in their types, and the faults."""
    faults: list[str] = []
    out: dict[str, Any] = {str(column): frame[column] for column in frame}
    for column in numbers:
        raw = frame[column]
        typed = raw if raw.dtype.kind in "iuf" else pd.to_numeric(raw.astype(object), errors="coerce")
        out[column] = typed.astype("float64")
        faults += bad_cells(raw, typed, column, "be a number", first)
        infinite = np.isinf(out[column].to_numpy())
        if infinite.any():
            faults.append(f"column {column!r} must be finite, got {_rows(infinite, first)}")
    for column, form in times.items():
        raw = frame[column]
        out[column] = pd.to_datetime(raw, format=form, errors="coerce").astype("datetime64[ns]")
        faults += bad_cells(raw, out[column], column, f"be a time of the form {form}", first)
        if not optional and raw.isna().any():
            faults.append(f"column {column!r} must have no missing times, got {_rows(raw.isna().to_numpy(), first)}")
    return pd.DataFrame(out), faults


def bad_cells(raw: Any, typed: Any, column: str, rule: str, first: int) -> list[str]:
    """Return the fault of cells that held something and became nothing when typed, if there are any.

    Parameters
    ----------
    raw, typed : pandas.Series
        The cells before and after.
    column : str
        Their column.
    rule : str
        What they must be, a phrase that follows "must".
    first : int
        Line of the first cell.

    Returns
    -------
    list of str
    """
    bad = (typed.isna() & raw.notna()).to_numpy()
    if not bad.any():
        return []
    return [f"column {column!r} must {rule}, got {raw[bad].iloc[0]!r} ({_rows(bad, first)})"]


def _rows(bad: npt.NDArray[np.bool_], first: int) -> str:
    at = np.flatnonzero(bad)
    rows = ", ".join(str(int(i) + first) for i in at[:_SHOWN])
    return f"{len(at)} cell(s), line(s) {rows}" + (", ..." if len(at) > _SHOWN else "")
