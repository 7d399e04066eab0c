"""A process under limits: watched, and ended with everything it started when it goes over one."""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psutil

from citylib.batch import kin
from citylib.batch.forked import ForkedProcess, launch
from citylib.errors import ForkError, InputError

if TYPE_CHECKING:
    from citylib.batch.warm import Seat

__all__ = ["Limits", "Stop", "Watched", "environment", "size_in_bytes", "watch"]

POLL = 0.2  # seconds between two looks at memory
KEEPER = 10.0  # seconds a keeper may take to end what is below it
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "NUMBA")
# Set by people's shells, and able to change what a notebook computes or prints.
DROPPED = ("PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONBREAKPOINT", "FORCE_COLOR", "PWD", "OLDPWD",
           "PYTEST_CURRENT_TEST")  # fmt: skip  # under the last ipykernel does not catch what programs print
PATHS = ("CITYLIB_DATA", "PYTHONPATH")  # lists of folders


@dataclass(frozen=True)
class Limits:
    """What a run may use.

    Parameters
    ----------
    minutes : float, default 10
        For the whole run.
    memory : int, default 2 GiB
        Bytes, all processes of the run together.
    output : int, default 2 MB
        Bytes of the executed notebook.
    """

    minutes: float = 10.0
    memory: int = 2 * 2**30
    output: int = 2 * 10**6

    def __post_init__(self) -> None:
        for name in ("minutes", "memory", "output"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
                raise InputError(name, "be more than 0", value)

    @classmethod
    def of(cls, given: Mapping[str, Any], otherwise: Limits | None = None) -> Limits:
        """Return limits as a plan or a command line gives them; memory and output as ``"2 GiB"`` or bytes."""
        base = otherwise or cls()
        for name in given:
            if name not in ("minutes", "memory", "output"):
                raise InputError("limits", "be among minutes, memory, output", name)
        minutes = given.get("minutes", base.minutes)
        memory, output = (size_in_bytes(n, given.get(n, getattr(base, n))) for n in ("memory", "output"))
        return cls(minutes, memory, output)


class Stop(Protocol):
    """What says that a run is to be ended: a `threading.Event`, or anything else with this method."""

    def is_set(self) -> bool:
        """Return whether it is."""


@dataclass(frozen=True)
class Watched:
    """How a watched process ended.

    Parameters
    ----------
    verdict : {"ended", "time", "memory", "stopped"}
        By itself, over a limit, or because the runner was told to stop.
    returncode : int
        Of the process; negative for a signal.
    seconds : float
        Wall time.
    peak_memory_bytes : int
        Highest resident memory seen, all processes of the run together.
    why_started : str
        Why it was started although it was to be forked; empty: it was not, or it was forked.
    """

    verdict: str
    returncode: int
    seconds: float
    peak_memory_bytes: int
    why_started: str = ""


def size_in_bytes(argument: str, value: Any) -> int:
    """Return a size given as a whole number of bytes or with a unit.

    Examples
    --------
    >>> size_in_bytes("memory", "2 GiB"), size_in_bytes("memory", "1.5MB")
    (2147483648, 1500000)
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", value) if isinstance(value, str) else None
    if parts is None or parts[2].upper() not in UNITS or not float(parts[1]) > 0:
        raise InputError(argument, 'be a size such as "512 MiB" or "2 GB"', value)
    return int(float(parts[1]) * UNITS[parts[2].upper()])


def environment(scratch: Path, base: Path) -> dict[str, str]:
    """Return the variables a run sees: those of the caller, with what could change a result fixed.

    Parameters
    ----------
    scratch : Path
        The run's own folder for temporary files.
    base : Path
        The caller's folder, which a relative ``CITYLIB_DATA``, ``CITYLIB_CACHE`` or ``PYTHONPATH`` refers to.

    Returns
    -------
    dict of str to str
    """
    out = {name: value for name, value in os.environ.items() if name not in DROPPED}
    for name in (*PATHS, "CITYLIB_CACHE"):
        if out.get(name):
            parts = [p for p in out[name].split(os.pathsep) if p] if name in PATHS else [out[name]]
            out[name] = os.pathsep.join(str(base / Path(part).expanduser()) for part in parts)
    out |= {f"{name}_NUM_THREADS": "1" for name in THREADS if name != "VECLIB_MAXIMUM"}
    out |= {
        "VECLIB_MAXIMUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this Python, not one of that name in the user's home
        "MATPLOTLIBRC": str(scratch / "matplotlibrc"),  # an empty one, instead of the user's
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "COLUMNS": "80",
        "LINES": "24",
        "SOURCE_DATE_EPOCH": "315532800",  # 1980, the first year that a zip file can hold
        "TMPDIR": str(scratch / "tmp"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter"),
    }
    return out


def watch(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    limits: Limits,
    stop: Stop | None = None,
    seat: Seat | None = None,
) -> Watched:
    """Run a command and watch it until it ends or goes over a limit; nothing it started outlives it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments: ``[python, "-m", module, ...]`` where it may be forked. Its standard input stays open
        as long as the caller lives.
    env, cwd : mapping, Path
        Its variables and folder.
    log : Path
        File for what it prints.
    limits : Limits
        Time and memory.
    stop : Stop, optional
        Once set, the process is ended.
    seat : Seat, optional
        Where it is forked; none, or where that fails: it is started.

    Returns
    -------
    Watched
    """
    began = time.monotonic()
    deadline = began + 60 * limits.minutes
    with log.open("wb") as printed:
        process, roots, why_started = _begin(command, env, cwd, printed.fileno(), seat)
    peak, verdict, seen = 0, "ended", dict[int, psutil.Process]()
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, min(POLL, deadline - time.monotonic())))
                break
            members = _members(process.pid, roots)
            _meet(seen, members)
            peak = max(peak, kin.resident(members))
            if stop is not None and stop.is_set():
                verdict = "stopped"
            elif peak > limits.memory:
                verdict = "memory"
            elif time.monotonic() >= deadline:
                verdict = "time"
            if verdict != "ended":
                break
    finally:
        _end(process, roots)
        _end_all(seen.values())
        while process.returncode and (strays := _strays(cwd)):
            _end_all(strays)
    return Watched(verdict, process.returncode or 0, time.monotonic() - began, peak, why_started)


def _begin(
    command: Sequence[str], env: Mapping[str, str], cwd: Path, log: int, seat: Seat | None
) -> tuple[subprocess.Popen[bytes] | ForkedProcess, dict[int, int], str]:
    """Start a process; return it, its keepers' numbers with descriptors of them, and why there are none."""
    why = ""
    if seat is not None:
        roots = {keeper: os.pidfd_open(keeper) for keeper in seat.keepers}
        try:
            return _forked(command, env, cwd, log, seat), roots, ""
        except ForkError as fault:
            why = str(fault)
            seat.close()
            _gone(roots)
    process = subprocess.Popen(
        command, env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
    )
    return process, {}, why


def _forked(command: Sequence[str], env: Mapping[str, str], cwd: Path, log: int, seat: Seat) -> ForkedProcess:
    module, *arguments = command[2:]
    theirs, ours = os.pipe()
    kernel = [] if seat.kernel is None else [seat.kernel.fileno()]
    try:
        process = launch(
            seat.client,
            [module, *arguments],
            env=env,
            cwd=str(cwd),
            descriptors=[theirs, log, log, *kernel],
            module=module,
        )
    except ForkError:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    if seat.kernel is not None:
        seat.kernel.close()  # the client has it now, and its keeper is to hear when the client lets go
    process.stdin = os.fdopen(ours, "wb")
    return process


def _members(pid: int, keepers: Iterable[int]) -> list[int]:
    """Return the numbers of a process and of all below it and its keepers, who are no part of a run themselves."""
    return list(dict.fromkeys([pid, *(one for root in (pid, *keepers) for one in kin.below(root))]))


def _meet(seen: dict[int, psutil.Process], members: Iterable[int]) -> None:
    """Take note of who is there, in a form that no later process of the same number is mistaken for."""
    for pid in members:
        if pid not in seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                seen[pid] = psutil.Process(pid)


def _end(process: subprocess.Popen[bytes] | ForkedProcess, roots: Mapping[int, int]) -> None:
    if isinstance(process, ForkedProcess):
        process.kill()
        process.close()  # the keeper ends what is left, and with the client the kernel's keeper hears of it
        _gone(roots)
    elif process.poll() is None:
        try:
            with contextlib.suppress(psutil.Error):
                psutil.Process(process.pid).suspend()  # so that it starts nothing while its children are ended
            below: dict[int, psutil.Process] = {}
            _meet(below, kin.below(process.pid))
            while not all(map(_ended, below.values())):
                _kill(below.values())
                time.sleep(0.01)
                _meet(below, kin.below(process.pid))
        finally:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _gone(roots: Mapping[int, int]) -> None:
    """Return when the keepers are gone, with all that is below them."""
    for keeper, pidfd in roots.items():
        try:
            if not select.select([pidfd], [], [], KEEPER)[0]:  # it is stuck, which nothing should bring about
                stuck: dict[int, psutil.Process] = {}
                _meet(stuck, [keeper, *kin.below(keeper)])
                _kill(stuck.values())
        finally:
            os.close(pidfd)


def _end_all(seen: Iterable[psutil.Process]) -> None:
    """End what was seen of a run and is still there, with all below it.

    That is something only where the process that was to end it was killed itself, and what it
    looked after fell to the system.
    """
    while left := [member for member in seen if not _ended(member)]:
        for member in left:
            with contextlib.suppress(psutil.Error):
                _kill([*member.children(recursive=True), member])
        time.sleep(0.01)


def _strays(folder: Path) -> list[psutil.Process]:
    """Return the processes that have a run's folder for temporary files, wherever they belong by now.

    They may have been started after the last look at the run, just before the process that was to end them was killed.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR") == str(folder / "tmp") and not _ended(process):
                found.append(process)
    return found


def _kill(members: Iterable[psutil.Process]) -> None:
    for member in members:
        with contextlib.suppress(psutil.Error):
            member.kill()


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True
