"""The climb by derivatives: to the top of known hills, past hollows, and no further than it may; its steps."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.timeseries.ascent import ascend
from citylib.timeseries.damped_steps import damped_steps


def banana(points, which):
    x, y = points.T
    w = 10.0 + which
    value = -((1 - x) ** 2) - w * (y - x**2) ** 2
    slope = np.column_stack([2 * (1 - x) + 4 * w * x * (y - x**2), -2 * w * (y - x**2)])
    bend = np.empty((len(x), 2, 2))
    bend[:, 0, 0], bend[:, 1, 1] = 2 - 4 * w * (y - 3 * x**2), 2 * w
    bend[:, 0, 1] = bend[:, 1, 0] = -4 * w * x
    return value, slope, bend


def test_it_ends_on_the_top_of_each_hill():
    found = ascend(banana, np.array([[-1.2, 1.0], [2.0, 2.0], [0.0, 0.5], [1.0, 1.0]]), tolerance=1e-12)
    assert found.converged.all()
    assert found.at == pytest.approx(np.ones((4, 2)), abs=1e-5)
    assert (found.turns < 40).all()
    assert found.turns[3] == 0


def test_out_of_a_hollow_it_goes_up():
    def waves(points, which):
        return np.cos(points[:, 0]), -np.sin(points), np.cos(points)[:, :, None]

    found = ascend(waves, np.array([[2.8], [-2.0], [7.0]]))
    assert found.value == pytest.approx(np.ones(3), abs=1e-8)
    assert found.converged.all()


def test_where_there_is_no_height_it_does_not_go():
    def cliff(points, which):
        x = points[:, 0]
        return np.where(x < 0.5, -((x - 1) ** 2), np.nan), 2 * (1 - points), np.full((len(x), 1, 1), 2.0)

    found = ascend(cliff, np.zeros((1, 1)), turns=80)
    assert 0.4 < found.at[0, 0] < 0.5
    assert not found.converged[0]
    assert not ascend(cliff, np.ones((1, 1))).converged[0]


def test_no_parameter_goes_further_than_it_may():
    def slope(points, which):
        return points[:, 0], np.ones_like(points), np.full((len(points), 1, 1), 1e-3)

    assert ascend(slope, np.zeros((1, 1)), farthest=5.0).at[0, 0] == 5.0


def test_each_hill_is_climbed_as_if_it_were_alone():
    starts = np.random.default_rng(0).normal(0, 2, (12, 2))
    together = ascend(banana, starts)
    for n in range(12):
        alone = ascend(lambda points, which: banana(points, which + n), starts[n : n + 1])  # noqa: B023
        assert (alone.at[0] == together.at[n]).all()


def test_steps_are_those_of_the_damped_system():
    rng = np.random.default_rng(1)
    root = rng.standard_normal((5, 4, 4))
    bend, slope = root @ np.swapaxes(root, 1, 2) + 0.1 * np.eye(4), rng.standard_normal((5, 4))
    damping, step = np.array([0.0, 0.0, 0.1, 1.0, 10.0]), np.empty((5, 4))
    before = damping.copy()
    damped_steps(bend, slope, damping, step)
    assert (damping == before).all()
    diagonal = np.stack([np.diag(np.diag(b)) for b in bend])
    plain = np.linalg.solve(bend + before[:, None, None] * diagonal, slope[:, :, None])[:, :, 0]
    assert step == pytest.approx(plain, rel=1e-6)  # the diagonal is lifted by a billionth of the largest


def test_where_it_bends_upwards_steps_are_damped_until_they_rise():
    bend = np.array([[[1.0, 0.0], [0.0, -2.0]], [[1.0, 3.0], [3.0, 1.0]], [[np.nan, 0.0], [0.0, 1.0]]])
    slope, damping, step = np.ones((3, 2)), np.zeros(3), np.empty((3, 2))
    damped_steps(bend, slope, damping, step)
    assert (damping[:2] > 1).all()
    assert ((step * slope).sum(axis=1)[:2] > 0).all()
    assert damping[2] == np.inf
    assert (step[2] == 0).all()
