"""Two runs' tables of one name: shape, columns, and the largest difference in each column."""

from __future__ import annotations

import datetime as dt
import filecmp
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from citylib.batch.tolerance import Line, Tolerance

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["lines"]

NUMBERS = ("int64", "double")


def lines(
    name: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None, folders: tuple[Path, Path], within: Tolerance
) -> Iterator[Line]:
    """Yield what two tables have in common and what not: shape, columns, cells.

    Cells are compared row by row, so only where both have as many rows.

    Parameters
    ----------
    name : str
        Of both.
    a, b : mapping or None
        What the runs' results say of each: ``rows``, ``columns``, ``file``; None where there is none.
    folders : (Path, Path)
        Of the two runs.
    within : Tolerance
        Of numbers.
    """
    if a is None or b is None:
        yield within.line("table", name, a and _shape(a), b and _shape(b))
        return
    paths = folders[0] / a["file"], folders[1] / b["file"]
    missing = [which for which, path in zip("AB", paths, strict=True) if not path.is_file()]
    if missing:
        yield Line("table", name, _shape(a), _shape(b), False, f"its file is gone in {' and '.join(missing)}")
        return
    if filecmp.cmp(*paths, shallow=False):
        yield Line("table", name, _shape(a), _shape(b), True, "the same bytes")
        return
    yield from _opened(name, a, b, paths, within)


def _opened(
    name: str, a: Mapping[str, Any], b: Mapping[str, Any], paths: tuple[Path, Path], within: Tolerance
) -> Iterator[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        one, two = (pq.read_table(path) for path in paths)
    except (pa.ArrowException, OSError) as fault:
        yield Line("table", name, _shape(a), _shape(b), False, f"cannot be read: {str(fault).splitlines()[0]}")
        return
    same_rows = one.num_rows == two.num_rows
    equal = same_rows and one.num_columns == two.num_columns
    yield Line(
        "table", name, _shape(a), _shape(b), equal, "" if same_rows else "rows differ, so cells are not compared"
    )
    both = [column for column in one.column_names if column in two.column_names]
    for column in dict.fromkeys([*one.column_names, *two.column_names]):
        types = [str(t.schema.field(column).type) if column in t.column_names else None for t in (one, two)]
        where = f"{name}.{column}"
        if types[0] != types[1]:
            yield within.line("table", where, *types)
        elif same_rows:
            yield _column(where, one.column(column), two.column(column), within)
    if both != [column for column in two.column_names if column in one.column_names]:
        yield Line("table", f"{name}: order of columns", one.column_names, two.column_names, False)


def _shape(entry: Mapping[str, Any]) -> str:
    return f"{entry['rows']} x {len(entry['columns'])}"


def _column(where: str, a: pa.ChunkedArray, b: pa.ChunkedArray, within: Tolerance) -> Line:
    same, close, gap = _compared(a, b, within)
    if same.all():
        return Line("table", where, None, None, True, "equal")
    beyond = int((~close).sum())
    considered = ~close if beyond else ~same
    row = int(np.argmax(np.where(considered, np.nan_to_num(gap, nan=-1.0, posinf=np.inf), -2.0)))
    most = f", the most by {gap[row]:.3g}" if np.isfinite(gap[row]) else ""
    note = f"{beyond} of {len(a)} cells differ{most}: row {row}" if beyond else f"within tolerance{most}"
    return Line("table", where, _cell(a[row].as_py()), _cell(b[row].as_py()), not beyond, note)


def _compared(
    a: pa.ChunkedArray, b: pa.ChunkedArray, within: Tolerance
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Return of each row whether its cells are the same, whether close, and how far apart (NaN: no numbers)."""
    none_a, none_b = (column.is_null().to_numpy() for column in (a, b))
    if str(a.type) in NUMBERS:
        x, y = (column.fill_null(0).to_numpy() for column in (a, b))
        with np.errstate(all="ignore"):
            same = (x == y) | ((x != x) & (y != y))
            gap = np.abs(x.astype(float) - y.astype(float))
            scale = np.maximum(np.abs(x.astype(float)), np.abs(y.astype(float)))
            close = same | (np.isfinite(gap) & (gap <= np.maximum(within.absolute, within.relative * scale)))
        if str(a.type) == "int64":
            close &= same | (gap > 0) | (within.relative > 0)  # beyond 2**53 neighbours have the same float
    else:
        same = np.array([u == v for u, v in zip(a.to_pylist(), b.to_pylist(), strict=True)], dtype=bool)
        gap, close = np.full(len(a), np.nan), same
    either, neither = none_a | none_b, none_a & none_b
    gap = np.where(either, np.nan, gap)
    return np.where(either, neither, same), np.where(either, neither, close), gap


def _cell(value: Any) -> Any:
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
