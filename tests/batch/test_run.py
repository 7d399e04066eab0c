"""Runs and plans: what is left behind, whatever happens on the way."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
from concurrent import futures
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from citylib.batch import receipt, run, supervise
from citylib.batch.plan import Plan
from citylib.batch.receipt import Hashes
from citylib.batch.run import Outcome, run_one, run_plan
from citylib.errors import CellFailedError, InputError, LimitError, RunError
from tests.batch.conftest import alive

RESULTS = """
from citylib import results
import pandas as pd, sys, warnings
print(object(), file=sys.stderr)
warnings.warn("careful")
_ = results.record("mae", 1.5 * horizon, unit="veh/h")
_ = results.table("t", pd.DataFrame({"a": [1.5, None], "b": ["x", "y"]}))
_ = results.figure("f", '<figure><div class="only-light"><svg>1</svg></div></figure>', alt="a figure of one")
"""


GOOD = "import os\nos.system('setsid sleep 600 > /dev/null 2>&1 & echo $!')"
FAILING = """from citylib import results
import os, pathlib
_ = results.loaded("b", [{"file": "b/a.csv", "sha256": "0", "bytes": 1, "origin": "folder"}], "read")
print("on the way", os.getcwd())
pathlib.Path(os.environ["CITYLIB_DATA"], "x").read_text()"""


def made(folder: Path) -> dict[str, bytes]:
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return {name: content for name, content in files.items() if name not in ("receipt.json", "log.txt")}


def parts(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if ".part-" in p.name or ".old-" in p.name)


# --- with real kernels ---


def test_two_equal_runs_make_the_same_bytes_and_are_then_skipped(planned, project):
    wanted = planned(RESULTS, given={"horizon": 48})
    with futures.ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda out: run_one(wanted, wanted.folder(project / out)), ["a", "b"]))
    assert [o.status for o in outcomes] == ["ok", "ok"], [o.describe() for o in outcomes]
    first, second = (made(o.folder) for o in outcomes)
    assert sorted(first) == ["figures/f.svg", "notebook.ipynb", "results.json", "tables/t.parquet"]
    assert first == second
    assert str(project).encode() not in first["notebook.ipynb"]

    content = receipt.read(outcomes[0].folder)
    assert content["notebook"]["path"] == "notebooks/fam/02_made.ipynb"
    assert content["parameters"] == {"horizon": 48, "source": "synthetic"}
    assert content["lock"] == Hashes().of(project / "requirements.lock")
    assert [c["id"] for c in content["cells"]] == ["parameters", "injected-parameters", "cell-0"]
    assert [c["path"] for c in content["citylib"]] == ["__init__.py", "checks.py", "errors.py", "results.py"]
    assert {m["file"] for m in content["made"]} == set(first)
    assert content["peak_memory_bytes"] > 2**25
    assert parts(project) == []

    again = run_one(wanted, outcomes[0].folder)
    assert (again.status, again.ok, again.check()) == ("skipped", True, again)
    (project / "requirements.lock").write_text("numpy==2.1\n")
    assert run.why_not(wanted, outcomes[0].folder) == "requirements.lock changed"
    shutil.copy(project / "notebooks" / "fam" / "01_first.ipynb", wanted.path)
    assert run.why_not(wanted, outcomes[0].folder) == "the notebook changed"


def test_a_failed_run_stays_beside_the_last_good_one(planned, project, monkeypatch):
    # A daemon: started by a shell that ends at once, in a session of its own.
    good = planned(GOOD)
    folder = good.folder(project / "out")
    assert run_one(good, folder).ok
    assert not alive(int((folder / "log.txt").read_text())), "what a cell started must end with the run"
    before = made(folder)

    monkeypatch.setenv("CITYLIB_DATA", "my data")
    bad = run_one(planned(FAILING), folder)
    assert (bad.status, bad.folder.name, bad.reason) == ("failed", "default.failed", "the notebook changed")
    assert made(folder) == before
    content = receipt.read(bad.folder)
    assert content["error"]["source"] == FAILING
    assert (content["outcome"], [d["file"] for d in content["data"]]) == ("failed", ["b/a.csv"])
    assert "on the way" in (bad.folder / "log.txt").read_text()
    with pytest.raises(
        CellFailedError, match=r"in cell 'cell-0':\n    from (.*\n)+FileNotFoundError: .*<CITYLIB_DATA>/x"
    ):
        bad.check()
    shown = made(bad.folder)["notebook.ipynb"].decode()
    for path in (project, Path.home(), Path(receipt.__file__).parents[2], tempfile.gettempdir()):
        assert str(path) not in shown + json.dumps(content)

    monkeypatch.delenv("CITYLIB_DATA")
    assert run_one(planned(GOOD), folder).status == "skipped"
    assert not bad.folder.exists(), "what failed was another notebook"
    assert parts(project) == []


def test_over_time_in_a_cell_that_cannot_be_interrupted(planned, project):
    source = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"
    wanted = planned(source, limits={"minutes": 0.12})
    began = time.monotonic()
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert time.monotonic() - began < 30
    content = receipt.read(outcome.folder)
    assert (outcome.status, content["error"]["cell"]) == ("time", "cell-0")
    assert content["error"]["source"] == source
    assert [c["id"] for c in content["cells"]] == ["parameters"]
    with pytest.raises(LimitError, match=r"longer than its limit of 0.12 minutes"):
        outcome.check()


def test_over_memory(planned, project):
    wanted = planned("import time\nx = b'x' * 2**30\ntime.sleep(600)", limits={"memory": "600 MiB"})
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert (outcome.status, outcome.error["cell"]) == ("memory", "cell-0")
    assert "more than its limit of 629,145,600 bytes" in outcome.error["message"]


@pytest.mark.slow
def test_a_hundred_megabytes_printed(planned, project):
    wanted = planned("print('x' * 100_000_000)")
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert outcome.status == "output"
    assert sum(p.stat().st_size for p in outcome.folder.iterdir()) < 10**6


@pytest.mark.slow
def test_a_kernel_that_dies(planned, project):
    wanted = planned("import os; os._exit(0)")
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert (outcome.status, outcome.error["cell"]) == ("died", "cell-0")


def test_an_own_file_is_read_from_the_callers_folder_and_its_change_runs_again(planned, project, monkeypatch):
    (project / "data").mkdir()
    (project / "below" / "deep").mkdir(parents=True)
    (project / "data" / "mine.csv").write_text("a\n")
    (project / "data" / "mine_breaks.csv").write_text("b\n")
    monkeypatch.chdir(project / "below" / "deep")
    source = (
        "import hashlib, pathlib\nfrom citylib import results\n"
        "path = pathlib.Path(source.removeprefix('file:'))\n"
        "assert path.with_name('mine_breaks.csv').read_text() == 'b\\n'\n"
        "digest = hashlib.sha256(path.read_bytes()).hexdigest()\n"
        "_ = results.loaded(source, [{'file': str(path), 'sha256': digest, 'bytes': 2, 'origin': 'own'}], 'read')"
    )
    wanted = planned(source, given={"source": "file:../../data/mine.csv"})
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert outcome.ok, outcome.describe()
    (listed,) = receipt.read(outcome.folder)["data"]
    assert (listed["file"], listed["source"]) == ("../../data/mine.csv", "file:../../data/mine.csv")
    assert str(project).encode() not in made(outcome.folder)["notebook.ipynb"]
    assert run.why_not(wanted, outcome.folder) is None
    (project / "data" / "mine.csv").write_text("c\n")
    assert run.why_not(wanted, outcome.folder) == "data file ../../data/mine.csv changed"


# --- with a stand-in for the attempt, so without kernels ---


@pytest.fixture
def attempts(monkeypatch):
    """Replace the attempt by one that takes an instant and ends as the horizon says."""
    seen = []
    lock = threading.Lock()
    ends = {24: "ok", 1: "failed", 2: "time", 3: "died"}

    def attempt(wanted, staging, hashes, stop=None):
        with lock:
            seen.append(wanted.id)
        time.sleep(0.05)
        if stop is not None and stop.is_set():
            return None
        if wanted.parameters["horizon"] == 99:
            raise OSError(28, "No space left on device")
        (staging / "results.json").write_text("{}")
        outcome = ends.get(wanted.parameters["horizon"], "ok")
        error = None if outcome == "ok" else {"cell": "c", "source": "s", "name": "E", "message": "m"}
        hashes = Hashes()
        content = {
            "schema": receipt.SCHEMA,
            "notebook": {"path": "n", "sha256": hashes.of(wanted.path)},
            "parameters": dict(wanted.parameters),
            "lock": receipt.lock_of(receipt.root_of(wanted.path), hashes),
            "data": [],
            "citylib": [],
            "outcome": outcome,
            "seconds": 0.05,
            "error": error,
        }
        return content | {"key": receipt.key_of(content)}

    monkeypatch.setattr(run, "attempt", attempt)
    return seen


@pytest.fixture
def plan_of(planned):
    def make(*horizons):
        one = planned("x = 1")
        runs = [
            replace(one, id=f"h{i}", parameters=dict(one.parameters) | {"horizon": h}) for i, h in enumerate(horizons)
        ]
        return Plan("p", tuple(runs))

    return make


class Told:
    """A progress that keeps what it is told."""

    def __init__(self, interrupt_at: int | None = None) -> None:
        self.lines: list[tuple] = []
        self.interrupt_at = interrupt_at

    def begin(self, plan, to_run):
        self.lines.append(("begin", to_run))

    def started(self, wanted):
        self.lines.append(("started", wanted.id))

    def waiting(self, wanted, holder):
        self.lines.append(("waiting", wanted.id))

    def finished(self, outcome):
        self.lines.append((outcome.status, outcome.run.id))
        if len([line for line in self.lines if line[0] not in ("begin", "started")]) == self.interrupt_at:
            raise KeyboardInterrupt

    def end(self):
        self.lines.append(("end",))


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


def test_a_kernel_with_another_citylib_makes_no_good_run(planned, project, monkeypatch):
    def watch(command, **more):
        job = json.loads(Path(command[-1]).read_text())
        report = {"outcome": "ok", "error": None, "probed": {"root": str(project / "other"), "files": []}}
        Path(job["report"]).write_text(json.dumps(report))
        more["log"].touch()
        return supervise.Watched("ended", 0, 1.0, 2**20)

    monkeypatch.setattr(supervise, "watch", watch)
    wanted = planned("x = 1")
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert outcome.status == "failed"
    assert "a citylib of its own" in outcome.error["message"]


def test_a_good_run_that_a_killed_runner_had_moved_away_is_put_back(attempts, plan_of, tmp_path):
    plan = plan_of(10)
    folder = plan.runs[0].folder(plan.folder(tmp_path / "out"))
    run_plan(plan, tmp_path / "out")
    before = json.loads((folder / "receipt.json").read_text())
    folder.rename(folder.with_name(f".h0.old-{max(psutil.pids()) + 100_000}"))
    bad = Plan("p", (replace(plan.runs[0], parameters={"horizon": 1}),))
    assert run_plan(bad, tmp_path / "out")[0].status == "failed"
    assert json.loads((folder / "receipt.json").read_text()) == before


def test_an_outcome_describes_itself(planned, tmp_path):
    wanted = planned("x = 1")
    assert Outcome(wanted, "stopped", 0.0, tmp_path).describe() == f"fam/02_made [default]: stopped\nsee {tmp_path}"
    assert "see" not in Outcome(wanted, "failed", 0.0, tmp_path / "never made").describe()
