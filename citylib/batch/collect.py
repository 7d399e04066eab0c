"""A folder of runs read back as data frames: the runs, what they recorded, their tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from citylib.batch import receipt
from citylib.batch.run import FAILED
from citylib.errors import ReceiptError, UnknownNameError

__all__ = ["found", "records", "runs", "table"]

RUN_COLUMNS = ["notebook", "run", "title", "outcome", "started", "seconds", "peak_memory_bytes", "error", "folder"]
RECORD_COLUMNS = ["notebook", "run", "name", "value", "unit", "low", "high", "level", "baseline"]


def found(
    folder: Path, *, failed: bool = True, broken: Callable[[ReceiptError], None] | None = None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield folder and receipt of each run below a folder, sorted.

    Parameters
    ----------
    folder : Path
        Such as ``_build/runs`` or a plan's folder in it.
    failed : bool, default True
        Whether to yield what failed runs left too.
    broken : callable, optional
        Told of each receipt that cannot be read, which is then passed over.

    Raises
    ------
    ReceiptError
        There is no such folder, or a receipt in it is broken and nobody is to be told.
    """
    if not folder.is_dir():
        raise ReceiptError(f"{folder}: no such folder of runs")
    for path in sorted(folder.rglob(receipt.FILE)):
        below = path.parent.relative_to(folder).parts
        if any(part.startswith(".") for part in below):
            continue  # what a runner is just writing
        if not failed and path.parent.name.endswith(FAILED):
            continue
        try:
            content = receipt.read(path.parent)
        except ReceiptError as fault:
            if broken is None:
                raise
            broken(fault)
            continue
        yield path.parent, content


def runs(folder: Path) -> pd.DataFrame:
    """Return the runs below a folder, a row each.

    Parameters
    ----------
    folder : Path
        Such as ``_build/runs`` or a plan's folder in it.

    Returns
    -------
    pandas.DataFrame
        notebook, run, title, outcome, started, seconds, peak_memory_bytes, error, folder,
        then the parameters that any of them has.
    """
    rows = []
    for place, content in found(folder):
        error = content.get("error") or {}
        row = _who(content) | {"title": content["run"].get("title")}
        row |= {key: content[key] for key in ("outcome", "started", "seconds", "peak_memory_bytes")}
        row |= {"error": f"{error['name']}: {error['message']}" if error else None, "folder": str(place)}
        rows.append(row | _parameters(content, RUN_COLUMNS))
    return _frame(rows, RUN_COLUMNS)


def records(folder: Path) -> pd.DataFrame:
    """Return what good runs below a folder recorded, a row a record.

    Parameters
    ----------
    folder : Path
        Such as ``_build/runs`` or a plan's folder in it.

    Returns
    -------
    pandas.DataFrame
        notebook, run, name, value, unit, low, high, level, baseline, then the parameters.
    """
    rows = []
    for content, results in _good(folder):
        for record in results["records"]:
            low, high = record.get("interval", (None, None))
            row = _who(content) | {key: record.get(key) for key in ("name", "value", "unit", "level", "baseline")}
            rows.append(row | {"low": low, "high": high} | _parameters(content, RECORD_COLUMNS))
    return _frame(rows, RECORD_COLUMNS)


def table(folder: Path, name: str) -> pd.DataFrame:
    """Return the tables of one name that good runs below a folder made, one below the other.

    Parameters
    ----------
    folder : Path
        Such as ``_build/runs`` or a plan's folder in it.
    name : str
        As handed to `citylib.results.table`.

    Returns
    -------
    pandas.DataFrame
        notebook, run, then the table's columns.

    Raises
    ------
    UnknownNameError
        No run has such a table; the nearest is offered.
    """
    import pyarrow.parquet as pq

    frames, known = [], set()
    for place, content in found(folder, failed=False):
        for entry in _results(place)["tables"]:
            known.add(entry["name"])
            if entry["name"] == name:
                frame = pq.read_table(place / entry["file"]).to_pandas()
                for at, (key, value) in enumerate(_who(content).items()):
                    frame.insert(at, key, value, allow_duplicates=True)
                frames.append(frame)
    if not frames:
        raise UnknownNameError("table", name, sorted(known))
    joined: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return joined


def _good(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for place, content in found(folder, failed=False):
        yield content, _results(place)


def _results(place: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((place / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ReceiptError(f"{place}: results.json cannot be read ({fault})") from None
    return content


def _who(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"notebook": content["run"]["notebook"], "run": content["run"]["id"]}


def _parameters(content: Mapping[str, Any], taken: list[str]) -> dict[str, Any]:
    return {f"{n}_" if n in taken else n: v for n, v in content["parameters"].items()}


def _frame(rows: list[dict[str, Any]], first: list[str]) -> pd.DataFrame:
    others = dict.fromkeys(key for row in rows for key in row if key not in first)
    return pd.DataFrame(rows, columns=[*first, *others])
