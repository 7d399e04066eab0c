"""What several commands print: a line with a label, a table, what a run recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["line", "records", "table"]


def line(console: Console, what: str, text: str) -> None:
    """Print a text behind a label of fixed width."""
    console.print(f"{what:<14} {text}".rstrip(), soft_wrap=True, markup=False)


def table(console: Console, shown: Table) -> None:
    """Print a table on a terminal; anywhere else its rows, tab-separated and without a head."""
    if console.is_terminal:
        console.print(shown)
    else:
        for row in zip(*(column.cells for column in shown.columns), strict=True):
            typer.echo("\t".join(map(str, row)))  # rich would turn tabs into blanks


def records(console: Console, folder: Path) -> None:
    """Print what a run recorded and said, if it left results."""
    import json

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
