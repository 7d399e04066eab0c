"""Figures of events that come again: what they say in words, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.plots import recurrent


def test_lexis_says_who_enters_late() -> None:
    payload = recurrent.lexis(
        "lexis", [1980.0, 2001.0], [1997.0, 2001.0], [2023.0, 2023.0], [0], [2005.5], recorded_from=1997
    )
    assert "2 pipes as lines" in payload["alt"]
    assert "1 of them were laid before they came under watch" in payload["alt"]
    assert (
        recurrent.lexis("none", [1980.0], [1997.0], [2023.0], [], [], recorded_from=1997)["alt"].count("0 breaks") == 1
    )


def test_parts_of_the_log_add_up_in_words() -> None:
    payload = recurrent.log_by_year("log", [2001, 2002], {"used": [3, 4], "older than its main": [1, 0]})
    assert payload["alt"].endswith("In all: used 7; older than its main 1.")
    with pytest.raises(InputError, match="same length"):
        recurrent.log_by_year("log", [2001, 2002], {"used": [3]})
    with pytest.raises(InputError, match="number of parts must be at least 1"):
        recurrent.log_by_year("log", [2001, 2002], {})


def test_lines_by_age_pass_over_what_is_not_known() -> None:
    value = np.array([np.nan, 1.0, 2.0])
    payload = recurrent.by_age(
        "rate", [10, 20, 30], {"all": (value, value, value)}, label="rate", truth=value, level=1.0
    )
    assert "all from 1 to 2" in payload["alt"]
    assert "truth goes from 1 to 2" in payload["alt"]
    nothing = np.full(2, np.nan)
    assert "nothing" in recurrent.by_age("no", [1, 2], {"a": (nothing, nothing, nothing)}, label="rate")["alt"]
    with pytest.raises(InputError, match="age must be strictly increasing"):
        recurrent.by_age("rate", [10, 10, 30], {"all": (value, value, value)}, label="rate")


def test_forest_names_every_answer() -> None:
    one, gap = np.array([1.0, 2.0]), np.array([1.5, np.nan])
    payload = recurrent.forest(
        "forest", ["iron", "clay"], {"first": (one, one / 2, one * 2), "all": (gap, gap, gap)},
        x_label="rate ratio", truth=[1.2, np.nan], reference=1.0, log=True,
    )  # fmt: skip
    assert "iron: first 1, all 1.5; clay: first 2." in payload["alt"]
    assert "marked for 1 of them" in payload["alt"]
    with pytest.raises(InputError, match="be above 0 on a logarithmic axis, got -2"):
        recurrent.forest("forest", ["iron", "clay"], {"first": (-one, one, one)}, x_label="r", log=True)
    with pytest.raises(InputError, match="same length"):
        recurrent.forest("forest", ["iron"], {"first": (one, one, one)}, x_label="r")
    with pytest.raises(InputError, match="same length"):
        recurrent.forest("forest", ["iron", "clay"], {"first": (one, one, one)}, x_label="r", truth=[1.0])
