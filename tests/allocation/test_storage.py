"""A battery's plan against closed forms, a convex solver, finite differences and the bounds of stochastic programs."""

from __future__ import annotations

import cvxpy
import numpy as np
import pytest

from citylib import seeds
from citylib.allocation.storage import Battery, Schedule, bill, plan
from citylib.errors import InputError

PRICE = np.where((np.arange(24) >= 8) & (np.arange(24) < 20), 120.0, 60.0)


def days(number: int, seed: int = 0) -> np.ndarray:
    draw = seeds.generator(seed, "days")
    return 5 + 2 * np.sin((np.arange(24) - 9) / 12 * np.pi) + 0.5 * draw.standard_normal((number, 24))


def test_a_large_battery_without_losses_makes_the_day_flat() -> None:
    load = days(1)
    found = plan(load, Battery(100.0, 50.0, efficiency=1.0), price=np.ones(24), peak_price=10.0)
    np.testing.assert_allclose(found.drawn(load), load.mean(), atol=1e-9)
    assert found.worth_energy == pytest.approx(0, abs=1e-9)


def test_with_one_price_and_no_peak_price_losses_keep_the_battery_still() -> None:
    found = plan(days(1), Battery(4.0, 2.0, efficiency=0.8), price=np.full(24, 50.0), peak_price=0.0)
    np.testing.assert_allclose(found.charge + found.discharge, 0, atol=1e-9)


def test_two_prices_are_used_up_to_what_the_battery_holds() -> None:
    price = np.array([10.0, 30.0])
    found = plan([[1.0, 1.0]], Battery(2.0, 5.0, efficiency=0.81, kept=0.0), price=price, peak_price=0.0)
    assert found.state[1] == pytest.approx(2.0)
    assert found.charge[0] == pytest.approx(2 / 0.9)
    assert found.discharge[1] == pytest.approx(2 * 0.9)
    assert found.objective == pytest.approx(10 * (1 + 2 / 0.9) + 30 * (1 - 1.8))
    assert found.worth_energy == pytest.approx(30 * 0.9 - 10 / 0.9)


@pytest.mark.parametrize("tail", [0.0, 0.75, 1.0])
def test_the_plan_is_the_one_a_convex_solver_finds(tail: float) -> None:
    load = days(8)
    found = plan(load, Battery(5.0, 1.0), price=PRICE, peak_price=400.0, flexible=0.3, tail=tail)
    charge, discharge, moved, state = (cvxpy.Variable(24) for _ in range(4))
    drawn = [one + charge - discharge + moved for one in load]
    cost = cvxpy.hstack([PRICE @ one + 400 * cvxpy.max(one) for one in drawn])
    aim = {0.0: cvxpy.sum(cost) / 8, 0.75: cvxpy.sum_largest(cost, 2) / 2, 1.0: cvxpy.max(cost)}[tail]
    before = cvxpy.hstack([2.5, state[:-1]])
    held = [charge >= 0, charge <= 1, discharge >= 0, discharge <= 1, state >= 0, state <= 5, state[-1] == 2.5]
    held += [state == before + np.sqrt(0.9) * charge - discharge / np.sqrt(0.9)]
    held += [cvxpy.abs(moved) <= 0.3, cvxpy.sum(moved) == 0]
    best = cvxpy.Problem(cvxpy.Minimize(aim), held).solve(solver="CLARABEL")
    assert found.objective == pytest.approx(best, rel=1e-7)
    told = {0.0: found.cost.mean(), 0.75: np.sort(found.cost)[-2:].mean(), 1.0: found.cost.max()}[tail]
    assert told == pytest.approx(found.objective, rel=1e-9)


def keeps(found: Schedule, battery: Battery) -> None:
    one_way = np.sqrt(battery.efficiency)
    steps = one_way * found.charge - found.discharge / one_way
    np.testing.assert_allclose(np.diff(found.state), steps, atol=1e-8)
    assert found.state.min() >= -1e-9
    assert found.state.max() <= battery.energy + 1e-9
    assert max(found.charge.max(), found.discharge.max()) <= battery.power + 1e-9
    assert found.state[-1] == pytest.approx(battery.start)
    assert found.moved.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tail", [0.0, 0.5, 1.0])
def test_what_a_battery_can_do_is_kept_and_its_worth_is_the_slope(tail: float) -> None:
    load, small = days(6, seed=3), 1e-4
    told = {"price": PRICE, "peak_price": 500.0, "flexible": np.full(24, 0.2), "tail": tail}
    for energy, power in ((5.0, 1.5), (9.0, 0.6)):
        found = plan(load, Battery(energy, power), **told)
        keeps(found, Battery(energy, power))
        more = [plan(load, Battery(energy + sign * small, power), **told).objective for sign in (-1, 1)]
        assert found.worth_energy == pytest.approx((more[0] - more[1]) / (2 * small), rel=1e-4, abs=1e-4)
        more = [plan(load, Battery(energy, power + sign * small), **told).objective for sign in (-1, 1)]
        assert found.worth_power == pytest.approx((more[0] - more[1]) / (2 * small), rel=1e-4, abs=1e-4)


