"""`citylib run` and `citylib runs`, from the command line in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from citylib.batch import receipt
from citylib.batch.receipt import Hashes
from citylib.cli import main
from tests.batch.conftest import alive, write_notebook

PROGRAM = [sys.executable, "-c", "from citylib.cli import main; main()"]
RESULTS = """
from citylib import results
_ = results.record("mae", 1.5 * horizon, unit="veh/h", interval=(1, 100), baseline=3)
_ = results.record("place", "here")
_ = results.say("It is good.")
"""


def ends(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    write_notebook(tmp_path / "notebooks" / "fam" / "01_first.ipynb", RESULTS)
    (tmp_path / "book" / "plans").mkdir(parents=True)
    (tmp_path / "book" / "plans" / "all.toml").write_text('[[run]]\nnotebook = "fam/01_first"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_notebook_run_skipped_listed_shown_and_verified(project, capsys):
    assert ends("run", "fam/01_first", "-p", "horizon=48") == 0
    out = capsys.readouterr().out
    assert "mae            72 veh/h (1 to 100), baseline 3" in out
    assert "place          here" in out
    assert "It is good." in out
    folder = Path("_build/runs/single/fam/01_first/horizon-48")
    assert f"in {folder}" in out

    assert ends("run", "notebooks/fam/01_first.ipynb", "-p", "horizon=48") == 0
    assert "0 to do, 1 unchanged" in capsys.readouterr().out
    assert ends("run", "fam/01_first", "-p", "horizon=48", "--dry-run") == 0
    assert capsys.readouterr().out.split("\t")[:3] == ["fam/01_first [horizon-48]", "skip", "unchanged"]
    assert ends("run", "all", "--dry-run") == 0
    assert capsys.readouterr().out.split("\t")[:3] == ["fam/01_first [default]", "run", "never run"]

    assert ends("runs", "list") == 0
    assert capsys.readouterr().out.split("\t")[:2] == ["fam/01_first [horizon-48]", "ok"]
    assert ends("runs", "list", "--failed") == 0
    assert capsys.readouterr().out == ""
    assert ends("runs", "show", str(folder)) == 0
    shown = capsys.readouterr().out
    for text in ("parameter      horizon = 48", "citylib        4 files read", "mae            72 veh/h"):
        assert text in shown

    assert ends("runs", "verify") == 0
    assert capsys.readouterr().out == "1 runs, 1 as their receipts say, 0 not\n"
    (folder / "results.json").write_text("{}")
    assert ends("runs", "verify", "_build") == 1
    assert "results.json of the run was changed or removed" in capsys.readouterr().out


def test_a_failing_cell_is_shown_with_source_and_error(project, capsys):
    write_notebook(project / "notebooks" / "fam" / "02_bad.ipynb", "x = 1\nx / 0")
    (project / "bad.toml").write_text(
        '[[run]]\nnotebook = "fam/02_bad"\n[[run]]\nnotebook = "fam/02_bad"\nset = { horizon = 2 }\n'
    )
    assert ends("run", "bad.toml") == 1
    out = capsys.readouterr().out
    assert "in cell 'cell-0':\n    x = 1\n    x / 0\nZeroDivisionError: division by zero\n" in out
    assert "bad: 2 failed" in out
    place = "_build/runs/bad/fam/02_bad/default"
    assert ends("runs", "show", place) == 0
    shown = capsys.readouterr().out
    assert "error          ZeroDivisionError in cell cell-0: division by zero" in shown
    assert ends("runs", "list", "--failed") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_parameters_are_refused_before_a_kernel_starts(project, capsys):
    assert ends("run", "fam/01_first", "-p", "horizn=48", "-p", "horizon=900") == 2
    err = capsys.readouterr().err
    assert "did you mean 'horizon'" in err
    assert "horizon must lie in [1..168], got 900" in err
    assert not (project / "_build").exists()


def test_a_plan_takes_no_parameters(project, capsys):
    assert ends("run", "all", "-p", "horizon=48") == 2
    assert "-p must be given with a notebook" in capsys.readouterr().err


def test_limits_are_given_on_the_command_line(project, capsys):
    assert ends("run", "all", "--memory", "much") == 2
    assert 'memory must be a size such as "512 MiB"' in capsys.readouterr().err


def test_verify_needs_a_folder(project, capsys):
    assert ends("runs", "verify") == 1
    assert "no such folder of runs" in capsys.readouterr().err


def test_a_broken_receipt_is_told_and_hides_no_other(project, capsys):
    (place := project / "_build" / "runs" / "p" / "fam" / "x" / "y").mkdir(parents=True)
    (place / "receipt.json").write_text("{")
    assert ends("runs", "list") == 1
    assert "receipt.json: cannot be read" in capsys.readouterr().err
    assert ends("runs", "verify") == 1
    assert "1 runs, 0 as their receipts say, 1 not" in capsys.readouterr().out
    assert ends("runs", "show", "nowhere") == 1
    assert "nowhere: has no receipt.json" in capsys.readouterr().err


def test_only_some_runs_are_run_and_a_pattern_for_none_is_refused(project, capsys):
    (project / "grid.toml").write_text('[[run]]\nnotebook = "fam/01_first"\ngrid = { horizon = [1, 12, 20] }\n')
    assert ends("run", "grid.toml", "--only", "horizon-1*", "--dry-run") == 0
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[:2]] == [
        "fam/01_first [horizon-1]", "fam/01_first [horizon-12]"
    ]  # fmt: skip
    assert ends("run", "grid.toml", "--only", "horizn-20") == 2
    assert "did you mean 'horizon-20'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--memory-budget", "much"], '--memory-budget must be a size such as "512 MiB"'),
        (["--retries", "11"], "--retries"),
        (["--workers", "0"], "--workers"),
        (["--dask", "somewhere"], "--dask must be local, an address such as tcp://host:8786 or a scheduler file"),
    ],
)
@pytest.mark.parametrize("command", ["run", "book"])
def test_how_runs_are_carried_out_is_checked_before_any_starts(project, capsys, command, words, message):
    (project / "book" / "_config.yml").write_text("title: A\n")
    assert ends(command, "all", *words) == 2
    assert message in capsys.readouterr().err
    assert not (project / "_build").exists()


@pytest.mark.parametrize("command", [["run"], ["run", "--dry-run"], ["book"]])
@pytest.mark.parametrize("out", ["taken", "taken/below", "nowhere"])
def test_a_file_where_runs_are_to_go_is_refused_before_any_starts(project, capsys, command, out):
    (project / "book" / "_config.yml").write_text("title: A\n")
    (project / "taken").write_text("a file")
    (project / "nowhere").symlink_to("elsewhere")
    assert ends(*command, "all", "--out", out) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"citylib: --out must name a folder, or a place for one, got '{out}'; ")
    assert line.endswith(f"{out.partition('/')[0]} is no folder")
    assert (project / "taken").read_text() == "a file"


def test_the_memory_budget_is_checked_for_a_dry_run_too(project, capsys):
    assert ends("run", "all", "--dry-run", "--memory-budget", "nonsense") == 2
    assert '--memory-budget must be a size such as "512 MiB"' in capsys.readouterr().err


def test_a_run_that_ends_badly_is_tried_again_within_the_memory_there_is(project, capsys):
    source = "import pathlib\nmark = pathlib.Path(source)\nagain = mark.exists()\nmark.touch()\nassert again, 'not yet'"
    text = f'source: str = "{project / "mark"}"\nhorizon: int = 1'
    write_notebook(project / "notebooks" / "fam" / "02_moody.ipynb", source, parameters=text)
    assert ends("run", "fam/02_moody", "--retries", "2", "--memory-budget", "1 GiB") == 0
    out = capsys.readouterr().out
    assert "AssertionError in cell cell-0: not yet" in out
    assert "trying again (2 of 3)" in out
    assert "1 of the runs may use more memory than the budget of 1,024 MiB and run alone: fam/02_moody" in out
    assert json.loads(Path("_build/runs/single/fam/02_moody/default/receipt.json").read_text())["attempt"] == 2


SLEEPERS = '[[run]]\nnotebook = "fam/03_sleep"\ngrid = { horizon = [1, 2, 3] }\n'


@pytest.fixture
def sleeping(project):
    """Start a plan of three runs that sleep, two at a time; yield the process once both kernels are in their cells."""
    source = (
        "import os, pathlib, time\npathlib.Path(source, str(os.getpid())).touch()\n"
        "while not pathlib.Path(source).with_name('go').exists():\n    time.sleep(0.05)"
    )
    (project / "pids").mkdir()
    text = f'source: str = "{project / "pids"}"\nhorizon: int = 1'
    write_notebook(project / "notebooks" / "fam" / "03_sleep.ipynb", source, parameters=text)
    (project / "sleep.toml").write_text(SLEEPERS)
    with subprocess.Popen(
        [*PROGRAM, "run", "sleep.toml", "--workers", "2", "--memory-budget", "8 GiB"], stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(600):
            if len(list((project / "pids").iterdir())) == 2:
                break
            time.sleep(0.05)
        try:
            yield process, [int(p.name) for p in (project / "pids").iterdir()]
        finally:
            process.kill()


def gone(pids: list[int]) -> bool:
    for _ in range(100):
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_an_interrupt_lets_what_is_under_way_finish_and_starts_no_more(project, sleeping, capsys):
    process, kernels = sleeping
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if "no more runs are started; 2 under way finish" in line:
            break
    (project / "go").touch()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "sleep: 2 ok, 1 stopped" in out
    assert "interrupted: 1 of 3 runs are left; the same command goes on from here" in out
    assert gone(kernels)
    assert ends("run", "sleep.toml") == 0
    assert "sleep: 2 skipped, 1 ok" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupt_ends_all_and_leaves_nothing_half_done(project, sleeping, number):
    process, kernels = sleeping
    family = [p.pid for p in psutil.Process(process.pid).children(recursive=True)]
    assert set(kernels) <= set(family)
    process.send_signal(number)
    if number == signal.SIGINT:  # the first one would let them finish
        for line in process.stdout:
            if "no more runs are started" in line:
                break
        process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "sleep: 3 stopped" in out
    assert gone(family)
    assert [p for p in (project / "_build").rglob("*") if not p.is_dir()] == []
    assert list((project / "_build").rglob(".*")) == []


@pytest.mark.slow
def test_a_killed_runner_takes_its_runs_with_it(project, sleeping):
    process, kernels = sleeping
    process.kill()
    process.wait()
    assert gone(kernels)
    for _ in range(100):
        if not (left := list((project / "_build").rglob("*horizon*.part-*"))):
            break
        time.sleep(0.05)
    assert left == []


def test_on_a_terminal_runs_are_listed_as_a_table(project, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    place = project / "_build" / "runs" / "p" / "fam" / "01_first" / "default"
    place.mkdir(parents=True)
    hashes = Hashes()
    content = {
        "schema": receipt.SCHEMA, "run": {"id": "default", "notebook": "fam/01_first", "title": None},
        "notebook": {"path": "notebooks/fam/01_first.ipynb", "sha256": ""}, "parameters": {}, "outcome": "ok",
        "lock": receipt.lock_of(project, hashes), "seconds": 1.0, "peak_memory_bytes": 2**20, "started": "now",
    }  # fmt: skip
    (place / "receipt.json").write_text(json.dumps(content))
    assert ends("runs", "list") == 0
    assert "outcome" in capsys.readouterr().out
    assert os.environ["FORCE_COLOR"] == "1"
