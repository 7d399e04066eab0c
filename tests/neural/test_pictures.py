"""Pictures of traffic: rows along the road, nothing across the split, nothing of what comes after."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib import seeds
from citylib.errors import InputError
from citylib.neural import pictures
from citylib.neural.picture_training import classifying, level_weights, probabilities

T, N, SPLIT = 60, 5, 40
LEARNED = np.arange(T) < SPLIT
ROAD = np.diag(np.full(N - 1, 0.8), 1)  # from each sensor to the next


def city(values: np.ndarray | None = None) -> pictures.Pictures:
    speeds = 60 * np.random.default_rng(0).uniform(0.3, 1.1, (T, N)) if values is None else values
    share = speeds / pictures.free_speed(speeds, learned=LEARNED)
    usual = np.broadcast_to(np.nanmean(share[:SPLIT], axis=0), share.shape)
    return pictures.draw(share, usual, pictures.along(ROAD, side=1), learned=LEARNED, columns=4, ahead=3)


def test_levels_are_cut_where_they_say() -> None:
    assert pictures.levels([0.9, 0.8999, 0.75, 0.7499, 0.5, 0.4999, 0.0]).tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert pictures.levels(np.array([[np.nan, 1.0]]), (0.5,)).tolist() == [[-1, 0]]
    for cuts in ((), (0.5, 0.9), (0.5, 0.5), (1.2, 0.5)):
        with pytest.raises(InputError, match="cuts"):
            pictures.levels([0.5], cuts)


def test_rare_levels_are_put_to_their_neighbour_and_a_single_one_is_refused() -> None:
    share = np.r_[np.full(50, 1.0), np.full(30, 0.8), np.full(5, 0.6), np.full(20, 0.1)]
    assert pictures.common_cuts(share, least=5) == (0.9, 0.75, 0.5)
    assert pictures.common_cuts(share, least=6) == (0.9, 0.5)  # the rare one joins the milder
    assert pictures.common_cuts(np.r_[np.full(2, 1.0), np.full(30, 0.8), np.full(9, 0.1)], least=5) == (0.5,)
    with pytest.raises(InputError, match="two levels"):
        pictures.common_cuts(np.full(100, 0.95), least=5)


def test_free_speed_is_of_learned_steps_only() -> None:
    speeds = np.random.default_rng(1).uniform(10, 60, (T, N))
    later = speeds.copy()
    later[SPLIT:] = 500
    before = pictures.free_speed(speeds, learned=LEARNED)
    np.testing.assert_array_equal(before, np.quantile(speeds[:SPLIT], 0.85, axis=0))
    np.testing.assert_array_equal(before, pictures.free_speed(later, learned=LEARNED))
    speeds[:SPLIT, 2] = np.nan
    with pytest.raises(InputError, match="first at column 2"):
        pictures.free_speed(speeds, learned=LEARNED)
    with pytest.raises(InputError, match="above 0"):
        pictures.free_speed(np.zeros((T, N)), learned=LEARNED)


def test_rows_lie_along_the_road() -> None:
    rows = pictures.along(ROAD, side=1)
    assert rows.tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 4]]
    farther = ROAD + np.diag(np.full(N - 2, 0.3), 2)
    assert pictures.along(farther, side=2)[2].tolist() == [0, 1, 2, 3, 4]
    both_ways = ROAD + ROAD.T
    assert pictures.along(both_ways, side=1)[1].tolist() == [0, 1, 2]
    assert pictures.along(np.zeros((2, 2)), side=1).tolist() == [[0, 0, 0], [1, 1, 1]]
    with pytest.raises(InputError, match="as many rows"):
        pictures.along(np.zeros((2, 3)), side=1)


def test_a_picture_shows_what_it_should() -> None:
    made = city()
    x = made.gather(torch.tensor([10]), torch.tensor([2]))
    assert x.shape == (1, *made.shape) == (1, 3, 3, 4)
    now = made.planes_TNC[:, :, 0]
    np.testing.assert_array_equal(x[0, 0], now[6:10, 1:4].T)
    np.testing.assert_array_equal(x[0, 2], made.planes_TNC[6:10, 1:4, 2].T)
    np.testing.assert_allclose(made.planes_TNC[3, :, 2], made.planes_TNC[6, :, 1])  # usual later: three steps on
    for at, sensor in ((3, 0), (T + 1, 0), (10, N)):
        with pytest.raises(InputError):
            made.gather(torch.tensor([at]), torch.tensor([sensor]))


def test_no_case_crosses_the_split() -> None:
    made = city()
    learned, tested = made.cases(0, SPLIT), made.cases(SPLIT, T, reach=0)
    assert int(learned.at.max()) + made.ahead == SPLIT  # what came is the last row before the split
    assert int(tested.at.min()) == SPLIT  # the first origin has seen all up to the split, and nothing after it
    np.testing.assert_array_equal(tested.level, made.level_TN[tested.at + 2, tested.sensor])
    np.testing.assert_array_equal(tested.now, made.level_TN[tested.at - 1, tested.sensor])
    with pytest.raises(InputError):
        made.cases(SPLIT, SPLIT + 2, reach=0)
    with pytest.raises(InputError, match="at most"):
        made.cases(SPLIT, T + 1)


def test_what_comes_later_changes_nothing() -> None:
    speeds = 60 * np.random.default_rng(0).uniform(0.3, 1.1, (T, N))
    shuffled = speeds.copy()
    shuffled[SPLIT:] = np.random.default_rng(5).permutation(speeds[SPLIT:].ravel()).reshape(-1, N)
    one, other = city(speeds), city(shuffled)
    learned, again = one.cases(0, SPLIT), other.cases(0, SPLIT)
    assert torch.equal(learned.level, again.level)
    assert torch.equal(one.gather(learned.at, learned.sensor), other.gather(again.at, again.sensor))
    blind = speeds.copy()
    blind[50:] = np.random.default_rng(6).uniform(1, 60, (T - 50, N))
    at, sensor = torch.full((N,), 50), torch.arange(N)
    assert torch.equal(one.gather(at, sensor), city(blind).gather(at, sensor))


def test_missing_readings_are_shown_as_usual_and_never_foreseen() -> None:
    speeds = 60 * np.random.default_rng(0).uniform(0.3, 1.1, (T, N))
    speeds[45, 1] = np.nan
    speeds[42:47, 3] = np.nan  # longer than a picture
    made = city(speeds)
    assert not bool(torch.isnan(made.planes_TNC).any())
    tested = made.cases(SPLIT, T, reach=0)
    assert not bool(((tested.at == 43) & (tested.sensor == 1)).any())
    seen = (tested.at == 46) & (tested.sensor == 1)
    assert tested.now[seen].tolist() == [made.level_TN[44, 1]]  # the last one read
    share = np.nanmean((speeds / pictures.free_speed(speeds, learned=LEARNED))[:SPLIT, 3])
    blank = (tested.at == 47) & (tested.sensor == 3)
    assert tested.now[blank].tolist() == [int(pictures.levels([share])[0])]


def test_bad_pictures_are_refused() -> None:
    share, rows = np.random.default_rng(0).uniform(0.3, 1, (T, N)), pictures.along(ROAD, side=1)
    given = {"learned": LEARNED, "columns": 4, "ahead": 3}
    with pytest.raises(InputError, match="shape of share"):
        pictures.draw(share, share[:, 1:], rows, **given)
    with pytest.raises(InputError, match="odd number"):
        pictures.draw(share, share, rows[:, 1:], **given)
    with pytest.raises(InputError, match="name sensors"):
        pictures.draw(share, share, rows + N, **given)
    with pytest.raises(InputError, match="vary"):
        pictures.draw(np.ones((T, N)), np.ones((T, N)), rows, **given)
    with pytest.raises(InputError, match="no missing"):
        pictures.draw(share, np.full((T, N), np.nan), rows, **given)


def test_samples_and_balance() -> None:
    cases = city().cases(0, SPLIT)
    few = cases.sample(20, seeds.generator(0))
    assert len(few) == 20
    assert (torch.diff(few.at) >= 0).all()
    assert len(cases.sample(10_000, seeds.generator(0))) == len(cases)
    counts = np.bincount(np.concatenate([cases.balanced(seeds.generator(k)).level for k in range(20)]))
    assert counts.max() / counts.min() < 1.25


def test_levels_absent_from_training_are_refused_and_weights_count_alike() -> None:
    weights = level_weights([0, 0, 0, 1, 2, 2], 3)
    np.testing.assert_allclose(weights.numpy() * [3, 1, 2], [2, 2, 2])
    with pytest.raises(InputError, match=r"none of \[1\]"):
        level_weights([0, 2], 3)
    with pytest.raises(InputError, match="between 0 and 2"):
        level_weights([0, 1, 3], 3)


def test_loss_and_probabilities() -> None:
    made = city()
    cases = made.cases(0, SPLIT)
    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 3 * 4, made.classes))
    torch.nn.init.zeros_(flat[1].weight)
    torch.nn.init.zeros_(flat[1].bias)
    value = classifying(made)(flat, cases.at, cases.sensor, cases.level)
    assert float(value.detach()) == pytest.approx(np.log(4), rel=1e-6)
    np.testing.assert_allclose(probabilities(flat, made, cases, batch=7), 0.25)
