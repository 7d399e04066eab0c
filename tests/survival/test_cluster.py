"""The cluster bootstrap against the curve it resamples, and against dependence that is planted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError
from citylib.survival.cluster import cluster_bootstrap
from citylib.survival.kaplan_meier import kaplan_meier


def planted(assets: int, gaps: int, spread: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponential gaps whose rate is common to an asset: a lognormal frailty with the given spread."""
    draw = np.random.default_rng(5)
    rate = np.exp(draw.normal(0, spread, assets))
    life = draw.exponential(1.0, (assets, gaps)) / rate[:, None]
    watched = draw.uniform(0.5, 3.0, (assets, gaps))
    name = np.repeat([f"pipe {i}" for i in range(assets)], gaps)
    return np.minimum(life, watched).ravel(), (life <= watched).ravel(), name


def test_each_draw_is_the_curve_of_the_assets_drawn() -> None:
    t, e, c = planted(12, 3, 1.0)
    drawn = cluster_bootstrap(t, e, c, generator=seeds.generator(1), draws=100)
    names = np.unique(c)
    counts = seeds.generator(1).multinomial(len(names), np.full(len(names), 1 / len(names)), size=100)
    for draw in (0, 57):
        weight = counts[draw][np.searchsorted(names, c)]
        again = kaplan_meier(np.repeat(t, weight), np.repeat(e, weight))["all"]
        seen = drawn.time <= again.time[-1]
        np.testing.assert_allclose(drawn.survival[draw][seen], again.at(drawn.time[seen]), atol=1e-12)
        assert drawn.quantile(0.5)[draw] == again.median


def test_independent_durations_get_greenwoods_error() -> None:
    t, e, _ = planted(300, 1, 0.0)
    curve = kaplan_meier(t, e)["all"]
    drawn = cluster_bootstrap(t, e, np.arange(300), generator=seeds.generator(2), draws=2000)
    at = np.searchsorted(curve.time, 1.0, side="right") - 1
    # the standard error of a standard deviation from 2000 draws is 1.6 %
    np.testing.assert_allclose(drawn.at(1.0).std(), math.sqrt(curve.variance[at]), rtol=0.08)


def test_dependent_durations_get_more() -> None:
    t, e, c = planted(80, 6, 1.5)
    curve = kaplan_meier(t, e)["all"]
    drawn = cluster_bootstrap(t, e, c, generator=seeds.generator(2))
    at = np.searchsorted(curve.time, 0.5, side="right") - 1
    assert drawn.at(0.5).std() > 1.3 * math.sqrt(curve.variance[at])
    low, high = drawn.band([0.0, 0.5])
    assert low[0] == high[0] == 1.0
    assert low[1] < curve.at(0.5) < high[1]


def test_median_not_reached_is_infinite() -> None:
    drawn = cluster_bootstrap([1.0, 2.0, 3.0], [True, False, False], ["a", "b", "c"], generator=seeds.generator(0))
    assert drawn.quantile_interval(0.9)[1] == math.inf


def test_refusals() -> None:
    with pytest.raises(InputError, match="cluster must hold at least two clusters, got 1"):
        cluster_bootstrap([1.0, 2.0], [True, True], ["a", "a"], generator=seeds.generator(0))
    with pytest.raises(InputError, match="one label for each of 2 rows"):
        cluster_bootstrap([1.0, 2.0], [True, True], ["a"], generator=seeds.generator(0))
    with pytest.raises(InputError, match="draws must be at least 100"):
        cluster_bootstrap([1.0, 2.0], [True, True], ["a", "b"], generator=seeds.generator(0), draws=5)
