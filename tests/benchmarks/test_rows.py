"""Rows of benchmarks: bars decide the exit code, and what was recorded holds only as long as what it depends on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import batch, rows
from benchmarks.rows import Point, Verdict


@pytest.fixture
def point(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "ROOT", tmp_path)
    monkeypatch.setattr(rows, "RECORDED", tmp_path / "recorded")
    (tmp_path / "engine.py").write_text("fast = True\n")

    def judge(raw):
        seconds = rows.median(raw["seconds"])
        return Verdict(f"{seconds:.1f} s", "9 s", f"{9 / seconds:.1f} times", seconds <= 3)

    measure = lambda quick: {"seconds": [1.0, 2.0, 30.0]}  # noqa: E731
    return Point("speed", "how fast", "3 s", measure, judge, ("numpy",), ("*.py",), long=True)


def test_a_bar_decides_the_exit_code_and_a_report_does_not(point, capsys):
    slow = replace(point, long=False, measure=lambda quick: {"seconds": [5.0]})
    assert rows.run([replace(point, long=False)], quick=False, only=None, to=None) == 0
    assert rows.run([slow], quick=False, only=None, to=None) == 1
    assert rows.run([replace(slow, bar="")], quick=False, only=None, to=None) == 0
    out = capsys.readouterr().out
    assert "2.0 s" in out
    assert "NOT OK" in out
    assert "numpy " in out


def test_what_is_recorded_is_shown_until_a_file_it_depends_on_changes(point, tmp_path, capsys):
    assert rows.run([point], quick=False, only=None, to=None) == 1, "a bar that was never measured does not hold"
    assert "not recorded" in capsys.readouterr().out
    assert rows.run([point], quick=False, only="speed", to=None) == 0
    kept = json.loads((tmp_path / "recorded" / "speed.json").read_text())
    assert kept["raw"] == {"seconds": [1.0, 2.0, 30.0]}
    assert kept["files"].keys() == {"engine.py"}
    unmeasured = replace(point, measure=lambda quick: pytest.fail("it was recorded"))
    assert rows.run([unmeasured], quick=False, only=None, to=tmp_path / "rows.json") == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert (row["ok"], row["ours"], row["raw"]) == (True, "2.0 s", kept["raw"])

    stricter = replace(unmeasured, judge=lambda raw: Verdict("", ok=max(raw["seconds"]) < 3))
    assert rows.run([stricter], quick=False, only=None, to=None) == 1, "the bar is worked out again from raw figures"
    for name, text in (("engine.py", "fast = False\n"), ("another.py", "")):
        (tmp_path / "engine.py").write_text("fast = True\n")
        (tmp_path / name).write_text(text)
        assert rows.run([unmeasured], quick=False, only=None, to=None) == 1
        assert f"recorded before these changed: {name}" in capsys.readouterr().out


def test_an_unknown_point_is_refused(point, capsys):
    assert rows.run([point], quick=False, only="sped", to=None) == 2
    assert "--only must be one of: speed, got 'sped'" in capsys.readouterr().err


def test_the_command_line_is_the_same_for_every_benchmark(point, tmp_path, monkeypatch, capsys):
    asked = []
    short = replace(point, long=False, measure=lambda quick: asked.append(quick) or {"seconds": [2.0]})
    path = tmp_path / "rows.json"
    monkeypatch.setattr("sys.argv", ["benchmark", "--quick", "--only", "speed", "--json", str(path)])
    assert rows.main([short], "What it is for.") == 0
    assert asked == [True]
    assert json.loads(path.read_text())[0]["point"] == "speed"
    monkeypatch.setattr("sys.argv", ["benchmark", "--help"])
    with pytest.raises(SystemExit):
        rows.main([short], "What it is for.")
    assert "What it is for." in capsys.readouterr().out


def test_every_point_of_the_issue_is_there_and_each_bar_can_fail():
    names = {p.name for p in batch.POINTS}
    assert names == {"warm", "hot", "long", "overhead", "thousand", "finished", "dask", "faults", "pages"}
    seconds = {"papermill": [40.0] * 5, "citylib": [10.0] * 5}
    raw = {"count": 24, "same_answers": True, "papermill_import_cpu": [1.0], "seconds": seconds}
    judge = batch.judge_throughput(4.0)
    assert judge(raw).ok
    assert not judge(raw | {"same_answers": False}).ok
    assert not judge(raw | {"seconds": seconds | {"citylib": [10.1] * 5}}).ok
    assert not judge(raw | {"seconds": {k: v[:4] for k, v in seconds.items()}}).ok, "a median of five"
    assert batch.judge_overhead({"warm": [2.4], "bare": [1.9]}).ok
    assert not batch.judge_overhead({"warm": [2.5], "bare": [1.9]}).ok
    lots = {"few": 100, "lots": 1000, "seconds_few": [0.2] * 5, "seconds_lots": [0.23] * 5, "memory": [10**8] * 10}
    assert batch.judge_many(lots).ok
    assert not batch.judge_many(lots | {"seconds_lots": [0.25] * 5}).ok
    assert not batch.judge_many(lots | {"memory": [4 * 10**8]}).ok
    assert not batch.judge_finished({"count": 1000, "seconds": [5.1]}).ok
    assert not batch.judge_dask({"runs": 6, "files": 60, "differ": 1}).ok
    assert not batch.judge_tests({"code": 0, "passed": 20, "skipped": 1}).ok
    assert batch.judge_faults({"faults": 63, "survived": 63, "ok": True}).ok
    assert not batch.judge_faults({"faults": 63, "survived": 62, "ok": False}).ok
    assert not batch.judge_tests({"code": 1, "passed": 20, "failed": 1}).ok


@pytest.mark.slow
def test_a_finished_plan_is_measured_for_real():
    raw = batch.finished(quick=True)
    assert raw["count"] == 100
    assert len(raw["seconds"]) == 5
