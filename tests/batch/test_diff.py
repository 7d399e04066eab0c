"""Runs side by side: parameters, results with a tolerance, tables cell by cell, what they were made from."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib.batch import diff
from citylib.batch.tolerance import Line, Tolerance
from citylib.errors import InputError, ReceiptError

RECEIPT: dict[str, Any] = {
    "schema": 1, "run": {"id": "a", "notebook": "fam/01_first", "title": None}, "outcome": "ok", "error": None,
    "notebook": {"path": "n.ipynb", "sha256": "n"}, "parameters": {"horizon": 24, "orders": [1, 0], "sensor": None},
    "lock": "l", "limits": {"minutes": 10.0}, "versions": {"python": "3.12", "numpy": "2.0"}, "seconds": 2.0,
    "peak_memory_bytes": 100, "data": [{"source": "s", "file": "s/a.csv", "sha256": "d"}],
    "citylib": [{"path": "panel.py", "sha256": "p"}], "started": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
RESULTS: dict[str, Any] = {
    "records": [{"name": "mae", "value": 12.0, "unit": "veh/h", "interval": [11.0, 13.0], "level": 0.95,
                 "baseline": 15.0}, {"name": "place", "value": "here", "unit": ""}],
    "tables": [], "said": [{"text": "One."}, {"text": "Two."}],
    "figures": [{"name": "f", "alt": "A line.", "file": "figures/f.svg", "dark": "figures/f-dark.svg"}],
}  # fmt: skip


def lay(
    folder: Path, receipt: dict[str, Any], results: dict[str, Any] | None, frame: pd.DataFrame | None = None
) -> Path:
    (folder / "figures").mkdir(parents=True)
    (folder / "tables").mkdir()
    (folder / "receipt.json").write_text(json.dumps(receipt))
    for name in ("f", "f-dark"):
        (folder / "figures" / f"{name}.svg").write_text("<svg/>")
    if results is not None:
        results = copy.deepcopy(results)
        if frame is not None:
            columns = [{"name": c, "dtype": "float"} for c in frame.columns]
            results["tables"] = [{"name": "t", "rows": len(frame), "columns": columns, "file": "tables/t.parquet"}]
            frame.to_parquet(folder / "tables" / "t.parquet")
        (folder / "results.json").write_text(json.dumps(results))
    return folder


def edited(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    content = copy.deepcopy(content)
    *above, last = path.split("/")
    place: Any = content
    for key in above:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is KeyError:
        del place[last]
    else:
        place[last] = value
    return content


def compared(tmp_path: Path, receipt: dict[str, Any], results: dict[str, Any] | None, **how: Any) -> diff.Comparison:
    return diff.compare(lay(tmp_path / "a", RECEIPT, RESULTS), lay(tmp_path / "b", receipt, results), **how)


def test_equal_runs_differ_in_nothing(tmp_path):
    found = compared(tmp_path, RECEIPT | {"seconds": 9.0, "peak_memory_bytes": 5}, RESULTS)
    assert found.differences == ()
    assert found.same_results
    assert [line.name for line in found.lines if not line.equal] == ["seconds", "peak_memory_bytes"]
    assert {"outcome", "result", "said", "figure", "parameter", "data", "version", "citylib", "lock", "limit"} < {
        line.part for line in found.lines
    }


@pytest.mark.parametrize(
    ("path", "value", "part", "name", "note"),
    [
        ("parameters/horizon", 48, "parameter", "horizon", "24 apart (50 %)"),
        ("parameters/horizon", 24.0, "parameter", "horizon", "int against float"),
        ("parameters/orders", [1.0, 0], "parameter", "orders", ""),
        ("parameters/sensor", KeyError, "parameter", "sensor", "only in A"),
        ("parameters/new", None, "parameter", "new", "only in B"),
        ("versions/numpy", "2.1", "version", "numpy", ""),
        ("versions/scipy", "1.1", "version", "scipy", "only in B"),
        ("lock", "m", "lock", "sha256", ""),
        ("notebook/sha256", "m", "notebook", "sha256", ""),
        ("run/notebook", "fam/02", "notebook", "name", ""),
        ("limits/minutes", 5.0, "limit", "minutes", "5 apart (50 %)"),
        ("data/0/sha256", "e", "data", "s: s/a.csv", ""),
        ("citylib/0/sha256", "q", "citylib", "panel.py", ""),
    ],
)
def test_what_they_were_made_from_changes_no_result(tmp_path, path, value, part, name, note):
    found = compared(tmp_path, edited(RECEIPT, path, value), RESULTS)
    assert [(line.part, line.name, line.note) for line in found.differences] == [(part, name, note)]
    assert found.same_results


@pytest.mark.parametrize(
    ("path", "value", "part", "name", "note"),
    [
        ("records/0/value", 12.1, "result", "mae", "0.1 apart (0.826 %)"),
        ("records/0/value", 12, "result", "mae", "float against int"),
        ("records/0/value", True, "result", "mae", "float against bool"),
        ("records/0/value", "12.0", "result", "mae", "float against str"),
        ("records/0/interval", [10.0, 13.0], "result", "mae: low", "1 apart (9.09 %)"),
        ("records/0/interval", [11.0, 14.0], "result", "mae: high", "1 apart (7.14 %)"),
        ("records/0/level", 0.9, "result", "mae: level", "0.05 apart (5.26 %)"),
        ("records/0/baseline", KeyError, "result", "mae: baseline", "only in A"),
        ("records/0/unit", "km/h", "result", "mae: unit", ""),
        ("records/1/value", "there", "result", "place", ""),
        ("records/1", {"name": "mae2", "value": 1, "unit": ""}, "result", "place", "only in A"),
        ("said/1/text", "Three.", "said", "sentence 2", ""),
        ("figures/0/alt", "A dot.", "figure", "f: alternative text", ""),
    ],
)
def test_results_that_differ(tmp_path, path, value, part, name, note):
    found = compared(tmp_path, RECEIPT, edited(RESULTS, path, value))
    first = found.differences[0]
    assert (first.part, first.name, first.note) == (part, name, note)
    assert not found.same_results


@pytest.mark.parametrize(
    ("within", "value", "same"),
    [
        (Tolerance(), 12.0 * (1 + 5e-10), True),
        (Tolerance(), 12.0 * (1 + 5e-9), False),
        (Tolerance(0), 12.0 * (1 + 5e-10), False),
        (Tolerance(0.01), 12.1, True),
        (Tolerance(0, 0.2), 12.1, True),
        (Tolerance(0, 0.05), 12.1, False),
        (Tolerance(5.0), -3.0, False),  # a relative tolerance of 1 already takes all of one sign, and no more
    ],
)
def test_numbers_are_equal_within_tolerance(tmp_path, within, value, same):
    found = compared(tmp_path, RECEIPT, edited(RESULTS, "records/0/value", value), within=within)
    assert found.same_results is same
    if same:
        line = next(line for line in found.lines if line.name == "mae")
        assert "apart" in line.note


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (math.nan, math.nan, True),
        (math.nan, 1.0, False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e300, False),
        (None, None, True),
        (None, 0, False),
        (0.0, -0.0, True),
        (0.0, 1e-12, False),
        (True, True, True),
        ("a", "a", True),
    ],
)
def test_values_without_a_number_are_equal_to_themselves_only(a, b, equal):
    for one, two in ((a, b), (b, a)):
        line = Tolerance().line("result", "x", one, two)
        assert line.equal is equal
        json.dumps([line.a, line.b], allow_nan=False)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, True, "x"])
def test_a_tolerance_out_of_range_is_refused(bad):
    with pytest.raises(InputError, match="tolerance must be 0 or more"):
        Tolerance(bad)


def test_a_sentence_more_does_not_move_the_others(tmp_path):
    said = [{"text": "Zero."}, *RESULTS["said"]]
    found = compared(tmp_path, RECEIPT, RESULTS | {"said": said})
    assert found.differences == (Line("said", "sentence 1", None, "Zero.", False, "only in B"),)


def test_figures_go_by_their_bytes_or_are_left_out(tmp_path):
    a, b = lay(tmp_path / "a", RECEIPT, RESULTS), lay(tmp_path / "b", RECEIPT, RESULTS)
    (b / "figures" / "f-dark.svg").write_text("<svg></svg>")
    assert [line.name for line in diff.compare(a, b).differences] == ["f: dark"]
    (b / "figures" / "f.svg").unlink()
    assert diff.compare(a, b).differences[0].b == "gone"
    assert diff.compare(a, b, figures=False).same_results


FRAME = pd.DataFrame(
    {
        "x": [1.0, 2.0, np.nan, 4.0], "n": pd.array([1, 2, None, 2**60], dtype="Int64"), "w": ["a", "b", None, "d"],
        "t": pd.to_datetime(["2020-01-01", "2020-01-02", None, "2020-01-04"]),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("column", "row", "value", "within", "note"),
    [
        ("x", 1, 2.5, Tolerance(), "1 of 4 cells differ, the most by 0.5: row 1"),
        ("x", 1, 2.0 + 1e-12, Tolerance(), None),
        ("x", 2, 3.0, Tolerance(), "1 of 4 cells differ: row 2"),
        ("x", 3, np.inf, Tolerance(), "1 of 4 cells differ: row 3"),
        ("n", 0, 2, Tolerance(), "1 of 4 cells differ, the most by 1: row 0"),
        ("n", 3, 2**60 + 1, Tolerance(), None),
        ("n", 3, 2**60 + 1, Tolerance(0), "1 of 4 cells differ, the most by 0: row 3"),
        ("n", 2, 0, Tolerance(), "1 of 4 cells differ: row 2"),
        ("w", 0, "z", Tolerance(), "1 of 4 cells differ: row 0"),
        ("w", 2, "z", Tolerance(), "1 of 4 cells differ: row 2"),
        ("t", 3, pd.Timestamp("2020-01-05"), Tolerance(), "1 of 4 cells differ: row 3"),
    ],
)
def test_tables_are_compared_column_by_column(tmp_path, column, row, value, within, note):
    other = FRAME.copy()
    other.loc[row, column] = value
    a, b = (lay(tmp_path / n, RECEIPT, RESULTS, f) for n, f in (("a", FRAME), ("b", other)))
    found = diff.compare(a, b, within)
    assert [(line.name, line.note) for line in found.differences] == ([(f"t.{column}", note)] if note else [])
    assert found.same_results is (note is None)
    line = next(line for line in found.lines if line.name == f"t.{column}")
    assert note or line.note.startswith("within tolerance")
    json.dumps([line.a, line.b], allow_nan=False)


def test_of_several_cells_the_furthest_is_shown(tmp_path):
    other = FRAME.assign(x=[1.1, 5.0, np.nan, 4.2])
    a, b = (lay(tmp_path / n, RECEIPT, RESULTS, f) for n, f in (("a", FRAME), ("b", other)))
    (line,) = diff.compare(a, b).differences
    assert line == Line("table", "t.x", 2.0, 5.0, False, "3 of 4 cells differ, the most by 3: row 1")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: f.iloc[:3], [("t", "rows differ, so cells are not compared")]),
        (lambda f: f.drop(columns="w"), [("t", ""), ("t.w", "only in A")]),
        (lambda f: f.assign(n=f["x"]), [("t.n", "")]),
        (lambda f: f[["n", "x", "w", "t"]], [("t: order of columns", "")]),
    ],
)
def test_tables_of_another_shape(tmp_path, change, told):
    a, b = (lay(tmp_path / n, RECEIPT, RESULTS, f) for n, f in (("a", FRAME), ("b", change(FRAME))))
    assert [(line.name, line.note) for line in diff.compare(a, b).differences] == told


def test_tables_that_are_missing_or_broken(tmp_path):
    a, b = (lay(tmp_path / n, RECEIPT, RESULTS, f) for n, f in (("a", FRAME), ("b", FRAME)))
    assert [line.note for line in diff.compare(a, b).lines if line.part == "table"] == ["the same bytes"]
    (b / "tables" / "t.parquet").write_text("x")
    assert diff.compare(a, b).differences[0].note.startswith("cannot be read")
    (b / "tables" / "t.parquet").unlink()
    assert diff.compare(a, b).differences[0].note == "its file is gone in B"
    c = lay(tmp_path / "c", RECEIPT, RESULTS)
    assert diff.compare(a, c).differences[0] == Line("table", "t", "4 x 4", None, False, "only in A")


def test_failed_runs_are_compared_by_their_error(tmp_path):
    error = {"cell": "c", "source": "x / 0", "name": "ZeroDivisionError", "message": "division by zero"}
    failed = RECEIPT | {"outcome": "failed", "error": error}
    good = lay(tmp_path / "a", RECEIPT, RESULTS)
    bad = lay(tmp_path / "b.failed", failed, None)
    assert diff.folder_of_run(tmp_path / "b") == bad
    found = diff.compare(good, tmp_path / "b")
    assert [(line.part, line.name) for line in found.differences] == [
        ("outcome", ""), ("error", "name"), ("error", "cell"), ("error", "message"), ("result", "all"),
    ]  # fmt: skip
    assert found.differences[-1].a == "2 records, 0 tables, 2 said, 1 figures"
    other = lay(tmp_path / "c.failed", failed | {"error": error | {"message": "other"}}, None)
    assert [line.name for line in diff.compare(bad, other).differences] == ["message"]
    assert diff.compare(bad, bad).same_results


@pytest.mark.parametrize("fault", ["receipt", "results", "lacks"])
def test_what_cannot_be_read_is_an_error(tmp_path, fault):
    a = lay(tmp_path / "a", RECEIPT, RESULTS)
    b = lay(tmp_path / "b", RECEIPT if fault != "lacks" else edited(RECEIPT, "versions", KeyError), RESULTS)
    if fault != "lacks":
        (b / f"{fault.rstrip('s')}.json" if fault == "receipt" else b / "results.json").write_text("{")
    with pytest.raises(ReceiptError):
        diff.compare(a, b)


def test_two_folders_of_runs_are_matched_by_notebook_and_id(tmp_path):
    one, two = tmp_path / "mon", tmp_path / "tue"
    for folder, names in ((one, "abcd"), (two, "bcde")):
        for name in names:
            lay(folder / "fam" / "n" / name, RECEIPT, RESULTS)
    lay(two / "fam" / "n" / "d.failed", RECEIPT | {"outcome": "died"}, None)
    content = json.dumps(edited(RESULTS, "records/0/value", 1.0))
    (two / "fam" / "n" / "b" / "results.json").write_text(content)
    found = diff.compare_folders(one, two)
    assert (found.only_a, found.only_b) == (("fam/n/a",), ("fam/n/e",))
    assert [(name, len(c.differences), c.same_results) for name, c in found.runs] == [
        ("fam/n/b", 1, False), ("fam/n/c", 0, True), ("fam/n/d", 2, False),
    ]  # fmt: skip
    assert not found.same_results
    assert diff.compare_folders(one, one).same_results
    (two / "fam" / "n" / "c" / "receipt.json").write_text("{")
    found = diff.compare_folders(one, two)
    assert len(found.broken) == 1
    assert found.only_a == ("fam/n/a",)
    assert not found.same_results


def test_folders_without_runs_cannot_be_compared(tmp_path):
    lay(tmp_path / "a" / "n" / "x", RECEIPT, RESULTS)
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="hold at least one run"):
        diff.compare_folders(tmp_path / "a", tmp_path / "b")
    with pytest.raises(ReceiptError, match="no such folder"):
        diff.compare_folders(tmp_path / "a", tmp_path / "c")
