"""Figures of survival: what they say in words, their size, and what they refuse."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import steps, survival


def curve(group: str, steps: int, median: float) -> SimpleNamespace:
    time = np.linspace(0.1, 20, steps)
    level = np.exp(-time / 8)
    return SimpleNamespace(
        group=group,
        time=time,
        survival=level,
        lower=level * 0.9,
        upper=np.minimum(level * 1.1, 1),
        median=median,
        at_risk_at=lambda when: (steps - np.searchsorted(time, when)).astype(int),
    )


def test_alternative_text_gives_the_medians() -> None:
    payload = survival.survival_curves("curves", [curve("iron", 30, 5.6), curve("plastic", 40, np.inf)], until=15)
    assert payload["alt"].endswith("Median: iron 5.6 years; plastic not reached.")


def test_long_curves_are_thinned_and_end_where_the_axis_does() -> None:
    x, y, low, high = survival._corners(curve("iron", 5000, 5.0), 10.0)
    assert len(x) <= steps.MAX_STEPS + 2
    assert (x[0], y[0]) == (0.0, 1.0)
    assert x[-1] == 10.0
    assert (np.diff(y) <= 0).all()
    assert len(low) == len(high) == len(x)


@pytest.mark.parametrize(("until", "last"), [(15, 14), (20, 20), (3, 3), (0.8, 0.8), (120, 120)])
def test_ticks_are_round_and_few(until: float, last: float) -> None:
    ticks = survival._ticks(until)
    assert ticks[-1] == pytest.approx(last)
    assert 4 <= len(ticks) <= 11


def test_shares_say_both_numbers() -> None:
    payload = survival.shares(
        "five", ["iron", "plastic"], [0.4, 0.2], [0.35, 0.0], [0.3, 0.0], [0.4, 0.1], what="share"
    )
    assert "iron 40% forecast, 35% observed; plastic 20% forecast, 0% observed" in payload["alt"]


def test_an_axis_that_begins_above_zero_says_so() -> None:
    payload = survival.survival_curves("curves", [curve("g", 3, 1.0)], until=5, lowest=0.8, since="it was laid")
    assert "The vertical axis begins at 80%." in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"lowest must be at most 0\.99"):
        survival.survival_curves("curves", [curve("g", 3, 1.0)], until=5, lowest=1)
    with pytest.raises(InputError, match="number of curves must be at most 6, got 7"):
        survival.survival_curves("curves", [curve("g", 3, 1.0)] * 7, until=5)
    with pytest.raises(InputError, match="until must be more than 0"):
        survival.survival_curves("curves", [curve("g", 3, 1.0)], until=0)
    with pytest.raises(InputError, match="same length"):
        survival.shares("five", ["iron"], [0.4, 0.2], [0.3], [0.2], [0.4], what="share")
