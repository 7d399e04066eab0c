"""The bars of stations hold in what was recorded, worked out again from raw figures; none can pass without a proof."""

from __future__ import annotations

import copy

import pytest

from benchmarks import allocation_stations, rows

LONG = [point for point in allocation_stations.POINTS if point.long]
RECORDED = [
    point
    if (rows.RECORDED / f"{point.name}.json").is_file()
    else pytest.param(point, marks=pytest.mark.skip("not recorded yet"), id=point.name)
    for point in LONG
]


@pytest.mark.parametrize("point", RECORDED, ids=lambda p: getattr(p, "name", None))
def test_a_bar_holds_by_the_figures_recorded(point):
    row = rows.recalled(point)
    assert row.ok, row


@pytest.mark.parametrize("point", RECORDED, ids=lambda p: getattr(p, "name", None))
def test_a_gap_or_a_recount_that_differs_is_no_pass(point):
    raw = rows.json.loads((rows.RECORDED / f"{point.name}.json").read_text(encoding="utf-8"))["raw"]
    assert point.judge(raw).ok
    for spoil in (
        lambda r: r["seeds"][0]["solved"][0]["mclp"].update(gap=1e-4),
        lambda r: r["seeds"][-1]["solved"][-1]["mexclp"].update(status="time limit"),
        lambda r: r["seeds"][0]["solved"][0]["counts"]["judged"].update(again=0),
        lambda r: r["seeds"][0]["median"][0].update(gap=0.01),
        lambda r: r["seeds"][0].update(sites=101),
    ):
        worse = copy.deepcopy(raw)
        spoil(worse)
        assert not point.judge(worse).ok
