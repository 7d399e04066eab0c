"""The first page's cards: title, question, result; one link each."""

from __future__ import annotations

from collections.abc import Callable

from citylib.publish import landing, runs
from tests.publish.made_up import notebook

Make = Callable[..., runs.FinishedRun]


def test_a_card_has_title_question_and_the_result_against_its_baseline(make_run: Make) -> None:
    chapter = runs.Chapter("timeseries/02_arima", (make_run("timeseries/02_arima", "default"),))
    shown = landing.cards([chapter], {"timeseries/02_arima": notebook()})
    assert "{grid-item-card} How bad will tomorrow be?" in shown
    assert ":link: /chapters/timeseries/02_arima" in shown
    assert "`time series`" in shown
    assert "How far may one trust *tomorrow's* air, see the data?" in shown
    assert "**MAE** 12.3 µg/m³ (95% interval 11.5 to 13), against 15.1 for the baseline" in shown


def test_a_chapter_without_records_has_no_footer(make_run: Make) -> None:
    run = make_run("a/01_x", "default")
    bare = runs.FinishedRun(run.id, run.notebook, run.title, run.folder, run.receipt, {"records": []})
    assert "card-footer" not in landing.cards([runs.Chapter("a/01_x", (bare,))], {"a/01_x": notebook()})


def test_a_figure_is_shown_where_there_is_one() -> None:
    assert landing.figure(notebook(), "forecast").startswith("```{raw} html\n<figure")
    assert landing.figure(notebook(), "other") == ""
    assert landing.figure(None, None) == ""
