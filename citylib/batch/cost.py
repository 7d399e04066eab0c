"""What runs are expected to cost, judged by the receipts of earlier ones: seconds, memory, and how sure that is."""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citylib.batch import receipt
from citylib.batch.plan import Plan, PlannedRun
from citylib.errors import InputError, ReceiptError

__all__ = ["Costs", "Expected", "Forecast", "expected"]

OWN, HERE, ELSEWHERE, UNKNOWN = "its last run", "in this plan", "in all plans", "unknown"


@dataclass(frozen=True)
class Expected:
    """What one run is expected to cost.

    Parameters
    ----------
    seconds : float or None
        Wall time; None if nothing is known.
    peak_memory_bytes : int or None
        Highest memory, all its processes together.
    basis : str
        What that is taken from: ``"its last run"``, ``"median of 5 runs of its notebook in this plan"``, ``"unknown"``.
    cpu_seconds : float or None
        Processor time; None if no receipt tells.
    """

    seconds: float | None
    peak_memory_bytes: int | None
    basis: str
    cpu_seconds: float | None = None

    @property
    def known(self) -> bool:
        """Whether there is anything to judge by."""
        return self.seconds is not None


@dataclass(frozen=True)
class Forecast:
    """What several runs are expected to cost together.

    Parameters
    ----------
    count : int
        Number of runs.
    seconds : float
        Wall times of the runs whose cost is known, added up.
    wall_seconds : float
        From the first start to the last end, if each worker takes the next run when it is done with one, and there is
        memory for it.
    peak_memory_bytes : int
        Of as many runs at once as there are workers, the most demanding ones; no more than their budget.
    unknown : int
        Number of runs that nothing is known of; they are in none of the sums.
    cpu_seconds : float or None
        Processor times of the runs whose cost is known, added up; None if that of one of them is not.
    """

    count: int
    seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    unknown: int
    cpu_seconds: float | None


@dataclass
class Costs:
    """The costs of earlier runs, each receipt read once and only when it is asked for.

    Parameters
    ----------
    plan : Plan
        Whose runs are to be judged.
    out : Path
        The folder of all plans' runs.

    Examples
    --------
    >>> from citylib.batch.plan import Plan
    >>> Costs(Plan("none", ()), Path("_build/runs")).seen
    {}
    """

    plan: Plan
    out: Path
    seen: dict[Path, Expected | None] = field(default_factory=dict)
    medians: dict[str, Expected] = field(default_factory=dict)

    def of(self, run: PlannedRun) -> Expected:
        """Return what a run is expected to cost.

        By its own last good run; else by the median of its notebook's good runs in this plan's folder;
        else by that of all plans below `out`; else it is unknown.
        """
        own = self._read(run.folder(self.plan.folder(self.out)))
        if own is not None:
            return own
        if run.notebook not in self.medians:
            self.medians[run.notebook] = self._of_notebook(run.notebook)
        return self.medians[run.notebook]

    def _of_notebook(self, notebook: str) -> Expected:
        for folders, where in (([self.plan.folder(self.out)], HERE), (_folders(self.out), ELSEWHERE)):
            found = [cost for place in folders for run in _folders(place / notebook) if (cost := self._read(run))]
            if found:
                number = "one run" if len(found) == 1 else f"median of {len(found)} runs"
                memory = _median(cost.peak_memory_bytes for cost in found)
                return Expected(
                    seconds=_median(cost.seconds for cost in found),
                    peak_memory_bytes=None if memory is None else round(memory),
                    basis=f"{number} of its notebook {where}",
                    cpu_seconds=_median(cost.cpu_seconds for cost in found),
                )
        return Expected(None, None, UNKNOWN)

    def _read(self, folder: Path) -> Expected | None:
        if folder not in self.seen:
            try:
                self.seen[folder] = _cost(receipt.read(folder))
            except ReceiptError:
                self.seen[folder] = None
        return self.seen[folder]


def expected(
    costs: Iterable[Expected], workers: int, *, limits: Iterable[int] | None = None, budget: int | None = None
) -> Forecast:
    """Return what runs are expected to cost together.

    Parameters
    ----------
    costs : iterable of Expected
        Of each run, in the order they are started; see `Costs.of`.
    workers : int
        How many run at a time.
    limits : iterable of int, optional
        Bytes of memory that each run may use, in the same order.
    budget : int, optional
        Bytes that the limits of the runs under way may sum to; a run of a higher limit runs alone. By default any.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        Fewer workers than 1, or a budget without limits.

    Examples
    --------
    >>> expected([Expected(4.0, 10, ""), Expected(1.0, 30, ""), Expected(2.0, 20, "")], workers=2)
    Forecast(count=3, seconds=7.0, wall_seconds=4.0, peak_memory_bytes=50, unknown=0, cpu_seconds=None)
    >>> expected([Expected(4.0, 10, ""), Expected(3.0, 30, "")], workers=2, limits=[50, 50], budget=99).wall_seconds
    7.0
    """
    if isinstance(workers, bool) or workers < 1:
        raise InputError("workers", "be at least 1", workers)
    if budget is not None and limits is None:
        raise InputError("budget", "be given with limits", budget)
    every = list(costs)
    asked = [0] * len(every) if limits is None else list(limits)
    timed = [(c.seconds, limit) for c, limit in zip(every, asked, strict=True) if c.seconds is not None]
    known = [cost for cost in every if cost.known]
    seconds = [cost.seconds for cost in known if cost.seconds is not None]
    cpu = [cost.cpu_seconds for cost in known if cost.cpu_seconds is not None]
    memory = [cost.peak_memory_bytes for cost in known if cost.peak_memory_bytes is not None]
    peak = sum(heapq.nlargest(workers, memory))
    return Forecast(
        count=len(every),
        seconds=math.fsum(seconds),
        wall_seconds=_wall(timed, workers, math.inf if budget is None else budget),
        peak_memory_bytes=peak if budget is None else min(peak, max(budget, *memory, 0)),
        unknown=len(every) - len(known),
        cpu_seconds=math.fsum(cpu) if len(cpu) == len(known) else None,
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _wall(timed: Sequence[tuple[float, int]], workers: int, budget: float) -> float:
    """Return when the last of runs of so many seconds and bytes ends; none overtakes, as none does in `schedule`."""
    under_way: list[tuple[float, int]] = []  # when it ends, and its limit; the first to end first
    now, taken, last = 0.0, 0, 0.0
    for seconds, limit in timed:
        while under_way and (len(under_way) >= workers or taken + limit > budget):
            now, given_back = heapq.heappop(under_way)
            taken -= given_back
        heapq.heappush(under_way, (now + seconds, limit))
        taken, last = taken + limit, max(last, now + seconds)
    return last


def _folders(place: Path) -> list[Path]:
    """Return the folders in a place that are no runner's own, sorted."""
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if not path.name.startswith("."))


def _cost(content: dict[str, Any]) -> Expected | None:
    seconds, memory, cpu = (content.get(key) for key in ("seconds", "peak_memory_bytes", "cpu_seconds"))
    if content.get("outcome") == "ok" and isinstance(seconds, int | float) and isinstance(memory, int):
        return Expected(float(seconds), memory, OWN, float(cpu) if isinstance(cpu, int | float) else None)
    return None
