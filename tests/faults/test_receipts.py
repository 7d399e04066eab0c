"""Receipts that were cut off, edited or exchanged: none is believed, none stops a plan, and verify tells."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from citylib.batch import collect, receipt, run
from citylib.batch.receipt import FILE, Hashes
from citylib.batch.run import assess
from citylib.batch.schedule import run_plan
from citylib.batch.verify import verify
from tests.batch.conftest import Told, attempts, plan_of, planned, project  # noqa: F401
from tests.faults.table import fault

Edit = Any


def cut(share: float) -> Edit:
    return lambda text: text[: int(len(text) * share)]


def put(**values: Any) -> Edit:
    return lambda text: json.dumps(json.loads(text) | values)


def drop(name: str) -> Edit:
    return lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != name})


FILES = [{"file": "results.json", "sha256": "0" * 64, "bytes": 2}]
EDITS: dict[str, Edit] = {
    "empty": cut(0.0),
    "cut off": cut(0.5),
    "cut off at its end": lambda text: text.rstrip().removesuffix("}"),
    "bytes": lambda text: b"\x00\xff\xfe" * 100,
    "other text": lambda text: "done\n",
    "null": lambda text: "null",
    "a list": lambda text: f"[{text}]",
    "a thousand brackets": lambda text: "[" * 100_000,
    "of another form": put(schema=99),
    "bad, called good": put(outcome="failed"),
    "of another notebook": put(notebook={"path": "n", "sha256": "0" * 64}),
    "without a notebook": put(notebook=None),
    "of other parameters": put(parameters={"horizon": 7, "source": "synthetic"}),
    "without parameters": put(parameters=None),
    "of a list of parameters": put(parameters=[1]),
    "with another key": put(key="0" * 64),
    "with another file": put(made=FILES),
    "with a file that no system has": put(made=[{"file": "a\0b", "sha256": "0", "bytes": 1}]),
    "with a file of half characters": put(made=[{"file": "\ud800", "sha256": "0", "bytes": 1}]),
    "with a file of endless name": put(made=[{"file": "x" * 5000, "sha256": "0", "bytes": 1}]),
    "with a number for files": put(made=5),
    "with a number for data": put(data=5),
    "with data of no name": put(data=[{"file": None, "sha256": "0", "origin": "own"}]),
    "with data of a nul": put(data=[{"file": "a\0b", "sha256": "0", "origin": "own"}]),
    "with data unheard of": put(data=[{"file": "no/such", "sha256": "0", "origin": "folder"}]),
    "with text for citylib": put(citylib="all"),
    "with citylib of a nul": put(citylib=[{"path": "\0", "sha256": "0"}]),
} | {f"without {name}": drop(name) for name in ("outcome", "notebook", "parameters", "lock", "data", "citylib", "made",
                                               "key")}  # fmt: skip


def edited(path: Path, edit: Edit) -> None:
    new = edit(path.read_text())
    path.write_bytes(new if isinstance(new, bytes) else new.encode("utf-8", "surrogatepass"))


@fault("broken-receipt")
@pytest.mark.parametrize("edit", EDITS.values(), ids=list(EDITS))
def test_a_receipt_that_was_edited_is_not_believed(attempts, plan_of, tmp_path, edit):  # noqa: F811
    plan, out = plan_of(10, 11), tmp_path / "out"
    outcomes = run_plan(plan, out, 1)
    good, other = (o.folder for o in outcomes)
    before = (other / FILE).read_bytes()
    edited(good / FILE, edit)
    told = {v.folder: v.changes for v in verify(out, base=tmp_path)}
    assert told[good]
    first, second = (why for _, why in assess(plan, out))
    assert (bool(first), second) == (True, None), "it is made again, and only it"
    list(collect.found(out, broken=lambda fault: None))
    again = run_plan(plan, out, 1)
    assert [o.status for o in again] == ["ok", "skipped"]
    assert attempts == ["h0", "h1", "h0"]
    assert (other / FILE).read_bytes() == before
    assert receipt.read(good)["outcome"] == "ok"
    assert [o.status for o in run_plan(plan, out, 1)] == ["skipped", "skipped"]


@fault("broken-receipt")
def test_a_receipt_of_another_run_is_not_believed(attempts, plan_of, tmp_path):  # noqa: F811
    plan, out = plan_of(10, 11), tmp_path / "out"
    first, second = (o.folder for o in run_plan(plan, out, 1))
    (first / FILE).write_bytes((second / FILE).read_bytes())
    assert [why for _, why in assess(plan, out)] == ["parameters changed: horizon", None]


@fault("times-in-the-future")
def test_times_of_files_are_no_reason_to_run_again(attempts, plan_of, tmp_path):  # noqa: F811
    plan, out = plan_of(10, 11), tmp_path / "out"
    outcomes = run_plan(plan, out, 1)
    before = [v.changes for v in verify(out, base=tmp_path)]
    for o in outcomes:
        edited(o.folder / FILE, lambda text: json.dumps(json.loads(text) | {"started": "2999-01-01T00:00:00+00:00"}))
    for when in (4_000_000_000, 1):  # in 2096 and in 1970
        for path in [*out.rglob("*"), plan.runs[0].path, tmp_path / "requirements.lock"]:
            os.utime(path, (when, when))
        assert [o.status for o in run_plan(plan, out, 1)] == ["skipped", "skipped"]
        assert [v.changes for v in verify(out, base=tmp_path)] == before
    assert len(attempts) == 2


@fault("times-in-the-future")
def test_a_change_is_found_whatever_the_time_of_the_file(attempts, plan_of, tmp_path):  # noqa: F811
    plan, out = plan_of(10), tmp_path / "out"
    run_plan(plan, out, 1)
    lock = tmp_path / "requirements.lock"
    status = lock.stat()
    lock.write_text(lock.read_text().replace("2", "3"))
    os.utime(lock, ns=(status.st_atime_ns, status.st_mtime_ns))  # as many bytes, of the same time
    assert run.why_not(plan.runs[0], plan.runs[0].folder(plan.folder(out)), Hashes()) == "requirements.lock changed"


@fault("clock-set-back")
def test_a_clock_that_is_set_back_changes_no_decision(attempts, plan_of, tmp_path, monkeypatch):  # noqa: F811
    plan, out, told = plan_of(10, 11, 12), tmp_path / "out", Told()
    real, calls = time.time, iter(range(10**9))
    monkeypatch.setattr(time, "time", lambda: real() - 3600.0 * next(calls))  # an hour at each look
    assert [o.status for o in run_plan(plan, out, 2, told)] == ["ok"] * 3
    assert [o.status for o in run_plan(plan, out, 2, told)] == ["skipped"] * 3
