"""Each part of the record of texts says what it was made of, and none is made to look newer by another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import neural_text, rows
from citylib import data

POINTS = {point.name.removeprefix("text_"): point for point in neural_text.POINTS}
NOW = rows.digests(neural_text.FILES)
SCORES = [{"contender": "lookup", "all": [0.5], "new": [0.5]},
          {"contender": "net", "all": [0.6], "new": [0.6], "all_minus_lookup": [0.1, 0.0, 0.2]}]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(neural_text, "KEPT", tmp_path)
    return tmp_path


def told(name: str) -> str:
    return POINTS[name].judge(POINTS[name].measure(False)).ours


def test_files_that_figures_hang_on_are_there() -> None:
    wanted = {f"citylib/neural/{name}.py" for name in ("losses", "devices", "examples", "memory")}
    assert wanted | {"citylib/evaluate/compare.py"} <= set(NOW)
    assert len(NOW) == len(neural_text.FILES)


def test_a_part_measured_afresh_leaves_the_others_old(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told("routing") == "not recorded: python -m benchmarks.neural_text --only routing"
    old = {"part": "outcomes", "scores": [], "files": NOW | {"citylib/neural/text.py": "other"}}
    without = {"part": "perplexity", "models": []}  # of a record that kept no files with each part
    path = folder / "boston_text.json"
    path.write_text(json.dumps({"files": NOW, "runs": [old, without]}), encoding="utf-8")
    monkeypatch.setitem(neural_text.PARTS, "routing", lambda quick: {"scores": SCORES})
    monkeypatch.setattr(data, "load", lambda name: type("City", (), {"files": ()}))
    neural_text.record("routing")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert {"command", "versions", "machine", "runs"} == set(written)
    assert written["runs"][:2] == [old, without]
    assert written["runs"][2]["files"] == NOW
    assert told("routing").startswith("net: 60.0%")
    assert told("outcomes").startswith("recorded before these changed: citylib/neural/text.py; python -m")
    assert told("perplexity").startswith("recorded before these changed: benchmarks/neural_text.py")
