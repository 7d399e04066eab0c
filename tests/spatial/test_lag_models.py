"""Spatial regression: against dense algebra, spreg and planted truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from citylib.errors import InputError
from citylib.spatial import lag_models

REFERENCE = Path(__file__).parents[1] / "reference" / "spatial_lag.json"


def grid(side):
    """Row-standardised rook neighbours on a square grid."""
    ring = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    eye = sparse.eye_array(side)
    near = sparse.csr_array(sparse.kron(eye, ring) + sparse.kron(ring, eye))
    return sparse.csr_array(sparse.diags_array(1 / near.sum(axis=1)) @ near)


def places(side=12, seed=0, *, rho=0.5, lam=0.0):
    w = grid(side)
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(side**2), rng.standard_normal((side**2, 2))])
    e = np.linalg.solve(np.eye(side**2) - lam * w.toarray(), rng.standard_normal(side**2))
    return x, np.linalg.solve(np.eye(side**2) - rho * w.toarray(), x @ [1.0, 2.0, -1.0] + e), w


def dense_height(x, y, w, at, kind):
    """The concentrated log-likelihood by dense algebra."""
    n = len(y)
    a = np.eye(n) - at * w.toarray()
    left, right = (a @ y, x) if kind == "lag" else (a @ y, a @ x)
    residual = left - right @ np.linalg.lstsq(right, left, rcond=None)[0]
    return -n / 2 * (np.log(2 * np.pi * residual @ residual / n) + 1) + np.linalg.slogdet(a)[1]


@pytest.mark.parametrize("kind", ["lag", "error"])
@pytest.mark.parametrize("truth", [-0.6, 0.0, 0.5, 0.95])
def test_the_optimum_is_that_of_the_dense_likelihood(kind, truth):
    x, y, w = places(rho=truth if kind == "lag" else 0.0, lam=truth if kind == "error" else 0.0)
    found = getattr(lag_models, kind)(x, y, w)
    assert found.loglikelihood == pytest.approx(dense_height(x, y, w, found.spatial, kind), abs=1e-7)
    for off in (-1e-3, 1e-3):
        assert dense_height(x, y, w, found.spatial + off, kind) < found.loglikelihood
    slope = (
        dense_height(x, y, w, found.spatial + 1e-4, kind) - dense_height(x, y, w, found.spatial - 1e-4, kind)
    ) / 2e-4
    assert abs(slope) < 1e-3


@pytest.mark.parametrize("truth", [-0.6, 0.02, 0.5, 0.9])
def test_standard_errors_are_those_of_dense_traces(truth):
    x, y, w = places(rho=truth)
    found = lag_models.lag(x, y, w)
    n = len(y)
    g = w.toarray() @ np.linalg.inv(np.eye(n) - found.spatial * w.toarray())
    moved, s2 = g @ (x @ found.coefficients), found.variance
    information = np.zeros((5, 5))
    information[:3, :3] = x.T @ x / s2
    information[:3, 3] = information[3, :3] = x.T @ moved / s2
    information[3, 3] = np.trace(g @ g) + np.trace(g.T @ g) + moved @ moved / s2
    information[3, 4] = information[4, 3] = np.trace(g) / s2
    information[4, 4] = n / (2 * s2**2)
    expected = np.linalg.inv(information)[:4, :4]
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-6)
    assert found.trace == pytest.approx(np.trace(np.linalg.inv(np.eye(n) - found.spatial * w.toarray())) / n, rel=1e-7)


def test_truth_lies_within_the_intervals():
    inside = np.zeros(4)
    for seed in range(40):
        x, y, w = places(seed=seed)
        table = lag_models.lag(x, y, w).table()
        inside += (table["low"] < [1, 2, -1, 0.5]) & (table["high"] > [1, 2, -1, 0.5])
    assert (inside >= 33).all()


@pytest.mark.skipif(not REFERENCE.is_file(), reason="tests/reference/spatial_lag.py has not been run")
@pytest.mark.parametrize("kind", ["lag", "error"])
def test_as_spreg_has_it(kind):
    known = json.loads(REFERENCE.read_text(encoding="utf-8"))[kind]
    x, y, w = places(**known["places"])
    found = getattr(lag_models, kind)(x, y, w)
    assert found.spatial == pytest.approx(known["spatial"], abs=1e-6)
    assert found.coefficients == pytest.approx(known["coefficients"], abs=1e-5)
    assert found.loglikelihood == pytest.approx(known["loglikelihood"], abs=1e-6)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(known["standard_errors"], rel=1e-5)


def test_weights_that_are_none_are_refused():
    x, y, w = places()
    with pytest.raises(InputError, match="w must be of order 144"):
        lag_models.lag(x, y, grid(5))
    cut = w.tolil()
    cut[3, :] = 0
    with pytest.raises(InputError, match=r"islands.*rows 3"):
        lag_models.lag(x, y, cut)
    with pytest.raises(InputError, match=r"its own neighbour.*row 0"):
        lag_models.lag(x, y, w + sparse.eye_array(144))
    with pytest.raises(InputError, match="finite weights"):
        lag_models.lag(x, y, -w)


def test_bad_input_is_refused():
    x, y, w = places()
    with pytest.raises(InputError, match=r"linearly independent.*x3 follows"):
        lag_models.lag(np.column_stack([x, x[:, 1]]), y, w)
    with pytest.raises(InputError, match="y must vary"):
        lag_models.lag(x, np.ones(144), w)
    with pytest.raises(InputError, match="y must have no missing"):
        lag_models.lag(x, np.where(np.arange(144) == 3, np.nan, y), w)
    with pytest.raises(InputError, match="more rows"):
        lag_models.lag(x[:4], y[:4], w[:4, :4])
    with pytest.raises(InputError, match="standard errors"):
        lag_models.lag(x, y, w, standard_errors=False).table()


@pytest.mark.parametrize("kind", ["lag", "error"])
@pytest.mark.parametrize("size", [1e-3, 300.0, 1e6])
def test_weights_of_any_size_give_the_same_model(kind, size):
    x, y, w = places()
    fit = getattr(lag_models, kind)
    one, other = fit(x, y, w), fit(x, y, w * size)
    assert other.spatial * size == pytest.approx(one.spatial, abs=1e-7)
    assert other.coefficients == pytest.approx(one.coefficients, rel=1e-6)
    assert other.loglikelihood == pytest.approx(one.loglikelihood, abs=1e-6)
    errors = [np.sqrt(np.diag(found.covariance)) for found in (one, other)]
    assert errors[1][:-1] == pytest.approx(errors[0][:-1], rel=1e-4)
    assert errors[1][-1] * size == pytest.approx(errors[0][-1], rel=1e-4)


@pytest.mark.parametrize("kind", ["lag", "error"])
@pytest.mark.parametrize("size", [1e100, 1e-100, 7.0, 1e-130])
def test_readings_in_any_unit_give_the_same_model(kind, size):
    x, y, w = places()
    fit = getattr(lag_models, kind)
    one, other = fit(x, y, w), fit(x, y * size, w)
    assert other.spatial == pytest.approx(one.spatial, rel=1e-6)
    assert other.trace == (None if kind == "error" else pytest.approx(one.trace, rel=1e-6))
    assert other.coefficients / size == pytest.approx(one.coefficients, rel=1e-6)
    assert other.variance / size**2 == pytest.approx(one.variance, rel=1e-6)
    assert other.residuals / size == pytest.approx(one.residuals, rel=1e-5, abs=1e-6)
    assert other.loglikelihood + len(y) * np.log(size) == pytest.approx(one.loglikelihood, abs=1e-6)
    each = np.append(np.full(3, size), 1.0)
    assert np.sqrt(np.diag(other.covariance)) / each == pytest.approx(np.sqrt(np.diag(one.covariance)), rel=1e-4)


@pytest.mark.parametrize("kind", ["lag", "error"])
@pytest.mark.parametrize("size", [1e200, 1e-200, 1e300])
def test_numbers_that_cannot_be_squared_are_refused(kind, size):
    x, y, w = places()
    fit = getattr(lag_models, kind)
    with pytest.raises(InputError, match="y must be of a size that can be squared"):
        fit(x, y * size, w)
    with pytest.raises(InputError, match="x must be of a size that can be squared"):
        fit(x * size, y, w)


@pytest.mark.parametrize("w", [None, "neighbours", [[1.0], [2.0, 3.0]]])
def test_weights_that_are_no_matrix_are_refused(w):
    x, y, _ = places()
    with pytest.raises(InputError):
        lag_models.lag(x, y, w)
