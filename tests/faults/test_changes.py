"""What a run was made from changes, or only the clock does: what depends on it is made again, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import citylib
from citylib.batch import receipt
from tests.faults.conftest import CITYLIB, FORKED, HAND_BACK, NOTE, PATIENCE, WAIT, wait, write
from tests.faults.table import fault

PARAMETERS = 'number: int = 0\ndesk: str = ""\nsource: str = "synthetic"'
READ = "from citylib import data\ndataset = data.load(source)"
ROWS = "time,sensor,value\n" + "".join(f"2024-01-01 {hour:02}:00,A,{hour}\n" for hour in range(24))
# Runs: 1 and 2 read a file each, 3 imports a part of citylib, 4 nothing.
PLAN = """
[[run]]
notebook = "fam/reads"
set = {{ desk = "{desk}", number = 1, source = "file:a.csv" }}
name = "a"
[[run]]
notebook = "fam/reads"
set = {{ desk = "{desk}", number = 2, source = "file:b.csv" }}
name = "b"
[[run]]
notebook = "fam/imports"
set = {{ desk = "{desk}", number = 3 }}
[[run]]
notebook = "fam/nothing"
set = {{ desk = "{desk}", number = 4 }}
"""


@pytest.fixture
def own(project, token, monkeypatch) -> Path:
    """A project with a citylib of its own, which can be changed; returns the folder of the package."""
    package = project / "lib" / "citylib"
    shutil.copytree(Path(citylib.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    for name in ("a", "b"):
        (project / f"{name}.csv").write_text(ROWS)
    cells = {"reads": {"read": READ}, "imports": {"import": "from citylib.errors import InputError"}, "nothing": {}}
    for name, more in cells.items():
        write(project / "notebooks" / "fam" / f"{name}.ipynb", PARAMETERS, {"note": NOTE} | more | {"back": HAND_BACK})
    (project / "four.toml").write_text(PLAN.format(desk=project / "desk"))
    return package


def command(project: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [*CITYLIB, "run", "four.toml", "--out", "out", *arguments], cwd=project, capture_output=True, text=True,
        check=False, timeout=PATIENCE * 2,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def reasons(project: Path) -> dict[int, str]:
    """Return why each run would be made again, by number."""
    asked = json.loads(command(project, "--dry-run", "--json"))
    return {run["parameters"]["number"]: run["why"] for run in asked["runs"] if run["would"] == "run"}


def ran(project: Path) -> list[int]:
    """Return the numbers of the runs that have begun since this was last asked."""
    notes = list((project / "desk").glob("*.began"))
    for note in notes:
        note.unlink()
    return sorted(int(note.name.partition("-")[0]) for note in notes)


def changed(path: Path) -> None:
    path.write_text(path.read_text() + "\n# changed\n" if path.suffix == ".py" else path.read_text() + "\n")


@fault("data-changed")
@fault("citylib-changed")
@fault("lock-changed")
@FORKED
def test_what_depends_on_a_change_is_made_again_and_only_that(project, own, warm):
    mode = [] if warm else ["--cold"]
    command(project, *mode)
    assert ran(project) == [1, 2, 3, 4]
    read = [p["path"] for p in receipt.read(project / "out" / "four" / "fam" / "imports" / "default")["citylib"]]
    assert read == ["__init__.py", "errors.py"]
    assert reasons(project) == {}

    (project / "b.csv").write_text(ROWS.replace(",5\n", ",6\n"))
    assert reasons(project) == {2: "data file b.csv changed"}
    command(project, *mode)
    assert ran(project) == [2]

    changed(own / "survival" / "kaplan_meier.py")
    changed(own / "batch" / "run.py")
    assert reasons(project) == {}, "nobody has read that"
    changed(own / "checks.py")
    assert reasons(project) == {1: "citylib/checks.py changed", 2: "citylib/checks.py changed"}
    changed(own / "errors.py")
    assert set(reasons(project)) == {1, 2, 3}
    command(project, *mode)
    assert ran(project) == [1, 2, 3]

    (project / "a.csv").unlink()
    assert "a.csv" in command_fails(project)
    (project / "a.csv").write_text(ROWS)
    assert reasons(project) == {}, "back as it was"
    (project / "requirements.lock").write_text("numpy==2.1\n")
    assert reasons(project) == dict.fromkeys([1, 2, 3, 4], "requirements.lock changed")


def command_fails(project: Path) -> str:
    """Return what the command says of a plan that names a file that isn't there."""
    done = subprocess.run(
        [*CITYLIB, "run", "four.toml", "--out", "out", "--dry-run"], cwd=project, capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    return done.stderr


@fault("citylib-changed-meanwhile")
@FORKED
def test_a_change_of_citylib_under_a_run_is_not_overlooked(project, own, warm):
    made = {"note": NOTE, "import": "from citylib.errors import InputError", "wait": WAIT, "back": HAND_BACK}
    write(project / "notebooks" / "fam" / "imports.ipynb", PARAMETERS, made)
    command_line = [
        *CITYLIB,
        "run",
        "four.toml",
        "--out",
        "out",
        "--only",
        "fam/imports*",
        *([] if warm else ["--cold"]),
    ]
    with subprocess.Popen(command_line, cwd=project, stdout=subprocess.PIPE, text=True) as runner:
        wait(lambda: list((project / "desk").glob("3-*.began")), "the run to have begun")
        changed(own / "errors.py")
        (project / "desk" / "go").touch()
        out, _ = runner.communicate(timeout=PATIENCE)
        assert runner.returncode == 0, out
    assert reasons(project)[3] == "citylib/errors.py changed while the run was under way"
    command(project, "--only", "fam/imports*")
    assert 3 not in reasons(project)


# In every process of the runs: a clock that goes back an hour a second.
BACKWARDS = """
import time
began, now = time.monotonic(), time.time()
time.time = lambda: now - 3600 * (time.monotonic() - began)
time.time_ns = lambda: int(1e9 * time.time())
"""


@fault("clock-set-back")
@FORKED
def test_a_clock_that_goes_back_shortens_nothing(grid, monkeypatch, warm):
    late = "if number == 3:\n    import signal, time\n    time.sleep(600)"
    made = grid(3, NOTE, late, HAND_BACK, warm=warm)
    (made.project / "site").mkdir()
    (made.project / "site" / "sitecustomize.py").write_text(BACKWARDS)
    monkeypatch.setenv("PYTHONPATH", str(made.project / "site"))
    minutes = 5 / 60 if warm else 20 / 60
    assert made.run("--minutes", str(minutes)) == 1, made.said()
    assert made.squares() == {1: [1], 2: [4]}
    failed = receipt.read(made.runs / "number-3.failed")
    assert (failed["outcome"], failed["error"]["cell"]) == ("time", "cell-1")
    for content in (*made.receipts().values(), failed):
        assert 0 < content["seconds"] < 60 * minutes + 30
        assert all(0 <= cell["seconds"] <= content["seconds"] for cell in content["cells"])
    assert not any(" -" in line for line in made.said().splitlines()), "no time is less than none"
