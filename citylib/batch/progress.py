"""How a plan gets on: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from citylib.batch.plan import Plan, PlannedRun
from citylib.batch.run import Outcome
from citylib.batch.schedule import Progress

__all__ = ["Lines", "LiveLines", "of_console"]

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
MOST_SKIPPED = 10  # skipped runs told one by one


@dataclass
class Lines:
    """A line when a run starts and when it ends.

    Parameters
    ----------
    console : rich.console.Console
        Where they go.
    """

    console: Console
    total: int = 0
    ended: int = 0
    skipped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, plan: Plan, to_run: int) -> None:
        """Say how much there is to do."""
        self.total, self.skipped = len(plan.runs), len(plan.runs) - to_run
        self._print(Text(f"{plan.name}: {_number(self.total, 'run')}, {to_run} to do, {self.skipped} unchanged"))

    def started(self, run: PlannedRun) -> None:
        """Say that a run starts."""
        with self.lock:
            self._print(Text(f"{'':>9}  started      {'':>8}  {_label(run)}", style="dim"))

    def waiting(self, run: PlannedRun, holder: str) -> None:
        """Say that another runner is at the same run."""
        with self.lock:
            self._print(Text(f"{'':>9}  waits for    {'':>8}  {_label(run)}, which {holder} is running", style="dim"))

    def finished(self, outcome: Outcome) -> None:
        """Say how a run ended."""
        with self.lock:
            self.ended += 1
            if outcome.status == "skipped" and self.skipped > MOST_SKIPPED:
                if self.ended == self.skipped:
                    self._print(Text(f"{self.skipped} runs skipped: unchanged", style="dim"))
                return
            self._print(self._line(outcome))

    def end(self) -> None:
        """Say no more."""

    def _line(self, outcome: Outcome) -> Text:
        word, style = WORDS[outcome.status]
        width = len(str(self.total))
        line = Text(f"[{self.ended:>{width}}/{self.total}]".rjust(9) + "  ")
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
    """The same, with what is under way below and how long is left."""

    running: dict[str, tuple[PlannedRun, float]] = field(default_factory=dict)
    spent: list[float] = field(default_factory=list)
    began: float = 0.0
    live: Live | None = None

    def begin(self, plan: Plan, to_run: int) -> None:
        """Start the display."""
        super().begin(plan, to_run)
        self.began = time.monotonic()
        self.live = Live(get_renderable=self._below, console=self.console, refresh_per_second=4, transient=True)
        self.live.start()

    def started(self, run: PlannedRun) -> None:
        """Show a run below."""
        with self.lock:
            self.running[_label(run)] = (run, time.monotonic())

    def finished(self, outcome: Outcome) -> None:
        """Move it up, with how it ended."""
        with self.lock:
            self.running.pop(_label(outcome.run), None)
            if outcome.status != "skipped":
                self.spent.append(outcome.seconds)
        super().finished(outcome)

    def end(self) -> None:
        """Stop the display."""
        if self.live is not None:
            self.live.stop()

    def _below(self) -> Group:
        now = time.monotonic()
        with self.lock:
            lines = [
                Text(f"{'':>11}running      {now - at:>6.1f} s  {label}") for label, (_, at) in self.running.items()
            ]
            left = self.total - self.ended
            text = f"{self.ended} of {self.total}, {now - self.began:.0f} s"
            if self.spent and self.running and left:
                mean = sum(self.spent) / len(self.spent)
                text += f", about {max(1.0, mean * left / len(self.running)):.0f} s left"
        return Group(*lines, Text(text, style="dim"))


def of_console(console: Console) -> Progress:
    """Return the form that suits a console."""
    return LiveLines(console) if console.is_terminal else Lines(console)


def _label(run: PlannedRun) -> str:
    return f"{run.notebook} [{run.id}]"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
