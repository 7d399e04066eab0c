"""Figures of counts say what they show, and refuse what cannot be read."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.evaluate import counts as scores
from citylib.plots import counts


def test_rootograms_tell_zeros_and_the_worst_count():
    frame = scores.rootogram([0, 0, 0, 1, 5], 1.0, most=3)
    shown = counts.rootograms("roots", {"Poisson": frame, "NB2": frame}, label="calls a day")
    assert "3 zeros read and 1.8 expected" in shown["alt"]
    with pytest.raises(InputError, match="one to three"):
        counts.rootograms("roots", {}, label="calls")


def test_pit_tells_the_range_of_each_forecast():
    shown = counts.pit("pit", {"Poisson": np.full(10, 0.1), "NB2": [0.5, 0.5]})
    assert "Poisson 10% to 10%" in shown["alt"]
    with pytest.raises(InputError, match="one to four"):
        counts.pit("pit", {})
