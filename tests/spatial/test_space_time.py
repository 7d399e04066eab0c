"""Space-time autoregression: against statsmodels, rows written out, planted truth, and its own future withheld."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import sparse

from citylib.errors import InputError
from citylib.spatial import orders, space_time, space_time_choice

PLACES = 12
RING = np.roll(np.eye(PLACES), 1, axis=1) + np.roll(np.eye(PLACES), -1, axis=1)
SELF = orders.themselves(PLACES)
FIRST, SECOND = orders.rings(RING, most=2)


def process(steps=600, seed=0, own=0.5, ring=0.3, scale=1.0, level=0.0):
    draw, y = np.random.default_rng(seed), np.zeros((steps + 100, PLACES))
    for t in range(1, len(y)):
        y[t] = own * y[t - 1] + ring * (FIRST @ y[t - 1]) + draw.standard_normal(PLACES)
    return level + scale * y[100:]


def rows_of(y, made, lags, step, sensor, within, known=None):
    """Columns and responses of one sensor, row by row, in the readings' unit."""
    x, out = [], []
    for o in within:
        if np.isnan(y[o - 1 + step, sensor]):
            continue
        row = [float((a[[sensor]] @ y[o - lag])[0]) for a, n in zip(made, lags, strict=True) for lag in range(1, n + 1)]
        x.append(row + ([] if known is None else list(known[o, sensor])))
        out.append(y[o - 1 + step, sensor])
    return np.array(x), np.array(out)


@pytest.mark.parametrize("step", [1, 3])
def test_each_sensor_alone_is_the_ordinary_regression_of_statsmodels(step):
    y = process(scale=7.0, level=40.0) * np.linspace(1, 3, PLACES)
    made, lags = [SELF, FIRST, SECOND], (2, 1, 3)
    clock = np.random.default_rng(1).standard_normal((len(y), PLACES, 2))
    model = space_time.fit(y, made, lags=lags, steps=(step,), known=clock)
    at = np.arange(500, 550)
    found = model.forecast(y, origins=at, known=clock)
    z = (y - y.mean(axis=0)) / y.std(axis=0)  # what neighbours show is in standard units
    for i in (0, 7):
        x, target = rows_of(z, made, lags, step, i, range(3, len(y) + 1 - step), clock)
        peer = sm.OLS(y[:, i].mean() + y[:, i].std() * target, sm.add_constant(x)).fit()
        new = rows_of(z, made, lags, step, i, at, clock)[0]
        np.testing.assert_allclose(found[:, 0, i], peer.predict(sm.add_constant(new)), rtol=1e-9)
        assert model.residual[i, 0] == pytest.approx(np.sqrt((peer.resid**2).mean()), rel=1e-8)
        assert model.rows[i] == len(target)


def test_pooled_is_one_regression_with_an_intercept_a_sensor():
    y = process()
    y = (y - y.mean(axis=0)) / y.std(axis=0)  # standard units before, so that both have the same columns
    made, lags = [SELF, FIRST, SECOND], (2, 1, 1)
    model = space_time.fit(y, made, lags=lags, pooled=True)
    parts = [rows_of(y, made, lags, 1, i, range(2, len(y))) for i in range(PLACES)]
    x, target = (np.concatenate([p[k] for p in parts]) for k in (0, 1))
    dummies = np.repeat(np.eye(PLACES), len(y) - 2, axis=0)
    peer = sm.OLS(target, np.hstack([x, dummies])).fit()
    np.testing.assert_allclose(model.coefficients[4, 0], peer.params[:4], rtol=1e-8, atol=1e-10)
    assert (model.coefficients == model.coefficients[:1]).all()


def test_a_penalty_is_that_of_ridge_written_out():
    y = process(seed=3)
    made = [SELF, *orders.one_each(RING, most=2)]
    model = space_time.fit(y, made, lags=(2, 1, 1), steps=(1, 2), penalty=[0.05, 0.4, 0.4], until=500)
    z = (y - y[:500].mean(axis=0)) / y[:500].std(axis=0)
    for h, step in enumerate((1, 2)):
        x, target = rows_of(z, made, (2, 1, 1), step, 5, range(2, 500 + 1 - 2))  # rows whose two steps were read
        x, target = x - x.mean(axis=0), target - target.mean()
        b = np.linalg.solve(x.T @ x + len(x) * np.diag([0.05, 0.05, 0.4, 0.4]), x.T @ target)
        np.testing.assert_allclose(model.coefficients[5, h], b, rtol=1e-9)


