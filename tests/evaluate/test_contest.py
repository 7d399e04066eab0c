"""Contests: the intervals are those of the bootstrap, pairs hold together, and steps must be the same."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.evaluate import compare, contest


def draw(*keys: str) -> np.random.Generator:
    return seeds.generator(0, *keys)


NOISE = draw("noise").gamma(2.0, size=(3, 400))
LOSSES = {"a": NOISE[0], "b": NOISE[0] + 0.05 * NOISE[1], "c": NOISE[2]}


def test_standings_are_those_of_the_bootstrap() -> None:
    table = contest.standings(LOSSES, block=10, generator=draw())
    alone = compare.block_bootstrap(LOSSES["a"], block=10, generator=draw())
    assert table.iloc[0].tolist() == ["a", alone.estimate, alone.low, alone.high]
    assert table["contender"].tolist() == list(LOSSES)


def test_duels_are_paired_and_hold_together() -> None:
    table = contest.duels(LOSSES, [("a", "b"), ("a", "c")], block=10, generator=draw())
    alone = compare.paired_bootstrap(LOSSES["a"], LOSSES["b"], block=10, generator=draw(), level=0.975)
    assert table.loc[0, ["difference", "low", "high"]].tolist() == [alone.estimate, alone.low, alone.high]
    assert table["better"].tolist() == ["a", contest.UNSETTLED]  # a small difference is seen in pairs only


def test_a_draw_is_called_settled_in_few_worlds() -> None:
    settled = 0
    for world in range(100):
        two = draw(str(world)).gamma(2.0, size=(4, 300))
        pairs = [("0", "1"), ("2", "3")]
        table = contest.duels(dict(zip("0123", two, strict=True)), pairs, block=1, generator=draw())
        settled += bool((table["better"] != contest.UNSETTLED).any())
    assert settled <= 12  # 5 are meant; more than 12 come by chance in 1 of 1000


def test_refusals() -> None:
    with pytest.raises(InputError, match="losses must name at least one contender"):
        contest.standings({}, block=2, generator=draw())
    with pytest.raises(InputError, match="c must be scored on the same steps as the others, got '1 are not'"):
        contest.standings({"a": [1.0, 2.0], "c": [1.0, np.nan]}, block=1, generator=draw())
    with pytest.raises(InputError, match="pairs must name at least one pair"):
        contest.duels(LOSSES, [], block=2, generator=draw())
    with pytest.raises(InputError, match="two different contenders"):
        contest.duels(LOSSES, [("a", "a")], block=2, generator=draw())
    with pytest.raises(UnknownNameError):
        contest.duels(LOSSES, [("a", "d")], block=2, generator=draw())
