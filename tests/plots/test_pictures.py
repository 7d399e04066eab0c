"""Figures of pictures: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.plots import pictures


def test_a_day_says_when_it_is_worst() -> None:
    share = np.ones((4, 24))
    share[:2, 8] = 0.3
    share[3, 20] = np.nan
    share[:, 2] = np.nan  # a step at which nothing was read
    payload = pictures.day("city", share, start="Monday", hours=24)
    assert "about 8.5 hours on, at 50% of the sensors" in payload["alt"]


def test_a_day_without_a_reading_is_refused() -> None:
    with pytest.raises(InputError, match="all missing"):
        pictures.day("city", np.full((2, 3), np.nan), start="Monday", hours=3)


def test_examples_say_their_own_row() -> None:
    calm, jam = np.ones((3, 5)), np.tile(np.linspace(1, 0.4, 5), (3, 1))
    payload = pictures.examples("kinds", {"free": calm, "jam": jam}, minutes=5)
    assert "jam: own row from 100% to 40%" in payload["alt"]
    with pytest.raises(InputError, match="one shape"):
        pictures.examples("kinds", {"free": calm, "jam": jam[:, 1:]}, minutes=5)


def test_confusions_say_what_is_recognised() -> None:
    payload = pictures.confusions("who", {"net": [[8, 2], [5, 5]], "rule": [[10, 0], [0, 0]]}, ["free", "jam"])
    assert "net recognises free 80%, jam 50%; rule recognises free 100%, jam 0%" in payload["alt"]
    with pytest.raises(InputError, match="2 rows"):
        pictures.confusions("who", {"net": np.eye(3)}, ["free", "jam"])


def test_reliability_says_how_far_off() -> None:
    frame = pd.DataFrame({"cases": [10, 30], "predicted": [0.5, 0.9], "observed": [0.5, 0.8]})
    assert "net is off by 7.5% on average" in pictures.reliability("calibration", {"net": frame})["alt"]


def test_contenders_say_all_values() -> None:
    rows = [{"contender": "net", "value": 0.5, "low": 0.4, "high": 0.6}]
    rows.append({"contender": "rule", "value": 0.55, "low": 0.5, "high": 0.6})
    payload = pictures.contenders("score", pd.DataFrame(rows), label="macro F1")
    assert payload["alt"] == "macro F1: rule 0.550 (0.500 to 0.600); net 0.500 (0.400 to 0.600)."
    with pytest.raises(InputError, match="contender"):
        pictures.contenders("score", pd.DataFrame(rows).drop(columns="low"), label="macro F1")
