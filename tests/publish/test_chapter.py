"""A notebook as a page: receipt line, one table of parameters, no payloads, labels unique over runs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from citylib import results
from citylib.batch import parameters
from citylib.errors import BuildError
from citylib.publish import chapter, runs
from tests.publish.made_up import notebook

Make = Callable[..., runs.FinishedRun]
FILES = {"notebook": "/files/x/n.ipynb", "receipt": "/files/x/receipt.json", "results": "/files/x/results.json"}


def page_of(run: runs.FinishedRun, *others: runs.FinishedRun, which: int = 0) -> Any:
    """The page of one of the runs of a chapter."""
    whole = runs.Chapter(run.notebook, (run, *others))
    chosen = whole.runs[which]
    executed = nbformat.read(chosen.executed, as_version=4)
    return chapter.page(executed, whole, chosen, parameters.declared(chosen.executed), FILES)


def test_the_page_says_under_its_title_what_made_it(make_run: Make) -> None:
    first = page_of(make_run("timeseries/02_arima", "default")).cells[0].source
    title, line, *_ = first.split("\n\n")
    assert title == "# How bad will tomorrow be?"
    assert "[traffic\\-i94](/data/traffic-i94.md)" in line.replace("traffic-i94]", "traffic\\-i94]")
    assert "12 s · citylib 0.1.0, Python 3.11.7" in line
    assert "{download}`receipt </files/x/receipt.json>`" in line


def test_parameters_are_shown_once_as_a_table(make_run: Make) -> None:
    page = page_of(make_run("timeseries/02_arima", "default", parameters={"horizon": 48}))
    tables = [c for c in page.cells if "citylib-parameters" in c.source]
    assert len(tables) == 1
    assert "| `horizon` | **`48`** (default `24`) | steps ahead | `int`, `1..168` |" in tables[0].source
    assert "| `season` | `'daily'` | season to remove | `str`, `none \\| daily \\| weekly` |" in tables[0].source
    assert "see `citylib data list`" in tables[0].source
    assert not any("injected" in str(c.get("id")) for c in page.cells)
    assert not any("horizon: int" in c.source for c in page.cells)


def test_payloads_are_not_on_the_page_and_the_notebook_is_left_alone(make_run: Make) -> None:
    run = make_run("timeseries/02_arima", "default")
    before = run.executed.read_bytes()
    page = page_of(run)
    assert results.MIME not in json.dumps(page)
    assert run.executed.read_bytes() == before
    nbformat.validate(page)


def test_another_run_is_a_page_of_its_own(make_run: Make) -> None:
    first = make_run("timeseries/02_arima", "beijing")
    second = make_run("timeseries/02_arima", "melbourne", title="Melbourne's hottest day")
    page = page_of(first, second, which=1)
    assert page.cells[0].source.startswith("# Melbourne's hottest day\n")
    assert "[](/chapters/timeseries/02_arima.ipynb)" in page.cells[0].source
    assert "(eq-line-melbourne)" in page.cells[2].source
    assert "{eq}`eq-line-melbourne`" in page.cells[2].source
    head = page_of(first, second).cells[0].source
    assert "[](/chapters/timeseries/02_arima/melbourne.ipynb)" in head
    assert "/chapters/timeseries/02_arima/compare.md" in head


def test_how_the_page_was_made_stands_at_its_end(make_run: Make) -> None:
    last = page_of(make_run("timeseries/02_arima", "default")).cells[-1].source
    for fact in ("`traffic-i94/a.csv.gz` 403.2 kB", "sha256 `abababababab…`", "312 MB", "python 3.11.7"):
        assert fact in last


def test_a_page_with_an_error_is_refused(make_run: Make) -> None:
    made = notebook()
    made.cells[3].outputs = [new_output("error", ename="ValueError", evalue="no", traceback=[])]
    with pytest.raises(BuildError, match=r"02_arima \[default\], cell result:\nresults.record\(...\)\nValueError: no"):
        page_of(make_run("timeseries/02_arima", "default", made=made))


@pytest.mark.parametrize("cells", [[], [new_code_cell("1")], [new_markdown_cell("No heading")]])
def test_a_notebook_without_title_is_refused(cells: list[Any]) -> None:
    with pytest.raises(BuildError, match="first line is '# Title'"):
        chapter.title_of(new_notebook(cells=cells))


def test_a_page_without_title_is_refused(make_run: Make) -> None:
    made = notebook()
    made.cells[0].source = "Air"
    with pytest.raises(BuildError, match=r"must begin with .* got 'Air'"):
        page_of(make_run("timeseries/02_arima", "default", made=made))


def test_the_source_form_is_what_was_run() -> None:
    executed = notebook(horizon=48)
    before = copy.deepcopy(executed)
    plain = nbformat.reads(chapter.source_form(executed), as_version=4)
    assert executed == before
    assert [c.id for c in plain.cells] == ["title", "parameters", "method", "result"]
    assert all(not c.outputs and c.execution_count is None for c in plain.cells if c.cell_type == "code")
    assert set(plain.metadata) == {"kernelspec", "language_info"}


def test_title_opening_and_figure_of_a_notebook() -> None:
    executed = notebook()
    assert chapter.title_of(executed) == "How bad will tomorrow be?"
    assert chapter.opening(executed).startswith("How far may one trust")
    assert 'data-name="forecast"' in (chapter.figure_markup(executed) or "")
    assert chapter.figure_markup(executed, "other") is None
    assert chapter.opening(new_notebook(cells=[new_markdown_cell("# Only a title")])) == ""


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("traffic-i94", "[traffic-i94](/data/traffic-i94.md)"),
        ("synthetic:tiny", "[the synthetic city](/data/synthetic.md)"),
        ("recorded:survival_forest", "the recorded result `survival_forest`"),
        ("file:some/counts.csv", "the file `counts.csv`"),
    ],
)
def test_sources_are_links_where_they_have_a_page(source: str, shown: str) -> None:
    assert chapter.source_link(source) == shown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(part)=\n## Part", "(part-b)=\n## Part"),
        ("(part)=\nsee [it](#part) and {ref}`this <part>`", "(part-b)=\nsee [it](#part-b) and {ref}`this <part-b>`"),
        (":label: wide\n{eq}`wide`", ":label: wide-b\n{eq}`wide-b`"),
        ("no label, but {eq}`other`", "no label, but {eq}`other`"),
    ],
)
def test_labels_are_made_unique(before: str, after: str) -> None:
    assert chapter.relabel([before], "b") == [after]
