"""The points of the neural chapters under one command: names once each, and bars that hold in what was recorded."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import chapters, neural, neural_beijing, neural_hybrid, neural_pretraining, rows

LONG = [point for point in neural.EVERY if point.long]


def test_names_are_given_once():
    names = [point.name for point in neural.EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("point", [p for p in LONG if p.bar and p.name != "neural_chapters"], ids=lambda p: p.name)
def test_a_bar_holds_by_the_figures_recorded(point):
    row = rows.recalled(point)
    assert row.ok, f"{row.note}: {row.ours}"  # what was recorded before a file changed holds no longer


def test_a_chapter_over_its_minute_or_its_memory_is_no_pass():
    good = {"chapter": "neural/01", "cpu": 59.0, "bytes": 2**30}
    assert chapters.judge({"chapters": [good]}).ok
    for over in ({"cpu": 61.0}, {"bytes": 3 * 2**30}):
        assert not chapters.judge({"chapters": [good, good | over]}).ok
    assert not chapters.judge({"chapters": []}).ok


def test_reports_that_are_read_from_a_record_say_when_there_is_none_or_it_is_old():
    for part, empty in ((neural_hybrid, {"rows": []}), (neural_pretraining, {"runs": []})):
        assert {point.name for point in part.POINTS} <= {point.name for point in neural.EVERY}
        assert part.judge(empty | {"changed": []}).ours.startswith("not recorded: python -m benchmarks.neural_")
        old = {name: [{}] for name in empty} | {"changed": ["citylib/neural/train.py"]}
        assert part.judge(old).ours.startswith("recorded before these changed: citylib/neural/train.py")


def test_the_two_stations_of_beijing_say_what_beats_what():
    shift = {"pre-trained, tuned | days": 0, "pre-trained, tuned | random": 0, "scratch | days": 9, "LightGBM": -9}
    shift |= {"persistence": 0.01}
    day = np.random.default_rng(0).gamma(2.0, 10.0, 84)
    noise = np.random.default_rng(1).normal(0.0, 1.0, (len(shift), 84))
    losses = {name: (day + more + e).tolist() for (name, more), e in zip(shift.items(), noise, strict=True)}
    long = {"station": "Dongsi", "seed": 0, "count": [24] * 84, "losses": losses}
    short = {"station": "Gucheng", "seed": 0, "count": [24] * 84, "losses": {"persistence": [1000.0] * 84}}
    raw = neural_beijing.two({"runs": [{"choice": {}}, long, short]})
    assert raw["mae"]["persistence"] < 100  # of a station where only some were tried nothing is taken
    found = neural_beijing.judge_two(raw | {"changed": []})
    beats, beaten, unsettled = found.ratio.split("; ")
    assert "scratch" in beats
    assert beats.count("(") == beaten.count("(") == unsettled.count("(") == 1
    assert "LightGBM" in beaten
    assert "persistence" in unsettled
    assert found.peer.startswith("LightGBM")
    assert neural_beijing.judge_two(raw | {"changed": ["a.py"]}).ours.startswith("recorded before these changed: a.py")


def test_a_leak_test_that_is_missed_skipped_or_failed_is_no_pass():
    good = {"code": 0, "asked": {"after the cut": 2}, "missed": [], "others": 0}
    assert neural.judge_leaks(good).ok
    for bad in ({"code": 1}, {"missed": ["neural/test_windows.py::test_gone"]}, {"others": 1}):
        assert not neural.judge_leaks(good | bad).ok
