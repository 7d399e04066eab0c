"""The design matrix against patsy, and the laws it must keep: no leak, no quiet guess, no repeated column."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patsy import dmatrix

from citylib.errors import DataQualityWarning, InputError, UnknownNameError
from citylib.regression import dependence, design


@pytest.fixture
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    times = pd.date_range("2026-01-05", periods=24 * 28, freq="h")
    sky = generator.choice(["Clear", "Clouds", "Rain"], size=len(times), p=[0.5, 0.25, 0.25])
    data = {"temperature": generator.normal(12, 8, len(times)), "rain": generator.gamma(0.3, 2, len(times)), "sky": sky}
    return pd.DataFrame(data, index=times).join(design.calendar(times))


def test_columns_equal_patsys(frame: pd.DataFrame) -> None:
    recipe = design.Design(
        numeric=["temperature", "rain"],
        categorical=["sky", "hour"],
        interactions=[("temperature", "sky"), ("hour", "sky")],
        reference={"sky": "Clear", "hour": "00"},
        scale="none",
    ).fit(frame)
    ours = recipe.transform(frame)
    theirs = dmatrix(
        "temperature + rain + C(sky, Treatment('Clear')) * C(hour, Treatment('00'))"
        " + temperature:C(sky, Treatment('Clear'))",
        frame,
        return_type="dataframe",
    )
    theirs.columns = [
        c.replace("Intercept", "intercept")
        .replace("C(sky, Treatment('Clear'))[T.", "sky=")
        .replace("C(hour, Treatment('00'))[T.", "hour=")
        .replace("]", "")
        for c in theirs
    ]
    swapped = {f"{a}:{b}": f"{b}:{a}" for a, b in (c.split(":") for c in theirs if c.startswith("sky=") and ":" in c)}
    pd.testing.assert_frame_equal(ours, theirs.rename(columns=swapped)[list(ours)], check_freq=False)


def test_calendar_agrees_with_pandas(frame: pd.DataFrame) -> None:
    assert (frame["hour"].astype(str).astype(int) == frame.index.hour).all()
    assert (frame["weekday"].astype(str) == frame.index.strftime("%a")).all()
    assert (frame["month"].astype(str) == frame.index.strftime("%b")).all()
    assert ((frame["weekend"] == "yes") == (frame.index.weekday >= 5)).all()
    assert list(frame["hour_of_week"].cat.categories[:2]) == ["Mon 00", "Mon 01"]
    assert set(design.CALENDAR) == set(design.calendar(frame.index[:2]).columns)
    with pytest.raises(InputError, match="NaT at row 1"):
        design.calendar(np.array(["2026-01-01", "NaT"], dtype="datetime64[ns]"))


@given(
    train=st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=30),
    test=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30),
)
def test_nothing_is_learned_from_the_test_rows(train: list[float], test: list[float]) -> None:
    values = np.array(train)
    if values.std() <= 1e-6 * (1 + np.abs(values).max()):
        return
    recipe = design.Design(numeric=["x"]).fit(pd.DataFrame({"x": values}))
    before = dict(recipe.centre_), dict(recipe.scale_)
    found = recipe.transform(pd.DataFrame({"x": test}))["x"].to_numpy()
    assert (recipe.centre_, recipe.scale_) == before
    np.testing.assert_allclose(found, (np.array(test) - values.mean()) / values.std(), rtol=1e-9, atol=1e-9)


def test_holidays_count_as_sundays(frame: pd.DataFrame) -> None:
    raw = frame[["temperature", "rain"]].assign(holiday="none")
    raw.loc["2026-01-13", "holiday"] = "Fair"
    raw.iloc[0, raw.columns.get_loc("holiday")] = None
    found = design.inputs(raw, target="rain", numeric=["temperature"], categorical=["holiday"], holiday="holiday")
    assert found.loc["2026-01-13T08", "hour_of_week"] == "Sun 08"
    assert (found.loc["2026-01-13", "weekend"] == "yes").all()
    assert found.drop(index=found.loc["2026-01-13"].index)["weekday"].equals(
        frame.drop(index=frame.loc["2026-01-13"].index)["weekday"]
    )
    with pytest.raises(InputError, match="same length"):
        design.calendar(raw.index, free=[True])
    with pytest.raises(InputError, match="holiday must be one of"):
        design.inputs(raw, target="rain", numeric=["temperature"], holiday="holidays")


def test_scales(frame: pd.DataFrame) -> None:
    centred = design.Design(numeric=["rain"], scale="centre").fit(frame).transform(frame)["rain"]
    assert centred.mean() == pytest.approx(0, abs=1e-12)
    assert centred.std() == pytest.approx(frame["rain"].std())


def test_the_reference_is_the_first_of_an_order_else_the_most_frequent_or_the_one_named(frame: pd.DataFrame) -> None:
    assert design.Design(categorical=["weekday"]).fit(frame.iloc[30:]).levels_["weekday"][0] == "Mon"
    assert design.Design(categorical=["sky"]).fit(frame).levels_["sky"] == ("Clear", "Clouds", "Rain")
    named = design.Design(categorical=["sky"], reference={"sky": "Rain"}).fit(frame)
    assert named.columns_ == ("intercept", "sky=Clear", "sky=Clouds")
    assert named.terms_ == {"sky": ("sky=Clear", "sky=Clouds")}


def test_an_unseen_level_is_told_and_counts_as_the_reference(frame: pd.DataFrame) -> None:
    recipe = design.Design(categorical=["sky"]).fit(frame)
    with pytest.warns(
        DataQualityWarning, match=r"sky: levels unknown in training, treated as 'Clear': 'Hail' \(2\)"
    ) as seen:
        x = recipe.transform(pd.DataFrame({"sky": ["Hail", "Rain", "Hail"]}))
    assert seen[0].filename == __file__  # it points at the caller's line
    assert x["sky=Rain"].tolist() == [0, 1, 0]
    assert x["sky=Clouds"].tolist() == [0, 0, 0]


def test_rare_levels_are_pooled_quietly_and_unseen_ones_join_them_with_a_word() -> None:
    train = pd.DataFrame({"sky": ["Clear"] * 9 + ["Rain"] * 5 + ["Smoke"] + ["Squall"]})
    recipe = design.Design(categorical=["sky"], rare={"sky": 2}).fit(train)
    assert design.Design(categorical=["sky"], rare=2).fit(train).levels_ == recipe.levels_
    assert recipe.levels_["sky"] == ("Clear", "Rain", design.OTHER)
    assert recipe.pooled_["sky"] == ("Smoke", "Squall")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recipe.transform(train)["sky=(other)"].sum() == 2
    with pytest.warns(DataQualityWarning, match="pooled into"):
        assert recipe.transform(pd.DataFrame({"sky": ["Hail", "Smoke"]}))["sky=(other)"].tolist() == [1, 1]


def test_a_missing_input_makes_the_row_missing_never_zero(frame: pd.DataFrame) -> None:
    holed = frame.copy()
    holed.iloc[3, holed.columns.get_loc("rain")] = np.nan
    holed.iloc[5, holed.columns.get_loc("sky")] = None
    recipe = design.Design(numeric=["rain"], categorical=["sky"]).fit(holed)
    x = recipe.transform(holed)
    assert x.isna().all(axis=1).to_numpy().nonzero()[0].tolist() == [3, 5]
    assert recipe.centre_["rain"] == pytest.approx(holed.drop(holed.index[[3, 5]])["rain"].mean())


def test_columns_that_repeat_others_are_named(frame: pd.DataFrame) -> None:
    frame["double"] = 2 * frame["rain"]
    frame["still"] = 3.0
    with pytest.raises(InputError, match=r"double = 2 rain; still = 3 intercept'; leave out the input"):
        design.Design(numeric=["rain", "double", "still"], scale="none").fit(frame)
    with pytest.raises(InputError, match=r"weekend=yes = weekday=Sat \+ weekday=Sun"):
        design.Design(categorical=["weekday", "weekend"], reference={"weekday": "Mon", "weekend": "no"}).fit(frame)


def test_a_modifier_enters_by_products_and_where_nothing_else_says_it(frame: pd.DataFrame) -> None:
    pairs = [("rain", "weekend"), ("sky", "weekend")]
    within = design.Design(numeric=["rain"], categorical=["sky", "weekday"], modifiers=["weekend"], interactions=pairs)
    within.fit(frame)
    assert within.left_out_ == {"weekend=yes": "= weekday=Sat + weekday=Sun"}
    assert within.terms_["sky:weekend"] == ("sky=Clouds:weekend=yes", "sky=Rain:weekend=yes")
    assert "weekend" not in within.terms_
    alone = design.Design(numeric=["rain"], categorical=["sky"], modifiers=["weekend"], interactions=pairs).fit(frame)
    named = design.Design(numeric=["rain"], categorical=["sky", "weekend"], interactions=pairs).fit(frame)
    pd.testing.assert_frame_equal(alone.transform(frame), named.transform(frame))
    assert alone.left_out_ == {}


def test_products_that_training_hardly_met_are_left_out_if_asked(frame: pd.DataFrame) -> None:
    night = frame["hour"].astype(int) < 6
    frame["sun"] = np.where(night, 0.0, np.random.default_rng(1).random(len(frame)))
    frame["dark"] = pd.Categorical(night.map({True: "dark", False: "light"}), ["dark", "light"], ordered=True)
    frame.loc[(frame["sky"] == "Rain") & (frame.index.day < 20), "sky"] = "Clear"
    frame.loc[night & (frame["sky"] == "Rain"), "sky"] = "Clear"  # never rains at night, and not often by day
    shape = {"numeric": ["sun"], "categorical": ["sky", "hour"], "modifiers": ["dark"]}
    pairs = [("sun", "dark"), ("sky", "dark")]
    found = design.Design(**shape, interactions=pairs, rare_products=10).fit(frame)  # type: ignore[arg-type]
    assert found.left_out_["sky=Rain:dark=light"] == "= sky=Rain"
    assert "sun:dark=light" in found.left_out_  # by night there is none, so one slope says it all
    assert found.terms_["sky:dark"] == ("sky=Clouds:dark=light",)
    many = design.Design(**shape, interactions=pairs, rare_products=10_000).fit(frame)  # type: ignore[arg-type]
    assert many.left_out_["sky=Clouds:dark=light"].endswith(" rows")
    with pytest.raises(InputError, match="sky=Rain:dark=light = sky=Rain"):
        design.Design(**shape, interactions=pairs[1:]).fit(frame)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="rare_products must be at least 1"):
        design.Design(**shape, interactions=pairs, rare_products=0)  # type: ignore[arg-type]


@given(st.integers(0, 10_000))
def test_dependent_finds_a_planted_combination(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(30, 4)) * 10.0 ** generator.integers(-4, 5, size=4)
    planted = x[:, 0] - 3 * x[:, 2]
    found = dependence.dependent(np.column_stack([x, planted, generator.normal(size=30)]), list("abcdef"))
    assert set(found) == {"e"}
    assert dependence.dependent(x, list("abcd")) == {}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: design.Design(numeric=["ran"]).fit(f), UnknownNameError, "did you mean 'rain'"),
        (lambda f: design.Design(numeric=["sky"]).fit(f), InputError, "sky must be numeric"),
        (lambda f: design.Design(numeric=["rain", "rain"]), InputError, "no duplicates, got 'rain'"),
        (lambda f: design.Design(numeric=["rain"], interactions=[("rain", "sky")]), UnknownNameError, "interactions"),
        (lambda f: design.Design(numeric=["rain"], reference={"sky": "Clear"}), InputError, "reference"),
        (lambda f: design.Design(categorical=["sky"], reference={"sky": "Cler"}).fit(f), UnknownNameError, "'Clear'"),
        (lambda f: design.Design(numeric=["rain"], scale="max"), UnknownNameError, "scale"),
        (lambda f: design.Design(categorical=["sky"], rare=0), InputError, "rare must be at least 1"),
        (lambda f: design.Design(categorical=["sky"], rare={"sun": 2}), UnknownNameError, "rare must be one of: sky"),
        (lambda f: design.Design(numeric=["rain"]).transform(f), InputError, "be fitted before"),
        (lambda f: design.Design(numeric=["rain"]).fit(f.iloc[:0]), InputError, "row without missing"),
        (lambda f: design.Design(numeric=["rain"]).fit(f.assign(rain=np.inf)), InputError, "rain must be finite"),
        (lambda f: dependence.dependent([[1.0, 2.0]], ["a"]), InputError, "names must be 2"),
    ],
)
def test_refusals(frame: pd.DataFrame, call, error: type[Exception], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=message):
        call(frame)


def test_inputs_are_checked_and_joined_with_the_calendar(frame: pd.DataFrame) -> None:
    raw = frame[["temperature", "rain", "sky"]]
    found = design.inputs(raw, target="rain", numeric=["temperature"], categorical=["sky", "hour"])
    assert list(found) == ["rain", "temperature", "sky", *design.CALENDAR]
    pd.testing.assert_series_equal(found["hour"], frame["hour"])
    for arguments, message in (
        ({"target": "rain", "numeric": []}, "at least one measured input"),
        ({"target": "rain", "numeric": ["rain"]}, "explain itself"),
        ({"target": "rain", "numeric": ["temprature"]}, "did you mean 'temperature'"),
        ({"target": "rainn", "numeric": ["temperature"]}, "target must be one of"),
        ({"target": "rain", "numeric": ["temperature"], "categorical": ["sky", "sky"]}, "no duplicates"),
        ({"target": "rain", "numeric": ["temperature"], "categorical": ["hourly"]}, "did you mean 'hour'"),
        ({"target": "sky", "numeric": ["temperature"]}, "sky must be numeric"),
    ):
        with pytest.raises(InputError, match=message):
            design.inputs(raw, **arguments)  # type: ignore[arg-type]
