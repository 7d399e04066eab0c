"""Comparison pages made from a folder of runs: what ran and what did not, the order, the table, the files."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from citylib.batch.comparison import Comparison
from citylib.batch.run import Outcome
from citylib.errors import BuildError, InputError, UnknownNameError
from citylib.publish import compare, compare_files, compare_page, runs
from citylib.publish.stage import stage
from tests.publish.made_up import Asked

BOOK = Path(__file__).parents[2] / "book"
Make = Callable[..., runs.FinishedRun]
NOTEBOOK = "data/02_one_place"
WANTED = Comparison("towns", "The towns", "place", what="town", rank="mean", best="low", curves="usual")
CELL = {"cell": "load", "source": "x = `1`\nraise ValueError('no water')", "name": "ValueError", "message": "no water"}


def record(name: str, value: Any, unit: str = "veh/h", **more: Any) -> dict[str, Any]:
    return {"version": 1, "type": "record", "name": name, "value": value, "unit": unit} | more


def interval(low: float, high: float) -> dict[str, Any]:
    return {"interval": [low, high], "level": 0.95}


def made_tables(k: int) -> dict[str, tuple[pd.DataFrame, str]]:
    usual = pd.DataFrame({"hour": range(24), "flow": np.arange(24.0) + k})
    place = pd.DataFrame({"part": [0], "latitude": [45 + k / 100], "longitude": [7 + k / 100]})
    return {"usual": (usual, "flow [veh/h] by hour"), "place": (place, "Where it lies")}


@pytest.fixture
def towns(make_run: Make, tmp_path: Path) -> Callable[..., compare.Compared]:
    """A function that makes a comparison of towns, of which the failed ones have a receipt that says why."""

    def make(*names: str, failed: tuple[str, ...] = (), wanted: Comparison = WANTED, **of: Any) -> compare.Compared:
        planned = []
        for k, town in enumerate(names):
            parameters = {"place": town, "horizon": 24}
            planned.append(Asked(f"towns_{town.lower()}", NOTEBOOK, f"Flow in {town}", parameters, wanted))
            if town in failed:
                folder = tmp_path / "runs" / NOTEBOOK / f"towns_{town.lower()}.failed"
                folder.mkdir(parents=True)
                receipt = {"outcome": "failed", "error": CELL, "seconds": 3.2, "parameters": parameters}
                (folder / "receipt.json").write_text(json.dumps(receipt))
                continue
            found = [
                record("mean", 10.0 * (k + 1), **interval(10 * k + 9, 10 * k + 11), baseline=12.0),
                record("share", 0.1 + k, unit=""),
                record("best_model", "naive", unit=""),
            ]
            given = {"records": found, "tables": made_tables(k), "parameters": parameters, "title": f"Flow in {town}"}
            make_run(NOTEBOOK, f"towns_{town.lower()}", **(given | of))
        return compare.gather(planned, tmp_path / "runs")[0]

    return make


def page_of(found: compare.Compared) -> str:
    return compare_page.page(found, compare_files.files(found), "[](/chapters/x.ipynb)")


def test_what_ran_and_what_did_not_is_read_back(towns: Any, tmp_path: Path) -> None:
    found = towns("Aa", "Bb", "Cc", failed=("Bb",))
    assert [found.place_of(run) for run in found.runs] == ["Aa", "Cc"]
    assert [found.document_of(run) for run in found.runs] == ["compare/towns/aa", "compare/towns/cc"]
    (bad,) = found.failed
    assert (bad.place, bad.outcome, bad.error["cell"], bad.seconds) == ("Bb", "failed", "load", 3.2)
    assert found.ran == "2 of 3 towns"
    assert list(found.table("usual")) == ["Aa", "Cc"]


def test_a_failure_beside_an_older_good_run_is_a_failure(towns: Any, tmp_path: Path) -> None:
    found = towns("Aa", "Bb")
    planned = [Asked(f"towns_{t.lower()}", NOTEBOOK, None, {"place": t}, WANTED) for t in ("Aa", "Bb", "Cc")]
    (tmp_path / "runs" / NOTEBOOK / "towns_aa.failed").mkdir()
    again = compare.gather(planned, tmp_path / "runs")[0]
    assert found.ran == "all 2 towns"
    assert [(b.place, b.outcome) for b in again.failed] == [("Aa", "not run"), ("Cc", "not run")]
    (tmp_path / "runs" / NOTEBOOK / "towns_aa.failed" / "receipt.json").write_text("{")
    broken = compare.gather(planned, tmp_path / "runs")[0].failed[0]
    assert (broken.outcome, broken.error["name"]) == ("unknown", "its receipt")


@pytest.mark.parametrize(
    ("status", "outcome", "words"),
    [
        ("died", "died", "Bb has no results: its run failed."),
        ("stopped", "not run", "Bb has no results: its run was not made."),
    ],
)
def test_how_a_run_has_just_ended_goes_before_what_lies_there(
    towns: Any, tmp_path: Path, status: str, outcome: str, words: str
) -> None:
    found = towns("Aa", "Bb", "Cc")
    planned = [Asked(r.id, NOTEBOOK, r.title, r.receipt["parameters"], WANTED) for r in found.runs]
    fault = {"cell": None, "source": "", "name": "RunError", "message": "The worker was lost"}
    ended = [
        Outcome(planned[0], "ok", 1.0, tmp_path),  # type: ignore[arg-type]
        Outcome(planned[1], status, 0.0, tmp_path, error=fault if status == "died" else None),  # type: ignore[arg-type]
        Outcome(planned[2], "skipped", 0.0, tmp_path),  # type: ignore[arg-type]
    ]
    again = compare.gather(planned, tmp_path / "runs", ended)[0]
    assert again.ran == "2 of 3 towns"
    assert [again.place_of(run) for run in again.runs] == ["Aa", "Cc"]
    assert [(bad.place, bad.outcome) for bad in again.failed] == [("Bb", outcome)]
    text = page_of(again)
    assert words in text
    assert f"### Bb\n\nOutcome **{outcome}**." in text
    assert ("RunError: The worker was lost" in text) == (status == "died")


@pytest.mark.parametrize(
    ("outcomes", "lack"),
    [
        (("failed", "time"), "failed"),
        (("not run",), "were not made"),
        (("not run", "died"), "failed or were not made"),
    ],
)
def test_a_place_never_run_is_not_called_failed(outcomes: tuple[str, ...], lack: str) -> None:
    bad = tuple(compare.Failed(f"r{k}", f"P{k}", {}, outcome, {}, 0.0) for k, outcome in enumerate(outcomes))
    assert compare.Compared(WANTED, NOTEBOOK, (), bad).lack == lack


def test_two_places_of_one_name_are_refused(tmp_path: Path) -> None:
    planned = [Asked(i, NOTEBOOK, None, {"place": v}, WANTED) for i, v in (("a", 1), ("b", "1"))]
    with pytest.raises(BuildError, match="a and b are both called '1'"):
        compare.gather(planned, tmp_path)


def test_the_page_of_a_whole_comparison(towns: Any) -> None:
    text = page_of(towns("Aa", "Bb", "Cc"))
    assert text.startswith("# The towns\n")
    assert "all 3 towns ran" in text
    assert "By **mean** in veh/h, lowest first: lower is better." in text
    assert (
        "Of 2 pairs of neighbours in this order, **2 are told apart**. Aa is first. Cc is last. "
        "All of this at once is said with 95% confidence. "
        "No notebook says on how many blocks of readings its interval rests; 10 are assumed." in text
    )
    assert "Map of 3 places coloured by mean [veh/h]: highest in Cc (30), lowest in Aa (10)." in text
    assert "flow [veh/h] by hour, a small figure for each of 3 places on common axes" in text
    assert "What failed" not in text
    assert "What failed" not in text
    assert ":class: warning" not in text


@pytest.mark.parametrize(
    ("blocks", "narrow", "said"),
    [
        (4, False, "The intervals rest on 4 blocks of neighbouring readings at each place: **few, so they are wide.**"),
        (52, False, "with 95% confidence. The intervals rest on 52 blocks of neighbouring readings at each place.\n"),
        (52, True, "as far as the intervals below can be trusted. The intervals rest on 52 blocks"),
        (52, True, "**2 of 2 find their own interval too narrow** (Aa, Bb), so its rank is too sure."),
    ],
)
def test_what_the_intervals_rest_on_is_said(towns: Any, blocks: int, narrow: bool, said: str) -> None:
    mean = record("mean", 10.0, **interval(9, 11), blocks=blocks)
    assert said in page_of(towns("Aa", "Bb", records=[mean, record("mean_too_narrow", narrow, unit="")]))


def test_the_table_has_a_row_a_place_that_sorts_by_numbers(towns: Any) -> None:
    text = page_of(towns("Aa", "Bb", failed=()))
    table = re.search(r"<table class=\"sortable citylib-places\">.*?</table>", text, re.S)[0]
    head = re.findall(r'<th scope="col">(.*?)</th>', table)
    assert head == ["town", "ranks it may have", "mean [veh/h]", "share", "best model"]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th>(.*?)</tr>", table)
    assert [r[0] for r in rows] == ['<a href="towns/aa.html">Aa</a>', '<a href="towns/bb.html">Bb</a>']
    under = '<span class="citylib-under">9 to 11</span><span class="citylib-under">baseline 12</span>'
    assert f'<td class="number" data-order="10.0">10{under}</td>' in rows[0][1]
    assert "<td>naive</td>" in rows[0][1]


def test_a_failed_place_is_told_with_cell_source_and_error_and_never_counted(towns: Any) -> None:
    text = page_of(towns("Aa", "Bb", "Cc", failed=("Bb",)))
    assert "2 of 3 towns ran" in text
    assert ":::{admonition} 2 of 3 ran\n:class: warning\nBb has no results" in text
    assert "### Bb\n\nOutcome **failed** after 3.2 s, in cell `load`." in text
    assert "```python\nx = `1`\nraise ValueError('no water')\n```" in text
    assert "```text\nValueError: no water\n```" in text
    assert "Of 1 pairs of neighbours" in text
    assert "Not in this order, for their runs failed: Bb." in text
    assert "2 of 3 towns have coordinates." in text
    assert '<tr class="citylib-failed"><th scope="row">Bb</th>' in text
    assert "all 3" not in text


def test_where_all_failed_there_is_still_a_page(towns: Any) -> None:
    text = page_of(towns("Aa", "Bb", failed=("Aa", "Bb")))
    assert "0 of 2 towns ran" in text
    assert "### Aa" in text
    assert "## In order" not in text
    assert "sortable citylib-places" not in text


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ({"records": [record("mean", 1.0)]}, "nothing is known of how sure this order is"),
        (
            {"records": [record("mean", "high")]},
            "They are not put in order: compare.rank must name a record of numbers",
        ),
        ({"tables": {"usual": (pd.DataFrame({"hour": [1]}), "x")}}, "No curves are drawn: table must have 1 to 4"),
    ],
)
def test_what_cannot_be_drawn_is_said(towns: Any, of: Any, said: str) -> None:
    assert said in page_of(towns("Aa", "Bb", **of))


def test_curves_of_another_unit_are_not_put_on_common_axes(towns: Any, tmp_path: Path) -> None:
    found = towns("Aa", "Bb")
    path = found.runs[1].folder / "results.json"
    path.write_text(path.read_text().replace("flow [veh/h] by hour", "flow [veh/day] by hour"))
    planned = [Asked(r.id, NOTEBOOK, r.title, r.receipt["parameters"], WANTED) for r in found.runs]
    text = page_of(compare.gather(planned, tmp_path / "runs")[0])
    assert "No curves are drawn: the tables usual are not of one kind" in text


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        (Comparison("towns", "T", "place", rank="meen"), UnknownNameError, "did you mean 'mean'"),
        (Comparison("towns", "T", "place", curves="usuel"), InputError, "name a table of the runs: place, usual"),
    ],
)
def test_a_plan_that_asks_for_what_no_run_has_is_refused(towns: Any, wanted: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        page_of(towns("Aa", wanted=wanted))


def test_the_files_hold_all_results_in_both_forms(towns: Any) -> None:
    found = towns("Aa", "Bb", "Cc", failed=("Cc",))
    files = {file.name: file for file in compare_files.files(found)}
    assert list(files) == ["towns_records", "towns_runs", "towns_table_usual", "towns_table_place"]
    for file in files.values():
        csv = pd.read_csv(io.BytesIO(file.content["csv"]))
        parquet = pd.read_parquet(io.BytesIO(file.content["parquet"]))
        assert list(csv.columns) == list(parquet.columns) == list(file.columns)
        assert len(csv) == len(parquet) == file.rows
    records = pd.read_parquet(io.BytesIO(files["towns_records"].content["parquet"])).set_index(["place", "name"])
    assert len(records) == 6
    assert records.loc[("Bb", "mean"), ["value", "low", "high", "baseline"]].tolist() == [20, 19, 21, 12]
    assert records.loc[("Aa", "best_model"), "word"] == "naive"
    assert records["p_horizon"].tolist() == [24] * 6
    every = pd.read_parquet(io.BytesIO(files["towns_runs"].content["parquet"])).set_index("place")
    assert every["outcome"].to_dict() == {"Aa": "ok", "Bb": "ok", "Cc": "failed"}
    assert every.loc["Cc", "error"] == "ValueError: no water"
    usual = pd.read_parquet(io.BytesIO(files["towns_table_usual"].content["parquet"]))
    assert usual.groupby("place").size().to_dict() == {"Aa": 24, "Bb": 24}


@pytest.mark.parametrize(
    ("own", "kept"),
    [
        ({"place": ["x", "y"]}, "t_place"),
        ({"place": ["x", "y"], "t_place": [1, 2]}, "t_t_place"),
        ({"index": [0, 1], "row": [5, 6], "level_0": [7, 8]}, None),
    ],
)
def test_a_table_may_have_columns_of_any_name(towns: Any, own: dict[str, list[Any]], kept: str | None) -> None:
    frame = pd.DataFrame(own | {"flow": [1.0, 2.0]})
    found = towns("Aa", "Bb", tables={"roads": (frame, "by road")})
    (file,) = (f for f in compare_files.files(found) if f.name == "towns_table_roads")
    whole = pd.read_parquet(io.BytesIO(file.content["parquet"]))
    assert list(whole.columns) == ["place", *(kept if name == "place" else name for name in frame.columns)]
    assert whole["place"].tolist() == ["Aa", "Aa", "Bb", "Bb"]
    for name, values in own.items():
        assert whole[kept if name == "place" else name].tolist() == values * 2
    assert (f"what it calls place itself is {kept}" in file.what) == (kept is not None)
    assert list(pd.read_csv(io.BytesIO(file.content["csv"])).columns) == list(whole.columns)


@pytest.mark.parametrize("index", [pd.Index(["p", "q"], name="road"), pd.MultiIndex.from_tuples([("p", 1), ("q", 2)])])
def test_a_table_with_an_index_of_its_own_is_joined_too(towns: Any, index: pd.Index) -> None:
    frame = pd.DataFrame({"flow": [1.0, 2.0]}, index=index)
    found = towns("Aa", "Bb", tables={"roads": (frame, "by road")})
    (file,) = (f for f in compare_files.files(found) if f.name == "towns_table_roads")
    assert (file.columns, file.rows) == (("place", "flow"), 4)


def test_parameters_of_several_kinds_are_kept_as_text(towns: Any) -> None:
    found = towns("Aa", parameters={"place": "Aa", "orders": [1, 0, 1], "cut": None})
    frame = pd.read_parquet(io.BytesIO(compare_files.files(found)[0].content["parquet"]))
    assert frame["p_orders"].tolist() == ["[1, 0, 1]"] * 3
    assert frame["p_cut"].isna().all()


def test_the_tree_of_a_book_with_only_a_comparison(towns: Any, tmp_path: Path) -> None:
    found = towns("Aa", "Bb", "Cc", failed=("Bb",))
    src = stage(BOOK, [], "tiny", tmp_path / "src", tmp_path / "kept", [found]).into
    toc = yaml.safe_load((src / "_toc.yml").read_text(encoding="utf-8"))
    (part,) = (p for p in toc["parts"] if p["caption"] == "Places compared")
    sections = [{"file": "compare/towns/aa"}, {"file": "compare/towns/cc"}]
    assert part["chapters"] == [{"file": "compare/towns", "sections": sections}]
    for form in ("csv", "parquet"):
        assert (src / f"files/compare/towns/towns_records.{form}").stat().st_size > 100
        assert (
            f"{{download}}`{form} </files/compare/towns/towns_records.{form}>`"
            in (src / "compare/towns.md").read_text()
        )
    one = nbformat.read(src / "compare/towns/aa.ipynb", as_version=4).cells[0].source
    assert one.startswith("# Flow in Aa\n")
    assert "One of [2 of 3 towns](/compare/towns.md), each made by the notebook `data/02_one_place`." in one
    assert "Next to it: [Cc](/compare/towns/cc.ipynb)." in one
    landing = (src / "index.md").read_text(encoding="utf-8")
    assert ":link: /compare/towns" in landing
    assert "This edition: [The towns](/compare/towns.md) (2 of 3 towns)" in landing
    assert "[](/compare/towns/aa.ipynb)" in (src / "guide/execution.md").read_text(encoding="utf-8")
    assert "[](/compare/towns.md), 2 of 3 towns" in (src / "data/traffic-i94.md").read_text(encoding="utf-8")


def test_a_notebook_with_a_page_of_its_own_is_linked(towns: Any, make_run: Make, tmp_path: Path) -> None:
    found = towns("Aa", "Bb")
    chapters = runs.chapters([make_run(NOTEBOOK, "default")])
    src = stage(BOOK, chapters, "tiny", tmp_path / "src", tmp_path / "kept", [found]).into
    assert "[](/chapters/data/02_one_place.ipynb)" in (src / "compare/towns.md").read_text()
    assert not (src / "chapters/data/02_one_place/compare.md").exists()
    texts = [
        nbformat.read(src / f"{p}.ipynb", as_version=4) for p in ("chapters/data/02_one_place", "compare/towns/bb")
    ]
    labels = [
        re.findall(r"\((eq-line[\w-]*)\)", cell.source) for t in texts for cell in t.cells if "(eq-" in cell.source
    ]
    assert labels == [["eq-line"], ["eq-line-towns_bb"]]


def test_the_same_runs_give_the_same_bytes(towns: Any, tmp_path: Path) -> None:
    found = towns("Aa", "Bb", failed=("Bb",))
    one, two = (stage(BOOK, [], "t", tmp_path / n, tmp_path / "kept", [found]).into for n in ("one", "two"))
    for path in (p for p in one.rglob("*") if p.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path
