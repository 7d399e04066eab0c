"""Planted faults are what they say, where they say, and touch nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib import seeds
from citylib.data.synthetic.sensor_faults import CODES, FaultsTruth, plant
from citylib.errors import InputError

TRUTH = FaultsTruth()


def clean(seed, hours, sensors):
    return seeds.generator(seed, "clean").integers(50, 2000, (hours, sensors)).astype(float)


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(168, 900), st.integers(1, 12))
def test_faults_are_as_listed_and_the_rest_is_untouched(seed, hours, sensors):
    values = clean(seed, hours, sensors)
    planted = plant(seed, "room", values, TRUTH)
    good = planted.kind == 0
    np.testing.assert_array_equal(planted.recorded[good], values[good])
    np.testing.assert_array_equal(np.isnan(planted.recorded), np.isin(planted.kind, (1, 2)))
    marked = np.zeros_like(planted.kind)
    for run in planted.runs.itertuples():
        column, cells = planted.recorded[:, run.sensor], slice(run.row, run.row + run.hours)
        marked[cells, run.sensor] = CODES.index(run.code) + 1
        before, after = values[run.row - 1, run.sensor], values[run.row + run.hours, run.sensor]
        if run.code == "stuck-run":
            assert (column[cells] == before).all()
        elif run.code == "straight-run":
            bends = np.diff(column[run.row - 1 : run.row + run.hours + 1], n=2)
            assert np.abs(bends).max(initial=0.0) < 1e-9
            assert column[run.row + run.hours] == after
        elif run.code == "spike":
            factor = column[run.row] / values[run.row, run.sensor]
            assert TRUTH.spike_low - 0.01 <= factor <= TRUTH.spike_high + 0.01
    np.testing.assert_array_equal(marked[marked > 0], planted.kind[marked > 0])
    assert (planted.kind[marked == 0] <= 1).all()


def test_there_are_as_many_as_planted():
    planted = plant(0, "room", clean(0, 8760, 40), TRUTH)
    counts = planted.runs["code"].value_counts()
    wanted = {"dropout": TRUTH.dropouts, "stuck-run": TRUTH.stuck_runs, "straight-run": TRUTH.straight_runs}
    for code, rate in (wanted | {"spike": TRUTH.spikes}).items():
        assert counts[code] == round(rate * 40 * 3.65)
    assert (planted.kind == 1).mean() == pytest.approx(TRUTH.missing_share, rel=0.15)
    assert planted.runs.loc[planted.runs["code"] != "spike", "hours"].between(TRUTH.shortest, TRUTH.longest).all()


def test_a_rate_of_zero_plants_none_and_a_small_one_plants_one():
    none = FaultsTruth(missing_share=0.0, dropouts=0.0, stuck_runs=0.0, straight_runs=0.0, spikes=0.0)
    values = clean(1, 200, 2)
    assert (plant(0, "room", values, none).kind == 0).all()
    assert len(plant(0, "room", values, replace(none, spikes=1e-6)).runs) == 1


def test_where_there_is_no_room_there_are_fewer():
    planted = plant(0, "room", clean(3, 168, 1), FaultsTruth(dropouts=200.0))
    assert 1 < (planted.runs["code"] == "dropout").sum() < 14
    assert not np.isnan(planted.recorded).all()


def test_another_room_has_other_faults():
    values = clean(2, 1000, 5)
    assert not plant(0, "a", values, TRUTH).runs.equals(plant(0, "b", values, TRUTH).runs)


@pytest.mark.parametrize(
    "wrong", [{"missing_share": 1.5}, {"spikes": -1.0}, {"shortest": 0}, {"longest": 2}, {"spike_low": 1.0}]
)
def test_laws_without_faults_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        FaultsTruth(**wrong)
