"""A scale comes from the training rows and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from citylib import seeds
from citylib.errors import InputError, UnknownNameError
from citylib.neural import scaling

VALUES = seeds.generator(0, "values").normal(50, 10, (40, 3))


def test_by_hand_and_back_again() -> None:
    scale = scaling.fit(VALUES, rows=(0, 30))
    np.testing.assert_allclose(scale.mean, VALUES[:30].mean(axis=0))
    np.testing.assert_allclose(scale.apply(VALUES)[:30].std(axis=0), 1)
    np.testing.assert_allclose(scale.undo(scale.apply(VALUES)), VALUES)


def test_rows_after_the_cut_change_nothing() -> None:
    shuffled = VALUES.copy()
    shuffled[30:] = seeds.generator(1, "shuffled").permutation(shuffled[30:], axis=0) * 7
    one, two = (scaling.fit(v, rows=(0, 30)) for v in (VALUES, shuffled))
    assert (one.mean == two.mean).all()
    assert (one.deviation == two.deviation).all()


def test_missing_readings_are_left_out_and_stay_missing() -> None:
    holes = VALUES.copy()
    holes[3, 1] = np.nan
    scale = scaling.fit(holes, rows=(0, 30))
    np.testing.assert_allclose(scale.mean[1], np.delete(VALUES[:30, 1], 3).mean())
    assert np.isnan(scale.apply(holes)[3, 1])


def test_a_sensor_that_never_moves() -> None:
    scale = scaling.fit(np.full((5, 1), 3.0), rows=(0, 5), floor=0.5)
    assert scale.apply([[4.0]]).tolist() == [[2.0]]


def test_sensors_by_name() -> None:
    scale = scaling.fit(VALUES, rows=(0, 30), sensors=("a", "b", "c"))
    np.testing.assert_allclose(scale.apply(VALUES[:, [2, 0]], sensors=("c", "a")), scale.apply(VALUES)[:, [2, 0]])
    with pytest.raises(UnknownNameError, match="sensor must be one of: a, b, c"):
        scale.apply(VALUES[:, :1], sensors=("d",))


def test_refusals() -> None:
    with pytest.raises(InputError, match="rows must be"):
        scaling.fit(VALUES, rows=(0, 41))
    with pytest.raises(InputError, match="rows must be"):
        scaling.fit(VALUES, rows=(5, 5))
    holes = VALUES.copy()
    holes[:30, 2] = np.nan
    with pytest.raises(InputError, match="a reading of every sensor in the training rows, got 'none of c'"):
        scaling.fit(holes, rows=(0, 30), sensors=("a", "b", "c"))
    with pytest.raises(InputError, match="have 3 sensors along the last axis"):
        scaling.fit(VALUES, rows=(0, 30)).apply(VALUES[:, :2])
    with pytest.raises(InputError, match="sensors must name the 3 sensors"):
        scaling.fit(VALUES, rows=(0, 30), sensors=("a",))
