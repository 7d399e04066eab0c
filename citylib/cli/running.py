"""What ``citylib run`` and ``citylib book`` share: the options that say how runs are carried out, and doing so."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from citylib.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from citylib.batch.plan import Plan
    from citylib.batch.run import Outcome

__all__ = [
    "Budget",
    "Cold",
    "Dask",
    "FailFast",
    "Retries",
    "Workers",
    "budget_in_bytes",
    "carry_out",
    "check_out",
    "leave_interrupted",
]

Workers = Annotated[int | None, typer.Option(min=1, help="How many run at a time.", show_default="one a core")]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help='Memory that the limits of the runs under way may sum to, such as "8 GiB".',
        show_default="what the machine has, less a tenth",
    ),
]
Retries = Annotated[
    int | None,
    typer.Option(
        min=0, max=10, help="How often a run that ended badly is tried again.", show_default="what the plan says"
    ),
]
FailFast = Annotated[bool, typer.Option("--fail-fast/--keep-going", help="Start no more runs after one has failed.")]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS|local",
        help="Let a Dask cluster do the runs: the address or the file of its scheduler, or local for one of here.",
    ),
]


Cold = Annotated[
    bool, typer.Option("--cold", help="Start a new interpreter for each run, instead of forking it from a warm one.")
]


def check_out(out: Path, runs: Path) -> None:
    """Refuse an ``--out`` that leaves no place for a folder of runs.

    Parameters
    ----------
    out : Path
        As it was given.
    runs : Path
        The folder of runs; it or any above it may have to be made.

    Raises
    ------
    InputError
        One of them is there and no folder.
    """
    there = next((place for place in (runs, *runs.absolute().parents) if os.path.lexists(place)), None)
    if there is not None and not there.is_dir():
        raise InputError("--out", "name a folder, or a place for one", str(out), f"{there} is no folder")


def budget_in_bytes(memory_budget: str | None) -> int | None:
    """Return the bytes that ``--memory-budget`` names, or None if it was not given.

    Raises
    ------
    InputError
        It is no size.
    """
    from citylib.batch.supervise import size_in_bytes

    return None if memory_budget is None else size_in_bytes("--memory-budget", memory_budget)


def carry_out(
    console: Console,
    plan: Plan,
    out: Path,
    *,
    workers: int | None = None,
    memory_budget: str | None = None,
    retries: int | None = None,
    dask: str | None = None,
    force: bool = False,
    fail_fast: bool = False,
    cold: bool = False,
) -> tuple[list[Outcome], bool]:
    """Run what a plan needs to run, as the options say, and tell how it gets on.

    Parameters
    ----------
    console : rich.console.Console
        Where it is told.
    plan : Plan
        The runs.
    out : Path
        Folder of all plans' runs.
    workers, memory_budget, retries, dask : optional
        See the options.
    force, fail_fast, cold : bool
        Run all; start no more after a failure; fork no kernels.

    Returns
    -------
    list of Outcome
        One a run.
    bool
        Whether it was interrupted before all was done.

    Raises
    ------
    InputError, RunError
        An option makes no sense; no Dask cluster answers, or its workers don't see the project.
    """
    from dataclasses import replace

    from citylib.batch import executors, progress, schedule
    from citylib.batch.interrupts import Interrupts

    budget = budget_in_bytes(memory_budget)
    if retries is not None:
        plan = replace(plan, runs=tuple(replace(run, retries=retries) for run in plan.runs))
    interrupts = Interrupts()
    with ExitStack() as stack:
        stack.enter_context(interrupts.installed())
        cluster = stack.enter_context(executors.dask(dask, workers=workers, memory=budget)) if dask else None
        outcomes = schedule.run_plan(
            plan,
            out,
            workers,
            progress.of_console(console),
            force=force,
            fail_fast=fail_fast,
            memory_budget=budget,
            executor=cluster,
            interrupts=interrupts,
            warm=not cold,
        )
    return outcomes, interrupts.ending and any(outcome.status == "stopped" for outcome in outcomes)


def leave_interrupted(console: Console, outcomes: list[Outcome]) -> NoReturn:
    """Say how to go on, and end with the code of an interrupt."""
    from citylib.batch.interrupts import CODE

    left = sum(outcome.status == "stopped" for outcome in outcomes)
    console.print(f"interrupted: {left} of {len(outcomes)} runs are left; the same command goes on from here")
    raise typer.Exit(CODE)
