"""A folder of runs, read back."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from citylib.batch import collect
from citylib.errors import InputError, ReceiptError, UnknownNameError


def lay(folder: Path, identity: str, outcome: str = "ok", *, results=None, **parameters) -> Path:
    place = folder / "fam" / "01_first" / identity
    (place / "tables").mkdir(parents=True)
    content = {
        "schema": 1, "run": {"id": identity.removesuffix(".failed"), "notebook": "fam/01_first", "title": None},
        "parameters": parameters, "outcome": outcome, "started": "2026-01-01T00:00:00+00:00", "seconds": 2.5,
        "peak_memory_bytes": 10, "error": None if outcome == "ok" else {"name": "E", "message": "m"},
    }  # fmt: skip
    (place / "receipt.json").write_text(json.dumps(content))
    if outcome == "ok":
        empty = {"records": [], "tables": []}
        (place / "results.json").write_text(json.dumps(empty | (results or {})))
    return place


@pytest.fixture
def folder(tmp_path):
    record = {"name": "mae", "value": 1.5, "unit": "veh/h", "interval": [1, 2], "level": 0.95, "baseline": 3.0}
    table = {"name": "t", "rows": 2, "columns": [], "file": "tables/t.parquet"}
    for identity, horizon in (("a", 24), ("b", 48)):
        place = lay(tmp_path, identity, results={"records": [record], "tables": [table]}, horizon=horizon, name="x")
        pd.DataFrame({"h": [horizon, horizon + 1], "run": ["own", "own"]}).to_parquet(place / "tables" / "t.parquet")
    lay(tmp_path, "c.failed", "failed", horizon=96, name="y")
    lay(tmp_path, ".d.part-1-x", horizon=1)
    return tmp_path


def test_runs_a_row_each_with_their_parameters(folder):
    frame = collect.runs(folder)
    assert list(frame["run"]) == ["a", "b", "c"]
    assert list(frame["outcome"]) == ["ok", "ok", "failed"]
    assert list(frame["horizon"]) == [24, 48, 96]
    assert list(frame["error"].fillna("")) == ["", "", "E: m"]
    assert Path(frame["folder"][0]).is_dir()


def test_records_a_row_each_of_good_runs(folder):
    frame = collect.records(folder)
    assert list(frame.columns) == [*collect.RECORD_COLUMNS, "horizon", "name_"]
    assert frame.iloc[1].to_dict() == {
        "notebook": "fam/01_first", "run": "b", "name": "mae", "value": 1.5, "unit": "veh/h", "low": 1, "high": 2,
        "level": 0.95, "baseline": 3.0, "horizon": 48, "name_": "x",
    }  # fmt: skip


def test_tables_of_a_name_one_below_the_other(folder):
    frame = collect.table(folder, "t")
    assert list(frame["h"]) == [24, 25, 48, 49]
    assert list(frame.iloc[:, 1]) == ["a", "a", "b", "b"]
    with pytest.raises(UnknownNameError, match="table must be one of: t"):
        collect.table(folder, "tt")


def test_a_run_that_failed_since_is_in_neither_records_nor_tables(folder):
    lay(folder, "b.failed", "time", horizon=48, name="x")
    assert list(collect.records(folder)["run"]) == ["a"]
    assert list(collect.table(folder, "t")["h"]) == [24, 25]
    assert list(collect.runs(folder)["run"]) == ["a", "b", "b", "c"], "all that lies there is told"
    lay(folder, "a.failed", "died", horizon=24, name="x")
    assert collect.records(folder).empty
    with pytest.raises(UnknownNameError, match="table must be a known name"):
        collect.table(folder, "t")


def test_an_empty_folder_has_no_runs(tmp_path):
    assert collect.runs(tmp_path).empty
    assert list(collect.records(tmp_path).columns) == collect.RECORD_COLUMNS


def test_what_cannot_be_read_is_told(folder):
    with pytest.raises(ReceiptError, match="no such folder"):
        next(collect.found(folder / "nowhere"))
    (folder / "fam" / "01_first" / "a" / "results.json").write_text("{")
    with pytest.raises(ReceiptError, match=r"results.json cannot be read"):
        collect.records(folder)


def test_a_broken_receipt_hides_no_other(folder):
    good = [place for place, _ in collect.found(folder)]
    (folder / "broken").mkdir()
    (folder / "broken" / "receipt.json").write_text("{")
    told = []
    assert [place for place, _ in collect.found(folder, broken=told.append)] == good
    assert [type(fault) for fault in told] == [ReceiptError]
    with pytest.raises(ReceiptError, match="cannot be read"):
        list(collect.found(folder))


def test_the_list_of_runs_is_chosen_and_sorted(tmp_path):
    for identity, edit in {
        "a": {"seconds": 2.0, "peak_memory_bytes": 30, "started": "2026-01-02"},
        "b": {"seconds": 10.0, "peak_memory_bytes": 20, "started": "2026-01-03", "attempt": 2},
        "c.failed": {"seconds": 5.0, "peak_memory_bytes": 10, "started": "2026-01-04", "outcome": "failed"},
    }.items():
        place = lay(tmp_path, identity, "failed" if "failed" in identity else "ok")
        content = json.loads((place / "receipt.json").read_text())
        (place / "receipt.json").write_text(json.dumps(content | edit))

    def ids(**how):
        return [entry.run for entry in collect.entries(tmp_path, **how)]

    assert ids() == ["a", "b", "c"]
    assert ids(sort="seconds") == ["b", "c", "a"]
    assert ids(sort="memory") == ["a", "b", "c"]
    assert ids(sort="started") == ["c", "b", "a"]
    assert ids(failed=True) == ["c"]
    for pattern, found in (("fam/*", 3), ("first", 3), ("*_first", 3), ("first*", 0), ("fam/0?_first", 3), ("x", 0)):
        assert len(ids(notebook=pattern)) == found, pattern
    failed = collect.entries(tmp_path, failed=True)[0]
    assert (failed.outcome, failed.error, failed.attempt, failed.seconds) == ("failed", "E: m", None, 5.0)
    assert [entry.attempt for entry in collect.entries(tmp_path)] == [None, 2, None]
    with pytest.raises(InputError, match="sort must be one of: seconds, memory, started"):
        ids(sort="size")


@pytest.mark.parametrize("edit", [{"seconds": None}, {"run": 3}, {"error": "x"}, {"peak_memory_bytes": "much"}])
def test_a_receipt_that_lacks_something_is_told_and_hides_no_other(folder, edit):
    place = folder / "fam" / "01_first" / "a"
    content = json.loads((place / "receipt.json").read_text())
    (place / "receipt.json").write_text(json.dumps(content | edit))
    told = []
    assert [entry.run for entry in collect.entries(folder, broken=told.append)] == ["b", "c"]
    assert [str(fault) for fault in told] == [f"{place / 'receipt.json'}: lacks something"]
    with pytest.raises(ReceiptError, match="lacks something"):
        collect.entries(folder)
