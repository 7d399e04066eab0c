"""The points of the neural chapters under one command: names once each, and bars that hold in what was recorded."""

from __future__ import annotations

import pytest

from benchmarks import neural, rows

LONG = [point for point in neural.EVERY if point.long]


def test_names_are_given_once():
    names = [point.name for point in neural.EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("point", [p for p in LONG if p.bar], ids=lambda p: p.name)
def test_a_bar_holds_by_the_figures_recorded(point):
    row = rows.recalled(point)
    if row.note.startswith("recorded before"):
        pytest.skip(f"to be measured anew: {row.note}")
    assert row.ok, row


def test_leaks_are_counted_and_a_skip_or_a_failure_is_no_pass():
    assert neural.judge_leaks({"code": 0, "passed": 9}).ok
    for raw in ({"code": 0, "passed": 9, "skipped": 1}, {"code": 1, "passed": 9, "failed": 1}, {"code": 0}):
        assert not neural.judge_leaks(raw).ok
