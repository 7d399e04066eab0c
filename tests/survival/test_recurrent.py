"""Rows of events that come again: against hand-made cases, a plain loop, what was known at the time, Kitchener."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data
from citylib.errors import InputError
from citylib.survival.durations import gap_times
from citylib.survival.histories import REASONS, end_of_watch, histories
from citylib.survival.recurrent import Histories, Rows

ASSET = ["old", "new", "late", "undated", "gone"]
LAID = ["1960-01-01", "2001-01-01", "2012-06-01", "NaT", "1980-01-01"]
REMOVED = ["NaT", "NaT", "NaT", "NaT", "2008-05-05"]
LOG = [  # asset, day, and why it is not used
    ("old", "1990-07-01", "before recording, or before the asset was watched"),
    ("old", "1999-03-01", ""),
    ("old", "1999-03-01", "second of the asset on the same day"),
    ("old", "2003-09-01", ""),
    ("old", "2015-01-01", "on the day watching stopped, or later"),
    ("new", "1999-05-01", "in a year before the asset was laid: of what stood there before"),
    ("new", "2001-01-01", "in the year the asset was laid, up to the day it was laid"),  # what it replaced, that day
    ("new", "2001-01-02", ""),
    ("new", "2006-01-01", ""),
    ("late", "2012-05-31", "in the year the asset was laid, up to the day it was laid"),
    ("undated", "2005-01-01", "of an asset whose day of laying is not known"),
    ("gone", "2008-05-05", ""),  # the failure that ended it
    ("gone", "2008-05-06", "after the asset was taken out, or no longer watched"),
    ("never", "2005-01-01", "of an asset that is not in the inventory"),
    (None, "2005-01-01", "of an asset that is not in the inventory"),
]
WINDOW = {"start": "1997-01-01", "end": "2015-01-01"}


def _city(**change: Any) -> Histories:
    given = {"asset": ASSET, "installed": LAID, "failed": [r[0] for r in LOG], "date": [r[1] for r in LOG]}
    given |= {"removed": REMOVED, **WINDOW} | change
    return histories(given.pop("asset"), given.pop("installed"), given.pop("failed"), given.pop("date"), **given)


def test_every_record_is_accounted_for() -> None:
    city = _city()
    why = pd.Series([r[2] for r in LOG])
    assert city.dropped == {reason: int((why == reason).sum()) for reason in REASONS}
    account = city.account().set_index("what")["records"]
    assert account["in the log"] == len(LOG) == account.iloc[1:].sum()
    assert account["used"] == len(city.day) == int((why == "").sum())


def test_rows_by_hand() -> None:
    rows = _city().rows().to_frame()
    assert rows["asset"].tolist() == ["old"] * 3 + ["new"] * 3 + ["late"] + ["gone"]
    assert rows["event"].tolist() == [True, True, False, True, True, False, False, True]
    assert rows["order"].tolist() == [1, 2, 3, 1, 2, 3, 1, 1]
    assert rows["of"].tolist() == [0, 0, 0, 1, 1, 1, 2, 4]
    year = pd.Timedelta(days=365.25)
    for name, end in (("entry", "begin"), ("exit", "finish")):
        age = (rows[end] - pd.to_datetime(np.array(LAID)[rows["of"]])) / year
        np.testing.assert_allclose(rows[name], age, rtol=0, atol=1e-12)
    assert rows["begin"].iloc[0] == pd.Timestamp("1997-01-01")  # laid in 1960, watched from 1997: enters at age 37
    assert rows["finish"].iloc[3] == pd.Timestamp("2001-01-02 12:00")
    assert rows["finish"].iloc[-1] == pd.Timestamp("2008-05-05 12:00")
    waited = [37, 0, 0, 0, 0, 0, 0, 17]
    np.testing.assert_allclose(rows["waited"], waited, atol=0.003)


def test_first_events_only_of_those_watched_from_laying() -> None:
    first = _city().first_event()
    assert first.asset.tolist() == ["new", "late"]
    assert first.event.tolist() == [True, False]
    assert (first.entry == 0).all()


def test_gaps_are_those_of_the_log_alone() -> None:
    found = _city().gaps().to_frame()
    used = pd.DataFrame([r[:2] for r in LOG if not r[2]], columns=["asset", "date"])
    used = used[used["asset"] != "gone"]  # its failure ended it, and opened no gap
    pd.testing.assert_frame_equal(found, gap_times(used["asset"], used["date"], **WINDOW).to_frame())


def test_recent_failures_by_hand() -> None:
    rows = _city().rows(recent=5).to_frame()
    assert rows["begin"].min() == pd.Timestamp("2002-01-01")  # five years of the log are needed first
    old = rows[rows["asset"] == "old"]
    days = ["2002-01-01", "2003-09-01 12:00", "2004-02-29 12:00", "2008-08-31 12:00", "2015-01-01"]  # 1,826 days on
    assert old["begin"].tolist() == [pd.Timestamp(d) for d in days[:-1]]
    assert old["finish"].tolist() == [pd.Timestamp(d) for d in days[1:]]
    assert old["recent"].tolist() == [1, 2, 1, 0]
    assert old["order"].tolist() == [2, 3, 3, 3]
    assert old["event"].tolist() == [True, False, False, False]


def test_nobody_counts_recent_failures_of_years_in_which_it_was_not_watched() -> None:
    whole = histories(
        ["late", "always", "new"],
        ["1980-01-01", "1980-01-01", "2004-01-01"],
        ["late", "always"],
        ["2006-01-01", "2006-01-01"],
        start="1997-01-01",
        end="2015-01-01",
        observed_from=["2005-01-01", "NaT", "NaT"],
    )
    rows = whole.rows(recent=5).to_frame()
    begins = rows.groupby("asset")["begin"].min().dt.year
    assert begins.to_dict() == {"late": 2010, "always": 2002, "new": 2004}  # new: its years before laying are known
    assert rows.loc[rows["asset"] == "late", "recent"].tolist() == [1, 0]


def test_ages_cut_rows_and_change_nothing_else() -> None:
    city = _city()
    whole, cut = city.rows(), city.rows(ages=[3.0, 40.0])
    for age in (3.0, 40.0):
        assert np.abs(cut.exit - age).min() < 1 / 365  # to the day
    assert cut.event.sum() == whole.event.sum()
    assert (cut.exit - cut.entry).sum() == pytest.approx((whole.exit - whole.entry).sum())


def test_the_clock_set_back_at_each_failure() -> None:
    rows = _city().rows(recent=5, ages=[41.0])
    entry, exit = rows.since_last
    np.testing.assert_allclose(exit - entry, rows.exit - rows.entry, rtol=1e-9)
    frame = rows.to_frame().assign(stop=exit)
    again = frame[frame["event"] & (frame["order"] > 1)].set_index("asset")["stop"]
    np.testing.assert_allclose(
        again["old"], (np.datetime64("2003-09-01") - np.datetime64("1999-03-01")).astype(int) / 365.25
    )


def _random(seed: int) -> dict[str, Any]:
    draw = np.random.default_rng(seed)
    day = np.datetime64("1990-01-01")
    laid = day + draw.integers(-3000, 8000, 60).astype("timedelta64[D]")
    removed = laid + draw.integers(0, 9000, 60).astype("timedelta64[D]")
    removed[draw.random(60) < 0.6] = np.datetime64("NaT")
    failed = draw.integers(0, 60, 500)
    date = laid[failed] + draw.integers(-200, 9000, 500).astype("timedelta64[D]")
    return {"asset": np.arange(60), "installed": laid, "failed": failed, "date": date, "removed": removed}


def _plain(given: dict[str, Any], recent: int) -> list[tuple[Any, ...]]:
    """Return rows worked out an asset at a time: asset, beginning and end in hours since 1997, event, order, recent."""
    start, end, out = np.datetime64(WINDOW["start"]), np.datetime64(WINDOW["end"]), []
    for asset, laid in enumerate(given["installed"]):
        gone = given["removed"][asset] + 1
        closes = end if np.isnat(gone) else min(end, gone)
        opens = max(start, laid)
        days = sorted(
            {
                d
                for f, d in zip(given["failed"], given["date"], strict=True)
                if f == asset and opens <= d < closes and d > laid
            }
        )
        hours = [int((d - start).astype(int)) * 24 + 12 for d in days]
        low = max(int((opens - start).astype(int)), recent) * 24
        high = int((closes - start).astype(int)) * 24 - (0 if np.isnat(gone) or gone > end else 12)
        cuts = {low, high, *hours, *((h + recent * 24 for h in hours) if recent else ())}
        cuts = sorted(c for c in cuts if low <= c <= high)
        for a, b in itertools.pairwise(cuts):
            behind = [h for h in hours if h <= a]
            near = sum(h > a - recent * 24 for h in behind) if recent else 0
            out.append((asset, a, b, b in hours, len(behind) + 1, near))
    return out


def _as_plain(rows: Rows) -> list[tuple[Any, ...]]:
    start = np.datetime64(WINDOW["start"], "h")
    begin, finish = ((d - start).astype(int).tolist() for d in (rows.begin, rows.finish))
    fields = (rows.of.tolist(), begin, finish, rows.event.tolist(), rows.order.tolist(), rows.recent.tolist())
    return list(zip(*fields, strict=True))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("recent", [None, 5])
def test_rows_are_those_of_a_loop_over_assets(seed: int, recent: int | None) -> None:
    given = _random(seed)
    city = _city(**given)
    assert _as_plain(city.rows(recent=recent)) == _plain(given, 1826 if recent else 0)
    assert sum(city.dropped.values()) + len(city.day) == 500


@pytest.mark.parametrize("seed", range(3))
def test_known_at_tells_nothing_of_later_days(seed: int) -> None:
    given = _random(seed)
    cut = np.datetime64("2006-03-01")
    past = _city(**given).known_at("2006-03-01")
    there, early = given["installed"] < cut, given["date"] < cut
    blind = given | {"failed": given["failed"][early], "date": given["date"][early]}
    blind["removed"] = np.where(given["removed"] < cut, given["removed"], np.datetime64("NaT"))
    blind["installed"] = np.where(there, given["installed"], np.datetime64("NaT"))  # not laid yet: nothing known of it
    alone = _city(**blind, end="2006-03-01")
    for recent in (None, 5):
        pd.testing.assert_frame_equal(past.rows(recent=recent).to_frame(), alone.rows(recent=recent).to_frame())
    pd.testing.assert_frame_equal(past.gaps().to_frame(), alone.gaps().to_frame())
    assert sum(past.dropped.values()) + len(past.day) == 500


def test_counts_and_years_watched_add_up() -> None:
    city = _city(**_random(7))
    rows = city.rows()
    parts = [city.count(a, b) for a, b in (("1997-01-01", "2003-07-01"), ("2003-07-01", "2015-01-01"))]
    np.testing.assert_array_equal(parts[0][0] + parts[1][0], np.bincount(rows.of[rows.event], minlength=60))
    np.testing.assert_allclose(
        parts[0][1] + parts[1][1], np.bincount(rows.of, rows.exit - rows.entry, minlength=60), atol=1e-9
    )
    with pytest.raises(InputError, match="until must be after since"):
        city.count("2003-01-01", "2003-01-01")


def test_bands_of_age_add_up_to_what_was_watched() -> None:
    city = _city(**_random(3))
    failures, years = city.by_age([0, 5, 10, 30, 200])
    whole = city.count("1997-01-01", "2015-01-01")
    np.testing.assert_array_equal(failures.sum(axis=1), whole[0])
    np.testing.assert_allclose(years.sum(axis=1), whole[1], atol=1e-9)
    assert city.by_age([5, 10])[1].sum() == pytest.approx(years[:, 1].sum())
    with pytest.raises(InputError, match="edges must hold at least two ages"):
        city.by_age([5])


@pytest.mark.parametrize(
    ("given", "end"),
    [
        ({}, "2004-03-02"),
        ({"recorded_until": 2004}, "2004-01-01"),  # two records make no whole year where twelve are usual
        ({"recorded_until": 2002}, "2003-01-01"),
        ({"observed_until": ["2005-06-30", "NaT"], "recorded_until": 2004}, "2005-07-01"),
        ({"observed_until": ["NaT"]}, "2004-03-02"),
        ({"until": "2001-01-01", "observed_until": ["2005-06-30"]}, "2001-01-01"),
    ],
)
def test_the_end_of_watching(given: dict[str, Any], end: str) -> None:
    days = [f"{year}-{month:02d}-01" for year in range(2000, 2004) for month in range(1, 13)]
    assert end_of_watch([*days, "2004-02-01", "2004-03-01"], since="2000-01-01", **given)[0] == end


def test_refusals_of_the_end() -> None:
    with pytest.raises(InputError, match="date must have no missing values"):
        end_of_watch(["NaT", "2001-01-01"], since="2000-01-01")
    with pytest.raises(InputError, match="since must lie before the end of watching, 2001-01-02, got '2002-01-01'"):
        end_of_watch(["2001-01-01"], since="2002-01-01")
    with pytest.raises(InputError, match="until must be given where the log holds no record"):
        end_of_watch([], since="2002-01-01")


def test_each_assets_own_window() -> None:
    city = _city(observed_from=["2003-01-01"] + ["NaT"] * 4, observed_until=["2004-12-31", "2003-12-31"] + ["NaT"] * 3)
    rows = city.rows().to_frame()
    old = rows[rows["asset"] == "old"]
    assert [str(t) for t in old[["begin", "finish"]].to_numpy()[[0, -1], [0, 1]].astype("datetime64[D]")] == [
        "2003-01-01",
        "2004-12-31",
    ]
    assert old["event"].tolist() == [True, False]
    assert rows[rows["asset"] == "new"]["event"].tolist() == [True, False]
    assert not city.from_laying[0]


def test_the_synthetic_citys_own_truth() -> None:
    city = data.load("synthetic:tiny")
    every, log = city.table("assets_all"), city.table("breaks_all")
    whole = histories(
        every["asset"], every["installed"], log["asset"], log["date"], removed=every["removed"],
        start="1997-01-01", end="2023-01-01",
    )  # fmt: skip
    assert whole.dropped == dict.fromkeys(REASONS, 0) | {
        "before recording, or before the asset was watched": int((~log["recorded"]).sum()),
        "second of the asset on the same day": int(log[log["recorded"]].duplicated(["asset", "date"]).sum()),
    }
    rows = whole.rows()
    ended = rows.asset[rows.event & np.isin(rows.asset, every.loc[every["reason"] == "break", "asset"])]
    assert set(every.loc[(every["reason"] == "break") & (every["removed"] >= "1997"), "asset"]) <= set(ended)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": "1996-01-01"}, r"end must be after start"),
        ({"start": "soon"}, "start must be a date like 2016-01-31, got 'soon'"),
        ({"start": "NaT"}, "start must be a date like 2016-01-31"),
        ({"asset": ["a"] * 5}, "asset must name each asset once, got 'a'"),
        ({"asset": ASSET[:4]}, "asset, installed must have the same length"),
        ({"removed": REMOVED[:4]}, "must have the same length"),
        ({"failed": ["old"]}, "failed, date must have the same length"),
        (
            {"removed": ["1950-01-01"] + ["NaT"] * 4},
            "removed must not lie before installation, got '1 of them, first old",
        ),
        ({"failed": ["old"], "date": ["NaT"]}, "date must have no missing values, got '1 NaT'"),
        ({"failed": ["old"], "date": ["never"]}, "date must be dates"),
        ({"failed": ["old"], "date": [2001]}, "date must be dates, got 'numbers such as 2001'"),  # not 2,001 ns of 1970
        ({"installed": [1960, 1970, 1980, 1990, 2000]}, "installed must be dates, got 'numbers such as 1960'"),
        ({"asset": [], "installed": [], "removed": None}, "asset must name at least one asset"),
    ],
)
def test_refusals(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _city(**change)


def test_refusals_of_rows() -> None:
    city = _city()
    for wrong, message in (
        ({"recent": 0}, "recent must be more than 0"),
        ({"recent": 30}, "recent must leave somebody under watch"),
        ({"ages": [3.0, 2.0]}, "ages must be strictly increasing"),
        ({"ages": [3.0, np.nan]}, "ages must have no missing values"),
    ):
        with pytest.raises(InputError, match=message):
            city.rows(**wrong)
    with pytest.raises(InputError, match="day must lie after 1997-01-01"):
        city.known_at("1996-01-01")
    with pytest.raises(InputError, match="same length"):
        city.rows().pick([True])
    with pytest.raises(InputError, match="installed must lie after 1997-01-01 for some asset"):
        _city(asset=["old"], installed=["1960-01-01"], removed=None).first_event()


@pytest.mark.real
def test_kitchener(real_data: Path) -> None:
    city = data.load("infra-water-mains-kitchener")
    mains = city.table("assets")
    log = pd.concat([city.table("breaks"), city.table("breaks_unused")])
    whole = histories(
        mains["asset"], mains["installed"], log["asset"], log["date"], start="1997-01-01", end="2023-01-01"
    )
    counts = [427, 13, 317, 14, 4, 3, 0, 24]  # 317 belong to the pipe that this one replaced
    assert list(whole.dropped.values()) == counts
    assert len(log) == 2766
    assert len(whole.day) == 2766 - sum(counts) == 1964
    assert int(whole.from_laying.sum()) == len(whole.first_event()) == 8011
    rows = whole.rows()
    assert rows.event.sum() == 1964
    assert len(rows) == 1964 + int(whole.watched.sum())
    assert whole.rows(recent=5).begin.min().astype("datetime64[D]") == np.datetime64("2002-01-01")
    past = whole.known_at("2016-01-01")
    assert past.rows().finish.max() == np.datetime64("2016-01-01", "h")
    assert int(whole.count("2016-01-01", "2023-01-01")[0].sum()) == 517  # 522 records, 5 of them second ones of a day
