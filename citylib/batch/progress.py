"""How a plan gets on: a bar and what is under way on a terminal, plain lines anywhere else."""

from __future__ import annotations

import contextlib
import heapq
import os
import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from citylib.batch.cost import OWN, Costs, Expected
from citylib.batch.plan import Plan, PlannedRun
from citylib.batch.run import Outcome
from citylib.batch.schedule import Progress

__all__ = ["Ahead", "Lines", "LiveLines", "current_cell", "of_console", "time_left"]

WORDS = {
    "ok": ("done", "green"),
    "skipped": ("skipped", "dim"),
    "stopped": ("stopped", "yellow"),
    "failed": ("failed", "bold red"),
    "time": ("over time", "bold red"),
    "memory": ("over memory", "bold red"),
    "output": ("over output", "bold red"),
    "died": ("died", "bold red"),
}
FINE = ("ok", "skipped", "stopped")
MOST_SKIPPED = 10  # skipped runs told one by one
MANY = 50  # runs to do from which on only what went wrong has a line of its own on a terminal, and starts have none
MOST_RUNNING = 12  # runs under way shown one by one
EVERY = 60.0  # seconds between two plain lines that sum up
TAIL = 4096  # bytes of a log that are searched for the cell that runs
CELL = re.compile(r"^--- (cell .+)$", re.MULTILINE)


@dataclass
class Ahead:
    """How long runs take, from what is known by now.

    Parameters
    ----------
    costs : Costs, optional
        Of earlier runs.
    """

    costs: Costs | None = None
    ended: dict[str, list[float]] = field(default_factory=dict)
    before: dict[tuple[str, str], Expected | None] = field(default_factory=dict)

    def learn(self, outcome: Outcome) -> None:
        """Take a run that has just ended well into account."""
        if outcome.status == "ok":
            self.ended.setdefault(outcome.run.notebook, []).append(outcome.seconds)

    def of(self, runs: Iterable[PlannedRun]) -> list[float | None]:
        """Return the seconds that each of some runs is expected to take; None where nothing is known.

        What a run took the last time; else the median of the runs of its notebook that have ended by now; else
        that of earlier ones.
        """
        medians = {notebook: statistics.median(seconds) for notebook, seconds in self.ended.items()}
        out: list[float | None] = []
        for run in runs:
            before = self._before(run)
            if before is not None and before.basis == OWN:
                out.append(before.seconds)
            else:
                out.append(medians.get(run.notebook, before.seconds if before else None))
        return out

    def _before(self, run: PlannedRun) -> Expected | None:
        key = (run.notebook, run.id)
        if key not in self.before:
            self.before[key] = self.costs.of(run) if self.costs else None
        return self.before[key]


def time_left(
    waiting: Sequence[float | None], under_way: Sequence[tuple[float | None, float]], workers: int
) -> float | None:
    """Return the seconds until all runs have ended, each worker taking the next one as it gets free.

    Parameters
    ----------
    waiting : sequence of float or None
        Seconds expected of each run to come, in their order; one of which nothing is known counts as the median of
        the others.
    under_way : sequence of (float or None, float)
        Seconds expected of each run under way, and seconds it has been.
    workers : int
        How many run at a time.

    Returns
    -------
    float or None
        None if nothing is known of any.

    Examples
    --------
    >>> time_left([4.0, 4.0], [(3.0, 1.0), (5.0, 1.0)], workers=2)
    8.0
    >>> time_left([None, 3.0], [(None, 10.0)], workers=1)
    6.0
    """
    known = [seconds for seconds in (*waiting, *(expected for expected, _ in under_way)) if seconds is not None]
    if not known:
        return None
    typical = statistics.median(known)
    free = [max(0.0, (typical if expected is None else expected) - spent) for expected, spent in under_way]
    free += [0.0] * (max(1, workers) - len(free))
    heapq.heapify(free)
    for seconds in waiting:
        heapq.heapreplace(free, free[0] + (typical if seconds is None else seconds))
    return max(free)


