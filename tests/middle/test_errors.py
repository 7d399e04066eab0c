"""Errors say argument, rule and value; the tree is the one drawn."""

from __future__ import annotations

import inspect
import re

import pytest

from citylib import errors


def test_the_drawn_tree_is_the_real_one():
    drawn = re.findall(r"\b([A-Z]\w+(?:Error|Warning))\b", errors.__doc__)
    real = {
        n for n, o in vars(errors).items() if inspect.isclass(o) and not n.startswith("_") and issubclass(o, Exception)
    }
    assert set(drawn) - {"ValueError", "UserWarning"} == real
    assert real | {"nearest"} == set(errors.__all__)


def test_input_errors_are_value_errors_and_say_all_three():
    error = errors.InputError("horizon", "be at least 1", 0, "use 24")
    assert isinstance(error, ValueError)
    assert str(error) == "horizon must be at least 1, got 0; use 24"


def test_long_values_are_shortened():
    assert len(str(errors.InputError("x", "be short", "a" * 10_000))) < 200


@pytest.mark.parametrize(
    ("name", "known", "offered"),
    [("trafic-i94", ["traffic-i94", "x"], "traffic-i94"), ("HORIZON", ["horizon"], "horizon"), ("zzz", ["abc"], None)],
)
def test_the_nearest_name_is_offered(name, known, offered):
    assert errors.nearest(name, known) == offered
    text = str(errors.UnknownNameError("source", name, known))
    assert (f"did you mean {offered!r}?" in text) == (offered is not None)


def test_faults_are_reported_together():
    error = errors.SchemaError("a.csv", ["row 2: x", "row 9: y"])
    assert error.faults == ("row 2: x", "row 9: y")
    assert str(error) == "a.csv: 2 faults\n  - row 2: x\n  - row 9: y"
    assert isinstance(error, errors.InputError)
    assert "1 fault\n" in str(errors.ParameterError("n.ipynb", ["one"]))
