"""Many runs: bounded, resumable, and told as they go; mostly with a stand-in for the attempt, so without kernels."""

from __future__ import annotations

import json
import os
from concurrent import futures
from dataclasses import replace

import psutil
import pytest

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


def test_an_interrupt_stops_cleanly_and_the_next_call_goes_on(attempts, plan_of, tmp_path):
    plan = plan_of(10, 11, 12, 13, 14)
    outcomes = run_plan(plan, tmp_path / "out", 1, Told(interrupt_at=2))
    assert [o.status for o in outcomes[:2]] == ["ok", "ok"]
    assert {o.status for o in outcomes[2:]} == {"stopped"}
    assert parts(tmp_path) == []
    again = run_plan(plan, tmp_path / "out", 1)
    assert [o.status for o in again] == ["skipped"] * 2 + ["ok"] * 3


def test_any_executor_will_do(attempts, plan_of, tmp_path):
    told = Told()
    with futures.ThreadPoolExecutor(1) as pool:
        outcomes = run_plan(plan_of(10, 1), tmp_path / "out", progress=told, executor=pool)
        assert pool.submit(int).result() == 0, "an executor that was handed in is not shut down"
    assert [o.status for o in outcomes] == ["ok", "failed"]
    assert ("started", "h0") not in told.lines


@pytest.mark.slow
def test_runs_and_outcomes_travel_between_processes(planned, project):
    plan = Plan("p", (planned("x = 1"),))
    with futures.ProcessPoolExecutor(1) as pool:
        (outcome,) = run_plan(plan, project / "out", executor=pool)
    assert outcome.ok


def test_workers_must_be_some(plan_of, tmp_path):
    with pytest.raises(InputError, match="workers must be at least 1"):
        run_plan(plan_of(1), tmp_path, 0)


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
