"""Runs that a Dask cluster does: the same results, a lost worker's runs done again, refusals before anything starts."""

from __future__ import annotations

import os
import pickle
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from citylib.batch import errand, executors
from citylib.batch.errand import Errand, Likeness, StopFile
from citylib.batch.executors import Cluster
from citylib.batch.interrupts import Interrupts
from citylib.batch.plan import Plan
from citylib.batch.schedule import run_plan
from citylib.errors import InputError, RunError
from tests.batch.conftest import Told, alive, parts

NOTED = """
from citylib import results
import os, pathlib, time
place = pathlib.Path(source)
with (place / "starts").open("a") as stream:
    _ = stream.write(f"{horizon} {os.getpid()}\\n")
while horizon < 3 and not (place / "go").exists():
    time.sleep(0.05)
_ = results.record("mae", 1.5 * horizon, unit="veh/h")
"""


@pytest.fixture
def noted(planned, project):
    """Return a plan whose runs note that they start; those of horizons 1 and 2 wait to be let go on."""
    (project / "place").mkdir()

    def make(*horizons):
        one = planned(NOTED, given={"source": str(project / "place")})
        return Plan("p", tuple(
            replace(one, id=f"h{h}", parameters=dict(one.parameters) | {"horizon": h}) for h in horizons
        ))  # fmt: skip

    return make


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return ended.pid


def starts(project: Path, count: int) -> list[tuple[str, int]]:
    """Wait until so many runs have started; return horizon and kernel of each."""
    path = project / "place" / "starts"
    for _ in range(1200):
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count:
            return [(line.split()[0], int(line.split()[1])) for line in lines]
        time.sleep(0.05)
    raise AssertionError(f"{len(lines)} runs started, {count} were to")


def made(folder: Path) -> dict[str, bytes]:
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: content for name, content in files.items() if Path(name).name != "receipt.json"}


@contextmanager
def meanwhile(do):
    """Do something in a thread of its own; what it raises is raised here at the end."""
    faults: list[BaseException] = []

    def call():
        try:
            do()
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=call)
    thread.start()
    yield
    thread.join(60)
    assert faults == []


@pytest.mark.slow  # the table of faults brings the same about
def test_a_killed_workers_runs_are_done_again_and_all_results_are_those_of_here(noted, project):
    plan = noted(1, 3, 4)
    killed = []

    def kill():
        # Run 3 starts at the same time, and may be there first.
        kernel = next(begun["1"] for count in (1, 2, 3) if "1" in (begun := dict(starts(project, count))))
        (worker,) = {p.pid for p in psutil.Process(kernel).parents()} & set(workers)
        os.kill(worker, signal.SIGKILL)
        killed.append(kernel)
        (project / "place" / "go").touch()

    with executors.dask("local", workers=2) as cluster:
        assert cluster.room() == executors.Room(2, None)
        workers = list(cluster.client.run(os.getpid).values())
        with meanwhile(kill):
            outcomes = run_plan(plan, Path("there"), executor=cluster)
    assert [o.status for o in outcomes] == ["ok"] * 3, [o.describe() for o in outcomes]
    assert not alive(killed[0]), "what a lost worker ran must end with it"
    assert [o.folder for o in outcomes] == [r.folder(Path("there/p")) for r in plan.runs]
    assert sorted(h for h, _ in starts(project, 4)) == ["1", "1", "3", "4"]
    assert sorted(p.name for p in outcomes[0].folder.parent.iterdir()) == ["h1", "h3", "h4"]
    assert [p for p in psutil.Process().children(recursive=True) if p.pid in workers] == []

    here = run_plan(plan, Path("here"), 2)
    assert [o.status for o in here] == ["ok"] * 3
    assert made(Path("there")) == made(Path("here"))
    assert [o.status for o in run_plan(plan, Path("there"))] == ["skipped"] * 3


