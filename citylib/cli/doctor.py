"""``citylib doctor``: what this machine has, of what citylib can use."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import typer

from citylib import __version__

__all__ = ["doctor", "findings"]

PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "lifelines", "torch", "papermill", "jupyter-book", "jupyterlab")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def doctor() -> None:
    """Show versions, cores, graphics card, browser and the data found here."""
    bad = False
    for good, what, found in findings():
        bad = bad or good is False
        mark = {True: "ok", False: "!!", None: "--"}[good]
        typer.echo(f"{mark}  {what:<14} {found}")
    raise typer.Exit(1 if bad else 0)


def findings() -> Iterator[tuple[bool | None, str, str]]:
    """Yield one line a thing: whether it is as it should be (None: it may be missing), its name, what was found.

    Returns
    -------
    iterator of (bool or None, str, str)
    """
    import psutil

    yield True, "citylib", f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    memory = psutil.virtual_memory().total / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield True, "machine", f"{cores} cores, {memory:.1f} GiB of memory"
    for name in PACKAGES:
        try:
            yield True, name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield False, name, "not installed: run `make setup`"
    yield (
        (True, "warm starts", "kernels are forked from parents that have imported things once")
        if hasattr(os, "pidfd_open")
        else (None, "warm starts", "no pidfd here (Linux 5.3 has it): each run starts an interpreter of its own")
    )
    yield _graphics()
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    yield (
        (True, "browser", browser)
        if browser
        else (None, "browser", "no Chromium: tests of the book's pages are skipped (apt-get install chromium)")
    )
    yield from _data()


def _graphics() -> tuple[bool | None, str, str]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None, "graphics card", "none (not needed: everything runs on the processor)"
    command = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as fault:
        return None, "graphics card", f"nvidia-smi does not answer ({type(fault).__name__})"
    names = asked.stdout.strip().replace("\n", "; ")
    return (True, "graphics card", names) if names else (None, "graphics card", "nvidia-smi names none")


def _data() -> Iterator[tuple[bool | None, str, str]]:
    from citylib.data import cache, registry

    named = [Path(part).expanduser() for part in os.environ.get("CITYLIB_DATA", "").split(os.pathsep) if part]
    known = [source.name for source in registry.sources()]
    if not named:
        yield None, "CITYLIB_DATA", "not set: real data come from the cache or a download"
    for folder in named:
        if not folder.is_dir():
            yield False, "CITYLIB_DATA", f"{folder} is no folder (looked from {Path.cwd()})"
        else:
            held = [name for name in known if (folder / name).is_dir()]
            yield True, "CITYLIB_DATA", f"{folder}: {len(held)} of {len(known)} sets"
    kept = cache.folder()
    held = [name for name in known if any((kept / name).glob("*"))]
    yield (True if held else None), "cache", f"{kept}: {len(held)} of {len(known)} sets"
