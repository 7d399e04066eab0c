"""Each check passes good input through and refuses bad input with argument, rule and value."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import checks
from citylib.errors import InputError, UnknownNameError

NAN, INF = float("nan"), float("inf")

REFUSED = {
    "text": (lambda: checks.array("x", ["a"]), "x must be numeric"),
    "dimensions": (lambda: checks.series("x", [[1.0]]), "x must have 1 dimension(s), got (1, 1)"),
    "infinite": (lambda: checks.array("x", [1, INF]), "x must be finite, got '1 infinite value(s), first at row 1'"),
    "infinite in a matrix": (lambda: checks.matrix("x", [[1, INF]]), "first at (0, 1)"),
    "infinite scalar": (lambda: checks.array("x", INF), "a single value"),
    "missing": (lambda: checks.array("x", [NAN, 1]), "x must have no missing values, got '1 NaN, first at row 0'"),
    "short": (lambda: checks.series("x", [1.0], at_least=2), "x must have at least 2 rows, got 1"),
    "small": (lambda: checks.array("x", [3, -1], minimum=0), "x must be at least 0, got '-1, first at row 1'"),
    "not binary": (lambda: checks.binary("event", [0, 2]), "event must hold only 0 and 1"),
    "no number": (lambda: checks.number("a", "1"), "a must be a number, got '1'"),
    "a bool is no number": (lambda: checks.number("a", True), "a must be a number, got True"),
    "nan number": (lambda: checks.number("a", NAN), "a must be finite"),
    "number low": (lambda: checks.number("a", 0, minimum=1), "a must be at least 1, got 0"),
    "number at the open end": (lambda: checks.number("a", 0, above=0), "a must be more than 0, got 0"),
    "number high": (lambda: checks.number("a", 3, maximum=2), "a must be at most 2, got 3"),
    "no integer": (lambda: checks.integer("k", 2.0), "k must be a whole number, got 2.0"),
    "bool for integer": (lambda: checks.integer("k", True), "k must be a whole number, got True"),
    "integer low": (lambda: checks.integer("k", -1, minimum=0), "k must be at least 0, got -1"),
    "fraction": (lambda: checks.fraction("level", 1), "level must lie between 0 and 1, got 1"),
    "fraction closed": (lambda: checks.fraction("level", 1.1, closed=True), "between 0 and 1 inclusive"),
    "choice": (lambda: checks.one_of("season", 7, [1, 2]), "season must be one of: 1, 2, got 7"),
    "lengths": (lambda: checks.same_length(x=[1], y=[]), "x, y must have the same length"),
    "back": (lambda: checks.increasing("times", [1, 3, 2]), "got '2 which steps back at row 2'"),
    "repeat": (lambda: checks.increasing("times", [1, 1]), "which repeats at row 1"),
    "table of times": (lambda: checks.increasing("times", [[1, 2]]), "1 dimension(s)"),
    "half steps": (lambda: checks.steps("steps", [0, 0.5]), "steps must be whole numbers of steps, got '0.5 at row 1'"),
    "steps back": (lambda: checks.steps("steps", [1, 0]), "got '0 which steps back at row 1'"),
    "times as steps": (lambda: checks.steps("steps", np.array(["2020-01-01"], dtype="M8[D]")), "datetime64[D] values"),
    "text as steps": (lambda: checks.steps("steps", ["1", "2"]), "steps must be whole numbers of steps"),
    "steps too large": (lambda: checks.steps("steps", [0, 1e30]), "up to 2**53, got '1e+30'"),
    "too large": (lambda: checks.squarable("y", np.array([1.0, -1e200])), "size that can be squared"),
    "too small": (lambda: checks.squarable("y", np.array([np.nan, 1e-200])), "got '1e-200'; take another unit"),
    "duplicates": (lambda: checks.unique("ids", ["a", "b", "a"]), "ids must have no duplicates, got 'a'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_refused(what):
    call, words = REFUSED[what]
    with pytest.raises(InputError) as caught:
        call()
    assert words in str(caught.value)


def test_good_input_passes_through():
    assert checks.array("x", [1, 2]).dtype == np.float64
    assert np.isnan(checks.series("x", [1, NAN], missing=True)[1])
    assert checks.matrix("x", [[1, 2]]).shape == (1, 2)
    assert checks.binary("e", [0, 1, 1]).tolist() == [False, True, True]
    assert checks.binary("e", np.array([True])).dtype == bool
    assert checks.number("a", np.float32(2), minimum=2, maximum=2) == 2.0
    assert checks.integer("k", np.int64(3)) == 3
    assert checks.fraction("level", 0.5) == 0.5
    assert checks.fraction("level", 1.0, closed=True) == 1.0
    assert checks.one_of("season", "daily", ["none", "daily"]) == "daily"
    assert checks.same_length(x=[1], y=[2]) == 1
    assert checks.increasing("t", [1, 2]).tolist() == [1, 2]
    assert checks.increasing("t", []).tolist() == []
    assert checks.unique("ids", ["b", "a"]) == ("b", "a")


def test_a_wrong_choice_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'daily'"):
        checks.one_of("season", "dayly", ["none", "daily"])
