"""A part of a plan, by patterns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from citylib.batch import choose
from citylib.batch.plan import Plan
from citylib.errors import UnknownNameError


@pytest.fixture
def plan(planned):
    one = planned("x = 1")
    names = [("air/01_a", "sensor-1"), ("air/01_a", "sensor-2"), ("air/02_b", "sensor-1"), ("water/01_c", "default")]
    return Plan("p", tuple(replace(one, notebook=n, id=i) for n, i in names))


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["air/*"], [0, 1, 2]),
        (["sensor-1"], [0, 2]),
        (["air/01_a"], [0, 1]),
        (["air/01_a/sensor-2"], [1]),
        (["*-2", "water/*"], [1, 3]),
        (["air/0?_a", "sensor-1"], [0, 1, 2]),
        (["*"], [0, 1, 2, 3]),
    ],
)
def test_runs_are_chosen_in_the_order_of_the_plan(plan, patterns, chosen):
    assert choose.only(plan, patterns).runs == tuple(plan.runs[i] for i in chosen)


@pytest.mark.parametrize(
    ("pattern", "near"), [("watr/01_c", "water/01_c"), ("senor-1", "sensor-1"), ("Air/*", None), ("", None)]
)
def test_a_pattern_that_fits_nothing_is_refused(plan, pattern, near):
    with pytest.raises(UnknownNameError, match="--only must be one of: air/01_a, air/02_b") as refused:
        choose.only(plan, ["sensor-1", pattern])
    assert near is None or f"did you mean {near!r}" in str(refused.value)