@pytest.mark.slow
def test_stopping_now_reaches_the_workers(noted, project):
    interrupts = Interrupts()
    kernels = []

    def ask():
        kernels.extend(kernel for _, kernel in starts(project, 2))
        interrupts.now()

    with executors.dask("local", workers=2) as cluster, meanwhile(ask):
        outcomes = run_plan(noted(1, 2, 3), project / "out", executor=cluster, interrupts=interrupts)
        assert not any(map(alive, kernels)), "before the cluster is closed"
    assert [o.status for o in outcomes] == ["stopped"] * 3
    assert [p for p in (project / "out").rglob("*") if p.is_file()] == []


@pytest.fixture
def abroad(project):
    """Start a scheduler and two workers, each as a process of its own; return scheduler, address and file."""
    file = project / "scheduler.json"
    dask, quiet = [sys.executable, "-m", "dask"], {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    here = ["--host", "127.0.0.1", "--scheduler-file", str(file), "--no-dashboard"]
    worker = [*dask, "worker", *here, "--nthreads", "1", "--no-nanny", "--memory-limit", "3GiB"]
    commands = [[*dask, "scheduler", *here, "--port", "0"], worker, worker]
    processes = [subprocess.Popen(command, cwd=project, **quiet) for command in commands]
    try:
        for _ in range(600):
            if file.exists():
                break
            time.sleep(0.05)
        yield processes[0], file
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_lost_scheduler_is_reported_for_each_run_and_nothing_hangs(noted, project, abroad, monkeypatch):
    monkeypatch.setattr(executors, "TIMEOUT", 5.0)
    scheduler, file = abroad
    told = Told()

    def kill():
        starts(project, 2)
        scheduler.kill()

    with executors.dask(str(file)) as cluster:
        cluster.client.wait_for_workers(2, timeout=60)
        assert cluster.room() == executors.Room(2, 6 * 2**30)
        with meanwhile(kill):
            outcomes = run_plan(noted(1, 2, 3), project / "out", progress=told, executor=cluster)
    assert [o.status for o in outcomes] == ["died", "died", "stopped"]
    assert all("lost" in o.error["message"] for o in outcomes[:2])
    assert told.lines[-1] == ("end",)


# --- a cluster of threads in this process, with a stand-in for the attempt ---


@pytest.fixture
def client():
    import distributed

    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "memory_limit": 0, "host": "127.0.0.1"}
    off = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(**options, protocol="tcp", scheduler_kwargs=off) as local,
        distributed.Client(local, set_as_default=False) as connected,
    ):
        yield connected


def test_a_cluster_is_an_executor_like_any_other(attempts, plan_of, tmp_path, client):
    told = Told()
    outcomes = run_plan(plan_of(10, 1, 12), tmp_path / "out", progress=told, executor=Cluster(client, "threads"))
    assert [o.status for o in outcomes] == ["ok", "failed", "ok"]
    assert len([line for line in told.lines if line[0] == "started"]) == 3
    assert list(tmp_path.rglob(".*")) == []
    assert Cluster(client, "threads", workers=1, memory=5).room() == executors.Room(1, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"python": "2.7.18"}, f"has Python {platform.python_version()}, not 2.7.18"),
        ({"citylib": "0.0.9"}, r"has citylib \S+, not 0.0.9"),
        ({"package": "0" * 64}, r"has another citylib \S+: its files differ"),
        ({"files": (("/nowhere/a.ipynb", "0" * 64),)}, "does not see /nowhere/a.ipynb"),
        ({"files": ((__file__, "0" * 64),)}, "sees another .*test_executors.py"),
    ],
)
def test_a_worker_that_is_not_like_the_runner_is_refused(
    attempts, plan_of, tmp_path, client, monkeypatch, change, message
):
    assert Likeness.of([Path(__file__)]).faults() == []
    wanted = replace(Likeness.of([]), **change)
    monkeypatch.setattr(Likeness, "of", classmethod(lambda cls, files: wanted))
    with pytest.raises(RunError, match=f"--dask threads: workers must share this project\n  - tcp://.* {message}"):
        run_plan(plan_of(10), tmp_path / "out", executor=Cluster(client, "threads"))
    assert attempts == []
    assert list(tmp_path.rglob(".runner-*")) == []


