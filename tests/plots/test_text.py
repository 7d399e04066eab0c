"""Figures of texts say in words what they show, and refuse what they cannot draw."""

from __future__ import annotations

import pandas as pd
import pytest

from citylib.errors import InputError
from citylib.plots import text

CURVE = ([0.5, 0.8], [0.4, 0.7], [0.6, 0.9])


def test_perplexities() -> None:
    models = {"3-gram": {"all": 8.0, "new": 30.0}, "transformer": {"all": 9.0, "new": 28.0}}
    shown = text.perplexities("unsure", models, label="perplexity a word")
    assert "3-gram 8 on all, 30 on new" in shown["alt"]
    with pytest.raises(InputError, match="at least one"):
        text.perplexities("unsure", {}, label="perplexity")
    with pytest.raises(InputError, match="above zero"):
        text.perplexities("unsure", {"a": {"all": 0.0}}, label="perplexity")


def test_learning_curves() -> None:
    drawn = {"fine-tuned": CURVE, "from scratch": CURVE}
    shown = text.learning_curves("curves", [10, 100], drawn, label="right", level=0.3, level_name="guessing")
    assert "fine-tuned 50% with 10, 80% with 100" in shown["alt"]
    with pytest.raises(InputError, match="length"):
        text.learning_curves("curves", [10], drawn, label="right", level=0.3, level_name="guessing")


def test_rises() -> None:
    found = pd.DataFrame(
        {"count": [31, 6], "expected": [10.0, 5.0], "reportable": [24, 14], "reported": [True, False]},
        index=["hole", "lamp"],
    )
    assert "hole 31 against 10.0 expected (reported)" in text.rises("rises", found)["alt"]
    with pytest.raises(InputError, match="columns"):
        text.rises("rises", found.drop(columns="reportable"))
