"""How a plan gets on, as lines and live."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from citylib.batch import progress
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
    form.begin(Plan("city", runs), sum(s != "skipped" for s in statuses))
    for wanted, status in zip(runs, statuses, strict=True):
        if status != "skipped":
            form.started(wanted)
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


def test_on_a_terminal_what_runs_is_shown_below(runs):
    form = progress.of_console(console(True))
    assert isinstance(form, progress.LiveLines)
    form.begin(Plan("city", runs[:2]), 2)
    form.started(runs[0])
    form.started(runs[1])
    form.finished(Outcome(runs[0], "ok", 2.0, Path("x")))
    below = "\n".join(part.plain for part in form._below().renderables)
    assert "running" in below
    assert runs[1].id in below
    assert runs[0].id not in below
    assert "1 of 2" in below
    assert "about 2 s left" in below
    form.finished(Outcome(runs[1], "skipped", 0.0, Path("x")))
    form.end()
    assert form.live is not None
    assert not form.live.is_started
    assert "done" in form.console.file.getvalue()


def test_whom_a_run_waits_for_is_said(runs):
    form = progress.Lines(console(False))
    form.waiting(runs[0], "process 7 on a-machine")
    said = form.console.file.getvalue().split()
    assert said == ["waits", "for", "fam/02_made", "[a-run-with-a-long-name-0],", "which", "process", "7", "on",
                    "a-machine", "is", "running"]  # fmt: skip
