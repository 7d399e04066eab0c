"""The rows of los-loop: what is recorded holds its bar, and a figure that does not is noticed."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from benchmarks import neural_compress, neural_losloop, rows
from citylib.data.recorded import KEPT


def raw(name: str) -> rows.Raw:
    found: rows.Raw = json.loads((rows.RECORDED / f"{name}.json").read_text(encoding="utf-8"))["raw"]
    return found


def test_the_record_of_los_loop_holds_its_bar() -> None:
    found = raw("losloop")
    assert found["windows"] == 389
    assert [one["seed"] for one in found["seeds"]] == [0, 1, 2, 3, 4]
    assert neural_losloop.judge(found).ok


@pytest.mark.parametrize("change", ["rmse", "mae", "peer", "seeds"])
def test_a_figure_outside_the_bar_is_noticed(change: str) -> None:
    found = copy.deepcopy(raw("losloop"))
    if change == "seeds":
        found["seeds"].pop()
    elif change == "peer":
        found["rows"]["LightGBM, squared"]["mae"] *= 1.03
    else:
        found["seeds"][3][change] = {"rmse": 4.81, "mae": 2.71}[change]
    assert not neural_losloop.judge(found).ok


def test_the_row_against_boosting_says_who_wins_what() -> None:
    told = neural_losloop.judge_against(neural_losloop.recorded(False))
    assert told.ok is None
    assert "RMSE vs LightGBM, squared" in told.ratio
    assert "MAE unfilled vs LightGBM, Huber" in told.ratio


def test_ridge_is_least_squares_without_a_penalty() -> None:
    draw = np.random.default_rng(0)
    x, new = draw.standard_normal((50, 2, 3)), draw.standard_normal((4, 2, 3))
    y = x @ np.array([[1.0], [2.0], [-1.0]]) + 3 + 0.1 * draw.standard_normal((50, 2, 1))
    (told,) = neural_losloop.solved((x, y), (new, np.zeros((4, 2, 1))), (0,))
    for sensor in range(2):
        design = np.column_stack([np.ones(50), x[:, sensor]])
        slope = np.linalg.lstsq(design, y[:, sensor], rcond=None)[0]
        np.testing.assert_allclose(told[:, sensor], np.column_stack([np.ones(4), new[:, sensor]]) @ slope, atol=1e-10)


def test_the_record_of_the_small_network_holds_its_bar_and_is_what_the_chapter_shows() -> None:
    found = raw("compress")
    assert neural_compress.judge(found).ok
    kept = json.loads((KEPT / "neural_compress.json").read_text(encoding="utf-8"))["runs"][0]["forms"]
    shown = [{name: one[name] for name in found["forms"][0]} for one in kept]
    assert shown == found["forms"]


@pytest.mark.parametrize(("name", "factor"), [("bytes", 7.0), ("rmse", 1.03), ("mae", 1.03)])
def test_a_small_network_that_fails_is_noticed(name: str, factor: float) -> None:
    found = copy.deepcopy(raw("compress"))
    small = next(one for one in found["forms"] if one["model"] == neural_compress.COMPRESSED)
    (small if name == "bytes" else found["seeds"][1][neural_compress.COMPRESSED])[name] *= factor
    assert not neural_compress.judge(found).ok


def test_a_small_network_that_is_slow_is_noticed() -> None:
    found = copy.deepcopy(raw("compress"))
    for items in ("1", "64"):
        told = found["microseconds"][items]
        told[neural_compress.COMPRESSED] = told[neural_compress.ORIGINAL]
    assert not neural_compress.judge(found).ok