def current_cell(folder: Path) -> str:
    """Return what the log of a run under way says of the cell it is in, or nothing.

    Parameters
    ----------
    folder : Path
        The run's folder; what it makes is written beside it until it is done.
    """
    with contextlib.suppress(OSError):
        for name in (n for n in os.listdir(folder.parent) if n.startswith(f".{folder.name}.part-")):
            log = folder.parent / name / "log.txt"
            with log.open("rb") as stream:
                stream.seek(max(0, log.stat().st_size - TAIL))
                found = CELL.findall(stream.read().decode("utf-8", "replace"))
            return found[-1] if found else ""
    return ""


@dataclass
class Lines:
    """A line when a run starts and when it ends; with many runs one a minute that sums up, and none for starts.

    Parameters
    ----------
    console : rich.console.Console
        Where they go.
    """

    console: Console
    total: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    waiting_runs: dict[str, PlannedRun] = field(default_factory=dict)
    running: dict[str, tuple[PlannedRun, Path, float]] = field(default_factory=dict)
    ahead: Ahead = field(default_factory=Ahead)
    many: bool = False
    began: float = 0.0
    summed: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, plan: Plan, todo: Sequence[PlannedRun], costs: Costs | None = None) -> None:
        """Say how much there is to do."""
        self.total, self.skipped = len(plan.runs), len(plan.runs) - len(todo)
        self.waiting_runs = {_label(run): run for run in todo}
        self.ahead, self.many = Ahead(costs), len(todo) > MANY
        self.began = self.summed = time.monotonic()
        self.note(f"{plan.name}: {_number(self.total, 'run')}, {len(todo)} to do, {self.skipped} unchanged")

    def started(self, run: PlannedRun, folder: Path) -> None:
        """Say that a run starts."""
        with self.lock:
            self.waiting_runs.pop(_label(run), None)
            self.running[_label(run)] = (run, folder, time.monotonic())
            if not self.many:
                self._start_line(run)

    def waiting(self, run: PlannedRun, holder: str) -> None:
        """Say that another runner is at the same run."""
        with self.lock:
            self._print(Text(f"{'':>9}  waits for    {'':>8}  {_label(run)}, which {holder} is running", style="dim"))

    def again(self, outcome: Outcome, tries: int) -> None:
        """Say that a run ended badly and will be tried again."""
        with self.lock:
            self.running.pop(_label(outcome.run), None)
            self.waiting_runs[_label(outcome.run)] = outcome.run
            line = self._line(outcome, " " * (2 * len(str(self.total)) + 3))
            self._print(line.append(f"\n{'':>11}trying again ({outcome.attempt + 1} of {tries})", style="yellow"))

    def finished(self, outcome: Outcome) -> None:
        """Say how a run ended."""
        with self.lock:
            for kept in (self.running, self.waiting_runs):
                kept.pop(_label(outcome.run), None)
            self.counts[outcome.status] += 1
            self.ahead.learn(outcome)
            if outcome.status == "skipped" and self.skipped > MOST_SKIPPED:
                if self.counts["skipped"] == self.skipped:
                    self._print(Text(f"{self.skipped} runs skipped: unchanged", style="dim"))
            elif self._worth_a_line(outcome):
                self._print(self._line(outcome, f"[{self.counts.total():>{len(str(self.total))}}/{self.total}]"))
            self._sum_up()

    def note(self, text: str) -> None:
        """Say something that the operator should know."""
        self._print(Text(text))

    def end(self) -> None:
        """Say no more."""

    def _worth_a_line(self, outcome: Outcome) -> bool:
        return True

    def _start_line(self, run: PlannedRun) -> None:
        self._print(Text(f"{'':>9}  started      {'':>8}  {_label(run)}", style="dim"))

    def _sum_up(self) -> None:
        if self.many and time.monotonic() - self.summed > EVERY and self.running:
            self.summed = time.monotonic()
            self._print(Text(self._summary(), style="dim"))

    def _summary(self) -> str:
        """Return the counts, the time so far and the time to come, in one line."""
        now, bad = time.monotonic(), sum(n for status, n in self.counts.items() if status not in FINE)
        parts = {"done": self.counts["ok"], "running": len(self.running), "failed": bad,
                 "skipped": self.counts["skipped"], "stopped": self.counts["stopped"],
                 "left": len(self.waiting_runs)}  # fmt: skip
        said = ", ".join(f"{count} {word}" for word, count in parts.items() if count or word == "done")
        text = f"{self.counts.total()} of {self.total}: {said}; {_span(now - self.began)}"
        if self.running:
            under_way = [(run, now - since) for run, _, since in self.running.values()]
            expected = self.ahead.of(run for run, _ in under_way)
            spent = [(seconds, so_far) for seconds, (_, so_far) in zip(expected, under_way, strict=True)]
            left = time_left(self.ahead.of(self.waiting_runs.values()), spent, len(under_way))
            text += f", about {_span(max(1.0, left))} left" if left is not None else ""
        return text

    def _line(self, outcome: Outcome, count: str) -> Text:
        word, style = WORDS[outcome.status]
        line = Text(count.rjust(9) + "  ")
        line.append(f"{word:<11}", style=style)
        line.append(f"  {outcome.seconds:>6.1f} s  {_label(outcome.run)}")
        if outcome.reason and outcome.status != "skipped":
            line.append(f"  ({outcome.reason})", style="dim")
        if outcome.error:
            first = str(outcome.error["message"]).strip().splitlines() or [""]
            where = f" in cell {outcome.error['cell']}" if outcome.error.get("cell") else ""
            line.append(f"\n{'':>11}{outcome.error['name']}{where}: {first[0]}", style="red")
        return line

    def _print(self, text: Text) -> None:
        self.console.print(text, soft_wrap=True)


