"""The execution record and the comparison of runs: every run, what was set, what came out."""

from __future__ import annotations

import json
from collections.abc import Callable

from citylib.publish import execution, runs

Make = Callable[..., runs.FinishedRun]


def chapter_of(make_run: Make, count: int) -> runs.Chapter:
    """A chapter of `count` runs that differ in horizon."""
    made = [make_run("timeseries/02_arima", f"h{h}", parameters={"horizon": h}) for h in range(24, 24 + count)]
    return runs.Chapter("timeseries/02_arima", tuple(made))


def test_the_record_has_a_row_a_run_with_what_was_set(make_run: Make) -> None:
    chapter = chapter_of(make_run, 2)
    receipts = {(r.notebook, r.id): f"/files/{r.id}/receipt.json" for r in chapter.runs}
    defaults = {"timeseries/02_arima": {"source": "synthetic", "horizon": 24, "season": "daily"}}
    shown = execution.record([chapter], receipts, defaults)
    assert "Versions, the same in all runs: python 3.11.7, citylib 0.1.0." in shown
    first, second = (line for line in shown.splitlines() if "02_arima" in line)
    assert "| {download}`json </files/h24/receipt.json>` | `source = 'traffic-i94'` |" in first
    assert "`source = 'traffic-i94'`, `horizon = 25` |" in second
    assert "| 12.3 | 312 | 2026-11-21 08:30 |" in first


def test_versions_stand_at_each_run_where_they_differ(make_run: Make) -> None:
    made = [make_run("a/01_x", "one"), make_run("a/01_x", "two", versions={"python": "3.12.1"})]
    chapter = runs.Chapter("a/01_x", tuple(made))
    shown = execution.record([chapter], {("a/01_x", r.id): "/files/r.json" for r in made}, {})
    assert "the same in all runs" not in shown
    assert "| versions |" in shown
    assert "python 3.12.1 |" in shown


def test_totals_count_a_file_once(make_run: Make) -> None:
    said = execution.totals([chapter_of(make_run, 3)])
    assert said == "This edition: 1 chapter in 3 runs, which read 1 data file (403.2 kB) and took 37 s of computing."


def test_few_runs_are_compared_in_a_column_each(make_run: Make) -> None:
    shown = execution.comparison(chapter_of(make_run, 2))
    assert "[h24](/chapters/timeseries/02_arima.ipynb) | [h25](/chapters/timeseries/02_arima/h25.ipynb) |" in shown
    assert "| `horizon` | `24` | `25` |" in shown
    assert "| MAE | 12.3 µg/m³ (95% interval 11.5 to 13), against 15.1 for the baseline |" in shown
    assert "season" not in shown


def test_many_runs_are_compared_in_a_row_each(make_run: Make) -> None:
    chapter = chapter_of(make_run, 6)
    path = chapter.runs[5].folder / "results.json"
    found = json.loads(path.read_text())
    found["records"][0]["unit"] = "mg/m³"
    other = runs.FinishedRun("h29", chapter.notebook, "h29", path.parent, chapter.runs[5].receipt, found)
    shown = execution.comparison(runs.Chapter(chapter.notebook, (*chapter.runs[:5], other)))
    assert "| run | `horizon` | MAE |" in shown
    assert "| [h29](/chapters/timeseries/02_arima/h29.ipynb) | `29` | 12.3 mg/m³ |" in shown
    alike = execution.comparison(chapter)
    assert "| run | `horizon` | MAE \\[µg/m³\\] |" in alike
    assert "| `29` | 12.3 |" in alike
