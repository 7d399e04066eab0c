"""The synthetic city: a Dataset like any other, but with its truth known."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from citylib import checks
from citylib.data.dataset import Dataset, Fault
from citylib.data.synthetic.assets import Mains
from citylib.data.synthetic.assets import mains as draw_mains
from citylib.data.synthetic.closure_notes import closure_notes
from citylib.data.synthetic.days import clock
from citylib.data.synthetic.districts import areas, ground, table
from citylib.data.synthetic.incidents import incidents as draw_incidents
from citylib.data.synthetic.readings import categories, readings
from citylib.data.synthetic.requests import requests as draw_requests
from citylib.data.synthetic.roads import roads
from citylib.data.synthetic.truth import CityTruth
from citylib.data.synthetic.weather import weather as draw_weather
from citylib.errors import InputError

__all__ = ["SIZES", "Size", "city"]


@dataclass(frozen=True)
class Size:
    """How large a city is.

    Parameters
    ----------
    days : int
        Days of hourly readings, from 1 January 2023.
    sensors : int
        Traffic sensors.
    stations : int
        Air stations.
    districts : int
        4, 6, 9 or 12.
    mains : int
        Water mains in service.
    requests : int
        Requests opened.
    """

    days: int
    sensors: int
    stations: int
    districts: int
    mains: int
    requests: int


SIZES: dict[str, Size] = {
    "standard": Size(days=365, sensors=40, stations=12, districts=12, mains=4000, requests=6000),
    "tiny": Size(days=42, sensors=8, stations=4, districts=4, mains=500, requests=600),
}


def city(
    seed: int = 0,
    size: Literal["standard", "tiny"] = "standard",
    *,
    days: int | None = None,
    sensors: int | None = None,
    stations: int | None = None,
    districts: int | None = None,
    mains: int | None = None,
    requests: int | None = None,
    truth: CityTruth | None = None,
) -> Dataset:
    """Return a synthetic city with its true parameters.

    Each part draws from its own random stream, so a change in one leaves the others as they
    were. Readings are rounded to the resolution an instrument reports and all sums are made in
    a fixed order: the same seed gives the same bytes, unless two machines' exp or log disagree
    in the last digit exactly at a rounding edge (below one chance in a million for a city).

    Parameters
    ----------
    seed : int, default 0
        Another seed, another city of the same kind.
    size : {"standard", "tiny"}
        A year with 40 sensors, or six weeks with 8; see `SIZES`.
    days, sensors, stations, districts, mains, requests : int, optional
        Change one measure of the size; see `Size`.
    truth : CityTruth, optional
        What the city is drawn with.

    Returns
    -------
    Dataset
        Panels ``flow`` [veh/h] (planted faults masked), ``speed`` [km/h], ``temperature`` [°C], ``rain`` [mm/h],
        ``wind_speed`` [m/s], ``PM2.5`` [µg/m³] and ``flow_as_recorded`` (faults left in); categories ``weather``,
        ``wind_direction``, ``inversion``, ``holiday``; tables ``sensors``, ``stations``, ``adjacency``,
        ``distances``, ``planted_faults``, ``nodes``, ``edges``, ``districts``, ``areas``, ``assets``, ``breaks``,
        ``breaks_unused``, ``removals``, ``assets_all``, ``breaks_all``, ``requests``, ``closure_notes``,
        ``incidents``; `truth` maps ``"part.parameter"`` to its value, as the parts of `CityTruth` document them,
        besides what each sensor and station drew.

    Raises
    ------
    UnknownNameError
        A size that is not known.
    InputError
        A measure that is no whole number, too small, or too large for the road graph.

    Examples
    --------
    >>> tiny = city(seed=1, size="tiny")
    >>> tiny.panel().shape
    (1008, 8)
    >>> tiny.truth["traffic.wet"]
    -0.06
    """
    dims = _size(size, days, sensors, stations, districts, mains, requests)
    law = _law(truth)
    hours = clock(dims.days)
    place = ground(seed, dims.districts, law.districts)
    sky = draw_weather(seed, hours, law.weather)
    network = roads(seed, place, law.roads)
    events = draw_incidents(seed, hours, sky, place, law.incidents)
    read = readings(seed, hours, sky, place, network, events, (dims.sensors, dims.stations), law)
    pipes = draw_mains(seed, dims.mains, place, law.mains)
    asked = draw_requests(seed, dims.requests, hours, sky, place, law.requests)
    town = {
        "nodes": network.nodes,
        "edges": network.edges,
        "districts": table(place),
        "areas": areas(place),
        "requests": asked,
        "closure_notes": closure_notes(seed, asked, law.notes),
        "incidents": events,
    }
    return Dataset(
        name="synthetic" if size == "standard" else f"synthetic:{size}",
        title="A synthetic city, drawn from known laws",
        kind="panel",
        panels=read.panels,
        categories=categories(hours, sky),
        tables={**read.tables, **town, **{f.name: getattr(pipes, f.name) for f in fields(pipes)}},
        faults=(*read.faults, *_log_faults(pipes)),
        truth={**law.flat(), **read.drawn},
    )


def _law(truth: CityTruth | None) -> CityTruth:
    if truth is not None and not isinstance(truth, CityTruth):
        raise InputError("truth", "be a CityTruth", truth)
    return truth or CityTruth()


def _size(size: str, *measures: int | None) -> Size:
    known = SIZES[checks.one_of("size", size, SIZES)]
    given = zip((f.name for f in fields(Size)), measures, strict=True)
    asked = {name: checks.integer(name, value, minimum=1) for name, value in given if value is not None}
    if "days" in asked:
        checks.integer("days", asked["days"], minimum=7, maximum=3653)
    return replace(known, **asked)


def _log_faults(pipes: Mains) -> list[Fault]:
    """Report what the inventory and the log leave out."""
    unused, used, mains = len(pipes.breaks_unused), len(pipes.breaks), len(pipes.assets)
    survivors = "The inventory holds only mains in service: those removed are not in it, so no life ends in it"
    misplaced = "Breaks of a main that was removed, which the log puts on the main that took its place"
    faults = [Fault("survivors-only", survivors, mains, mains, "reported", "assets")]
    if unused:
        faults.append(Fault("break-before-laying", misplaced, unused, unused + used, "dropped", "breaks.date"))
    return faults
