"""How a plan gets on, as lines and live."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from citylib.batch import progress
from citylib.batch.cost import OWN, Expected
from citylib.batch.plan import Plan
from citylib.batch.run import Outcome

ERROR = {"cell": "fit", "source": "1 / 0", "name": "ZeroDivisionError", "message": "division by zero\nmore"}


def console(terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=60, _environ={"TERM": "xterm"})


@pytest.fixture
def runs(planned):
    one = planned("x = 1")
    return tuple(replace(one, id=f"a-run-with-a-long-name-{i}") for i in range(14))


def told(form, runs, statuses) -> str:
    form.begin(Plan("city", runs), [r for r, s in zip(runs, statuses, strict=True) if s != "skipped"])
    for wanted, status in zip(runs, statuses, strict=True):
        if status != "skipped":
            form.started(wanted, Path("x"))
        error = ERROR if status not in ("ok", "skipped", "stopped") else None
        form.finished(Outcome(wanted, status, 1.25, Path("x"), "the notebook changed", error))
    form.end()
    return form.console.file.getvalue()


def test_plain_lines_say_each_start_and_end(runs):
    form = progress.of_console(console(False))
    assert type(form) is progress.Lines
    text = told(form, runs[:5], ["ok", "failed", "skipped", "memory", "stopped"])
    lines = text.splitlines()
    assert lines[0] == "city: 5 runs, 4 to do, 1 unchanged"
    assert lines[1].split() == ["started", "fam/02_made", "[a-run-with-a-long-name-0]"]
    assert lines[2].split(maxsplit=4) == [
        "[1/5]", "done", "1.2", "s", "fam/02_made [a-run-with-a-long-name-0]  (the notebook changed)",
    ]  # fmt: skip
    assert "ZeroDivisionError in cell fit: division by zero" in text
    assert "more" not in text
    assert "\x1b" not in text
    for word in ("failed", "skipped", "over memory", "stopped"):
        assert word in text


def test_many_skipped_runs_are_one_line(runs):
    text = told(progress.Lines(console(False)), runs, ["skipped"] * 14)
    assert text.splitlines() == ["city: 14 runs, 0 to do, 14 unchanged", "14 runs skipped: unchanged"]


def below(form) -> str:
    return "\n".join(part.plain for part in form._below().renderables if isinstance(part, Text))


def test_on_a_terminal_what_runs_is_shown_below(runs, tmp_path):
    form = progress.of_console(console(True))
    assert isinstance(form, progress.LiveLines)
    form.begin(Plan("city", runs[:4]), runs[:4])
    for wanted in runs[:3]:
        form.started(wanted, tmp_path / wanted.id)
    form.finished(Outcome(runs[0], "ok", 200.0, Path("x")))
    form.finished(Outcome(runs[1], "failed", 1.0, Path("x"), error=ERROR))
    staging = tmp_path / f".{runs[2].id}.part-7-abc"
    staging.mkdir()
    (staging / "log.txt").write_text("--- cell load, 1 of 3\nhm\n--- cell fit, 2 of 3\nx")
    shown = below(form)
    assert "running" in shown
    assert f"{runs[2].id}]  cell fit, 2 of 3" in shown
    assert runs[0].id not in shown
    assert "2 of 4: 1 done, 1 running, 1 failed, 1 left; 0 s, about 7 min left" in shown  # 200 s, and again 200 s
    form.finished(Outcome(runs[2], "skipped", 0.0, Path("x")))
    form.end()
    assert form.live is not None
    assert not form.live.is_started
    assert "done" in form.console.file.getvalue()


def test_with_many_runs_a_terminal_keeps_what_went_wrong_and_shows_so_many_under_way(planned):
    many = tuple(replace(planned("x = 1"), id=f"n{i}") for i in range(1000))
    form = progress.LiveLines(console(True))
    form.begin(Plan("city", many), many)
    for i, wanted in enumerate(many[:300]):
        form.started(wanted, Path("x"))
        if i < 280:
            form.finished(
                Outcome(wanted, "failed" if i == 7 else "ok", 2.0, Path("x"), error=ERROR if i == 7 else None)
            )
    shown, above = below(form), form.console.file.getvalue()
    form.end()
    assert "280 of 1000: 279 done, 20 running, 1 failed, 700 left" in shown
    assert "and 8 more" in shown
    assert len(shown.splitlines()) == progress.MOST_RUNNING + 2
    assert "n7]" in above
    assert "n8]" not in above


def test_with_many_runs_plain_lines_leave_starts_out_and_sum_up_each_minute(planned, monkeypatch):
    many = tuple(replace(planned("x = 1"), id=f"n{i}") for i in range(60))
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    form = progress.Lines(console(False))
    form.begin(Plan("city", many), many)
    for wanted in many[:50]:
        form.started(wanted, Path("x"))
        now[0] += 3.0
        form.started(many[-1], Path("x"))
        form.finished(Outcome(wanted, "ok", 3.0, Path("x")))
    lines = form.console.file.getvalue().splitlines()
    assert not any("started" in line for line in lines)
    summed = [line for line in lines if " running, " in line]
    assert summed == [
        "21 of 60: 21 done, 1 running, 38 left; 1 min, about 2 min left",
        "42 of 60: 42 done, 1 running, 17 left; 2 min, about 54 s left",
    ]


def test_a_try_to_come_is_said(runs):
    form = progress.Lines(console(False))
    form.begin(Plan("city", runs[:1]), runs[:1])
    form.started(runs[0], Path("x"))
    form.again(Outcome(runs[0], "died", 2.0, Path("x"), "", ERROR, 1), 3)
    form.note("no more runs are started")
    lines = form.console.file.getvalue().splitlines()
    assert lines[2].split()[:2] == ["died", "2.0"]
    assert [line.strip() for line in lines[-2:]] == ["trying again (2 of 3)", "no more runs are started"]


# --- how long is left ---


@pytest.mark.parametrize(
    ("waiting", "under_way", "workers", "left"),
    [
        ([], [], 1, None),
        ([None], [(None, 3.0)], 1, None),
        ([], [(10.0, 4.0)], 1, 6.0),
        ([], [(10.0, 40.0)], 1, 0.0),  # longer than expected
        ([5.0] * 4, [(5.0, 5.0), (5.0, 5.0)], 2, 10.0),
        ([1.0, 1.0, 9.0], [], 2, 10.0),  # the long one comes last
        ([None, 4.0], [], 1, 8.0),
    ],
)
def test_the_time_left_is_that_of_the_last_worker_to_end(waiting, under_way, workers, left):
    assert progress.time_left(waiting, under_way, workers) == left


def test_a_run_is_expected_to_take_what_it_took_or_else_what_others_of_its_notebook_take(runs):
    class Known:
        def of(self, wanted):
            return {0: Expected(7.0, 1, OWN), 1: Expected(30.0, 1, "median of 3 runs")}.get(
                int(wanted.id.rpartition("-")[2]), Expected(None, None, "unknown")
            )

    ahead = progress.Ahead(Known())
    assert ahead.of(runs[:3]) == [7.0, 30.0, None]
    for wanted, status, seconds in zip(runs[3:], ["ok", "failed", "ok", "ok"], [1.0, 99.0, 2.0, 9.0], strict=False):
        ahead.learn(Outcome(wanted, status, seconds, Path("x")))
    assert ahead.of(runs[:3]) == [7.0, 2.0, 2.0]


def test_what_a_log_does_not_say_is_not_shown(tmp_path):
    assert progress.current_cell(tmp_path / "a") == ""
    (tmp_path / ".a.part-1-x").mkdir()
    log = tmp_path / ".a.part-1-x" / "log.txt"
    log.write_text("only what the cells print\n")
    assert progress.current_cell(tmp_path / "a") == ""
    log.write_text("--- cell load, 1 of 2\n" + "x" * 10_000)
    assert progress.current_cell(tmp_path / "a") == "", "too far back to be looked for"


def test_whom_a_run_waits_for_is_said(runs):
    form = progress.Lines(console(False))
    form.waiting(runs[0], "process 7 on a-machine")
    said = form.console.file.getvalue().split()
    assert said == ["waits", "for", "fam/02_made", "[a-run-with-a-long-name-0],", "which", "process", "7", "on",
                    "a-machine", "is", "running"]  # fmt: skip
