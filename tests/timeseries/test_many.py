"""ARIMA for many sensors: against statsmodels and the plain form, planted truth, bad sensors and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.tsa.statespace.sarimax import SARIMAX

from citylib.errors import InputError
from citylib.panel import Panel
from citylib.timeseries import likelihood, many
from citylib.timeseries.block import Block
from citylib.timeseries.specification import Specification

ORDERS = [
    ((1, 0, 0), (0, 0, 0, 1)),
    ((0, 0, 1), (0, 0, 0, 1)),
    ((2, 0, 2), (0, 0, 0, 1)),
    ((2, 1, 2), (0, 0, 0, 1)),
    ((3, 0, 0), (0, 0, 0, 1)),
    ((0, 2, 3), (0, 0, 0, 1)),
    ((0, 0, 0), (0, 0, 0, 1)),
    ((1, 0, 1), (1, 1, 1, 4)),
    ((2, 1, 1), (0, 1, 1, 7)),
    ((0, 0, 2), (2, 0, 1, 5)),
]


def natural_of(spec, seed, count=1):
    return spec.natural(np.random.default_rng(seed).uniform(-1.2, 1.2, (count, spec.parameters)))


def walk(steps=200, seed=0, levels=0):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(steps)
    y[1:] += 0.6 * y[:-1]
    for _ in range(levels):
        y = y.cumsum()
    return 3.0 + y


def height_of(block, spec, natural, variance=None):
    """The likelihood at given parameters, the variance of the shocks given or at its best."""
    measured = block.measure(natural[None, None, :], np.zeros(1, dtype=np.int64))
    if variance is None:
        return float(block.height(measured)[0, 0])
    squares, count, scale = measured.gram[0, 0, 0], measured.counted[0], block.scale_n[0]
    inner = variance / scale**2
    scaled = -0.5 * (count * np.log(2 * np.pi * inner) + squares / inner + measured.log_F[0, 0])
    return float(scaled - count * np.log(scale))


@pytest.mark.parametrize(("order", "seasonal"), ORDERS)
def test_compiled_likelihood_is_the_plain_one_and_statsmodels(order, seasonal):
    spec, y = Specification(order, seasonal), walk(levels=order[1])
    block = Block(y[:, None], np.zeros((len(y), 0)), spec)
    for seed in range(3):
        natural = natural_of(spec, seed)[0]
        ours = height_of(block, spec, natural, variance=1.7)
        ar, ma = spec.multiplied(natural)
        plain = likelihood.arma_loglikelihood(spec.differenced(y), ar=ar, ma=ma, variance=1.7)
        model = SARIMAX(y, order=order, seasonal_order=seasonal if seasonal[3] > 1 else (0, 0, 0, 0),
                        simple_differencing=True)  # fmt: skip
        model.tolerance = 0  # of what theirs takes for a filter that has settled
        theirs = model.loglike(np.append(natural, 1.7))
        assert ours == pytest.approx(plain, abs=1e-8, rel=1e-10)
        assert ours == pytest.approx(theirs, abs=1e-8, rel=1e-10)


@pytest.mark.parametrize(("order", "seasonal"), ORDERS)
def test_the_other_filters_are_the_fast_one_where_nothing_is_missing(order, seasonal):
    spec, y = Specification(order, seasonal), walk(steps=300, levels=order[1])
    fast = Block(y[:, None], np.zeros((len(y), 0)), spec)
    others = [Block(y[:, None], np.zeros((len(y), 0)), spec) for _ in range(2)]
    for block, way in zip(others, ("gappy", "general"), strict=True):
        block._way, block._y_nT = way, (y / y.std())[None, :].copy()
    for seed in range(3):
        natural = natural_of(spec, seed)[0]
        for block in others:
            assert height_of(block, spec, natural) == pytest.approx(height_of(fast, spec, natural), abs=1e-8)


def test_points_side_by_side_are_points_one_by_one():
    spec = Specification((2, 0, 1), (1, 0, 0, 6))
    y = np.column_stack([walk(seed=s) for s in range(4)])
    block = Block(y, np.zeros((len(y), 0)), spec)
    natural = np.stack([natural_of(spec, s, 11) for s in (3, 5)])
    which = np.array([2, 0])
    together = block.height(block.measure(natural, which))
    for i in range(2):
        for j in range(11):
            alone = block.height(block.measure(natural[i, j][None, None, :], which[i : i + 1]))
            assert together[i, j] == pytest.approx(alone[0, 0], abs=1e-9)


@pytest.mark.parametrize(("order", "seasonal"), [((1, 1, 1), (0, 0, 0, 1)), ((2, 0, 1), (0, 0, 0, 1)),
                                                 ((0, 2, 1), (0, 0, 0, 1)), ((1, 0, 1), (0, 1, 1, 6))])  # fmt: skip
@pytest.mark.parametrize("first", [False, True], ids=["inside", "first-steps-too"])
def test_gaps_are_passed_over_as_by_the_exact_diffuse_filter(order, seasonal, first):
    spec, y = Specification(order, seasonal), walk(levels=order[1])
    gone = np.random.default_rng(1).choice(np.arange(0 if first else 12, 200), 40, replace=False)
    y[gone] = np.nan
    if first:
        y[0] = np.nan
    block = Block(y[:, None], np.zeros((len(y), 0)), spec)
    model = SARIMAX(y, order=order, seasonal_order=seasonal if seasonal[3] > 1 else (0, 0, 0, 0),
                    use_exact_diffuse=True, loglikelihood_burn=0)  # fmt: skip
    ours = [height_of(block, spec, natural_of(spec, s)[0], variance=1.3) for s in range(4)]
    theirs = [model.loglike(np.append(natural_of(spec, s)[0], 1.3)) for s in range(4)]
    block._way = "general"
    general = [height_of(block, spec, natural_of(spec, s)[0], variance=1.3) for s in range(4)]
    assert ours == pytest.approx(general, abs=1e-8)
    # They count a constant more for each step that differencing uses up.
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=1e-6)


def test_regressors_are_at_their_best_as_by_statsmodels():
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.standard_normal(300), np.sin(np.arange(300) / 7)])
    y = walk(300) + x @ [2.0, -1.0]
    found = many.fit(y[:, None], order=(1, 0, 1), x_TK=x, constant=True)
    theirs = SARIMAX(y, exog=np.column_stack([np.ones(300), x]), order=(1, 0, 1)).fit(disp=False, maxiter=500)
    assert found.loglikelihood[0] >= theirs.llf - 1e-6
    assert found.loglikelihood[0] == pytest.approx(theirs.llf, abs=1e-3)
    assert found.regression[0] == pytest.approx(theirs.params[:3], abs=2e-3)
    assert found.regression_errors[0] == pytest.approx(theirs.bse[:3], rel=0.1)


@pytest.mark.filterwarnings("ignore:Non-(stationary|invertible) starting")
def test_no_worse_than_statsmodels_and_its_standard_errors():
    y = np.column_stack([walk(400, seed=s) for s in range(5)])
    found = many.fit(y, order=(2, 0, 1))
    for i in range(5):
        theirs = SARIMAX(y[:, i], order=(2, 0, 1)).fit(disp=False, maxiter=500, cov_type="oim")
        assert found.loglikelihood[i] >= theirs.llf - 1e-6
    fine = many.fit(y, order=(1, 0, 0))
    for i in range(5):
        theirs = SARIMAX(y[:, i], order=(1, 0, 0)).fit(disp=False, cov_type="oim")
        assert fine.standard_errors[i] == pytest.approx(theirs.bse[:-1], rel=1e-2)
        assert fine.variance[i] == pytest.approx(theirs.params[-1], rel=1e-3)


@pytest.mark.parametrize(
    ("order", "seasonal"), [((2, 1, 2), (0, 0, 0, 1)), ((1, 0, 1), (0, 1, 1, 6)), ((3, 0, 0), (0, 0, 0, 1))]
)
@pytest.mark.parametrize("gaps", [False, True])
def test_forecasts_are_statsmodels(order, seasonal, gaps):
    y = walk(260, levels=order[1])
    if gaps:
        y[[50, 51, 120, 199, 240]] = np.nan
    found = many.fit(y[:200, None], order=order, seasonal=seasonal)
    model = SARIMAX(y[:200], order=order, seasonal_order=seasonal if seasonal[3] > 1 else (0, 0, 0, 0),
                    use_exact_diffuse=True)  # fmt: skip
    fitted = model.smooth(np.append(found.parameters[0], found.variance[0]))
    centre, lower, upper = found.forecast(y[:, None], origins=[200, 230, 260], horizon=9)
    for o, origin in enumerate((200, 230, 260)):
        there = fitted.append(y[200:origin]) if origin > 200 else fitted
        theirs = there.get_forecast(9)
        assert centre[0, o] == pytest.approx(theirs.predicted_mean, rel=1e-6, abs=1e-6)
        wide = theirs.conf_int(alpha=0.05)
        assert (upper - lower)[0, o] == pytest.approx(wide[:, 1] - wide[:, 0], rel=1e-6)


def test_truth_is_found_and_its_errors_are_right():
    rng = np.random.default_rng(5)
    e = rng.standard_normal((900, 60))
    y = np.zeros_like(e)
    for t in range(2, 900):
        y[t] = 1.2 * y[t - 1] - 0.5 * y[t - 2] + e[t] + 0.4 * e[t - 1]
    found = many.fit(y[100:], order=(2, 0, 1))
    truth = np.array([1.2, -0.5, 0.4])
    z = (found.parameters - truth) / found.standard_errors
    assert np.abs(np.median(found.parameters, axis=0) - truth).max() < 0.05
    assert 0.6 < np.nanstd(z[np.isfinite(z)]) < 1.5


def test_one_bad_sensor_never_fails_the_city():
    y = np.column_stack([walk(120, seed=s) for s in range(6)])
    y[:, 1], y[:, 2] = np.nan, 4.0
    y[10:, 3] = np.nan
    y[30:50, 4] = np.nan
    found = many.fit(y, order=(1, 0, 1))
    assert found.status.tolist() == ["converged", "all missing", "constant", "too short", "converged", "converged"]
    assert np.isnan(found.parameters[1:4]).all()
    assert np.isfinite(found.standard_errors[[0, 4, 5]]).all()
    centre, _, _ = found.forecast(y, origins=[120], horizon=2)
    assert np.isfinite(centre[[0, 4, 5]]).all()
    assert np.isnan(centre[1:4]).all()
    assert list(found.table()["status"]) == found.status.tolist()


def test_a_gap_longer_than_the_season_and_a_unit_root_are_told_apart():
    y = walk(300)[:, None].copy()
    y[100:140] = np.nan
    assert many.fit(y, order=(1, 0, 0), seasonal=(0, 1, 1, 12)).status[0] in many.FITTED
    white = np.random.default_rng(0).standard_normal((300, 20))
    over = many.fit(np.diff(white, axis=0), order=(0, 0, 1))
    edge = over.status == "boundary"
    assert edge.sum() >= 8  # about two in three lie on the unit root itself
    assert over.parameters[edge, 0] == pytest.approx(-1, abs=0.001)
    assert (np.abs(over.parameters[~edge, 0]) < 0.9999).all()


def test_bad_input_is_refused():
    y = walk(100)[:, None]
    with pytest.raises(InputError, match="values must be finite"):
        many.fit(np.where(np.arange(100)[:, None] == 3, np.inf, y), order=(1, 0, 0))
    with pytest.raises(InputError, match="order must be at least 0"):
        many.fit(y, order=(-1, 0, 0))
    with pytest.raises(InputError, match="order must be 3 whole numbers"):
        many.fit(y, order=(1, 0))
    with pytest.raises(InputError, match="seasonal must have a season"):
        many.fit(y, order=(1, 0, 0), seasonal=(1, 0, 0, 1))
    with pytest.raises(InputError, match="under the season"):
        many.fit(y, order=(4, 0, 0), seasonal=(1, 0, 0, 4))
    with pytest.raises(InputError, match="x_TK must reach to step 100"):
        many.fit(y, order=(1, 0, 0), x_TK=np.ones((50, 1)))
    with pytest.raises(InputError, match="linearly independent"):
        many.fit(y, order=(1, 0, 0), x_TK=np.ones((100, 1)), constant=True)
    found = many.fit(y, order=(1, 1, 0))
    with pytest.raises(InputError, match="origins must"):
        found.forecast(y, origins=[101], horizon=1)
    with pytest.raises(InputError, match="1 sensors"):
        found.forecast(np.hstack([y, y]), origins=[50], horizon=1)


def test_orders_too_large_for_the_series():
    assert many.fit(walk(30)[:, None], order=(2, 0, 2), seasonal=(1, 1, 1, 24)).status.tolist() == ["too short"]


def test_blocks_workers_and_order_of_sensors_change_nothing():
    y = np.column_stack([walk(150, seed=s) for s in range(7)])
    y[40, 5] = np.nan
    times = np.datetime64("2026-01-01", "h") + np.arange(150)
    panel = Panel(y, times, tuple("abcdefg"), "mph")
    whole = many.fit(panel, order=(1, 0, 1))
    assert whole.sensors == tuple("abcdefg")
    pieces = many.fit(y, order=(1, 0, 1), block=2, workers=2)
    turned = many.fit(y[:, ::-1], order=(1, 0, 1))
    np.testing.assert_array_equal(whole.parameters, pieces.parameters)
    np.testing.assert_array_equal(whole.parameters, turned.parameters[::-1])


@given(scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100), seed=st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_units_do_not_matter(scale, shift, seed):
    y = walk(120, seed=seed)[:, None]
    here, there = many.fit(y, order=(1, 1, 1)), many.fit(shift + scale * y, order=(1, 1, 1))
    assert there.loglikelihood[0] == pytest.approx(here.loglikelihood[0] - 119 * np.log(scale), abs=1e-4)
    assert there.variance[0] == pytest.approx(here.variance[0] * scale**2, rel=1e-3)


def test_the_two_filters_of_complete_series_agree_up_to_the_edge_of_invertibility() -> None:
    from citylib.timeseries import fast_filter, presample, recursion
    from citylib.timeseries.specification import Specification

    generator = np.random.default_rng(5)
    for order in ((2, 0, 2), (1, 0, 3), (3, 0, 0), (0, 0, 1), (1, 0, 0), (0, 0, 0)):
        spec = Specification(order)
        free = generator.uniform(-1.2, 1.2, (8, spec.parameters))
        if order[2]:
            free[::2, -1] = 12.0  # a moving average with a root on the unit circle, all but
        a, b = (np.ascontiguousarray(part.T) for part in spec.multiplied(spec.natural(free)))
        (a_lags, b_lags), r = spec.lags, spec.states
        for w in (generator.standard_normal(200), generator.standard_normal(200).cumsum()):
            heights = []
            for rows in (200 + r, 200):
                errors, log_F, gram = np.empty((rows, 8)), np.empty(8), np.empty((8, 8))
                if rows > 200:
                    presample.whitened(w, a_lags, a, b_lags, b, r, errors, log_F, np.empty((200, 8)))
                else:
                    fast_filter._one_complete(w, a_lags, a, b_lags, b, r, errors, log_F)
                recursion.products(errors, gram, 8)
                heights.append(-0.5 * (200 * np.log(np.diag(gram) / 200) + log_F))
                np.testing.assert_allclose(gram, gram.T, rtol=1e-9)
            np.testing.assert_allclose(heights[0], heights[1], atol=1e-6)


def test_a_slot_of_the_season_never_read_costs_that_sensor_alone():
    y = np.random.default_rng(0).standard_normal((480, 3))
    y[5::24, 1] = np.nan
    found = many.fit(y, order=(0, 0, 1), seasonal=(0, 1, 1, 24))
    assert found.status[1] == "not identified"
    assert np.isnan(found.parameters[1]).all()
    assert np.isfinite(found.loglikelihood[[0, 2]]).all()
    good = many.fit(y[:, [0, 2]], order=(0, 0, 1), seasonal=(0, 1, 1, 24))
    assert found.loglikelihood[[0, 2]] == pytest.approx(good.loglikelihood, abs=1e-9)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("offset", [100.0, 1e4])
@pytest.mark.parametrize("order", [(1, 0, 1), (2, 0, 1), (2, 0, 2)])
def test_a_series_far_from_zero_is_climbed_as_high_as_by_statsmodels(offset, order):
    y = walk() + offset
    theirs = SARIMAX(y, order=order).fit(disp=False, maxiter=500)
    assert many.fit(y[:, None], order=order).loglikelihood[0] >= theirs.llf - 0.01


def test_what_repeats_itself_exactly_or_moves_by_rounding_is_constant():
    week = np.tile([1.0, 5, 2, 7, 3, 9, 4], 29)[:200]
    noise = np.full(200, 5.0)
    noise[3] += 1e-15
    found = many.fit(np.column_stack([week, noise, walk()]), order=(1, 0, 0), seasonal=(0, 1, 1, 7))
    assert found.status.tolist()[:2] == ["constant", "constant"]
    assert np.isfinite(found.loglikelihood[2])


NO_ORIGINS = {
    "missing": [np.nan], "half": [50.5], "infinite": [np.inf], "huge": [1e30], "text": ["fifty"], "digits": ["50"],
    "times": np.array(["2020-01-01"], dtype="M8[D]"), "hours": np.array([50], dtype="m8[h]"), "none": None, "one": 50,
    "complex": [50 + 1j], "table": [[50]], "empty": [], "back": [60, 50], "twice": [50, 50], "first": [1],
}  # fmt: skip


@pytest.mark.parametrize("what", NO_ORIGINS)
def test_origins_that_are_none_are_refused(what):
    y = walk(100)[:, None]
    found = many.fit(y, order=(1, 1, 0), standard_errors=False)
    with pytest.raises(InputError, match="origins must"):
        found.forecast(y, origins=NO_ORIGINS[what], horizon=1)


def test_whole_numbers_of_any_kind_are_origins():
    y = walk(100)[:, None]
    found = many.fit(y, order=(1, 1, 0), standard_errors=False)
    wanted = found.forecast(y, origins=[50, 60], horizon=2)
    for kind in (np.uint8, np.float64, object):
        given = np.array([50, 60], dtype=kind)
        np.testing.assert_array_equal(found.forecast(y, origins=given, horizon=2), wanted)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("order", "seasonal"), [((1, 1, 0), (0, 0, 0, 1)), ((0, 2, 1), (0, 0, 0, 1)), ((1, 0, 0), (0, 1, 1, 7))]
)
def test_an_origin_before_a_sensors_levels_can_be_told_has_no_forecast(order, seasonal):
    """And none looks ahead for them: readings after the origin change nothing."""
    y = np.column_stack([walk(seed=s) for s in range(4)])
    found = many.fit(y, order=order, seasonal=seasonal, standard_errors=False)
    given, at = y.copy(), [40, 100, 150]
    given[:, 1], given[:120, 2], given[:6, 3] = np.nan, np.nan, np.nan
    centre, lower, upper = found.forecast(given, origins=at, horizon=3)
    assert np.isnan([a[1] for a in (centre, lower, upper)]).all()
    assert np.isnan([a[2, :2] for a in (centre, lower, upper)]).all()
    assert np.isfinite([a[2, 2] for a in (centre, lower, upper)]).all()
    assert np.isfinite(centre[[0, 3]]).all()
    np.testing.assert_array_equal(centre[0], found.forecast(y, origins=at, horizon=3)[0][0])
    for origin, i in zip(at, range(3), strict=True):
        known = np.where(np.arange(len(y))[:, None] < origin, given, -1e3)
        again = found.forecast(known, origins=[origin], horizon=3)[0][:, 0]
        np.testing.assert_allclose(again[[0, 3]], centre[[0, 3], i], rtol=1e-9, atol=1e-9)
