"""Notebooks and plans that are broken, change meanwhile, or ask for much: refused early or told late."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from citylib.batch import plan, receipt
from citylib.batch.schedule import run_plan
from citylib.errors import ParameterError
from tests.batch.conftest import Told
from tests.faults.conftest import CITYLIB, FORKED, HAND_BACK, MODES, NOTE, PATIENCE, WAIT, half_files, wait, write
from tests.faults.table import fault

NUMBER = 'number: int = 0\ndesk: str = ""'
BROKEN = {
    "not_json": ('{"cells": [', "is not valid JSON"),
    "no_text": (b"\xff\xfe\x00", "is not valid JSON"),
    "no_notebook": ("[1, 2]", "is not a notebook of format 4"),
    "old": ('{"nbformat": 3, "worksheets": []}', "is not a notebook of format 4"),
    "no_parameters": (
        json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}),
        "has no cells tagged",
    ),
}


def citylib(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CITYLIB, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)


@fault("broken-notebook")
def test_broken_notebooks_are_refused_together_before_any_kernel(project, token):
    for name, (text, _) in BROKEN.items():
        (project / "notebooks" / "fam").mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode()
        (project / "notebooks" / "fam" / f"{name}.ipynb").write_bytes(data)
    write(project / "notebooks" / "fam" / "good.ipynb", NUMBER, {"note": NOTE})
    blocks = [f'[[run]]\nnotebook = "fam/{name}"\n' for name in (*BROKEN, "nowhere", "good")]
    (project / "all.toml").write_text("".join(blocks))
    done = citylib("run", "all.toml", "--out", "out")
    assert done.returncode == 2
    for name, (_, says) in BROKEN.items():
        assert any(name in line and says in line for line in done.stderr.splitlines()), done.stderr
    assert "fam/nowhere: no such notebook" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "out").exists()


@fault("broken-cell")
@fault("missing-kernel")
def test_a_cell_that_is_no_python_and_a_kernel_that_is_not_there(project, token):
    (project / "desk" / "go").touch()
    good = {"note": NOTE, "back": HAND_BACK}
    write(project / "notebooks" / "fam" / "good.ipynb", NUMBER, good)
    write(project / "notebooks" / "fam" / "cell.ipynb", NUMBER, {"note": NOTE, "broken": "def (:"})
    away = {"name": "julia-9", "display_name": "j", "language": "python"}
    write(project / "notebooks" / "fam" / "kernel.ipynb", NUMBER, good, kernelspec=away)
    desk = f'set = {{ desk = "{project / "desk"}" }}\n'
    names = ("cell", "kernel", "good")
    (project / "all.toml").write_text("".join(f'[[run]]\nnotebook = "fam/{n}"\n{desk}' for n in names))
    done = citylib("run", "all.toml", "--out", "out", "--workers", "2")
    assert done.returncode == 1
    errors = {}
    for name in ("cell", "kernel"):
        errors[name] = receipt.read(project / "out" / "all" / "fam" / name / "default.failed")["error"]
    assert (errors["cell"]["cell"], errors["cell"]["name"]) == ("broken", "SyntaxError")
    assert "the kernel 'julia-9' is not installed here; installed: " in errors["kernel"]["message"]
    assert receipt.read(project / "out" / "all" / "fam" / "good" / "default")["outcome"] == "ok"
    assert half_files(project / "out") == []


BREAK = {
    "cut off": lambda path: path.write_text(path.read_text()[:100]),
    "removed": lambda path: path.unlink(),
    "other parameters": lambda path: path.write_text(path.read_text().replace("number: int", "count: int")),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}
SAYS = {
    "cut off": "01_grid.ipynb: is not valid JSON",
    "removed": "No such file or directory",
    "other parameters": "its parameters are no longer those of the plan (count, number)",
    "a folder": "Is a directory",
}


@fault("broken-meanwhile")
@pytest.mark.parametrize(
    "how", [pytest.param(h, marks=[] if h == "other parameters" else pytest.mark.slow) for h in BREAK]
)
def test_a_notebook_is_broken_while_the_plan_runs(grid, how):
    made = grid(3, warm=True)
    path = made.project / "notebooks" / "fam" / "01_grid.ipynb"
    kept = path.read_bytes()
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        BREAK[how](path)
        (made.project / "desk" / "go").touch()
        assert runner.wait(PATIENCE) == 1, made.said()
    assert made.squares() == {1: [1], 2: [4]}, "those under way had the notebook already"
    failed = receipt.read(made.runs / "number-3.failed")
    assert SAYS[how] in failed["error"]["message"]
    assert str(made.project) not in failed["error"]["message"]
    shutil.rmtree(path, ignore_errors=True)
    path.write_bytes(kept)
    assert made.run() == 0, made.said()
    made.is_whole()
    assert made.ended() == [1, 2, 3]


@fault("changed-meanwhile")
@FORKED
def test_a_notebook_is_changed_while_the_plan_runs(grid, warm):
    made = grid(3, warm=warm)
    path = made.project / "notebooks" / "fam" / "01_grid.ipynb"
    before = receipt.Hashes().of(path)
    with made.start() as runner:
        wait(lambda: len(made.began()) == 2, "two runs under way")
        made.write(NOTE, WAIT, HAND_BACK.replace("number**2", "number**3"))
        (made.project / "desk" / "go").touch()
        assert runner.wait(PATIENCE) == 0, made.said()
    after = receipt.Hashes().of(path)
    assert made.squares() == {1: [1], 2: [4], 3: [27]}
    assert {n: c["notebook"]["sha256"] for n, c in made.receipts().items()} == {1: before, 2: before, 3: after}
    assert made.run() == 0, made.said()
    assert made.squares() == {1: [1], 2: [8], 3: [27]}
    assert made.ended() == [1, 1, 2, 2, 3], "what was made from the new one stays"


LONG = {
    "latin": "x" * 4000,
    "umlauts": "ü" * 4000,
    "chinese": "北京" * 2000,
    "faces": "🚦" * 1000,
    "right to left": "القاهرة",
    "path": "../../../etc/passwd",
    "absolute": "/dev/null",
    "option": "--force",
    "quotes": "'\"`$(touch gone)\\",
    "lines": "one\ntwo\r\n\ttabs",
    "marks": "a\u0301\u200b\u202eb",
    "space": " ",
    "dots": "..",
    "control": "\x01\x7f",
}


@fault("long-values")
@FORKED
def test_values_arrive_as_given_whatever_they_are(project, token, warm):
    source = "import hashlib, pathlib\ndigest = hashlib.sha256(text.encode()).hexdigest()\nprint(digest)"
    path = write(project / "notebooks" / "fam" / "01_text.ipynb", 'text: str = ""', {"digest": source})
    (project / "long.toml").write_text(
        f'[[run]]\nnotebook = "fam/01_text"\ngrid = {{ text = {json.dumps([*LONG.values()], ensure_ascii=True)} }}\n'
        .replace("\\ud83d\\udea6", "🚦").replace("\\u007f", "\\u007F").replace("\x7f", "\\u007F")
    )  # fmt: skip
    made = plan.load(project / "long.toml")
    assert [run.parameters["text"] for run in made.runs] == list(LONG.values())
    told = Told()
    outcomes = run_plan(made, project / "out", 2, told, warm=warm)
    assert [o.status for o in outcomes] == ["ok"] * len(made.runs), [o.describe() for o in outcomes]
    for outcome, text in zip(outcomes, LONG.values(), strict=False):
        assert receipt.read(outcome.folder)["parameters"] == {"text": text}
        assert receipt.hashlib.sha256(text.encode()).hexdigest() in (outcome.folder / "log.txt").read_text()
        assert len(outcome.folder.name) < 100
        assert outcome.folder.parent == project / "out" / "long" / "fam" / "01_text"
        assert outcome.folder.name.isascii()
    assert len({o.folder for o in outcomes}) == len(outcomes)
    assert [o.status for o in run_plan(made, project / "out", 2, told, warm=warm)] == ["skipped"] * len(made.runs)
    assert half_files(project / "out") == []
    assert not (project / "gone").exists()
    (by_hand,) = run_plan(plan.single(path, {"text": LONG["chinese"]}), project / "out")
    assert (by_hand.ok, by_hand.folder.name.isascii(), len(by_hand.folder.name) < 100) == (True, True, True)


@fault("same-run-twice")
def test_the_same_run_twice(grid):
    made = grid(2)
    text = (made.project / "grid.toml").read_text()
    (made.project / "grid.toml").write_text(text + text)
    assert made.run() == 2
    assert "must not be the same run as one of run 1 (fam/01_grid)" in made.said()
    assert not (made.project / "out").exists()
    (made.project / "grid.toml").write_text(text.replace("[1, 2]", "[1, 1]"))
    assert made.run() == 2
    assert not (made.project / "out").exists()
    (made.project / "grid.toml").write_text(text)
    run = plan.load(made.project / "grid.toml").runs[0]
    outcomes = run_plan(plan.Plan("twice", (run, run)), made.project / "out", 2, warm=True)
    assert sorted(o.status for o in outcomes) == ["ok", "skipped"]
    assert made.ended() == [1]


NO_VALUES = '[[run]]\nnotebook = "fam/01_grid"\ngrid = { number = [] }\n'
EMPTY = ["", "run = []\n", 'name = "empty"\n', "# nothing yet\n", NO_VALUES]


@fault("empty-plan")
@pytest.mark.parametrize("text", EMPTY)
def test_a_plan_without_runs_is_refused(grid, text):
    made = grid(1)
    (made.project / "grid.toml").write_text(text)
    with pytest.raises(ParameterError, match=r"must have at least one \[\[run\]\]|must be a list of values"):
        plan.load(made.project / "grid.toml")
    assert not (made.project / "out").exists()


@fault("empty-plan")
@MODES
def test_a_plan_without_runs_does_nothing(project, warm):
    told = Told()
    assert run_plan(plan.Plan("empty", ()), project / "out", 2, told, warm=warm) == []
    assert told.lines == [("begin", 0), ("end",)]
    assert not (project / "out").exists()
