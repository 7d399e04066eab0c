"""What a ranking finds: by hand, by draws counted out, and refused where it cannot be asked."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.survival.catch import Round, by_expected, compare, curve, unseen_bounds


def test_caught_is_the_curve_at_the_share() -> None:
    rng = np.random.default_rng(0)
    score, length, came = rng.random(200), rng.uniform(1, 9, 200), rng.poisson(0.5, 200)
    taken, found = curve(score, length, came, generator=seeds.generator(0))
    one = Round({"score": score, "other": -score}, length, came)
    table = compare([one], baseline="other", generator=seeds.generator(0), tops=[0.05, 0.3], draws=100)
    for top, caught in table[table["rule"] == "score"][["top", "caught"]].to_numpy():
        assert caught == found[taken <= top][-1]
    less = table.groupby("top")["minus_baseline"].first()
    assert (table[table["rule"] == "other"][["minus_baseline", "difference_low"]] == 0).all(axis=None)
    wide = table.set_index(["rule", "top"])["caught"]
    assert less[0.3] == pytest.approx(wide["score", 0.3] - wide["other", 0.3])


def test_intervals_are_of_assets_drawn_again() -> None:
    rng = np.random.default_rng(1)
    score, length, came = rng.random(300), np.ones(300), rng.poisson(0.4, 300)
    got = compare(
        [Round({"a": score}, length, came)], baseline="a", generator=seeds.generator(0), tops=[0.2], draws=800
    )
    again = []
    for _ in range(800):
        rows = rng.integers(0, 300, 300)
        best = rows[np.argsort(-score[rows], kind="stable")][:60]
        again.append(came[best].sum() / came[rows].sum())
    np.testing.assert_allclose(got.loc[0, ["low", "high"]].astype(float), np.quantile(again, [0.025, 0.975]), atol=0.02)


def test_rounds_add_up_and_absent_assets_count_for_nothing() -> None:
    one = Round({"a": [3, 2, 1]}, [1, 1, 1], [1, 0, 1])
    two = Round({"a": [9, 2, 1]}, [1, 1, 1], [9, 4, 0], [False, True, True])
    table = compare([one, two], baseline="a", generator=seeds.generator(0), tops=[0.5], draws=100)
    assert table.loc[0, "caught"] == pytest.approx((1 + 4) / (2 + 4))


def test_equal_scores_fall_by_chance() -> None:
    length, came = np.ones(400), np.r_[np.ones(200), np.zeros(200)]
    shares = [np.interp(0.5, *curve(np.zeros(400), length, came, generator=seeds.generator(k))) for k in range(20)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)  # the order of the rows says nothing


def test_groups_by_expected() -> None:
    rng = np.random.default_rng(0)
    mean = rng.gamma(1, 0.5, 3000)
    table = by_expected(mean, rng.poisson(mean), groups=10)
    assert table["assets"].sum() == 3000
    assert table["expected"].is_monotonic_increasing
    assert ((table["expected"] >= table["low"]) & (table["expected"] <= table["high"])).sum() >= 8
    one = by_expected([1.0, 2.0], [0, 4], groups=2)
    assert stats.poisson.sf(3, one["low"][1]) == pytest.approx(0.025)
    assert one["low"][0] == 0


def test_bounds_hold_whatever_the_unseen_were() -> None:
    low, high = unseen_bounds(0.4, 100, 25)
    for found in (0, 10, 25):
        assert low <= (40 + found) / 125 <= high
    assert unseen_bounds(0.4, 100, 0) == (0.4, 0.4)


def test_bad_input() -> None:
    good = Round({"a": [1.0]}, [1.0], [1])
    asked = {"generator": seeds.generator(0), "draws": 100}
    with pytest.raises(UnknownNameError, match="b"):
        compare([good], baseline="b", **asked)
    with pytest.raises(InputError, match="rounds"):
        compare([], baseline="a", **asked)
    for bad, named in (
        (Round({"a": [1.0]}, [0.0], [1]), "length"),
        (Round({"a": [1.0]}, [1.0], [0]), "came"),
        (Round({"a": [np.nan]}, [1.0], [1]), "a"),
        (Round({"a": [1.0, 2.0]}, [1.0], [1]), "same length"),
    ):
        with pytest.raises(InputError, match=named):
            compare([bad], baseline="a", **asked)
    with pytest.raises(InputError, match="same rules"):
        compare([good, Round({"b": [1.0]}, [1.0], [1])], baseline="a", **asked)
    with pytest.raises(InputError, match="expected"):
        by_expected([-1.0, 2.0], [0, 1], groups=2)
    with pytest.raises(InputError, match="same length"):
        compare([good, Round({"a": [1, 1]}, [1, 1], [1, 1])], baseline="a", **asked)
