"""The benchmark of which sensors to read: its verdict from raw figures, what is kept, and what was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import allocation_sensors as sensors
from benchmarks import rows


def made_up(error: float) -> rows.Raw:
    told = {"floor": 0.1, "ceiling": 0.9, "in turn": 0.5, "greedy, deviation": error}
    names = {"floor": "all (floor)", "ceiling": "none (ceiling)"}
    rules = {
        names.get(k, k): {
            "runs": [{"error": v + d, "z_variance": 1.1} for d in (-0.01, 0.0, 0.01)],
            "against": [0, 0, 0],
        }
        for k, v in told.items()
    }
    return {"reads": 4, "noise": 0.1, "sensors": 12, "rules": rules, "cpu_seconds": 1.0}


def test_the_verdict_names_the_least_error() -> None:
    raw = {"real": {"Beijing": [made_up(0.4)]}, "drawn": {"sensors-v1": [made_up(0.6), made_up(0.7), made_up(0.45)]}}
    told = sensors.judge(raw)
    assert told.ok is None
    assert "Beijing k=4: greedy, deviation 0.400, in turn 0.500, floor 0.100, ceiling 0.900" in told.ours
    assert "sensors-v1 k=4: in turn 0.500" in told.ours, "the median over networks counts"


def test_what_is_kept_is_not_done_again(tmp_path: Path) -> None:
    asked: list[int] = []

    def work() -> rows.Raw:
        asked.append(1)
        return {"value": 3}

    for _ in range(2):
        assert sensors.kept(tmp_path / "one.json", work) == {"value": 3}
    assert len(asked) == 1


def test_what_was_recorded_lies_between_floor_and_ceiling() -> None:
    path = rows.RECORDED / "sensors_read.json"
    if not path.is_file():
        pytest.skip("not recorded: python -m benchmarks.allocation_sensors --only sensors_read")
    raw = json.loads(path.read_text(encoding="utf-8"))["raw"]
    assert set(raw["real"]) == set(sensors.REAL)
    for one in (one for group in (raw["real"] | raw["drawn"]).values() for one in group):
        floor, ceiling = (sensors.error(one, name) for name in ("all (floor)", "none (ceiling)"))
        for name in one["rules"]:
            assert floor <= sensors.error(one, name) <= ceiling * 1.05, (one["reads"], name)
