"""Processes under limits: what they see, and that nothing outlives them."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from citylib.batch import supervise
from citylib.batch.supervise import Limits
from citylib.errors import InputError
from tests.batch.conftest import alive

SECOND = 1 / 60


def watch(tmp_path, source, *, minutes=1.0, memory=2**30, stop=None):
    return supervise.watch(
        [sys.executable, "-c", source],
        env=os.environ,
        cwd=tmp_path,
        log=tmp_path / "log",
        limits=Limits(minutes, memory),
        stop=stop,
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2 GiB", 2**31),
        ("64MiB", 2**26),
        ("1.5 MB", 1_500_000),
        ("10 kb", 10_000),
        ("7", 7),
        (2**20, 2**20),
        ("3 B", 3),
    ],
)
def test_sizes_are_read(text, size):
    assert supervise.size_in_bytes("memory", text) == size


@pytest.mark.parametrize("text", ["", "much", "2 parsecs", "-1 MB", "0 MB", 0, True, 1.5, None])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(InputError, match="memory must be a size"):
        supervise.size_in_bytes("memory", text)


@pytest.mark.parametrize("given", [{"minutes": 0}, {"minutes": "5"}, {"minutes": True}, {"hours": 1}, {"output": "x"}])
def test_limits_out_of_form_are_refused(given):
    with pytest.raises(InputError):
        Limits.of(given)


def test_a_process_that_ends_is_reported(tmp_path):
    seen = watch(tmp_path, "import sys, time; print('hi'); time.sleep(0.5); sys.exit(3)")
    assert (seen.verdict, seen.returncode) == ("ended", 3)
    assert seen.peak_memory_bytes > 2**20
    assert 0.4 < seen.seconds < 20
    assert (tmp_path / "log").read_text() == "hi\n"


# A child that starts another which ignores what it is told, and writes its id.
FAMILY = """
import subprocess, sys, time
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_over_time_the_whole_family_is_ended(tmp_path):
    seen = watch(tmp_path, FAMILY, minutes=1.5 * SECOND)
    assert seen.verdict == "time"
    assert 1.4 < seen.seconds < 10
    assert not alive(int((tmp_path / "log").read_text()))


def test_over_memory_it_is_ended(tmp_path):
    hungry = "import time\nkept = []\nwhile True:\n    kept.append(b'x' * 2**24)\n    time.sleep(0.02)"
    seen = watch(tmp_path, hungry, memory=2**27)
    assert seen.verdict == "memory"
    assert 2**27 < seen.peak_memory_bytes < 2**30


def test_told_to_stop_it_is_ended(tmp_path):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    seen = watch(tmp_path, "import time; time.sleep(600)", stop=stop)
    assert seen.verdict == "stopped"
    assert time.monotonic() - began < 10


def test_an_interrupt_ends_it_too(tmp_path, monkeypatch):
    def interrupted(pids):
        raise KeyboardInterrupt

    monkeypatch.setattr(supervise.kin, "resident", interrupted)
    with pytest.raises(KeyboardInterrupt):
        watch(tmp_path, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    printed = (tmp_path / "log").read_text()
    assert not printed or not alive(int(printed))


def test_the_environment_is_fixed_where_it_could_change_a_result(tmp_path, monkeypatch):
    for name in ("PYTHONSTARTUP", "PYTHONWARNINGS", "FORCE_COLOR"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("MPLBACKEND", "TkAgg")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.setenv("CITYLIB_DATA", os.pathsep.join(["data", "/absolute"]))
    monkeypatch.setenv("CITYLIB_CACHE", "kept")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "mine"]))
    monkeypatch.setenv("PWD", "/home/somebody")
    monkeypatch.setenv("MY_OWN", "stays")
    env = supervise.environment(tmp_path / "scratch", tmp_path)
    assert not {"PYTHONSTARTUP", "PYTHONWARNINGS", "FORCE_COLOR"} & set(env)
    assert env["CITYLIB_DATA"] == os.pathsep.join([str(tmp_path / "data"), "/absolute"])
    assert env["CITYLIB_CACHE"] == str(tmp_path / "kept")
    assert (env["TZ"], env["PYTHONHASHSEED"], env["OMP_NUM_THREADS"], env["MY_OWN"]) == ("UTC", "0", "1", "stays")
    assert env["PYTHONPATH"] == str(tmp_path / "mine")
    assert "PWD" not in env
    assert Path(env["MATPLOTLIBRC"]).parent == tmp_path / "scratch"
    assert "inline" in env["MPLBACKEND"]
    assert env["TMPDIR"].startswith(str(tmp_path))


def test_an_unset_data_folder_stays_unset(tmp_path, monkeypatch):
    monkeypatch.delenv("CITYLIB_DATA", raising=False)
    assert "CITYLIB_DATA" not in supervise.environment(tmp_path, tmp_path)
