"""Dataset: what a source holds once read: panels, categories, tables, its faults and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from citylib.errors import InputError, UnknownNameError
from citylib.panel import Panel

__all__ = ["CITY", "DataFile", "Dataset", "Fault"]

CITY = "city"  # sensor id of a panel that holds for the whole city (its weather, say)
EVENTS = ("events", "requests", "incidents")  # tables of things that happen, the name of an own file's first
_OWN_NAMES = {"request": "id", "incident": "id", "time": "opened", "kind": "category"}  # theirs: an own file's
_EVENT = ("id", "opened", "closed", "category", "latitude", "longitude")


@dataclass(frozen=True)
class Fault:
    """One kind of fault found in a source, and what was done about it.

    Parameters
    ----------
    code : str
        Short name, such as ``"repeated-hour"``.
    what : str
        One sentence a reader understands.
    count : int
        How many rows or readings.
    total : int
        Out of how many.
    action : {"masked", "dropped", "mended", "reported"}
        What was done: readings became missing, rows left out, values put right, or only said.
    where : str, optional
        Variable, table or sensor.
    """

    code: str
    what: str
    count: int
    total: int
    action: Literal["masked", "dropped", "mended", "reported"]
    where: str = ""


@dataclass(frozen=True)
class DataFile:
    """One file that was read.

    Parameters
    ----------
    file : str
        Its name in the registry, or the path as the user gave it.
    sha256 : str
        Of the bytes read.
    bytes : int
        Their number.
    origin : {"folder", "cache", "download", "own", "embedded"}
        Where they were found.
    """

    file: str
    sha256: str
    bytes: int
    origin: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """A source of city data, read and checked.

    Parameters
    ----------
    name : str
        Name in the registry, ``synthetic`` or ``file:PATH``.
    title : str
        One line for people.
    kind : {"panel", "assets", "events", "areas", "graph"}
        The leading form; a source may hold others besides.
    panels : mapping of str to Panel
        Numeric variables by name, the main one first. A panel with the one sensor
        ``"city"`` holds for every place.
    categories : mapping of str to pandas.DataFrame
        Categorical variables by name, times down and sensors across.
    tables : mapping of str to pandas.DataFrame
        ``assets``, ``breaks``, ``events``, ``areas`` (a GeoDataFrame), ``nodes``, ``edges``, ``sensors``, ...
    faults : tuple of Fault
        What was wrong, and what was done about it.
    files : tuple of DataFile
        What was read.
    truth : mapping
        Parameters the data were drawn with; empty for real data.
    """

    name: str
    title: str
    kind: str
    panels: Mapping[str, Panel] = field(default_factory=dict)
    categories: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    files: tuple[DataFile, ...] = ()
    truth: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        lines = [f"{self.name}: {self.title}", *(f"  {panel!r}" for panel in self.panels.values())]
        lines += [f"  {name}: {' x '.join(map(str, frame.shape))}, by time" for name, frame in self.categories.items()]
        lines += [f"  {name}: {len(frame):,} rows, {len(frame.columns)} columns" for name, frame in self.tables.items()]
        return "\n".join([*lines, f"  {len(self.faults)} kinds of faults, see .quality()"])

    def panel(self, variable: str | None = None) -> Panel:
        """Return the panel of `variable`, by default the main one.

        Raises
        ------
        UnknownNameError
            No such variable; the nearest is offered.
        InputError
            The source holds no panels.
        """
        if not self.panels:
            raise InputError("source", "hold readings of sensors over time", f"{self.name} ({self.kind})")
        if variable is None:
            return next(iter(self.panels.values()))
        if variable not in self.panels:
            raise UnknownNameError("variable", variable, self.panels)
        return self.panels[variable]

    def table(self, name: str) -> pd.DataFrame:
        """Return a copy of the table `name`.

        Raises
        ------
        UnknownNameError
            No such table; the nearest is offered.
        """
        if name not in self.tables:
            raise UnknownNameError("table", name, self.tables)
        return self.tables[name].copy()

    def events(self, name: str | None = None) -> pd.DataFrame:
        """Return requests, incidents or calls under one set of names, whatever the source calls them.

        Parameters
        ----------
        name : {"events", "requests", "incidents"}, optional
            Which table; by default the first of these that the source holds.

        Returns
        -------
        pandas.DataFrame
            id, opened, closed, category, latitude, longitude as an own file of events has them (an empty column where
            the source has none), then the source's other columns; ``attrs`` as in `table`.

        Raises
        ------
        UnknownNameError
            No such table of events; the nearest is offered.
        InputError
            The source holds no events.
        """
        have = [table for table in EVENTS if table in self.tables]
        if not have:
            raise InputError("source", "hold events, requests or incidents", f"{self.name} ({self.kind})")
        if name is not None and name not in have:
            raise UnknownNameError("table", name, have)
        table = self.table(name or have[0])
        table = table.rename(columns={k: v for k, v in _OWN_NAMES.items() if v not in table.columns})
        for column in [c for c in _EVENT if c not in table.columns]:
            table[column] = pd.NaT if column == "closed" else float("nan")
        return table[[*_EVENT, *(c for c in table.columns if c not in _EVENT)]]

    def frame(self, sensor: str | None = None) -> pd.DataFrame:
        """Return all variables of one sensor, and the city's, on the main variable's times.

        Parameters
        ----------
        sensor : str, optional
            By default the sensor whose main variable has the fewest gaps.

        Returns
        -------
        pandas.DataFrame
            Times down, a column a variable: numbers first, then categories; missing as NaN.

        Raises
        ------
        UnknownNameError
            A sensor that the main variable does not have.
        """
        main = self.panel()
        sensor = main.fullest() if sensor is None else sensor
        if sensor not in main.sensors:
            raise UnknownNameError("sensor", sensor, main.sensors)
        index = pd.DatetimeIndex(main.times, name="time")
        columns: dict[str, pd.Series[Any]] = {}
        for name, panel in self.panels.items():
            place = sensor if sensor in panel.sensors else CITY
            if place in panel.sensors:
                columns[name] = pd.Series(panel.series(place), index=pd.DatetimeIndex(panel.times)).reindex(index)
        for name, wide in self.categories.items():
            place = sensor if sensor in wide.columns else CITY
            if place in wide.columns:
                columns[name] = wide[place].reindex(index)
        return pd.DataFrame(columns, index=index)

    def quality(self) -> pd.DataFrame:
        """Return the faults as a table: code, what, where, count, share, action."""
        rows = [
            {
                "code": f.code,
                "what": f.what,
                "where": f.where,
                "count": f.count,
                "share": f.count / f.total if f.total else 0.0,
                "action": f.action,
            }
            for f in self.faults
        ]
        return pd.DataFrame(rows, columns=["code", "what", "where", "count", "share", "action"])
