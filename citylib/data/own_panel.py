"""Own sensor readings, long or wide, to panels and categories on one time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib.data import own_check, schema
from citylib.data.dataset import Dataset, Fault
from citylib.data.own_table import Raw, is_measured, number
from citylib.data.own_times import read_times, turned_to_utc
from citylib.panel import Panel

__all__ = ["UNSTATED", "finish", "read_panel"]

UNSTATED = "unit not stated"
PLACE = ("latitude", "longitude")
MOST_INSERTED = 20  # a regular axis may be this many times longer than the times given
MARKS = (-99.0, -999.0, -9999.0, -99999.0, 9999.0, 99999.0)  # what loggers write for a reading they do not have
VARIABLES = (  # what columns are called that hold variables of one place, and no sensor is
    *("volume", "flow", "speed", "occupancy", "demand", "load"),
    *("temperature", "temp", "humidity", "pressure", "rain", "snow", "clouds", "weather", "wind_speed", "windspeed"),
    *("pm2.5", "pm25", "pm10", "so2", "no2", "co", "o3"),
)


@dataclass(frozen=True)
class _Readings:
    """What either layout gives: wide frames by variable, times down and sensors across."""

    numbers: dict[str, pd.DataFrame]
    words: dict[str, pd.DataFrame]
    units: dict[str, str]
    zone: str | None
    coordinates: dict[str, tuple[float, float]]
    faults: tuple[Fault, ...] = ()


def read_panel(raw: Raw, given: str) -> Dataset:
    """Return the panels and categories of a table of sensor readings.

    Parameters
    ----------
    raw : Raw
        The table.
    given : str
        The path, as the user wrote it.

    Returns
    -------
    Dataset

    Raises
    ------
    SchemaError
        All faults of the file, with row numbers.
    """
    if "time" not in raw.frame.columns:
        raw.faults.missing_column("time", map(str, raw.frame.columns))
        raw.faults.raise_if_any(f"file {given}")
    turned = turned_to_utc(raw.frame["time"])
    readings = _long(raw, given) if "sensor" in raw.frame.columns else _wide(raw, given)
    found = (*turned, *readings.faults)
    return finish(given, readings.numbers, readings.words, readings.units, readings.zone, readings.coordinates, found)


def finish(
    given: str,
    numbers: dict[str, pd.DataFrame],
    words: dict[str, pd.DataFrame],
    units: dict[str, str],
    zone: str | None,
    coordinates: dict[str, tuple[float, float]],
    faults: tuple[Fault, ...] = (),
) -> Dataset:
    """Put readings on one regular axis where they lie on one, leave out what is empty, and say so.

    Parameters
    ----------
    given : str
        The path, as the user wrote it.
    numbers, words : dict of str to DataFrame
        Readings and categories by variable, times down and sensors across.
    units : dict of str to str
        Unit by variable.
    zone : str or None
        Zone of the times.
    coordinates : dict of str to (latitude, longitude)
        Places by sensor.
    faults : tuple of Fault
        Found before.

    Returns
    -------
    Dataset
    """
    found = list(faults)
    axis, of_axis = _axis(next(iter(numbers.values())).index)
    found += of_axis
    panels: dict[str, Panel] = {}
    for variable, wide in numbers.items():
        table = wide.reindex(axis)
        empty = [str(s) for s in table.columns if table[s].isna().all()]
        if len(empty) == len(table.columns):
            what = "The variable has no readings at all and was left out."
            found.append(Fault("empty-variable", what, table.size, table.size, "dropped", variable))
            continue
        if empty:
            named = ", ".join(empty[:5]) + (", ..." if len(empty) > 5 else "")
            what = f"Sensors without any reading were left out: {named}."
            found.append(Fault("empty-sensor", what, len(empty), len(table.columns), "dropped", variable))
            table = table.drop(columns=empty)
        missing = int(table.isna().to_numpy().sum())
        if missing:
            found.append(Fault("missing-reading", "Readings are missing.", missing, table.size, "reported", variable))
        found += _marks(table, variable)
        unit = units.get(variable, "")
        if not unit:
            what = f"The file states no unit; write it in the header as {variable} [unit]."
            found.append(Fault("no-unit", what, 1, 1, "reported", variable))
        places = np.array([coordinates[s] for s in table.columns]) if coordinates else None
        panels[variable] = Panel.from_frame(
            table, unit=unit or UNSTATED, variable=variable, zone=zone, coordinates=places
        )
    categories = {name: wide.reindex(axis) for name, wide in words.items()}
    name = f"file:{given}"
    return Dataset(name, f"Own file {given}", "panel", panels, categories, faults=tuple(found))


def _long(raw: Raw, given: str) -> _Readings:
    frame, faults = raw.frame, raw.faults
    typed = pd.DataFrame(index=frame.index)
    typed["time"], zone = read_times(frame["time"], faults)
    typed["sensor"] = frame["sensor"].map(str.strip, na_action="ignore")
    for name in [c for c in PLACE if c in frame.columns]:
        typed[name] = number(frame[name], faults)
    others = [c for c in frame.columns if c not in typed.columns]
    measured = [c for c in others if is_measured(frame[c], raw.units.get(c, ""))]
    for name in others:
        typed[name] = number(frame[name], faults) if name in measured else _text(frame[name])
    if not measured:
        faults.missing_column("value", map(str, frame.columns), "add a column of numbers")
    counts = [c for c in measured if schema.is_count(c, raw.units.get(c, ""))]
    own_check.validate(schema.form("long"), typed, faults, counts=counts, measured=measured)
    _refuse_all_empty(raw, typed, measured)
    dated = typed[typed["time"].notna()]
    back = dated["time"] < dated.groupby("sensor", sort=False)["time"].shift()
    hint = "sort the rows by sensor and time"
    faults.cells("column 'time'", "increase within a sensor", dated.loc[back, "time"], hint)
    coordinates = _coordinates(raw, typed)
    faults.raise_if_any(f"file {given}")
    spread = _spread(typed, others)
    numbers = {c: spread[c] for c in measured}
    words = {c: spread[c] for c in others if c not in measured}
    places = pd.DataFrame(coordinates.values(), columns=list(PLACE), dtype=float)
    return _Readings(numbers, words, raw.units, zone, coordinates, own_check.zero_places(places))


def _spread(typed: pd.DataFrame, columns: list[str]) -> dict[str, pd.DataFrame]:
    """Return each column with times down, sorted, and sensors across, in the order of the file."""
    row, times = pd.factorize(typed["time"], sort=True)
    place, sensors = pd.factorize(typed["sensor"])
    out = {}
    for name in columns:
        values = typed[name].to_numpy()
        wide = np.full((len(times), len(sensors)), np.nan, dtype=values.dtype)
        wide[row, place] = values
        out[name] = pd.DataFrame(
            wide, index=pd.DatetimeIndex(times, name="time"), columns=pd.Index(sensors, name="sensor")
        )
    return out


def _wide(raw: Raw, given: str) -> _Readings:
    frame, faults = raw.frame, raw.faults
    times, zone = read_times(frame["time"], faults)
    sensors = [c for c in frame.columns if c != "time"]
    units = {raw.units.get(c, "") for c in sensors}
    hint = "add a column 'sensor' if the columns are variables of one place"
    if not sensors:
        faults.missing_column("sensor", map(str, frame.columns), "add a column of readings for each sensor")
    if len(units) > 1:
        faults.say("columns", "have one unit", ", ".join(sorted(u or "none" for u in units)), hint)
    variables = [c for c in sensors if c.lower() in VARIABLES]
    if variables and len(sensors) > 1:
        faults.say("columns", "be sensors, not variables", ", ".join(map(repr, variables[:5])), hint)
    text = [c for c in sensors if not is_measured(frame[c], raw.units.get(c, ""))]
    if text:
        faults.say("columns", "all hold numbers, one sensor each", f"text in {', '.join(map(repr, text[:5]))}", hint)
    typed = pd.DataFrame({"time": times, **{c: number(frame[c], faults) for c in sensors if c not in text}})
    unit = next(iter(units), "")
    counts = sensors if schema.is_count("value", unit) else [c for c in sensors if schema.is_count(c, "")]
    own_check.validate(
        schema.form("wide"), typed, faults, counts=counts, measured=[c for c in sensors if c not in text]
    )
    _refuse_all_empty(raw, typed, [c for c in sensors if c not in text])
    dated = typed["time"].dropna()
    faults.cells("column 'time'", "increase", dated[dated.diff() < pd.Timedelta(0)], "sort the rows by time")
    faults.raise_if_any(f"file {given}")
    values = typed.set_index("time")
    values.columns = pd.Index(values.columns, name="sensor")
    return _Readings({"value": values}, {}, {"value": unit}, zone, {})


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map(lambda v: str(v).strip(), na_action="ignore").astype(object)


def _marks(table: pd.DataFrame, variable: str) -> list[Fault]:
    """Report values that loggers write for "no reading"; they are kept, for they may be readings all the same."""
    values = table.to_numpy()
    count = {mark: int((values == mark).sum()) for mark in MARKS}
    held = [f"{mark:g}" for mark, n in count.items() if n]
    if not held:
        return []
    what = f"Readings of exactly {' or '.join(held)} were kept; if that stands for none, write an empty cell instead."
    return [Fault("missing-mark", what, sum(count.values()), values.size, "reported", variable)]


def _refuse_all_empty(raw: Raw, typed: pd.DataFrame, measured: list[str]) -> None:
    if measured and not raw.faults.lines and typed[measured].isna().all(axis=None):
        raw.faults.say("readings", "include at least one number", f"none in {', '.join(map(repr, measured[:5]))}")


def _coordinates(raw: Raw, typed: pd.DataFrame) -> dict[str, tuple[float, float]]:
    if not set(PLACE) <= set(typed.columns) or typed["sensor"].isna().all():
        return {}
    place = typed[["sensor", *PLACE]]
    first = place.groupby("sensor", sort=False)[list(PLACE)].transform("first")
    moved = ((place[list(PLACE)] != first) & place[list(PLACE)].notna()).any(axis=1)
    hint = "a sensor that was moved is a new sensor"
    raw.faults.cells("latitude, longitude", "be one place for a sensor", typed.loc[moved, "sensor"], hint)
    table = place.groupby("sensor", sort=False)[list(PLACE)].first()
    return {str(s): (float(row["latitude"]), float(row["longitude"])) for s, row in table.iterrows()}


def _axis(index: pd.Index[Any]) -> tuple[pd.DatetimeIndex, list[Fault]]:
    times = pd.DatetimeIndex(index, name="time")
    if len(times) < 3:
        return times, []
    gaps: npt.NDArray[np.timedelta64] = np.diff(times.to_numpy())
    sizes, counts = np.unique(gaps, return_counts=True)
    step = sizes[np.argmax(counts)]
    offset = times.to_numpy() - times.to_numpy()[0]
    steps = int(offset[-1] // step) + 1
    if ((offset % step) != np.timedelta64(0)).any() or steps > MOST_INSERTED * len(times):
        odd = int((gaps != step).sum())
        what = "The times do not lie on an evenly spaced axis; they were left as they are."
        return times, [Fault("irregular-times", what, odd, len(gaps), "reported", "time")]
    if steps == len(times):
        return times, []
    regular = pd.DatetimeIndex(times.to_numpy()[0] + np.arange(steps) * step, name="time")
    what = f"Steps of {_span(pd.Timedelta(step))} are absent; they were put in, with all readings missing."
    return regular, [Fault("absent-step", what, steps - len(times), steps, "reported", "time")]


def _span(step: pd.Timedelta) -> str:
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        count = step.total_seconds() / size
        if count >= 1 and count == int(count):
            return f"{count:g} {name}{'' if count == 1 else 's'}"
    return f"{step.total_seconds():g} seconds"
