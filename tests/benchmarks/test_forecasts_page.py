"""The page on forecasts says what was recorded, and the tests recorded are those of the losses recorded."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import forecasts, forecasts_page
from citylib.evaluate import compare

RECORD = json.loads(forecasts_page.RECORD.read_text(encoding="utf-8"))
RAW = RECORD["raw"]


def test_the_page_is_that_of_the_record():
    page = forecasts_page.PAGE.read_text(encoding="utf-8")
    assert page == forecasts_page.text(RECORD), f"run: {forecasts_page.COMMAND}"


@pytest.mark.parametrize("name", RAW["series"])
def test_the_tests_recorded_are_those_of_the_losses(name):
    entry = RAW["series"][name]
    assert entry["losses"].keys() == entry["seconds"].keys() == entry["chosen"].keys()
    assert {len(losses) for losses in entry["losses"].values()} == {RAW["origins"]}
    recorded, again = (
        {(test["set"], test["one"], test["other"]): test for test in found if test["series"] == name}
        for found in (RAW["tests"], forecasts.tests(name, entry["losses"]))
    )
    assert recorded.keys() == again.keys()
    assert len(recorded) == 8 + len(forecasts.PAIRS)
    numbers = ("difference", "statistic", "p_value", "low", "high", "p_holm")
    for pair, test in again.items():
        assert [recorded[pair][key] for key in numbers] == pytest.approx([test[key] for key in numbers], rel=1e-9)


def test_one_difference_an_origin_and_no_overlap_between_origins():
    assert RAW["every"] > RAW["horizon"]
    assert RAW["lags"] == 1
    assert np.gcd(RAW["every"], 24) == 1, "forecasts start at every hour of the day"
    (test,) = (t for t in RAW["tests"] if (t["series"], t["one"], t["set"]) == ("load of PJME", "ARIMA", "naive"))
    loss = {who: np.array(losses) for who, losses in RAW["series"]["load of PJME"]["losses"].items()}
    whole = compare.diebold_mariano(loss["ARIMA"], loss["seasonal naive"], lags=1)
    assert (test["difference"], test["p_value"]) == pytest.approx((whole.difference, whole.p_value))


@pytest.mark.parametrize(
    ("difference", "low", "high", "p_holm", "said"),
    [(-2, -3, -1, 0.01, -1), (2, 1, 3, 0.01, 1), (2, 1, 3, 0.06, 0), (2, -1, 3, 0.01, 0), (-2, -3, -1, 0.05, 0)],
)
def test_better_takes_both_the_test_and_the_interval(difference, low, high, p_holm, said):
    assert forecasts_page.proven({"difference": difference, "low": low, "high": high, "p_holm": p_holm}) == said


def test_where_nothing_beats_the_baseline_the_page_says_so():
    raw = json.loads(json.dumps(RAW))
    for test in raw["tests"]:
        test |= {"difference": 1.0, "low": 0.5, "high": 1.5, "p_holm": 0.001}
    for entry in raw["series"].values():
        entry["losses"]["seasonal naive"] = [0.001] * RAW["origins"]
    page = forecasts_page.text(RECORD | {"raw": raw})
    assert page.count("The lowest error is seasonal naive.") == len(raw["series"])
    assert page.count("Nothing beats seasonal naive by more than luck; worse: ARIMA") == len(raw["series"])
    assert "Lower error in none of 4 series, better by more than luck in none, worse by more than luck in 4." in page
