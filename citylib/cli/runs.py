"""``citylib runs``: read back what was run."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from citylib.cli import printed
from citylib.cli.run import OUT
from citylib.errors import InputError

__all__ = ["runs"]

runs = typer.Typer(help="Read back what was run: list, show, verify.", no_args_is_help=True, rich_markup_mode=None)


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
        printed.table(Console(highlight=False), table)
    for fault in broken:
        typer.echo(f"citylib: {fault}", err=True)
    raise typer.Exit(1 if broken else 0)


@runs.command("show")
def show_run(folder: Annotated[Path, typer.Argument(help="Folder of one run.")]) -> None:
    """Show what a run was made from, how it went and what it recorded."""
    from rich.console import Console

    from citylib.batch import receipt
    from citylib.batch.run import FAILED

    console = Console(highlight=False)
    beside = folder.with_name(folder.name + FAILED)
    if not folder.exists() and beside.exists():
        folder = beside
    content = receipt.read(folder)
    memory = content["peak_memory_bytes"] / 2**20
    printed.line(console, "run", f"{content['run']['notebook']} [{content['run']['id']}]")
    printed.line(
        console, "outcome", f"{content['outcome']}, {content['seconds']:.1f} s, {memory:.0f} MiB, {content['started']}"
    )
    for name, value in content["parameters"].items():
        printed.line(console, "parameter", f"{name} = {value!r}")
    for file in content["data"]:
        printed.line(
            console, "data", f"{file['file']} ({file['bytes']:,} bytes, {file['origin']}, sha256 {file['sha256'][:12]})"
        )
    printed.line(console, "citylib", f"{len(content['citylib'])} files read")
    printed.line(console, "versions", ", ".join(f"{name} {version}" for name, version in content["versions"].items()))
    if content["error"]:
        error = content["error"]
        printed.line(console, "error", f"{error['name']} in cell {error['cell']}: {error['message']}")
        for text in error["source"].splitlines():
            printed.line(console, "", f"    {text}")
    printed.records(console, folder)


@runs.command("verify")
def verify_runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, or of one.")] = OUT,
    base: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where relative paths of own data files start; else the current folder, or the runs' project.",
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
    console = Console(highlight=False)
    count = bad = 0
    for run in verify(folder, base=base, failed=failed):
        count, bad = count + 1, bad + bool(run.changes)
        for change in run.changes:
            printed.plain(console, f"{run.run}: {change}")
    printed.plain(console, f"{count} runs, {count - bad} as their receipts say, {bad} not")
    raise typer.Exit(1 if bad else 0)
