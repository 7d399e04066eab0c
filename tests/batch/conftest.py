"""Tiny notebooks and projects, written where a test wants them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from citylib.batch import plan, receipt, run
from citylib.batch.receipt import Hashes
from citylib.batch.warm import Warm

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PARAMETERS = 'horizon: int = 24  # steps ahead [1..168]\nsource: str = "synthetic"  # data source\n'

Write = Callable[..., Path]


def code(identity: str, source: str, **metadata: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": identity,
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def write_notebook(path: Path, *sources: str, parameters: str | None = PARAMETERS, **metadata: Any) -> Path:
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Title"}]
    if parameters is not None:
        cells.append(code("parameters", parameters, tags=["parameters"]))
    cells += [code(f"cell-{i}", source) for i, source in enumerate(sources)]
    content = {"cells": cells, "metadata": METADATA | metadata, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def alive(pid: int) -> bool:
    """Whether a process still does anything; one that nobody has taken leave of is dead."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def parts(folder: Path) -> list[str]:
    """Return the names of what is half written below a folder."""
    return sorted(p.name for p in folder.rglob("*") if ".part-" in p.name or ".old-" in p.name)


class Told:
    """A progress that keeps what it is told, and asks for something after so many ends."""

    def __init__(self, ask: Callable[[], object] | None = None, at: int = 0) -> None:
        self.lines: list[tuple] = []
        self.ask, self.at = ask, at

    def begin(self, plan, todo, costs):
        self.lines.append(("begin", len(todo)))

    def started(self, wanted, folder):
        self.lines.append(("started", wanted.id))

    def waiting(self, wanted, holder):
        self.lines.append(("waiting", wanted.id))

    def again(self, outcome, tries):
        self.lines.append(("again", outcome.run.id, outcome.attempt, tries))

    def finished(self, outcome):
        self.lines.append((outcome.status, outcome.run.id))
        self.at -= 1
        if self.ask is not None and self.at == 0:
            self.ask()

    def note(self, text):
        self.lines.append(("note", text))

    def end(self):
        self.lines.append(("end",))


def printed(folder: Path) -> list[str]:
    """What the cells of a run printed: its log without the lines that name the cells."""
    lines = (folder / "log.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("--- cell ")]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder with a lock and one notebook, made the current folder."""
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    write_notebook(tmp_path / "notebooks" / "fam" / "01_first.ipynb", "x = horizon")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def planned(project) -> Callable[..., plan.PlannedRun]:
    """Return a function that writes a notebook and plans one run of it."""

    def make(*sources: str, given: dict[str, Any] | None = None, limits: dict[str, Any] | None = None, **more: Any):
        path = write_notebook(project / "notebooks" / "fam" / f"{more.pop('name', '02_made')}.ipynb", *sources, **more)
        return plan.single(path, given or {}, limits=limits).runs[0]

    return make


@pytest.fixture
def attempts(monkeypatch):
    """Replace the attempt by one that takes an instant and ends as the horizon says."""
    seen = []
    lock = threading.Lock()
    ends = {24: "ok", 1: "failed", 2: "time", 3: "died"}

    def attempt(wanted, staging, hashes, stop=None, warm=None):
        with lock:
            seen.append(wanted.id)
        time.sleep(0.05)
        if stop is not None and stop.is_set():
            return None
        if wanted.parameters["horizon"] == 99:
            raise OSError(28, "No space left on device")
        (staging / "results.json").write_text("{}")
        outcome = ends.get(wanted.parameters["horizon"], "ok")
        error = None if outcome == "ok" else {"cell": "c", "source": "s", "name": "E", "message": "m"}
        hashes = Hashes()
        content = {
            "schema": receipt.SCHEMA,
            "notebook": {"path": "n", "sha256": hashes.of(wanted.path)},
            "parameters": dict(wanted.parameters),
            "lock": receipt.lock_of(receipt.root_of(wanted.path), hashes),
            "data": [],
            "citylib": [],
            "outcome": outcome,
            "seconds": 0.05,
            "error": error,
        }
        return content | {"key": receipt.key_of(content)}

    monkeypatch.setattr(run, "attempt", attempt)
    return seen


@pytest.fixture
def plan_of(planned):
    def make(*horizons):
        one = planned("x = 1")
        runs = [
            replace(one, id=f"h{i}", parameters=dict(one.parameters) | {"horizon": h}) for i, h in enumerate(horizons)
        ]
        return plan.Plan("p", tuple(runs))

    return make


def folders(project: Path) -> list[str]:
    return sorted(p.name for p in project.rglob("*") if ".part-" in p.name or ".old-" in p.name)


@contextmanager
def seated(one: plan.PlannedRun, count: int = 2) -> Iterator[tuple[Warm, list[plan.PlannedRun]]]:
    """Warm parents for several runs like one, and the runs."""
    runs = [replace(one, id=f"r{i}") for i in range(count)]
    with Warm(runs) as parents:
        yield parents, runs


def kernel_of(outcome: run.Outcome) -> dict[str, Any]:
    return receipt.read(outcome.folder)["kernel"]


def below(parents: Warm) -> list[psutil.Process]:
    """What lives below the parents: keepers, and what they look after."""
    tops = [psutil.Process(parent._process.pid) for parent in parents._parents.values()]
    return [p for top in tops for p in top.children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
