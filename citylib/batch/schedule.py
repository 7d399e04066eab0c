"""Many runs: what a plan needs to run, some at a time, with somebody told how it gets on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, Protocol

from citylib.batch.plan import Plan, PlannedRun
from citylib.batch.run import FORCED, Outcome, assess, run_one, skipped
from citylib.errors import InputError

__all__ = ["Progress", "run_plan"]


class Progress(Protocol):
    """What is told how a plan gets on; `citylib.batch.progress` has a live form and a plain one."""

    def begin(self, plan: Plan, to_run: int) -> None:
        """Before the first run."""

    def started(self, run: PlannedRun) -> None:
        """A run's turn comes; called from its thread."""

    def waiting(self, run: PlannedRun, holder: str) -> None:
        """Another runner is at the same run; called from its thread."""

    def finished(self, outcome: Outcome) -> None:
        """A run ended, or was skipped."""

    def end(self) -> None:
        """After the last run."""


def run_plan(
    plan: Plan,
    out: Path,
    workers: int = 2,
    progress: Progress | None = None,
    *,
    force: bool = False,
    fail_fast: bool = False,
    executor: futures.Executor | None = None,
) -> list[Outcome]:
    """Run what a plan needs to run, some at a time.

    Parameters
    ----------
    plan : Plan
        The runs.
    out : Path
        The folder of all plans' runs, such as ``_build/runs``; the plan's own is below it.
    workers : int, default 2
        How many run at a time.
    progress : Progress, optional
        Told how it gets on.
    force : bool, default False
        Run all, changed or not.
    fail_fast : bool, default False
        Start no more runs after one has failed; those under way are finished.
    executor : concurrent.futures.Executor, optional
        Where runs are carried out; by default threads here, each with a process of its own.

    Returns
    -------
    list of Outcome
        One a run, in the order of the plan. After an interrupt (Ctrl-C) those not done have
        the status ``"stopped"``; nothing half done is left, and the next call goes on from there.
    """
    if isinstance(workers, bool) or workers < 1:
        raise InputError("workers", "be at least 1", workers)
    runs = plan.folder(out)
    assessed = assess(plan, out, force=force)
    outcomes: dict[int, Outcome] = {}
    todo = [(i, run, why) for i, (run, why) in enumerate(assessed) if why is not None]
    tell = progress or _Silent()
    tell.begin(plan, len(todo))
    try:
        for i, (run, why) in enumerate(assessed):
            if why is None:
                outcomes[i] = skipped(run, run.folder(runs))
                tell.finished(outcomes[i])
        if todo:
            pool = executor or futures.ThreadPoolExecutor(min(workers, len(todo)))
            _carry_out(todo, runs, pool, tell, outcomes, fail_fast=fail_fast, ours=executor is None)
    finally:
        tell.end()
    left = [
        outcomes.get(i) or Outcome(run, "stopped", 0.0, run.folder(runs), why or "")
        for i, (run, why) in enumerate(assessed)
    ]
    return left


class _Silent:
    """Says nothing."""

    def begin(self, plan: Plan, to_run: int) -> None:
        pass

    def started(self, run: PlannedRun) -> None:
        pass

    def waiting(self, run: PlannedRun, holder: str) -> None:
        pass

    def finished(self, outcome: Outcome) -> None:
        pass

    def end(self) -> None:
        pass


def _carry_out(
    todo: Sequence[tuple[int, PlannedRun, str]],
    runs: Path,
    pool: futures.Executor,
    tell: Progress,
    outcomes: dict[int, Outcome],
    *,
    fail_fast: bool,
    ours: bool,
) -> None:
    stop = threading.Event()
    under_way: dict[futures.Future[Outcome], tuple[int, PlannedRun, str]] = {}

    def collect(future: futures.Future[Outcome]) -> None:
        i, run, why = under_way[future]
        try:
            outcomes[i] = future.result()
        except futures.CancelledError:
            return
        except Exception as fault:  # of the runner itself: a full disk, a folder that cannot be written
            error = {"cell": None, "source": "", "name": type(fault).__name__, "message": str(fault)}
            outcomes[i] = Outcome(run, "failed", 0.0, run.folder(runs), why, error)
        tell.finished(outcomes[i])

    call: Callable[..., Outcome] = _told if ours else _untold
    more: tuple[Any, ...] = (stop, tell) if ours else ()
    try:
        for item in todo:
            _, run, why = item
            under_way[pool.submit(call, run, run.folder(runs), why == FORCED, *more)] = item
        for future in futures.as_completed(under_way):
            collect(future)
            if fail_fast and not future.cancelled() and not outcomes[under_way[future][0]].ok:
                for other in under_way:
                    other.cancel()
    except KeyboardInterrupt:
        stop.set()
        for future in under_way:
            future.cancel()
        done, _ = futures.wait([f for f in under_way if under_way[f][0] not in outcomes])
        for future in done:
            collect(future)
    finally:
        if ours:
            pool.shutdown(wait=True, cancel_futures=True)


def _told(run: PlannedRun, folder: Path, force: bool, stop: threading.Event, tell: Progress) -> Outcome:
    if stop.is_set():
        return Outcome(run, "stopped", 0.0, folder)
    tell.started(run)
    return run_one(run, folder, force=force, stop=stop, waiting=lambda holder: tell.waiting(run, holder))


def _untold(run: PlannedRun, folder: Path, force: bool) -> Outcome:
    return run_one(run, folder, force=force)
