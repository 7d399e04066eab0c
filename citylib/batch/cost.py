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
    """

    seconds: float | None
    peak_memory_bytes: int | None
    basis: str

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
        From the first start to the last end, if each worker takes the next run when it is done with one.
    peak_memory_bytes : int
        Of as many runs at once as there are workers, the most demanding ones.
    unknown : int
        Number of runs that nothing is known of; they are in none of the sums.
    """

    count: int
    seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    unknown: int


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
    seen: dict[Path, tuple[float, int] | None] = field(default_factory=dict)
    medians: dict[str, Expected] = field(default_factory=dict)

    def of(self, run: PlannedRun) -> Expected:
        """Return what a run is expected to cost.

        By its own last good run; else by the median of its notebook's good runs in this plan's folder;
        else by that of all plans below `out`; else it is unknown.
        """
        own = self._read(run.folder(self.plan.folder(self.out)))
        if own is not None:
            return Expected(*own, OWN)
        if run.notebook not in self.medians:
            self.medians[run.notebook] = self._of_notebook(run.notebook)
        return self.medians[run.notebook]

    def _of_notebook(self, notebook: str) -> Expected:
        for folders, where in (([self.plan.folder(self.out)], HERE), (_folders(self.out), ELSEWHERE)):
            found = [cost for place in folders for run in _folders(place / notebook) if (cost := self._read(run))]
            if found:
                seconds, memory = (statistics.median(column) for column in zip(*found, strict=True))
                number = "one run" if len(found) == 1 else f"median of {len(found)} runs"
                return Expected(seconds, round(memory), f"{number} of its notebook {where}")
        return Expected(None, None, UNKNOWN)

    def _read(self, folder: Path) -> tuple[float, int] | None:
        if folder not in self.seen:
            try:
                self.seen[folder] = _cost(receipt.read(folder))
            except ReceiptError:
                self.seen[folder] = None
        return self.seen[folder]


def expected(costs: Iterable[Expected], workers: int) -> Forecast:
    """Return what runs are expected to cost together.

    Parameters
    ----------
    costs : iterable of Expected
        Of each run, in the order they are started; see `Costs.of`.
    workers : int
        How many run at a time.

    Returns
    -------
    Forecast

    Raises
    ------
    InputError
        Fewer workers than 1.

    Examples
    --------
    >>> expected([Expected(4.0, 10, ""), Expected(1.0, 30, ""), Expected(2.0, 20, "")], workers=2)
    Forecast(count=3, seconds=7.0, wall_seconds=4.0, peak_memory_bytes=50, unknown=0)
    """
    if isinstance(workers, bool) or workers < 1:
        raise InputError("workers", "be at least 1", workers)
    every = list(costs)
    seconds = [cost.seconds for cost in every if cost.seconds is not None]
    memory = [cost.peak_memory_bytes for cost in every if cost.peak_memory_bytes is not None]
    most = sum(heapq.nlargest(workers, memory))
    return Forecast(len(every), math.fsum(seconds), _wall(seconds, workers), most, len(every) - len(seconds))


def _wall(seconds: Sequence[float], workers: int) -> float:
    free = [0.0] * min(workers, max(1, len(seconds)))  # when each worker is done
    for took in seconds:
        heapq.heapreplace(free, free[0] + took)
    return max(free)


def _folders(place: Path) -> list[Path]:
    """Return the folders in a place that are no runner's own, sorted."""
    if not place.is_dir():
        return []
    return sorted(path for path in place.iterdir() if not path.name.startswith("."))


def _cost(content: dict[str, Any]) -> tuple[float, int] | None:
    seconds, memory = content.get("seconds"), content.get("peak_memory_bytes")
    if content.get("outcome") == "ok" and isinstance(seconds, int | float) and isinstance(memory, int):
        return float(seconds), memory
    return None
