"""Service requests of Boston (requests-boston-311): 121,145 calls, app reports and so on of 2015.

Traps: ``closure_note`` is written when the case is CLOSED, so it doesn't exist when a request is routed or its delay
predicted; it often ends with the name of a member of staff and may name streets: never print it at length, publish
nothing trained on it. ``outcome``, read from the phrase at the note's head, is of the future as the note is.
``category`` gives the department in 94 % of cases, ``queue`` in all: routing by them is no learning. Five of the most
frequent types are absent, so shares of types are biased. Open cases are right-censored at the snapshot of January 2016.
``on_time`` is as of the snapshot, too, and calls on time what has no target and what may still miss it. Split by time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from citylib.data.dataset import Dataset, Fault
from citylib.data.sources import closure_phrases, reading

__all__ = ["ABSENT", "FUTURE", "read"]

FILE, SOURCES = "boston_311_2015.csv.gz", "boston_311_2015_sources.csv.gz"
DEFAULT = (42.3594, -71.0587)  # where a case without a place is put
SLIP = pd.Timedelta(hours=1)  # a case closed at most this long before it opened was closed at once
ABSENT = (
    "Parking Enforcement",
    "Request for Pothole Repair",
    "Request for Snow Plowing",
    "Requests for Street Cleaning",
    "Schedule a Bulk Item Pickup",
)
FUTURE = ("closed", "closure_note", "closed_early", "on_time", "outcome", "status")  # not known when a request comes in
_COLUMNS = {
    "request": "CASE_ENQUIRY_ID",
    "status": "CASE_STATUS",
    "on_time": "OnTime_Status",
    "title": "CASE_TITLE",
    "category": "TYPE",
    "reason": "REASON",
    "subject": "SUBJECT",
    "queue": "QUEUE",
    "department": "Department",
    "channel": "Source",
    "district": "neighborhood",
    "ward": "ward",
    "zip": "LOCATION_ZIPCODE",
    "property": "Property_Type",
    "closure_note": "CLOSURE_REASON",
    "latitude": "LATITUDE",
    "longitude": "LONGITUDE",
    "opened": "OPEN_DT",
    "target": "TARGET_DT",
    "closed": "CLOSED_DT",
}
_NUMBERS = ("latitude", "longitude")
_TIMES = ("opened", "target", "closed")


def read(paths: Mapping[str, Path]) -> Dataset:
    """Read the requests.

    Parameters
    ----------
    paths : mapping of str to Path
        ``boston_311_2015.csv.gz`` and ``boston_311_2015_sources.csv.gz``, packed or not.

    Returns
    -------
    Dataset
        Table ``requests`` (request, opened, target, closed [local], status, category, department, channel, district,
        latitude, longitude, ..., closure_note, outcome, closed_early), sorted by opening; ``closed_early`` marks cases
        that were closed before they opened, and ``outcome`` is what `citylib.data.sources.closure_phrases` reads in the
        note of a closed one. ``attrs["future"]`` names the columns that are not known when a request comes in,
        ``attrs["snapshot"]`` when the open ones were censored. Tables ``types`` (category, requests) and
        ``closure_phrases`` (phrase, outcome, says).

    Raises
    ------
    SchemaError
        A column lacks, a cell has the wrong type, an id repeats, or a case lacks its opening time.
    """
    path = reading.find(paths, FILE)
    raw = reading.read_csv(
        path,
        text=[c for k, c in _COLUMNS.items() if k not in _NUMBERS + _TIMES],
        numbers=[_COLUMNS[k] for k in _NUMBERS],
        times={_COLUMNS[k]: "ISO8601" for k in _TIMES},
        missing=("",),
        optional=True,
    )
    table = raw.rename(columns={theirs: ours for ours, theirs in _COLUMNS.items()})
    if table["opened"].isna().any() or table["request"].duplicated().any():
        raise reading.refuse(path.name, "every case must have an opening time and an id of its own, and one has not")
    table = table.sort_values("opened", kind="stable", ignore_index=True)
    table["zip"] = table["zip"].str.removesuffix(".0").str.zfill(5)
    table["closed_early"] = table["closed"] < table["opened"]
    faults = (*_mended(table), *_wards(table))
    table["outcome"] = closure_phrases.outcome(table["closure_note"]).where(table["closed"].notna(), None)
    table.attrs["future"] = list(FUTURE)
    table.attrs["snapshot"] = f"{table[['opened', 'closed']].max().max():%Y-%m-%d %H:%M}"
    types = reading.read_csv(reading.find(paths, SOURCES), text=("type",), numbers=("rows",))
    return Dataset(
        name="requests-boston-311",
        title="Service requests of Boston, 2015",
        kind="events",
        tables={
            "requests": table[
                [
                    *("request", "opened", "target", "closed"),
                    *(c for c in _COLUMNS if c not in ("request", *_TIMES)),
                    *("outcome", "closed_early"),
                ]
            ],
            "types": types.rename(columns={"type": "category", "rows": "requests"}),
            "closure_phrases": closure_phrases.table(),
        },
        faults=(*faults, *_limits(table)),
    )


def _mended(table: pd.DataFrame) -> tuple[Fault, ...]:
    """Put right times and places in `table`, in place; return what was done."""
    rows = len(table)
    early = table["opened"] - table["closed"]
    slipped = (early > pd.Timedelta(0)) & (early <= SLIP)
    wrong = early > SLIP
    closed = int(table["closed"].notna().sum())
    table.loc[slipped, "closed"] = table.loc[slipped, "opened"]
    table.loc[wrong, "closed"] = pd.NaT
    nowhere = (table["latitude"] == DEFAULT[0]) & (table["longitude"] == DEFAULT[1])
    table.loc[nowhere, ["latitude", "longitude"]] = float("nan")
    at_most = f", by {early[slipped].max().total_seconds():.0f} seconds at most" if slipped.any() else ""
    return (
        *reading.fault(
            "closed-before-opened",
            f"Cases closed before they open{at_most}; now closed as they open",
            slipped.sum(),
            closed,
            "mended",
            "requests.closed",
        ),
        *reading.fault(
            "closed-long-before-opened",
            f"Cases closed more than {SLIP.total_seconds() / 3600:g} hour before they open: no closing time",
            wrong.sum(),
            closed,
            "masked",
            "requests.closed",
        ),
        *reading.fault(
            "default-place",
            "Cases at the default place, which stands for none, or for an address not found",
            nowhere.sum(),
            rows,
            "masked",
            "requests.latitude",
        ),
    )


def _wards(table: pd.DataFrame) -> tuple[Fault, ...]:
    """Write wards one way, in place: ``"3"`` for ``"Ward 3"`` and ``"03"``."""
    number = table["ward"].str.extract(r"(\d+)", expand=False).str.lstrip("0")
    given = table["ward"].notna()
    short = given & ~table["ward"].str.startswith("Ward", na=False)
    table["ward"] = number.where(number != "", None)
    what = "Wards are written in two ways (Ward 3, 03); now as their number (the rarer way counted)"
    return reading.fault("ward-spelling", what, short.sum(), given.sum(), "mended", "requests.ward")


def _limits(table: pd.DataFrame) -> tuple[Fault, ...]:
    """Say what the requests can't tell."""
    rows = len(table)
    still_open = table["closed"].isna()
    out = [
        *reading.fault(
            "open",
            "Cases still open at the snapshot: right-censored",
            still_open.sum(),
            rows,
            "reported",
            "requests.closed",
        ),
        *reading.fault(
            "note-from-the-future",
            "Notes written when a case was closed, not known when it comes in; they carry staff names",
            table["closure_note"].notna().sum(),
            rows,
            "reported",
            "requests.closure_note",
        ),
        *reading.fault(
            "contact-masked",
            "Texts in which an e-mail address or telephone number was masked",
            (table["closure_note"].fillna("") + table["title"].fillna("")).str.contains(r"\[email\]|\[phone\]").sum(),
            rows,
            "reported",
            "requests.closure_note",
        ),
    ]
    unspecified = table["outcome"].eq(closure_phrases.UNSPECIFIED)
    what = "Closed cases whose note doesn't say how they ended: an outcome of its own"
    out += reading.fault(
        "outcome-unspecified", what, unspecified.sum(), (~still_open).sum(), "reported", "requests.outcome"
    )
    for column, what in (
        ("target", "No time to be closed by"),
        ("district", "No neighbourhood"),
        ("zip", "No postal code"),
    ):
        out += reading.fault("missing", what, table[column].isna().sum(), rows, "reported", f"requests.{column}")
    lacking = [name for name in ABSENT if name not in set(table["category"])]
    known = table["category"].nunique() + len(lacking)
    what = f"Frequent types that are not in the file ({', '.join(lacking)}): shares of types are biased"
    out += reading.fault("type-absent", what, len(lacking), known, "reported", "requests.category")
    return tuple(out)