def test_planted_star_is_found_and_its_growth_is_that_of_its_matrix():
    y = process(steps=6000)
    model = space_time.fit(y, [SELF, FIRST], lags=1, pooled=True)
    # 72,000 rows: a standard error of about 0.004; four of them
    np.testing.assert_allclose(model.table()["mean"], [0.5, 0.3], atol=0.016)
    assert space_time.modulus(model) == pytest.approx(0.8, abs=0.02)
    assert list(model.table()["order"]) == [0, 1]


@pytest.mark.parametrize("places", [12, 300])  # by all eigenvalues, and by the largest alone
def test_modulus_is_how_fast_a_shock_fades(places):
    ring = np.roll(np.eye(places), 1, axis=1) + np.roll(np.eye(places), -1, axis=1)
    made = [orders.themselves(places), *orders.rings(ring, most=1)]
    y = np.random.default_rng(5).standard_normal((400, places)).cumsum(axis=0)
    model = space_time.fit(y, made, lags=(2, 1), penalty=0.01)
    level = space_time.modulus(model)
    one, two = np.random.default_rng(6).standard_normal((2, places))
    b, size = model.coefficients[:, 0], []
    for _ in range(4000):
        one, two = b[:, 0] * one + b[:, 1] * two + b[:, 2] * (made[1] @ one), one
        size.append(np.sqrt(one @ one + two @ two))
        one, two = one / size[-1], two / size[-1]
    assert level == pytest.approx(np.exp(np.log(size[2000:]).mean()), rel=1e-3)


def test_no_forecast_knows_what_comes_after_its_origin():
    y = process()
    y[np.random.default_rng(0).random(y.shape) < 0.05] = np.nan
    model = space_time.fit(y, [SELF, FIRST], lags=(3, 2), steps=(1, 2, 3), until=400)
    at = np.array([400, 450, 500])
    together = model.forecast(y, origins=at)
    for k, origin in enumerate(at):
        alone = model.forecast(y[:origin], origins=at[k : k + 1])[0]
        np.testing.assert_allclose(alone, together[k], rtol=1e-12)  # products of other sizes round otherwise
    moved = y.copy()
    moved[400:] = 1e6
    again = space_time.fit(moved, [SELF, FIRST], lags=(3, 2), steps=(1, 2, 3), until=400)
    np.testing.assert_array_equal(again.coefficients, model.coefficients)


def test_missing_inputs_are_filled_from_before_or_by_what_stands_in():
    y = process()
    holes = y.copy()
    holes[450, 3] = np.nan
    model = space_time.fit(y, [SELF, FIRST], lags=1, until=400)
    filled = y.copy()
    filled[450, 3] = y[449, 3]
    at = np.array([451])
    np.testing.assert_allclose(model.forecast(holes, origins=at), model.forecast(filled, origins=at))
    np.testing.assert_allclose(model.forecast(holes, origins=at, stand_in=y), model.forecast(y, origins=at))
    again = space_time.fit(holes, [SELF, FIRST], lags=1)
    assert list(again.rows[[2, 3]]) == [599, 598]


def test_a_sensor_without_a_fit_has_a_status_and_stops_nobody():
    y = process()
    dead, still, young = y.copy(), 5, 7
    dead[:, 2], dead[:, still], dead[9:, young] = np.nan, 40.0, np.nan
    model = space_time.fit(dead, [SELF], lags=2)
    assert list(model.status[[0, 2, still, young]]) == ["fitted", "all missing", "constant", "too few rows"]
    found = model.forecast(dead, origins=[500])
    assert np.isnan(found[0, 0, [2, still, young]]).all()
    alone = space_time.fit(y, [SELF], lags=2).forecast(y, origins=[500])
    np.testing.assert_array_equal(found[0, 0, [0, 1, 11]], alone[0, 0, [0, 1, 11]])
    with pytest.raises(InputError, match="at least one sensor be fitted"):
        space_time.fit(np.full((50, PLACES), np.nan), [SELF], lags=1)


