"""Least squares against closed forms, planted truth and statsmodels; gaps that HAC must know of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from citylib import data
from citylib.errors import InputError
from citylib.regression import design, linear


def sample(rows: int = 400, columns: int = 5, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(seed)
    x = sm.add_constant(generator.normal(size=(rows, columns - 1)))
    noise = np.convolve(generator.normal(size=rows + 9), np.ones(10), "valid") * (1 + np.abs(x[:, 1]))
    names = ["intercept", *(f"input{k}" for k in range(1, columns))]
    return pd.DataFrame(x, columns=names), x @ np.arange(1.0, columns + 1) + noise


def test_the_line_through_points_by_the_textbook_formula() -> None:
    x, y = np.array([0.0, 1, 2, 3, 4]), np.array([1.0, 3, 2, 5, 4])
    found = linear.fit(np.column_stack([np.ones(5), x]), y, errors="classic")
    slope = ((x - 2) * (y - 3)).sum() / ((x - 2) ** 2).sum()  # = 8 / 10
    assert found.coefficients == pytest.approx([3 - 2 * slope, slope])
    assert found.coefficients == pytest.approx([1.4, 0.8])
    assert found.sigma == pytest.approx(np.sqrt(3.6 / 3))
    assert found.r_squared == pytest.approx(0.64)
    assert found.table()["standard_error"].tolist() == pytest.approx([np.sqrt(1.2 * 0.6), np.sqrt(0.12)])
    # One new reading at x = 5: sigma sqrt(1 + 1/n + (5 - 2)^2 / Sxx).
    assert found.standard_error_of([[1.0, 5.0]])[0] == pytest.approx(np.sqrt(1.2) * np.sqrt(1 + 0.2 + 0.9))


@pytest.mark.parametrize(
    ("errors", "lags", "theirs"),
    [
        ("classic", None, {}),
        ("HC3", None, {"cov_type": "HC3"}),
        ("HAC", 24, {"cov_type": "HAC", "cov_kwds": {"maxlags": 24}}),
    ],
)
def test_equal_to_statsmodels(errors: str, lags: int | None, theirs: dict[str, object]) -> None:
    x, y = sample()
    found = linear.fit(x, y, errors=errors, lags=lags)
    peer = sm.OLS(y, x).fit(use_t=True, **theirs)
    np.testing.assert_allclose(found.coefficients, peer.params, rtol=1e-10)
    np.testing.assert_allclose(found.covariance, peer.cov_params(), rtol=1e-9, atol=1e-14)
    table = found.table(level=0.9)
    np.testing.assert_allclose(table[["low", "high"]], peer.conf_int(0.1), rtol=1e-9)
    np.testing.assert_allclose(table["p_value"], peer.pvalues, rtol=1e-6, atol=1e-300)
    np.testing.assert_allclose(found.leverage, peer.get_influence().hat_matrix_diag, rtol=1e-9)
    assert found.r_squared == pytest.approx(peer.rsquared)
    assert found.sigma == pytest.approx(np.sqrt(peer.mse_resid))
    new, _ = sample(7, seed=1)
    plain = sm.OLS(y, x).fit().get_prediction(new)
    np.testing.assert_allclose(found.predict(new), plain.predicted_mean, rtol=1e-10)
    np.testing.assert_allclose(found.standard_error_of(new), plain.se_obs, rtol=1e-10)


def test_hac_pairs_by_time_not_by_row() -> None:
    # Statsmodels gives the same when absent hours are put in as rows of zeros, which add nothing to any sum.
    x, y = sample(300)
    steps = np.delete(np.arange(330), np.r_[40:60, 200:210])
    padded_x, padded_y = np.zeros((330, 5)), np.zeros(330)
    padded_x[steps], padded_y[steps] = x, y
    found = linear.fit(x, y, errors="HAC", lags=12, steps=steps)
    peer = sm.OLS(padded_y, padded_x).fit(cov_type="HAC", cov_kwds={"maxlags": 12})
    np.testing.assert_allclose(found.covariance, peer.cov_params(), rtol=1e-9)
    blind = linear.fit(x, y, errors="HAC", lags=12)
    assert np.abs(blind.covariance / found.covariance - 1).max() > 0.01


def test_the_correction_for_few_rows_is_that_of_statsmodels() -> None:
    x, y = sample(40)
    peer = sm.OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True})
    found = linear.fit(x, y, errors="HAC", lags=4, corrected=True)
    np.testing.assert_allclose(found.covariance, peer.cov_params(), rtol=1e-9)


def test_steps_far_apart_are_paired_row_by_row_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = sample(200)
    steps = np.cumsum(np.random.default_rng(0).choice([1, 2, 30], size=200))
    quick = linear.fit(x, y, errors="HAC", lags=9, steps=steps).covariance
    monkeypatch.setattr(linear, "SPARSE", 0)  # so that all is summed over pairs
    np.testing.assert_allclose(quick, linear.fit(x, y, errors="HAC", lags=9, steps=steps).covariance, rtol=1e-9)
    monkeypatch.undo()
    nanoseconds = steps.astype(np.int64) * 3_600_000_000_000  # no grid of these steps fits into memory
    alone = linear.fit(x, y, errors="HAC", lags=9, steps=nanoseconds).covariance
    np.testing.assert_allclose(alone, linear.fit(x, y, errors="HAC", lags=0).covariance, rtol=1e-9)


def test_consecutive_steps_are_the_default() -> None:
    x, y = sample(100)
    given_steps = linear.fit(x, y, errors="HAC", lags=3, steps=np.arange(1000, 1100))
    np.testing.assert_array_equal(given_steps.covariance, linear.fit(x, y, errors="HAC", lags=3).covariance)


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.1, 10))
def test_laws(seed: int, shift: float, factor: float) -> None:
    x, y = sample(60, 4, seed)
    found = linear.fit(x, y)
    np.testing.assert_allclose(x.to_numpy().T @ found.residuals, 0, atol=1e-8)  # residuals orthogonal to columns
    moved = linear.fit(x, factor * y + shift)
    expected = factor * found.coefficients
    expected[0] += shift
    np.testing.assert_allclose(moved.coefficients, expected, atol=1e-8)
    np.testing.assert_allclose(moved.covariance, factor**2 * found.covariance, rtol=1e-6, atol=1e-12)
    assert found.leverage.sum() == pytest.approx(4)


def test_left_out_residuals_are_those_of_fits_without_the_row() -> None:
    x, y = sample(30, 3)
    found = linear.fit(x, y)
    for row in (0, 11, 29):
        without = linear.fit(x.drop(index=row), np.delete(y, row))
        assert found.left_out[row] == pytest.approx(y[row] - without.predict(x.iloc[[row]])[0])
    alone = np.column_stack([np.ones(4), [1.0, 0, 0, 0]])
    assert np.isnan(linear.fit(alone, [5.0, 1, 2, 3], errors="classic").left_out[0])


def test_rows_with_missing_inputs_are_predicted_as_missing() -> None:
    x, y = sample(50, 3)
    found = linear.fit(x, y)
    new = x.head(3).copy()
    new.iloc[1, 2] = np.nan
    assert np.isnan(found.predict(new)).tolist() == [False, True, False]
    assert np.isnan(found.standard_error_of(new)).tolist() == [False, True, False]


def test_hc3_intervals_cover_where_classic_ones_do_not() -> None:
    # Variance grows with x: nominal 95 % intervals of the slope, 400 samples of planted truth 2.
    generator, hits = np.random.default_rng(4), {"classic": 0, "HC3": 0}
    for _ in range(400):
        x = generator.normal(size=150)
        y = 1 + 2 * x + generator.normal(size=150) * x**2
        for errors in hits:
            row = linear.fit(np.column_stack([np.ones(150), x]), y, errors=errors).table().iloc[1]
            hits[errors] += row["low"] <= 2 <= row["high"]
    assert hits["classic"] / 400 < 0.85
    assert hits["HC3"] / 400 > 0.91


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.ones(9)}, "same length"),
        ({"errors": "HC9"}, "did you mean 'HC3'"),
        ({"errors": "HAC"}, r"lags \(for HAC\) must be a whole number"),
        ({"errors": "HAC", "lags": 2, "steps": np.zeros(40)}, "steps must be strictly increasing"),
        ({"errors": "HAC", "lags": 40}, "must be fewer than the 40 steps from the first row to the last"),
        ({"errors": "HAC", "lags": 79, "steps": 2 * np.arange(40)}, "must be fewer than the 79 steps"),
        ({"x": np.ones((40, 0))}, "x must have a column at least"),
        ({"y": np.arange(40) * 1e200}, "y must be of a size that can be squared"),
        ({"y": np.arange(40) * 1e-200}, "y must be of a size that can be squared"),
        ({"x": np.ones((40, 1)) * 1e200}, "x must be of a size that can be squared"),
        ({"names": ["a"]}, "names must be 3"),
        ({"names": ["a", "a", "b"]}, "no duplicates"),
        ({"y": np.r_[np.nan, np.ones(39)]}, "y must have no missing values"),
        ({"x": np.ones((3, 3)), "y": np.ones(3)}, "more rows than its 3 columns"),
    ],
)
def test_refusals(change: dict[str, object], message: str) -> None:
    x, y = sample(40, 3)
    arguments: dict[str, object] = {"x": x, "y": y, **change}
    with pytest.raises(InputError, match=message):
        linear.fit(arguments.pop("x"), arguments.pop("y"), **arguments)  # type: ignore[arg-type]


def test_dependent_columns_are_named() -> None:
    x, y = sample(40, 3)
    with pytest.raises(InputError, match=r"copy = input1"):
        linear.fit(x.assign(copy=x["input1"]), y)


def test_hc3_refuses_a_row_that_fits_itself() -> None:
    x = np.column_stack([np.ones(6), [1.0, 0, 0, 0, 0, 0]])
    with pytest.raises(InputError, match="leverage 1 at row 0"):
        linear.fit(x, np.arange(6.0))


def test_prediction_checks_columns() -> None:
    x, y = sample(40, 3)
    found = linear.fit(x, y)
    with pytest.raises(InputError, match="columns of the fit"):
        found.predict(x[["intercept", "input2", "input1"]])
    with pytest.raises(InputError, match="have 3 columns"):
        found.predict([[1.0, 2.0]])


def test_planted_effects_of_the_synthetic_city_are_found() -> None:
    # Flow is drawn as exp(log scale + profile + effects + AR noise): on logs the model is right, and HAC must cover.
    city = data.load("synthetic", seed=3)
    frame = city.frame()
    frame = frame.join(design.calendar(frame.index))
    wet = (frame["rain"] > 0).map({True: "yes", False: "no"})
    free = (frame["weekend"].eq("yes") | frame["holiday"].ne("none")).map({True: "yes", False: "no"})
    frame = frame.assign(
        wet=wet, hour_of_kind=free + " " + frame["hour"].astype(str), friday=frame["weekday"].eq("Fri") * 1.0
    )
    frame["sunday"], frame["on_holiday"] = frame["weekday"].eq("Sun") * 1.0, frame["holiday"].ne("none") * 1.0
    frame = frame[frame["flow"] > 0]
    numeric = ["temperature", "rain", "friday", "sunday", "on_holiday"]
    x = design.Design(numeric=numeric, categorical=["wet", "hour_of_kind"], scale="centre").fit(frame).transform(frame)
    steps = np.asarray((frame.index - frame.index[0]) // pd.Timedelta("1h"))
    found = linear.fit(x, np.log(frame["flow"]), errors="HAC", lags=48, steps=steps).table(level=0.999)
    planted = {
        "temperature": city.truth["traffic.temperature_per_10"] / 10,
        "rain": city.truth["traffic.rain_per_mm"],
        "wet=yes": city.truth["traffic.wet"],
        "friday": city.truth["traffic.friday"],
        "sunday": city.truth["traffic.sunday"],
        "on_holiday": city.truth["traffic.holiday"],
    }
    for name, truth in planted.items():
        assert found.loc[name, "low"] < truth < found.loc[name, "high"], name
    assert found.loc["wet=yes", "high"] < 0
