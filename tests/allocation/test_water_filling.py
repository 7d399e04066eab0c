"""Water-filling is the optimum: by its conditions, by a convex solver, by laws; its gradient is that of differences."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib.allocation import bounds, water_filling, water_filling_layer
from citylib.errors import InputError, UnknownNameError


def effects(seed, *shape):
    draw = np.random.default_rng(seed)
    return np.exp(0.7 * draw.standard_normal(shape)), np.exp(0.4 * draw.standard_normal(shape))


def benefit(shares, a, b, budget):
    return (a * -np.expm1(-b * shares * np.asarray(budget)[..., None])).sum(axis=-1)


def plain(a, b, budget, low, high):
    """Bisect on the level: the textbook's form, slow and without any cleverness."""
    worth = np.log(a * b)
    amounts = lambda level: np.clip((worth - level) / b, low * budget, high * budget)  # noqa: E731
    down, up = worth.min() - b.max() * budget - 1, worth.max() + 1
    for _ in range(200):
        middle = (down + up) / 2
        down, up = (middle, up) if amounts(middle).sum() > budget else (down, middle)
    return amounts(down) / budget


@st.composite
def instances(draw):
    n = draw(st.integers(1, 8))
    seed = draw(st.integers(0, 2**20))
    budget = draw(st.floats(0.01, 100))
    a, b = effects(seed, n)
    chance = np.random.default_rng(seed + 1)
    low = chance.dirichlet(np.ones(n)) * chance.uniform(0, 1) * (chance.random(n) < 0.5)
    high = np.minimum(low + chance.uniform(0.02, 1, n), 1)
    high = np.maximum(high, high / high.sum()) if high.sum() < 1 else high
    return a, b, budget, low, np.minimum(np.maximum(high, low), 1)


@settings(deadline=None, max_examples=150)
@given(instances())
def test_it_is_the_plain_form_and_keeps_the_conditions(instance):
    a, b, budget, low, high = instance
    found = water_filling.fill(a, b, budget, low=low, high=high)
    assert found.residual < 1e-10
    assert found.shares.sum() == pytest.approx(1, abs=1e-12)
    assert (found.shares >= low - 1e-12).all()
    assert (found.shares <= high + 1e-12).all()
    np.testing.assert_allclose(found.shares, plain(a, b, budget, low, high), atol=1e-9)
    marginal = a * b * np.exp(-b * found.shares * budget)  # the conditions again, by hand
    free = found.side == 0
    np.testing.assert_allclose(marginal[free], found.price, rtol=1e-9)
    assert (marginal[found.side == 1] <= found.price * (1 + 1e-9)).all()
    assert (marginal[found.side == 2] >= found.price * (1 - 1e-9)).all()


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")  # by 1e-11, on some processors; here 1e-7 is enough
def test_it_is_a_convex_solvers_optimum():
    a, b = effects(0, 40, 12)
    budget, low, high = 12.0, np.full(12, 0.01), np.full(12, 0.2)
    found = water_filling.fill(a, b, budget, low=low, high=high)
    w, pa, pb = cvxpy.Variable(12), cvxpy.Parameter(12, pos=True), cvxpy.Parameter(12, pos=True)
    aim = cvxpy.Minimize(pa @ cvxpy.exp(-budget * cvxpy.multiply(pb, w)))
    problem = cvxpy.Problem(aim, [cvxpy.sum(w) == 1, w >= low, w <= high])
    for k in range(40):
        pa.value, pb.value = a[k], b[k]
        problem.solve(solver="CLARABEL", tol_gap_abs=1e-11, tol_gap_rel=1e-11, tol_feas=1e-11, ignore_dpp=True)
        ours, theirs = benefit(found.shares[k], a[k], b[k], budget), benefit(w.value, a[k], b[k], budget)
        assert abs(ours / theirs - 1) < 1e-7
        np.testing.assert_allclose(found.shares[k], w.value, atol=1e-4)


