"""The chapter on which sensors to read runs on the tiny city and on real panels, and says what it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CHAPTER = "allocation/06_which_sensors"
SMALL = {"source": "synthetic:tiny", "reads": 2, "past": 200, "epochs": 1, "field_steps": 100}


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, **SMALL)
    rules = pd.read_parquet(ran["folder"] / ran["tables"]["rules"]["file"]).set_index("rule")
    floor, ceiling = rules.loc["all (floor)", "error"], rules.loc["none (ceiling)", "error"]
    inner = rules["error"].drop(["all (floor)", "none (ceiling)"])
    assert (inner > floor).all()
    assert (inner < ceiling).all()
    assert rules.loc["in turn", "against_in_turn"] == 0
    visits = pd.read_parquet(ran["folder"] / ran["tables"]["visits"]["file"])
    assert visits["visits_a_day"].sum() == pytest.approx(2 * 24)
    assert {"reads_greedy", "reads_attention", "error_by_reads", "calibration"} <= set(ran["figures"])
    assert {"dynamics", "planted", "card", "index"} <= set(ran["tables"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, **SMALL | {"reads": 1})
    assert any("taking turns" in p.get("text", "") or "Take turns" in p.get("text", "") for p in payloads)


def test_readings_that_have_no_logarithm_are_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    times = pd.date_range("2025-01-01", periods=400, freq="1h")
    rows = [{"time": t, "sensor": s, "frost [C]": draw.normal()} for t in times for s in ("a", "b", "c")]
    path = tmp_path / "own.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    assert "logarithm must be asked of readings above -1 alone" in refused(
        CHAPTER, **SMALL | {"source": f"file:{path}", "variable": None, "logarithm": True}
    )


@pytest.mark.real
@pytest.mark.slow
def test_beijing(run_chapter: Callable[..., Any], real_data: Path) -> None:
    given = {"source": "air-beijing-multisite", "variable": "PM2.5", "logarithm": True, "cut": "2016-03-01"}
    ran = run_chapter(CHAPTER, **given, reads=2, block_hours=168.0)
    assert ran["records"]["gap_closed"]["value"] > 0.8
