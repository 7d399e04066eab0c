"""Gap times against what a person works out by hand, and the refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.survival.durations import gap_times, heaps

ASSET = ["b", "a", "a", "c", "a", "a"]
DATE = ["2003-01-01", "2005-01-01", "2001-01-01", "1996-01-01", "2005-01-01", "2009-01-01"]
WINDOW = {"start": "1997-01-01", "end": "2013-01-01"}


def test_gaps_by_hand() -> None:
    gaps = gap_times(ASSET, DATE, **WINDOW)
    assert gaps.asset.tolist() == ["a", "a", "a", "b"]
    assert gaps.start.astype(str).tolist() == ["2001-01-01", "2005-01-01", "2009-01-01", "2003-01-01"]
    assert gaps.event.tolist() == [True, True, False, False]
    assert gaps.order.tolist() == [1, 2, 3, 1]
    np.testing.assert_allclose(gaps.years, [4.0, 4.0, 4.0, 10.0], atol=0.003)  # a day is 0.0027 years
    assert (gaps.same_day, gaps.outside, len(gaps)) == (1, 1, 4)


def test_row_order_does_not_matter() -> None:
    turned = gap_times(ASSET[::-1], DATE[::-1], **WINDOW)
    pd.testing.assert_frame_equal(turned.to_frame(), gap_times(ASSET, DATE, **WINDOW).to_frame())


def test_every_asset_ends_in_one_open_gap_and_time_adds_up() -> None:
    draw = np.random.default_rng(3)
    asset = draw.integers(0, 40, 400).astype(str)
    date = np.datetime64("2000-01-01") + draw.integers(0, 3000, 400).astype("timedelta64[D]")
    frame = gap_times(asset, date, start="2000-01-01", end="2010-01-01").to_frame()
    assert (frame.groupby("asset")["event"].sum() == frame.groupby("asset").size() - 1).all()
    watched = frame.groupby("asset")["stop"].max() - frame.groupby("asset")["start"].min()
    np.testing.assert_allclose(frame.groupby("asset")["years"].sum(), watched.dt.days / 365.25, rtol=1e-12)


def test_removal_ends_the_watch() -> None:
    gaps = gap_times(["a", "b"], ["2001-01-01"] * 2, removed={"a": "2003-01-01", "b": pd.NaT}, **WINDOW)
    assert gaps.stop.astype(str).tolist() == ["2003-01-01", "2013-01-01"]


def test_known_at_tells_nothing_of_later_days() -> None:
    gaps = gap_times(ASSET, DATE, **WINDOW)
    past = gaps.known_at("2005-01-01")
    assert past.stop.max() == np.datetime64("2005-01-01")
    assert past.event.tolist() == [False, False]
    earlier = [(a, d) for a, d in zip(ASSET, DATE, strict=True) if d < "2005-01-01"]
    alone = gap_times([a for a, _ in earlier], [d for _, d in earlier], start="1997-01-01", end="2005-01-01")
    pd.testing.assert_frame_equal(past.to_frame(), alone.to_frame())


def test_numbers_as_asset_ids() -> None:
    gaps = gap_times([7, 7], ["2001-01-01", "2002-01-01"], installed={7: "1990-01-01"}, **WINDOW)
    assert gaps.asset.tolist() == ["7", "7"]


def test_heap_is_found_among_ordinary_days() -> None:
    draw = np.random.default_rng(0)
    ordinary = np.datetime64("2010-01-01") + draw.integers(0, 730, 200).astype("timedelta64[D]")
    found = heaps(np.append(ordinary, [np.datetime64("2011-12-15")] * 30))
    assert found["date"].tolist() == [pd.Timestamp("2011-12-15")]
    assert found["records"].item() >= 30
    assert heaps(ordinary).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": "1996-01-01"}, r"end must be after start \(1997-01-01\), got .*1996-01-01"),
        ({"start": "soon"}, "start must be a date like 2016-01-31, got 'soon'"),
        ({"end": np.datetime64("NaT")}, "end must be a date like 2016-01-31"),
        ({"date": ["2001-01-01", "NaT"]}, "date must have no missing values, got '1 NaT, first at row 1'"),
        ({"date": ["2001-01-01", "never"]}, "date must be dates"),
        ({"date": ["2001-01-01"]}, "asset, date must have the same length"),
        ({"start": "2012-01-01"}, "date must have a record from 2012-01-01 up to 2013-01-01"),
        ({"installed": {"a": "2001-06-01"}}, "not lie before its asset's installation, got '1 records, first a on"),
        ({"removed": {"b": "2002-06-01"}}, "not lie after its asset's removal"),
    ],
)
def test_refusals(change: dict[str, object], message: str) -> None:
    given = {"asset": ["a", "b"], "date": ["2001-01-01", "2003-01-01"], **WINDOW} | change
    with pytest.raises(InputError, match=message):
        gap_times(given.pop("asset"), given.pop("date"), **given)


def test_pick_wants_one_flag_a_gap() -> None:
    with pytest.raises(InputError, match="same length"):
        gap_times(ASSET, DATE, **WINDOW).pick([True])


def test_years_are_no_dates() -> None:
    with pytest.raises(InputError, match="date must be dates, got 'numbers such as 2001'"):
        gap_times(["a", "a"], [2001, 2003], start="2000-01-01", end="2005-01-01")
