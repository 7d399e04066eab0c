"""The faults of one own file, gathered so that all of them are told together, with rows as a person counts them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

from citylib.errors import SchemaError, nearest

__all__ = ["Faults", "shown"]

SHOWN_VALUES = 3
SHOWN_ROWS = 5

# What files call a column that citylib calls otherwise; only to offer it, never to guess.
ALSO_CALLED = {
    "time": ("timestamp", "datetime", "date_time", "date", "zeit", "hour"),
    "sensor": ("sensor_id", "station", "station_id", "detector", "site", "id", "name"),
    "asset": ("asset_id", "pipe", "pipe_id", "id", "device"),
    "installed": ("install_date", "installation_date", "year_installed", "built", "year"),
    "failed": ("failure", "failure_date", "break_date", "date"),
    "opened": ("open_dt", "created", "created_date", "date", "time", "timestamp"),
    "closed": ("closed_dt", "completed", "resolved"),
    "category": ("type", "case_type", "kind", "reason"),
    "area": ("name", "district", "neighbourhood", "neighborhood", "id", "zone"),
    "latitude": ("lat", "y"),
    "longitude": ("lon", "lng", "long", "x"),
    "date": ("break_date", "failed", "time"),
}


class Faults:
    """Faults found so far in one file.

    Parameters
    ----------
    unit : str, default "row"
        What is counted: rows of a table, features of a GeoJSON.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.cells("column 'value'", "be a number", pd.Series(["x", "y"], index=[3, 7]))
    >>> faults.lines
    ["column 'value' must be a number, got 'x', 'y' (rows 3, 7)"]
    """

    def __init__(self, unit: str = "row") -> None:
        self.unit = unit
        self.lines: list[str] = []

    def say(self, what: str, rule: str, value: str, hint: str = "") -> None:
        """Add a fault of the file as a whole."""
        self._add(f"{what} must {rule}, got {value}" + (f"; {hint}" if hint else ""))

    def cells(self, what: str, rule: str, bad: pd.Series[Any], hint: str = "") -> None:
        """Add a fault of some cells; `bad` holds their values by row number. Nothing is added if it is empty."""
        if bad.empty:
            return
        values = list(dict.fromkeys(shown(v) for v in bad.iloc[:50]))
        got = ", ".join(values[:SHOWN_VALUES]) + (", ..." if len(values) > SHOWN_VALUES else "")
        self._add(f"{what} must {rule}, got {got} ({self.rows(bad.index)})" + (f"; {hint}" if hint else ""))

    def missing_column(self, name: str, columns: Iterable[str], hint: str = "") -> None:
        """Add that column `name` is not there; the nearest of `columns` is offered."""
        have = list(columns)
        by_lower = {c.lower(): c for c in have}
        other = next((by_lower[c] for c in ALSO_CALLED.get(name, ()) if c in by_lower), None)
        close = nearest(name, have) or other
        offer = f"is {close!r} that column? then rename it" if close else hint
        if not close and any(re.match(r"-?\d", c) for c in have):
            offer = "the first row must name the columns"
        self.say("columns", f"include {name!r}", ", ".join(map(repr, have[:12])) or "none", offer)

    def rows(self, numbers: Iterable[Any]) -> str:
        """Return row numbers in words: ``row 3``, ``rows 3, 4 and 17 more``."""
        listed = list(dict.fromkeys(int(n) for n in numbers))
        noun = self.unit if len(listed) == 1 else f"{self.unit}s"
        more = f" and {len(listed) - SHOWN_ROWS} more" if len(listed) > SHOWN_ROWS else ""
        return f"{noun} {', '.join(map(str, listed[:SHOWN_ROWS]))}{more}"

    def raise_if_any(self, file: str) -> None:
        """Raise a SchemaError with all faults, if there are any."""
        if self.lines:
            raise SchemaError(file, self.lines)

    def _add(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)


def shown(value: Any) -> str:
    """Return a cell as a fault shows it, shortened; ``nothing`` for an empty one."""
    if isinstance(value, pd.Timestamp):
        return str(value)
    if isinstance(value, float):
        return "nothing" if pd.isna(value) else f"{value:g}"
    if value is None or value is pd.NaT or value is pd.NA:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
