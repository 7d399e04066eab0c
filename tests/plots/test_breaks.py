"""Figures of failures foreseen: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import breaks


def test_curves_say_what_is_found_at_the_shares() -> None:
    curve = ([0.0, 0.05, 0.1, 1.0], [0.0, 0.25, 0.4, 1.0])
    payload = breaks.catch_curves("caught", {"model": curve}, tops=[0.05, 0.1])
    assert payload["alt"].endswith("At 5%, 10% of the length: model 25%, 40%.")
    with pytest.raises(InputError, match="number of curves"):
        breaks.catch_curves("none", {})
    with pytest.raises(InputError, match="same length"):
        breaks.catch_curves("short", {"model": ([0.0, 1.0], [0.0])})


def test_counts_say_how_many_intervals_hold() -> None:
    band = ([5.0, 5.0, np.nan], [3.0, 3.0, np.nan], [7.0, 7.0, np.nan])
    payload = breaks.yearly_counts("counts", [2001, 2002, 2003], [5, 9, 4], {"mean": band}, level=0.9, since=2002)
    assert "mean holds 1 of 2 counts" in payload["alt"]
    assert "intervals of 90%" in payload["alt"]
    with pytest.raises(InputError, match="number of forecasts"):
        breaks.yearly_counts("none", [2001], [5], {}, level=0.9)
    with pytest.raises(InputError, match="same length"):
        breaks.yearly_counts("short", [2001], [5], {"mean": ([5.0], [3.0], [7.0, 8.0])}, level=0.9)


def test_calibration_says_how_many_groups_hold() -> None:
    payload = breaks.calibration("groups", [0.5, 10.0], [0, 30], [0.0, 20.0], [3.7, 42.0])
    assert "in 2 groups" in payload["alt"]
    assert "the intervals of 1 groups hold" in payload["alt"]
    with pytest.raises(InputError, match="expected"):
        breaks.calibration("zero", [0.0], [1], [0.0], [5.0])
