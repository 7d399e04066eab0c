"""Figure of networks made small: what it says in words, and what it refuses."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import compress

KINDS = ["original, 32 bits", "student, 8 bits"]


def test_trade_says_both_ends() -> None:
    costs = {"file [bytes]": [244_000, 14_000], "time [µs]": [90.0, 22.0]}
    payload = compress.trade("cost", KINDS, [2.6, 2.61], costs, label="error [mph]", baseline=("last reading", 3.2))
    assert "From the dearest (original, 32 bits, 2.6) to the cheapest (student, 8 bits, 2.61)" in payload["alt"]
    assert "file [bytes]: 244k to 14k; time [µs]: 90 to 22" in payload["alt"]
    assert "last reading, which costs nothing: 3.2" in payload["alt"]


def test_refusals() -> None:
    with pytest.raises(InputError, match="costs must name at least one"):
        compress.trade("cost", KINDS, [1.0, 2.0], {}, label="error")
    with pytest.raises(InputError, match="costs must be above 0"):
        compress.trade("cost", KINDS, [1.0, 2.0], {"bytes": [0.0, 1.0]}, label="error")
    with pytest.raises(InputError, match="same length"):
        compress.trade("cost", KINDS, [1.0], {"bytes": [2.0, 1.0]}, label="error")
