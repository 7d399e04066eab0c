"""``citylib run``: run a notebook with parameters, or every run of a plan."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from citylib.cli import dry_run as dry
from citylib.cli import printed, running
from citylib.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from citylib.batch.plan import Plan
    from citylib.batch.run import Outcome

__all__ = ["HELP", "OUT", "planned", "run"]

OUT = Path("_build/runs")
HELP = """Run a notebook with parameters, or every run of a plan; what is unchanged is skipped.

Each run has a process of its own, limits, a receipt and typed results in a folder of its own. Ctrl-C starts no more
runs and lets those under way finish; a second one, or SIGTERM, ends them. Either way the code is 130, nothing is left
half written, and the same command goes on from there.
"""


def run(
    what: Annotated[str, typer.Argument(metavar="NOTEBOOK|PLAN", help="A notebook, or a plan (.toml).")],
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter of the notebook.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of all runs.")] = OUT,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only runs whose notebook, id or notebook/id this fits: '*_2016'."),
    ] = None,
    workers: running.Workers = None,
    memory_budget: running.Budget = None,
    force: Annotated[bool, typer.Option("--force", help="Run even what is unchanged.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would run and why, and what it is expected to cost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: print JSON.")] = False,
    fail_fast: running.FailFast = False,
    retries: running.Retries = None,
    dask: running.Dask = None,
    cold: running.Cold = False,
    minutes: Annotated[float | None, typer.Option(help="Time limit of a run.")] = None,
    memory: Annotated[str | None, typer.Option(help='Memory limit of a run, such as "2 GiB".')] = None,
    output: Annotated[str | None, typer.Option(help='Size limit of an executed notebook, such as "2 MB".')] = None,
) -> None:
    """Run a notebook with parameters, or every run of a plan; the options say it all.

    Parameters
    ----------
    what : str
        A notebook or a plan; see `planned`.
    parameter : list of str, optional
        ``name=value`` words.
    out : Path
        Folder of all runs.
    only : list of str, optional
        Patterns; see `citylib.batch.choose.only`.
    workers, memory_budget : int and str, optional
        How many run at a time, and the memory they may ask for together.
    force, dry_run, as_json, fail_fast, cold : bool
        Run all; run none but say what would, as JSON; start no more after a failure; fork no kernels.
    retries : int, optional
        How often a run that ended badly is tried again.
    dask : str, optional
        The scheduler of the cluster that does the runs, or ``local``.
    minutes, memory, output : float or str, optional
        Limits of each run.

    Raises
    ------
    typer.Exit
        With the code of the command.
    InputError, NotebookError, ParameterError
        What was asked for makes no sense; nothing was started.
    """
    from rich.console import Console

    from citylib.batch import capacity, choose

    console = Console(highlight=False, markup=False)
    running.check_out(out, out)
    wished = {"minutes": minutes, "memory": memory, "output": output}
    plan = planned(what, parameter or [], {k: v for k, v in wished.items() if v is not None})
    plan = choose.only(plan, only) if only else plan
    if as_json and not dry_run:
        raise InputError("--json", "be given with --dry-run; `citylib runs list --json` tells what was run", "alone")
    if dry_run:
        budget = running.budget_in_bytes(memory_budget) or (None if dask else capacity.memory_budget())
        options: dict[str, Any] = {"force": force, "as_json": as_json, "memory_budget": budget}
        dry.show(console, plan, out, workers or capacity.cores(), **options)
        return
    outcomes, interrupted = running.carry_out(
        console, plan, out, workers=workers, memory_budget=memory_budget, retries=retries, dask=dask, force=force,
        fail_fast=fail_fast, cold=cold,
    )  # fmt: skip
    _show_outcomes(console, plan, outcomes)
    if interrupted:
        running.leave_interrupted(console, outcomes)
    raise typer.Exit(0 if all(outcome.ok for outcome in outcomes) else 1)


def planned(what: str, words: list[str], limits: dict[str, Any]) -> Plan:
    """Return the plan that the command line names.

    Parameters
    ----------
    what : str
        A plan's file, a notebook's, or the name of one below ``book/plans`` or ``notebooks``.
    words : list of str
        ``name=value`` for a notebook's parameters.
    limits : dict
        Limits that were given.

    Returns
    -------
    Plan

    Raises
    ------
    InputError, NotebookError, ParameterError
        No such plan or notebook, parameters for a plan, or anything wrong with either.
    """
    from citylib.batch import parameters, plan
    from citylib.batch.receipt import root_of

    here = Path.cwd()
    root = root_of(here / "here")
    named = root / "book" / "plans" / f"{what}.toml"
    file = Path(what) if what.endswith(".toml") else named
    if what.endswith(".toml") or named.is_file():
        if words:
            raise InputError("-p", "be given with a notebook; a plan sets its own parameters", " ".join(words))
        return plan.load(file, limits=limits)
    notebook = plan.find_notebook(what, root)
    return plan.single(notebook, parameters.parse(notebook, words), limits=limits)


def _show_outcomes(console: Console, plan: Plan, outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if not outcome.ok and outcome.status != "stopped":
            console.print()
            console.print(outcome.describe(), soft_wrap=True, markup=False)
    if len(outcomes) == 1 and outcomes[0].ok:
        printed.records(console, outcomes[0].folder)
        console.print(f"in {outcomes[0].folder}", soft_wrap=True, markup=False)
    else:
        counts = Counter(outcome.status for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes)
        words = ", ".join(f"{count} {status}" for status, count in counts.items())
        console.print(f"{plan.name}: {words}; {seconds:.1f} s in runs", soft_wrap=True, markup=False)
