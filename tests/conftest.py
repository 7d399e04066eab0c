"""What every test may ask for: the real data folder, or a reason to skip."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

from citylib.batch.supervise import THREADS

# Workers share the cores: threads of theirs that wait for one another make small networks several times slower. Before
# numpy and torch are imported, and for what the tests start too.
if "PYTEST_XDIST_WORKER" in os.environ:
    for library in THREADS:
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# The same examples on every machine and in every order: a failure found once is found again.
hypothesis.settings.register_profile("house", derandomize=True, deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The first folder that CITYLIB_DATA names; the test is skipped where it is unset."""
    named = [Path(part) for part in os.environ.get("CITYLIB_DATA", "").split(os.pathsep) if part]
    if not named:
        pytest.skip("needs the real data: set CITYLIB_DATA to the folder that holds traffic-i94 and its siblings")
    folder = named[0].resolve()
    if not folder.is_dir():
        pytest.fail(f"CITYLIB_DATA names {folder}, which is no folder")
    return folder
