"""Times and dates of own files: ISO 8601, one zone or none, each fault with its row."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from citylib.data.own_faults import Faults

__all__ = ["Moments", "read_dates", "read_times", "year_only"]

OFFSET = re.compile(r"^(.*\d:\d\d.*?)\s*(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})$")
ISO = "write it as 2024-03-01T13:00"
YEAR = re.compile(r"\d{4}")

Moments = tuple["pd.Series[Any]", str | None]


def read_times(column: pd.Series[Any], faults: Faults, *, missing: bool = False) -> Moments:
    """Return times without zone, and the name of the zone they are in.

    Times that all carry one UTC offset are the clock's at that offset. A Parquet
    column in a named zone becomes UTC, so that no hour repeats at a clock change.

    Parameters
    ----------
    column : pandas.Series
        Text, or datetime64 with or without a zone; row numbers as index.
    faults : Faults
        Where faults are added.
    missing : bool, default False
        Whether cells may be empty.

    Returns
    -------
    (pandas.Series of datetime64, str or None)
        NaT where a cell was at fault.

    Examples
    --------
    >>> times, zone = read_times(pd.Series(["2024-03-01T13:00+01:00"], name="time"), Faults())
    >>> str(times[0]), zone
    ('2024-03-01 13:00:00', 'UTC+01:00')
    """
    what = f"column {str(column.name)!r}"
    if not missing:
        faults.cells(what, "have no missing values", column[column.isna()])
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        named = str(column.dtype.tz)
        fixed = re.fullmatch(r"UTC([+-]\d\d:\d\d)?", named) is not None
        moved = column.dt.tz_localize(None) if fixed else column.dt.tz_convert("UTC").dt.tz_localize(None)
        return moved.astype("datetime64[ns]"), named if fixed else "UTC"
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return column.astype("datetime64[ns]"), None
    text = column.dropna().astype(str).str.strip()
    parts = text.str.extract(OFFSET)
    offsets = parts[1].map(_zone, na_action="ignore")
    bare = parts[0].fillna(text)
    out = _parsed(bare)
    faults.cells(what, "be an ISO 8601 time", column[text.index][out.isna()], ISO)
    zones = list(dict.fromkeys(offsets[out.notna()].fillna("none")))
    if len(zones) > 1:
        odd = offsets.fillna("none")
        minority = odd[odd != odd.mode()[0]]
        hint = "write all times in UTC (Z)"
        got = text[minority.index]
        faults.cells(f"{what} (zones: {', '.join(zones)})", "carry one UTC offset in every row, or none", got, hint)
    zone = zones[0] if zones and zones[0] != "none" else None
    return out.reindex(column.index), zone


def read_dates(column: pd.Series[Any], faults: Faults, *, missing: bool = True) -> pd.Series[Any]:
    """Return dates without time of day; a year alone is its first day.

    Parameters
    ----------
    column : pandas.Series
        Text or datetime64; row numbers as index.
    faults : Faults
        Where faults are added.
    missing : bool, default True
        Whether cells may be empty.

    Returns
    -------
    pandas.Series of datetime64
        NaT where a cell is empty or was at fault.
    """
    what = f"column {str(column.name)!r}"
    if not missing:
        faults.cells(what, "have no missing values", column[column.isna()])
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        naive = column.dt.tz_localize(None) if isinstance(column.dtype, pd.DatetimeTZDtype) else column
        return naive.astype("datetime64[ns]").dt.normalize()
    text = column.dropna().astype(str).str.strip()
    out = _parsed(text.str.replace(OFFSET, r"\1", regex=True))
    bad = column[text.index][out.isna()]
    faults.cells(what, "be a date or a year", bad, "write it as 2024-03-01 or 1987")
    days: pd.Series[Any] = out.dt.normalize().reindex(column.index)
    return days


def year_only(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return which cells of a column of dates give a year and no more."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.Series(False, index=column.index)
    out: pd.Series[Any] = column.astype(str).str.strip().str.fullmatch(YEAR)
    return out


def _parsed(text: pd.Series[Any]) -> pd.Series[Any]:
    if text.empty:
        return pd.Series([], index=text.index, dtype="datetime64[ns]")
    plain = text.where(text.str.match(r"\d{4}(?:-|$|\d{4}(?:T|$))"))  # pandas would take "1" or "now" for a time
    out: pd.Series[Any] = pd.to_datetime(plain, format="ISO8601", errors="coerce").astype("datetime64[ns]")
    return out


def _zone(offset: str) -> str:
    digits = offset.upper().replace(":", "")
    if digits == "Z" or digits[1:].strip("0") == "":
        return "UTC"
    return f"UTC{digits[:3]}:{digits[3:] or '00'}"
