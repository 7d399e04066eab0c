"""A part of a plan: the runs whose names fit a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from citylib.batch.plan import Plan, PlannedRun
from citylib.errors import UnknownNameError

__all__ = ["only"]


def only(plan: Plan, patterns: Sequence[str]) -> Plan:
    """Return the plan with those of its runs alone that one of the patterns fits.

    Parameters
    ----------
    plan : Plan
        The runs.
    patterns : sequence of str
        As a shell's, ``*`` and ``?``, each held against ``notebook/id``, ``notebook`` and ``id``.

    Returns
    -------
    Plan
        Of the same name, so with the same folder.

    Raises
    ------
    UnknownNameError
        A pattern that fits no run; the nearest is offered.
    """
    for pattern in patterns:
        if not any(_fits(run, pattern) for run in plan.runs):
            notebooks = dict.fromkeys(run.notebook for run in plan.runs)
            ids = dict.fromkeys(run.id for run in plan.runs)
            raise UnknownNameError("--only", pattern, [*notebooks, *ids, *(f"{r.notebook}/{r.id}" for r in plan.runs)])
    return replace(plan, runs=tuple(run for run in plan.runs if any(_fits(run, p) for p in patterns)))


def _fits(run: PlannedRun, pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in (f"{run.notebook}/{run.id}", run.notebook, run.id))
