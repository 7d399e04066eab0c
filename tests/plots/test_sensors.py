"""Figures of which sensors are read: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import sensors


def test_reads_say_who_is_read_most() -> None:
    read = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=bool)
    payload = sensors.reads("r", read, ["a", "b", "c"], hours=1.0, places_N2=[[0, 0], [1, 0], [1, 1]])
    assert "a most, in 67% of them, c least, in 0%; 1 never" in payload["alt"]
    assert "Which of 3" in sensors.reads("r", read, ["a", "b", "c"], hours=1.0)["alt"]


def test_error_by_reads_says_both_ends() -> None:
    payload = sensors.error_by_reads("e", [1, 4], {"in turn": [0.5, 0.2]}, floor=0.1, ceiling=0.8, label="error")
    assert "in turn from 0.5 to 0.2. All read: 0.1; none: 0.8." in payload["alt"]


def test_calibration_says_both() -> None:
    payload = sensors.calibration("c", {"filter": [0.1, 0.5]}, {"filter": [0.2, 0.9]}, label="sd")
    assert "filter says 0.1 to 0.5, came 0.2 to 0.9" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="same length"):
        sensors.reads("r", np.zeros((2, 3), dtype=bool), ["a"], hours=1.0)
    with pytest.raises(InputError, match="have the keys"):
        sensors.calibration("c", {"a": [1.0]}, {"b": [1.0]}, label="sd")
    with pytest.raises(InputError, match="same length"):
        sensors.error_by_reads("e", [1, 2], {"a": [0.1]}, floor=0.1, ceiling=1.0, label="error")
