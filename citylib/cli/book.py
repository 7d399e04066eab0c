"""``citylib book``: run a plan, then build its book."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from citylib.cli import run as run_command
from citylib.cli import running
from citylib.errors import BuildError, InputError

if TYPE_CHECKING:
    from citylib.batch.run import Outcome

__all__ = ["HELP", "book"]

HELP = """Run what a plan needs to run, then build the book of it.

PLAN is a TOML file or the name of one in book/plans. Runs that are unchanged are skipped, and a book of which nothing
changed is not rendered again. A run of a chapter that fails, a run that is left after a failure (--fail-fast), a
warning of Jupyter Book, or a page that is too large ends the build with code 1 and leaves the book that was there
before. A run of a comparison that fails is told on the comparison's page, with cell, source and error: the book is
built, and the command ends with code 1.
"""


def book(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="A plan.")],
    out: Annotated[Path, typer.Option(help="Folder of runs and html.")] = Path("_build"),
    workers: running.Workers = None,
    memory_budget: running.Budget = None,
    retries: running.Retries = None,
    fail_fast: running.FailFast = False,
    dask: running.Dask = None,
    cold: running.Cold = False,
    force: Annotated[bool, typer.Option("--force", help="Run and render even what is unchanged.")] = False,
) -> None:
    """Run a plan and build its book; the options say it all.

    Parameters
    ----------
    plan : str
        A plan's file, or the name of one below ``book/plans``.
    out : Path
        Folder of runs (``runs/``) and of the book (``html/``).
    workers, memory_budget, retries, fail_fast, dask, cold : optional
        As of ``citylib run``.
    force : bool
        Run and render all.

    Raises
    ------
    typer.Exit
        With code 1 where a run of a comparison failed, though the book is built; 130 where it was interrupted.
    BuildError
        The book could not be built, a run of a chapter failed, or runs are left.
    InputError
        The project has no book, or what was asked for makes no sense.
    """
    from rich.console import Console

    from citylib.batch.receipt import root_of
    from citylib.publish import book as publish

    console = Console(highlight=False, markup=False)
    pages = root_of(Path.cwd() / "here") / "book"
    if not (pages / "_config.yml").is_file():
        raise InputError("current folder", "be in a project with book/_config.yml", str(Path.cwd()))
    running.check_out(out, out / "runs")
    made = run_command.planned(plan, [], {})
    outcomes, interrupted = running.carry_out(
        console, made, out / "runs", workers=workers, memory_budget=memory_budget, retries=retries, dask=dask,
        force=force, fail_fast=fail_fast, cold=cold,
    )  # fmt: skip
    if interrupted:
        running.leave_interrupted(console, outcomes)
    told = _told(outcomes)
    if any(o.status == "stopped" or (not o.ok and o.run.comparison is None) for o in outcomes):
        raise BuildError(told)

    def waiting(holder: str) -> None:
        console.print(f"waiting for {holder}, which builds in {out}", markup=False)

    runs = made.folder(out / "runs")
    built = publish.build(made.name, made.runs, runs, pages, out, ended=outcomes, force=force, waiting=waiting)
    ran = sum(outcome.status == "ok" for outcome in outcomes)
    done = "built" if built.fresh else "unchanged"
    console.print(f"{made.name}: {ran} of {len(outcomes)} notebooks run; book {done}, {built.pages} pages")
    console.print(built.index.absolute().as_uri(), soft_wrap=True, markup=False)
    if told:
        Console(stderr=True, highlight=False, markup=False).print(
            f"{told}\nthe book tells it", soft_wrap=True, markup=False
        )
        raise typer.Exit(1)


def _told(outcomes: list[Outcome]) -> str:
    """Return which runs failed and why, and how many are left; nothing where all ended well."""
    left = sum(outcome.status == "stopped" for outcome in outcomes)
    failed = [outcome for outcome in outcomes if not outcome.ok and outcome.status != "stopped"]
    lines = []
    if failed:
        lines += [f"{len(failed)} of {len(outcomes)} runs failed", "\n\n".join(o.describe() for o in failed)]
    if left:
        lines.append(f"{left} of {len(outcomes)} runs are left: no book is built; the same command goes on from here")
    return "\n".join(lines)
