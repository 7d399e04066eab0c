"""Checking an own table against its form with pandera, every fault with its rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citylib.data.dataset import Fault
from citylib.data.own_faults import Faults, shown
from citylib.data.schema import Column, Form

if TYPE_CHECKING:
    import pandera.pandas as pa

__all__ = ["in_order", "validate", "zero_places"]


def validate(
    form: Form, frame: pd.DataFrame, faults: Faults, *, counts: Iterable[str] = (), measured: Iterable[str] = ()
) -> None:
    """Check a typed table against its form, adding what is wrong to `faults`.

    Parameters
    ----------
    form : Form
        The form.
    frame : pandas.DataFrame
        Row numbers as index; times as datetime64, numbers as float64, text as object; missing as NaN.
    faults : Faults
        Where faults are added.
    counts : iterable of str
        Further columns that may not be negative.
    measured : iterable of str
        Further columns of numbers.
    """
    import pandera.errors

    schema = _validator(form, frame, set(counts), list(measured))
    _pair(frame, faults)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # pandera joins its own tables of cases, some all empty
            schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        _collect(form, frame, error.failure_cases, faults)


def in_order(form: Form, frame: pd.DataFrame, faults: Faults, *, years: pd.DataFrame | None = None) -> None:
    """Check that dates of a row follow each other as the form says, adding what does not to `faults`.

    Parameters
    ----------
    form : Form
        The form.
    frame : pandas.DataFrame
        Row numbers as index, dates as datetime64; NaT where there is none.
    faults : Faults
        Where faults are added.
    years : pandas.DataFrame of bool, optional
        True where a date is known to the year only; such a date is compared by its year.
    """
    for first, second in form.order:
        if first in frame.columns and second in frame.columns:
            wrong = frame[second] < frame[first]
            if years is not None:
                wrong &= ~((years[first] | years[second]) & (frame[second].dt.year == frame[first].dt.year))
            told = frame.loc[wrong, second].astype(str) + " before " + frame.loc[wrong, first].astype(str)
            faults.cells(f"column {second!r}", f"not come before {first!r}", told)


def zero_places(frame: pd.DataFrame) -> tuple[Fault, ...]:
    """Report places at 0, 0, which lie in the sea and mostly stand for none; they are kept.

    Parameters
    ----------
    frame : pandas.DataFrame
        With or without columns ``latitude`` and ``longitude``.

    Returns
    -------
    tuple of Fault
        Empty if there are none.
    """
    if not {"latitude", "longitude"} <= set(frame.columns):
        return ()
    count = int(((frame["latitude"] == 0) & (frame["longitude"] == 0)).sum())
    what = "Places at latitude 0, longitude 0 were kept; if that stands for none, write empty cells instead."
    return (Fault("zero-place", what, count, len(frame), "reported", "latitude"),) if count else ()


def _validator(form: Form, frame: pd.DataFrame, counts: set[str], measured: list[str]) -> pa.DataFrameSchema:
    import pandera.pandas as pa

    columns = {}
    for column in form.columns:
        if column.name in frame.columns:
            # Empty and unreadable times are told where they are parsed, so here only text is held to be there.
            needed = column.required and column.dtype == "text"
            columns[column.name] = pa.Column(None, _bounds(column), nullable=not needed)
    for name in measured:
        low = 0.0 if name in counts else None
        columns[name] = pa.Column(None, _bounds(Column(name, "", "number", low=low)), nullable=True)
    key = [name for name in form.key if name in frame.columns]
    there = [name for name in key if name != "failed"]  # an asset without a failure has an empty one, once

    def once(table: pd.DataFrame) -> pd.Series[bool]:
        return ~(table.duplicated(key, keep=False) & table[there].notna().all(axis=1))

    whole = [pa.Check(once, name="key", error="key")] if key else []
    return pa.DataFrameSchema(columns, checks=whole)


def _pair(frame: pd.DataFrame, faults: Faults) -> None:
    place = [c for c in ("latitude", "longitude") if c in frame.columns]
    if len(place) == 1:
        faults.say("columns", "give latitude and longitude together", f"only {place[0]!r}")
    if len(place) == 2:
        half = frame[place].isna().sum(axis=1) == 1
        told = frame.loc[half, place].apply(lambda row: ", ".join(map(shown, row)), axis=1)
        faults.cells("latitude and longitude", "be given together", told if half.any() else pd.Series(dtype=object))


def _bounds(column: Column) -> list[pa.Check]:
    import pandera.pandas as pa

    if column.dtype != "number":
        return []
    out = [pa.Check(lambda s: ~np.isinf(s), error="be finite")]
    low, high = column.low, column.high
    if low is not None and high is not None:
        out.append(pa.Check(lambda s: np.isinf(s) | s.between(low, high), error=f"lie in [{low:g}, {high:g}]"))
    elif low is not None:
        out.append(pa.Check(lambda s: np.isinf(s) | (s >= low), error=f"be at least {low:g}"))
    return out


def _collect(form: Form, frame: pd.DataFrame, cases: pd.DataFrame, faults: Faults) -> None:
    whole = cases["schema_context"] == "DataFrameSchema"
    for (column, check), rows in cases[~whole].groupby(["column", "check"], sort=False):
        rule = "have no missing values" if check == "not_nullable" else str(check)
        at = sorted(rows["index"].astype(int))
        faults.cells(f"column {str(column)!r}", rule, frame.loc[at, str(column)])
    if whole.any():
        key = [name for name in form.key if name in frame.columns]
        at = sorted(set(cases.loc[whole, "index"].astype(int)))
        told: pd.Series[Any] = frame.loc[at, key].apply(lambda row: ", ".join(map(_plain, row)), axis=1)
        noun = " and ".join(map(repr, key))
        hint = "at a clock change write times in UTC" if "time" in key else ""
        faults.cells(f"columns {noun}" if len(key) > 1 else f"column {noun}", "have no duplicates", told, hint)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)
