"""Many runs: bounded, resumable, and told as they go; mostly with a stand-in for the attempt, so without kernels."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent import futures
from dataclasses import replace

import psutil
import pytest

from citylib.batch import receipt, run
from citylib.batch.interrupts import Interrupts
from citylib.batch.plan import Plan
from citylib.batch.schedule import run_plan
from citylib.errors import InputError, RunError
from tests.batch.conftest import Told, parts


def test_a_plan_is_run_and_then_skipped(attempts, plan_of, tmp_path):
    told = Told()
    plan = plan_of(10, 11, 12)
    outcomes = run_plan(plan, tmp_path / "out", 2, told)
    assert [o.status for o in outcomes] == ["ok"] * 3
    assert [o.run.id for o in outcomes] == ["h0", "h1", "h2"]
    assert outcomes[0].folder == tmp_path / "out" / "p" / "fam" / "02_made" / "h0"
    assert (told.lines[0], told.lines[-1]) == (("begin", 3), ("end",))
    assert sorted(told.lines[1:-1]) == sorted([(s, f"h{i}") for s in ("started", "ok") for i in range(3)])

    again = run_plan(plan, tmp_path / "out", 2)
    assert [(o.status, o.reason) for o in again] == [("skipped", "unchanged")] * 3
    assert len(attempts) == 3
    forced = run_plan(plan, tmp_path / "out", force=True)
    assert [(o.status, o.reason) for o in forced] == [("ok", "asked for")] * 3
    assert len(attempts) == 6


def test_one_failure_does_not_stop_the_others(attempts, plan_of, tmp_path):
    outcomes = run_plan(plan_of(1, 2, 3, 99, 24), tmp_path / "out", 1)
    assert [o.status for o in outcomes] == ["failed", "time", "died", "failed", "ok"]
    assert outcomes[3].error["message"] == "[Errno 28] No space left on device"
    with pytest.raises(RunError, match="died"):
        outcomes[2].check()
    left = sorted(p.name for p in (tmp_path / "out" / "p" / "fam" / "02_made").iterdir())
    assert left == ["h0.failed", "h1.failed", "h2.failed", "h4"]


def test_fail_fast_starts_no_more(attempts, plan_of, tmp_path):
    outcomes = run_plan(plan_of(24, 1, 25, 26, 27, 28, 29), tmp_path / "out", 1, fail_fast=True)
    assert [o.status for o in outcomes[:2]] == ["ok", "failed"]
    assert [o.status for o in outcomes[4:]] == ["stopped"] * 3


@pytest.mark.parametrize(
    ("ask", "ends"),
    [("once", ["ok", "ok", "ok", "stopped", "stopped"]), ("now", ["ok", "ok", "stopped", "stopped", "stopped"])],
)
def test_an_interrupt_stops_cleanly_and_the_next_call_goes_on(attempts, plan_of, tmp_path, ask, ends):
    plan = plan_of(10, 11, 12, 13, 14)
    interrupts = Interrupts()

    class Asking(Told):
        def started(self, wanted, folder):
            super().started(wanted, folder)
            if wanted.id == "h2":
                getattr(interrupts, ask)()

    told = Asking()
    outcomes = run_plan(plan, tmp_path / "out", 1, told, interrupts=interrupts)
    assert [o.status for o in outcomes] == ends
    (note,) = [line[1] for line in told.lines if line[0] == "note"]
    assert note.startswith("no more runs are started; 1 under way" if ask == "once" else "stopping now: 1 under way")
    assert ("started", "h3") not in told.lines
    assert parts(tmp_path) == []
    again = run_plan(plan, tmp_path / "out", 1)
    assert [o.status for o in again] == ["ok" if status == "stopped" else "skipped" for status in ends]


def test_two_signals_stop_now_and_the_handlers_are_put_back(attempts, plan_of, tmp_path):
    before = signal.getsignal(signal.SIGINT)

    class Impatient(Told):
        def started(self, wanted, folder):
            super().started(wanted, folder)
            if wanted.id == "h1":
                for _ in range(2):
                    signal.raise_signal(signal.SIGINT)

    outcomes = run_plan(plan_of(10, 11, 12), tmp_path / "out", 1, Impatient())
    assert [o.status for o in outcomes] == ["ok", "stopped", "stopped"]
    assert signal.getsignal(signal.SIGINT) is before


# --- as many at a time as there is room for ---


@pytest.fixture
def crowd(monkeypatch):
    """Replace the attempt by one that notes which runs are under way at the same time."""
    seen: list[set[str]] = []
    now: set[str] = set()
    lock = threading.Lock()

    def attempt(wanted, staging, hashes, stop=None, warm=None):
        with lock:
            now.add(wanted.id)
            seen.append(set(now))
        time.sleep(0.03)
        with lock:
            now.discard(wanted.id)
        return {"outcome": "ok", "seconds": 0.0, "error": None}

    monkeypatch.setattr(run, "attempt", attempt)
    return seen


def asking(plan, *gib):
    """Return a plan whose runs ask for so much memory."""
    runs = [replace(r, limits=replace(r.limits, memory=g * 2**30)) for r, g in zip(plan.runs, gib, strict=True)]
    return replace(plan, runs=tuple(runs))


@pytest.mark.parametrize(
    ("workers", "budget", "gib", "most"),
    [
        (3, 100, [1] * 9, 3),  # bounded by the workers
        (9, 4, [2] * 9, 2),  # bounded by memory
        (9, 3, [2] * 5, 1),  # two do not fit
        (9, 1, [2] * 3, 1),  # more than there is: alone
    ],
)
def test_never_more_under_way_than_workers_and_memory_allow(crowd, plan_of, tmp_path, workers, budget, gib, most):
    plan = asking(plan_of(*range(3, 3 + len(gib))), *gib)
    outcomes = run_plan(plan, tmp_path / "out", workers, memory_budget=budget * 2**30)
    assert all(o.ok for o in outcomes)
    assert max(map(len, crowd)) == most


def test_a_large_run_is_not_overtaken_and_its_size_is_told(crowd, plan_of, tmp_path):
    told = Told()
    plan = asking(plan_of(*range(3, 9)), 1, 8, 1, 1, 5, 1)
    run_plan(plan, tmp_path / "out", 4, told, memory_budget=4 * 2**30)
    assert [line[1] for line in told.lines if line[0] == "started"] == [f"h{i}" for i in range(6)]
    assert {"h1"} in crowd
    assert {"h4"} in crowd
    assert all(together in ({"h1"}, {"h4"}) for together in crowd if together & {"h1", "h4"})
    (note,) = [line[1] for line in told.lines if line[0] == "note"]
    assert note == ("2 of the runs may use more memory than the budget of 4,096 MiB and run alone: "
                    "fam/02_made [h1], fam/02_made [h4]")  # fmt: skip


def test_a_thousand_runs_take_as_many_threads_as_there_are_workers(plan_of, tmp_path, monkeypatch):
    threads = []

    def attempt(wanted, staging, hashes, stop=None, warm=None):
        threads.append(threading.active_count())
        return {"outcome": "ok", "seconds": 0.0, "error": None}

    monkeypatch.setattr(run, "attempt", attempt)
    before = threading.active_count()
    plan = plan_of(*range(3, 1003))
    assert all(o.ok for o in run_plan(plan, tmp_path / "out", 3, memory_budget=2**40))
    assert len(threads) == 1000
    assert max(threads) <= before + 3


# --- tries ---


def trying(plan, retries):
    return replace(plan, runs=tuple(replace(r, retries=retries) for r in plan.runs))


@pytest.fixture
def moody(monkeypatch, attempts):
    """Let the attempts at a run end badly so many times before they end well."""
    steady, bad = run.attempt, {}

    def attempt(wanted, staging, hashes, stop=None, warm=None):
        content = steady(wanted, staging, hashes, stop)
        if bad.get(wanted.id, 0) > 0:
            bad[wanted.id] -= 1
            content |= {"outcome": "died", "error": {"cell": "c", "source": "s", "name": "E", "message": "m"}}
        return content

    monkeypatch.setattr(run, "attempt", attempt)
    return bad


def test_what_ended_badly_is_tried_again_behind_the_others(attempts, moody, plan_of, tmp_path):
    moody |= {"h0": 2, "h1": 9}
    told = Told()
    outcomes = run_plan(trying(plan_of(10, 11, 12), 2), tmp_path / "out", 1, told)
    assert [(o.status, o.attempt) for o in outcomes] == [("ok", 3), ("died", 3), ("ok", 1)]
    assert attempts == ["h0", "h1", "h2", "h0", "h1", "h0", "h1"]
    assert [line[1:] for line in told.lines if line[0] == "again"] == [
        ("h0", 1, 3), ("h1", 1, 3), ("h0", 2, 3), ("h1", 2, 3)
    ]  # fmt: skip
    assert [line for line in told.lines if line[0] in ("ok", "died")] == [("ok", "h2"), ("ok", "h0"), ("died", "h1")]
    assert [receipt.read(o.folder)["attempt"] for o in outcomes] == [3, 3, 1]
    assert "died, tried 3 times" in outcomes[1].describe()
    assert not outcomes[0].folder.with_name("h0.failed").exists()


def test_only_a_last_try_ends_a_plan_that_fails_fast(attempts, moody, plan_of, tmp_path):
    moody |= {"h0": 1}
    outcomes = run_plan(trying(plan_of(10, 11, 12), 1), tmp_path / "out", 1, fail_fast=True)
    assert [o.status for o in outcomes] == ["ok"] * 3
    told, moody["h1"], moody["h2"] = Told(), 9, 9
    outcomes = run_plan(trying(plan_of(10, 11, 12), 1), tmp_path / "out", 1, told, fail_fast=True, force=True)
    assert [(o.status, o.attempt) for o in outcomes] == [("ok", 1), ("died", 2), ("died", 1)]
    assert [line for line in told.lines if line[0] == "died"] == [("died", "h1"), ("died", "h2")]


def test_an_interrupt_leaves_no_try_for_later(attempts, moody, plan_of, tmp_path):
    moody |= {"h0": 9}
    interrupts = Interrupts()
    told = Told(ask=interrupts.once, at=1)
    outcomes = run_plan(trying(plan_of(10, 11, 12), 5), tmp_path / "out", 1, told, interrupts=interrupts)
    assert [o.status for o in outcomes] == ["died", "ok", "stopped"]
    assert attempts == ["h0", "h1"]
    assert ("died", "h0") in told.lines


# --- elsewhere ---


def test_any_executor_will_do(attempts, plan_of, tmp_path):
    told = Told()
    with futures.ThreadPoolExecutor(1) as pool:
        outcomes = run_plan(plan_of(10, 1), tmp_path / "out", progress=told, executor=pool)
        assert pool.submit(int).result() == 0, "an executor that was handed in is not shut down"
    assert [o.status for o in outcomes] == ["ok", "failed"]
    assert [o.folder.name for o in outcomes] == ["h0", "h1.failed"]
    assert ("started", "h0") in told.lines
    assert list(tmp_path.rglob(".*")) == []


class Losing(futures.Executor):
    """An executor whose workers are lost the first times."""

    def __init__(self, fault: Exception, times: int) -> None:
        self.fault, self.times = fault, times

    def submit(self, fn, /, *args, **kwargs):
        future: futures.Future = futures.Future()
        self.times -= 1
        if self.times < 0:
            future.set_result(fn(*args, **kwargs))
        elif isinstance(self.fault, futures.CancelledError):
            future.cancel()
        else:
            future.set_exception(self.fault)
        return future


class KilledWorker(Exception):
    """As Dask's is called."""