def test_waiting_is_never_dearer_than_planning_nor_planning_than_trusting_the_mean() -> None:
    load, battery = days(12, seed=5), Battery(6.0, 1.5)
    told = {"price": PRICE, "peak_price": 600.0}
    wait = np.mean([plan(one[None], battery, **told).objective for one in load])
    here = plan(load, battery, **told).objective
    trusting = plan(load.mean(axis=0)[None], battery, **told)
    expected = bill(trusting.drawn(load), PRICE, 600.0).mean()
    assert wait <= here + 1e-9
    assert here <= expected + 1e-9
    worst = plan(load, battery, tail=1.0, **told)
    assert worst.cost.max() <= plan(load, battery, **told).cost.max() + 1e-9


def test_a_day_that_has_begun_is_planned_on() -> None:
    load, battery = days(1, seed=7), Battery(5.0, 1.5)
    told = {"price": PRICE, "peak_price": 300.0}
    whole = plan(load, battery, flexible=0.3, **told)
    done = whole.drawn(load)[0, :10]
    owed = -float(whole.moved[:10].sum())
    assert abs(owed) > 0.1
    rest = plan(load[:, 10:], battery, price=PRICE[10:], peak_price=300.0, start=float(whole.state[10]),
                end=battery.start, peak_so_far=float(done.max()), flexible=0.3, owed=owed)  # fmt: skip
    assert rest.moved.sum() == pytest.approx(owed)
    total = done @ PRICE[:10] + bill(rest.drawn(load[:, 10:]), PRICE[10:], 300.0, peak_so_far=float(done.max()))[0]
    assert total == pytest.approx(whole.objective, rel=1e-9)


def test_bad_input_is_refused() -> None:
    load, battery = days(1), Battery(4.0, 1.0)
    with pytest.raises(InputError, match="price must"):
        plan(load, battery, price=-PRICE, peak_price=1.0)
    with pytest.raises(InputError, match="load_ST"):
        plan(np.full((1, 24), np.nan), battery, price=PRICE, peak_price=1.0)
    with pytest.raises(InputError, match="hold a day with an hour"):
        plan(np.empty((0, 24)), battery, price=PRICE, peak_price=1.0)
    with pytest.raises(InputError, match="tail must"):
        plan(load, battery, price=PRICE, peak_price=1.0, tail=1.5)
    with pytest.raises(InputError, match="flexible must"):
        plan(load, battery, price=PRICE, peak_price=1.0, flexible=-1.0)
    with pytest.raises(InputError, match="flexible must be one number, or one for each of 24 hours, got 3"):
        plan(load, battery, price=PRICE, peak_price=1.0, flexible=[0.1, 0.1, 0.1])
    for highest in (float("nan"), -1.0):
        with pytest.raises(InputError, match="peak_so_far must"):
            plan(load, battery, price=PRICE, peak_price=1.0, peak_so_far=highest)
    with pytest.raises(InputError, match="same"):
        plan(load, battery, price=PRICE[:5], peak_price=1.0)
    with pytest.raises(InputError, match=r"end must be within 0.9487 MWh of the start, 0, in 1 hours, got 4"):
        plan(load[:, :1], battery, price=PRICE[:1], peak_price=1.0, start=0.0, end=4.0)
    with pytest.raises(InputError, match="owed must be at most what may be moved"):
        plan(load, battery, price=PRICE, peak_price=1.0, flexible=0.1, owed=3.0)
    with pytest.raises(InputError, match="start must"):
        plan(load, battery, price=PRICE, peak_price=1.0, start=9.0)
    for wrong in ({"energy": -1.0}, {"power": float("nan")}, {"efficiency": 0.0}, {"kept": 1.2}):
        with pytest.raises(InputError):
            Battery(**{"energy": 1.0, "power": 1.0, **wrong})


def test_no_more_load_leaves_an_hour_than_there_is():
    found = plan([[1.0, 2.0]], Battery(0.0, 0.0), price=[2.0, 1.0], peak_price=0.0, flexible=5.0)
    np.testing.assert_allclose(found.drawn([[1.0, 2.0]]), [[0.0, 3.0]], atol=1e-9)
    with pytest.raises(InputError, match="owed must be at most what may be moved, 3 MWh"):
        plan([[1.0, 2.0]], Battery(0.0, 0.0), price=[2.0, 1.0], peak_price=0.0, flexible=5.0, owed=-4.0)
