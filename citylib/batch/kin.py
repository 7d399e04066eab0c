"""The processes below another one, and the memory they hold: asked for often, so read from /proc where it is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

__all__ = ["below", "resident"]

PROC = Path("/proc")
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def below(pid: int) -> list[int]:
    """Return the numbers of all processes below one, nearest first; none if it is gone.

    Parameters
    ----------
    pid : int
        Number of a process, which is not among those returned.

    Returns
    -------
    list of int
    """
    if not (PROC / "self" / "task" / str(os.getpid()) / "children").exists():  # no Linux, or one without that list
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        return []
    found = _children(pid)
    for child in found:  # grows as it is gone through
        found += [one for one in _children(child) if one not in found]
    return found


def resident(pids: list[int]) -> int:
    """Return the bytes of memory that processes hold together; those that are gone hold none.

    Parameters
    ----------
    pids : list of int
        Their numbers.

    Returns
    -------
    int
    """
    total = 0
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError, IndexError):
            if PROC.is_dir():
                total += int((PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1]) * PAGE
            else:
                total += psutil.Process(pid).memory_info().rss
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):  # it, or one of its threads, is gone
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as listed:
                found += [int(word) for word in listed.read().split()]
    return found
