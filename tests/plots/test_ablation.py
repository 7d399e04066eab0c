"""The figure of contributions: what it says in words, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import ablation

WAYS = {"alone": [[0.1, 0.05, 0.15], [-0.02, -0.04, 0.01]], "on top of the others": np.zeros((2, 3))}


def test_it_says_every_share_with_its_interval() -> None:
    payload = ablation.contributions("parts", ["ARMA", "net"], WAYS, label="squared error taken off")
    assert "alone: ARMA 10.0% (5.0% to 15.0%), net -2.0% (-4.0% to 1.0%); on top" in payload["alt"]


def test_it_refuses_what_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="ways must have shape"):
        ablation.contributions("parts", ["ARMA"], WAYS, label="share")
    for parts, ways in (([], {}), (["a"] * 9, {"alone": np.zeros((9, 3))})):
        with pytest.raises(InputError, match="parts, ways"):
            ablation.contributions("parts", parts, ways, label="share")