def test_units_do_not_matter():
    y = process()
    sizes, levels = np.linspace(1, 50, PLACES), np.linspace(-3, 90, PLACES)
    given = {"lags": (2, 1), "steps": (1, 2), "penalty": 0.1}
    plain = space_time.fit(y, [SELF, FIRST], **given).forecast(y, origins=[300, 301])
    moved = space_time.fit(y * sizes + levels, [SELF, FIRST], **given).forecast(y * sizes + levels, origins=[300, 301])
    np.testing.assert_allclose(moved, plain * sizes + levels, rtol=1e-9)


@pytest.mark.parametrize("size", [1e160, 1e-160, 1e-250, 1e290])
def test_readings_whose_squares_no_number_can_hold_are_fitted_all_the_same(size):
    y, sizes = process(), np.where(np.arange(PLACES) % 2, size, 1.0)
    known = np.random.default_rng(1).standard_normal((*y.shape, 1))
    given = {"lags": (2, 1), "penalty": 0.1}
    plain = space_time.fit(y, [SELF, FIRST], known=known, **given)
    moved = space_time.fit(y * sizes, [SELF, FIRST], known=known * size, **given)
    assert set(moved.status) == {"fitted"}
    np.testing.assert_allclose(moved.coefficients, plain.coefficients, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(moved.residual / sizes[:, None], plain.residual, rtol=1e-9)
    found = moved.forecast(y * sizes, origins=[300], known=known * size) / sizes
    np.testing.assert_allclose(found, plain.forecast(y, origins=[300], known=known), rtol=1e-9, atol=1e-12)
    tried = {"candidates": [(1, 1), (2, 0)], "penalties": (0.1, 1.0), "split": 300}
    one, other = (space_time_choice.choose(values, [SELF, FIRST], **tried) for values in (y, y * size))
    assert other.lags == one.lags
    assert other.rmse / size == pytest.approx(one.rmse, rel=1e-9)


def test_readings_too_large_to_be_subtracted_are_refused():
    with pytest.raises(InputError, match=r"values must be at most 1e\+300, got '1\.\d+e\+30\d'; take another unit"):
        space_time.fit(process() / 3 * 1e308, [SELF], lags=1)
    with pytest.raises(InputError, match="values must have a sensor at least"):
        space_time.fit(np.zeros((60, 0)), [sparse.csr_array((0, 0))], lags=1)


def test_a_sensor_is_made_up_from_the_others_of_the_same_moment():
    y = process()
    y[:, 4] = 3 + 2 * y[:, 3] - y[:, 5]
    model = space_time.fit(y, orders.one_each(RING, most=2), lags=1, steps=(0,), until=400)
    found = model.forecast(y, origins=np.arange(401, 601))
    np.testing.assert_allclose(found[:, 0, 4], y[400:600, 4], rtol=1e-8)
    with pytest.raises(InputError, match="where a sensor sees itself"):
        space_time.fit(y, [SELF, FIRST], lags=1, steps=(0, 1))


def test_choosing_is_fitting_each_on_the_first_part_and_scoring_it_on_the_last():
    y = process(seed=8) * np.linspace(1, 4, PLACES)
    y[np.random.default_rng(0).random(y.shape) < 0.03] = np.nan
    made = [SELF, *orders.one_each(RING, most=2)]
    candidates = [(2, 0, 0), (1, 2, 0), (2, 1, 1)]
    given = {"steps": (1, 2), "known": np.random.default_rng(1).standard_normal((len(y), PLACES, 1))}
    found = space_time_choice.choose(
        y, made, candidates=candidates, penalties=(0.01, 1.0), own_shares=(1.0, 0.1), split=400, until=550, **given
    )
    at = np.arange(400, 549)
    actual = np.stack([y[at], y[at + 1]], axis=1)
    scored = ~np.isnan(actual).any(axis=1, keepdims=True)
    for row in found.tried.itertuples():
        cost = [row.penalty * row.own_share, *[row.penalty] * 3]
        fitted = space_time.fit(y, made, lags=candidates[row.candidate], penalty=cost, until=400, **given)
        missed = np.where(scored, fitted.forecast(y, origins=at, known=given["known"]) - actual, np.nan)
        assert row.rmse == pytest.approx(np.sqrt(np.nanmean(missed**2)), rel=1e-8)
    best = found.tried.loc[found.tried["rmse"].idxmin()]
    assert (found.rmse, found.lags) == (best["rmse"], candidates[int(best["candidate"])])


def test_choosing_never_looks_past_its_end():
    y = process(seed=9)
    moved = y.copy()
    moved[500:] = 1e5
    given = {"candidates": [(1, 1), (2, 1)], "penalties": (0.1,), "steps": (1, 2), "split": 400, "until": 500}
    one, two = (space_time_choice.choose(v, [SELF, FIRST], **given).tried for v in (y, moved))
    assert one.equals(two)


BAD = [
    ({"lags": ()}, "lags"),
    ({"lags": (0, 0)}, "lags"),
    ({"lags": -1}, "lags"),
    ({"lags": 1, "steps": (2, 1)}, "steps"),
    ({"lags": 1, "steps": ()}, "steps"),
    ({"lags": 1, "penalty": -1.0}, "penalty"),
    ({"lags": 1, "penalty": (1.0,) * 5}, "penalty"),
    ({"lags": 1, "known": np.zeros((3, PLACES, 1))}, "known"),
    ({"lags": 1, "known": np.full((600, PLACES, 1), np.nan)}, "known"),
    ({"lags": 1, "stand_in": np.zeros((3, 3))}, "stand_in"),
    ({"lags": 1, "until": 601}, "until"),
    (
        {"lags": 600},
        "lags, steps must reach over no more than the 600 steps that are learned from, got '600 back and 1",
    ),
    ({"lags": 30, "until": 30}, "lags, steps must reach over no more than the 30 steps"),
    ({"lags": 1, "steps": (600,)}, "lags, steps must reach over"),
    ({"lags": None}, "lags must be a sequence of whole numbers, or one, got 'NoneType'"),
    ({"lags": 1, "steps": 1}, "steps must be a sequence"),
    ({"lags": 1, "penalty": "much"}, "penalty must be numeric"),
]


@pytest.mark.parametrize(("given", "argument"), BAD)
def test_bad_input_is_refused(given, argument):
    with pytest.raises(InputError, match=argument):
        space_time.fit(process(), [SELF, FIRST], **given)


def offset_of(y, steps=(1, 2), share=0.7):
    """Another model's forecasts: a share of the last reading, at every origin; nothing at the first."""
    other = np.full((len(y), PLACES, len(steps)), np.nan)
    other[1:] = share * y[:-1, :, None]
    return other


def test_what_another_forecast_leaves_is_fitted_as_statsmodels_does_with_an_offset():
    y = process(scale=7.0, level=40.0) * np.linspace(1, 3, PLACES)
    other = offset_of(y, steps=(1, 3))
    other[300:310, 7] = np.nan
    model = space_time.fit(y, [FIRST, SECOND], lags=(2, 1), steps=(1, 3), offset=other, until=500)
    at = np.arange(500, 550)
    found = model.forecast(y, origins=at, offset=other)
    z = (y - y[:500].mean(axis=0)) / y[:500].std(axis=0)
    for i in (0, 7):
        within = np.arange(2, 500 + 1 - 3)
        within = within[~np.isnan(other[within, i, 0])]
        for h, step in enumerate((1, 3)):
            x, _ = rows_of(z, [FIRST, SECOND], (2, 1), step, i, within)
            given = {"family": sm.families.Gaussian(), "offset": other[within, i, h]}
            peer = sm.GLM(y[within - 1 + step, i], sm.add_constant(x), **given).fit()
            new = rows_of(z, [FIRST, SECOND], (2, 1), 1, i, at)[0]
            theirs = peer.predict(sm.add_constant(new), offset=other[at, i, h])
            np.testing.assert_allclose(found[:, h, i], theirs, rtol=1e-9)
        assert model.rows[i] == len(within)


def test_choosing_what_mends_a_forecast_scores_the_mended_one():
    y = process(seed=8) * np.linspace(1, 4, PLACES)
    given = {"steps": (1, 2), "offset": offset_of(y)}
    found = space_time_choice.choose(
        y, [FIRST, SECOND], candidates=[(2, 0), (2, 1)], penalties=(0.01, 1.0), split=400, until=550, **given
    )
    at = np.arange(400, 549)
    actual = np.stack([y[at], y[at + 1]], axis=1)
    for row in found.tried.itertuples():
        lags = [(2, 0), (2, 1)][row.candidate]
        fitted = space_time.fit(y, [FIRST, SECOND], lags=lags, penalty=row.penalty, until=400, **given)
        missed = fitted.forecast(y, origins=at, offset=given["offset"]) - actual
        assert row.rmse == pytest.approx(np.sqrt((missed**2).mean()), rel=1e-8)


def test_an_offset_of_a_perfect_forecast_leaves_nothing_to_learn_and_bad_ones_are_refused():
    y = process()
    perfect = np.full((len(y), PLACES, 1), np.nan)
    perfect[:, :, 0] = y
    with pytest.raises(InputError, match="at least one sensor be fitted, got 'constant'"):
        space_time.fit(y, [FIRST], lags=1, offset=perfect)
    model = space_time.fit(y, [FIRST], lags=1, offset=offset_of(y, (1,)))
    gone = offset_of(y, (1,))
    gone[550, 3] = np.nan
    found = model.forecast(y, origins=[549, 550], offset=gone)
    assert np.isnan(found).sum() == 1
    assert np.isnan(found[1, 0, 3])
    for bad in (perfect[:-1], perfect[..., 0], np.full_like(perfect, np.inf)):
        with pytest.raises(InputError, match="offset"):
            space_time.fit(y, [FIRST], lags=1, offset=bad)
    with pytest.raises(InputError, match="offset must be given as in the fit"):
        model.forecast(y, origins=[500])
    with pytest.raises(InputError, match="offset must be given to the fit as well"):
        space_time.fit(y, [FIRST], lags=1).forecast(y, origins=[500], offset=perfect)
    with pytest.raises(InputError, match="fitted without an offset"):
        space_time.modulus(model)
    with pytest.raises(InputError, match="origins must lie between 1 and 599"):
        model.forecast(y, origins=[600], offset=perfect)


def test_bad_orders_origins_and_candidates_are_refused():
    y = process()
    nothing = ([None], None, 3, "ring", ["ring"], SELF, np.eye(PLACES))
    for made in ([], [sparse.eye_array(3)], [sparse.csr_array(np.full((PLACES, PLACES), np.inf))], *nothing):
        with pytest.raises(InputError, match="orders"):
            space_time.fit(y, made, lags=1)
    model = space_time.fit(y, [SELF], lags=3, steps=(2,))
    for at in ([2], [601], [], [5.5]):
        with pytest.raises(InputError, match="origins"):
            model.forecast(y, origins=at)
    with pytest.raises(InputError, match="values"):
        model.forecast(y[:, :3], origins=[50])
    with pytest.raises(InputError, match="known"):
        model.forecast(y, origins=[50], known=np.zeros((*y.shape, 2)))
    with pytest.raises(InputError, match="1 among its steps"):
        space_time.modulus(model)
    for candidates in ([], [(1,)], [(0, 0)], None, [1], [None]):
        with pytest.raises(InputError, match="candidates"):
            space_time_choice.choose(y, [SELF, FIRST], candidates=candidates, penalties=(1.0,), split=300)
    for penalties in ((0.0,), (), None):
        with pytest.raises(InputError, match="penalties"):
            space_time_choice.choose(y, [SELF], candidates=[(1,)], penalties=penalties, split=300)
    with pytest.raises(InputError, match="orders"):
        space_time_choice.choose(y, None, candidates=[(1,)], penalties=(1.0,), split=300)
    with pytest.raises(InputError, match="lags, steps must reach over no more than the 300 steps"):
        space_time_choice.choose(y, [SELF], candidates=[(1,), (300,)], penalties=(1.0,), split=300)
    gone = np.where(np.arange(600)[:, None] < 300, y, np.nan)
    with pytest.raises(InputError, match="split"):
        space_time_choice.choose(gone, [SELF], candidates=[(1,)], penalties=(1.0,), split=300)
