"""`citylib runs` from the command line in: list, show, log, diff and verify, on runs laid by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from citylib.batch import receipt
from citylib.batch.receipt import Hashes
from citylib.cli import main

PROGRAM = [sys.executable, "-c", "from citylib.cli import main; main()"]
RUNS = Path("_build/runs/p")
ERROR = {"cell": "fit", "source": "x = 1\nx / 0", "name": "ZeroDivisionError", "message": "division by zero"}
RECORD = {"name": "mae", "value": 12.0, "unit": "veh/h", "interval": [11.0, 13.0], "level": 0.95, "baseline": 15.0}


def ends(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    (tmp_path / "notebooks" / "fam").mkdir(parents=True)
    (tmp_path / "notebooks" / "fam" / "n.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(identity: str, *, value: float = 12.0, said: str = "It is good.", runs: Path = RUNS, **edit: Any) -> Path:
    """Leave the folder of a run: ``<id>.failed`` for one that failed."""
    folder, hashes = runs / "fam" / "n" / identity, Hashes()
    failed = identity.endswith(".failed")
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("".join(f"line {number}\n" for number in range(30)))
    if not failed:
        results = {"records": [RECORD | {"value": value}], "tables": [], "said": [{"text": said}], "figures": []}
        (folder / "results.json").write_text(json.dumps(results))
    content = {
        "schema": receipt.SCHEMA, "run": {"id": identity.removesuffix(".failed"), "notebook": "fam/n", "title": None},
        "notebook": {"path": "notebooks/fam/n.ipynb", "sha256": hashes.of(Path("notebooks/fam/n.ipynb"))},
        "parameters": {"horizon": 24}, "lock": receipt.lock_of(Path.cwd(), hashes), "data": [], "citylib": [],
        "outcome": "failed" if failed else "ok", "error": ERROR if failed else None, "seconds": 2.5,
        "cpu_seconds": 3.5, "peak_memory_bytes": 100 * 2**20, "started": "2026-01-01T00:00:00+00:00", "attempt": 1,
        "tries": 2, "versions": {"python": "3.12"}, "limits": {"minutes": 5.0, "memory": 2**31, "output": 2 * 10**6},
        "made": receipt.made_files(folder, hashes),
    } | edit  # fmt: skip
    (folder / "receipt.json").write_text(json.dumps(content | {"key": receipt.key_of(content)}))
    return folder


@pytest.mark.usefixtures("project")
def test_runs_are_listed_chosen_and_sorted(capsys):
    lay("a", seconds=1.0)
    lay("b", seconds=20.0)
    lay("c.failed", seconds=3.0)
    assert ends("runs", "list", "--sort", "seconds") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [row[:4] for row in rows] == [
        ["fam/n [b]", "ok", "20.0", "100 MiB"],
        ["fam/n [c]", "failed", "3.0", "100 MiB"],
        ["fam/n [a]", "ok", "1.0", "100 MiB"],
    ]
    assert ends("runs", "list", "--failed", "--json") == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["error"] == "ZeroDivisionError: division by zero"
    assert Path(one["folder"]).name == "c.failed"
    assert ends("runs", "list", "--notebook", "other/*") == 0
    assert capsys.readouterr().out == ""
    assert ends("runs", "list", "--sort", "size") == 2


@pytest.mark.usefixtures("project")
def test_broken_receipts_are_told_beside_the_list(capsys):
    lay("a")
    (lay("b") / "receipt.json").write_text("{")
    lay("c", seconds=None)
    assert ends("runs", "list", "--json") == 1
    told = capsys.readouterr()
    assert len(json.loads(told.out)) == 1
    assert len(told.err.splitlines()) == 2


@pytest.mark.usefixtures("project")
def test_a_good_run_is_shown(capsys):
    assert ends("runs", "show", str(lay("a"))) == 0
    out = capsys.readouterr().out.splitlines()
    for line in (
        "outcome        ok, 2.5 s, 100 MiB, 2026-01-01T00:00:00+00:00", "processor      3.5 s",
        "attempt        1 of at most 2", "limits         5 minutes, 2,048 MiB, 2 MB of notebook",
        "parameter      horizon = 24", "mae            12 veh/h (11 to 13), baseline 15",
        f"log            {RUNS}/fam/n/a/log.txt",
    ):  # fmt: skip
        assert line in out, line
    assert not any("line 29" in line for line in out)


@pytest.mark.usefixtures("project")
def test_a_failed_run_is_shown_with_the_end_of_its_log(capsys):
    lay("a.failed", attempt=None, limits=None)
    assert ends("runs", "show", str(RUNS / "fam" / "n" / "a"), "--lines", "2") == 0
    out = capsys.readouterr().out
    assert "error          ZeroDivisionError in cell fit: division by zero\n" in out
    assert out.splitlines()[-2:] == [f"{'':<14}     line 28", f"{'':<14}     line 29"]
    assert "attempt" not in out


@pytest.mark.usefixtures("project")
def test_a_receipt_that_lacks_something_cannot_be_shown(capsys):
    assert ends("runs", "show", str(lay("a", versions=None))) == 1
    assert "receipt.json: lacks something" in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_a_log_is_printed_or_followed_to_how_it_ended(capsys):
    folder = str(lay("a"))
    lay("b.failed")
    whole = "".join(f"line {number}\n" for number in range(30))
    assert ends("runs", "log", folder) == 0
    assert capsys.readouterr().out == whole
    assert ends("runs", "log", folder, "--follow") == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == (whole, f"citylib: ok after 2.5 s; see {folder}\n")
    assert ends("runs", "log", folder.removesuffix("a") + "b", "-f") == 1
    assert "failed after 2.5 s: ZeroDivisionError in cell fit" in capsys.readouterr().err
    assert ends("runs", "log", folder + "x") == 1
    assert "no such run; --follow waits for it to begin" in capsys.readouterr().err
    assert ends("runs", "log", "nowhere/at/all", "--follow") == 1
    assert "no such run, and no folder" in capsys.readouterr().err


@pytest.fixture
def heard():
    """Have Ctrl-C heard by what a test starts: in the background of a shell it is ignored, by all that is started."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_following_goes_on_as_the_run_does_and_ctrl_c_ends_only_that(project):
    folder = RUNS / "fam" / "n" / "a"
    staging = folder.parent / f".a.part-{os.getpid()}-x"
    staging.mkdir(parents=True)
    (staging / "log.txt").write_text("begun\n")
    with subprocess.Popen(
        [*PROGRAM, "runs", "log", str(folder), "-f"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        with (staging / "log.txt").open("a") as log:
            log.write("more\n")
        assert process.stdout.readline() == "more\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()  # where it has not ended, nothing else would end it
    assert (process.returncode, out, err) == (130, "", "")
    assert staging.is_dir()


@pytest.mark.usefixtures("project")
def test_two_runs_side_by_side(capsys):
    a, b = lay("a"), lay("b", value=12.5, parameters={"horizon": 48}, seconds=9.0)
    assert ends("runs", "diff", str(a), str(b)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t") for line in lines[:-1]] == [
        ["result", "mae", "12.0", "12.5", "0.5 apart (4 %)"],
        ["parameter", "horizon", "24", "48", "24 apart (50 %)"],
        ["cost", "seconds", "2.5", "9.0", "6.5 apart (72.2 %)"],
    ]
    assert lines[-1] == "results differ; 2 differences in all"
    assert ends("runs", "diff", str(a), str(b), "--tolerance", "0.05") == 0
    assert "results are equal within tolerance; 1 difference in all" in capsys.readouterr().out
    assert ends("runs", "diff", str(a), str(b), "--absolute", "0.5", "--all") == 0
    assert "said\tsentence 1\tIt is good.\tIt is good.\t" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_for_programs_runs_are_compared_as_json(capsys):
    a, b = lay("a"), lay("b.failed")
    assert ends("runs", "diff", str(a), str(b), "--json") == 1
    content = json.loads(capsys.readouterr().out)
    assert content["same_results"] is False
    assert {"part": "error", "name": "cell", "a": None, "b": "fit", "equal": False, "note": "only in B"} in content[
        "lines"
    ]
    assert ends("runs", "diff", str(RUNS), str(RUNS), "--json", "--all") == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["in_both"], len(content["runs"]), content["only_a"]) == (2, 2, [])


@pytest.mark.usefixtures("project")
def test_two_folders_of_runs(capsys):
    other = Path("other")
    for runs, ids in ((RUNS, "abc"), (other, "bcd")):
        for identity in ids:
            lay(identity, runs=runs, value=12.5 if (runs, identity) == (other, "b") else 12.0)
    assert ends("runs", "diff", str(RUNS), str(other)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "fam/n/b\tdiffer\t1\t1 result",
        "fam/n/a\tonly in A\t\t",
        "fam/n/d\tonly in B\t\t",
        "2 runs in both: 1 with equal results, 1 with others; 1 only in A, 1 only in B",
    ]
    (other / "fam" / "n" / "c" / "receipt.json").write_text("{")
    assert ends("runs", "diff", str(RUNS), str(other)) == 1
    assert "1 that cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ("_build/runs/p/fam/n/a", "_build/runs", "must be two runs, or two folders of runs"),
        ("_build/runs/p/fam/n/a", "nowhere", "must be two runs, or two folders of runs"),
        ("nowhere", "elsewhere", "no such folder of runs"),
        ("empty", "empty", "must hold at least one run"),
        ("_build/runs/p/fam/n/a", "_build/runs/p/fam/n/broken", "cannot be read"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_cannot_be_compared_ends_with_2(a, b, text, capsys):
    lay("a")
    (lay("broken") / "receipt.json").write_text("{")
    Path("empty").mkdir()
    assert ends("runs", "diff", a, b) == 2
    assert text in capsys.readouterr().err


@pytest.mark.usefixtures("project")
def test_a_tolerance_below_0_is_refused():
    assert ends("runs", "diff", "a", "b", "--tolerance", "-1") == 2


@pytest.mark.usefixtures("project")
def test_on_a_terminal_runs_are_compared_in_a_table(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    a, b = lay("a"), lay("b", said="It is bad. " * 20)
    assert ends("runs", "diff", str(a), str(b)) == 1
    out = capsys.readouterr().out
    assert f"A  {a}" in out
    assert "..." in out
    assert ends("runs", "diff", str(RUNS), str(RUNS), "--all") == 0
    assert "fam/n/a" in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_on_a_terminal_names_in_brackets_are_shown(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    lay("a")
    for command in (["list"], ["diff", str(RUNS), str(RUNS), "--all"]):
        ends("runs", *command)
        out = capsys.readouterr().out
        assert "fam/n [a]" in out or "fam/n/a" in out, command


@pytest.mark.usefixtures("project")
def test_runs_are_verified(capsys, monkeypatch):
    folder = lay("a")
    failed = lay("b.failed")
    assert ends("runs", "verify") == 0
    assert capsys.readouterr().out == "1 runs, 1 as their receipts say, 0 not\n"
    (failed / "new.txt").write_text("")
    (folder / "results.json").write_text("{}")
    assert ends("runs", "verify", "--failed") == 1
    assert capsys.readouterr().out.splitlines() == [
        "fam/n [a]: results.json of the run was changed or removed",
        "fam/n [b]: new.txt of the run is not in its receipt",
        "2 runs, 0 as their receipts say, 2 not",
    ]
    assert ends("runs", "verify", "--base", "nowhere") == 2
    assert "--base must be a folder" in capsys.readouterr().err
    (Path("below")).mkdir()
    monkeypatch.chdir("below")
    assert ends("runs", "verify", "../_build/runs") == 1
    assert "1 runs, 0 as their receipts say, 1 not" in capsys.readouterr().out


WORDS = {
    "": ("list", "show", "log", "diff", "verify"),
    "list": ("--failed", "--notebook", "--sort", "--json", "seconds|memory|started", "code 1 if a receipt"),
    "show": ("--lines", "the end of its log"),
    "log": ("--follow", "130 after Ctrl-C", "need not have begun"),
    "diff": ("--tolerance", "--absolute", "--all", "--json", "--no-figures", "1e-09", "code is 0", "1 if they differ"),
    "verify": ("--base", "--failed", "code 1 if anything did", "current folder"),
}


@pytest.mark.parametrize("command", WORDS)
def test_help_says_what_each_command_does(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert ends("runs", *filter(None, [command]), "--help") == 0
    out = " ".join(capsys.readouterr().out.split())
    for word in WORDS[command]:
        assert word in out, word
