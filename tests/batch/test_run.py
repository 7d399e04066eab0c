"""Runs: what is left behind, whatever happens on the way."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from concurrent import futures
from pathlib import Path

import pytest

from citylib.batch import receipt, run, supervise
from citylib.batch.receipt import Hashes
from citylib.batch.run import Outcome, run_one
from citylib.errors import CellFailedError, LimitError
from tests.batch.conftest import alive, parts, printed

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
    assert not alive(int(printed(folder)[0])), "what a cell started must end with the run"
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
    wanted = planned(source, limits={"minutes": 0.3})
    began = time.monotonic()
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert time.monotonic() - began < 60
    content = receipt.read(outcome.folder)
    assert (outcome.status, content["error"]["cell"]) == ("time", "cell-0")
    assert content["error"]["source"] == source
    assert [c["id"] for c in content["cells"]] == ["parameters"]
    with pytest.raises(LimitError, match=r"longer than its limit of 0.3 minutes"):
        outcome.check()


def test_over_memory(planned, project):
    wanted = planned("import time\nx = b'x' * 2**30\ntime.sleep(600)", limits={"memory": "600 MiB"})
    outcome = run_one(wanted, wanted.folder(project / "out"))
    assert (outcome.status, outcome.error["cell"]) == ("memory", "cell-0")
    assert "more than its limit of 629,145,600 bytes" in outcome.error["message"]


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


def test_an_outcome_describes_itself(planned, tmp_path):
    wanted = planned("x = 1")
    assert Outcome(wanted, "stopped", 0.0, tmp_path).describe() == f"fam/02_made [default]: stopped\nsee {tmp_path}"
    assert "see" not in Outcome(wanted, "failed", 0.0, tmp_path / "never made").describe()
