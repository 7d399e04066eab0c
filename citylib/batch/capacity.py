"""What this machine has for runs: cores and memory, as far as this process may use them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

__all__ = ["cores", "memory_budget"]

RESERVE, LEAST_RESERVE = 0.1, 512 * 2**20  # share and bytes that stay for the system and the runner itself
MEMORY_FILES = ("memory.max", "memory.limit_in_bytes")  # of the second and of the first version of cgroups
ROOT = Path("/")


def cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use: those it is bound to, and no more than its cgroup's quota.

    Parameters
    ----------
    root : Path, default "/"
        Where ``proc`` and ``sys`` lie.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for folder in _cgroups(root, "cpu") if (quota := _quota(folder)) is not None]
    return max(1, min([bound, *(round(quota) for quota in quotas)]))


def memory_budget(root: Path = ROOT) -> int:
    """Return the bytes that runs may share: what the machine or the cgroup has, less a tenth or 512 MiB for others.

    Parameters
    ----------
    root : Path, default "/"
        Where ``proc`` and ``sys`` lie.
    """
    limits = [_number(folder / name) for folder in _cgroups(root, "memory") for name in MEMORY_FILES]
    has: int = min([psutil.virtual_memory().total, *(limit for limit in limits if limit)])
    return has - min(has // 2, max(int(has * RESERVE), LEAST_RESERVE))


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's cgroups for a controller, and of those they lie in."""
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    mounts = root / "sys" / "fs" / "cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = mounts / controllers if controllers else mounts
        own = top / path.lstrip("/")
        yield from (folder for folder in (own, *own.parents) if folder == top or top in folder.parents)


def _number(path: Path) -> int | None:
    with contextlib.suppress(OSError, ValueError):  # not there, or "max"
        return int(path.read_text(encoding="utf-8"))
    return None


def _quota(folder: Path) -> float | None:
    with contextlib.suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        return int(quota) / int(period)
    quota_us, period_us = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota_us / period_us if quota_us and period_us and quota_us > 0 else None
