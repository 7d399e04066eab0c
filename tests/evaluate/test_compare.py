"""Block bootstrap and Diebold-Mariano against plain forms, laws, and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import signal, stats

from citylib import seeds
from citylib.errors import InputError
from citylib.evaluate import compare


def plain_bootstrap(losses: np.ndarray, block: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    """The textbook form: copy the blocks out, cut to length, take the mean."""
    steps = len(losses)
    blocks = -(-steps // block)
    begin = generator.integers(0, steps, size=(draws, blocks))
    out = []
    for row in begin:
        drawn = np.concatenate([(start + np.arange(block)) % steps for start in row])[:steps]
        out.append(np.nanmean(losses[drawn]))
    return np.asarray(out)


@pytest.mark.parametrize("shape", [(101,), (96, 3)])
def test_running_totals_equal_the_plain_form(shape: tuple[int, ...]) -> None:
    losses = np.random.default_rng(0).gamma(2.0, size=shape)
    losses[5:9] = np.nan
    found = compare.block_bootstrap(losses, block=8, generator=seeds.generator(3), draws=300, level=0.9)
    plain = plain_bootstrap(losses.reshape(len(losses), -1), 8, 300, seeds.generator(3))
    run = [np.isfinite(np.roll(losses, -k, axis=0)[:8]).sum() for k in range(len(losses))]  # readings in each
    blocks = int(np.sum(run) ** 2 / (8 * np.sum(np.square(run))))
    assert blocks == (12 if len(losses) == 101 else 11)  # of 96 steps 12 without the gap
    reach = stats.t.ppf(0.95, blocks - 1) * np.sqrt(blocks / (blocks - 1)) * plain.std()
    assert found.blocks == blocks
    assert found.ends == pytest.approx((found.estimate - reach, found.estimate + reach), rel=1e-12)
    assert found.estimate == pytest.approx(np.nanmean(losses))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = np.arange(60.0)
    whole = compare.block_bootstrap(losses, block=6, generator=seeds.generator(0), draws=200)
    monkeypatch.setattr(compare, "CHUNK", 70)
    assert compare.block_bootstrap(losses, block=6, generator=seeds.generator(0), draws=200) == whole


def test_blocks_cover_the_mean_of_dependent_losses_and_single_steps_do_not() -> None:
    # AR(1) with 0.8: variance of the mean is 9 times that of independent draws, so single steps are far too sure.
    generator, hits = np.random.default_rng(5), {1: 0, 40: 0}
    for trial in range(150):
        noise = generator.normal(size=900)
        series = np.empty(900)
        series[0] = noise[0] / 0.6
        for t in range(1, 900):
            series[t] = 0.8 * series[t - 1] + noise[t]
        for block in hits:
            found = compare.block_bootstrap(series, block=block, generator=seeds.generator(trial), draws=200)
            hits[block] += found.low <= 0 <= found.high
    assert hits[40] / 150 > 0.85
    assert hits[1] / 150 < 0.6


@pytest.mark.parametrize(("steps", "block"), [(31, 7), (14, 3), (181, 14), (365, 28)])
def test_few_blocks_still_hold_the_mean_as_often_as_they_claim(steps: int, block: int) -> None:
    # Days that remember yesterday by 0.3: percentiles of 4 blocks held the mean in 84 of 100, not 95.
    noise = np.random.default_rng(steps).standard_normal((600, steps + 50))
    days = signal.lfilter([1], [1, -0.3], noise)[:, 50:]
    found = [compare.block_bootstrap(x, block=block, generator=seeds.generator(0), draws=300) for x in days]
    held = np.mean([f.low <= 0 <= f.high for f in found])
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 600) < held < 0.99  # three errors of 600 draws; a few blocks are cautious
    assert {f.blocks for f in found} == {steps // block}


def test_blocks_are_those_that_readings_fill() -> None:
    days = np.ones(70)
    assert compare.blocks(days, 7) == 10
    assert compare.blocks(np.ones((70, 3)), 7) == 10
    saturdays = np.where(np.arange(70) % 7 == 5, 1.0, np.nan)
    assert compare.blocks(saturdays, 7) == 10
    half = np.where(np.arange(70) < 35, 1.0, np.nan)
    assert compare.blocks(half, 7) == 5
    assert compare.blocks(np.ones(5), 7) == 0


def test_a_paired_difference_is_surer_than_the_losses_apart() -> None:
    generator = np.random.default_rng(2)
    hard = generator.gamma(2.0, 10.0, size=500)
    first, second = hard + 1 + generator.normal(0, 0.5, 500), hard
    found = compare.paired_bootstrap(first, second, block=5, generator=seeds.generator(0))
    assert found.excludes_zero
    assert found.estimate == pytest.approx((first - second).mean())
    assert found.high - found.low < 0.2
    swapped = compare.paired_bootstrap(second, first, block=5, generator=seeds.generator(0))
    assert swapped.ends == pytest.approx((-found.high, -found.low), abs=0.02)
    same = compare.paired_bootstrap(first, first, block=5, generator=seeds.generator(0))
    assert not same.excludes_zero


@pytest.mark.parametrize("lags", [0, 1, 23])
def test_diebold_mariano_is_a_regression_on_a_constant_with_hac_errors(lags: int) -> None:
    generator = np.random.default_rng(7)
    first, second = generator.gamma(2.0, size=400) + 0.1, generator.gamma(2.0, size=400)
    found = compare.diebold_mariano(first, second, lags=lags)
    fit = sm.OLS(first - second, np.ones(400)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    assert found.difference == pytest.approx(fit.params[0], rel=1e-12)
    assert found.standard_error == pytest.approx(fit.bse[0], rel=1e-10)
    assert found.p_value == pytest.approx(fit.pvalues[0], rel=1e-8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: compare.block_bootstrap([1.0] * 9, block=5, generator=g), "at least two blocks of 5 steps"),
        (lambda g: compare.block_bootstrap([1.0] + [np.nan] * 8, block=2, generator=g), "of which 1 are scored"),
        (lambda g: compare.block_bootstrap([np.nan] * 9, block=2, generator=g), "at least one loss"),
        (lambda g: compare.block_bootstrap(np.ones((4, 2, 2)), block=2, generator=g), "steps, sensors"),
        (lambda g: compare.block_bootstrap([1.0] * 9, block=0, generator=g), "block must be at least 1"),
        (lambda g: compare.block_bootstrap([1.0] * 9, block=2, generator=g, draws=5), "draws must be at least 100"),
        (lambda g: compare.block_bootstrap([1.0] * 9, block=2, generator=g, level=1.0), "level must lie"),
        (lambda g: compare.paired_bootstrap([1.0] * 9, [1.0] * 8, block=2, generator=g), "same shape"),
        (lambda g: compare.paired_bootstrap([1.0, 2.0], [np.nan, 2.0], block=1, generator=g), "scored on the same"),
        (lambda g: compare.diebold_mariano([1.0, 2.0, 3.0], [0.0, 1.0, 2.0], lags=0), "differ by more"),
        (lambda g: compare.diebold_mariano([1.0, 2.0], [0.0, 1.0], lags=3), "at least 5 rows"),
    ],
)
def test_refusals(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=message):
        call(seeds.generator(0))