@pytest.mark.parametrize("fault", [futures.CancelledError(), futures.BrokenExecutor("gone"), KilledWorker("w")])
def test_a_run_whose_worker_was_lost_is_tried_again_once_in_any_case(attempts, plan_of, tmp_path, fault):
    told = Told()
    (outcome,) = run_plan(plan_of(10), tmp_path / "out", 1, told, executor=Losing(fault, 1))
    assert (outcome.status, outcome.attempt) == ("ok", 2)
    assert ("again", "h0", 1, 2) in told.lines
    (outcome,) = run_plan(plan_of(11), tmp_path / "out", 1, executor=Losing(fault, 2))
    assert (outcome.status, outcome.attempt, outcome.error["name"]) == ("died", 2, "RunError")
    assert "The worker that carried it out was lost" in outcome.error["message"]
    (outcome,) = run_plan(trying(plan_of(12), 3), tmp_path / "out", 1, executor=Losing(fault, 3))
    assert (outcome.status, outcome.attempt) == ("ok", 4)


def test_an_executor_that_takes_nothing_fails_each_run_and_nothing_hangs(attempts, plan_of, tmp_path):
    pool = futures.ThreadPoolExecutor(1)
    pool.shutdown()
    outcomes = run_plan(plan_of(10, 11), tmp_path / "out", 1, executor=pool)
    assert [o.status for o in outcomes] == ["failed", "failed"]
    assert "cannot schedule new futures" in outcomes[0].error["message"]


