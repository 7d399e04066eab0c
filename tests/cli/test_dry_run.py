"""`citylib run --dry-run`: what would run, why, and what it is expected to cost, from receipts laid by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from citylib.batch import plan, receipt
from citylib.batch.receipt import Hashes
from citylib.cli import main
from tests.batch.conftest import write_notebook

PLAN = """
[[run]]
notebook = "fam/01_first"
grid = { horizon = [1, 2, 3] }
[[run]]
notebook = "fam/02_second"
"""


def ends(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def planned(tmp_path, monkeypatch) -> plan.Plan:
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    for name in ("01_first", "02_second"):
        write_notebook(tmp_path / "notebooks" / "fam" / f"{name}.ipynb", "x = horizon")
    (tmp_path / "city.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    return plan.load(Path("city.toml"))


def lay(made: plan.Plan, at: int, seconds: float, memory: int, **edit) -> None:
    """Leave the folder of a good run, as if it had just been run."""
    run, hashes = made.runs[at], Hashes()
    folder = run.folder(made.folder(Path("_build/runs")))
    folder.mkdir(parents=True)
    content = {
        "schema": receipt.SCHEMA, "run": {"id": run.id, "notebook": run.notebook, "title": None}, "made": [],
        "notebook": {"path": f"notebooks/{run.notebook}.ipynb", "sha256": hashes.of(run.path)}, "outcome": "ok",
        "parameters": dict(run.parameters), "lock": receipt.lock_of(Path.cwd(), hashes), "data": [], "citylib": [],
        "seconds": seconds, "peak_memory_bytes": memory * 2**20,
    } | edit  # fmt: skip
    (folder / "receipt.json").write_text(json.dumps(content | {"key": receipt.key_of(content)}))


def test_each_run_is_told_with_why_and_what_it_will_cost(planned, capsys):
    lay(planned, 0, 2.0, 100, cpu_seconds=3.0)
    lay(planned, 1, 90.0, 300, lock="other", cpu_seconds=50.0)
    assert ends("run", "city.toml", "--dry-run", "--workers", "2", "--memory-budget", "8 GiB") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["fam/01_first [horizon-1]", "skip", "unchanged", "", "", ""],
        ["fam/01_first [horizon-2]", "run", "requirements.lock changed", "1 min 30 s", "300 MiB", "its last run"],
        ["fam/01_first [horizon-3]", "run", "never run", "46.0 s", "200 MiB",
         "median of 2 runs of its notebook in this plan"],
        ["fam/02_second [default]", "run", "never run", "unknown", "unknown", "unknown"],
        ["4 runs: 3 to run, 1 unchanged"],
        ["expected: 2 min 16 s in runs (1 min 16 s of processor time), about 1 min 30 s with 2 workers, "
         "up to 500 MiB at once"],
        ["unknown: 1 without any earlier receipt of its notebook, and not counted: fam/02_second [default]"],
    ]  # fmt: skip
    assert not list(Path("_build").rglob("log.txt"))


@pytest.mark.parametrize(("budget", "wall"), [("4 GiB", "about 1 min 30 s"), ("3 GiB", "about 2 min 16 s")])
def test_runs_that_the_memory_is_too_small_for_are_expected_one_after_the_other(planned, capsys, budget, wall):
    lay(planned, 0, 2.0, 100)
    lay(planned, 1, 90.0, 300, lock="other")
    assert ends("run", "city.toml", "--dry-run", "--workers", "2", "--memory-budget", budget) == 0
    assert wall in capsys.readouterr().out, "each run may use 2 GiB"


def test_on_a_terminal_the_ids_of_runs_are_shown(planned, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    assert ends("run", "city.toml", "--dry-run") == 0
    assert "fam/01_first [horizon-1]" in capsys.readouterr().out


def test_for_programs_it_is_json(planned, capsys):
    lay(planned, 0, 2.0, 100, cpu_seconds=1.5)
    assert ends("run", "city.toml", "--dry-run", "--json", "--workers", "1") == 0
    content = json.loads(capsys.readouterr().out)
    assert [run["would"] for run in content["runs"]] == ["skip", "run", "run", "run"]
    assert content["runs"][0]["expected"] is None
    assert content["runs"][1]["expected"] == {
        "seconds": 2.0, "peak_memory_bytes": 100 * 2**20, "basis": "one run of its notebook in this plan",
        "cpu_seconds": 1.5,
    }  # fmt: skip
    assert content["runs"][3]["expected"]["seconds"] is None
    assert content["expected"] == {
        "seconds": 4.0, "wall_seconds": 4.0, "peak_memory_bytes": 100 * 2**20, "unknown": 1,
        "cpu_seconds": 3.0,
    }  # fmt: skip
    assert (content["to_run"], content["unchanged"], content["workers"]) == (3, 1, 1)


@pytest.mark.usefixtures("planned")
def test_where_nothing_is_known_no_figure_is_made_up(capsys):
    assert ends("run", "city.toml", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[4:] == [
        "4 runs: 4 to run, 0 unchanged",
        "unknown: 4 without any earlier receipt of its notebook, and not counted: fam/01_first [horizon-1], "
        "fam/01_first [horizon-2], fam/01_first [horizon-3], fam/02_second [default]",
    ]


def test_when_all_is_done_nothing_is_expected(planned, capsys):
    for at in range(4):
        lay(planned, at, 1.0, 1)
    assert ends("run", "city.toml", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[4:] == ["4 runs: 0 to run, 4 unchanged"]


@pytest.mark.usefixtures("planned")
def test_json_is_for_a_dry_run(capsys):
    assert ends("run", "city.toml", "--json") == 2
    assert "--json must be given with --dry-run" in capsys.readouterr().err
    assert not Path("_build").exists()
