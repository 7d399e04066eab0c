"""The study of coverage: its bar can fail, a stopped run goes on, and its rows are those of the city's books."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import survival, survival_coverage, survival_curves
from citylib.data.synthetic.assets import mains
from citylib.data.synthetic.districts import ground


def found(**changes: int) -> dict[str, Any]:
    return {"cities": 2_000, "level": 0.95, "covered": dict.fromkeys(survival_coverage.ESTIMATES, 1_900) | changes}


def test_every_check_has_to_lie_inside_the_band() -> None:
    low, high = survival_coverage.limits(2_000, 0.95)
    assert (low, high) == (1_867, 1_931)
    one = next(iter(survival_coverage.ESTIMATES))
    judge = survival_coverage.judge
    assert judge(found()).ok
    assert judge(found(**{one: low})).ok
    assert judge(found(**{one: high})).ok
    for count in (low - 1, high + 1):
        verdict = judge(found(**{one: count}))
        assert not verdict.ok
        assert f"outside: {one}: {count}" in verdict.ours
    assert not judge(found() | {"cities": 20}).ok, "fewer cities"
    few = found()
    del few["covered"][one]
    assert not judge(few).ok, "all checks"


def test_a_run_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survival_coverage, "CITIES", 6)
    monkeypatch.setattr(survival_coverage, "PART", 2)
    drawn: list[int] = []

    def of_city(seed: int) -> list[bool]:
        if seed == 4 and 4 not in drawn:
            drawn.append(seed)
            raise KeyboardInterrupt
        drawn.append(seed)
        return [seed % 2 == 0] * len(survival_coverage.ESTIMATES)

    monkeypatch.setattr(survival_coverage, "of_city", of_city)
    with pytest.raises(KeyboardInterrupt):
        survival_coverage.covered(False, tmp_path)
    raw = survival_coverage.covered(False, tmp_path)
    assert drawn == [0, 1, 2, 3, 4, 4, 5]
    assert raw["seeds"] == [0, 5]
    assert set(raw["covered"].values()) == {3}
    (kept,) = tmp_path.iterdir()
    assert json.loads(kept.read_text()).keys() == {"0", "2", "4"}


def test_rows_of_a_main_follow_each_other_and_hold_all_its_breaks() -> None:
    pipes = mains(3, 300, ground(3, 12))
    data = survival_coverage.recurrent(pipes)
    assert (data["entry"] < data["stop"]).all()
    follows = np.append(False, data["asset"][1:] == data["asset"][:-1])
    assert (data["entry"][follows] == data["stop"][np.flatnonzero(follows) - 1]).all()
    log = pipes.breaks_all
    assert data["event"].sum() == len(log[log["recorded"]].drop_duplicates(["asset", "date"]))
    laid = pipes.assets_all["installed"].to_numpy().astype("datetime64[D]")[data["asset"]]
    assert (laid + data["stop"]).max() == np.datetime64("2022-12-31")
    assert (laid + data["entry"])[data["entry"] > 0].min() == np.datetime64("1996-12-31")


def test_each_city_answers_every_check() -> None:
    assert len(survival_coverage.of_city(0)) == len(survival_coverage.ESTIMATES) == 23


def test_one_command_knows_every_point_and_each_is_kept() -> None:
    names = [point.name for point in survival.EVERY]
    assert len(set(names)) == len(names) == 11
    assert all(point.long for point in survival.EVERY)


def test_curves_have_to_be_fast_and_the_same() -> None:
    raw: dict[str, Any] = {
        "seconds": {"citylib": [0.01] * 5, "R": [0.3] * 5, "lifelines": [0.2] * 5},
        "values": {"citylib": [0.8, 0.1], "R": [0.8, 0.1], "lifelines": [0.8]},
        "missing": [],
    }
    judge = survival_curves.judge(15, 1e-10)
    assert judge(raw).ok
    assert judge(raw).ratio == "20.0 times"
    assert not survival_curves.judge(25, 1e-10)(raw).ok
    assert not judge(raw | {"values": raw["values"] | {"R": [0.8, 0.1001]}}).ok
