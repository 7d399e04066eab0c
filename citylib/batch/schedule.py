"""Many runs: what a plan needs to run, as many at a time as there are workers and memory, told as they go.

Runs are started in the order of the plan. One that asks for more memory than is
free at the moment waits for it, and none behind it overtakes: so none waits for
ever. One that ended badly is tried again at the end of the queue, as often as it
may be: what was in its way has had time to pass.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent import futures
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from citylib.batch import capacity
from citylib.batch.cost import Costs
from citylib.batch.errand import Errand, Likeness, StopFile, carry_out
from citylib.batch.executors import Cluster, Room, lost_worker
from citylib.batch.interrupts import Interrupts
from citylib.batch.plan import Plan, PlannedRun
from citylib.batch.receipt import LOCK, Hashes, root_of
from citylib.batch.run import FORCED, Outcome, assess, run_one, skipped
from citylib.batch.warm import Warm
from citylib.errors import InputError

__all__ = ["Progress", "run_plan"]

POLL = 1.0  # seconds between two looks at whether a cluster is still there
PATIENCE = 60.0  # seconds for a cluster's workers to end what they were told to stop
LOST_RETRIES = 1  # a run whose worker was lost is tried again at least this often: it wasn't the run's fault


class Progress(Protocol):
    """What is told how a plan gets on, all from one thread but `waiting`; `citylib.batch.progress` has two forms."""

    def begin(self, plan: Plan, todo: Sequence[PlannedRun], costs: Costs) -> None:
        """Before the first run."""

    def started(self, run: PlannedRun, folder: Path) -> None:
        """A run's turn comes."""

    def waiting(self, run: PlannedRun, holder: str) -> None:
        """Another runner is at the same run; called from the run's thread."""

    def again(self, outcome: Outcome, tries: int) -> None:
        """A run ended badly and will be tried again; `tries` is how often it may be, all in all."""

    def finished(self, outcome: Outcome) -> None:
        """A run ended for good, or was skipped."""

    def note(self, text: str) -> None:
        """Something the operator should know."""

    def end(self) -> None:
        """After the last run."""


def run_plan(
    plan: Plan,
    out: Path,
    workers: int | None = None,
    progress: Progress | None = None,
    *,
    force: bool = False,
    fail_fast: bool = False,
    memory_budget: int | None = None,
    executor: futures.Executor | None = None,
    interrupts: Interrupts | None = None,
    warm: bool = False,
) -> list[Outcome]:
    """Run what a plan needs to run, some at a time.

    Parameters
    ----------
    plan : Plan
        The runs.
    out : Path
        The folder of all plans' runs, such as ``_build/runs``; the plan's own is below it.
    workers : int, optional
        How many run at a time; by default as many as there are cores.
    progress : Progress, optional
        Told how it gets on.
    force : bool, default False
        Run all, changed or not.
    fail_fast : bool, default False
        Start no more runs after one has failed; those under way are finished.
    memory_budget : int, optional
        Bytes that the limits of the runs under way may sum to; by default what this machine has. A run that
        asks for more runs alone.
    executor : concurrent.futures.Executor, optional
        Where runs are carried out; by default threads here, each watching a process of its own. A
        `citylib.batch.executors.Cluster` knows `workers` and `memory_budget` by itself.
    interrupts : Interrupts, optional
        Asks to start no more runs or to stop now; by default made from the signals of this process.
    warm : bool, default False
        Whether runs carried out here are forked from processes that have imported things once; see
        `citylib.batch.warm`.

    Returns
    -------
    list of Outcome
        One a run, in the order of the plan. Those that were not done, because of an interrupt or of `fail_fast`,
        have the status ``"stopped"``; nothing half done is left, and the next call goes on from there.

    Raises
    ------
    InputError
        `workers` or `memory_budget` below 1.
    RunError
        A worker of a cluster doesn't see the same project; nothing was started.
    """
    for name, value in (("workers", workers), ("memory_budget", memory_budget)):
        if value is not None and (isinstance(value, bool) or value < 1):
            raise InputError(name, "be at least 1", value)
    runs = plan.folder(out)
    assessed = assess(plan, out, force=force)
    todo = deque(_Task(i, run, run.folder(runs), why) for i, (run, why) in enumerate(assessed) if why is not None)
    tell = progress or _Silent()
    tell.begin(plan, [task.run for task in todo], Costs(plan, out))
    outcomes: dict[int, Outcome] = {}
    try:
        for i, (run, why) in enumerate(assessed):
            if why is None:
                outcomes[i] = skipped(run, run.folder(runs))
                tell.finished(outcomes[i])
        if todo:
            most = min(workers or capacity.cores(), len(todo))
            room = Room(most, memory_budget or capacity.memory_budget())
            desk = _Desk(todo, outcomes, tell, interrupts or Interrupts(), room, fail_fast=fail_fast)
            desk.serve(runs, executor, warm=warm)
    finally:
        tell.end()
    return [outcomes.get(i) or Outcome(r, "stopped", 0.0, r.folder(runs), w or "") for i, (r, w) in enumerate(assessed)]


