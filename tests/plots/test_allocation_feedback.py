"""Figures of rules that learn: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import allocation_feedback as figures


def test_regret_says_start_end_and_mean_as_counted() -> None:
    payload = figures.regret_by_step("r", {"equal": [0.2, 0.1, 0.1], "best": [0.0, 0.0, 0.0]}, counted_from=1)
    assert "equal from 20.00% to 10.00%, 10.00% as counted" in payload["alt"]


def test_believed_says_how_often_the_truth_is_inside() -> None:
    payload = figures.believed("b", [[0.0], [3.0]], [[0.0], [0.0]], [[1.0], [1.0]], ["A"], y_label="ln a")
    assert "A: 50% of the time inside" in payload["alt"]


def test_intervals_say_where_least_is_lost() -> None:
    payload = figures.by_interval("i", [1, 5, 20], {"with cost": [0.03, 0.01, 0.02]}, chosen=5)
    assert "from 3.00% to 2.00%, least at 5" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="counted_from"):
        figures.regret_by_step("r", {"a": [0.1]}, counted_from=1)
    with pytest.raises(InputError, match="have shape"):
        figures.believed("b", np.zeros((3, 2)), np.zeros((3, 1)), np.zeros((3, 2)), ["A", "B"], y_label="y")
    with pytest.raises(InputError, match="chosen must be one of every"):
        figures.by_interval("i", [1, 5], {"a": [0.1, 0.2]}, chosen=3)
