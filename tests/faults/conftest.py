"""What the tests of faults share: patience with a deadline, a count of what is left over, disks that fill up."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.batch.conftest import METADATA, code
from tests.faults.table import MIME

CITYLIB = [sys.executable, "-c", "from citylib.cli import main; main()"]
PATIENCE = 90.0  # seconds after which what is waited for will not come, however busy the machine is
TOKEN = "CITYLIB_FAULTS"  # a variable that all processes of a test inherit, and are known by
MODES = pytest.mark.parametrize("warm", [False, True], ids=["ordinary", "forked"])
# What has to do with how a kernel was started is brought about both ways in any case; the rest only in the full form.
FORKED = pytest.mark.parametrize(
    "warm", [pytest.param(False, id="ordinary", marks=pytest.mark.slow), pytest.param(True, id="forked")]
)

# What a run of a grid does: note that it runs, wait for leave, hand back what can be told right from wrong.
NOTE = """import os, pathlib, time
pathlib.Path(desk, f"{number}-{os.getpid()}.began").touch()"""
WAIT = """until = time.monotonic() + 90
while not pathlib.Path(desk, "go").exists() and time.monotonic() < until:
    time.sleep(0.01)"""
HAND_BACK = f"""from IPython.display import display
value = {{"version": 1, "type": "record", "name": "square", "value": number**2, "unit": ""}}
display({{"{MIME}": value}}, raw=True)
pathlib.Path(desk, f"{{number}}-{{os.getpid()}}.ended").touch()"""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name): brings about the fault of that row of tests.faults.table")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have each result say which faults it is about; `tests.faults.survey` counts them."""
    for mark in item.iter_markers("fault"):
        item.user_properties.append(("fault", mark.args[0]))