@pytest.mark.slow
def test_runs_and_outcomes_travel_between_processes(planned, project):
    plan = Plan("p", (planned("x = 1"),))
    with futures.ProcessPoolExecutor(1) as pool:
        (outcome,) = run_plan(plan, project / "out", executor=pool)
    assert outcome.ok


def test_workers_and_memory_must_be_some(plan_of, tmp_path):
    with pytest.raises(InputError, match="workers must be at least 1"):
        run_plan(plan_of(1), tmp_path, 0)
    with pytest.raises(InputError, match="memory_budget must be at least 1"):
        run_plan(plan_of(1), tmp_path, memory_budget=0)


def test_what_a_killed_runner_left_is_swept(attempts, plan_of, tmp_path):
    plan = plan_of(10)
    folder = plan.runs[0].folder(plan.folder(tmp_path / "out"))
    nobody = max(psutil.pids()) + 100_000
    leftover = folder.parent / f".h0.part-{nobody}-abc"
    reused = folder.parent / f".h0.part-{os.getppid()}-abc"  # a process of that number lives, but isn't the one
    failure = folder.parent / ".h0.failed.old-7"
    other = folder.parent / f".h01.part-{nobody}-abc"
    for left in (leftover, reused, failure, other):
        left.mkdir(parents=True)
    run_plan(plan, tmp_path / "out")
    assert sorted(p.name for p in folder.parent.iterdir()) == [other.name, "h0"]


def test_two_runners_on_one_folder_do_each_run_once(attempts, plan_of, tmp_path):
    plan = plan_of(10, 11, 12, 13)
    told = [Told(), Told()]
    with futures.ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda t: run_plan(plan, tmp_path / "out", 2, t), told))
    assert sorted(attempts) == ["h0", "h1", "h2", "h3"]
    assert all(outcome.ok for outcomes in both for outcome in outcomes)
    assert any(line[0] == "waiting" for t in told for line in t.lines)
    assert list(tmp_path.rglob(".*")) == []


def test_a_good_run_that_a_killed_runner_had_moved_away_is_put_back(attempts, plan_of, tmp_path):
    plan = plan_of(10)
    folder = plan.runs[0].folder(plan.folder(tmp_path / "out"))
    run_plan(plan, tmp_path / "out")
    before = json.loads((folder / "receipt.json").read_text())
    folder.rename(folder.with_name(f".h0.old-{max(psutil.pids()) + 100_000}"))
    bad = Plan("p", (replace(plan.runs[0], parameters={"horizon": 1}),))
    assert run_plan(bad, tmp_path / "out")[0].status == "failed"
    assert json.loads((folder / "receipt.json").read_text()) == before
