"""``citylib runs``: read back what was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from citylib.cli import printed
from citylib.cli.run import OUT
from citylib.errors import InputError, ReceiptError

__all__ = ["runs"]

runs = typer.Typer(
    help="Read back what was run: list, show, log, diff, verify.", no_args_is_help=True, rich_markup_mode=None
)


class Order(StrEnum):
    """What a list of runs is sorted by."""

    seconds = "seconds"
    memory = "memory"
    started = "started"


@runs.command("list")
def list_runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs.")] = OUT,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    notebook: Annotated[
        str | None, typer.Option(metavar="PATTERN", help='Only runs of these notebooks: "arima", "survival/*".')
    ] = None,
    sort: Annotated[Order | None, typer.Option(help="Largest or latest first; else by folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: print JSON.")] = False,
) -> None:
    """List the runs below a folder; code 1 if a receipt among them is broken."""
    from rich.console import Console
    from rich.table import Table

    from citylib.batch import collect

    broken: list[str] = []
    found = collect.entries(
        folder,
        failed=failed,
        notebook=notebook,
        sort=sort and sort.value,
        broken=lambda fault: broken.append(str(fault)),
    )
    if as_json:
        printed.as_json([asdict(entry) for entry in found])
    else:
        table = Table("run", "outcome", "seconds", "memory", "started", "folder", box=None, pad_edge=False)
        for entry in found:
            took, memory = f"{entry.seconds:.1f}", printed.memory(entry.peak_memory_bytes)
            table.add_row(f"{entry.notebook} [{entry.run}]", entry.outcome, took, memory, entry.started, entry.folder)
        printed.table(Console(highlight=False, markup=False), table)
    for fault in broken:
        typer.echo(f"citylib: {fault}", err=True)
    raise typer.Exit(1 if broken else 0)


@runs.command("show")
def show_run(
    folder: Annotated[Path, typer.Argument(help="Folder of one run.")],
    lines: Annotated[int, typer.Option(min=0, help="How many last lines of a failed run's log to show.")] = 20,
) -> None:
    """Show what a run was made from, how it went and what it recorded; of a failed one the end of its log."""
    from rich.console import Console

    from citylib.batch import follow, receipt
    from citylib.batch.run import FAILED

    console = Console(highlight=False, markup=False)
    beside = folder.with_name(folder.name + FAILED)
    if not folder.exists() and beside.exists():
        folder = beside
    content = receipt.read(folder)
    try:
        for label, text in _facts(content):
            printed.line(console, label, text)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ReceiptError(f"{folder / receipt.FILE}: lacks something") from None
    printed.records(console, folder)
    if (folder / follow.LOG).is_file():
        printed.line(console, "log", str(folder / follow.LOG))
    if content["outcome"] != "ok" and lines:
        for text in follow.tail(folder, lines):
            printed.line(console, "", f"    {text}")


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "run", f"{content['run']['notebook']} [{content['run']['id']}]"
    took, memory = f"{content['seconds']:.1f} s", printed.memory(content["peak_memory_bytes"])
    yield "outcome", f"{content['outcome']}, {took}, {memory}, {content['started']}"
    if content.get("cpu_seconds") is not None:
        yield "processor", printed.duration(content["cpu_seconds"])
    if content.get("attempt") is not None:
        yield "attempt", f"{content['attempt']} of at most {max(content['attempt'], content.get('tries', 1))}"
    if limits := content.get("limits"):
        output = f"{limits['output'] / 10**6:g} MB of notebook"
        yield "limits", f"{limits['minutes']:g} minutes, {printed.memory(limits['memory'])}, {output}"
    for name, value in content["parameters"].items():
        yield "parameter", f"{name} = {value!r}"
    for file in content["data"]:
        read = f"{file['bytes']:,} bytes, {file['origin']}, sha256 {file['sha256'][:12]}"
        yield "data", f"{file['file']} ({read})"
    yield "citylib", f"{len(content['citylib'])} files read"
    yield "versions", ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    if error := content["error"]:
        where = f" in cell {error['cell']}" if error.get("cell") else ""
        yield "error", f"{error['name']}{where}: {error['message']}"
        yield from (("", f"    {text}") for text in (error.get("source") or "").splitlines())


@runs.command("log")
def print_log(
    folder: Annotated[Path, typer.Argument(help="Folder of one run; it need not have begun.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as the run does, retries too, until it has ended.")
    ] = False,
) -> None:
    """Print a run's log: of the one under way, else of the one that ended last.

    With --follow the code is 0 if the run ended well, 1 if not, 130 after Ctrl-C, which ends the watching only.
    """
    from citylib.batch import follow as following

    if not follow:
        if (place := following.latest(folder)) is None:
            raise ReceiptError(f"{folder}: no such run; --follow waits for it to begin")
        for text in following.text_of(place):
            typer.echo(text, nl=False)
        return
    ok: bool | None = None
    try:
        for piece in following.follow(folder):
            ok = piece.ok
            if piece.kind == "log":
                typer.echo(piece.text, nl=False)
            else:
                typer.echo(f"citylib: {piece.text}", err=True)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    raise typer.Exit(0 if ok else 1)


@runs.command("diff")
def diff_runs(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run, or of many.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of another run, or of as many.")],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Numbers as close as this share of the larger count as equal.")
    ] = 1e-9,
    absolute: Annotated[float, typer.Option(min=0, help="So do those as close as this, in their own unit.")] = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="Show what is equal, too.")] = False,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Compare figures, which goes by their bytes.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: print JSON.")] = False,
) -> None:
    """Show side by side what two runs were made from, what came out and what it cost; or two folders of many runs.

    The code is 0 if their results are equal (outcome, records, tables, sentences, figures), 1 if they differ, 2 if they
    cannot be compared. Runs of two folders are matched by notebook and id.
    """
    from citylib.cli import side_by_side

    same = side_by_side.show(a, b, (tolerance, absolute), everything=everything, figures=figures, as_json=as_json)
    raise typer.Exit(0 if same else 1)


@runs.command("verify")
def verify_runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, or of one.")] = OUT,
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where relative paths of own data files start, and the project of runs that lie in none; "
            "else the current folder, or for own files the project that the runs lie in.",
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Verify what failed runs left, too.")] = False,
) -> None:
    """Compute every hash anew and say what changed since; code 1 if anything did.

    Held against each receipt: notebook, lock, data files, citylib files, the files of the run, and whether others lie
    there.
    """
    from rich.console import Console

    from citylib.batch.verify import verify

    if base is not None and not base.is_dir():
        raise InputError("--base", "be a folder", str(base))
    console = Console(highlight=False, markup=False)
    count = bad = 0
    for run in verify(folder, base=base, failed=failed):
        count, bad = count + 1, bad + bool(run.changes)
        for change in run.changes:
            printed.plain(console, f"{run.run}: {change}")
    printed.plain(console, f"{count} runs, {count - bad} as their receipts say, {bad} not")
    raise typer.Exit(1 if bad else 0)
