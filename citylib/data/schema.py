"""The forms in which citylib reads a city's own files: their columns, their rules, and the checks that hold them.

`FORMS` is the one description: the validators are made from it, and `describe`
writes it out for people (the book's page on your own city quotes it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from citylib import checks
from citylib.errors import InputError

if TYPE_CHECKING:
    import pandera.pandas as pa

    from citylib.data.own_faults import Faults

__all__ = ["FORMS", "MISSING", "Column", "Form", "describe", "form", "in_order", "is_count", "recognise", "validate"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
COUNTS = ("volume", "flow", "count", "counts", "vehicles", "bikes", "rentals", "requests", "passengers", "speed")
COUNT_UNITS = ("veh", "count", "bike", "person", "people", "passenger", "trip", "request")


@dataclass(frozen=True)
class Column:
    """One column of a form.

    Parameters
    ----------
    name : str
        As it stands in the header; a unit may follow in brackets.
    what : str
        What it holds.
    dtype : {"time", "date", "text", "number"}
        What its cells are.
    required : bool, default False
        Whether the file must have it, without gaps.
    low, high : float, optional
        Smallest and largest value allowed.
    """

    name: str
    what: str
    dtype: str
    required: bool = False
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Form:
    """One form of own file.

    Parameters
    ----------
    name : str
        Short name.
    kind : {"panel", "assets", "events", "areas"}
        Kind of data it gives, as ``citylib data check --as`` takes it.
    title : str
        For people.
    columns : tuple of Column
        The columns it knows.
    others : str
        What further columns are taken for.
    key : tuple of str
        Columns that together occur once.
    order : tuple of (str, str)
        Pairs of columns of which the first may not come after the second.
    rules : tuple of str
        Further rules, a sentence each.
    example : str
        A small file.
    """

    name: str
    kind: str
    title: str
    columns: tuple[Column, ...]
    others: str
    key: tuple[str, ...] = ()
    order: tuple[tuple[str, str], ...] = ()
    rules: tuple[str, ...] = ()
    example: str = ""


_LATITUDE = Column("latitude", "degrees north (WGS84), given together with longitude", "number", low=-90, high=90)
_LONGITUDE = Column("longitude", "degrees east (WGS84)", "number", low=-180, high=180)
_TIMES = (
    "Times are ISO 8601 (`2024-03-01T13:00`), the start of each step. With a UTC offset, every time carries the same "
    "one; at clock changes write UTC (`Z`)."
)
_COUNTS = "Counts, flows and speeds (by name or unit: `volume`, `[veh/h]`) are not negative; nothing is infinite."

FORMS: tuple[Form, ...] = (
    Form(
        "long",
        "panel",
        "Sensor readings, long: a row a reading",
        (
            Column("time", "start of the step", "time", required=True),
            Column("sensor", "id of the sensor", "text", required=True),
            _LATITUDE,
            _LONGITUDE,
        ),
        "variables: columns of numbers become panels, columns of text become categories; the first is the main one",
        key=("time", "sensor"),
        rules=(
            _TIMES,
            "Times increase within a sensor, and no sensor has two rows of one time.",
            _COUNTS,
            "A sensor without any reading of a variable is left out of it, and reported.",
        ),
        example="time,sensor,volume [veh/h],weather\n2024-03-01T13:00,A1,412,Rain\n2024-03-01T14:00,A1,,Rain",
    ),
    Form(
        "wide",
        "panel",
        "Sensor readings, wide: a column a sensor",
        (Column("time", "start of the step", "time", required=True),),
        "sensors: all numbers, all of one variable and unit",
        key=("time",),
        rules=(_TIMES, "Times increase.", "Without a column `sensor`, the other columns are sensors, not variables."),
        example="time,A1 [veh/h],A2 [veh/h]\n2024-03-01T13:00,412,388\n2024-03-01T14:00,,401",
    ),
    Form(
        "assets",
        "assets",
        "Assets and their failures: a row an asset, or a row a failure",
        (
            Column("asset", "id of the asset", "text", required=True),
            Column("installed", "date or year it was put in", "date", required=True),
            Column("removed", "date or year it was taken out; empty while in service", "date"),
            Column("observed_from", "date from which its failures were recorded", "date"),
            Column("observed_until", "last date its record covers; by default the latest date of the file", "date"),
            Column("failed", "date or year of a failure; empty if none", "date"),
            Column("length_m", "length in metres", "number", low=0),
            Column("diameter_mm", "diameter in millimetres", "number", low=0),
            _LATITUDE,
            _LONGITUDE,
        ),
        "covariates, such as `material`: numbers or text, the same in every row of an asset",
        key=("asset", "failed"),
        order=(
            ("installed", "failed"),
            ("installed", "removed"),
            ("installed", "observed_until"),
            ("observed_from", "observed_until"),
            ("failed", "removed"),
            ("failed", "observed_until"),
        ),
        rules=(
            "Dates are ISO 8601 (`2024-03-01`) or a year (`1987`), which counts as its first day.",
            "Failures stand in `failed`, an asset with several having several rows; or in a file beside it named "
            "`NAME_breaks.csv` with columns `asset` and `date`.",
        ),
        example="asset,installed,removed,failed,material,length_m\n"
        "m1,1987,,2003-02-11,cast iron,120\nm1,1987,,2010-12-03,cast iron,120\nm2,2001-06-01,2019,,PVC,85",
    ),
    Form(
        "events",
        "events",
        "Events: requests, incidents, calls",
        (
            Column("opened", "when it was reported or began", "time", required=True),
            Column("category", "what it is", "text", required=True),
            Column("id", "its number; by default the number of its row", "text"),
            Column("closed", "when it was closed; empty while open", "time"),
            _LATITUDE,
            _LONGITUDE,
        ),
        "kept as they are, numbers or text",
        key=("id",),
        order=(("opened", "closed"),),
        rules=(_TIMES,),
        example="id,opened,closed,category,latitude,longitude\n"
        "17,2024-03-01T13:05,2024-03-02T09:10,Pothole,42.36,-71.06",
    ),
    Form(
        "areas",
        "areas",
        "Areas: districts with figures",
        (
            Column("area", "name or id of the area", "text", required=True),
            Column("geometry", "its outline: GeoJSON or GeoParquet, or as WKT in a CSV", "text"),
            _LATITUDE,
            _LONGITUDE,
        ),
        "figures of the area, numbers or text",
        key=("area",),
        rules=(
            "GeoJSON is WGS84 degrees, longitude first; a GeoParquet says its coordinate system.",
            "Every geometry is valid and none is empty.",
        ),
        example="area,population,households\nNorth,12400,5100\nSouth,9800,4300",
    ),
)


def form(name: str) -> Form:
    """Return the form called `name` (``long``, ``wide``, ``assets``, ``events``, ``areas``)."""
    checks.one_of("form", name, [f.name for f in FORMS])
    return next(f for f in FORMS if f.name == name)


def recognise(columns: Iterable[str]) -> str:
    """Return the kind of data a table holds, told from its columns; a panel if nothing else fits.

    Examples
    --------
    >>> recognise(["time", "A1", "A2"]), recognise(["asset", "installed"]), recognise(["opened", "category"])
    ('panel', 'assets', 'events')
    """
    have = {c.lower() for c in columns}
    if "time" in have:
        return "panel"
    if "asset" in have or "installed" in have:
        return "assets"
    if "opened" in have:
        return "events"
    if "area" in have or "geometry" in have:
        return "areas"
    return "panel"


def is_count(variable: str, unit: str) -> bool:
    """Return whether a variable counts or cannot otherwise be negative, told from its name and unit.

    Examples
    --------
    >>> is_count("volume", ""), is_count("A1", "veh/h"), is_count("temperature", "°C")
    (True, True, False)
    """
    words = re.split(r"[^a-z]+", variable.lower())
    return any(word in COUNTS for word in words) or unit.lower().startswith(COUNT_UNITS)


def describe(kind: str | None = None) -> str:
    """Return the forms in Markdown: columns, rules and an example each.

    Parameters
    ----------
    kind : {"panel", "assets", "events", "areas"}, optional
        Only the forms of this kind.

    Returns
    -------
    str
    """
    chosen = [f for f in FORMS if kind is None or f.kind == kind]
    if not chosen:
        raise InputError("kind", f"be one of: {', '.join(dict.fromkeys(f.kind for f in FORMS))}", kind)
    return "\n\n".join(_described(f) for f in chosen)


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
    try:
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
    whole = [pa.Check(lambda d: ~d.duplicated(key, keep=False), name="key", error="key")] if key else []
    return pa.DataFrameSchema(columns, checks=whole)


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
        told: pd.Series[Any] = frame.loc[at, key].apply(lambda row: ", ".join(str(v) for v in row), axis=1)
        noun = " and ".join(map(repr, key))
        hint = "at a clock change write times in UTC" if "time" in key else ""
        faults.cells(f"columns {noun}" if len(key) > 1 else f"column {noun}", "have no duplicates", told, hint)


def _described(form: Form) -> str:
    lines = [f"### {form.title}", "", f"`--as {form.kind}`", "", "| column | needed | what |", "|---|---|---|"]
    for column in form.columns:
        lines.append(f"| `{column.name}` | {'yes' if column.required else 'no'} | {column.what} |")
    lines += [f"| any other | no | {form.others} |", ""]
    lines += [f"- {rule}" for rule in form.rules]
    if form.order:
        pairs = ", ".join(f"`{first}` ≤ `{second}`" for first, second in form.order)
        lines.append(f"- Where both are given: {pairs}.")
    return "\n".join([*lines, "", "```text", form.example, "```"])
