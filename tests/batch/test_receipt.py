"""Receipts: a run is skipped only while everything it was made from, and made, is as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from citylib.batch import receipt
from citylib.batch.receipt import Hashes
from citylib.errors import ChecksumError, ReceiptError

PARAMETERS = {"horizon": 24, "rate": 1.0}


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A stand-in for the citylib package, with two families."""
    folder = tmp_path / "citylib"
    for name in ("survival/cox.py", "timeseries/arima.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("x = 1\n")
    monkeypatch.setattr(receipt, "package_folder", lambda: folder)
    return folder


@pytest.fixture
def done(tmp_path, package) -> Path:
    """The folder of a run that read timeseries/arima.py and two data files."""
    folder = tmp_path / "run"
    (folder / "tables").mkdir(parents=True)
    (folder / "results.json").write_text("{}")
    (folder / "tables" / "t.parquet").write_text("t")
    (folder / "log.txt").write_text("")
    (tmp_path / "own.csv").write_text("time\n")
    hashes = Hashes()
    content = {
        "schema": receipt.SCHEMA,
        "notebook": {"path": "n.ipynb", "sha256": "n"},
        "run": {"id": "default", "notebook": "fam/n", "title": None},
        "parameters": PARAMETERS,
        "lock": "l",
        "data": [
            {"file": "own.csv", "sha256": hashes.of(tmp_path / "own.csv"), "bytes": 5, "origin": "own", "source": "s"},
            {"file": "made-up", "sha256": "0", "bytes": 5, "origin": "embedded", "source": "s"},
        ],
        "citylib": [{"path": "timeseries/arima.py", "sha256": hashes.of(package / "timeseries" / "arima.py")}],
        "outcome": "ok",
        "made": receipt.made_files(folder, hashes),
    }
    write(folder, content | {"key": receipt.key_of(content)})
    return folder


def write(folder: Path, content: dict) -> None:
    (folder / "receipt.json").write_text(json.dumps(content))


def why(folder: Path, **changed) -> str | None:
    asked = {"notebook_sha256": "n", "parameters": PARAMETERS, "lock": "l", "base": folder.parent} | changed
    return receipt.why_not(folder, **asked)


def test_an_unchanged_run_is_skipped(done):
    assert why(done) is None


def test_a_run_that_never_was_is_made(tmp_path):
    assert why(tmp_path / "nowhere") == "never run"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"notebook_sha256": "m"}, "the notebook changed"),
        ({"parameters": PARAMETERS | {"horizon": 48}}, "parameters changed: horizon"),
        ({"parameters": {"horizon": 24}}, "parameters changed: rate"),
        ({"parameters": {"horizon": 24, "rate": 1}}, "parameters changed: their types"),
        ({"lock": "m"}, "requirements.lock changed"),
    ],
)
def test_what_is_asked_for_must_be_the_same(done, changed, reason):
    assert why(done, **changed) == reason


def test_a_family_that_was_not_read_may_change(done, package):
    (package / "survival" / "cox.py").write_text("x = 2\n")
    assert why(done) is None


def test_a_family_that_was_read_may_not(done, package):
    (package / "timeseries" / "arima.py").write_text("x = 2\n")
    assert why(done) == "citylib/timeseries/arima.py changed"
    (package / "timeseries" / "arima.py").unlink()
    assert why(done) == "citylib/timeseries/arima.py changed"


def test_data_may_not_change(done):
    own = done.parent / "own.csv"
    own.write_text("time,value\n")
    assert why(done) == "data file own.csv changed"
    own.unlink()
    assert why(done) == "data file own.csv is no longer found"


@pytest.mark.parametrize("name", ["results.json", "tables/t.parquet"])
def test_what_was_made_may_not_change(done, name):
    (done / name).write_text("other")
    assert why(done) == f"{name} of the run was changed or removed"
    (done / name).unlink()
    assert why(done) == f"{name} of the run was changed or removed"


