"""Warm starts: the runs of a plan get kernel and client forked from parents that have imported things once.

One parent serves the clients (papermill and what lays results out); each notebook of
which there are several runs has a parent of its own, with the third-party modules that
notebook imports: those its cells and citylib name, and, once a run is over, those it
was found to import besides. A parent is kept for one environment, interpreter and set of
installed packages. Where a parent cannot serve, the run starts as it would without, and
`Warm.faults` says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psutil

from citylib.batch import fork_parent, preload
from citylib.batch.plan import PlannedRun
from citylib.errors import ForkError

if TYPE_CHECKING:
    from citylib.batch.supervise import Stop

__all__ = ["CLIENT", "Parent", "Seat", "Warm", "own_folder", "parent_text"]

CLIENT = "citylib.batch.child"
# pyarrow's allocator starts a thread to tidy up when it is imported; without, memory is handed back a little later.
ONE_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}
STARTING = 60.0  # seconds a parent may take to import what it is to have
OLD = 24 * 3600.0  # seconds after which a folder whose process is gone is swept away
LOOK = 0.2  # seconds between two looks at whether to stop waiting for it


@dataclass(frozen=True)
class Seat:
    """What a run starts from.

    Parameters
    ----------
    client : socket.socket
        Line to the keeper of its client.
    kernel : socket.socket, optional
        Line to the keeper of its kernel; none: the client starts an ordinary one.
    keepers : tuple of int
        Numbers of the keepers; what is below them is the run.
    """

    client: socket.socket
    kernel: socket.socket | None
    keepers: tuple[int, ...]

    def close(self) -> None:
        """Let the keepers go that nobody has given an order."""
        for line in (self.client, self.kernel):
            if line is not None:
                line.close()


class Parent:
    """One process that forks others.

    Parameters
    ----------
    kind : {"client", "kernel"}
        What its children become.
    modules : iterable of str
        What it imports.
    env : mapping
        Its variables.
    folder : Path
        Its current folder; ``parent.log`` in it takes what it prints.
    """

    def __init__(self, kind: str, modules: Iterable[str], env: Mapping[str, str], folder: Path) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(STARTING)
        self._hung = ""
        self._lock = threading.Lock()
        configuration = {"kind": kind, "preload": list(modules), "client": CLIENT, "control": theirs.fileno()}
        configuration["folder"] = str(folder)
        with theirs, (folder / f"{kind}-{id(self):x}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-", json.dumps(configuration)],
                pass_fds=[theirs.fileno()],
                env=dict(env),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError), self._process.stdin as program:
                program.write(parent_text().encode())

    def line(self, stop: Stop | None = None) -> tuple[socket.socket, int]:
        """Return a line to a new keeper, and the keeper's number.

        Parameters
        ----------
        stop : Stop, optional
            Once set, it is waited for no longer.

        Raises
        ------
        ForkError
            The parent refuses, is gone, or doesn't answer; one that once didn't is asked no more.
        """
        if self._hung:
            raise ForkError(self._hung)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs, self._lock:
                socket.send_fds(self._control, [b"{}"], [theirs.fileno()])
            answer = self._answer(ours, stop)
        except OSError as fault:
            answer = {"refused": f"the parent of kernels does not answer ({fault})"}
        if "refused" in answer:
            ours.close()
            raise ForkError(answer["refused"])
        ours.settimeout(None)
        return ours, answer["keeper"]

    def _answer(self, line: socket.socket, stop: Stop | None) -> dict[str, Any]:
        deadline = time.monotonic() + STARTING
        line.settimeout(LOOK)
        while time.monotonic() < deadline and not (stop is not None and stop.is_set()):
            with contextlib.suppress(TimeoutError):
                message = line.recv(fork_parent.LARGEST)
                return dict(json.loads(message)) if message else {"refused": "the parent of kernels is gone"}
        if time.monotonic() >= deadline:
            self._hung = f"the parent of kernels has not answered for {STARTING:g} s"
        return {"refused": self._hung or "told to stop"}

    def learn(self, modules: Sequence[str]) -> None:
        """Have it import more, before it forks again."""
        message = json.dumps({"preload": list(modules)}).encode()
        if modules and len(message) <= fork_parent.LARGEST:
            with self._lock, contextlib.suppress(OSError):
                self._control.send(message)

    def close(self) -> None:
        """End it; what it has forked goes on."""
        self._process.kill()  # before it can take this for the death of the runner
        self._process.wait()
        self._control.close()


@dataclass
class Warm:
    """The parents behind the runs of a plan; a context manager.

    Parameters
    ----------
    runs : sequence of PlannedRun
        Those that are to run. A notebook that runs once gets no parent: it would import as much as it saves.
    """

    runs: Sequence[PlannedRun]
    faults: list[str] = field(default_factory=list)
    _often: Counter[Path] = field(default_factory=Counter)
    _left: Counter[Path] = field(default_factory=Counter)
    _parents: dict[str, Parent] = field(default_factory=dict)
    _modules: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    _fixed: dict[Path, bool] = field(default_factory=dict)  # whether a notebook's parent learns nothing
    _learned: dict[Path, set[str]] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _folder: Path | None = None
    _told: int = 0

    def __enter__(self) -> Warm:
        self._often = Counter(run.path for run in self.runs)
        self._left = self._often.copy()
        self._folder = own_folder()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for parent in self._parents.values():
            parent.close()
        self._parents.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def seat(self, run: PlannedRun, env: Mapping[str, str], scratch: Path, stop: Stop | None = None) -> Seat | None:
        """Return what a run starts from, or None if it is to start as it would without.

        Parameters
        ----------
        run : PlannedRun
            The run.
        env : mapping
            Its variables.
        scratch : Path
            Its own folder: variables that name it are no reason for another parent.
        stop : Stop, optional
            Once set, no parent is waited for.
        """
        if self._folder is None or len(self.runs) < 2 or not hasattr(os, "pidfd_open"):
            return None
        lines: list[tuple[socket.socket, int]] = []
        kernel = None
        try:
            clients = self._parent("client", (CLIENT,), run, env, scratch)
            kernels = self._kernel_parent(run, env, scratch) if self._often[run.path] > 1 else None
            lines.append(clients.line(stop))  # both import what they need before the first is waited for
            if kernels is not None:
                kernel = self._kernel_line(run, kernels, stop)
        except ForkError as fault:
            self.say(f"runs start without a warm client: {fault}")
            for line, _ in lines:
                line.close()
            return None
        keepers = [keeper for _, keeper in lines] + ([kernel[1]] if kernel else [])
        return Seat(lines[0][0], kernel[0] if kernel else None, tuple(keepers))

    def learn(self, run: PlannedRun, env: Mapping[str, str], scratch: Path, modules: Sequence[str]) -> None:
        """Take note of what a run's kernel imported that it did not begin with."""
        if self._fixed.get(run.path, True):
            return
        with self._lock:
            known = self._learned.setdefault(run.path, set())
            more = [name for name in modules if name not in known]
            known.update(more)
            parent = self._parents.get(self._key("kernel", run, env, scratch))
        if parent is not None and more:
            parent.learn(more)

    def done(self, run: PlannedRun) -> None:
        """Take note that a run is over: after a notebook's last, its parents are of no more use."""
        with self._lock:
            self._left[run.path] -= 1
            if self._left[run.path] > 0:
                return
            mark = json.dumps(["kernel", str(run.path)])[:-1]
            over = [key for key in self._parents if key.startswith(mark)]
            for key in over:
                self._parents.pop(key).close()

    def _kernel_parent(self, run: PlannedRun, env: Mapping[str, str], scratch: Path) -> Parent:
        with self._lock:
            if run.path not in self._modules:
                self._modules[run.path] = preload.of_notebook(run.path)
                self._fixed[run.path] = preload.sets_variables(run.path)
            modules = (*self._modules[run.path], *sorted(self._learned.get(run.path, ())))
        return self._parent("kernel", modules, run, env, scratch)

    def _kernel_line(self, run: PlannedRun, parent: Parent, stop: Stop | None) -> tuple[socket.socket, int] | None:
        try:
            return parent.line(stop)
        except ForkError as fault:
            self.say(f"kernels of {run.notebook} are started, not forked: {fault}")
            return None

    def _parent(
        self, kind: str, modules: Sequence[str], run: PlannedRun, env: Mapping[str, str], scratch: Path
    ) -> Parent:
        assert self._folder is not None
        key = self._key(kind, run, env, scratch)
        with self._lock:
            if key not in self._parents:
                own = {name: value.replace(str(scratch), str(self._folder)) for name, value in env.items()}
                self._parents[key] = Parent(kind, modules, ONE_THREAD | own, self._folder)
            return self._parents[key]

    def _key(self, kind: str, run: PlannedRun, env: Mapping[str, str], scratch: Path) -> str:
        """Return what a parent is kept for: what its children could not shed."""
        frozen = sorted((name, value) for name, value in env.items() if str(scratch) not in value)
        notebook = str(run.path) if kind == "kernel" else ""
        return json.dumps([kind, notebook, sys.executable, _installed(), frozen])

    def news(self) -> list[str]:
        """Return what has been noted since this was last asked."""
        with self._lock:
            new, self._told = self.faults[self._told :], len(self.faults)
        return new

    def say(self, fault: str) -> None:
        """Take note of why something was started that was to be forked."""
        with self._lock:
            if fault not in self.faults:
                self.faults.append(fault)


