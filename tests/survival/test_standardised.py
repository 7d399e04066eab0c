"""Standardised times against closed forms and a plain search, and what they are for: equal work."""

from __future__ import annotations

import math

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.survival import cox, standardised
from citylib.survival.cox_residuals import Baseline, baseline


def steps(rates: dict[str, float], reach: float = 40.0, number: int = 4000) -> Baseline:
    """Exponential hazards on a fine grid of times."""
    time = np.tile(np.linspace(reach / number, reach, number), len(rates))
    name = np.repeat(list(rates), number)
    cumulative = time * np.repeat(list(rates.values()), number)
    return Baseline(name, time, np.full(len(time), math.nan), cumulative)


def test_one_stratum_is_its_own_law() -> None:
    base = steps({"a": 0.5})
    np.testing.assert_allclose(standardised.survival(base, {"a": 7}, [1.0, 4.0]), np.exp([-0.5, -2.0]), atol=1e-12)
    found = standardised.quantile(base, {"a": 7}, 0.5, log_ratio=[0.0, math.log(2), -math.log(2)])
    np.testing.assert_allclose(found, math.log(2) / np.array([0.5, 1.0, 0.25]), atol=0.011)  # the grid's step


def test_a_mix_is_searched_to_the_step() -> None:
    draw = np.random.default_rng(4)
    name = np.repeat(["a", "b", "c"], 50)
    time = np.concatenate([np.sort(draw.exponential(scale, 50)) for scale in (1.0, 5.0, 30.0)])
    hazard = draw.uniform(0.0, 0.1, 150)
    base = Baseline(name, time, hazard, np.concatenate([np.cumsum(h) for h in np.split(hazard, 3)]))
    mix, ratio = {"a": 2.0, "b": 1.0, "c": 1.0}, 0.3
    grid = np.sort(time)
    curve = sum(share / 4 * np.exp(-base.at(grid, stratum=stratum) * math.exp(ratio)) for stratum, share in mix.items())
    np.testing.assert_allclose(standardised.survival(base, mix, grid, log_ratio=ratio), curve, atol=1e-12)
    for share in (0.1, 0.5, 0.6):
        first = grid[curve <= 1 - share][0]
        assert standardised.quantile(base, mix, share, log_ratio=ratio).tolist() == [first]


def test_what_is_not_reached_is_infinite() -> None:
    base = steps({"a": 0.01})
    assert standardised.quantile(base, {"a": 1}, 0.5).tolist() == [math.inf]
    assert standardised.quantile(base, {"a": 1, "never": 1}, 0.45).tolist() == [math.inf]  # half of it never ends
    assert standardised.survival(base, {"never": 1}, [5.0]).tolist() == [1.0]


def test_groups_with_unequal_work_and_equal_service_get_one_median() -> None:
    draw = np.random.default_rng(8)
    number = 6000
    group = draw.random(number) < 0.5
    slow = draw.random(number) < np.where(group, 0.8, 0.2)  # one group asks for slow things
    days = draw.exponential(np.where(slow, 20.0, 2.0))
    watched = draw.uniform(5, 60, number)
    fit = cox.fit(
        np.minimum(days, watched), days <= watched, group[:, None].astype(float), stratum=np.where(slow, "slow", "fast")
    )
    base, mix = baseline(fit), {"slow": float(slow.mean()), "fast": float((~slow).mean())}
    low, high = fit.interval(level=0.999)
    ends = standardised.quantile(base, mix, 0.5, log_ratio=[float(high[0]), float(low[0])])
    own = standardised.quantile(base, mix, 0.5)[0]
    assert ends[0] <= own <= ends[1]
    raw = np.median(days[group]) / np.median(days[~group])
    assert raw > 2 > ends[1] / ends[0]
    # the truth: exp(-t / 2) (1 - p) + exp(-t / 20) p = 1 / 2
    truth = next(
        t
        for t in np.arange(0.0, 40.0, 0.001)
        if mix["fast"] * math.exp(-t / 2) + mix["slow"] * math.exp(-t / 20) <= 0.5
    )
    assert own == pytest.approx(truth, rel=0.1)  # some 6,000 cases: 3 standard errors of the median are about a tenth


@pytest.mark.parametrize("mix", [{"a": 0.0}, {"a": -1.0, "b": 2.0}, {}])
def test_a_mix_without_shares_is_refused(mix: dict[str, float]) -> None:
    with pytest.raises(InputError, match="mix"):
        standardised.quantile(steps({"a": 1.0}), mix, 0.5)


def test_a_share_outside_its_bounds_is_refused() -> None:
    with pytest.raises(InputError, match="share"):
        standardised.quantile(steps({"a": 1.0}), {"a": 1}, 1.0)
