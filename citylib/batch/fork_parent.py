"""A clean parent that forks: it has imported what many runs need, and hands each run a process that need not.

Run from standard input (``python - CONFIGURATION < fork_parent.py``), so that nothing of
citylib is in it: a parent of kernels imports third-party modules only, has one thread, no
data and no random state of its own. It is asked over a socket, and dies with the asker:

::

    runner ── control ──> parent            one message a process wanted, with one end of a socket pair (the line)
                            └─ keeper       says {"keeper": pid}, waits for an order on the line
                                 └─ child   the kernel, or the client that runs a notebook

The order holds ``argv``, ``env``, ``cwd`` and descriptors for standard input, output and
error. The keeper answers with the child's number and pidfd, says when a kernel has bound
its sockets and how the child ended; what the child starts and lets go becomes the
keeper's own child, and all of it ends when the other end of the line is closed.
"""

from __future__ import annotations

import array
import contextlib
import contextvars
import ctypes
import fcntl
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import sysconfig
import termios
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

__all__ = ["Bare", "main"]

LARGEST = 2**17  # bytes of a message: under what a Unix socket takes in one piece
LINE = "CITYLIB_LINE"  # the variable that tells a client the descriptor of its kernel's line
GRACE = 5.0  # seconds
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
# The backend that draws in notebooks registers itself with the shell that is there when it is imported: here is none.
NEVER = ("citylib", "matplotlib_inline", "ipykernel.pylab", "__main__")

Answer = dict[str, Any]


class Bare(NamedTuple):
    """What the parent had before it imported anything: variables and filters of warnings."""

    environ: dict[str, str]
    filters: list[Any]


Start = Callable[[Answer, int, Bare], int]


def main() -> NoReturn:
    """Import what the configuration lists, then fork whenever asked, until the asker is gone."""
    configuration = json.loads(sys.argv[1])
    if sys.path and sys.path[0] == "":
        del sys.path[0]  # the current folder, which no kernel has while it starts
    control = socket.socket(fileno=configuration["control"])
    kernels = configuration["kind"] == "kernel"
    bare = Bare(dict(os.environ), list(warnings.filters))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers answer for their children; nobody waits for keepers
    refusal = _prepare(configuration["preload"], clean=kernels)
    if not kernels:
        importlib.import_module(configuration["client"]).warm_up()
        gc.freeze()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, LARGEST, 1)
        if not message:  # the asker was killed: it would have put this away
            shutil.rmtree(configuration["folder"], ignore_errors=True)
            os._exit(0)
        more = json.loads(message).get("preload")
        if more:
            refusal = refusal or _prepare(more, clean=kernels)
        for descriptor in descriptors:
            _fork(control, socket.socket(fileno=descriptor), _kernel if kernels else _client, bare, refusal)


def _prepare(modules: list[str], *, clean: bool) -> str:
    """Import modules; return why nothing may be forked from what that leaves, or an empty text."""
    gc.unfreeze()
    gc.disable()
    loud = [name for name in modules if _is_loud(name, clean=clean)]
    gc.collect()
    gc.freeze()  # so that no collection in a child touches, and thereby copies, what it shares with this process
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        return f"importing {', '.join(modules)} started {threads - 1} thread(s), which a fork would lose"
    if clean and loud:
        return f"importing {', '.join(loud)} warns or prints, and a notebook that imports it should show that"
    unclean = sorted(name for name in sys.modules if name.startswith(NEVER[:-1]))
    return f"{', '.join(unclean)} was imported on the way" if clean and unclean else ""


def _is_loud(name: str, *, clean: bool) -> bool:
    """Import a module, third-party ones only where the parent is to be clean; return whether that warned or printed."""
    if clean and (name.startswith(NEVER) or not _third_party(name)):
        return False
    seen: list[Any] = []
    printed = _printed()
    before = warnings.showwarning
    warnings.showwarning = lambda *what: seen.append(what)  # not catch_warnings: filters that imports set are to stay
    try:
        importlib.import_module(name)
    except Exception:
        return False  # the notebook that imports it will say so
    finally:
        warnings.showwarning = before
    return bool(seen) or _printed() > printed