@dataclass(frozen=True)
class _Task:
    """A run in the queue: its place in the plan, its folder, why it must run, which try it is."""

    index: int
    run: PlannedRun
    folder: Path
    why: str
    number: int = 1


@dataclass
class _Desk:
    """Hands runs out as there is room for them, and takes them back, until none is left to be handed out."""

    todo: deque[_Task]
    outcomes: dict[int, Outcome]
    tell: Progress
    interrupts: Interrupts
    bound: Room
    fail_fast: bool = False
    warm: Warm | None = None
    hashes: Hashes = field(default_factory=Hashes)  # files are read once for all runs, while they stay as they are
    closed: bool = False  # one has failed, and that was to be the last
    told: int = 0  # of the interrupts
    under_way: dict[futures.Future[Outcome], _Task] = field(default_factory=dict)
    news: queue.SimpleQueue[futures.Future[Outcome] | None] = field(default_factory=queue.SimpleQueue)
    cluster: Cluster | None = None
    stop_file: StopFile | None = None
    like: Likeness | None = None

    def serve(self, runs: Path, executor: futures.Executor | None, *, warm: bool) -> None:
        """Carry all out: in threads here, or by an executor."""
        with ExitStack() as stack:
            stack.enter_context(self.interrupts.installed())
            stack.enter_context(self.interrupts.heard_by(lambda: self.news.put(None)))
            if executor is None:
                self.warm = stack.enter_context(Warm([task.run for task in self.todo])) if warm else None
                executor = stack.enter_context(futures.ThreadPoolExecutor(self.bound.workers))
            else:
                self.stop_file = StopFile.beside(runs)
                stack.enter_context(self.stop_file.laid_down())
            if isinstance(executor, Cluster):
                self.cluster = executor
                notebooks = {task.run.path.absolute() for task in self.todo}
                locks = {root_of(path) / LOCK for path in notebooks}
                mark = [self.stop_file.path] if self.stop_file else []
                self.like = executor.check([*sorted(notebooks | locks), *mark], self.interrupts)
            self._warn_of_large()
            try:
                self._work(executor)
            except BaseException:
                self._stop()  # nobody would be left to take back what is under way
                raise

    def _work(self, executor: futures.Executor) -> None:
        while True:
            self._hear()
            self._hand_out(executor)
            if not self.under_way and (self._ends or not self.todo):
                break
            self._take_back()
        for task in self.todo:  # those that were to be tried again
            if task.index in self.outcomes:
                self.tell.finished(self.outcomes[task.index])

    @property
    def _ends(self) -> bool:
        return self.closed or self.interrupts.ending

    def _room(self) -> Room:
        return self.cluster.room() if self.cluster else self.bound

    def _fits(self, run: PlannedRun) -> bool:
        room = self._room()
        if len(self.under_way) >= room.workers:
            return False
        asked = run.limits.memory + sum(task.run.limits.memory for task in self.under_way.values())
        return not self.under_way or room.memory is None or asked <= room.memory

    def _hand_out(self, executor: futures.Executor) -> None:
        while self.todo and not self._ends and self._fits(self.todo[0].run):
            task = self.todo.popleft()
            self.tell.started(task.run, task.folder)
            try:
                future = executor.submit(*self._call(task))
            except Exception as fault:  # an executor that is broken or closed
                self._settle(task, None, fault)
                continue
            self.under_way[future] = task
            future.add_done_callback(self.news.put)

    def _call(self, task: _Task) -> tuple[Any, ...]:
        if self.stop_file is None:
            return self._here, task
        own = (str(task.run.path.absolute()), str(self.stop_file.path))
        like = self.like and replace(self.like, files=tuple(f for f in self.like.files if f[0] in own))
        more = {"force": task.why == FORCED, "number": task.number, "like": like}
        return carry_out, Errand.of(task.run, task.folder, stop=self.stop_file, **more)

    def _here(self, task: _Task) -> Outcome:
        return run_one(
            task.run,
            task.folder,
            force=task.why == FORCED,
            stop=self.interrupts,
            waiting=lambda holder: self.tell.waiting(task.run, holder),
            number=task.number,
            hashes=self.hashes,
            warm=self.warm,
        )

    def _take_back(self) -> None:
        try:
            future = self.news.get(timeout=POLL if self.cluster else None)
        except queue.Empty:
            future = None
        if future in self.under_way:
            task = self.under_way.pop(future)
            fault = futures.CancelledError() if future.cancelled() else future.exception()
            self._settle(task, None if fault else future.result(), fault)
        elif self.cluster and (message := self.cluster.lost()):
            self.closed = True
            for task in self.under_way.values():
                self._settle(task, None, ConnectionError(message))
            self.under_way.clear()
            self._stop()

    def _settle(self, task: _Task, outcome: Outcome | None, fault: BaseException | None) -> None:
        """Take a try's end for the run's, or put the run back into the queue."""
        lost = lost_worker(fault)
        if outcome is None:
            outcome = _of_fault(task, fault, lost=lost)
        # As the caller named the folder, and not as a worker saw it.
        outcome = replace(outcome, run=task.run, folder=task.folder.with_name(outcome.folder.name))
        tries = 1 + max(task.run.retries, LOST_RETRIES if lost else 0)
        self.outcomes[task.index] = outcome
        if not outcome.ok and outcome.status != "stopped" and task.number < tries and not self._ends:
            self.tell.again(outcome, tries)
            self.todo.append(replace(task, number=task.number + 1))
            return
        self.tell.finished(outcome)
        if self.warm is not None:
            self.warm.done(task.run)
            for news in self.warm.news():
                self.tell.note(news)
        self.closed |= self.fail_fast and not outcome.ok and outcome.status != "stopped"

    def _hear(self) -> None:
        """Say once what was asked for, and pass it on."""
        asked = self.interrupts.ending + self.interrupts.is_set()
        if asked == self.told:
            return
        self.told, count = asked, len(self.under_way)
        if self.interrupts.is_set():
            self.tell.note(f"stopping now: {count} under way are ended")
            self._stop()
        else:
            self.tell.note(f"no more runs are started; {count} under way finish; Ctrl-C again stops them now")

    def _stop(self) -> None:
        self.interrupts.now()
        if self.stop_file is not None:
            self.stop_file.set()

    def _warn_of_large(self) -> None:
        budget = self._room().memory
        large = [task.run for task in self.todo if budget is not None and task.run.limits.memory > budget]
        if budget is not None and large:
            names = ", ".join(f"{run.notebook} [{run.id}]" for run in large[:3]) + (", ..." if len(large) > 3 else "")
            self.tell.note(
                f"{len(large)} of the runs may use more memory than the budget of {budget / 2**20:,.0f} MiB "
                f"and run alone: {names}"
            )


def _of_fault(task: _Task, fault: BaseException | None, *, lost: bool) -> Outcome:
    """Return the outcome of a run that the runner itself could not carry out: a full disk, a worker that was lost."""
    name, message, status = type(fault).__name__, str(fault), "failed"
    if lost:
        message = f"The worker that carried it out was lost ({name}{': ' if message else ''}{message})"
    if lost or isinstance(fault, ConnectionError):
        name, status = "RunError", "died"
    error: Mapping[str, Any] = {"cell": None, "source": "", "name": name, "message": message}
    return Outcome(task.run, status, 0.0, task.folder, task.why, error, task.number)


class _Silent:
    """Says nothing."""

    def begin(self, plan: Plan, todo: Sequence[PlannedRun], costs: Costs) -> None:
        pass

    def started(self, run: PlannedRun, folder: Path) -> None:
        pass

    def waiting(self, run: PlannedRun, holder: str) -> None:
        pass

    def again(self, outcome: Outcome, tries: int) -> None:
        pass

    def finished(self, outcome: Outcome) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def end(self) -> None:
        pass