@settings(deadline=None, max_examples=50)
@given(instances(), st.floats(1.01, 3))
def test_more_budget_takes_from_nobody_and_is_worth_less_and_less(instance, more):
    a, b, budget, _, _ = instance
    less, richer = water_filling.fill(a, b, budget), water_filling.fill(a, b, budget * more)
    assert (richer.shares * more >= less.shares - 1e-9).all()
    assert richer.price <= less.price * (1 + 1e-9)
    step = budget * 1e-6
    further = water_filling.fill(a, b, budget + step)
    top = benefit(less.shares, a, b, budget)
    gain = benefit(further.shares, a, b, budget + step) - top
    rounding = 1e-15 * top / step  # of a difference of two sums
    assert gain / step == pytest.approx(float(less.price), rel=1e-4, abs=4 * rounding), "what a unit more adds"


def test_order_and_padding_change_nothing():
    a, b = effects(3, 20, 7)
    order = np.random.default_rng(0).permutation(7)
    whole = water_filling.fill(a, b, 7.0)
    np.testing.assert_allclose(
        water_filling.fill(a[:, order], b[:, order], 7.0).shares, whole.shares[:, order], atol=1e-14
    )
    wide = np.full((20, 9), np.nan)
    padded = water_filling.fill(
        np.where(np.arange(9) < 7, np.pad(a, ((0, 0), (0, 2))), wide),
        np.where(np.arange(9) < 7, np.pad(b, ((0, 0), (0, 2))), wide),
        np.full(20, 7.0),
        mask=np.arange(9) < 7,
    )
    np.testing.assert_array_equal(padded.shares[:, :7], whole.shares)
    assert not padded.shares[:, 7:].any()


def test_many_at_once_and_one_by_one_are_the_same():
    a, b = effects(4, 3, 5, 6)
    budget = np.random.default_rng(1).uniform(0.1, 9, (3, 5))
    found = water_filling.fill(a, b, budget)
    assert found.price.shape == (3, 5)
    one = water_filling.fill(a[2, 3], b[2, 3], budget[2, 3])
    np.testing.assert_array_equal(found.shares[2, 3], one.shares)


def test_everyone_at_a_bound():
    a, b = effects(5, 3)
    floors = water_filling.fill(a, b, 2.0, low=[0.2, 0.3, 0.5])
    np.testing.assert_allclose(floors.shares, [0.2, 0.3, 0.5])
    assert floors.residual < 1e-10
    assert floors.price == pytest.approx((a * b * np.exp(-b * floors.shares * 2)).max())
    caps = water_filling.fill(a, b, 2.0, high=[0.2, 0.3, 0.5])
    np.testing.assert_allclose(caps.shares, [0.2, 0.3, 0.5])
    assert caps.price == 0
    assert water_filling.fill([2.0], [1.0], 3.0).shares.tolist() == [1.0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0, 2.0], [1.0, 1.0], 0.0), "budget must be above 0"),
        (([1.0, 2.0], [1.0, 1.0], -3.0), "budget must be above 0"),
        (([1.0, np.nan], [1.0, 1.0], 1.0), "scale must have no missing values"),
        (([1.0, -2.0], [1.0, 1.0], 1.0), "scale must be above 0, for the closed form"),
        (([1.0, 2.0], [1.0, -0.5], 1.0), "use a convex solver"),
        (([1.0, 2.0], [1.0, 1.0, 1.0], 1.0), "rate must have the shape of scale"),
        ((3.0, 1.0, 1.0), "at least one resource"),
        (([[1.0, 2.0]], [[1.0, 1.0]], [1.0, 2.0]), "budget must be one number, or of shape"),
    ],
)
def test_what_is_wrong_is_said(arguments, words):
    with pytest.raises(InputError, match=words):
        water_filling.fill(*arguments)


@pytest.mark.parametrize("rate", [1e-310, 1e-200])
def test_what_rounding_leaves_no_answer_to_is_refused(rate):
    with pytest.raises(InputError, match="rate times budget must lie within what 64 bits can tell apart"):
        water_filling.fill([1.0, 1.0, 1.0], [rate, 1.0, 1.0], 1.0)


def test_words_and_ragged_rows_are_refused():
    for scale in (["a", "b"], [[1.0, 2.0], [3.0]]):
        with pytest.raises(InputError, match="scale must be numeric"):
            water_filling.fill(scale, [1.0, 1.0], 1.0)


