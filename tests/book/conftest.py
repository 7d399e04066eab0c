"""The book of plans/tiny.toml, built once for the whole test run, and Chromium or a reason to skip."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.book import browser

ROOT = Path(__file__).parents[2]
CITYLIB = [sys.executable, "-c", "from citylib.cli import main; main()"]


def citylib(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of citylib in the project, with no data at hand but what is embedded."""
    environment = {k: v for k, v in os.environ.items() if k != "CITYLIB_DATA"} | {"CITYLIB_CACHE": os.devnull}
    return subprocess.run(
        [*CITYLIB, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Folder of the tiny book: ``html/`` and ``runs/``; one of several workers builds it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / "tiny-book"
    out.mkdir(exist_ok=True)
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "html" / "index.html").is_file():
            done = citylib("book", "tiny", "--out", str(out))
            if done.returncode:
                pytest.fail(f"the tiny book could not be built:\n{done.stdout}\n{done.stderr}")
    return out


@pytest.fixture(scope="session")
def chromium_there() -> None:
    """Skip where Chromium is missing, or fail where CITYLIB_REQUIRE asks for it."""
    reason = browser.missing()
    if reason and "chromium" in os.environ.get("CITYLIB_REQUIRE", ""):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def driver(chromium_there: None) -> Iterator[Any]:
    """A fresh Chromium."""
    with browser.chromium() as started:
        yield started


@pytest.fixture
def address(tiny: Path) -> Iterator[str]:
    """Where the tiny book is served."""
    with browser.serve(tiny / "html") as base:
        yield base
