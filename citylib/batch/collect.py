"""A folder of runs read back: a row a run, and as data frames the runs, what they recorded, their tables."""

from __future__ import annotations

import fnmatch
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib.batch import receipt
from citylib.batch.run import FAILED
from citylib.errors import InputError, ReceiptError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ORDERS", "Entry", "entries", "found", "records", "results_of", "runs", "table"]

ORDERS = {"seconds": "seconds", "memory": "peak_memory_bytes", "started": "started"}
RUN_COLUMNS = ["notebook", "run", "title", "outcome", "started", "seconds", "peak_memory_bytes", "error", "folder"]
RECORD_COLUMNS = ["notebook", "run", "name", "value", "unit", "low", "high", "level", "baseline"]


@dataclass(frozen=True)
class Entry:
    """What a list of runs says of one of them.

    Parameters
    ----------
    notebook, run : str
        Which: ``"family/NN_name"`` and the id.
    title : str or None
        What a reader calls it.
    outcome : str
        ``"ok"``, or how it failed.
    attempt : int or None
        Which attempt this was, if it was counted.
    seconds : float
        Wall time.
    peak_memory_bytes : int
        Highest memory.
    started : str
        When, in ISO 8601 and UTC.
    error : str or None
        Name and message.
    folder : str
        Where it lies.
    """

    notebook: str
    run: str
    title: str | None
    outcome: str
    attempt: int | None
    seconds: float
    peak_memory_bytes: int
    started: str
    error: str | None
    folder: str


def entries(
    folder: Path,
    *,
    failed: bool = False,
    notebook: str | None = None,
    sort: str | None = None,
    broken: Callable[[ReceiptError], None] | None = None,
) -> list[Entry]:
    """Return what a list says of the runs below a folder.

    Parameters
    ----------
    folder : Path
        Such as ``_build/runs`` or a plan's folder in it.
    failed : bool, default False
        Only those that failed.
    notebook : str, optional
        Only those whose notebook's name fits, ``*`` and ``?`` standing for anything, such as ``"survival/*"``;
        without any of these it may stand anywhere in the name.
    sort : {"seconds", "memory", "started"}, optional
        The largest, or the latest, first; by default in the order of their folders.
    broken : callable, optional
        Told of each receipt that cannot be read or lacks something, which is then passed over.

    Returns
    -------
    list of Entry

    Raises
    ------
    InputError
        An order that is none.
    ReceiptError
        See `found`.
    """
    if sort is not None and sort not in ORDERS:
        raise InputError("sort", f"be one of: {', '.join(ORDERS)}", sort)
    pattern = notebook if notebook and any(sign in notebook for sign in "*?[") else f"*{notebook or ''}*"
    out = []
    for place, content in found(folder, broken=broken):
        try:
            entry = _entry(place, content)
        except (KeyError, TypeError, AttributeError, ValueError):
            fault = ReceiptError(f"{place / receipt.FILE}: lacks something")
            if broken is None:
                raise fault from None
            broken(fault)
            continue
        if (not failed or entry.outcome != "ok") and fnmatch.fnmatchcase(entry.notebook, pattern):
            out.append(entry)
    return out if sort is None else sorted(out, key=operator.attrgetter(ORDERS[sort]), reverse=True)


def _entry(place: Path, content: Mapping[str, Any]) -> Entry:
    error = content.get("error")
    return Entry(
        notebook=content["run"]["notebook"],
        run=content["run"]["id"],
        title=content["run"].get("title"),
        outcome=content["outcome"],
        attempt=content.get("attempt"),
        seconds=float(content["seconds"]),
        peak_memory_bytes=int(content["peak_memory_bytes"]),
        started=str(content["started"]),
        error=f"{error['name']}: {error['message']}" if error else None,
        folder=str(place),
    )


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

    A run whose last attempt failed is left out, though an earlier good one is still there: what that recorded was
    made of something else. `runs` and `entries` tell both.

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
    for _, content, results in _good(folder):
        for record in results["records"]:
            low, high = record.get("interval", (None, None))
            row = _who(content) | {key: record.get(key) for key in ("name", "value", "unit", "level", "baseline")}
            rows.append(row | {"low": low, "high": high} | _parameters(content, RECORD_COLUMNS))
    return _frame(rows, RECORD_COLUMNS)


def table(folder: Path, name: str) -> pd.DataFrame:
    """Return the tables of one name that good runs below a folder made, one below the other.

    A run whose last attempt failed is left out, as by `records`.

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
    import pandas as pd
    import pyarrow.parquet as pq

    frames, known = [], set()
    for place, content, results in _good(folder):
        for entry in results["tables"]:
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


def results_of(folder: Path) -> dict[str, Any]:
    """Return what a good run handed back, as its ``results.json`` has it.

    Raises
    ------
    ReceiptError
        It is not there, or broken.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ReceiptError(f"{folder}: results.json cannot be read ({fault})") from None
    return content


def _good(folder: Path) -> Iterator[tuple[Path, dict[str, Any], dict[str, Any]]]:
    """Yield folder, receipt and results of each run whose last attempt ended well."""
    for place, content in found(folder, failed=False):
        # What failed goes when its run ends well, so where both are there the failure is the newer.
        if not place.with_name(place.name + FAILED).is_dir():
            yield place, content, results_of(place)


def _who(content: Mapping[str, Any]) -> dict[str, Any]:
    return {"notebook": content["run"]["notebook"], "run": content["run"]["id"]}


def _parameters(content: Mapping[str, Any], taken: list[str]) -> dict[str, Any]:
    return {f"{n}_" if n in taken else n: v for n, v in content["parameters"].items()}


def _frame(rows: list[dict[str, Any]], first: list[str]) -> pd.DataFrame:
    import pandas as pd

    others = dict.fromkeys(key for row in rows for key in row if key not in first)
    return pd.DataFrame(rows, columns=[*first, *others])
