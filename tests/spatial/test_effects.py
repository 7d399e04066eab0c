"""Effects: dense inverses draw by draw, planted truth within the intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.spatial import lag_models
from citylib.spatial.effects import _means, effects
from tests.spatial.test_lag_models import grid, places


@pytest.mark.parametrize("truth", [-0.7, 0.0, 0.6, 0.97])
def test_effects_are_those_of_the_dense_inverse(truth):
    x, y, w = places(rho=truth)
    fit = lag_models.lag(x, y, w, names=["constant", "a", "b"])
    found = effects(fit, w, columns=["a", "b"], generator=np.random.default_rng(0), draws=200)
    inverse = np.linalg.inv(np.eye(len(y)) - fit.spatial * w.toarray())
    own, whole = np.trace(inverse) / len(y), inverse.sum() / len(y)
    assert found.direct == pytest.approx(own * fit.coefficients[1:], rel=1e-8)
    assert found.total == pytest.approx(whole * fit.coefficients[1:], rel=1e-8)
    assert found.indirect == pytest.approx(found.total - found.direct, rel=1e-12)
    assert found.direct == pytest.approx(fit.trace * fit.coefficients[1:], rel=1e-6)


def test_means_between_the_points_are_those_of_dense_inverses():
    w = grid(7)
    uneven = lag_models.weights("w", w.multiply(np.arange(1, 50)[:, None] / 49).tocsr(), 49)
    for matrix, rho in ((w, np.array([-0.9, -0.3, 0.2, 0.8, 0.998])), (uneven, np.array([-0.9, 0.1, 0.9]))):
        own, whole = _means(matrix, rho.min(), rho.max(), rho)
        for k, r in enumerate(rho):
            inverse = np.linalg.inv(np.eye(49) - r * matrix.toarray())
            # nearly the whole range at once; draws of an estimate span less, and are known to more digits
            assert own[k] == pytest.approx(np.trace(inverse) / 49, rel=1e-5)
            assert whole[k] == pytest.approx(inverse.sum() / 49, rel=1e-5)


def test_truth_lies_within_the_intervals():
    inside, truth = np.zeros((2, 3)), np.zeros((2, 3))
    for seed in range(40):
        x, y, w = places(seed=seed)
        inverse = np.linalg.inv(np.eye(len(y)) - 0.5 * w.toarray())
        own, whole = np.trace(inverse) / len(y), inverse.sum() / len(y)
        truth = np.outer([2.0, -1.0], [own, whole - own, whole])
        fit = lag_models.lag(x, y, w, names=["constant", "a", "b"])
        table = effects(fit, w, columns=["a", "b"], generator=np.random.default_rng(seed), draws=1000).table()
        low, high = (table[end].to_numpy().reshape(2, 3) for end in ("low", "high"))
        inside += (low < truth) & (truth < high)
    assert (inside >= 33).all()  # of 40, 38 expected


def test_refusals():
    x, y, w = places()
    fit = lag_models.lag(x, y, w)
    draw = {"generator": np.random.default_rng(0)}
    with pytest.raises(InputError, match=r"fit must be a spatial lag model.*'error'"):
        effects(lag_models.error(x, y, w), w, **draw)
    with pytest.raises(InputError, match="fit must have standard errors"):
        effects(lag_models.lag(x, y, w, standard_errors=False), w, **draw)
    with pytest.raises(InputError, match="w must be of order 144"):
        effects(fit, grid(5), **draw)
    with pytest.raises(InputError, match="columns must be one of: x0, x1, x2"):
        effects(fit, w, columns=["x9"], **draw)
    with pytest.raises(InputError, match="draws must be at least 100"):
        effects(fit, w, draws=5, **draw)
    vague = fit.covariance.copy()
    vague[-1, -1] = 400.0
    with pytest.raises(InputError, match="fit must know rho well enough"):
        effects(replace(fit, covariance=vague), w, **draw)
