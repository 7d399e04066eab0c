"""Faults that cells bring about, as one grid of runs of one notebook; and hands that do to a run what is to be done."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from citylib.batch import plan, schedule
from citylib.batch.run import Outcome
from tests.batch.conftest import Told
from tests.faults.conftest import TOKEN, half_files, left_over, write
from tests.faults.table import CELLS, Fault

__all__ = ["GOOD", "Came", "Seen", "bring_about"]

GOOD = ("good-first", "good-last")  # runs to which nothing is done, before and after the others
TWICE = 3  # times that a run over time is given twice as long, until it reaches its cell
OTHERWISE = {"minutes": 2, "memory": "1 GiB"}
NOTE = "import os, pathlib\npathlib.Path(desk, fault + '.pid').write_text(str(os.getpid()))"
SHOWN = "print('nothing was done to', fault)"


@dataclass
class Came:
    """What came of one run."""

    status: str
    folder: str
    error: dict[str, Any] | None
    text: str = ""


@dataclass
class Seen:
    """What came of all."""

    folder: str
    runs: dict[str, Came] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    temporary: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def keep(self, path: Path) -> None:
        """Write it to a file, for the other workers of a test run."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def kept(cls, path: Path) -> Seen:
        """Read it from a file."""
        content = json.loads(path.read_text())
        content["runs"] = {name: Came(**came) for name, came in content["runs"].items()}
        return cls(**content)


def bring_about(folder: Path, names: Sequence[str], *, warm: bool, full: bool = False) -> Seen:
    """Run one notebook once a fault, two at a time, and tell what came of it.

    Parameters
    ----------
    folder : Path
        A new project; it becomes the current folder meanwhile.
    names : sequence of str
        Rows of the table.
    warm : bool
        Whether kernels are forked.
    full : bool
        Whether sizes are the full ones.
    """
    rows = [CELLS[name] for name in names]
    (folder / "requirements.lock").write_text("numpy==2.0\n")
    for name in ("desk", "tmp"):
        (folder / name).mkdir()
    parameters = 'fault: str = ""\ndesk: str = ""\nsize: int = 0'
    cells = {"note": NOTE} | {r.name: f"if fault == {r.name!r}:\n{_indented(r.cell)}" for r in rows} | {"shown": SHOWN}
    path = write(folder / "notebooks" / "fam" / "01_cells.ipynb", parameters, cells)
    told, token = Told(), secrets.token_hex(8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv(TOKEN, token)
        patch.setenv("TMPDIR", str(folder / "tmp"))
        patch.setattr("tempfile.tempdir", str(folder / "tmp"))
        runs = [_run(path, row, folder / "desk", full) for row in rows]
        good = [replace(runs[0], id=g, parameters=dict(runs[0].parameters) | {"fault": g}) for g in GOOD]
        with _hands(folder / "desk", folder / "out"):
            outcomes = _patiently([good[0], *runs, good[1]], folder / "out", told, warm)
        seen = Seen(str(folder), {o.run.id: _came(o) for o in outcomes})
        seen.left = left_over(token)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(TOKEN) == token and process.pid != os.getpid():
                process.kill()
    seen.half = half_files(folder / "out")
    seen.temporary = sorted(p.name for p in (folder / "tmp").iterdir())
    seen.notes = [line[1] for line in told.lines if line[0] == "note"]
    return seen


def _run(path: Path, row: Fault, desk: Path, full: bool) -> plan.PlannedRun:
    given = {"fault": row.name, "desk": str(desk), "size": row.sizes[full]}
    return replace(plan.single(path, given, limits=OTHERWISE | dict(row.limits)).runs[0], id=row.name)


def _patiently(runs: list[plan.PlannedRun], out: Path, told: Told, warm: bool) -> list[Outcome]:
    """Run all; those whose time was over before they came to their cell again, with twice the time."""
    done: dict[str, Outcome] = {}
    for _ in range(1 + TWICE):
        outcomes = schedule.run_plan(plan.Plan("cells", tuple(runs)), out, 2, told, warm=warm)
        done |= {outcome.run.id: outcome for outcome in outcomes}
        late = [o.run for o in outcomes if o.status == "time" and (o.error or {}).get("cell") != o.run.id]
        runs = [replace(run, limits=replace(run.limits, minutes=2 * run.limits.minutes)) for run in late]
        if not runs:
            break
    return list(done.values())


def _came(outcome: Outcome) -> Came:
    error = None if outcome.error is None else dict(outcome.error)
    return Came(outcome.status, str(outcome.folder), error, outcome.describe())


def _indented(source: str) -> str:
    return "\n".join(f"    {line}" for line in source.splitlines())


# --- hands ---


@contextmanager
def _hands(desk: Path, out: Path) -> Iterator[None]:
    """Have a thread look for runs that something is to be done to, and do it."""
    over = threading.Event()
    thread = threading.Thread(target=_look, args=(desk, out, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _look(desk: Path, out: Path, over: threading.Event) -> None:
    does = {
        "kernel-killed": _kill,
        "kernel-killed-growing": _kill_grown,
        "client-killed": _kill_client,
        "daemon-client-killed": _kill_client,
        "staging-removed": lambda _: [shutil.rmtree(p) for p in out.rglob(".staging-removed.part-*")],
    }
    while not over.wait(0.02):
        for name in does:
            with suppress(OSError, ValueError, psutil.Error):  # not there yet, or no longer
                pid = int((desk / f"{name}.pid").read_text())
                if not (desk / f"{name}.done").exists() and _is_in(pid, name) and _is_ready(desk, name):
                    does[name](pid)
                    (desk / f"{name}.done").touch()


def _is_in(pid: int, cell: str) -> bool:
    """Whether a kernel's client has come to a cell."""
    events = (_scratch(pid) / "events.jsonl").read_text().splitlines()
    return bool(json.loads(events[-1])["cell"] == cell)


def _is_ready(desk: Path, name: str) -> bool:
    return "daemon" not in name or (desk / f"{name}.daemon").exists()


def _scratch(pid: int) -> Path:
    return Path(psutil.Process(pid).cwd()).parent


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _kill_grown(pid: int) -> None:
    kernel = psutil.Process(pid)
    before, deadline = kernel.memory_info().rss, threading.Event()
    while kernel.memory_info().rss < before + 2**24 and not deadline.wait(0.02):
        pass
    kernel.kill()


def _kill_client(pid: int) -> None:
    """Kill the process that writes the account of a kernel's run."""
    account = str(_scratch(pid) / "events.jsonl")
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if any(opened.path == account for opened in process.open_files()):
                process.kill()
