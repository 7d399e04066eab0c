"""The survival chapters run on the tiny city, on real mains and on a city's own file, and say what they should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from citylib import data
from citylib.survival.durations import gap_times
from citylib.survival.kaplan_meier import kaplan_meier

DURATIONS = "survival/01_durations"
BREAK = "survival/05_what_will_break"
COX = "survival/03_cox"
MODELS = "survival/04_which_model"
CHAPTER = "survival/02_kaplan_meier"
SMALL = {"worlds": 10, "mains": 300, "draws": 200}


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """Mains of two materials whose gaps are exponential with means of 4 and 16 years, some of them taken out."""
    draw = np.random.default_rng(0)
    rows = []
    for main in range(300):
        material, mean = ("steel", 4.0) if main % 2 else ("plastic", 16.0)
        removed = pd.Timestamp("2015-06-30") if main % 10 == 0 else pd.NaT
        day = pd.Timestamp("2000-01-01") + pd.Timedelta(days=int(draw.integers(0, 1500)))
        while day < min(pd.Timestamp("2022-12-31"), removed if main % 10 == 0 else pd.Timestamp.max):
            rows.append(
                {"asset": f"m{main}", "installed": 1980, "removed": removed, "failed": day, "material": material}
            )
            day += pd.Timedelta(days=1 + int(draw.exponential(mean * 365.25)))
    path = tmp_path / "mains.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_durations_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(DURATIONS, source="synthetic:tiny", **SMALL)
    records, city = ran["records"], data.load("synthetic:tiny")
    used = len(city.table("breaks").drop_duplicates(["asset", "date"]))
    assert records["used_share"]["value"] == used / (len(city.table("breaks")) + len(city.table("breaks_unused")))
    assert records["before_laying"]["value"] == len(city.table("breaks_unused"))  # each is older than its main
    first = pd.read_parquet(ran["folder"] / ran["tables"]["first_break"]["file"]).set_index("way")
    truth = records["truth_first_break"]["value"]
    assert first.loc["all records", "low"] < truth < first.loc["all records", "high"]
    assert first.loc["closed only", "low"] > truth > first.loc["old pipes from laying", "high"]
    assert records["rate_inventory_only"]["value"] < records["rate_all_records"]["value"]
    assert {"log_by_year", "lexis", "first_break_ways", "rate_by_age_figure", "own_rate"} == set(ran["figures"])
    assert any("not identified by these records" in text for text in ran["said"])


def test_durations_of_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(DURATIONS, source=f"file:{own_file}", since="2000-01-01", until="2022-12-31", **SMALL)
    assert any(text.startswith("The inventory says when mains were removed") for text in ran["said"])
    assert any(text.startswith("No main was watched from laying") for text in ran["said"])
    assert "No record of these years points to a pipe that is gone." in ran["said"]
    assert any("less that of the baseline lies from" in text for text in ran["said"])  # which is nearer has an interval


def test_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(CHAPTER, source="synthetic:tiny", horizon=1)  # so short that groups have few unseen gaps
    records = ran["records"]
    breaks = data.load("synthetic:tiny").table("breaks")
    assert records["gaps"]["value"] == len(breaks.drop_duplicates(["asset", "date"]))
    assert any(text.startswith("Watching ends on 2023-01-01") for text in ran["said"])  # the snapshot, not a break
    low, high = records["brier_by_group"]["interval"]
    assert low < records["brier_by_group"]["value"] < high
    assert records["median_gap"]["value"] > records["median_gap"]["baseline"]  # the open gaps are the long ones
    assert {"curves", "by_order", "by_diameter_mm", "by_decade", "first_breaks"} <= set(ran["figures"])
    city = data.load("synthetic:tiny")
    fresh = city.table("assets")["installed"] >= "1997-01-01"
    news = pd.read_parquet(ran["folder"] / ran["tables"]["first_breaks_by_group"]["file"]).set_index("group")
    assert news.loc["all", "mains"] == fresh.sum()  # none of those laid before recording began
    share = next(column for column in news if column.startswith("broken_by_age"))
    assert (news["high"] > news[share]).all()  # also of groups in which nothing has broken yet
    pairs = pd.read_parquet(ran["folder"] / ran["tables"]["pairs"]["file"])
    assert (pairs["adjusted"] >= pairs["p_value"]).all()
    assert records["pairs_told_apart"]["value"] <= records["pairs_told_apart"]["baseline"]
    assert {"medians", "dependence", "brier", "inspection"} <= set(ran["tables"])


def test_plainly(run_plainly: Callable[..., Any]) -> None:
    payloads = run_plainly(CHAPTER, source="synthetic:tiny")
    assert "brier_by_group" in [p.get("name") for p in payloads]


def test_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(CHAPTER, source=f"file:{own_file}", since="2000-01-01", until="2022-12-31")
    medians = pd.read_parquet(ran["folder"] / ran["tables"]["medians"]["file"]).set_index("group")
    for material, mean in (("steel", 4.0), ("plastic", 16.0)):
        row = medians.loc[material]
        assert row["low"] < mean * np.log(2) < row["high"]
    assert ran["records"]["unanswered_gaps"]["value"] > 0  # mains taken out before five years were over
    assert "stays below zero" in " ".join(ran["said"])  # here the material is worth knowing
    assert any(text.startswith("Not in this inventory: diameter_mm") for text in ran["said"])
    assert any(text.startswith("Hardly any main was watched from laying") for text in ran["said"])


@pytest.mark.real
def test_kitchener(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(CHAPTER, source="infra-water-mains-kitchener", until="2022-12-31")
    city = data.load("infra-water-mains-kitchener")
    breaks, assets = city.table("breaks"), city.table("assets")
    gaps = gap_times(breaks["asset"], breaks["date"], start="1997-01-01", end="2022-12-31")
    assert ran["records"]["gaps"]["value"] == len(gaps) == 1977
    material = assets.set_index("asset")["material"].loc[gaps.asset].to_numpy()
    iron = material == "CI"
    curve = kaplan_meier(gaps.years[iron], gaps.event[iron])["all"]
    medians = pd.read_parquet(ran["folder"] / ran["tables"]["medians"]["file"]).set_index("group")
    assert medians.loc["CI", "median_years"] == pytest.approx(curve.median)
    assert medians.loc["CI", "median_years"] < medians.loc["DI", "median_years"]
    news = pd.read_parquet(ran["folder"] / ran["tables"]["first_breaks_by_group"]["file"]).set_index("group")
    assert (news.loc["all", "mains"], news.loc["all", "broken"]) == (8011, 31)
    heaps = pd.read_parquet(ran["folder"] / ran["tables"]["heaps"]["file"])
    assert {"2011-12-15", "2008-12-01"} <= set(heaps["date"].astype(str).str[:10])


@pytest.mark.real
def test_durations_of_kitchener(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(DURATIONS, source="infra-water-mains-kitchener", **SMALL)
    account = pd.read_parquet(ran["folder"] / ran["tables"]["account"]["file"]).set_index("what")["records"]
    assert account["in a year before the asset was laid: of what stood there before"] == 317
    assert account["used"] == 1964
    assert ran["records"]["watched_from_laying"]["value"] == 8011


def _table(ran: dict[str, Any], name: str) -> pd.DataFrame:
    return pd.read_parquet(ran["folder"] / ran["tables"][name]["file"])


def test_cox_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(COX, source="synthetic:tiny", worlds=10, draws=200)
    records, city = ran["records"], data.load("synthetic:tiny")
    assert records["breaks"]["value"] == len(city.table("breaks").drop_duplicates(["asset", "date"]))
    assert {"side_by_side", "worlds_off", "bend", "schoenfeld"} == set(ran["figures"])
    fit = _table(ran, "andersen_gill").set_index("covariate")
    assert fit.loc["log length_m", "planted"] == city.truth["mains.length_power"]
    assert fit.loc["decade laid", "planted"] == 0
    whole = _table(ran, "models").set_index(["model", "covariate"])
    for name in fit.index:
        assert whole.loc[("Andersen–Gill", name), "coefficient"] == pytest.approx(fit.loc[name, "coefficient"])
    held = _table(ran, "worlds").set_index("model")["held_the_truth"]
    assert held["Andersen–Gill"] > held["PWP by age"]
    assert any("no effect of the break" in text for text in ran["said"])
    assert _table(ran, "unseen").set_index("rule").loc["most past breaks per metre", "minus_baseline"] == 0


def test_cox_of_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(COX, source=f"file:{own_file}", since="2000-01-01", until="2022-12-31", worlds=10, draws=200)
    assert any(text.startswith("Not in this inventory: length_m, diameter_mm, soil") for text in ran["said"])
    fit = _table(ran, "andersen_gill").set_index("covariate")
    row = fit.loc["material steel" if "material steel" in fit.index else "material plastic"]
    ratio = row["hazard_ratio"] if row.name == "material steel" else 1 / row["hazard_ratio"]
    assert ratio > 2  # the means of the gaps are 4 and 16 years, watched for a part of these


def test_cox_of_kinds_that_never_broke(run_chapter: Callable[..., Any], own_file: Path) -> None:
    mains = pd.read_csv(own_file)
    rare = pd.DataFrame({"asset": [f"r{k}" for k in range(40)], "installed": 1980, "material": ["copper", "lead"] * 20})
    pd.concat([mains, rare], ignore_index=True).to_csv(own_file, index=False)
    ran = run_chapter(COX, source=f"file:{own_file}", since="2000-01-01", until="2022-12-31", worlds=10, draws=200)
    fit = _table(ran, "andersen_gill").set_index("covariate")
    assert np.isfinite(fit["coefficient"]).all()  # put together with the kind that broke least, not a ratio of 0
    assert "material other" in fit.index or "material steel" in fit.index


@pytest.mark.real
def test_cox_of_kitchener(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(COX, source="infra-water-mains-kitchener", kinds=["material"], worlds=10, draws=200)
    fit = _table(ran, "andersen_gill").set_index("covariate")
    assert fit.loc["material CI", "lower"] > 1  # cast iron against the commonest, PVC
    assert (fit["standard_error"] > fit["error_if_independent"]).all()
    assert any(text.startswith("Ratios that change with age: ") and "material CI" in text for text in ran["said"])
    assert ran["records"]["strongest_ratio"]["value"] == pytest.approx(1.88, abs=0.03)  # twice the length


@pytest.mark.real
def test_cox_refuses_what_knows_the_breaks(refused: Callable[..., str], real_data: Path) -> None:
    assert "leave out what was written down after the breaks" in refused(
        COX, source="infra-water-mains-kitchener", measures=["length_m", "condition_score"]
    )


@pytest.mark.real
def test_gaps_by_what_knows_the_breaks_are_refused(refused: Callable[..., str], real_data: Path) -> None:
    assert "leave out what was written down after the breaks" in refused(
        CHAPTER, source="infra-water-mains-kitchener", group="criticality"
    )


def test_what_will_break_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(BREAK, source="synthetic:tiny", draws=200, candidates=100, budget=3e5)
    records = ran["records"]
    assert {"counts_by_year", "catch_curve", "deciles"} == set(ran["figures"])
    learned = _table(ran, "learned").set_index("year")
    breaks = data.load("synthetic:tiny").table("breaks")
    laid = data.load("synthetic:tiny").table("assets").set_index("asset")["installed"]
    own = breaks[breaks["date"].dt.year == 2010]
    assert learned.loc[2010, "came"] == (laid.loc[own["asset"]] < "2010-01-01").sum()  # of mains that were there
    test = _table(ran, "caught_test").set_index(["rule", "top"])
    assert test.loc[("most past breaks per metre", 0.1), "minus_baseline"] == 0
    assert records["caught_by_truth"]["value"] == test.loc[("the truth (unknowable)", 0.1), "caught"]
    plans = _table(ran, "plans").set_index("plan")
    assert (plans["cost"] <= 3e5 * (1 + 1e-9)).all()
    assert plans.loc["integer programme", "expected_saved"] >= plans.loc["greedy, benefit over cost", "expected_saved"]
    assert records["plan_gap"]["value"] <= 1e-3
    assert any(text.startswith("The integer programme ended: optimal within the gap") for text in ran["said"])
    bound = records["plan_gap"]["value"], plans.loc["integer programme", "expected_saved"]
    most = bound[1] / (1 - bound[0])
    assert any(
        f"were let in; no plan among these can be expected to save more than {most:,.0f}" in t for t in ran["said"]
    )
    listed = _table(ran, "list")
    assert ((listed["expected_low"] < listed["expected"]) & (listed["expected"] < listed["expected_high"])).all()


def test_what_will_break_without_money_and_with_another_kind_first(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(BREAK, source="synthetic:tiny", draws=200, budget=1.0, kinds=["soil"], until="2022-07-01")
    assert any(text.startswith("Nothing is planned: no action can be paid") for text in ran["said"])
    assert "soil rate" in set(_table(ran, "caught_test")["rule"])
    assert any(text.startswith("Watching ended within 2022") for text in ran["said"])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"inspection": [5.0, 4.0]}, "find at most all breaks"),
        ({"measures": ["material"]}, "be columns of numbers"),
    ],
)
def test_what_will_break_refuses(refused: Callable[..., str], asked: dict[str, Any], told: str) -> None:
    assert told in refused(BREAK, source="synthetic:tiny", **asked)


def test_what_will_break_in_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    given = {"source": f"file:{own_file}", "since": "2000-01-01", "draws": 200}
    ran = run_chapter(BREAK, **given, rolled_from=2012, budget=1000.0, inspection=[5.0, 0.4])
    assert any(text.startswith("Not in this inventory: length_m, diameter_mm") for text in ran["said"])
    assert any(text.startswith("No break of the test years is known") for text in ran["said"])
    assert any(text.endswith("which of the two is ahead, this log cannot say.") for text in ran["said"])


@pytest.mark.real
def test_what_will_break_in_kitchener(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(BREAK, source="infra-water-mains-kitchener", place="road_segment", rolled_from=2015, draws=200)
    test = _table(ran, "caught_test").set_index(["rule", "top"])["caught"]
    rule = "most past breaks per metre"
    assert test[rule, 0.1] == pytest.approx(0.4355, abs=0.001)
    assert test["model", 0.1] > test[rule, 0.1] > test["oldest first", 0.1]
    assert test["worst condition later (a leak)", 0.1] > test["model", 0.1] + 0.15
    assert any(text.startswith("712 breaks of the whole log point to a main") for text in ran["said"])


FEW = {"folds": 3, "worlds": 3, "mains": 500}


def test_models_tiny(run_chapter: Callable[..., Any]) -> None:
    ran = run_chapter(MODELS, source="synthetic:tiny", **FEW)
    table = pd.read_parquet(ran["folder"] / ran["tables"]["everything"]["file"])
    counts = table.groupby(["design", "model"]).size()
    assert counts.nunique() == 1, "every model has every measure"
    models = {"Kaplan-Meier", "Kaplan-Meier by material", "age only", "Cox", "Cox with a ridge", "Weibull AFT"}
    assert set(table["model"]) == models | {"log-logistic AFT", "random forest", "planted law"}
    assert (table[["value", "low"]].notna().all(axis=1) | table["measure"].str.startswith("calibration slope")).all()
    compared = table[table["difference"].notna()]
    assert compared["baseline"].isin(["Kaplan-Meier", "Kaplan-Meier by material", "age only"]).all()
    square = table[(table["measure"] == "integrated Brier") & (table["design"] == "other mains")].set_index("model")
    assert square["value"].idxmin() == "planted law"
    assert any("random survival forest is" in text for text in ran["said"])  # fitted here, or read from the record
    assert ran["records"]["coverage"]["value"] > ran["records"]["coverage_removed_only"]["value"]
    assert {"gain", "calibration", "fifths_of_cox", "likelihood", "remaining_by_age"} == set(ran["figures"])
    assert {"at_a_glance", "against_reference", "against_cox", "fifths", "remaining", "remaining_lives"} <= set(
        ran["tables"]
    )


def test_models_of_an_own_file(run_chapter: Callable[..., Any], own_file: Path) -> None:
    ran = run_chapter(
        MODELS, source=f"file:{own_file}", since="2000-01-01", until="2022-12-31", measures=[], trees=10, **FEW
    )
    assert any("has no recorded run" in text or "is fitted here" in text for text in ran["said"])
    assert "planted law" not in set(pd.read_parquet(ran["folder"] / ran["tables"]["everything"]["file"])["model"])
    assert "remaining_lives" not in ran["tables"]  # its mains were all taken out at one age
    assert any("at 1 ages are known: too few" in text for text in ran["said"])


@pytest.mark.real
@pytest.mark.slow
def test_models_of_kitchener(run_chapter: Callable[..., Any], real_data: Path) -> None:
    ran = run_chapter(MODELS, source="infra-water-mains-kitchener", kinds=["material"], worlds=3, mains=500)
    records = ran["records"]
    assert records["uno_other_years"]["value"] > records["uno_other_years"]["baseline"]
    assert "remaining_lives" not in ran["tables"]
    assert any("is not identified by these records" in text for text in ran["said"])


@pytest.mark.parametrize("column", ["condition_score", "criticality", "lined"])
@pytest.mark.real
def test_what_was_written_after_the_breaks_is_barred(refused: Callable[..., str], real_data: Path, column: str) -> None:
    said = refused(MODELS, source="infra-water-mains-kitchener", kinds=["material", column])
    assert "written down after the breaks" in said
