"""The processes below another one, as /proc tells them and as psutil does."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from citylib.batch import kin

# A child that starts one in a session of its own from a second thread, which says so once it has all its memory.
FAMILY = """
import subprocess, sys, threading, time
def start():
    work = "import os, time; x = b'x' * 2**26; print(os.getpid(), flush=True); time.sleep(600)"
    command = [sys.executable, "-c", work]
    child = subprocess.Popen(command, start_new_session=True)
    child.wait()
threading.Thread(target=start).start()
time.sleep(600)
"""


@pytest.fixture
def family():
    top = subprocess.Popen([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True)
    grandchild = int(top.stdout.readline())
    yield top.pid, grandchild
    psutil.Process(grandchild).kill()
    top.kill()
    top.wait()
    top.stdout.close()


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "psutil"])
def test_all_below_are_found_and_their_memory_summed(family, proc, monkeypatch, tmp_path):
    if not proc:
        monkeypatch.setattr(kin, "PROC", tmp_path / "none")
    top, grandchild = family
    assert grandchild in kin.below(top)
    assert {top, grandchild} <= set(kin.below(os.getpid()))
    assert top not in kin.below(top)
    rss = psutil.Process(grandchild).memory_info().rss
    assert kin.resident([grandchild]) == pytest.approx(rss, rel=0.2)
    assert kin.resident([top, grandchild]) > kin.resident([grandchild])


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "psutil"])
def test_of_nobody_there_is_nothing(proc, monkeypatch, tmp_path):
    if not proc:
        monkeypatch.setattr(kin, "PROC", tmp_path / "none")
    nobody = max(psutil.pids()) + 100_000
    assert kin.below(nobody) == []
    assert kin.resident([nobody]) == 0
