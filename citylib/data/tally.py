"""Events counted by place and period: a quiet month is a zero and no missing row, a month cut short is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.panel import Panel

__all__ = ["STEPS", "tally"]

STEPS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q"}
WHOLE = "city"


def tally(
    events: pd.DataFrame,
    *,
    step: str,
    time: str = "opened",
    by: str | None = None,
    places: Sequence[str] | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Panel:
    """Count events by place and period.

    Parameters
    ----------
    events : pandas.DataFrame
        A row an event, such as `Dataset.events` returns.
    step : {"day", "week", "month", "quarter"}
        Length of a period; weeks begin on Monday.
    time : str, default "opened"
        Column of moments; events without one are not counted.
    by : str, optional
        Column of the place; without it all events are the city's.
    places : sequence of str, optional
        Places counted, in this order, with zeros where nothing happened; by default all that occur, sorted. Events
        elsewhere are not counted.
    since, until : str, optional
        First and last day of which all events are known; by default the days of the first and the last event. Periods
        that do not lie within wholly are left out.

    Returns
    -------
    Panel
        Counts [events], a row a period (its first moment), a column a place; nothing is missing.

    Raises
    ------
    UnknownNameError
        A column that `events` lacks.
    InputError
        Moments that are none, no event with a moment, no whole period.

    Examples
    --------
    >>> calls = pd.DataFrame({"opened": pd.to_datetime(["2026-01-01", "2026-01-31", "2026-03-31"])})
    >>> tally(calls, step="month").values.ravel().tolist()
    [2.0, 0.0, 1.0]
    """
    rule = STEPS[checks.one_of("step", step, STEPS)]
    for argument, column in {"time": time, **({"by": by} if by else {})}.items():
        if column not in events:
            raise UnknownNameError(argument, column, map(str, events.columns))
    if not pd.api.types.is_datetime64_any_dtype(events[time]):
        raise InputError("time", "name a column of moments", f"{time}: {events[time].dtype}")
    moments = events[time].dt.tz_localize(None)
    known = moments.notna()
    if not known.any():
        raise InputError("events", "hold at least one with a moment", len(events))
    first = _day("since", since) if since else moments.min().normalize()
    last = _day("until", until) if until else moments.max().normalize()
    span = pd.period_range(first, last, freq=rule) if first <= last else pd.PeriodIndex([], freq=rule)
    span = span[(span.start_time >= first) & (span.end_time.normalize() <= last)]
    if not len(span):
        raise InputError("since, until", f"hold a whole {step}", (str(first)[:10], str(last)[:10]))
    where = events[by].astype(str).where(events[by].notna()) if by else pd.Series(WHOLE, index=events.index)
    names = (
        sorted(where[known].dropna().unique()) if places is None else checks.unique("places", list(map(str, places)))
    )
    row = span.get_indexer(moments.dt.to_period(rule))
    column = pd.Index(names).get_indexer(where)
    inside = (row >= 0) & (column >= 0)
    values = np.zeros((len(span), len(names)))
    np.add.at(values, (row[inside], column[inside]), 1.0)
    return Panel(values, span.start_time.to_numpy(), tuple(names), "events", variable=f"events_per_{step}")


def _day(argument: str, value: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(value).normalize()
    except ValueError:
        raise InputError(argument, "be a date like 2016-01-31", value) from None
