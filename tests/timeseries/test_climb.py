"""The climb: to the top of known hills, with derivatives that are known."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.timeseries.climb import climb, curvature


def banana(points, which):
    x, y = points[..., 0], points[..., 1]
    return -((1 - x) ** 2) - (10.0 + which[:, None]) * (y - x**2) ** 2


def test_it_ends_on_the_top_of_each_hill():
    found = climb(banana, np.array([[-1.2, 1.0], [2.0, 2.0], [0.0, 0.0]]), tolerance=1e-12)
    assert found.converged.all()
    assert found.at == pytest.approx(np.ones((3, 2)), abs=1e-4)
    assert (found.turns < 40).all()


def test_derivatives_of_a_quadratic_are_exact():
    matrix = np.array([[3.0, 1.0], [1.0, 2.0]])

    def function(points, which):
        return -0.5 * np.einsum("mli,ij,mlj->ml", points, matrix, points)

    at = np.array([[0.3, -0.2]])
    gradient, hessian = curvature(function, at, function(at[:, None], np.zeros(1))[:, 0], np.zeros(1, dtype=int))
    assert gradient[0] == pytest.approx(-matrix @ at[0], abs=1e-8)
    assert hessian[0] == pytest.approx(-matrix, abs=1e-6)


def test_where_there_is_no_height_it_does_not_go():
    def cliff(points, which):
        x = points[..., 0]
        return np.where(x < 0.5, -((x - 1) ** 2), np.nan)

    found = climb(cliff, np.zeros((1, 1)))
    assert 0.3 < found.at[0, 0] < 0.5


def test_what_runs_out_of_turns_says_so():
    found = climb(banana, np.array([[-1.2, 1.0]]), turns=1, tolerance=1e-12)
    assert not found.converged[0]


def test_without_parameters_there_is_nothing_to_climb():
    found = climb(lambda points, which: np.zeros(points.shape[:2]), np.zeros((2, 0)))
    assert found.converged.all()
