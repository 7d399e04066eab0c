"""What figures with intervals are handed is checked in one place: how many, how long, what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from citylib.errors import InputError
from citylib.plots import intervals, label_curves, marks, steps, style

HALF = ([0.5, 0.5], [0.4, 0.4], [0.6, 0.6])


def test_estimates_are_refused_where_lengths_or_numbers_are_wrong():
    age = np.array([1.0, 2.0])
    held = intervals.checked({"age": HALF}, what="lines", most=6, age=age)
    assert held["age"][1].tolist() == [0.4, 0.4]
    with pytest.raises(InputError, match="number of lines must be at most 1"):
        intervals.checked({"a": HALF, "b": HALF}, what="lines", most=1, age=age)
    with pytest.raises(InputError, match="a, low"):
        intervals.checked({"a": ([0.5, 0.5], [0.4], [0.6, 0.6])}, what="lines", most=1, age=age)
    with pytest.raises(InputError, match="no missing"):
        intervals.checked({"a": ([np.nan, 0.5], *HALF[1:])}, what="lines", most=1, missing=False, age=age)


def test_tables_name_the_one_that_does_not_fit():
    with pytest.raises(InputError, match=r"ways must have shape \(1, 3\) each, got '\(1, 2\) of alone'"):
        intervals.tables(("parts", "ways"), ["x"], {"alone": [[1.0, 2.0]]}, most=(2, 2))
    with pytest.raises(InputError, match="parts, ways must be 1 to 2 and 1 to 2, got '1 and 0'"):
        intervals.tables(("parts", "ways"), ["x"], {}, most=(2, 2))


def test_a_seventh_contender_has_no_sign_and_is_refused():
    with pytest.raises(InputError, match="number of contenders must be at most 6"):
        label_curves.LabelCurves([1, 5], dict.fromkeys("abcdefg", HALF))


def test_lines_begin_their_looks_again_and_count_steps_from_one():
    axes = Figure().subplots()
    marks.lines(axes, None, {f"m{k}": [1.0, 2.0] for k in range(7)}, style.LIGHT, marks=marks.MARKS)
    first, fifth, seventh = (axes.lines[k] for k in (0, 4, 6))
    assert first.get_xdata().tolist() == [1, 2]
    assert fifth.get_linestyle() == first.get_linestyle()
    assert (seventh.get_color(), seventh.get_marker()) == (first.get_color(), first.get_marker())
    assert [line.get_label() for line in axes.lines] == [f"m{k}" for k in range(7)]


def test_a_thinned_curve_keeps_its_first_and_last_step():
    found = steps.inside(np.arange(10_000) / 100, 50.0)
    assert (found[0], found[-1], len(found)) == (0, 5000, steps.MAX_STEPS)
    assert steps.inside(np.array([3.0]), 1.0).size == 0