@pytest.fixture(scope="session", autouse=True)
def nothing_is_ignored() -> Iterator[None]:
    """Have signals heard that are sent to runners: under ``nohup``, or in the background, some are ignored by all."""
    ignored = [s for s in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def wait(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return what `condition` does once that is something; fail after a time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.01)
    return found


def processes(token: str) -> list[psutil.Process]:
    """Return all processes that have inherited a token, this one apart."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(TOKEN) == token:
                found.append(process)
    return found


def left_over(token: str, seconds: float = 15.0) -> list[str]:
    """Return the processes of a token that are still there when all should be gone."""
    deadline = time.monotonic() + seconds  # what was killed just now takes a moment to go
    while (left := processes(token)) and time.monotonic() < deadline:
        time.sleep(0.02)
    said = []
    for process in left:
        with suppress(psutil.Error):
            said.append(f"{process.pid} {process.status()} {' '.join(process.cmdline())[:200]}")
    return said


def half_files(folder: Path) -> list[str]:
    """Return all below a folder of runs that is there for the time of a run only."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.name.startswith("."))


def write(path: Path, parameters: str, cells: dict[str, str], **metadata: Any) -> Path:
    """Write a notebook whose cells have the ids that are given."""
    content = [code("parameters", parameters, tags=["parameters"]), *(code(i, source) for i, source in cells.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": content, "metadata": METADATA | metadata, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark the processes that a test starts; those left at its end are ended, and the test fails."""
    mark = secrets.token_hex(8)
    monkeypatch.setenv(TOKEN, mark)
    yield mark
    left = left_over(mark)
    for process in processes(mark):
        with suppress(psutil.Error):
            process.kill()
    assert left == [], "processes are left over"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a lock, made the current folder; temporary files lie in it, and none may be left."""
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    (tmp_path / "desk").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return tmp_path


@dataclass
class Grid:
    """A plan of one notebook in a project, run by a process that can be killed.

    Parameters
    ----------
    project : Path
        Its folder.
    size : int
        Number of runs.
    warm : bool
        Whether kernels are forked.
    """

    project: Path
    size: int
    warm: bool = False

    @property
    def runs(self) -> Path:
        """The folder of the notebook's runs."""
        return self.project / "out" / "grid" / "fam" / "01_grid"

    def write(self, *cells: str) -> Grid:
        """Write notebook and plan; without cells: note, wait for leave, hand back."""
        named = {f"cell-{i}": source for i, source in enumerate(cells or (NOTE, WAIT, HAND_BACK))}
        write(self.project / "notebooks" / "fam" / "01_grid.ipynb", 'number: int = 0\ndesk: str = ""', named)
        (self.project / "grid.toml").write_text(
            f'[[run]]\nnotebook = "fam/01_grid"\nset = {{ desk = "{self.project / "desk"}" }}\n'
            f"grid = {{ number = {list(range(1, self.size + 1))} }}\n"
        )
        return self

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a runner in a process group of its own, as a shell would."""
        command = [*CITYLIB, "run", "grid.toml", "--out", "out", "--workers", "2", *options]
        with (self.project / "said.txt").open("a") as said:
            return subprocess.Popen(
                command + ([] if self.warm else ["--cold"]),
                stdout=said, stderr=subprocess.STDOUT, text=True, process_group=0,
            )  # fmt: skip

    def run(self, *options: str) -> int:
        """Run the plan to its end, with leave to go on; return the code."""
        (self.project / "desk" / "go").touch()
        return self.start(*options).wait(timeout=PATIENCE * 4)

    def said(self) -> str:
        """Return what all runners so far have printed."""
        return (self.project / "said.txt").read_text()

    def began(self) -> list[int]:
        """Return the number of each run that has begun, as often as it has."""
        return self._notes("began")

    def ended(self) -> list[int]:
        """Return the number of each run that has come to its end, as often as it has."""
        return self._notes("ended")

    def receipts(self) -> dict[int, dict[str, Any]]:
        """Return the receipts of good runs, by number."""
        found = [json.loads(path.read_text()) for path in self.runs.glob("[!.]*/receipt.json")]
        return {content["parameters"]["number"]: content for content in found if content["outcome"] == "ok"}

    def squares(self) -> dict[int, list[int]]:
        """Return what each good run has handed back."""
        files = {n: self.runs / f"number-{n}" / "results.json" for n in self.receipts()}
        return {n: [r["value"] for r in json.loads(file.read_text())["records"]] for n, file in files.items()}

    def is_whole(self) -> None:
        """Fail unless each run is there once, right, as its receipt says, with nothing beside it."""
        assert self.squares() == {n: [n**2] for n in range(1, self.size + 1)}
        assert sorted(p.name for p in self.runs.iterdir()) == sorted(f"number-{n}" for n in range(1, self.size + 1))
        assert half_files(self.project / "out") == []

    def _notes(self, kind: str) -> list[int]:
        return sorted(int(p.name.partition("-")[0]) for p in (self.project / "desk").glob(f"*.{kind}"))


@pytest.fixture
def grid(project: Path, token: str) -> Callable[..., Grid]:
    """Return a function that writes a grid of runs."""

    def make(size: int, *cells: str, warm: bool = False) -> Grid:
        return Grid(project, size, warm).write(*cells)

    return make


@pytest.fixture
def disk(project: Path) -> Iterator[Callable[[int], Path]]:
    """Return a function that mounts a small disk in the project; skipped where that is not permitted."""
    mounted = []

    def mount(size: int, at: str = "out") -> Path:
        folder = project / at
        folder.mkdir(exist_ok=True)
        done = shutil.which("mount") and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if not done or done.returncode:
            said = done.stderr.strip() if done else "there is no command mount"
            pytest.skip(f"needs a small disk, so to be root with CAP_SYS_ADMIN (docker run --privileged): {said}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def interrupt(process: subprocess.Popen[str], number: int = signal.SIGINT) -> None:
    """Send a signal to a runner's group, as a terminal does."""
    os.killpg(process.pid, number)
