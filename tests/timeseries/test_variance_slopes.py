"""Derivatives of GARCH's likelihood: the plain ones against differences, the compiled ones against the plain ones."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.timeseries import variance_slopes
from citylib.timeseries.garch_by_derivatives import ByDerivatives
from citylib.timeseries.garch_by_differences import ByDifferences
from citylib.timeseries.garch_model import Garch, recursion, recursion_slopes

NAMES = ("mu", "omega", "alpha", "gamma", "beta")
FIRST = 0.9
MODELS = [Garch(), Garch(mean=False), Garch(asymmetric=True), Garch(mean=False, asymmetric=True)]


def named(point):
    return dict(zip(NAMES, map(float, point), strict=True))


def points(many):
    """Parameters far and near, some of them at a bound."""
    rng = np.random.default_rng(5)
    at = np.column_stack([rng.normal(0, 0.3, many), rng.uniform(0.02, 0.4, many), rng.uniform(0, 0.3, many),
                          rng.uniform(0, 0.3, many), rng.uniform(0, 0.85, many)])  # fmt: skip
    at[1, 2:] = 0.0
    at[2, 3] = 0.0
    return at


def plain(y, point):
    """Log-likelihood, gradient, expected information, products of scores, second derivatives: step by step."""
    s, ds, dds = recursion_slopes(y, first=FIRST, **named(point))
    e, mu = y - point[0], np.eye(5)[0]
    value = -0.5 * (np.log(2 * np.pi) + np.log(s) + e**2 / s).sum()
    half = 0.5 * (e**2 / s - 1) / s
    score = half[:, None] * ds + (e / s)[:, None] * mu
    information = 0.5 * np.einsum("t,ti,tj->ij", 1 / s**2, ds, ds) + (1 / s).sum() * np.outer(mu, mu)
    hessian = np.einsum("t,tij->ij", half, dds)
    hessian += np.einsum("t,ti,tj->ij", 0.5 * (1 - 2 * e**2 / s) / s**2, ds, ds)
    cross = np.outer(mu, -(e / s**2) @ ds)
    hessian += cross + cross.T - (1 / s).sum() * np.outer(mu, mu)
    return value, score.sum(axis=0), information, score.T @ score, hessian


def height(y, point):
    s = recursion(y, first=FIRST, **named(point))
    return -0.5 * (np.log(2 * np.pi) + np.log(s) + (y - point[0]) ** 2 / s).sum()


def differences(function, at, width):
    """Central ones, a row of the last axis for each argument."""
    steps = np.eye(len(at)) * width
    return np.stack([(function(at + h) - function(at - h)) / (2 * width) for h in steps], axis=-1)


def test_plain_derivatives_of_the_recursion_are_its_differences():
    y = np.random.default_rng(0).standard_normal(60)
    for point in points(6)[[0, 3, 4, 5]]:
        s, ds, dds = recursion_slopes(y, first=FIRST, **named(point))
        assert s == pytest.approx(recursion(y, first=FIRST, **named(point)), rel=1e-14)
        # Errors of differences: rounding over the width, and its square times a third derivative.
        assert ds == pytest.approx(
            differences(lambda at: recursion(y, first=FIRST, **named(at)), point, 1e-6), rel=1e-6, abs=1e-8
        )
        assert dds == pytest.approx(
            differences(lambda at: recursion_slopes(y, first=FIRST, **named(at))[1], point, 1e-6), rel=1e-6, abs=1e-7
        )


def test_plain_derivatives_of_the_likelihood_are_its_differences():
    y = np.random.default_rng(1).standard_normal(400)
    for point in points(6)[[0, 3, 4, 5]]:
        _, slope, _, _, hessian = plain(y, point)
        assert slope == pytest.approx(differences(lambda at: height(y, at), point, 1e-6), rel=1e-6, abs=1e-4)
        assert hessian == pytest.approx(differences(lambda at: plain(y, at)[1], point, 1e-6), rel=1e-6, abs=1e-3)


def test_what_is_expected_is_the_mean_of_what_there_is():
    """By simulation of the model itself: both the curvature and the products of scores tend to the information."""
    rng, point = np.random.default_rng(2), np.array([0.1, 0.1, 0.1, 0.1, 0.7])
    e, s = np.zeros(40_000), 0.67
    for t in range(len(e)):
        if t:
            s = 0.1 + (0.1 + 0.1 * (e[t - 1] < 0)) * e[t - 1] ** 2 + 0.7 * s
        e[t] = np.sqrt(s) * rng.standard_normal()
    _, _, information, products, hessian = plain(0.1 + e, point)
    scale = np.sqrt(np.outer(np.diag(information), np.diag(information)))
    assert products / scale == pytest.approx(information / scale, abs=0.05)  # 1 / sqrt(40,000), heavy tails
    assert -hessian / scale == pytest.approx(information / scale, abs=0.05)


@pytest.mark.parametrize("many", [1, 8, 19])
@pytest.mark.parametrize("steps", [100, 203])
def test_the_compiled_derivatives_are_the_plain_ones(many, steps):
    y_nT = np.random.default_rng(3).standard_normal((4, steps))
    which, at = np.arange(many) % 4, points(19)[:many]
    value, slope, two = np.full(many, np.nan), np.full((many, 5), np.nan), np.full((3, many, 5, 5), np.nan)
    first = np.full(4, FIRST)
    wanted = [plain(y_nT[n], point) for n, point in zip(which, at, strict=True)]
    for scores in (False, True):
        variance_slopes.slopes(y_nT, first, which, at, scores, value, slope, two[int(scores)])
        assert value == pytest.approx(np.array([w[0] for w in wanted]), rel=1e-12)
        assert slope == pytest.approx(np.array([w[1] for w in wanted]), rel=1e-10, abs=1e-9)
    variance_slopes.curves(y_nT, first, which, at, value, slope, two[2])
    assert value == pytest.approx(np.array([w[0] for w in wanted]), rel=1e-12)
    assert slope == pytest.approx(np.array([w[1] for w in wanted]), rel=1e-10, abs=1e-9)
    for i in range(3):
        assert two[i] == pytest.approx(np.array([w[2 + i] for w in wanted]), rel=1e-10, abs=1e-8)


def test_without_gamma_the_others_are_as_they_were():
    y_nT, which, at = np.random.default_rng(3).standard_normal((4, 203)), np.arange(11) % 4, points(11)
    at[:, 3] = 0.0
    first, kept = np.full(4, FIRST), [0, 1, 2, 4]
    pairs = [(variance_slopes.slopes, variance_slopes.symmetric_slopes, (scores,)) for scores in (False, True)]
    for whole, short, more in [*pairs, (variance_slopes.curves, variance_slopes.symmetric_curves, ())]:
        out = [(np.full(11, np.nan), np.full((11, 5), np.nan), np.full((11, 5, 5), np.nan)) for _ in range(2)]
        whole(y_nT, first, which, at, *more, *out[0])
        short(y_nT, first, which, at, *more, *out[1])
        for one, other in zip(*out, strict=True):
            for axis in range(1, one.ndim):
                one, other = one.take(kept, axis=axis), other.take(kept, axis=axis)
            assert other == pytest.approx(one, rel=1e-13)


@pytest.mark.parametrize("model", MODELS)
def test_the_parameters_bend_as_their_differences_say(model):
    at = np.random.default_rng(4).normal(0, 1.5, len(model.names))
    first, second = model.bends(at)
    assert first == pytest.approx(differences(model.natural, at, 1e-5), abs=1e-9)
    assert second == pytest.approx(differences(lambda free: model.bends(free)[0], at, 1e-5), abs=1e-9)


def test_degrees_of_freedom_bend_too():
    model = Garch(asymmetric=True, distribution="t")
    at = np.random.default_rng(4).normal(0, 1.5, len(model.names))
    first, second = model.bends(at)
    assert first == pytest.approx(differences(model.natural, at, 1e-5), abs=1e-8)
    assert second == pytest.approx(differences(lambda free: model.bends(free)[0], at, 1e-5), abs=1e-8)


@pytest.mark.parametrize("model", MODELS)
def test_free_of_bounds_they_are_differences_of_the_height(model):
    block = ByDerivatives(np.random.default_rng(6).standard_normal((2, 300)), model)
    at = np.array([model.starts()[1], model.starts()[6]])
    which = np.arange(2)
    value, slope, bend = block.exact(at, which)
    plain = ByDifferences(block.y_nT * block.scale_n[:, None], model)
    assert value == pytest.approx(plain.heights(at[:, None, :], which)[:, 0], rel=1e-12)
    for n in which:
        here = np.array([n])
        gradient = differences(lambda free: plain.heights(free[None, None, :], here)[0, 0], at[n], 1e-5)  # noqa: B023
        hessian = differences(lambda free: block.exact(free[None, :], here)[1][0], at[n], 1e-5)  # noqa: B023
        assert slope[n] == pytest.approx(gradient, rel=1e-5, abs=1e-5)
        assert -bend[n] == pytest.approx(hessian, rel=1e-5, abs=1e-5)
    again, also, information = block.expected(at, which)
    assert again == pytest.approx(value, rel=1e-14)
    assert also == pytest.approx(slope, rel=1e-10, abs=1e-9)
    assert (np.linalg.eigvalsh(information) > 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_both_ways_lead_to_the_same_top_and_the_same_errors(model):
    rng = np.random.default_rng(8)
    y_nT, s = np.zeros((6, 1500)), np.ones(6)
    for t in range(1500):
        if t:
            s = 0.1 + (0.08 + 0.08 * (y_nT[:, t - 1] < 0)) * y_nT[:, t - 1] ** 2 + 0.78 * s
        y_nT[:, t] = np.sqrt(s) * rng.standard_normal(6)
    # Differences are as wide as a parameter is large: at a mean near zero they would be rounding.
    y_nT += 0.5 if model.mean else 0.0
    one, other = (way(y_nT, model).fitted(4, True) for way in (ByDerivatives, ByDifferences))
    assert (one[0] == other[0]).all()
    assert one[3] == pytest.approx(other[3], abs=1e-6)
    assert one[1] == pytest.approx(other[1], rel=1e-2, abs=1e-3)  # flat tops: a millionth below is a little way off
    assert one[2] == pytest.approx(other[2], rel=2e-2)
    assert one[4] == pytest.approx(other[4])
