"""Finished runs: read back whole, refused where they did not end well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from citylib.errors import BuildError
from citylib.publish import runs
from tests.publish.made_up import Asked

Make = Callable[..., runs.FinishedRun]


def test_a_run_is_read_back(make_run: Make) -> None:
    run = make_run("timeseries/02_arima", "pm2-5_horizon-48")
    assert run.title == "pm2-5 horizon-48".replace("-", " ")
    assert run.sources == ("traffic-i94",)
    assert run.records[0]["value"] == 12.34
    assert run.executed.is_file()


def test_runs_of_one_notebook_are_a_chapter_in_the_order_of_the_plan(make_run: Make) -> None:
    made = [make_run("b/02_y", "one"), make_run("a/01_x", "default"), make_run("b/02_y", "two")]
    first, second = runs.chapters(made)
    assert (first.notebook, [r.id for r in first.runs], second.notebook) == ("b/02_y", ["one", "two"], "a/01_x")
    assert first.document_of(first.runs[0]) == "chapters/b/02_y"
    assert first.document_of(first.runs[1]) == "chapters/b/02_y/two"
    assert (first.family, first.comparison) == ("b", "chapters/b/02_y/compare")


def test_two_runs_of_one_name_are_refused(make_run: Make) -> None:
    run = make_run("a/01_x", "default")
    with pytest.raises(BuildError, match="two runs of a/01_x are called 'default'"):
        runs.chapters([run, run])


def test_a_run_that_failed_is_refused_with_cell_source_and_error(make_run: Make) -> None:
    error = {"cell": "fit", "source": "x = 1\n1 / 0", "name": "ZeroDivisionError", "message": "division by zero"}
    with pytest.raises(BuildError) as caught:
        make_run("a/01_x", "default", outcome="failed", error=error)
    said = str(caught.value)
    assert "a/01_x [default] ended with outcome 'failed'" in said
    assert "cell fit:\n    x = 1\n    1 / 0\nZeroDivisionError: division by zero" in said


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("receipt.json", None, "has not been made"),
        ("receipt.json", "{", "is not JSON"),
        ("receipt.json", "[]", "must hold a JSON object, got list"),
        ("results.json", None, "has not been made"),
        ("notebook.ipynb", None, "has no notebook.ipynb"),
    ],
)
def test_a_run_that_lacks_something_is_refused(
    make_run: Make, tmp_path: Path, file: str, text: str | None, said: str
) -> None:
    path = make_run("a/01_x", "default").folder / file
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(BuildError, match=said):
        runs.finished(Asked("default", "a/01_x"), tmp_path / "runs")
