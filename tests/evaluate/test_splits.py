"""A split never lets the test part into training, and says so when it cannot be made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citylib.errors import InputError
from citylib.evaluate import splits

HOURS = np.arange("2026-01-01T00", "2026-01-11T00", dtype="datetime64[h]")


@given(share=st.floats(0.01, 0.99), gap=st.integers(0, 20), absent=st.sets(st.integers(0, 239), max_size=100))
def test_everything_learned_lies_before_everything_tested(share: float, gap: int, absent: set[int]) -> None:
    usable = np.ones(len(HOURS), dtype=bool)
    usable[list(absent)] = False
    try:
        split = splits.by_time(HOURS, test_share=share, gap=np.timedelta64(gap, "h"), usable=usable)
    except InputError:  # refused only where the gap leaves nothing to learn from
        cut = HOURS[usable][-min(max(1, round(share * usable.sum())), usable.sum() - 1)]
        assert not (HOURS[usable] < cut - np.timedelta64(gap, "h")).any()
        return
    assert not (split.train & split.test).any()
    assert not (split.train | split.test)[~usable].any()
    first, last = HOURS[split.test][0], HOURS[split.train][-1]
    assert last < first
    assert last < first - np.timedelta64(gap, "h") or gap == 0
    assert split.test.sum() == min(max(1, round(share * usable.sum())), usable.sum() - 1)


def test_a_share_counts_usable_steps_not_the_calendar() -> None:
    usable = np.zeros(len(HOURS), dtype=bool)
    usable[:100] = True
    split = splits.by_time(HOURS, test_share=0.2, usable=usable)
    assert split.train.sum() == 80
    assert split.cut == HOURS[80]


def test_a_given_cut_is_the_first_test_step() -> None:
    split = splits.by_time(HOURS, cut="2026-01-09")
    assert HOURS[split.test][0] == np.datetime64("2026-01-09T00")
    assert split.train.sum() == 8 * 24
    assert not split.train.flags.writeable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "one and only one"),
        ({"test_share": 0.2, "cut": "2026-01-05"}, "one and only one"),
        ({"test_share": 1.0}, "test_share must lie between 0 and 1"),
        ({"cut": "soon"}, "cut must be a date"),
        ({"cut": "NaT"}, "cut must be a date"),
        ({"cut": "2025-01-01"}, "training part"),
        ({"cut": "2027-01-01"}, "test part"),
        ({"cut": "2026-01-02", "gap": np.timedelta64(-1, "h")}, "gap must be zero or more"),
        ({"cut": "2026-01-02", "gap": np.timedelta64(2, "D")}, "training part"),
        ({"test_share": 0.2, "usable": np.arange(240) == 5}, "two usable steps"),
        ({"test_share": 0.2, "usable": np.ones(3, dtype=bool)}, "same length"),
    ],
)
def test_what_cannot_be_split_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        splits.by_time(HOURS, **arguments)  # type: ignore[arg-type]


def test_times_that_step_back_are_refused() -> None:
    with pytest.raises(InputError, match="steps back at row 1"):
        splits.by_time(HOURS[::-1], test_share=0.5)


@given(length=st.integers(2, 60), first=st.integers(1, 30), horizon=st.integers(1, 20), every=st.integers(1, 20))
def test_origins_know_only_what_came_before(length: int, first: int, horizon: int, every: int) -> None:
    if first + horizon > length:
        with pytest.raises(InputError, match="length must be at least"):
            splits.origins(length, first=first, horizon=horizon, every=every)
        return
    found = list(splits.origins(length, first=first, horizon=horizon, every=every))
    assert found[0][0].stop == first
    assert all(known.stop == ahead.start and ahead.stop - ahead.start == horizon for known, ahead in found)
    assert found[-1][1].stop <= length < found[-1][1].stop + every


def test_origins_refuse_zero() -> None:
    with pytest.raises(InputError, match="every must be at least 1"):
        splits.origins(10, first=2, horizon=2, every=0)