def parent_text() -> str:
    """Return the program of a parent, to be read by Python from its standard input.

    Were it run as a file, that file would be on the stack of every kernel, and what reads the sources of a stack
    would make it one that the run has read.
    """
    return Path(fork_parent.__file__).read_text(encoding="utf-8")


def _installed() -> list[int]:
    """Return marks that change when a package is installed or removed."""
    folders = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    return [os.stat(folder).st_mtime_ns for folder in sorted(folders) if os.path.isdir(folder)]


def _sweep(folder: Path) -> None:
    """Remove what runners that were killed have left, once it is old enough not to be that of another machine."""
    for left in folder.glob("citylib-*-*"):
        pid = left.name.split("-")[1]
        with contextlib.suppress(OSError):
            if pid.isdigit() and left.stat().st_mtime < time.time() - OLD and not psutil.pid_exists(int(pid)):
                shutil.rmtree(left, ignore_errors=True)


def own_folder() -> Path:
    """Return a new folder with what `citylib.batch.supervise.environment` names in it."""
    _sweep(Path(tempfile.gettempdir()))
    scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix=f"citylib-{os.getpid()}-")))
    for name in ("tmp", "ipython", "jupyter"):
        (scratch / name).mkdir()
    (scratch / "matplotlibrc").touch()
    return scratch
