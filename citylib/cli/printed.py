"""What several commands print: a line with a label, a table, JSON, a span of time, a size, what a run recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["as_json", "duration", "line", "memory", "plain", "records", "table"]


def line(console: Console, what: str, text: str) -> None:
    """Print a text behind a label of fixed width.

    Parameters
    ----------
    console : rich.console.Console
        Where to.
    what : str
        The label; empty for a further line of the same.
    text : str
        The text.
    """
    plain(console, f"{what:<14} {text}".rstrip())


def plain(console: Console, text: object) -> None:
    """Print a text as it is: no markup, no wrapping."""
    console.print(text, soft_wrap=True, markup=False)


def table(console: Console, shown: Table) -> None:
    """Print a table on a terminal; anywhere else its rows, tab-separated and without a head."""
    if console.is_terminal:
        console.print(shown)
    else:
        for row in zip(*(column.cells for column in shown.columns), strict=True):
            cells = (" ".join(str(cell).split()) for cell in row)  # a tab or a new line within one would break the row
            typer.echo("\t".join(cells))  # rich would turn tabs into blanks


def as_json(content: Any) -> None:
    """Print content as JSON, for programs."""
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))


def duration(seconds: float | None) -> str:
    """Return a span of time as people say it.

    Examples
    --------
    >>> duration(2.345), duration(61), duration(3720), duration(None)
    ('2.3 s', '1 min 1 s', '1 h 2 min', 'unknown')
    """
    if seconds is None:
        return "unknown"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def memory(size: int | None) -> str:
    """Return a size of memory.

    Examples
    --------
    >>> memory(3 * 2**20), memory(5 * 2**30), memory(None)
    ('3 MiB', '5,120 MiB', 'unknown')
    """
    return "unknown" if size is None else f"{size / 2**20:,.0f} MiB"


def records(console: Console, folder: Path) -> None:
    """Print what a run recorded and said, if it left results."""
    path = folder / "results.json"
    if not path.is_file():
        return
    results = json.loads(path.read_text(encoding="utf-8"))
    for record in results["records"]:
        interval = " ({:g} to {:g})".format(*record["interval"]) if "interval" in record else ""
        baseline = f", baseline {record['baseline']:g}" if "baseline" in record else ""
        value = record["value"] if isinstance(record["value"], (str, bool)) else f"{record['value']:g}"
        line(console, record["name"], f"{value} {record['unit']}".rstrip() + interval + baseline)
    for said in results["said"]:
        line(console, "", said["text"])
