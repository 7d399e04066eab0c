"""Figures of shrinkage say what they show, and refuse what cannot be drawn."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import shrinkage


def test_a_funnel_tells_both_ranges_and_passes_over_missing_sensors():
    shown = shrinkage.funnel(
        "funnel", [0.1, 0.2, np.nan], [1.0, 3.0, 2.0], [1.5, 2.0, 2.0], centre=1.8, label="effect [share]"
    )
    assert "2 sensors" in shown["alt"]
    assert "from 1.5 to 2" in shown["alt"]
    with pytest.raises(InputError, match="at least one"):
        shrinkage.funnel("funnel", [np.nan], [1.0], [1.0], centre=0, label="effect")


def test_errors_by_days_tell_their_ends():
    shown = shrinkage.by_days("days", [3, 7], {"own": [2.0, 1.0], "city": [1.5, 1.4]}, label="error [share]")
    assert "own 2 to 1" in shown["alt"]
    with pytest.raises(InputError, match="increasing"):
        shrinkage.by_days("days", [7, 3], {"own": [2.0, 1.0]}, label="error [share]")
