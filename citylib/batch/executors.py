"""Where runs are carried out: by threads here, or by any other `concurrent.futures.Executor`, a Dask cluster's too.

Each run has a process of its own in any case, which whoever carries it out
watches. What is sent to another process is a `citylib.batch.errand.Errand`. The
workers of a cluster must see the same folders and have the same citylib, which
they are asked before the first errand is sent.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citylib.batch.capacity import cores
from citylib.batch.errand import Likeness, left_behind, own_name
from citylib.batch.supervise import Stop
from citylib.errors import InputError, RunError

if TYPE_CHECKING:
    import distributed

__all__ = ["Cluster", "Room", "dask", "lost_worker"]

LOCAL = "local"
FOLDER = "citylib-dask"  # what the folder of a cluster on this machine is called, in that for temporary files
TIMEOUT = 10.0  # seconds for a scheduler to answer
FIRST_WORKER = 120.0  # seconds for a first worker to come, where a queue starts them as they are needed
FRESH = 2.0  # seconds for which what the scheduler said of its workers is taken to hold


@dataclass(frozen=True)
class Room:
    """How much can be under way at a time.

    Parameters
    ----------
    workers : int
        Number of runs.
    memory : int or None
        Bytes that they may ask for together; None: as much as they like.
    """

    workers: int
    memory: int | None


def lost_worker(fault: BaseException | None) -> bool:
    """Return whether a fault means that whoever carried a run out was lost, and not that the run went wrong."""
    if isinstance(fault, (futures.CancelledError, futures.BrokenExecutor)):
        return True
    return type(fault).__name__ in ("KilledWorker", "CommClosedError", "FutureCancelledError")


class Cluster(futures.Executor):
    """A Dask cluster as an executor that knows how much it can take and whether it is still there.

    Parameters
    ----------
    client : distributed.Client
        Connected.
    address : str
        What the user called it.
    workers : int, optional
        Most runs at a time; by default as many as the cluster has threads, however many that becomes.
    memory : int, optional
        Bytes that runs may ask for together; by default what the workers may use, if that is limited.
    """

    def __init__(
        self, client: distributed.Client, address: str, workers: int | None = None, memory: int | None = None
    ) -> None:
        self.client, self.address = client, address
        self.workers, self.memory = workers, memory
        self._executor: futures.Executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
        self._room, self._asked = Room(0, memory), float("-inf")

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        """Have a function called by a worker."""
        future: futures.Future[Any] = self._executor.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more; the cluster and its client stay."""
        self._executor.shutdown(wait=wait and not cancel_futures)

    def room(self) -> Room:
        """Return how much can be under way now; nothing while the connection is being made anew."""
        if self.client.status != "running":
            return Room(0, self.memory)
        if time.monotonic() - self._asked > FRESH:
            with contextlib.suppress(OSError, TimeoutError):  # then what was said last holds
                said = self._identity()
                # Where workers are started as they are needed there may be none until something is asked for.
                threads = max(1, said["total_threads"])
                self._room = Room(min(threads, self.workers or threads), self.memory or said["total_memory"] or None)
            self._asked = time.monotonic()
        return self._room

    def _first_answer(self, like: Likeness, stop: Stop | None) -> Any:
        first = self.submit(like.faults)
        until = time.monotonic() + FIRST_WORKER
        while not (stop is not None and stop.is_set()) and time.monotonic() < until:
            if futures.wait([first], timeout=0.5).done:
                return first.exception() or first.result()
        first.cancel()
        raise RunError(f"--dask {self.address}: no worker came within {FIRST_WORKER:g} s")

    def _identity(self) -> dict[str, Any]:
        client: Any = self.client
        found: dict[str, Any] = client.sync(client.scheduler.identity, n_workers=0, callback_timeout=TIMEOUT)
        return found

    def lost(self) -> str | None:
        """Return what to say if no scheduler answers any more, else None."""
        if self.client.status in ("closing", "closed"):
            return f"The scheduler at {self.address} was lost: it has not answered for {TIMEOUT:g} s."
        return None

    def check(self, files: Iterable[Path], stop: Stop | None = None) -> Likeness:
        """Ask every worker whether it is like this process and sees the same files.

        Parameters
        ----------
        files : iterable of Path
            Absolute.
        stop : Stop, optional
            Once set, a first worker is waited for no longer.

        Returns
        -------
        Likeness
            What was compared; of those who come later, citylib's version stands for its files.

        Raises
        ------
        RunError
            One is not, or no worker came.
        """
        like = Likeness.of(files)
        said: dict[str, Any] = self.client.run(like.faults, on_error="return")
        if not said:
            said = {"the first worker": self._first_answer(like, stop)}
        lines = [f"{who} {line}" for who, answer in said.items() for line in _lines(answer)]
        if lines:
            raise RunError("\n  - ".join([f"--dask {self.address}: workers must share this project", *lines]))
        return replace(like, package="")


@contextmanager
def dask(address: str, *, workers: int | None = None, memory: int | None = None) -> Iterator[Cluster]:
    """Connect to a Dask cluster, or start one on this machine, until left.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``"tcp://host:8786"``; a scheduler file; or ``"local"``.
    workers : int, optional
        Most runs at a time; ``local`` starts as many workers, by default one a core.
    memory : int, optional
        Bytes that runs may ask for together.

    Yields
    ------
    Cluster

    Raises
    ------
    InputError
        Not an address.
    RunError
        No scheduler answers there, or Dask is not installed.
    """
    try:
        import distributed
    except ImportError:
        raise RunError("--dask needs the package distributed: pip install distributed") from None
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        options: dict[str, Any] = {"set_as_default": False, "timeout": TIMEOUT}
        if address == LOCAL:
            for left in left_behind(Path(tempfile.gettempdir()), FOLDER):
                shutil.rmtree(left, ignore_errors=True)
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=own_name(FOLDER)))
            options["address"] = local = _local_cluster(workers or cores(), folder)
            stack.callback(local.close, timeout=TIMEOUT)
        else:
            file = Path(address).expanduser()
            options |= {"scheduler_file": str(file)} if file.is_file() else {"address": _address(address)}
        try:
            client = distributed.Client(**options)  # type: ignore[no-untyped-call]
        except (OSError, TimeoutError) as fault:
            raise RunError(f"--dask {address}: no scheduler answers there ({fault})") from None
        stack.callback(client.close, timeout=TIMEOUT)
        yield Cluster(client, address, workers, memory)


def dask_setup(worker: Any) -> None:
    """Keep Ctrl-C, which a terminal sends to all of its processes, from ending workers; Dask calls this in each."""
    # A handler and not SIG_IGN, which the kernels would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)


def _local_cluster(workers: int, folder: str) -> Any:
    import distributed

    return distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        memory_limit=0,  # its workers only watch; the runs have limits of their own
        local_directory=folder,
        silence_logs=logging.CRITICAL,
        preload=[__name__],
        scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
    )


def _address(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host, _, port = (rest or scheme).rpartition(":")
    if not host or not port.rstrip("/").isdigit():
        raise InputError("--dask", "be local, an address such as tcp://host:8786 or a scheduler file", text)
    return text


def _lines(answer: Any) -> list[str]:
    if isinstance(answer, BaseException):
        return [f"could not be asked ({type(answer).__name__}: {answer})"]
    return list(answer)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from reporting to the terminal what is reported as a run's outcome."""
    handlers = [h for name in ("distributed", "distributed.client") for h in logging.getLogger(name).handlers]
    before = [(handler, handler.level) for handler in handlers]
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in before:
            handler.setLevel(level)
