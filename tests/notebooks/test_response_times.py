"""The chapter on response times runs on the tiny city, on Boston and on a city's own file, and says what it should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data

CHAPTER = "survival/06_response_times"
SMALL = {"min_cases": 20, "shown_days": 20, "early_days": 2.0, "judged_days": 14, "horizon_days": 10, "week": 3}


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Requests of two kinds with exponential times, those from the hill closed half as fast, some still open."""
    draw = np.random.default_rng(0)
    number = 3000
    opened = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.sort(draw.uniform(0, 200, number)).round(4), unit="D")
    kind, place = draw.choice(["bin", "tree"], number), draw.choice(["hill", "shore", "plain"], number)
    days = draw.exponential(np.where(kind == "bin", 2.0, 25.0) * np.where(place == "hill", 2.0, 1.0))
    closed = pd.Series(opened + pd.to_timedelta(days, unit="D")).dt.floor("s")
    closed = closed.where(closed <= pd.Timestamp("2020-07-20"))
    frame = pd.DataFrame({"opened": opened.floor("s"), "closed": closed, "category": kind, "district": place})
    path = tmp_path / "requests.csv"
    frame.to_csv(path, index=False)
    return path


def table(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", draws=100, **SMALL)
    records = ran["records"]
    requests = data.load("synthetic:tiny").table("requests")
    assert records["requests"]["value"] == len(requests)
    assert records["open"]["value"] == requests["closed"].isna().sum()
    assert records["median_days"]["value"] > records["median_days"]["baseline"]  # the open ones are the slow ones
    ways = table(ran, "incidence").set_index("outcome")
    shares = data.load("synthetic:tiny").truth["requests.outcome"]
    for way, share in shares.items():  # outcomes are drawn apart from times: each is its share of what has ended
        low, high = ways.loc[way, ["low", "high"]] / ways["share"].sum()
        assert low - 0.02 < share < high + 0.02
    assert (ways["others_as_censored"] > ways["share"]).all()
    assert records["truths_inside"]["value"] == 4
    assert {"departments", "outcomes", "outcomes_by_department", "targets_kept", "fairness"} <= set(ran["figures"])
    assert {"medians", "targets", "errors", "neighbourhoods", "rules", "verdict", "promises"} <= set(ran["tables"])


def test_an_earlier_snapshot_hides_what_came_later(run_chapter: Callable[..., Any]) -> None:
    requests = data.load("synthetic:tiny").table("requests")
    snapshot = requests["opened"].min().normalize() + pd.Timedelta(days=36)
    ran = run_chapter(CHAPTER, source="synthetic:tiny", draws=100, snapshot=str(snapshot.date()), **SMALL)
    known = requests[requests["opened"] < snapshot]
    assert ran["records"]["requests"]["value"] == len(known)
    assert ran["records"]["open"]["value"] == (~(known["closed"] <= snapshot)).sum()


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny", draws=100, **SMALL)
    assert "promise_loss" in [p.get("name") for p in payloads]


def test_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    parameters = {"department": "category", "min_cases": 50, "judged_days": 40, "horizon_days": 40}
    ran = run_chapter(CHAPTER, source=f"file:{own_file}", **parameters)
    fair = table(ran, "neighbourhoods").set_index("neighbourhood")
    assert fair.loc["hill", "high"] < 1 < fair.loc[["shore", "plain"], "closing_rate"].min()
    assert fair.loc["hill", "adjusted_median"] > 1.5 * fair.loc["shore", "adjusted_median"]
    ratio = fair["closing_rate"]
    assert ratio["hill"] / ratio["shore"] == pytest.approx(0.5, rel=0.2)  # the planted factor
    said = " ".join(ran["said"])
    assert "The source sets no targets." in said
    assert "closed is closed" in said
    promises = table(ran, "promises").set_index("type")
    # nine tenths of a mix of exponentials: a third at twice the mean
    for kind, mean in (("bin", 2.0), ("tree", 25.0)):
        t = np.linspace(0, 400, 400_001)
        true = t[(2 / 3 * np.exp(-t / mean) + 1 / 3 * np.exp(-t / mean / 2)) <= 0.1][0]
        assert promises.loc[kind, "days"] == pytest.approx(true, rel=0.2)  # three standard errors at this size
        assert promises.loc[kind, "low"] < promises.loc[kind, "days"] < promises.loc[kind, "high"]
    assert promises.loc["tree", "closed_only"] < promises.loc["tree", "days"]
    assert ran["records"]["promise_loss"]["value"] < ran["records"]["promise_loss"]["baseline"]


def test_what_is_known_only_afterwards_is_no_group(refused: Callable[..., str]) -> None:
    assert "name a column that is known when a request comes in" in refused(
        CHAPTER, source="synthetic:tiny", draws=100, kind="outcome", **SMALL
    )


@pytest.mark.real
def test_boston(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="requests-boston-311")
    records, said = ran["records"], " ".join(ran["said"])
    assert records["closed_before_opened"]["value"] == 197
    assert records["requests"]["value"] == 121_145 - 197
    assert records["open"]["value"] == 19_873
    assert 0.020 < records["unspecified"]["value"] < 0.021  # the date of closing before the phrase is none
    assert records["target_kept"]["value"] < records["target_kept"]["baseline"] - 0.05
    assert "Types are missing from the file" in said
    assert records["error_ratio"]["value"] > 1.5  # lists are cleared in one go
    low, high = records["promise_loss"]["interval"]
    assert low < high < records["promise_loss"]["baseline"]
    names = set(table(ran, "neighbourhoods")["neighbourhood"])
    assert {"Roxbury", "Back Bay"} <= names
    assert not {"Boston", "not given", "other"} & names  # no places
    printed = "".join(p.read_text(encoding="utf-8") for p in [ran["folder"] / "results.json"])
    note = data.load("requests-boston-311").table("requests")["closure_note"].dropna()
    long = note[note.str.contains("Case Resolved") & (note.str.len() > 60)].sample(200, random_state=0)
    assert not any(text[20:60] in printed for text in long)  # no note is shown


def test_slow_cases_and_small_differences_are_not_talked_up(run_chapter: Callable[..., Any], own_file: Path) -> None:
    frame = pd.read_csv(own_file, parse_dates=["opened", "closed"])
    frame["closed"] = frame["closed"].where(np.arange(len(frame)) % 5 == 0)
    frame.to_csv(own_file, index=False)
    ran = run_chapter(CHAPTER, source=f"file:{own_file}", department="category", draws=100, **SMALL)
    said = " ".join(ran["said"])
    assert "median_days" not in ran["records"]  # fewer than half are closed: there is none to record
    assert "Of no type is the median reached" in said
    assert "Fewer than two neighbourhoods reach both medians" in said
    assert "nan" not in said


def test_places_that_never_meet_are_refused(refused: Callable[..., str]) -> None:
    assert "place must vary among requests of one category" in refused(
        CHAPTER, source="synthetic:tiny", draws=100, place="department", **SMALL
    )
