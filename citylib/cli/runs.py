"""``citylib runs``: read back what was run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from citylib.cli import printed
from citylib.cli.run import OUT

__all__ = ["runs"]

runs = typer.Typer(help="Read back what was run: list, show, verify.", no_args_is_help=True, rich_markup_mode=None)


@runs.command("list")
def list_runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs.")] = OUT,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
) -> None:
    """List the runs below a folder."""
    from rich.console import Console
    from rich.table import Table

    from citylib.batch import collect

    table = Table("run", "outcome", "seconds", "memory", "started", "folder", box=None, pad_edge=False)
    broken: list[str] = []
    for place, content in collect.found(folder, broken=lambda fault: broken.append(str(fault))):
        if not failed or content["outcome"] != "ok":
            table.add_row(
                f"{content['run']['notebook']} [{content['run']['id']}]",
                content["outcome"],
                f"{content['seconds']:.1f}",
                f"{content['peak_memory_bytes'] / 2**20:.0f} MiB",
                content["started"],
                str(place),
            )
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
def verify_runs(folder: Annotated[Path, typer.Argument(help="Folder of runs, or of one.")] = OUT) -> None:
    """Compute every hash anew and say what changed since; code 1 if anything did."""
    from rich.console import Console

    from citylib.batch import collect, receipt

    console = Console(highlight=False)
    hashes = receipt.Hashes()
    root = receipt.root_of(Path.cwd() / "here")
    count = bad = 0
    broken: list[str] = []
    for place, content in collect.found(folder, failed=False, broken=lambda fault: broken.append(str(fault))):
        changes = receipt.changes(content, place, root=root, base=Path.cwd(), hashes=hashes)
        count, bad = count + 1, bad + bool(changes)
        for change in changes:
            console.print(
                f"{content['run']['notebook']} [{content['run']['id']}]: {change}", soft_wrap=True, markup=False
            )
    for fault in broken:
        console.print(fault, soft_wrap=True, markup=False)
    count, bad = count + len(broken), bad + len(broken)
    console.print(f"{count} runs, {count - bad} as their receipts say, {bad} not")
    raise typer.Exit(1 if bad else 0)
