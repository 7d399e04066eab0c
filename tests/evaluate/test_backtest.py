"""The backtest on forecasters whose answers are known, one of which peeks."""

from __future__ import annotations

import numpy as np
import pytest

from citylib.errors import InputError
from citylib.evaluate.backtest import backtest, leak


class Last:
    """Repeats the last reading; the interval is one unit either side."""

    def __init__(self, peek: int = 0) -> None:
        self.peek = peek
        self.fitted: list[int] = []

    def fit(self, y_T: np.ndarray) -> Last:
        self.fitted.append(len(y_T))
        return self

    def forecast(self, y_T, *, origins, horizon, level):  # type: ignore[no-untyped-def]
        last = np.minimum(np.asarray(origins) - 1 + self.peek, len(y_T) - 1)
        centre = np.repeat(np.nan_to_num(y_T, nan=5.0)[last][:, None], horizon, axis=1)
        return centre, centre - 1, centre + 1


def test_origins_forecasts_and_what_came() -> None:
    y = np.arange(20.0)
    found = backtest(Last(), y, first=10, horizon=3, every=4)
    assert found.origins.tolist() == [10, 14]
    np.testing.assert_array_equal(found.actual, [[10, 11, 12], [14, 15, 16]])
    np.testing.assert_array_equal(found.centre[:, 0], [9, 13])
    np.testing.assert_array_equal(found.by_step(), [1, 2, 3])
    np.testing.assert_array_equal(found.by_origin(), [2, 2])
    assert found.fits == (10,)


def test_refits_see_only_the_past_of_their_first_origin() -> None:
    model = Last()
    found = backtest(model, np.arange(40.0), first=10, horizon=2, every=3, refit=10)
    assert model.fitted == list(found.fits) == [10, 22, 31]
    assert len(found.origins) == 10
    np.testing.assert_array_equal(found.centre[:, 0], found.origins - 1)


def test_missing_readings_are_not_scored() -> None:
    y = np.arange(10.0)
    y[6:8] = np.nan
    found = backtest(Last(), y, first=5, horizon=3, every=2)
    np.testing.assert_array_equal(found.by_origin(), [1, 3.5])  # from 4: 5; from 5, for the missing 6: 8 and 9
    np.testing.assert_array_equal(found.by_step(), [1, 3, 4])
    y[5:] = np.nan
    assert np.isnan(backtest(Last(), y, first=5, horizon=2, every=9).by_step()).all()


def test_transformed_keeps_ends_as_ends() -> None:
    found = backtest(Last(), np.linspace(0, 1, 12), first=6, horizon=2).transformed(np.exp)
    assert (found.lower < found.centre).all()
    assert (found.centre < found.upper).all()
    np.testing.assert_allclose(np.log(found.upper) - np.log(found.lower), 2.0)


def test_a_leak_is_found_and_honesty_too() -> None:
    y = np.random.default_rng(0).standard_normal(60)
    assert leak(Last(), y, first=30, horizon=2) == 0
    assert leak(Last(peek=2), y, first=30, horizon=2) > 0.1


def test_refusals() -> None:
    with pytest.raises(InputError, match="length must be at least first"):
        backtest(Last(), np.arange(5.0), first=4, horizon=2)
    with pytest.raises(InputError, match="refit must be at least 1"):
        backtest(Last(), np.arange(9.0), first=4, horizon=2, refit=0)

    class Wrong(Last):
        def forecast(self, y_T, *, origins, horizon, level):  # type: ignore[no-untyped-def]
            return tuple(np.zeros((1, horizon)) for _ in range(3))

    with pytest.raises(InputError, match=r"centre of Wrong must have shape \(origins, horizon\) = \(4, 2\)"):
        backtest(Wrong(), np.arange(9.0), first=4, horizon=2)

    class Silent(Last):
        def forecast(self, y_T, *, origins, horizon, level):  # type: ignore[no-untyped-def]
            return tuple(np.full((len(origins), horizon), np.nan) for _ in range(3))

    with pytest.raises(InputError, match="centre of Silent must have no missing values, got '8 NaN'"):
        backtest(Silent(), np.arange(9.0), first=4, horizon=2)
