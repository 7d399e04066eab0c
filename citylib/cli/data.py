"""citylib data: which data sets there are, where they lie, how to get them, and whether a file of your own will do."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from citylib.data import fetch as fetching
from citylib.data import registry
from citylib.errors import ChecksumError, CitylibError, InputError, UnknownNameError

if TYPE_CHECKING:
    from citylib.data.registry import Source, SourceFile

__all__ = ["app"]

FAULTY, MISUSED = 1, 2
SYNTHETIC = "A city drawn from known parameters, whole or small (synthetic:tiny)"
app = typer.Typer(name="data", help="Data sets: list, show, fetch, and check a file of your own.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a data set, as `citylib data list` shows it.")]


class Kind(StrEnum):
    """What an own file can hold."""

    panel = "panel"
    assets = "assets"
    events = "events"
    areas = "areas"


@app.command("list")
def list_sets() -> None:
    """List the registered data sets and where each is found."""
    with _told():
        rows = [
            (s.name, s.kind, _size(s.bytes_stored), _where_all([_where(f) for f in s.files]), s.title)
            for s in registry.sources()
        ]
    rows.append(("synthetic", "panel", "0 B", "embedded", SYNTHETIC))
    _print_table(("name", "kind", "size", "where", "title"), rows)


@app.command()
def show(name: Name) -> None:
    """Show one data set: contents, licence, traps, files."""
    with _told():
        _refuse_unregistered(name)
        source = registry.source(name)
        files = [
            (f.name, f"{f.rows:,}", _size(f.bytes_stored), _where(f), f.notes, f.url or f"none: {f.stored_form}")
            for f in source.files
        ]
    for label, text in (
        ("name", source.name),
        ("title", source.title),
        ("holds", source.description),
        ("kind", source.kind),
        ("period", source.period),
        ("meant for", source.meant_for),
        ("size", f"{_size(source.bytes_stored)} in {len(source.files)} file(s)"),
        *_licence(source),
    ):
        _print_line(f"{label + ':':<11}{text}")
    _print_line("traps:")
    for trap in source.traps:
        _print_line(f"  - {trap}")
    _print_table(("file", "rows", "size", "where", "notes", "address"), files)


@app.command()
def fetch(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Download without asking.")] = False,
) -> None:
    """Get a data set: from a folder, the cache, or its public address; size and licence are shown first."""
    with _told():
        _refuse_unregistered(name)
        source = registry.source(name)
        absent = [f for f in source.files if fetching.locate(f) is None]
        wanted = [f for f in absent if f.url is not None]
        if wanted and len(wanted) == len(absent):
            size = sum(f.bytes_original or 0 for f in wanted)
            _print_line(f"{source.title}: {len(wanted)} file(s), {_size(size)} to download")
            for label, text in _licence(source):
                _print_line(f"{label + ':':<11}{text}")
            if not yes:
                _ask()
        found = fetching.fetch(source)
    for at in found.values():
        _print_line(f"{at.origin}: {at.path}")


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="A file of your own: CSV, Parquet, GeoJSON, HDF5 or npz.")],
    kind: Annotated[Kind | None, typer.Option("--as", help="What it holds; by default told from its columns.")] = None,
) -> None:
    """Check a file of your own; all faults are listed with their rows."""
    from citylib.data import own_files
    from citylib.data.load import summary

    with _told(content=True):
        dataset = own_files.read(file.removeprefix("file:"), kind=kind)
    _print_line(f"{file} can be used as {dataset.kind}.")
    _print_line(summary(dataset))
    if dataset.faults:
        rows = [(f.code, f.where, f"{f.count:,} of {f.total:,}", f.action, f.what) for f in dataset.faults]
        _print_table(("what", "where", "count", "done", "why"), rows)


@contextmanager
def _told(*, content: bool = False) -> Iterator[None]:
    """Say an error in one message without a trace, and end with its code."""
    try:
        yield
    except CitylibError as error:
        misused = isinstance(error, UnknownNameError) or (isinstance(error, InputError) and not content)
        if isinstance(error, InputError) and error.argument in ("file", "kind", "source"):
            misused = True
        typer.echo(str(error), err=True)
        raise typer.Exit(MISUSED if misused else FAULTY) from None


def _refuse_unregistered(name: str) -> None:
    """Say what to do instead with a source that load() takes and that has no files of the registry."""
    if name.split(":")[0] == "synthetic":
        hint = "it is drawn when it is loaded, and its tables say what it holds: data.load('synthetic')"
        raise InputError("source", "be a set with files", name, hint)
    if name.startswith("file:"):
        raise InputError("source", "be a set with files", name, f"see `citylib data check {name[5:]}`")


def _ask() -> None:
    if not _asks():
        typer.echo("nothing was downloaded: say --yes to download without being asked", err=True)
        raise typer.Exit(MISUSED)
    if not typer.confirm("Download?"):
        raise typer.Exit(FAULTY)


def _asks() -> bool:
    return sys.stdin.isatty()


def _where(file: SourceFile) -> str:
    try:
        found = fetching.locate(file)
    except ChecksumError:
        return "damaged"
    if found is None:
        return "not here" if file.url else "not here, folder only"
    return found.origin


def _where_all(places: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(places))
    return distinct[0] if len(distinct) == 1 else ", ".join(f"{places.count(p)} {p}" for p in distinct)


def _licence(source: Source) -> list[tuple[str, str]]:
    return [
        ("licence", f"{source.licence_stated} (as its repository states)"),
        ("publisher", f"{source.licence_publisher} (unverified: check before you redistribute)"),
    ]


def _print_line(text: str) -> None:
    Console().print(text, highlight=False, markup=False, soft_wrap=True)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: drawn in a terminal, tab-separated elsewhere."""
    console = Console()
    if not console.is_terminal:
        for row in (header, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _size(count: int) -> str:
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}" if size < 10 and unit != "B" else f"{size:.0f} {unit}"
