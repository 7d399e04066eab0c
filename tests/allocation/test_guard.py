"""The guard lets good reports pass unchanged, fills in few bad ones, steps in for many, and says what it did."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from citylib.allocation import guard, policy
from citylib.allocation.policies.equal import equal
from citylib.errors import InputError

DRAW = np.random.default_rng(0)
TRAIN = DRAW.standard_normal((200, 5, 3))
GOOD = np.clip(DRAW.standard_normal((4, 5, 3)), -2, 2)
NAMES = ["calls", "people", "age"]
PLACES = ["north", "south", "east", "west", "depot"]


def first(x, mask, budget):
    return torch.softmax(x[:, :, 0].masked_fill(~mask, -torch.inf), dim=1)


def made(**more):
    return guard.Guard(first, guard.limits(TRAIN), features=NAMES, **more)


def test_good_reports_pass_unchanged():
    found = made().decide(GOOD, 2.0)
    np.testing.assert_array_equal(found.shares_BN, policy.shares(first, policy.state(GOOD, 2.0)))
    assert not found.safe_B.any()
    assert not found.bad_BNF.any()
    assert found.told == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 50.0, -50.0])
def test_a_bad_reading_is_named_and_the_safe_rule_shares(value):
    bad = GOOD.copy()
    bad[2, 1, 0] = value
    found = made().decide(bad, 2.0, resources=PLACES)
    assert found.safe_B.tolist() == [False, False, True, False]
    np.testing.assert_allclose(found.shares_BN[2], 0.2)
    np.testing.assert_array_equal(np.argwhere(found.bad_BNF), [[2, 1, 0]])
    assert len(found.told) == 1
    what = "is missing" if np.isnan(value) else "beyond what was ever seen"
    assert found.told[0].startswith("instance 2: calls of south")
    assert what in found.told[0]
    assert found.told[0].endswith("the safe rule shares")


def test_few_are_filled_in_and_more_are_not():
    bad = GOOD.copy()
    bad[0, 0, 1] = np.nan
    bad[1, 0, :] = np.nan
    bad[1, 1, :] = np.nan
    found = made(tolerated=1).decide(bad, 2.0)
    assert found.safe_B.tolist() == [False, True, False, False]
    typical = GOOD.copy()
    typical[0, 0, 1] = np.median(TRAIN[:, :, 1])
    np.testing.assert_allclose(found.shares_BN[0], policy.shares(first, policy.state(typical, 2.0))[0])
    assert "filled with what is usual" in found.told[0]
    assert "3 more readings are bad" in found.told[1]


def test_the_last_good_shares_are_kept():
    last = np.tile([0.4, 0.3, 0.2, 0.1, 0.0], (4, 1))
    bad = GOOD.copy()
    bad[3] = np.nan
    found = made().decide(bad, 2.0, last=last)
    np.testing.assert_allclose(found.shares_BN[3], last[3])
    assert "the last good shares are kept" in found.told[0]


def test_what_the_mask_leaves_out_may_be_anything():
    mask = np.ones((4, 5), bool)
    mask[:, 4] = False
    bad = GOOD.copy()
    bad[:, 4] = np.nan
    found = made().decide(bad, 2.0, mask=mask)
    assert not found.safe_B.any()
    assert (found.shares_BN[:, 4] == 0).all()


def test_a_policy_that_gives_no_shares_is_replaced():
    def broken(x, mask, budget):
        out = equal(x, mask, budget).clone()
        out[1] = torch.nan
        out[2] = 0.3
        return out

    found = guard.Guard(broken, guard.limits(TRAIN)).decide(GOOD, 2.0)
    assert found.safe_B.tolist() == [False, True, True, False]
    np.testing.assert_allclose(found.shares_BN, 0.2)
    assert all("the policy gave no shares" in line for line in found.told)


def test_refusals():
    with pytest.raises(InputError, match="features must be 3 names"):
        guard.Guard(first, guard.limits(TRAIN), features=["calls"])
    with pytest.raises(InputError, match="tolerated"):
        made(tolerated=-1)
    with pytest.raises(InputError, match="instances of resources of 3 features"):
        made().decide(GOOD[:, :, :2], 2.0)
    with pytest.raises(InputError, match="budget must be above 0"):
        made().decide(GOOD, 0.0)
    with pytest.raises(InputError, match="last must be shares"):
        made().decide(GOOD, 2.0, last=np.full((4, 5), 0.3))
    with pytest.raises(InputError, match="tokens"):
        guard.limits([[[np.nan]]])
    with pytest.raises(InputError, match="margin"):
        guard.limits(TRAIN, margin=-1)


def test_the_safe_rule_is_asked_only_where_it_is_needed_and_looked_at_too():
    def picky(tokens_BNF, mask_BN, budget_B):
        assert len(tokens_BNF) == 1, "all other reports are good"
        return equal(tokens_BNF, mask_BN, budget_B)

    believed = guard.limits([[[0.0], [1.0]]])
    made = guard.Guard(equal, believed, safe=picky).decide([[[np.nan], [0.5]], [[0.2], [0.5]]], 1.0)
    assert made.safe_B.tolist() == [True, False]
    nothing = lambda tokens_BNF, mask_BN, budget_B: torch.zeros(mask_BN.shape)  # noqa: E731
    with pytest.raises(InputError, match="safe must be shares"):
        guard.Guard(equal, believed, safe=nothing).decide([[[np.nan], [0.5]]], 1.0)
    wide = lambda tokens_BNF, mask_BN, budget_B: torch.full((len(mask_BN), 3), 1 / 3)  # noqa: E731
    told = guard.Guard(wide, believed).decide([[[0.2], [0.5]]], 1.0)
    assert told.safe_B.all()
    assert "the policy gave no shares" in told.told[0]


def test_what_the_guard_is_given_is_looked_at():
    watch = guard.Guard(equal, guard.limits([[[0.1], [0.1]]]))
    assert not watch.decide(np.full((1, 2, 1), 0.1, dtype=np.float32), 1.0).bad_BNF.any(), "0.1 in single precision"
    with pytest.raises(InputError, match="mask must have the shape"):
        watch.decide([[[0.1], [0.1]]], 1.0, mask=[[True]])
    for ragged in ([[["n/a"], [0.1]]], [[[0.1], []]]):
        with pytest.raises(InputError, match="tokens must be numeric"):
            watch.decide(ragged, 1.0)
    with pytest.raises(InputError, match="tokens must hold a reading"):
        guard.limits(np.zeros((0, 2, 1)))
