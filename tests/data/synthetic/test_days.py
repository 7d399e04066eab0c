"""The city's clock agrees with pandas'."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from citylib.data.synthetic.days import HOLIDAYS, clock


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.integers(1, 800), st.dates(date(1999, 1, 1), date(2060, 1, 1)))
def test_hours_and_days_are_those_of_pandas(days, start):
    c = clock(days, str(start))
    index = pd.DatetimeIndex(c.times)
    assert len(c) == 24 * days
    np.testing.assert_array_equal(c.hour, index.hour)
    np.testing.assert_array_equal(c.weekday, index.weekday)
    np.testing.assert_allclose(c.day_of_year, index.dayofyear - 1 + index.hour / 24, rtol=0, atol=1e-9)


def test_a_holiday_is_on_every_hour_of_its_day_in_every_year():
    c = clock(2 * 365 + 1, "2023-06-01")
    holiday = pd.Series(c.holiday, index=pd.DatetimeIndex(c.times))
    named = holiday[holiday != "none"]
    assert set(named) == set(HOLIDAYS)
    assert (named.groupby([named.index.date]).nunique() == 1).all()
    assert (named.groupby([named.index.date]).size() == 24).all()
    assert {d.strftime("%m-%d") for d in named.index} == set(HOLIDAYS.values())


def test_free_days_are_weekends_and_holidays():
    c = clock(365)
    np.testing.assert_array_equal(c.free, (c.weekday > 4) | (c.holiday != "none"))
