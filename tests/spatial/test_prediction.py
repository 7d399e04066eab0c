"""Expected values of hidden places: the textbook's formula for normal vectors, and a gain where space is there."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.spatial import lag_models
from citylib.spatial.prediction import given_others
from tests.spatial.test_lag_models import places


@pytest.mark.parametrize("kind", ["lag", "error"])
def test_as_normal_vectors_have_it(kind):
    x, y, w = places(side=8, rho=0.6 if kind == "lag" else 0.0, lam=0.0 if kind == "lag" else 0.6)
    fit = getattr(lag_models, kind)(x, y, w)
    inverse = np.linalg.inv(np.eye(64) - fit.spatial * w.toarray())
    covariance = inverse @ inverse.T
    mean = x @ fit.coefficients if kind == "error" else inverse @ x @ fit.coefficients
    hidden = np.random.default_rng(1).random(64) < 0.3
    pull = covariance[np.ix_(hidden, ~hidden)] @ np.linalg.inv(covariance[np.ix_(~hidden, ~hidden)])
    expected = mean[hidden] + pull @ (y - mean)[~hidden]
    given = np.where(hidden, np.nan, y)  # what is hidden is not looked at
    assert given_others(fit, x, given, w, hidden=hidden) == pytest.approx(expected, rel=1e-9)


def test_refusals():
    x, y, w = places(side=5)
    fit = lag_models.lag(x, y, w)
    some = np.arange(25) < 5
    with pytest.raises(InputError, match="x must have the 3 columns of the fit, got 2"):
        given_others(fit, x[:, :2], y, w, hidden=some)
    with pytest.raises(InputError, match="hidden must hide some places and leave some"):
        given_others(fit, x, y, w, hidden=np.zeros(25, bool))
    with pytest.raises(InputError, match="y of the known places must have no missing"):
        given_others(fit, x, np.where(np.arange(25) == 20, np.nan, y), w, hidden=some)
    with pytest.raises(InputError, match="must have the same length"):
        given_others(fit, x, y[:-1], w, hidden=some)
