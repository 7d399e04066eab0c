"""All results of a comparison in files: records and runs in long form, and each table with its places joined."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from citylib.publish.compare import Compared

__all__ = ["File", "files"]

FORMS = ("csv", "parquet")
PLACE = "place"  # the column of a joined table that says whose a row is


@dataclass(frozen=True)
class File:
    """One table for download, in every form.

    Attributes
    ----------
    name : str
        Without folder and ending.
    what : str
        What is in it, for people.
    rows : int
        Its rows.
    columns : tuple of str
        Its columns.
    content : dict of str to bytes
        By form: ``csv`` and ``parquet``.
    """

    name: str
    what: str
    rows: int
    columns: tuple[str, ...]
    content: dict[str, bytes]


def files(compared: Compared) -> tuple[File, ...]:
    """Return what a comparison offers for download.

    Parameters
    ----------
    compared : Compared
        The runs.

    Returns
    -------
    tuple of File
        ``records`` (a row a record of a place), ``runs`` (a row a place, the failed ones too), then every table that
        the runs handed back.
    """
    name = compared.comparison.name
    out = [
        _file(f"{name}_records", "every record of every run, with its parameters, a row each", _records(compared)),
        _file(f"{name}_runs", "every run, the failed ones too, a row each", _runs(compared)),
    ]
    tables = dict.fromkeys(str(e["name"]) for run in compared.runs for e in run.results.get("tables", ()))
    for table in tables:
        out.append(_joined(f"{name}_table_{table}", table, compared.table(table)))
    return tuple(out)


def _joined(name: str, table: str, frames: Mapping[str, pd.DataFrame]) -> File:
    """Return the tables of all places in one; a column that the tables themselves call ``place`` is called another."""
    taken = {str(column) for frame in frames.values() for column in frame.columns}
    own = f"t_{PLACE}"
    while own in taken:
        own = f"t_{own}"
    what = f"the table {table} of every run, one below the other"
    if PLACE in taken:
        what += f"; what it calls {PLACE} itself is {own}"
    whole = pd.concat([frame.rename(columns={PLACE: own}) for frame in frames.values()], ignore_index=True)
    whole.insert(0, PLACE, np.repeat(np.array([*frames], dtype=object), [len(frame) for frame in frames.values()]))
    return _file(name, what, whole)


def _records(compared: Compared) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for run in compared.runs:
        who = {"notebook": run.notebook, "run": run.id, "place": compared.place_of(run)}
        for record in run.records:
            low, high = record.get("interval") or (None, None)
            value = record["value"]
            number = None if isinstance(value, (str, bool)) else float(value)
            word = str(value) if isinstance(value, (str, bool)) else None
            row = who | {"name": record["name"], "value": number, "word": word, "unit": record.get("unit", "")}
            row |= {"low": low, "high": high, "level": record.get("level"), "baseline": record.get("baseline")}
            rows.append(row | _parameters(run.receipt.get("parameters", {})))
    return _typed(rows, text=("notebook", "run", "place", "name", "word", "unit"))


def _runs(compared: Compared) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for run in compared.runs:
        receipt = run.receipt
        row: dict[str, Any] = {
            "notebook": run.notebook,
            "run": run.id,
            "place": compared.place_of(run),
            "outcome": "ok",
        }
        row |= {"seconds": float(receipt.get("seconds", 0)), "cell": None, "error": None}
        rows.append(row | _parameters(receipt.get("parameters", {})))
    for bad in compared.failed:
        row = {"notebook": compared.notebook, "run": bad.id, "place": bad.place, "outcome": bad.outcome}
        error = f"{bad.error.get('name')}: {bad.error.get('message')}" if bad.error else None
        row |= {"seconds": bad.seconds, "cell": bad.error.get("cell"), "error": error}
        rows.append(row | _parameters(bad.parameters))
    return _typed(rows, text=("notebook", "run", "place", "outcome", "cell", "error"))


def _parameters(given: Any) -> dict[str, Any]:
    """Return parameters as columns; a list is written as a notebook would write it."""
    return {f"p_{name}": repr(value) if isinstance(value, list) else value for name, value in given.items()}


def _typed(rows: list[dict[str, Any]], text: Sequence[str]) -> pd.DataFrame:
    """Return rows as a frame; a column that is empty, or holds more than one kind of value, is text."""
    frame = pd.DataFrame(rows)
    for column in frame.columns:
        kinds = {type(value) for value in frame[column] if not (value is None or value != value)}
        if column in text or (column.startswith("p_") and (len(kinds) != 1 or kinds == {str})):
            frame[column] = pd.Series([_text(value) for value in frame[column]], dtype="str")
        elif not column.startswith("p_"):
            frame[column] = frame[column].astype(float)
    return frame


def _text(value: Any) -> str | None:
    return None if value is None or value != value else str(value)


def _file(name: str, what: str, frame: pd.DataFrame) -> File:
    held = io.BytesIO()
    frame.to_parquet(held, index=False)
    content = {"csv": frame.to_csv(index=False, lineterminator="\n").encode(), "parquet": held.getvalue()}
    return File(name, what, len(frame), tuple(map(str, frame.columns)), content)