def test_the_layer_refuses_budgets_and_shapes_that_cannot_be():
    log_a = torch.zeros(1, 2)
    for money in (0.0, -1.0, torch.nan):
        with pytest.raises(InputError, match="budget must be 1 numbers above 0"):
            water_filling_layer.fill(log_a, log_a, torch.tensor([money]))
    with pytest.raises(InputError, match="log_rate must have the shape"):
        water_filling_layer.fill(log_a, log_a[0], torch.ones(1))
    with pytest.raises(InputError, match="mask must have the shape"):
        water_filling_layer.fill(log_a, log_a, torch.ones(1), mask_BN=torch.ones(2, dtype=torch.bool))


def test_bounds_that_cannot_be_kept_name_the_resources():
    give = lambda **more: water_filling.fill([1.0, 2.0], [1.0, 1.0], 1.0, names=["north", "south"], **more)  # noqa: E731
    with pytest.raises(InputError, match=r"add up to 1 at most, got 'north 0\.7, south 0\.4: together 1\.1'"):
        give(low=[0.7, 0.4])
    with pytest.raises(InputError, match=r"caps must add up to 1 at least.*north 0\.3, south 0\.4"):
        give(high=[0.3, 0.4])
    with pytest.raises(InputError, match=r"not lie above the caps, got 'south 0\.5 \(cap 0\.4\)'"):
        give(low=[0, 0.5], high=[1, 0.4])
    with pytest.raises(InputError, match="be 0 or more"):
        give(low=[-0.1, 0.5])
    with pytest.raises(InputError, match="leave every instance a resource"):
        give(mask=[False, False])
    with pytest.raises(InputError, match=r"be 0 or more, got 'north -0\.1'$"):
        give(low=[-0.1, 0.5])
    with pytest.raises(InputError, match="names must name the 2 resources, got 3"):
        water_filling.fill([1.0, 2.0], [1.0, 1.0], 1.0, low=[0.1, 0.1], names=["north", "south", "east"])
    with pytest.raises(InputError, match=r"together 1\.2 \(instance 1\)"):
        water_filling.fill(np.ones((2, 2)), np.ones((2, 2)), 1.0, low=[[0.1, 0.1], [0.6, 0.6]])
    with pytest.raises(InputError, match="otherwise must be finite"):
        bounds.by_name("cap", {"north": 0.2}, ["north", "south"], otherwise=np.inf)
    with pytest.raises(UnknownNameError, match="did you mean 'north'"):
        bounds.by_name("minimum", {"norht": 0.2}, ["north", "south"], otherwise=0)


@pytest.mark.parametrize("bounded", [False, True])
def test_the_layer_is_the_same_and_its_gradient_is_that_of_differences(bounded):
    a, b = effects(6, 4, 6)
    budget = torch.tensor([0.5, 3.0, 6.0, 20.0], dtype=torch.float64, requires_grad=True)
    log_a = torch.tensor(np.log(a), requires_grad=True)
    log_b = torch.tensor(np.log(b), requires_grad=True)
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[1, 4:] = False
    low = torch.full((4, 6), 0.05 if bounded else 0.0, dtype=torch.float64)
    high = torch.full((4, 6), 0.4 if bounded else 1.0, dtype=torch.float64)

    def layer(x, y, r):
        return water_filling_layer.fill(x, y, r, mask_BN=mask, low_BN=low, high_BN=high)

    shares = layer(log_a, log_b, budget).detach().numpy()
    exact = water_filling.fill(a, b, budget.detach(), mask=mask, low=low, high=high)
    np.testing.assert_allclose(shares, exact.shares, atol=1e-12)
    assert set(np.unique(exact.side)) >= ({0, 1, 2, 3} if bounded else {0, 1, 3}), "all sides are tried"
    assert torch.autograd.gradcheck(layer, (log_a, log_b, budget), eps=1e-7, atol=1e-6)
    assert torch.autograd.gradgradcheck(layer, (log_a, log_b, budget), eps=1e-6, atol=1e-4)


def test_the_layer_in_single_precision_still_sums_to_one():
    a, b = effects(7, 64, 12)
    shares = water_filling_layer.fill(
        torch.tensor(np.log(a)).float(), torch.tensor(np.log(b)).float(), torch.full((64,), 12.0)
    )
    assert shares.dtype == torch.float32
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(64), atol=1e-6, rtol=0)
