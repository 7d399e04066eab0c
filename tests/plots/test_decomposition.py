"""The figure of a series taken apart: what it says in words, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import decomposition

HOURS = np.arange("2026-01-01T00", "2026-01-05T00", dtype="datetime64[h]")


def test_parts_say_their_range() -> None:
    wave = np.resize([0.0, 1.0, 0.0, -1.0], 96)
    payload = decomposition.components("parts", HOURS, {"readings": 3 * wave, "season": wave}, unit="veh/h")
    assert "readings from -3 to 3; season from -1 to 1" in payload["alt"]
    level = decomposition.components("level", HOURS, {"readings": np.ones(96)}, unit="veh/h")
    assert "from 1 to 1" in level["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="at least one series"):
        decomposition.components("none", HOURS, {}, unit="m")
    with pytest.raises(InputError, match="season must have the 96 steps"):
        decomposition.components("short", HOURS, {"season": np.ones(5)}, unit="m")
