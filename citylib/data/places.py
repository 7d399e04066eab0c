"""Places of a city and their sensors: which belong together, their readings put together, where a place lies.

Shapes: T time steps, N sensors, P places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks
from citylib.errors import InputError, UnknownNameError
from citylib.panel import Panel

if TYPE_CHECKING:
    from citylib.data.dataset import Dataset

__all__ = ["MOST_CORNERS", "SENSOR", "outline", "sensors_of", "together"]

SENSOR = "sensor"  # as `by`: every sensor is a place
MOST_CORNERS = 150  # of an outline handed back: a map on a page shows no more
OUTLINE = ("part", "latitude", "longitude")


def sensors_of(city: Dataset, panel: Panel, by: str = SENSOR) -> dict[str, tuple[str, ...]]:
    """Return the sensors of each place, places in order of their names.

    Parameters
    ----------
    city : Dataset
        Its tables say which place a sensor belongs to.
    panel : Panel
        The sensors wanted, one of `city`'s panels or a part of one.
    by : str, default "sensor"
        What a place is: ``"sensor"``, or a column of a table of `city` that has a column ``sensor``, such as
        ``"district"``.

    Returns
    -------
    dict of str to tuple of str
        Only places that have a sensor of `panel`; in the order of `panel` where every sensor is a place.

    Raises
    ------
    UnknownNameError
        No table has sensors of `panel` and the column; the nearest is offered.
    """
    if by == SENSOR:
        return {sensor: (sensor,) for sensor in panel.sensors}
    known = [SENSOR]
    for table in city.tables.values():
        if SENSOR not in table.columns or not set(map(str, table[SENSOR])) & set(panel.sensors):
            continue
        if by in table.columns:
            place = dict(zip(map(str, table[SENSOR]), table[by], strict=True))
            pairs = [(str(place[s]), s) for s in panel.sensors if s in place and pd.notna(place[s])]
            return {name: tuple(s for p, s in pairs if p == name) for name in sorted({p for p, _ in pairs})}
        known += [str(column) for column in table.columns if column != SENSOR]
    raise UnknownNameError("by", by, known)


def together(
    panel: Panel, places: Mapping[str, Sequence[str]], *, how: Literal["sum", "mean"] = "sum", complete: float = 0.5
) -> Panel:
    """Put the sensors of each place together: one series a place.

    A step counts only where every sensor of the place has a reading: a sum over those that happen to report would
    fall whenever one of them fails. So that one dead sensor does not silence its place, sensors with fewer readings
    than the share `complete` are left out of it for good.

    Parameters
    ----------
    panel : Panel
        Readings, shape (T, N).
    places : mapping of str to sequence of str
        The sensors of each place, such as `sensors_of` returns.
    how : {"sum", "mean"}, default "sum"
        Sum for what adds up (vehicles), mean for what does not (speeds, concentrations).
    complete : float, default 0.5
        Share of steps, 0 to 1, that a sensor must have a reading at.

    Returns
    -------
    Panel
        Shape (T, P); each place lies at the middle of its sensors.

    Raises
    ------
    InputError
        A place of which no sensor is complete enough.
    UnknownNameError
        A sensor that is not in `panel`.

    Examples
    --------
    >>> p = Panel([[1.0, 2.0], [3.0, float("nan")]], ["2026-01-01T00", "2026-01-01T01"], ["a", "b"], unit="veh/h")
    >>> together(p, {"crossing": ["a", "b"]}).values.ravel().tolist()
    [3.0, nan]
    """
    checks.one_of("how", how, ("sum", "mean"))
    least = checks.number("complete", complete, minimum=0, maximum=1)
    share = dict(zip(panel.sensors, panel.mask.mean(axis=0), strict=True))
    values = np.empty((panel.shape[0], len(places)))
    middle = np.full((len(places), 2), np.nan)
    for at, (name, sensors) in enumerate(places.items()):
        for sensor in sensors:
            checks.one_of("sensor", sensor, panel.sensors)
        kept = [panel.sensors.index(s) for s in sensors if share[s] >= least and share[s] > 0]
        if not kept:
            best = max((share[s] for s in sensors), default=0.0)
            raise InputError("complete", f"leave {name} a sensor (its fullest has {best:.1%} of all steps)", least)
        values[:, at] = panel.values[:, kept].sum(axis=1) / (len(kept) if how == "mean" else 1)
        if panel.coordinates is not None:
            middle[at] = _mean(panel.coordinates[kept])
    where = None if panel.coordinates is None else middle
    return Panel(values, panel.times, tuple(places), panel.unit, panel.variable, panel.zone, coordinates=where)


def outline(city: Dataset, panel: Panel, place: str) -> pd.DataFrame:
    """Return where a place lies: the outline of the area of that name, else the point where its readings are from.

    Parameters
    ----------
    city : Dataset
        Its table ``areas``, if it has one, holds the outlines.
    panel : Panel
        With the place among its sensors, as `together` returns it.
    place : str
        Its name.

    Returns
    -------
    pandas.DataFrame
        part, latitude, longitude [degrees, WGS84]: one row for a point, the corners of each part of an outline (at
        most `MOST_CORNERS` in all, the coarser the more it has), no rows where nobody knows.
    """
    areas: Any = city.tables.get("areas")
    found = None if areas is None or "area" not in areas.columns else areas[areas["area"].astype(str) == place]
    if found is not None and len(found):
        if found.crs is not None and not found.crs.equals("EPSG:4326"):
            found = found.to_crs("EPSG:4326")
        corners = _corners(found.geometry.iloc[0])
        return pd.DataFrame(corners, columns=list(OUTLINE)).round(6)
    checks.one_of("place", place, panel.sensors)
    point = np.full(2, np.nan) if panel.coordinates is None else panel.coordinates[panel.sensors.index(place)]
    rows = [] if np.isnan(point).any() else [(0, *map(float, point))]
    return pd.DataFrame(rows, columns=list(OUTLINE)).round(6)


def _corners(shape: Any) -> list[tuple[int, float, float]]:
    """Return part, latitude and longitude of the outer rings, simplified until they are few enough."""
    parts = [p for p in getattr(shape, "geoms", [shape]) if p.geom_type == "Polygon"]
    tolerance = 1e-6
    while True:
        rings = [p.simplify(tolerance).exterior.coords for p in parts]
        corners = [(k, y, x) for k, ring in enumerate(rings) for x, y, *_ in ring]
        if len(corners) <= max(MOST_CORNERS, 5 * len(parts)) or tolerance > 1:
            return corners
        tolerance *= 2


def _mean(coordinates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = coordinates[~np.isnan(coordinates).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(2, np.nan)
