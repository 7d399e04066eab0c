"""Which sensors to read: the filter against a textbook one, choices against all choices, laws, and what is refused."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from citylib import seeds
from citylib.allocation import polling, sensor_choice, sensor_dynamics, sensor_field, sensor_filter, sensor_learned
from citylib.allocation import sensor_world as worlds
from citylib.errors import InputError, UnknownNameError

NOISE = 0.3


@pytest.fixture(scope="module")
def small() -> sensor_field.Field:
    return sensor_field.field(seed=1, steps=200, learned=400, sensors=12)


@pytest.fixture(scope="module")
def moves(small: sensor_field.Field) -> sensor_dynamics.Dynamics:
    return sensor_dynamics.fit(small.learned_TN, kind="vector", penalty=50.0)


def watch(
    values: np.ndarray, moves: sensor_dynamics.Dynamics, rule: sensor_filter.Rule, reads: int
) -> sensor_filter.Watched:
    return sensor_filter.watch(values, moves, rule, reads=reads, noise=NOISE, generator=seeds.generator(3))


def test_the_filter_is_the_textbooks(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    values = small.values_TN[None, :40].copy()
    values[0, 5:8, 2] = np.nan
    seen = watch(values, moves, sensor_choice.InTurn(), 3)
    told = values + NOISE * seeds.generator(3).standard_normal(values.shape)
    mean, cov = np.zeros(12), moves.start_NN
    for t in range(40):  # the short form P - K S K', one step at a time
        if t:
            mean, cov = moves.transition_NN @ mean, moves.transition_NN @ cov @ moves.transition_NN.T + moves.noise_NN
        rows = np.eye(12)[seen.read_BTN[0, t]]
        spread = rows @ cov @ rows.T + NOISE**2 * np.eye(len(rows))
        gain = cov @ rows.T @ np.linalg.inv(spread)
        mean = mean + gain @ (told[0, t][seen.read_BTN[0, t]] - rows @ mean)
        cov = cov - gain @ spread @ gain.T
        np.testing.assert_allclose(seen.estimate_BTN[0, t], mean, atol=1e-9)
        np.testing.assert_allclose(seen.variance_BTN[0, t], cov.diagonal(), atol=1e-9)


def test_the_filter_is_that_of_statsmodels(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    kalman = pytest.importorskip("statsmodels.tsa.statespace.kalman_filter")
    values = small.values_TN[None, :60]
    seen = watch(values, moves, sensor_choice.by_pivots(moves.start_NN, 4), 4)
    told = (values + NOISE * seeds.generator(3).standard_normal(values.shape))[0]
    model = kalman.KalmanFilter(k_endog=12, k_states=12)
    model.bind(np.where(seen.read_BTN[0], told, np.nan))
    model["design"], model["selection"], model["obs_cov"] = np.eye(12), np.eye(12), NOISE**2 * np.eye(12)
    model["transition"], model["state_cov"] = moves.transition_NN, moves.noise_NN
    model.initialize_known(np.zeros(12), moves.start_NN)
    np.testing.assert_allclose(model.filter().filtered_state.T, seen.estimate_BTN[0], atol=1e-8)


def test_runs_together_are_runs_alone(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    start = np.repeat(moves.start_NN[None], 2, axis=0)
    chosen, told = np.array([[0, 3], [5, -1]]), np.array([[1.0, 2.0], [0.5, 9.0]])
    mean, cov = sensor_filter.read(np.zeros((2, 12)), start, chosen, told, noise=NOISE)
    one = sensor_filter.read(np.zeros((1, 12)), start[:1], chosen[1:, :1], told[1:, :1], noise=NOISE)
    np.testing.assert_allclose(mean[1], one[0][0], atol=1e-12)
    np.testing.assert_allclose(cov[1], one[1][0], atol=1e-12)


def test_josephs_form_stays_a_covariance() -> None:
    cov = np.repeat((1e8 * np.ones((5, 5)) + np.eye(5))[None], 1, axis=0)
    for _ in range(50):
        _, cov = sensor_filter.read(np.zeros((1, 5)), cov, np.array([[0, 1]]), np.zeros((1, 2)), noise=1e-3)
        assert np.linalg.eigvalsh(cov[0])[0] > -1e-6
        np.testing.assert_array_equal(cov[0], cov[0].T)


def test_fast_is_plain_where_one_reading_makes_another_worth_more() -> None:
    draw = seeds.generator(0)
    for _ in range(300):
        part = draw.standard_normal((6, int(draw.integers(2, 7)))) * draw.exponential(size=(6, 1)) ** 2
        cov, noise = part @ part.T, float(draw.choice([0.01, 0.1, 0.5]))
        fast = sensor_choice.greedy(cov, 4, noise=noise).tolist()
        assert fast == sensor_choice.greedy_plainly(cov, 4, noise=noise).tolist()


def test_what_is_known_for_sure_is_not_read_greedily() -> None:
    moves = sensor_dynamics.dynamics(0.5 * np.eye(3), np.diag([0.0, 1.0, 2.0]))
    values = seeds.generator(0).standard_normal((1, 6, 3))
    for aim in sensor_choice.AIMS:
        seen = watch(values, moves, sensor_choice.Greedy(aim), 1)
        assert not seen.read_BTN[0, :, 0].any()


def test_fast_is_plain_and_near_the_best(moves: sensor_dynamics.Dynamics) -> None:
    cov = moves.start_NN
    fast = sensor_choice.greedy(cov, 3, noise=NOISE)
    assert fast.tolist() == sensor_choice.greedy_plainly(cov, 3, noise=NOISE).tolist()

    def gain(chosen: tuple[int, ...]) -> float:
        part = cov[:, list(chosen)]
        spread = cov[np.ix_(chosen, chosen)] + NOISE**2 * np.eye(len(chosen))
        return float(np.trace(part @ np.linalg.solve(spread, part.T)))

    best = max(gain(chosen) for chosen in combinations(range(12), 3))
    assert gain(tuple(fast)) >= 0.95 * best


def test_weights_and_silence_matter() -> None:
    cov = np.diag([1.0, 2.0, 3.0])
    assert sensor_choice.greedy(cov, 1, noise=0.1, weight_N=[9, 1, 1]).tolist() == [0]
    assert sensor_choice.greedy(cov, 3, noise=0.1, can_N=[True, False, True]).tolist() == [2, 0, -1]


def test_more_reads_less_error(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    values = small.values_TN[None]
    error = [worlds.score(watch(values, moves, sensor_choice.Greedy(), k), values)["error"] for k in (0, 2, 6, 12)]
    assert (np.diff(error) < 0).all()
    everything = worlds.score(watch(values, moves, sensor_choice.Everything(), 12), values)
    assert everything["error"] == pytest.approx(error[-1])
    assert np.isnan(everything["coverage_unread"])


def test_it_is_calibrated_where_the_law_is_known() -> None:
    drawn = sensor_field.field(seed=0, steps=1500, learned=1, jams=False)
    known = sensor_dynamics.dynamics(0.9 * np.eye(40), (1 - 0.9**2) * drawn.covariance_NN)
    found = worlds.score(watch(drawn.values_TN[None], known, sensor_choice.Greedy(), 4), drawn.values_TN[None])
    assert found["z_variance"] == pytest.approx(1, abs=0.08)
    assert found["coverage"] == pytest.approx(0.9, abs=0.02)


def test_the_field_has_its_constants() -> None:
    drawn = sensor_field.field(seed=0, steps=4000, learned=4000)
    calm = np.vstack([drawn.values_TN - drawn.jams_TN])
    assert calm.var(axis=0).mean() == pytest.approx(1, abs=0.15)
    assert drawn.jams_TN.mean() == pytest.approx(0.02 * 2 / 0.2, rel=0.1)
    assert drawn.covariance_NN.diagonal().mean() == pytest.approx(1)
    again = sensor_field.field(seed=0, steps=4000, learned=4000, jams=False)
    np.testing.assert_allclose(again.values_TN, calm, atol=1e-12)


def test_gaps_are_neither_read_nor_scored(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    values = small.values_TN[None].copy()
    values[0, :, 4] = np.nan
    for rule in (
        sensor_choice.Greedy("deviation"),
        sensor_choice.InTurn(),
        sensor_choice.Fixed([4, 5]),
        sensor_choice.Chance(seeds.generator(0)),
    ):
        seen = watch(values, moves, rule, 2)
        assert not seen.read_BTN[0, :, 4].any()
        assert np.isfinite(worlds.score(seen, values)["error"])


def test_selectors_learn_where_the_variance_moves(small: sensor_field.Field) -> None:
    calm = sensor_field.field(seed=2, steps=50, learned=1200, sensors=10, jams=False).learned_TN
    moves = sensor_dynamics.fit(calm, shrink=0.0)
    index, network, history = sensor_learned.learn(calm, moves, reads=2, noise=NOISE, seed=0, epochs=1)
    state: list[sensor_filter.State] = []
    sensor_filter.watch(
        calm[None, :50], moves, index, reads=2, noise=NOISE, generator=seeds.generator(0), before=state.append
    )
    ratios = np.array([index.ratio(s)[0] for s in state])
    assert np.median(np.abs(np.log(ratios))) < 0.35, "nothing to correct where the law is Gaussian"
    assert network.pick(state[3], 2).shape == (1, 2)
    assert len(history.train) == 1


def test_worlds_are_learned_before_the_cut(small: sensor_field.Field) -> None:
    values = np.vstack([small.learned_TN, small.values_TN])
    given = {"cut": 400, "per_day": 24, "reads": 3, "noise": NOISE, "candidates": worlds.CANDIDATES[:3]}
    one = worlds.prepare(values, generator=seeds.generator(0), **given)
    changed = values.copy()
    changed[400:] += 100
    other = worlds.prepare(changed, generator=seeds.generator(0), **given)
    np.testing.assert_array_equal(one.moves.noise_NN, other.moves.noise_NN)
    np.testing.assert_array_equal(one.usual_TN, other.usual_TN)
    assert len(one.tried) == 3


def test_sensors_v1_is_read_in_its_own_unit() -> None:
    drawn = sensor_field.field(seed=0, steps=50, learned=300)
    both = np.vstack([drawn.learned_TN, drawn.values_TN])
    given = {"cut": 300, "per_day": 24, "reads": 4, "noise": NOISE, "candidates": [{"harmonics": 0, "kind": "level"}]}
    world = worlds.prepare(both, generator=seeds.generator(0), scaled=False, **given)
    np.testing.assert_array_equal(world.judged()[0], drawn.values_TN)
    spread = np.sqrt(world.moves.start_NN.diagonal())
    assert spread.max() > 1.3 * np.median(spread), "places differ in how much they vary, and that is kept"


def test_polling_meets_its_conditions() -> None:
    variance, forgets = np.array([1.0, 0.5, 2.0, 1.0]), np.array([1.0, 2.0, 6.0, 300.0])
    found = polling.poll(variance, forgets, budget=10.0, noise=0.1)
    assert found.visits_N.sum() == pytest.approx(10)
    assert found.visits_N[3] == 0
    base = polling.mean_variance(found.visits_N, variance, forgets, noise=0.1)
    for n in range(3):
        more = found.visits_N.copy()
        more[n] += 1e-4
        slope = (base.sum() - polling.mean_variance(more, variance, forgets, noise=0.1).sum()) / 1e-4
        assert slope == pytest.approx(found.price, rel=1e-3)
    draw = seeds.generator(0)
    others = polling.mean_variance(10 * draw.dirichlet(np.ones(4), 500), variance, forgets, noise=0.1).sum(axis=1)
    assert (others >= found.variance_N.sum() - 1e-9).all()


def test_a_visit_in_months_goes_where_the_first_one_is_worth_most() -> None:
    variance, forgets = np.array([1.0, 1.0, 2.0]), np.array([1.0, 3.0, 50.0])
    for budget in (1e-9, 1e-3, 0.01, 0.05, 0.2):
        found = polling.poll(variance, forgets, budget=budget, noise=0.1)
        np.testing.assert_allclose(found.visits_N, [budget, 0, 0], rtol=1e-9)
        assert 0 < found.price <= 0.5


def test_bad_input(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    values = small.values_TN[None]
    with pytest.raises(InputError, match="no negative eigenvalue"):
        sensor_choice.greedy([[1.0, 2.0], [2.0, 1.0]], 1, noise=0.1)
    with pytest.raises(InputError, match="symmetric"):
        sensor_dynamics.dynamics([[0.5, 0], [0, 0.5]], [[1.0, 0.5], [0.1, 1.0]])
    with pytest.raises(InputError, match="unit circle"):
        sensor_dynamics.dynamics([[1.0]], [[1.0]])
    for k in (0, -1, 13):
        with pytest.raises(InputError, match="reads"):
            sensor_choice.greedy(moves.start_NN, k, noise=NOISE)
    for k in (-1, 13):
        with pytest.raises(InputError, match="reads"):
            watch(values, moves, sensor_choice.InTurn(), k)
    for noise in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="noise"):
            sensor_choice.by_determinant(moves.start_NN, 2, noise=noise)
        with pytest.raises(InputError, match="noise"):
            sensor_filter.watch(
                values, moves, sensor_choice.InTurn(), reads=1, noise=noise, generator=seeds.generator(0)
            )
    with pytest.raises(InputError, match="no missing values"):
        sensor_choice.greedy([[1.0, np.nan], [np.nan, 1.0]], 1, noise=0.1)
    with pytest.raises(UnknownNameError, match="north"):
        sensor_choice.by_name(["nort"], ["north", "south"])
    with pytest.raises(InputError, match="sensors 0 to 11"):
        watch(values, moves, sensor_choice.Fixed([40]), 1)
    with pytest.raises(InputError, match="readings in a row"):
        sensor_dynamics.fit(np.full((20, 2), np.nan))
    with pytest.raises(InputError, match="sensors of the dynamics"):
        watch(values[..., :5], moves, sensor_choice.InTurn(), 1)
    with pytest.raises(InputError, match="forgets"):
        polling.poll([1.0], [0.0], budget=1.0, noise=0.1)
    with pytest.raises(InputError, match="budget"):
        polling.poll([1.0], [1.0], budget=0.0, noise=0.1)


def test_a_rule_that_cheats_is_refused(small: sensor_field.Field, moves: sensor_dynamics.Dynamics) -> None:
    class Twice:
        def pick(self, state: sensor_filter.State, reads: int) -> sensor_filter.IntArray:
            return np.array([[3, 3]])

    with pytest.raises(InputError, match="none twice"):
        watch(small.values_TN[None], moves, Twice(), 2)
    with pytest.raises(InputError, match="at most 1"):
        watch(small.values_TN[None], moves, Twice(), 1)


@pytest.mark.parametrize("gaps", [0.0, 0.3, 0.5])
def test_gaps_of_one_sensor_do_not_hide_what_another_tells_of_it(gaps):
    draw, move = np.random.default_rng(0), np.array([[0.5, 0.4], [0.0, 0.8]])
    away = np.zeros((20_000, 2))
    for t in range(1, len(away)):
        away[t] = move @ away[t - 1] + draw.standard_normal(2)
    away[draw.random(len(away)) < gaps, 0] = np.nan
    found = sensor_dynamics.fit(away, kind="vector", penalty=1e-6, shrink=0.0)
    np.testing.assert_allclose(found.transition_NN[0], move[0], atol=0.03)


def test_a_field_that_grows_is_held_back_and_ridges_are_numbers():
    away = (-1.2) ** np.arange(30)[:, None]
    assert sensor_dynamics.fit(away).transition_NN[0, 0] == pytest.approx(-sensor_dynamics.STABLE)
    with pytest.raises(InputError, match="ridge"):
        sensor_dynamics.usual(away, learned=20, per_day=24, harmonics=1, ridge=float("nan"))
    alone = sensor_dynamics.usual([[1.0], [2.0]], learned=1, per_day=24, harmonics=1, ridge=0.0)
    assert np.isfinite(alone).all()


@pytest.mark.parametrize("chosen", [[0.7, 1.9], ["a"], [-1]])
def test_fixed_sensors_are_named_by_whole_numbers(chosen):
    with pytest.raises(InputError, match=r"chosen\[0\] must be"):
        sensor_choice.Fixed(chosen)
