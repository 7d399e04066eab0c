"""Own events: requests, incidents, calls, each with when, what and where."""

from __future__ import annotations

import pandas as pd

from citylib.data import own_check, schema
from citylib.data.dataset import Dataset, Fault
from citylib.data.own_table import Raw, is_measured, number
from citylib.data.own_times import read_times, turned_to_utc

__all__ = ["read_events"]

FORM = schema.form("events")
PLACE = ("latitude", "longitude")


def read_events(raw: Raw, given: str) -> Dataset:
    """Return the events of a table.

    Parameters
    ----------
    raw : Raw
        The table.
    given : str
        The path, as the user wrote it.

    Returns
    -------
    Dataset
        Table ``events``: id, opened, closed, category, latitude, longitude and whatever else the file holds, in the
        order of opening.

    Raises
    ------
    SchemaError
        All faults of the file, with row numbers.
    """
    frame, faults = raw.frame, raw.faults
    for name in ("opened", "category"):
        if name not in frame.columns:
            faults.missing_column(name, map(str, frame.columns))
    typed, measured = _typed(raw)
    if {"opened", "category"} <= set(typed.columns):
        own_check.validate(FORM, typed, faults, counts=_counts(raw, measured), measured=measured)
        own_check.in_order(FORM, typed, faults)
    faults.raise_if_any(f"file {given}")
    if "id" not in typed.columns:
        typed.insert(0, "id", typed.index.astype(str))
    found = list(own_check.zero_places(typed))
    found += [fault for name in ("opened", "closed") if name in frame.columns for fault in turned_to_utc(frame[name])]
    for name in typed.columns:
        missing = int(typed[name].isna().sum())
        if missing:
            what = "Not closed yet: censored." if name == "closed" else "Values are missing."
            code = "open-event" if name == "closed" else "missing-value"
            found.append(Fault(code, what, missing, len(typed), "reported", str(name)))
    events = typed.sort_values("opened", kind="stable").reset_index(drop=True)
    return Dataset(f"file:{given}", f"Own file {given}", "events", tables={"events": events}, faults=tuple(found))


def _typed(raw: Raw) -> tuple[pd.DataFrame, list[str]]:
    frame, faults = raw.frame, raw.faults
    typed = pd.DataFrame(index=frame.index)
    zones: dict[str, str | None] = {}
    measured = []
    for name in frame.columns:
        if name in ("opened", "closed"):
            typed[name], zones[name] = read_times(frame[name], faults, missing=name == "closed")
        elif name in PLACE:
            typed[name] = number(frame[name], faults)
        elif name not in ("id", "category") and is_measured(frame[name], raw.units.get(name, "")):
            typed[name] = number(frame[name], faults)
            measured.append(str(name))
        else:
            typed[name] = frame[name].map(lambda v: str(v).strip(), na_action="ignore").astype(object)
    if len(set(zones.values())) > 1 and frame["closed"].notna().any():
        told = ", ".join(f"{name} in {zone or 'no zone'}" for name, zone in zones.items())
        faults.say("columns 'opened' and 'closed'", "be in one zone", told)
    return typed, measured


def _counts(raw: Raw, measured: list[str]) -> list[str]:
    return [c for c in measured if schema.is_count(c, raw.units.get(c, ""))]
