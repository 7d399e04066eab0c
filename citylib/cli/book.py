"""``citylib book``: run a plan, then build its book."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from citylib.cli import run as run_command
from citylib.errors import BuildError, InputError

__all__ = ["HELP", "book"]

HELP = """Run what a plan needs to run, then build the book of it.

PLAN is a TOML file or the name of one in book/plans. Runs that are unchanged are skipped, and a book of which nothing
changed is not rendered again. A run that fails, a warning of Jupyter Book, or a page that is too large ends the build
with code 1 and leaves the book that was there before.
"""


def book(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A plan.")],
    out: Annotated[Path, typer.Option(help="Folder of runs and html.")] = Path("_build"),
    workers: Annotated[int, typer.Option(min=1, help="How many run at a time.")] = 2,
    force: Annotated[bool, typer.Option("--force", help="Run and render even what is unchanged.")] = False,
) -> None:
    """Run a plan and build its book; the options say it all.

    Parameters
    ----------
    plan : str
        A plan's file, or the name of one below ``book/plans``.
    out : Path
        Folder of runs (``runs/``) and of the book (``html/``).
    workers : int
        How many run at a time.
    force : bool
        Run and render all.

    Raises
    ------
    typer.Exit
        With code 1 where a run failed, 130 where it was interrupted.
    BuildError
        The book could not be built.
    InputError
        The project has no book.
    """
    from rich.console import Console

    from citylib.batch import progress
    from citylib.batch.receipt import root_of
    from citylib.batch.schedule import run_plan
    from citylib.publish import book as publish

    console = Console(highlight=False)
    pages = root_of(Path.cwd() / "here") / "book"
    if not (pages / "_config.yml").is_file():
        raise InputError("current folder", "be in a project with book/_config.yml", str(Path.cwd()))
    made = run_command.planned(plan, [], {})
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcomes = run_plan(made, out / "runs", workers, progress.of_console(console), force=force)
    finally:
        signal.signal(signal.SIGTERM, before)
    if any(outcome.status == "stopped" for outcome in outcomes):
        raise typer.Exit(130)
    failed = [outcome for outcome in outcomes if not outcome.ok]
    if failed:
        raise BuildError(f"{len(failed)} of {len(outcomes)} runs failed\n" + "\n\n".join(o.describe() for o in failed))

    def waiting(holder: str) -> None:
        console.print(f"waiting for {holder}, which builds in {out}", markup=False)

    runs = made.folder(out / "runs")
    built = publish.build(made.name, made.runs, runs, pages, out, force=force, waiting=waiting)
    ran = sum(outcome.status == "ok" for outcome in outcomes)
    done = "built" if built.fresh else "unchanged"
    console.print(f"{made.name}: {ran} of {len(outcomes)} notebooks run; book {done}, {built.pages} pages")
    console.print(built.index.absolute().as_uri(), soft_wrap=True, markup=False)
