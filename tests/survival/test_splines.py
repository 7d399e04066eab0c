"""Restricted cubic splines: smooth, straight outside the knots, and of the right dimension."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from citylib.errors import InputError
from citylib.survival.splines import restricted_cubic

KNOTS = [-1.0, 0.5, 2.0, 4.0]


def test_straight_outside_and_smooth_within() -> None:
    step = 1e-3
    x = np.arange(-3, 7, step)
    curve = restricted_cubic(x, KNOTS)
    assert curve.shape == (len(x), 2)
    second = np.diff(curve, 2, axis=0) / step**2
    outside = (x[1:-1] < KNOTS[0] - step) | (x[1:-1] > KNOTS[-1] + step)
    np.testing.assert_allclose(second[outside], 0, atol=1e-6)
    assert np.abs(np.diff(second, axis=0)).max() < 0.01  # no jump of the second derivative
    assert (curve[x < KNOTS[0]] == 0).all()


def test_every_natural_spline_is_a_sum_of_them() -> None:
    values = [0.3, -1.0, 2.0, 0.5]
    natural = CubicSpline(KNOTS, values, bc_type="natural")
    x = np.linspace(KNOTS[0], KNOTS[-1], 50)
    columns = np.column_stack([np.ones(50), x, restricted_cubic(x, KNOTS)])
    left = natural(x) - columns @ np.linalg.lstsq(columns, natural(x), rcond=None)[0]
    np.testing.assert_allclose(left, 0, atol=1e-10)


@pytest.mark.parametrize(
    ("x", "knots", "message"),
    [
        ([1.0], [0.0, 1.0], "knots must hold at least three"),
        ([1.0], [0.0, 2.0, 1.0], "knots must be strictly increasing"),
        ([np.nan], KNOTS, "x must have no missing values"),
    ],
)
def test_refusals(x: list[float], knots: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        restricted_cubic(x, knots)
