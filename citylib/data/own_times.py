"""Times and dates of own files: ISO 8601, one zone or none, each fault with its row."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from citylib.data.dataset import Fault
from citylib.data.own_faults import Faults

__all__ = ["Moments", "read_dates", "read_times", "turned_to_utc", "year_only"]

OFFSET = re.compile(r"^(.*\d:\d\d.*?)\s*(Z|z|[+-]\d{2}:?\d{2}|[+-]\d{2})$")
ISO = "write it as 2024-03-01T13:00"
YEAR = re.compile(r"\d{4}")
FAR = re.compile(r"(0\d{3}|1[0-5]\d\d|16[0-6]\d|167[0-7]|226[2-9]|22[7-9]\d|2[3-9]\d\d|[3-9]\d{3})-\d\d.*")
FAR_HINT = "years run from 1678 to 2261; leave an end that is still open empty"

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
    given = column.dropna()
    codes, distinct = pd.factorize(given)  # the times of many sensors are few
    parts = _with_zone(pd.Series(distinct, dtype=object).astype(str).str.strip()).iloc[codes].set_index(given.index)
    out, odd = parts["time"], parts["zone"]
    bad = given[out.isna()]
    faults.cells(what, "be an ISO 8601 time", bad, _hint(bad, ISO))
    zones = list(dict.fromkeys(odd[out.notna()]))
    if len(zones) > 1:
        minority = odd[odd != odd.mode()[0]]
        hint = "write all times in UTC (Z)"
        got = given[minority.index].map(str)
        faults.cells(f"{what} (zones: {', '.join(zones)})", "carry one UTC offset in every row, or none", got, hint)
        out = parts["utc"]  # so that the two hours of a clock change are not called one as well
    zone = zones[0] if zones and zones[0] != "none" else None
    return out.reindex(column.index), zone


def turned_to_utc(column: pd.Series[Any]) -> tuple[Fault, ...]:
    """Return the fault that says a Parquet column in a named zone was turned into UTC; empty for any other column."""
    if not isinstance(column.dtype, pd.DatetimeTZDtype):
        return ()
    named = str(column.dtype.tz)
    if re.fullmatch(r"UTC([+-]\d\d:\d\d)?", named):
        return ()
    what = f"Times in {named} were turned into UTC, in which no hour repeats; a day of theirs starts at UTC midnight."
    count = int(column.notna().sum())
    return (Fault("turned-to-utc", what, count, len(column), "mended", str(column.name)),)


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
    faults.cells(what, "be a date or a year", bad, _hint(bad, "write it as 2024-03-01 or 1987"))
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


def _with_zone(text: pd.Series[Any]) -> pd.DataFrame:
    """Return the clock's time, the name of the zone (``"none"`` without) and the time in UTC of each text."""
    parts = text.str.extract(OFFSET)
    zone = parts[1].map(_zone, na_action="ignore").fillna("none")
    time = _parsed(parts[0].fillna(text))
    ahead = zone.str.extract(r"([+-])(\d\d):(\d\d)")
    minutes = ahead[1].fillna("0").astype(int) * 60 + ahead[2].fillna("0").astype(int)
    shift = pd.to_timedelta(minutes.where(ahead[0] != "-", -minutes), unit="min")
    return pd.DataFrame({"time": time, "zone": zone, "utc": time - shift})


def _hint(bad: pd.Series[Any], otherwise: str) -> str:
    return FAR_HINT if bad.map(str).str.fullmatch(FAR).any() else otherwise


def _zone(offset: str) -> str:
    digits = offset.upper().replace(":", "")
    if digits == "Z" or digits[1:].strip("0") == "":
        return "UTC"
    return f"UTC{digits[:3]}:{digits[3:] or '00'}"
