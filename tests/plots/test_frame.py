"""What stands around marks: a legend is never wider than the page."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from citylib.errors import InputError
from citylib.plots import frame, marks


@pytest.mark.parametrize(("name", "columns"), [("short", 3), ("a name that takes about half of the page", 1)])
def test_long_names_take_fewer_columns(name: str, columns: int) -> None:
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    for k in range(3):
        axes.plot([0, 1], label=f"{name} {k}")
    frame.legend_outside(figure, axes, 3)
    assert figure.legends[0]._ncols == columns


def test_lines_fit_what_they_run_along() -> None:
    with pytest.raises(InputError, match="same length"):
        marks.checked({"ours": [1.0, 2.0]}, age=np.array([1.0]))
    with pytest.raises(InputError, match="number of rules"):
        marks.checked({}, what="rules", most=6)
