"""What runs are expected to cost: by their own receipts, by those of their notebook, or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from citylib.batch.cost import Costs, Expected, expected
from citylib.batch.plan import Plan, PlannedRun
from citylib.errors import InputError

HERE = "tiny"


def run(identity: str, notebook: str = "fam/01_first") -> PlannedRun:
    return PlannedRun(identity, notebook, Path("01_first.ipynb"), {})


def lay(out: Path, identity: str, seconds: float, memory: int = 10, *, plan=HERE, outcome="ok", cpu=None) -> None:
    place = out / plan / "fam" / "01_first" / identity
    place.mkdir(parents=True)
    content = {"schema": 1, "outcome": outcome, "seconds": seconds, "peak_memory_bytes": memory, "cpu_seconds": cpu}
    (place / "receipt.json").write_text(json.dumps(content))


@pytest.fixture
def costs(tmp_path) -> Costs:
    return Costs(Plan(HERE, ()), tmp_path)


def test_a_run_costs_what_it_last_cost(costs, tmp_path):
    lay(tmp_path, "a", 2.5, 7)
    lay(tmp_path, "b", 90.0)
    assert costs.of(run("a")) == Expected(2.5, 7, "its last run")


def test_else_the_median_of_its_notebook_in_this_plan(costs, tmp_path):
    for identity, seconds, memory in (("a", 1.0, 5), ("b", 2.0, 50), ("c", 30.0, 6)):
        lay(tmp_path, identity, seconds, memory)
    lay(tmp_path, "d", 500.0, plan="other")
    assert costs.of(run("new")) == Expected(2.0, 6, "median of 3 runs of its notebook in this plan")


def test_processor_time_is_told_where_the_receipts_do(costs, tmp_path):
    for identity, cpu in (("a", 1.0), ("b", 3.0), ("c", None)):
        lay(tmp_path, identity, 2.0, cpu=cpu)
    assert [costs.of(run(identity)).cpu_seconds for identity in ("a", "c", "new")] == [1.0, None, 2.0]
    assert expected([costs.of(run("a")), costs.of(run("b"))], 2).cpu_seconds == 4.0
    assert expected([costs.of(run("a")), costs.of(run("c"))], 2).cpu_seconds is None
    assert expected([costs.of(run("a")), Expected(None, None, "unknown")], 2).cpu_seconds == 1.0


def test_else_of_its_notebook_in_any_plan(costs, tmp_path):
    lay(tmp_path, "a", 4.0, 8, plan="other")
    assert costs.of(run("new")) == Expected(4.0, 8, "one run of its notebook in all plans")
    assert costs.of(run("new", "fam/02_second")) == Expected(None, None, "unknown")


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1, "outcome": "ok"}', '{"schema": 1, "seconds": "x"}'])
def test_a_receipt_that_is_broken_tells_nothing(costs, tmp_path, text):
    (place := tmp_path / HERE / "fam" / "01_first" / "a").mkdir(parents=True)
    (place / "receipt.json").write_text(text)
    assert not costs.of(run("a")).known


def test_neither_failed_runs_nor_half_ones_count(costs, tmp_path):
    lay(tmp_path, "a.failed", 600.0, outcome="time")
    lay(tmp_path, ".a.part-1-x", 3.0)
    assert not costs.of(run("a")).known


def test_where_there_are_no_runs_nothing_is_known(tmp_path):
    assert not Costs(Plan(HERE, ()), tmp_path / "nowhere").of(run("a")).known


@pytest.mark.parametrize(
    ("seconds", "workers", "wall"),
    [
        ([], 2, 0.0),
        ([3.0], 2, 3.0),
        ([1.0, 1.0, 1.0], 2, 2.0),
        ([4.0, 1.0, 1.0, 1.0], 2, 4.0),
        ([1.0, 1.0, 4.0], 2, 5.0),
        ([1.0, 2.0, 3.0], 1, 6.0),
        ([1.0, 2.0, 3.0], 9, 3.0),
        ([2.0, None, 3.0], 1, 5.0),
    ],
)
def test_the_wall_time_of_all(seconds, workers, wall):
    found = expected([Expected(s, None, "") for s in seconds], workers)
    assert found.wall_seconds == wall
    assert found.seconds == sum(s for s in seconds if s is not None)
    assert (found.count, found.unknown) == (len(seconds), seconds.count(None))


def test_memory_is_that_of_the_most_demanding_at_once():
    costs = [Expected(1.0, memory, "") for memory in (5, 30, 20, 1)]
    assert [expected(costs, workers).peak_memory_bytes for workers in (1, 2, 9)] == [30, 50, 56]


@pytest.mark.parametrize(
    ("runs", "budget", "wall"),
    [
        ([(4.0, 5), (4.0, 5)], None, 4.0),
        ([(4.0, 5), (4.0, 5)], 10, 4.0),
        ([(4.0, 5), (4.0, 5)], 9, 8.0),
        ([(4.0, 99), (4.0, 5)], 9, 8.0),  # it runs alone
        ([(1.0, 5), (9.0, 5), (2.0, 10), (1.0, 1)], 10, 12.0),  # none overtakes the third
        ([(1.0, 3), (5.0, 3), (2.0, 3), (1.0, 3)], 9, 5.0),
        ([(None, 99), (4.0, 5), (4.0, 5)], 10, 4.0),  # of unknown cost
    ],
)
def test_runs_wait_for_memory(runs, budget, wall):
    costs = [Expected(seconds, None, "") for seconds, _ in runs]
    assert expected(costs, 3, limits=[limit for _, limit in runs], budget=budget).wall_seconds == wall


def test_no_more_memory_is_expected_than_the_budget_or_one_run_that_is_above_it():
    costs = [Expected(1.0, memory, "") for memory in (5, 30, 20)]
    found = [expected(costs, 3, limits=[30] * 3, budget=budget).peak_memory_bytes for budget in (99, 40, 10)]
    assert found == [55, 40, 30]
    assert expected([], 3, limits=[], budget=10).peak_memory_bytes == 0


def test_a_budget_needs_limits():
    with pytest.raises(InputError, match="budget must be given with limits"):
        expected([], 1, budget=5)


def test_no_workers_are_refused():
    with pytest.raises(InputError, match="workers must be at least 1"):
        expected([], 0)


def test_it_needs_no_pandas():
    source = "import sys, citylib.batch.cost; print('pandas' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "False"
