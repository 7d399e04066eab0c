"""Own tables: CSV or Parquet bytes to a frame whose index is the row number a person sees, cells not yet judged."""

from __future__ import annotations

import csv
import io
import re
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from citylib.data.own_faults import Faults
from citylib.data.own_open import Opened
from citylib.data.schema import FORMS, MISSING
from citylib.errors import InputError

__all__ = ["Raw", "is_measured", "number", "read_table", "unit_of"]

UNIT = re.compile(r"^(.*?)\s*\[([^\[\]]*)\]$")
# Columns read as text whatever they hold: ids keep their leading zeros, dates are parsed with their row numbers.
AS_TEXT = {c.name for f in FORMS for c in f.columns if c.dtype != "number"} | {"date", "material"}
KNOWN = {c.name for f in FORMS for c in f.columns} | {"date", "value"}


@dataclass(frozen=True)
class Raw:
    """A table as read.

    Parameters
    ----------
    frame : pandas.DataFrame
        Row numbers as a person counts them as index (the header of a CSV is row 1).
    units : dict of str to str
        Unit of each column that names one, by column.
    faults : Faults
        What is wrong so far.
    """

    frame: pd.DataFrame
    units: dict[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)


def read_table(opened: Opened) -> Raw:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    opened : Opened
        The file.

    Returns
    -------
    Raw

    Raises
    ------
    InputError
        No rows, or not complete.
    SchemaError
        Rows of different lengths, repeated column names.
    """
    raw = _read_csv(opened) if opened.ending == ".csv" else _read_parquet(opened)
    if raw.frame.empty:
        raise InputError(f"file {opened.given}", "hold rows under its header", "the header only")
    return raw


def unit_of(header: str) -> tuple[str, str]:
    """Split ``name [unit]`` into name and unit; the unit is empty where none is given.

    Examples
    --------
    >>> unit_of("PM2.5 [µg/m³]"), unit_of(" Time ")
    (('PM2.5', 'µg/m³'), ('time', ''))
    """
    match = UNIT.match(header.strip())
    name, unit = (match.group(1), match.group(2).strip()) if match else (header.strip(), "")
    return (name.lower() if name.lower() in KNOWN else name), unit


def number(column: pd.Series[Any], faults: Faults, what: str | None = None) -> pd.Series[Any]:
    """Return a column as float64, each cell that is no number being a fault.

    Parameters
    ----------
    column : pandas.Series
        Row numbers as index.
    faults : Faults
        Where faults are added.
    what : str, optional
        What it is called in a fault; by default by its name.

    Returns
    -------
    pandas.Series of float64
        NaN where a cell is empty or was at fault.
    """
    if pd.api.types.is_bool_dtype(column.dtype):
        faults.cells(what or f"column {str(column.name)!r}", "be a number", column.iloc[:1])
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64")
    if column.dtype.kind in "mM":
        faults.cells(what or f"column {str(column.name)!r}", "be a number", column.dropna().iloc[:1].map(str))
        return pd.Series(np.nan, index=column.index, name=column.name)
    out = pd.to_numeric(column, errors="coerce").astype("float64")
    bad = column[out.isna() & column.notna()]
    comma = bad.astype(str).str.fullmatch(r"\s*[+-]?[\d.,' ]*\d[.,' ]\d+\s*").any()
    hint = "write a decimal point, and thousands without a mark" if comma else ""
    faults.cells(what or f"column {str(column.name)!r}", "be a number", bad, hint)
    return out


def is_measured(column: pd.Series[Any], unit: str) -> bool:
    """Return whether a column is one of numbers: it names a unit, is called value, or half its cells are numbers."""
    if unit or column.name == "value":
        return True
    if pd.api.types.is_bool_dtype(column.dtype) or column.dtype.kind in "mM":
        return False
    if pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
        return True
    try:
        times = column.value_counts()
    except TypeError:  # cells that are lists
        return False
    numbers = pd.to_numeric(times.index.to_series(), errors="coerce").notna().to_numpy()
    return bool(times.to_numpy()[numbers].sum() >= 0.5 * times.sum())


def _read_csv(opened: Opened) -> Raw:
    faults = Faults()
    text = opened.data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0]
    mark = max(",;\t", key=first.count)
    if not first.strip():
        raise InputError(f"file {opened.given}", "have column names in its first row", "an empty row")
    names, units = _names(opened.given, _split(first, mark))
    dtype: dict[str, Any] = {name: str for name in names if name in AS_TEXT}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(text),
                sep=mark,
                header=None,
                skiprows=1,
                names=names,
                dtype=dtype,
                index_col=False,
                na_values=list(MISSING),
                keep_default_na=False,
                skip_blank_lines=False,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        _refuse_ragged(text, mark, len(names), faults, error)
        faults.raise_if_any(f"file {opened.given}")
        raise AssertionError("a ragged file without a ragged row") from error
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    _refuse_cut(text, mark, frame, faults)
    return Raw(frame[frame.notna().any(axis=1)], units, faults)


def _names(given: str, headers: list[str]) -> tuple[list[str], dict[str, str]]:
    split = [unit_of(h) for h in headers]
    names = [name for name, _ in split]
    faults = Faults()
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        at = ", ".join(str(i + 1) for i, n in enumerate(names) if n == name)
        faults.say(
            "header", "name each column once", f"{name!r} in columns {at}" if name else f"no name in columns {at}"
        )
    if names.count("") == 1:
        faults.say("header", "name each column once", f"no name in column {names.index('') + 1}")
    faults.raise_if_any(f"file {given}")
    return names, {name: unit for name, unit in split if unit}


def _split(line: str, mark: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=mark), [])
    except csv.Error:  # a cell longer than the reader takes
        return line.split(mark)


def _refuse_ragged(text: str, mark: str, width: int, faults: Faults, error: Exception) -> None:
    odd = pd.Series(dtype=object)
    with suppress(csv.Error):  # a cell longer than the reader takes: what an open quotation mark gives
        lengths = {n: len(row) for n, row in enumerate(csv.reader(io.StringIO(text), delimiter=mark), start=1)}
        odd = pd.Series({n: length for n, length in lengths.items() if n > 1 and length > width}, dtype=object)
    cells = f"{width} cells" if width > 1 else "1 cell"
    hint = "the first row must name the columns" if width == 1 else ""
    faults.cells("rows", f"have {cells} as the header has", odd, hint)
    if odd.empty:  # an open quotation mark runs to the end of the file
        where = re.search(r"starting at row (\d+)", str(error))
        value = f"an open quotation mark in row {int(where.group(1)) + 1}" if where else str(error).strip()
        faults.say("file", "be complete CSV", value)


def _refuse_cut(text: str, mark: str, frame: pd.DataFrame, faults: Faults) -> None:
    last = text.rstrip().rsplit("\n", 1)[-1]
    cells = len(_split(last, mark))
    if len(frame) and cells < len(frame.columns) and last.count('"') % 2 == 0:
        width = len(frame.columns)
        row = int(frame.index[frame.notna().any(axis=1)][-1]) if frame.notna().any(axis=None) else 2
        rule, hint = f"have {width} cells as the header has", "the file may be cut off"
        faults.cells("the last row", rule, pd.Series({row: cells}), hint)


def _read_parquet(opened: Opened) -> Raw:
    import pyarrow
    import pyarrow.parquet

    argument = f"file {opened.given}"
    try:
        table = pyarrow.parquet.read_table(io.BytesIO(opened.data))
        frame = table.to_pandas()
    except (pyarrow.ArrowException, OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        hint = "copy it again, it may be cut off"
        raise InputError(argument, "be a complete Parquet file", str(error).split("\n")[0], hint) from None
    _names(opened.given, table.column_names)
    if frame.index.names != [None]:
        frame = frame.reset_index()
    split = [unit_of(str(c)) for c in frame.columns]
    frame.columns = pd.Index([name for name, _ in split])
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    for name in frame.columns:
        frame[name] = _plain(frame[name])
    return Raw(frame[frame.notna().any(axis=1)], {name: unit for name, unit in split if unit})


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Bring a Parquet column to what the same CSV would have given."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column
    if column.name not in AS_TEXT:
        numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
        return column.astype("float64") if numeric else column
    whole = pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all()
    text = column.astype("Int64").astype(object) if whole else column.astype(object)
    return text.map(str, na_action="ignore")
