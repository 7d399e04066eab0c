"""Figures of regrets: what they say in words, and what they refuse."""

from __future__ import annotations

import pytest

from citylib.errors import InputError
from citylib.plots import policies

NAN = float("nan")
WORDS = {"label": "regret", "x_label": "contexts"}


def test_both_ends_and_levels_are_said() -> None:
    lines = {"attention": ([2.0, 0.1], [1.0, 0.05], [3.0, 0.2]), "pointwise": ([NAN, 0.3], [NAN, 0.2], [NAN, 0.4])}
    payload = policies.regrets("r", [500, 2000], lines, logarithmic=True, levels={"need": 1.9}, **WORDS)
    assert (
        "regret in percent by contexts: attention 2 at 500, 0.1 at 2000; pointwise 0.3 at 2000, 0.3 at 2000"
        in (payload["alt"])
    )
    assert "need 1.9 throughout" in payload["alt"]


def test_refusals() -> None:
    one = ([1.0, 2.0], [1.0, 2.0], [1.0, 2.0])
    with pytest.raises(InputError, match="at must rise"):
        policies.regrets("r", [2, 1], {"a": one}, **WORDS)
    with pytest.raises(InputError, match="same length"):
        policies.regrets("r", [1, 2, 3], {"a": one}, **WORDS)
    with pytest.raises(InputError, match="above 0 on logarithmic axes"):
        policies.regrets("r", [1, 2], {"a": ([0.0, 1.0],) * 3}, logarithmic=True, **WORDS)
    with pytest.raises(InputError, match="number of lines"):
        policies.regrets("r", [1, 2], {}, **WORDS)
