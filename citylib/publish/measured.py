"""What loading a data set found: its variables, tables and faults, kept until data or loaders change."""

from __future__ import annotations

import hashlib
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib import data
from citylib.data import fetch
from citylib.errors import DataError
from citylib.publish import markdown

if TYPE_CHECKING:
    from citylib.data.registry import Source

__all__ = ["Measured", "measured", "sections"]


@dataclass(frozen=True)
class Measured:
    """What a set holds once it is loaded.

    Attributes
    ----------
    panels : list of dict
        ``variable``, ``unit``, ``sensors``, ``steps``, ``since``, ``until``, ``missing`` (a share).
    tables : list of dict
        ``name``, ``rows``, ``columns``.
    faults : list of dict
        As `citylib.data.dataset.Fault`.
    """

    panels: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    faults: list[dict[str, Any]]


def measured(source: Source, kept: Path) -> Measured | None:
    """Load a set and say what it holds, if its files are at hand; nothing is downloaded.

    Parameters
    ----------
    source : Source
        From the registry.
    kept : pathlib.Path
        Folder where the answer is kept for the next build.

    Returns
    -------
    Measured or None
        None where a file is in no data folder nor the cache, or is damaged.
    """
    try:
        found = [fetch.locate(file) for file in source.files]
    except DataError:
        return None
    digests = [file.sha256 for file in found if file is not None]
    if len(digests) < len(found):
        return None
    key = hashlib.sha256(json.dumps([digests, _loaders()]).encode()).hexdigest()
    path = kept / f"{source.name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("key") == key:
            return Measured(**content)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not kept yet, or by another version
    made = _measure(source.name)
    kept.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"key": key, **asdict(made)}, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def sections(made: Measured) -> str:
    """Return the part of a set's page that says what it holds and what was wrong.

    Parameters
    ----------
    made : Measured
        From `measured`.

    Returns
    -------
    str
        MyST.
    """
    parts = ["## What it holds\n"]
    if made.panels:
        rows = [
            [
                markdown.code(p["variable"]),
                markdown.text(p["unit"]),
                f"{p['sensors']:,}",
                f"{p['steps']:,}",
                p["since"].replace(" ", "\u00a0"),
                p["until"].replace(" ", "\u00a0"),
                f"{100 * p['missing']:.2f}",
            ]
            for p in made.panels
        ]
        head = ["variable", "unit", "sensors", "steps", "first", "last", "% missing"]
        parts.append(markdown.table(head, rows, caption="Readings of sensors over time"))
    if made.tables:
        rows = [[markdown.code(t["name"]), f"{t['rows']:,}", str(t["columns"])] for t in made.tables]
        parts.append(markdown.table(["table", "rows", "columns"], rows))
    if made.faults:
        rows = [
            [
                markdown.text(f["what"]),
                markdown.code(f["where"]) if f["where"] else "",
                f"{f['count']:,}",
                f"{100 * f['count'] / f['total']:.2f}" if f["total"] else "",
                markdown.text(f["action"]),
            ]
            for f in made.faults
        ]
        head = ["what the loader found", "where", "count", "%", "done"]
        parts += ["## What loading it finds\n", markdown.table(head, rows)]
    return "\n".join(parts)


def _measure(name: str) -> Measured:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is in the table of faults
        loaded = data.load(name)
    panels = [
        {
            "variable": variable,
            "unit": panel.unit,
            "sensors": panel.shape[1],
            "steps": panel.shape[0],
            "since": str(panel.times[0])[:16].replace("T", " "),
            "until": str(panel.times[-1])[:16].replace("T", " "),
            "missing": round(float(panel.missing_share), 6),
        }
        for variable, panel in loaded.panels.items()
    ]
    tables = [{"name": n, "rows": len(t), "columns": t.shape[1]} for n, t in loaded.tables.items()]
    return Measured(panels, tables, [asdict(fault) for fault in loaded.faults])


def _loaders() -> str:
    """Hash of the code that reads data."""
    folder = Path(data.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        if "synthetic" not in path.relative_to(folder).parts:
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
