"""Runs held against their receipts: whatever changes is told, wherever one stands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from citylib.batch import receipt
from citylib.batch.receipt import Hashes
from citylib.batch.verify import verify
from citylib.errors import ReceiptError


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with a stand-in for citylib, an own data file, and one good run; made the current folder."""
    root = tmp_path / "city"
    package = tmp_path / "citylib"
    for path, text in (
        (root / "requirements.lock", "numpy==2.0\n"),
        (root / "notebooks" / "fam" / "n.ipynb", "{}"),
        (root / "own.csv", "time\n"),
        (package / "panel.py", "x = 1\n"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(receipt, "package_folder", lambda: package)
    monkeypatch.chdir(root)
    lay(root, package, "a")
    return root


def lay(root: Path, package: Path, identity: str, outcome: str = "ok") -> Path:
    folder = root / "_build" / "runs" / "p" / "fam" / "n" / identity
    (folder / "tables").mkdir(parents=True)
    for name in ("notebook.ipynb", "results.json", "tables/t.parquet", "log.txt"):
        (folder / name).write_text(name)
    hashes = Hashes()
    own = {"file": "own.csv", "sha256": hashes.of(root / "own.csv"), "bytes": 5, "origin": "own", "source": "s"}
    content = {
        "schema": receipt.SCHEMA, "run": {"id": identity.removesuffix(".failed"), "notebook": "fam/n", "title": None},
        "notebook": {"path": "notebooks/fam/n.ipynb", "sha256": hashes.of(root / "notebooks" / "fam" / "n.ipynb")},
        "parameters": {}, "lock": receipt.lock_of(root, hashes), "outcome": outcome,
        "data": [own],
        "citylib": [{"path": "panel.py", "sha256": hashes.of(package / "panel.py")}],
        "made": receipt.made_files(folder, hashes),
    }  # fmt: skip
    (folder / "receipt.json").write_text(json.dumps(content | {"key": receipt.key_of(content)}))
    return folder


RUNS = Path("_build/runs")
RUN = RUNS / "p" / "fam" / "n" / "a"


def told(folder: Path = RUNS, **how) -> list[str]:
    return [change for run in verify(folder, **how) for change in run.changes]


@pytest.mark.usefixtures("project")
def test_a_run_as_its_receipt_says():
    (one,) = verify(RUNS)
    assert (one.run, one.folder, one.changes) == ("fam/n [a]", RUN, ())


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("notebooks/fam/n.ipynb", "the notebook changed"),
        ("requirements.lock", "requirements.lock changed"),
        ("own.csv", "data file own.csv changed"),
        ("../citylib/panel.py", "citylib/panel.py changed"),
        (RUN / "notebook.ipynb", "notebook.ipynb of the run was changed or removed"),
        (RUN / "results.json", "results.json of the run was changed or removed"),
        (RUN / "tables" / "t.parquet", "tables/t.parquet of the run was changed or removed"),
        (RUN / "tables" / "new.parquet", "tables/new.parquet of the run is not in its receipt"),
        (RUN / "stray.txt", "stray.txt of the run is not in its receipt"),
        (RUN / "log.txt", None),
    ],
)
@pytest.mark.usefixtures("project")
def test_each_file_that_changes_is_told(file, change):
    Path(file).write_text("other")
    assert told() == ([change] if change else [])


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("notebooks/fam/n.ipynb", "the notebook notebooks/fam/n.ipynb is not in this project"),
        ("own.csv", "data file own.csv is no longer found"),
        ("../citylib/panel.py", "citylib/panel.py changed"),
        (RUN / "tables" / "t.parquet", "tables/t.parquet of the run was changed or removed"),
        (RUN / "receipt.json", "has no receipt.json"),
    ],
)
@pytest.mark.usefixtures("project")
def test_each_file_that_is_gone_is_told(file, change):
    Path(file).unlink()
    assert told() == [change]


@pytest.mark.parametrize("file", ["own.csv", RUN / "results.json", "../citylib/panel.py", "notebooks/fam/n.ipynb"])
@pytest.mark.usefixtures("project")
def test_a_file_of_the_same_size_and_time_is_no_alibi(file):
    path = Path(file)
    before = path.stat()
    path.write_bytes(bytes(reversed(path.read_bytes())))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert len(told()) == 1


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        ({"key": "0"}, ["its receipt was edited"]),
        ({"parameters": {"x": 1}}, ["its receipt was edited"]),
        ({"made": None}, ["its receipt lacks something"]),
        ({"data": None}, ["its receipt lacks something"]),
        ({"notebook": None}, ["its receipt lacks something"]),
        ({"citylib": [], "made": "x"}, ["its receipt lacks something"]),
        ({"run": None}, []),
        ({"schema": 9}, ["is no receipt of form 1"]),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_receipt_that_was_edited_or_broken_is_told(edit, changes):
    content = json.loads((RUN / "receipt.json").read_text())
    (RUN / "receipt.json").write_text(json.dumps(content | edit))
    assert told() == changes


@pytest.mark.usefixtures("project")
def test_a_dangling_link_in_a_run_is_told():
    (RUN / "link").symlink_to("nowhere")
    assert told() == ["link of the run is not in its receipt"]


def test_from_another_folder_the_project_of_the_runs_is_meant(project, tmp_path, monkeypatch):
    (project / "deep").mkdir()
    for place in (project / "deep", tmp_path):
        monkeypatch.chdir(place)
        assert told(project / "_build" / "runs") == []
        assert told(Path(os.path.relpath(project / RUN))) == []
    (project / "own.csv").unlink()
    assert told(project / RUN) == ["data file own.csv is no longer found"]


def test_own_files_are_looked_for_where_it_is_said(project, tmp_path, monkeypatch):
    (project / "deep").mkdir()
    (project / "deep" / "own.csv").write_text("other")
    assert told(base=project / "deep") == ["data file own.csv changed"]
    monkeypatch.chdir(project / "deep")  # here is one: it is the one meant
    assert told(project / RUNS) == ["data file own.csv changed"]
    assert told(project / RUNS, base=project) == []


def test_runs_kept_outside_of_the_project_are_held_against_the_current_one(project, tmp_path, monkeypatch):
    (project / RUNS).rename(tmp_path / "elsewhere")
    assert told(tmp_path / "elsewhere") == []
    monkeypatch.chdir(tmp_path)
    assert told(tmp_path / "elsewhere")[0] == "the notebook notebooks/fam/n.ipynb is not in this project"
    assert told(tmp_path / "elsewhere", base=project) == []


def test_failed_runs_are_verified_where_it_is_asked_for(project, tmp_path):
    folder = lay(project, tmp_path / "citylib", "b.failed", "failed")
    assert told(failed=True) == []
    (folder / "notebook.ipynb").write_text("other")
    assert told() == []
    changed = ["notebook.ipynb of the run was changed or removed"]
    assert told(failed=True) == changed
    assert told(folder) == changed
    (folder / "receipt.json").unlink()
    assert (told(), told(failed=True)) == ([], ["has no receipt.json"])


def test_what_a_runner_is_just_writing_is_no_run(project, tmp_path):
    lay(project, tmp_path / "citylib", ".c.part-1-x")
    assert len(list(verify(RUNS))) == 1


@pytest.mark.usefixtures("project")
def test_a_folder_that_is_not_there_is_an_error():
    with pytest.raises(ReceiptError, match="no such folder"):
        next(verify(Path("nowhere")))