@dataclass
class LiveLines(Lines):
    """The same, with a bar and what is under way below; with many runs only what went wrong is kept above."""

    live: Live | None = None

    def begin(self, plan: Plan, todo: Sequence[PlannedRun], costs: Costs | None = None) -> None:
        """Start the display."""
        super().begin(plan, todo, costs)
        self.live = Live(get_renderable=self._below, console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def end(self) -> None:
        """Stop the display."""
        if self.live is not None:
            self.live.stop()

    def _worth_a_line(self, outcome: Outcome) -> bool:
        return not self.many or outcome.status not in ("ok", "stopped")

    def _start_line(self, run: PlannedRun) -> None:
        """Say nothing: it is shown below."""

    def _sum_up(self) -> None:
        """Say nothing: it is shown below."""

    def _below(self) -> Group:
        with self.lock:
            running: Mapping[str, tuple[PlannedRun, Path, float]] = dict(self.running)
            summary, done = self._summary(), self.counts.total()
        now, lines = time.monotonic(), []
        for label, (_, folder, since) in list(running.items())[:MOST_RUNNING]:
            cell = current_cell(folder)
            line = Text(f"{'':>11}running      {now - since:>6.1f} s  {label}", no_wrap=True, overflow="ellipsis")
            lines.append(line.append(f"  {cell}", style="dim") if cell else line)
        if len(running) > MOST_RUNNING:
            lines.append(Text(f"{'':>11}and {len(running) - MOST_RUNNING} more", style="dim"))
        bar = ProgressBar(total=max(1, self.total), completed=done, width=min(60, self.console.width))
        return Group(*lines, bar, Text(summary, style="dim"))


def of_console(console: Console) -> Progress:
    """Return the form that suits a console."""
    return LiveLines(console) if console.is_terminal else Lines(console)


def _label(run: PlannedRun) -> str:
    return f"{run.notebook} [{run.id}]"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _span(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
