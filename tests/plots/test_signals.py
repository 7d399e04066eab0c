"""Pictures of the grid: what they say in words, what the slider carries, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import interactive, signals


def test_the_slider_carries_every_moment() -> None:
    queue = np.zeros((3, 16, 4))
    queue[1, 0] = [5, 0, 0, 2]
    phase = np.zeros((3, 16), dtype=int)
    payload = signals.stepped("g", [0, 60, 120], {"one": queue, "two": 2 * queue}, {"one": phase, "two": phase + 2})
    assert "At second 60 wait: one 7 then and 7 at its worst; two 14" in payload["alt"]
    assert interactive.PLOTLY_MIME


def test_delays_say_their_means() -> None:
    payload = signals.delays("d", {"equal": [200, 220], "actuated": [50, 54]})
    assert "equal 210.0; actuated 52.0" in payload["alt"]


def test_refusals() -> None:
    queue, phase = np.zeros((2, 16, 4)), np.zeros((2, 16), dtype=int)
    with pytest.raises(InputError, match="one or two controllers"):
        signals.stepped("g", [0, 1], {}, {})
    with pytest.raises(InputError, match="a square grid and 4 approaches"):
        signals.stepped("g", [0, 1], {"a": queue[:, :15]}, {"a": phase[:, :15]})
    with pytest.raises(InputError, match="phases"):
        signals.stepped("g", [0, 1], {"a": queue}, {"a": phase + 7})
    with pytest.raises(InputError, match="queues"):
        signals.stepped("g", [0, 1], {"a": queue - 1}, {"a": phase})
    with pytest.raises(InputError, match="at least one run"):
        signals.delays("d", {})