def test_a_worker_that_comes_later_is_asked_too(planned, tmp_path):
    wanted = planned("x = 1")
    like = replace(Likeness.of([]), citylib="0.0.9")
    sent = Errand.of(wanted, tmp_path / "x", stop=StopFile(tmp_path / "s"), force=False, number=1, like=like)
    with pytest.raises(RunError, match=r"The worker on \S+ has citylib"):
        errand.carry_out(sent)


def test_a_first_worker_is_waited_for_only_so_long(monkeypatch, client):
    cluster = Cluster(client, "threads")
    monkeypatch.setattr(client, "run", lambda *_, **__: {})
    assert cluster.check([]).package == "", "the first that comes is asked"
    monkeypatch.setattr(executors, "FIRST_WORKER", 0.0)
    with pytest.raises(RunError, match="no worker came within 0 s"):
        cluster.check([])


def test_what_travels_has_absolute_paths_and_the_variables_that_decide_what_is_read(planned, monkeypatch, project):
    monkeypatch.setenv("CITYLIB_DATA", "data")
    monkeypatch.delenv("CITYLIB_CACHE", raising=False)
    wanted = replace(planned("x = 1"), base=Path("below"))
    stop = StopFile.beside(Path("out"))
    sent = Errand.of(wanted, Path("out/x"), stop=stop, force=False, number=2)
    assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301 (it was made in the line before)
    paths = (sent.folder, sent.run.base, sent.stop.path.parent)
    assert paths == (project / "out/x", project / "below", project / "out")
    assert sent.variables["CITYLIB_DATA"] == "data"
    assert "CITYLIB_CACHE" not in sent.variables


def test_a_stop_file_says_so_to_all_who_read_it(tmp_path):
    stop = StopFile.beside(tmp_path / "runs")
    other = StopFile(stop.path)
    assert not other.is_set(), "there is none yet"
    with stop.laid_down():
        assert not other.is_set()
        stop.set()
        assert other.is_set()
    assert parts(tmp_path) == []
    assert not other.is_set()


def test_what_killed_runners_of_this_machine_left_is_swept_away_and_nothing_else(tmp_path, gone):
    runs, here = tmp_path / "runs", platform.node()
    runs.mkdir()
    ours = [
        f".runner-{here}-{os.getpid()}-0123abcd",
        f".runner-elsewhere-{gone}-0123abcd",
        f".runner-{here}-x-0123abcd",
    ]
    for name in (*ours, f".runner-{here}-{gone}-0123abcd"):
        (runs / name).write_text("go on")
    stop = StopFile.beside(runs)
    with stop.laid_down():
        assert {p.name for p in runs.iterdir()} == {*ours, stop.path.name}
    assert {p.name for p in runs.iterdir()} == set(ours)


def test_a_cluster_on_this_machine_sweeps_the_folders_of_those_that_were_killed(tmp_path, monkeypatch, gone):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(executors, "_local_cluster", lambda *_: pytest.fail("far enough"))
    left = tmp_path / f"citylib-dask-{platform.node()}-{gone}-abc_123"
    (left / "dask-scratch-space").mkdir(parents=True)
    other = tmp_path / f"citylib-dask-{platform.node()}-{os.getpid()}-abc_123"
    other.mkdir()
    with pytest.raises(pytest.fail.Exception, match="far enough"), executors.dask("local", workers=1):
        pass
    assert list(tmp_path.iterdir()) == [other]


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("somewhere", InputError, "--dask must be local, an address such as"),
        ("tcp://host", InputError, "--dask must be local, an address such as"),
        ("tcp://127.0.0.1:9", RunError, "--dask tcp://127.0.0.1:9: no scheduler answers there"),
    ],
)
def test_what_is_no_cluster_is_refused(address, error, message, monkeypatch):
    monkeypatch.setattr(executors, "TIMEOUT", 0.5)
    with pytest.raises(error, match=message), executors.dask(address):
        pass
