"""Runners that want the same folder: one after the other, and none for ever."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from citylib.batch import turn as module
from citylib.batch.turn import turn

HOLDER = """
import pathlib, sys, time
from citylib.batch.turn import turn
with turn(pathlib.Path(sys.argv[1])) as held:
    print(held, flush=True)
    time.sleep(60)
"""


def test_a_folder_is_held_and_let_go(tmp_path):
    with turn(tmp_path / "a") as held:
        assert held is True
        assert [p.name for p in tmp_path.iterdir()] == [".a.lock"]
        with turn(tmp_path / "b") as other:
            assert other is True
    assert list(tmp_path.iterdir()) == []


def test_a_second_runner_waits_and_is_told_for_whom(tmp_path):
    stop, told = threading.Event(), []
    stop.set()
    with (
        turn(tmp_path / "a"),
        turn(tmp_path / "a", stop=stop, waiting=told.append) as held,
    ):
        assert held is False
    assert len(told) == 1
    assert told[0].startswith(f"process {os.getpid()} on ")
    with turn(tmp_path / "a") as held:
        assert held is True


def test_a_killed_holder_blocks_nobody(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "a")], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"True\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with turn(tmp_path / "a") as held:
        assert held is True
    assert list(tmp_path.iterdir()) == []


def test_never_two_at_a_time(tmp_path):
    inside, most, lock = [], [], threading.Lock()

    def work():
        for _ in range(5):
            with turn(tmp_path / "a"):
                with lock:
                    inside.append(1)
                    most.append(len(inside))
                time.sleep(0.001)
                with lock:
                    inside.pop()

    module_poll, module.POLL = module.POLL, 0.001
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        module.POLL = module_poll
    assert most == [1] * 20
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_locks_is_done_without(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(module.fcntl, "flock", flock)
    with turn(tmp_path / "a") as held:
        assert held is None
    assert list(tmp_path.iterdir()) == []


def test_another_fault_of_the_file_system_is_told(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module.fcntl, "flock", flock)
    with pytest.raises(OSError, match="Input/output"), turn(tmp_path / "a"):
        pass


def test_a_holder_whose_file_is_gone_still_has_a_name(tmp_path):
    assert module._holder(tmp_path / "none") == "another runner"
