"""A worker of a Dask cluster is killed while it carries a run out."""

from __future__ import annotations

import os
import signal

import psutil

from tests.faults.conftest import left_over, wait
from tests.faults.table import fault


def worker_of(runner: int, kernel: int) -> int:
    """Return the number of the worker that a kernel's run is carried out by: the last of Dask's above the kernel."""
    above = psutil.Process(kernel).parents()
    found = [p for p in above if p.pid != runner and any("multiprocessing" in word for word in p.cmdline())]
    return found[0].pid


@fault("dask-worker-killed")
def test_a_run_whose_dask_worker_is_killed_is_done_again(grid, token):
    made = grid(2)
    with made.start("--dask", "local") as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        notes = {int(p.name.partition("-")[0]): p for p in (made.project / "desk").glob("*.began")}
        kernel = int(notes[1].stem.partition("-")[2])
        os.kill(worker_of(runner.pid, kernel), signal.SIGKILL)
        wait(lambda: not psutil.pid_exists(kernel), "the kernel to end with its worker")
        wait(lambda: made.began().count(1) == 2, "the run to be tried again")
        (made.project / "desk" / "go").touch()
        assert runner.wait(90) == 0, made.said()
    assert left_over(token) == []
    made.is_whole()
    assert (made.began(), made.ended()) == ([1, 1, 2], [1, 2]), "the other run went on as if nothing had been"
