"""Events counted by place and period: zeros where nothing happened, no half periods, no place forgotten."""

from __future__ import annotations

import pandas as pd
import pytest

from citylib.data.tally import tally
from citylib.errors import InputError, UnknownNameError


def calls():
    opened = pd.to_datetime(
        ["2026-01-05 10:00", "2026-01-05 00:00", "2026-01-20 00:00", "2026-03-02 00:00", None, "2026-03-31 23:59"]
    )
    return pd.DataFrame({"opened": opened, "district": ["A", "B", "A", None, "A", "C"]})


def test_quiet_periods_and_places_are_zeros():
    found = tally(calls(), step="month", by="district", places=["A", "B", "D"], since="2026-01-01", until="2026-03-31")
    assert found.sensors == ("A", "B", "D")
    assert found.values.tolist() == [[2, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert str(found.times[1])[:10] == "2026-02-01"


def test_periods_cut_short_are_left_out():
    assert len(tally(calls(), step="month").times) == 2  # January begins on the 5th, in what is known
    found = tally(calls(), step="week", since="2026-01-01", until="2026-01-26")
    assert [str(t)[:10] for t in found.times] == ["2026-01-05", "2026-01-12", "2026-01-19"]
    assert found.values.ravel().tolist() == [2, 0, 1]
    assert tally(calls(), step="day").values.sum() == 5


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"step": "year"}, UnknownNameError, "step"),
        ({"time": "closed"}, UnknownNameError, "time"),
        ({"by": "distrct"}, UnknownNameError, "district"),
        ({"time": "district"}, InputError, "moments"),
        ({"since": "soon"}, InputError, "date"),
        ({"since": "2027-01-01"}, InputError, "whole month"),
        ({"places": ["A", "A"], "by": "district"}, InputError, "duplicates"),
    ],
)
def test_nonsense_is_refused(change, error, words):
    with pytest.raises(error, match=words):
        tally(calls(), **({"step": "month"} | change))


def test_events_without_a_moment_are_refused_all_together():
    with pytest.raises(InputError, match="at least one"):
        tally(calls().iloc[[4]], step="day")
