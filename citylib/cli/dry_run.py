"""``citylib run --dry-run``: what would run and why, what would be skipped, and what it is expected to cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib.cli import printed

if TYPE_CHECKING:
    from rich.console import Console

    from citylib.batch.cost import Expected, Forecast
    from citylib.batch.plan import Plan, PlannedRun

__all__ = ["show"]

MOST_NAMED = 5  # runs of unknown cost named one by one


def show(
    console: Console,
    plan: Plan,
    out: Path,
    workers: int | None,
    *,
    force: bool,
    as_json: bool,
    memory_budget: int | None = None,
) -> None:
    """Print each run of a plan with what would happen to it, then the totals.

    Parameters
    ----------
    console : rich.console.Console
        Where to.
    plan : Plan
        The runs.
    out : Path
        Folder of all plans' runs.
    workers : int, optional
        How many would run at a time; by default as many as there are cores.
    force : bool
        Whether all would run.
    as_json : bool
        For programs: one JSON object instead of a table.
    memory_budget : int, optional
        Bytes that the limits of the runs under way may sum to; by default any.
    """
    from citylib.batch import capacity
    from citylib.batch.cost import Costs, expected
    from citylib.batch.run import assess

    workers = workers or capacity.cores()
    costs = Costs(plan, out)
    rows = [(run, why, costs.of(run)) for run, why in assess(plan, out, force=force)]
    todo = [(cost, run.limits.memory) for run, why, cost in rows if why is not None]
    limits = [limit for _, limit in todo]
    total = expected([cost for cost, _ in todo], workers, limits=limits, budget=memory_budget)
    if as_json:
        printed.as_json(_content(plan, out, workers, rows, total) | {"memory_budget_bytes": memory_budget})
        return
    _print_rows(console, rows)
    _print_total(console, rows, total, workers)


def _print_rows(console: Console, rows: list[tuple[PlannedRun, str | None, Expected]]) -> None:
    from rich.table import Table

    table = Table("run", "would", "why", "expected", "memory", "judged by", box=None, pad_edge=False)
    for run, why, cost in rows:
        known = (printed.duration(cost.seconds), printed.memory(cost.peak_memory_bytes), cost.basis)
        shown = known if why is not None else ("", "", "")
        table.add_row(_label(run), "skip" if why is None else "run", why or "unchanged", *shown)
    printed.table(console, table)


def _print_total(
    console: Console, rows: list[tuple[PlannedRun, str | None, Expected]], total: Forecast, workers: int
) -> None:
    noun = "run" if len(rows) == 1 else "runs"
    lines = [f"{len(rows)} {noun}: {total.count} to run, {len(rows) - total.count} unchanged"]
    if total.count > total.unknown:
        at_once = "with one worker" if workers == 1 else f"with {workers} workers"
        processor = "" if total.cpu_seconds is None else f" ({printed.duration(total.cpu_seconds)} of processor time)"
        lines.append(
            f"expected: {printed.duration(total.seconds)} in runs{processor}, about "
            f"{printed.duration(total.wall_seconds)} {at_once}, up to {printed.memory(total.peak_memory_bytes)} at once"
        )
    if total.unknown:
        names = [_label(run) for run, why, cost in rows if why is not None and not cost.known]
        named = ", ".join(names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
        lines.append(f"unknown: {total.unknown} without any earlier receipt of its notebook, and not counted: {named}")
    for text in lines:
        printed.plain(console, text)


def _content(
    plan: Plan,
    out: Path,
    workers: int,
    rows: list[tuple[PlannedRun, str | None, Expected]],
    total: Forecast,
) -> dict[str, Any]:
    from dataclasses import asdict

    runs = plan.folder(out)
    return {
        "plan": plan.name,
        "workers": workers,
        "runs": [
            {
                "notebook": run.notebook,
                "id": run.id,
                "title": run.title,
                "folder": str(run.folder(runs)),
                "would": "skip" if why is None else "run",
                "why": why or "unchanged",
                "parameters": dict(run.parameters),
                "expected": asdict(cost) if why is not None else None,
            }
            for run, why, cost in rows
        ],
        "to_run": total.count,
        "unchanged": len(rows) - total.count,
        "expected": {key: value for key, value in asdict(total).items() if key != "count"},
    }


def _label(run: PlannedRun) -> str:
    return f"{run.notebook} [{run.id}]"
