"""What is left when a forked kernel, its keeper or its runner ends badly: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from citylib.batch import receipt, warm
from citylib.batch.run import run_one
from tests.batch.conftest import alive, below, folders, kernel_of, printed, seated

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no pidfd: kernels are started, not forked")

SLOW = pytest.mark.slow  # the table of faults brings the same about

DAEMON = "import os\nos.system('setsid sleep 600 > /dev/null 2>&1 & echo $!')"


@SLOW
def test_what_a_cell_starts_ends_with_the_run(planned, project):
    run = planned(DAEMON)
    with seated(run) as (parents, runs):
        for r in runs:
            outcome = run_one(r, r.folder(project / "out"), warm=parents)
            assert kernel_of(outcome)["forked"]
            assert not alive(int(printed(outcome.folder)[0]))


HANG = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"
HUNGRY = "x = b'x' * 2**29\nimport time\ntime.sleep(600)"


def test_a_kernel_that_ends_its_keeper_at_once_leaves_nothing(planned, project):
    source = (
        "import ctypes, os, subprocess\n"
        "pids = [subprocess.Popen(['sleep', '600'], start_new_session=True).pid, os.getpid()]\n"
        f"open({str(project / 'pids')!r}, 'w').write(' '.join(map(str, pids)))\n"
        "os.kill(os.getppid(), 9)\n"
        "ctypes.PyDLL(None).sleep(600)"  # in C, and with the interpreter's lock: nothing of its own sees it through
    )
    with seated(planned(source)) as (parents, runs):
        outcome = run_one(runs[0], runs[0].folder(project / "out"), warm=parents)
    assert outcome.status == "died"
    started = [int(word) for word in (project / "pids").read_text().split()]
    assert len(started) == 2
    assert [pid for pid in started if alive(pid)] == []


@pytest.mark.parametrize(
    ("source", "limits", "status"),
    [
        pytest.param(HANG, {"minutes": 0.05}, "time", marks=SLOW),
        pytest.param(HUNGRY, {"memory": "400 MiB"}, "memory", marks=SLOW),
        ("import os; os._exit(3)", {}, "died"),
        pytest.param("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", {}, "died", marks=SLOW),
        pytest.param("import sys; sys.exit(0)", {}, "failed", marks=SLOW),
        pytest.param("print('x' * 3_000_000)", {}, "output", marks=SLOW),
        ("1 / 0", {}, "failed"),
    ],
)
def test_a_forked_kernel_that_ends_badly_is_told_like_a_started_one(planned, project, source, limits, status):
    run = planned(source, limits=limits)
    with seated(run) as (parents, runs):
        outcome = run_one(runs[0], runs[0].folder(project / "out"), warm=parents)
        assert (outcome.status, outcome.error["cell"]) == (status, "cell-0"), outcome.describe()
        content = receipt.read(outcome.folder)
        assert content["error"]["source"] == source
        assert below(parents) == []
    assert folders(project) == []


RUNNER = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from citylib.batch import plan
from citylib.batch.run import run_one
from citylib.batch.warm import Warm
one = plan.single(Path(sys.argv[1]), {}).runs[0]
runs = [replace(one, id=f"r{i}") for i in range(2)]
with Warm(runs) as parents:
    run_one(runs[0], runs[0].folder(Path(sys.argv[2])), warm=parents)
"""


def test_with_the_runner_killed_nothing_lives_on(planned, project):
    marker = project / "pid"
    write = f"import os, time, pathlib\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    run = planned(write)
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, str(run.path), str(project / "out")])
    deadline = time.monotonic() + 60
    while not marker.exists() or not marker.read_text():
        assert time.monotonic() < deadline
        assert runner.poll() is None
        time.sleep(0.05)
    (own,) = (f for f in Path(tempfile.gettempdir()).glob("citylib-*") if _belongs(f, runner.pid))
    family = [runner.pid, *(p.pid for p in psutil.Process(runner.pid).children(recursive=True))]
    assert int(marker.read_text()) in family
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    while any(alive(pid) for pid in family):
        assert time.monotonic() < deadline, [psutil.Process(p).cmdline() for p in family if alive(p)]
        time.sleep(0.05)
    assert folders(project) == []
    assert not own.exists()


def _belongs(folder: Path, runner: int) -> bool:
    """Whether a folder is that of the parents of a runner: they work in it."""
    return any(Path(p.cwd()) == folder for p in psutil.Process(runner).children() if p.cmdline()[1:2] == ["-"])


def test_what_killed_runners_left_is_swept_after_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nobody = max(psutil.pids()) + 100_000
    old, of_one_alive, fresh, other = (
        tmp_path / name
        for name in (f"citylib-{nobody}-a", f"citylib-{os.getpid()}-b", f"citylib-{nobody}-c", "citylib-x-d")
    )
    for folder in (old, of_one_alive, fresh, other):
        folder.mkdir()
    for folder in (old, of_one_alive, other):
        os.utime(folder, (0, 0))
    made = warm.own_folder()
    assert sorted(tmp_path.iterdir()) == sorted([of_one_alive, fresh, other, made])
