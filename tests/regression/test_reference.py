"""Least squares and its errors are R's: lm, sandwich and lmtest, made by tests/reference/least_squares.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citylib.regression import diagnostics, influence, linear, many

R: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "reference" / "least_squares.json").read_text(encoding="utf-8")
)
X = np.column_stack([np.ones(len(R["y"])), R["one"], R["two"]])
Y = np.array(R["y"])
NAMES = ("constant", "one", "two")


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("classic", {"errors": "classic"}),
        ("hc3", {"errors": "HC3"}),
        ("hac_5", {"errors": "HAC", "lags": 5}),
        ("hac_5_corrected", {"errors": "HAC", "lags": 5, "corrected": True}),
        ("hac_24", {"errors": "HAC", "lags": 24}),
    ],
)
def test_standard_errors_are_those_of_r(case: str, options: dict[str, Any]) -> None:
    found = linear.fit(X, Y, names=NAMES, **options)
    np.testing.assert_allclose(found.coefficients, R["coefficients"], rtol=1e-11)
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), R[case], rtol=1e-10)


@pytest.mark.parametrize(("case", "options"), [("hc3", {"errors": "HC3"}), ("hac_5", {"errors": "HAC", "lags": 5})])
def test_those_of_many_sensors_are_too(case: str, options: dict[str, Any]) -> None:
    found = many.fit(X, np.column_stack([Y, 2 * Y]), names=NAMES, **options)
    np.testing.assert_allclose(found.coefficients[0], R["coefficients"], rtol=1e-10)
    np.testing.assert_allclose(found.standard_errors, [R[case], 2 * np.array(R[case])], rtol=1e-9)


def test_durbin_watson_and_cook_are_those_of_r() -> None:
    found = linear.fit(X, Y, names=NAMES)
    many_pairs = len(Y) / (len(Y) - 1)  # ours is a mean over pairs, so that gaps do not count
    assert diagnostics.durbin_watson(found.residuals) == pytest.approx(R["durbin_watson"] * many_pairs, rel=1e-10)
    rows = influence.by_group(X, Y, np.arange(len(Y)), names=NAMES)
    np.testing.assert_allclose(rows.distance, R["cook"], rtol=1e-9)