def _printed() -> int:
    """Return how much has been printed: standard output and error are one file."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fstat(2).st_size


def _third_party(name: str) -> bool:
    """Whether a module comes with Python or an installed package, not from somebody's own folder."""
    top = name.partition(".")[0]
    try:
        # To find a module, Python imports the packages it is in: so those are looked at first.
        spec = importlib.util.find_spec(top)
        if spec is None or not _installed(spec):
            return False
        spec = importlib.util.find_spec(name)
    except Exception:  # of a package that cannot be imported
        return False
    return spec is not None and _installed(spec)


def _installed(spec: importlib.machinery.ModuleSpec) -> bool:
    places = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    origin = spec.origin or next(iter(spec.submodule_search_locations or [""]))
    return origin in ("built-in", "frozen") or any(os.path.realpath(origin).startswith(_folder(p)) for p in places)


def _folder(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")


def _fork(control: socket.socket, line: socket.socket, start: Start, bare: Bare, refusal: str) -> None:
    if refusal:
        _send(line, {"refused": refusal})
    elif os.fork() == 0:
        control.close()
        with _or_exit():
            _keep(line, start, bare)
    line.close()


@contextlib.contextmanager
def _or_exit() -> Iterator[None]:
    try:
        yield
    except BaseException as fault:
        if not isinstance(fault, SystemExit):
            os.write(2, f"{type(fault).__name__}: {fault}\n".encode())
    os._exit(1)


def _keep(line: socket.socket, start: Start, bare: Bare) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    line.send(json.dumps({"keeper": os.getpid()}).encode())
    message, descriptors, _, _ = socket.recv_fds(line, LARGEST, 4)
    if not message:
        os._exit(0)
    order = json.loads(message)
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        line.close()
        os.close(ready)
        with _or_exit():
            _become(order, descriptors, bare)
            os._exit(start(order, tell, bare))
    os.close(tell)
    for descriptor in descriptors:
        os.close(descriptor)
    pidfd = os.pidfd_open(child)
    _send(line, {"pid": child}, pidfd)
    _until_gone(line, pidfd, child, ready)
    if "module" in order:  # a client that has lost its runner puts its own things away
        select.select([pidfd], [], [], GRACE)
    _end_all()
    os._exit(0)


def _send(line: socket.socket, answer: Answer, *descriptors: int) -> None:
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
    with contextlib.suppress(OSError):  # the asker is gone, which the next look at the line will show
        line.sendmsg([json.dumps(answer).encode()], rights)


def _until_gone(line: socket.socket, pidfd: int, child: int, ready: int) -> None:
    """Tell when the child is ready and how it ends; return when the asker has let go."""
    watched: list[Any] = [line, pidfd, ready]
    while True:
        for what in select.select(watched, [], [])[0]:
            if what is line:
                if not line.recv(16):
                    return
            elif what == pidfd:
                watched.remove(pidfd)
                _, status = os.waitpid(child, 0)
                _send(line, {"returncode": os.waitstatus_to_exitcode(status)})
            else:
                watched.remove(ready)
                if os.read(ready, 1):
                    _send(line, {"ready": True})


def _end_all() -> None:
    """End whatever is below, and what turns up here when its own parent has ended, until nothing is left."""
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:
            return [int(word) for word in listed.read().split()]
    except OSError:  # a Linux without that list
        import psutil

        return [child.pid for child in psutil.Process().children()]


def _become(order: Answer, descriptors: list[int], bare: Bare) -> None:
    """Put on what an interpreter of its own would have started with."""
    os.setsid()
    by_imports = {name: value for name, value in os.environ.items() if bare.environ.get(name) != value}
    os.environ.clear()
    os.environ.update(order["env"] | by_imports)
    time.tzset()
    os.chdir(order["cwd"])
    for target, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, target)
        os.close(descriptor)
    if descriptors[3:]:
        os.environ[LINE] = str(descriptors[3])
    sys.argv = list(order["argv"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    loaded: dict[str, Any] = dict(sys.modules)
    if "tempfile" in loaded:
        loaded["tempfile"].tempdir = None  # it keeps the folder it found first
    if "numpy.random" in loaded:
        loaded["numpy.random"].seed()  # anew, as an interpreter of its own would; fork does so for Python's own


def _kernel(order: Answer, tell: int, bare: Bare) -> int:
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp

    gc.enable()
    by_imports = [one for one in warnings.filters if one not in bare.filters]
    warnings.filters[:] = bare.filters  # type: ignore[index]

    # Read from the environment when the class was made, which was in the parent.
    app: Any = IPKernelApp.instance(parent_handle=os.getppid())
    taking = threading.Lock()
    OutStream._watch_pipe_fd = lambda stream: _watch_printed(stream, taking)  # type: ignore[method-assign]
    app.initialize(order["argv"][1:])
    warnings.filters[:0] = by_imports  # type: ignore[index]  # in front of the shell's, as if they came after it
    warnings._filters_mutated()  # type: ignore[attr-defined]
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:  # when it was imported there was no shell to register with
        pyplot._REPL_DISPLAYHOOK = pyplot._ReplDisplayHook.NONE
        pyplot.install_repl_displayhook()
    _transform_once(app.shell.input_transformer_manager)
    for stream in (sys.stdout, sys.stderr):
        _flush_what_waits(stream, taking)
    os.write(tell, b"1")
    os.close(tell)
    app.start()
    return 0


def _transform_once(manager: Any) -> None:
    """Have what IPython does to a cell's text done once: it asks twice, first to find out whether the cell awaits."""
    transform, own, last = manager.transform_cell, _transforms(manager), dict[str, str]()

    def transform_cell(cell: str) -> str:
        if _transforms(manager) != own:  # the notebook has added one, which may count how often it is asked
            return str(transform(cell))
        known = last.pop(cell, None)
        last.clear()
        if known is None:
            known = last[cell] = transform(cell)
        return known

    manager.transform_cell = transform_cell


def _transforms(manager: Any) -> list[Any]:
    return [*manager.cleanup_transforms, *manager.line_transforms, *manager.token_transformers]


def _flush_what_waits(stream: Any, taking: threading.Lock) -> None:
    """Have a stream flushed when something waits in it, or in the pipe of what programs and C libraries print.

    ipykernel flushes both streams before and after all that a cell shows. Each time another thread is woken and waited
    for, which costs more than the rest of a small cell.
    """
    if not hasattr(stream, "_buffers"):  # not an ipykernel's
        return
    flush, send = stream.flush, stream._flush
    under_way: list[bool] = []  # not a lock: a process that a cell forks would inherit it held

    def send_marked() -> None:
        under_way.append(True)
        try:
            send()
        finally:
            under_way.pop()

    def flush_what_waits() -> None:
        if threading.current_thread() is threading.main_thread():
            _take_printed(stream, taking)
        # In this order: what the sending thread has taken out of the buffers it has marked before.
        if stream._buffers or under_way:
            flush()

    stream.flush, stream._flush = flush_what_waits, send_marked


def _watch_printed(stream: Any, taking: threading.Lock) -> None:
    """Take what programs and C libraries print as it comes: instead of ipykernel's thread, which no flush waits for."""
    pipe = select.poll()
    pipe.register(stream._fid, select.POLLIN)
    try:
        while stream._should_watch:
            if not pipe.poll()[0][1] & select.POLLIN:  # nobody is left who could print
                return
            _take_printed(stream, taking)
    except Exception:
        stream._exc = sys.exc_info()


def _take_printed(stream: Any, taking: threading.Lock) -> None:
    """Put what waits in a stream's pipe into its buffer, for the cell that runs now."""
    # Its last byte is for the thread, to end by; and a process that a cell has forked leaves all of it to this one.
    if not stream._should_watch or os.getpid() != stream._master_pid or not taking.acquire(timeout=GRACE):
        return
    try:  # from the look to the buffer, so that whoever waits for the lock finds all in the buffer
        waiting = int.from_bytes(fcntl.ioctl(stream._fid, termios.FIONREAD, bytes(4)), sys.byteorder)
        printed = os.read(stream._fid, waiting) if waiting else b""
        if printed:  # for the current cell, not for the one that started the task which flushes
            contextvars.Context().run(stream.write, printed.decode(errors="replace"))
    finally:
        taking.release()
    if printed:
        with contextlib.suppress(OSError):  # a full disk is no fault of the cell
            os.write(stream._original_stdstream_copy, printed)


def _client(order: Answer, tell: int, bare: Bare) -> int:
    os.write(tell, b"1")
    os.close(tell)
    # No garbage is collected: it lives for one run, and would only copy what it shares with this process.
    module = importlib.import_module(order["module"])
    code: int = module.main(order["argv"][1:])
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return code


if __name__ == "__main__":
    main()