def test_the_log_may_be_read_and_removed(done):
    (done / "log.txt").unlink()
    assert why(done) is None


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"outcome": "failed"}, "last outcome: failed"),
        ({"key": "0"}, "its receipt was edited"),
        ({"schema": 99}, "is no receipt of form 1"),
        ({"made": None}, "its receipt lacks something"),
    ],
)
def test_a_receipt_that_was_tampered_with_does_not_count(done, edit, reason):
    write(done, receipt.read(done) | edit)
    assert reason in why(done)


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "cannot be read"), ("[]", "is no receipt"), (None, "has no receipt")]
)
def test_a_broken_receipt_does_not_count(done, text, reason):
    if text is None:
        (done / "receipt.json").unlink()
    else:
        (done / "receipt.json").write_text(text)
    assert reason in why(done)
    with pytest.raises(ReceiptError, match=reason):
        receipt.read(done)


def test_a_file_that_changed_under_way_makes_the_run_again(done):
    content = receipt.read(done)
    content["citylib"][0]["sha256"] = receipt.CHANGED
    write(done, content | {"key": receipt.key_of(content)})
    assert why(done) == "citylib/timeseries/arima.py changed while the run was under way"


def test_verify_tells_every_change(done, package):
    (package / "timeseries" / "arima.py").write_text("x = 2\n")
    (done / "results.json").write_text("other")
    told = receipt.changes(receipt.read(done), done, root=done.parent, base=done.parent)
    assert len(told) == 4, told
    assert told[0] == "the notebook n.ipynb is not in this project"
    (done.parent / "n.ipynb").write_text("{}")
    assert receipt.changes(receipt.read(done), done, root=done.parent, base=done.parent)[0] == "the notebook changed"


def test_a_registered_file_is_found_as_load_would(monkeypatch, tmp_path):
    from citylib.data import fetch

    hashes, asked = Hashes(), []

    def find(file):
        asked.append(file)
        if file == "bad":
            raise ChecksumError("other bytes")
        return fetch.Found(tmp_path, "folder", "abc", 3) if file == "set/a.csv" else None

    monkeypatch.setattr(fetch, "find_listed", find)
    assert [hashes.of_data(f, "folder", tmp_path) for f in ("set/a.csv", "bad", "set/b.csv", "set/a.csv")] == [
        "abc", None, None, "abc",
    ]  # fmt: skip
    assert asked == ["set/a.csv", "bad", "set/b.csv"]


def test_a_file_is_hashed_once_until_it_changes(tmp_path):
    path, hashes = tmp_path / "f", Hashes()
    path.write_text("a")
    first = hashes.of(path)
    assert len(hashes.kept) == 1
    assert hashes.of(path) == first
    path.write_text("bb")
    assert hashes.of(path) != first
    assert hashes.of(tmp_path / "nowhere") is None


def test_the_project_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert receipt.root_of(tmp_path / "a" / "n.ipynb") == tmp_path
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "pyproject.toml").write_text("")
    assert receipt.root_of(tmp_path / "a" / "b" / "n.ipynb") == tmp_path / "a"
    assert receipt.root_of(Path(os.sep) / "elsewhere" / "n.ipynb") == Path(os.sep) / "elsewhere"


def test_without_a_lock_what_is_installed_stands_for_it(tmp_path):
    hashes = Hashes()
    installed = receipt.lock_of(tmp_path, hashes)
    assert len(installed) == 64
    assert receipt.lock_of(tmp_path, hashes) == installed
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    assert receipt.lock_of(tmp_path, hashes) == hashes.of(tmp_path / "requirements.lock") != installed


def test_the_key_depends_on_all_a_run_was_made_from(done):
    content = receipt.read(done)
    assert receipt.key_of(content) == content["key"]
    for changed in (
        {"notebook": {"path": "n.ipynb", "sha256": "m"}},
        {"parameters": {}},
        {"lock": "m"},
        {"data": []},
        {"citylib": []},
    ):
        assert receipt.key_of(content | changed) != content["key"]
    assert receipt.key_of(content | {"seconds": 3, "started": "now"}) == content["key"]


def test_a_recorded_result_that_was_made_again_is_read_again(done, package):
    kept = package / "data" / "kept" / "forest.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    content = json.loads((done / "receipt.json").read_text())
    file = {
        "file": "data/kept/forest.json",
        "sha256": Hashes().of(kept),
        "bytes": 2,
        "origin": "recorded",
        "source": "r",
    }
    content["data"].append(file)
    write(done, content | {"key": receipt.key_of(content)})
    assert why(done) is None
    kept.write_text('{"runs": []}')
    assert why(done) == "data file data/kept/forest.json changed"
