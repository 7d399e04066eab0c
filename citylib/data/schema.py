"""The forms in which citylib reads a city's own files: their columns and their rules.

`FORMS` is the one description: the validators are made from it (`own_check`), and
`describe` writes it out for people (the book's page on your own city quotes it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from citylib import checks
from citylib.errors import InputError

__all__ = ["FORMS", "MISSING", "Column", "Form", "describe", "form", "is_count", "recognise"]

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL")
COUNTS = (
    *("volume", "flow", "count", "counts", "vehicles", "bikes", "rentals", "requests", "passengers", "speed"),
    *("population", "inhabitants", "residents", "households", "dwellings", "jobs"),
)
SIGNED = ("change", "growth", "difference", "diff", "delta", "net", "balance", "residual", "anomaly", "trend", "log")
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
_ISO = (
    "Times are ISO 8601 (`2024-03-01T13:00`). If they carry a UTC offset, all carry the same one; where clocks change, "
    "write UTC (`Z`). A Parquet column in a named zone is turned into UTC, and that is reported."
)
_TIMES = f"{_ISO} A time is the start of its step."
_COUNTS = (
    "Counts, flows, speeds and populations (by name or unit: `volume`, `[veh/h]`) are not negative, changes and "
    "differences of them may be; nothing is infinite."
)
_MARKS = "A reading of exactly -99, -999, -9999, 9999 and the like is kept and reported: write an empty cell for none."

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
            _MARKS,
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
        rules=(
            _TIMES,
            "Times increase.",
            "Without a column `sensor`, the other columns are sensors. Where there are several, names of variables "
            "(`volume`, `temperature`) are refused: add a column `sensor`.",
            _MARKS,
        ),
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
            "Dates are ISO 8601 (`2024-03-01`) or a year (`1987`), which counts as its first day, or as the day in it "
            "that it cannot precede.",
            "A failure before `observed_from` is kept and reported.",
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
        rules=(_ISO, _COUNTS),
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
            _COUNTS,
        ),
        example="area,population,households\nNorth,12400,5100\nSouth,9800,4300",
    ),
)


_EVERY = """\
- A file is CSV (UTF-8; comma, semicolon or tab; decimal point) or Parquet. It may be compressed (`.gz`), or alone in a
  `.zip` or `.tar`. Spreadsheets and pickles are refused.
- Columns are found by name, in any order, upper or lower case. A unit goes in brackets: `volume [veh/h]`.
- An empty cell, `NA`, `N/A`, `NaN` or `null` is a missing value.
- All faults are told together, with rows as a spreadsheet counts them: the header of a CSV is row 1."""

_ARRAYS = """\
### Sensor readings as arrays

`--as panel`

- `.h5`: one frame in the fixed layout of pandas, times down and detectors across, as METR-LA and PEMS-BAY are
  published. The readings are speeds in mph, and 0 is a gap.
- `.npz`: an array `data` (times, sensors, variables) and, with it, `time` (datetime64); if wanted `sensors`,
  `variables` and `units`. Files named PEMS03, PEMS04, PEMS07 or PEMS08 need no `time`: their first step is known.
- Pickled content is refused, because opening it would run whatever it holds."""


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
    >>> is_count("population", ""), is_count("population_change", "")
    (True, False)
    """
    words = re.split(r"[^a-z]+", variable.lower())
    if any(word in SIGNED for word in words):
        return False
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
    parts = [_EVERY, *(_described(f) for f in chosen)]
    return "\n\n".join([*parts, _ARRAYS] if kind in (None, "panel") else parts)


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
