"""One runner at a time in a run's folder: a second one waits, and can say for whom.

A lock file beside the folder is held with ``flock``, which the system lets go
when its holder ends, however it ends; so a runner that was killed blocks nobody.
"""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from citylib.batch.supervise import Stop

__all__ = ["turn"]

POLL = 0.1  # seconds between two tries
# File systems that know no locks: there it goes on without, as safe as the rename at its end.
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def turn(
    folder: Path, *, stop: Stop | None = None, waiting: Callable[[str], None] | None = None
) -> Iterator[bool | None]:
    """Hold a folder, once nobody else does.

    Parameters
    ----------
    folder : Path
        What is to be written; the folder above it must exist.
    stop : Stop, optional
        Once set, it is waited for no longer.
    waiting : callable, optional
        Called once, with who holds the folder, if someone does.

    Yields
    ------
    bool or None
        True: held. None: the file system knows no locks, so it goes on without. False: told to stop.
    """
    path = folder.parent / f".{folder.name}.lock"
    told = False
    while (held := _try(path)) == ():
        if not told and waiting is not None:
            waiting(_holder(path))
        told = True
        if stop is not None and stop.is_set():
            yield False
            return
        time.sleep(POLL)
    if not held:
        yield None
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            path.unlink()  # while it is held: who opened it meanwhile sees that it is no longer the file of that name
        os.close(held[0])


def _try(path: Path) -> tuple[int, ...] | None:
    """Return the held file's descriptor; nothing while another holds it; None where there are no locks."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_named(descriptor, path):
            raise BlockingIOError
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {platform.node()}".encode())
    except OSError as fault:
        os.close(descriptor)
        if fault.errno in UNSUPPORTED:
            with suppress(OSError):
                path.unlink()
            return None
        if isinstance(fault, BlockingIOError):
            return ()
        raise
    return (descriptor,)


def _is_named(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _holder(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace") or "another runner"
    return "another runner"
