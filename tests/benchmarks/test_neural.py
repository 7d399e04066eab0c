"""The points of the neural chapters under one command: names once each, and bars that hold in what was recorded."""

from __future__ import annotations

import pytest

from benchmarks import neural, neural_hybrid, neural_pretraining, rows

LONG = [point for point in neural.EVERY if point.long]


def test_names_are_given_once():
    names = [point.name for point in neural.EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("point", [p for p in LONG if p.bar], ids=lambda p: p.name)
def test_a_bar_holds_by_the_figures_recorded(point):
    row = rows.recalled(point)
    assert row.ok, f"{row.note}: {row.ours}"  # what was recorded before a file changed holds no longer


def test_reports_that_are_read_from_a_record_say_when_there_is_none_or_it_is_old():
    for part, empty in ((neural_hybrid, {"rows": []}), (neural_pretraining, {"runs": []})):
        assert {point.name for point in part.POINTS} <= {point.name for point in neural.EVERY}
        assert part.judge(empty | {"changed": []}).ours.startswith("not recorded: python -m benchmarks.neural_")
        old = {name: [{}] for name in empty} | {"changed": ["citylib/neural/train.py"]}
        assert part.judge(old).ours.startswith("recorded before these changed: citylib/neural/train.py")


def test_a_leak_test_that_is_missed_skipped_or_failed_is_no_pass():
    good = {"code": 0, "asked": {"after the cut": 2}, "missed": [], "others": 0}
    assert neural.judge_leaks(good).ok
    for bad in ({"code": 1}, {"missed": ["neural/test_windows.py::test_gone"]}, {"others": 1}):
        assert not neural.judge_leaks(good | bad).ok
