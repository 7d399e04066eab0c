"""Places on a plane in metres: degrees projected locally, squares laid over a city, points counted in outlines.

Distances need metres. Within a city the sphere is flat enough: longitudes are shrunk by the cosine of the middle
latitude and both are multiplied by the length of a degree. Half a degree from the middle, lengths are wrong by about
one percent at mid latitudes, within most cities by less than half of one; over a country it is not to be used. Legend:
n places, P points.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from citylib import checks
from citylib.errors import InputError

__all__ = ["DEGREE_M", "Plane", "count_in", "outlines", "squares"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

DEGREE_M = 111_195.0  # m in a degree of a sphere of 6,371 km
WIDEST = 4.0  # degrees from rim to rim: beyond, a flat map is no longer one of a city
MOST_SQUARES = 20_000


class Plane:
    """The flat map of a city: from degrees to metres east and north of its middle.

    Parameters
    ----------
    longitude, latitude : float
        The middle, in degrees (WGS84).

    Raises
    ------
    InputError
        Degrees out of range, or at a pole.

    Examples
    --------
    >>> here = Plane(longitude=-30.0, latitude=60.0)
    >>> here.metres([-29.99], [60.01]).round(1).tolist()
    [[556.0, 1111.9]]
    """

    def __init__(self, *, longitude: float, latitude: float) -> None:
        self.longitude = checks.number("longitude", longitude, minimum=-180, maximum=180)
        self.latitude = checks.number("latitude", latitude, minimum=-85, maximum=85)
        self._stretch = np.array([math.cos(math.radians(self.latitude)), 1.0]) * DEGREE_M

    def metres(self, longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> FloatArray:
        """Return metres east and north of the middle, shape (n, 2).

        Raises
        ------
        InputError
            Not finite, or lengths that differ.
        """
        east, north = checks.series("longitude", longitude), checks.series("latitude", latitude)
        checks.same_length(longitude=east, latitude=north)
        return np.asarray(np.column_stack([east - self.longitude, north - self.latitude]) * self._stretch)

    def flat(self, shapes: Any) -> Shapes:
        """Return geometries in degrees as geometries in metres, shape (n,)."""
        middle = np.array([self.longitude, self.latitude])
        moved: Shapes = shapely.transform(np.asarray(shapes, dtype=object), lambda c: (c - middle) * self._stretch)
        return moved


def outlines(frame: Any) -> tuple[Shapes, Plane | None]:
    """Return the geometries of a GeoDataFrame on a plane, and the plane if they were degrees.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Places. In degrees they are projected around the middle of them all; in another coordinate system, or in none,
        they are taken as they are.

    Returns
    -------
    shapes : ndarray of shapely geometries, shape (n,)
        In metres where the frame had degrees.
    plane : Plane or None
        None: the frame had no degrees.

    Raises
    ------
    InputError
        No geometries, empty or invalid ones (named by row), or an extent no city has.
    """
    if not hasattr(frame, "geometry") or not len(frame):
        raise InputError("frame", "be a GeoDataFrame with at least one place", type(frame).__name__)
    shapes: Shapes = np.asarray(frame.geometry.array, dtype=object)
    empty = np.array([s is None or s.is_empty for s in shapes])
    bad = np.flatnonzero(empty | ~shapely.is_valid(shapes))
    if len(bad):
        told = ", ".join(map(str, bad[:8]))
        raise InputError("frame", "hold valid geometries", f"{len(bad)} that are none: rows {told}")
    if frame.crs is None or not frame.crs.is_geographic:
        return shapes, None
    west, south, east, north = shapely.total_bounds(shapes)
    span = float(max(east - west, north - south))
    if span > WIDEST:
        raise InputError("frame", f"span {WIDEST:g} degrees at most, as a city does", f"{span:.3g}")
    plane = Plane(longitude=float(west + east) / 2, latitude=float(south + north) / 2)
    return plane.flat(shapes), plane


def squares(ground: Any, side: float, *, least: float = 0.25) -> Shapes:
    """Return squares laid over an outline, each cut at its border.

    Parameters
    ----------
    ground : shapely geometry
        What is to be covered, on a plane.
    side : float
        Of a square, in the plane's unit.
    least : float, default 0.25
        Squares of which less than this share lies inside are left out.

    Returns
    -------
    ndarray of shapely geometries
        From the south-west, row by row.

    Raises
    ------
    InputError
        A side that is not positive, or so small that there were more than 20,000 squares; nothing inside.
    """
    side = checks.number("side", side, above=0)
    share = checks.fraction("least", least, closed=True)
    west, south, east, north = ground.bounds
    across, up = (max(1, math.ceil((end - start) / side)) for start, end in ((west, east), (south, north)))
    if across * up > MOST_SQUARES:
        raise InputError("side", f"lay at most {MOST_SQUARES:,} squares over the city", f"{side:g}: {across * up:,}")
    row, column = np.divmod(np.arange(across * up), across)
    x, y = west + column * side, south + row * side
    whole = shapely.box(x, y, x + side, y + side)
    cut: Shapes = shapely.intersection(whole, ground)
    kept = shapely.area(cut) > max(share, 1e-9) * side**2
    if not kept.any():
        raise InputError("ground", f"hold {share:.0%} of a square of side {side:g}", shapely.area(ground))
    inside: Shapes = cut[kept]
    return inside


def count_in(shapes: Any, points: npt.ArrayLike) -> tuple[IntArray, int]:
    """Count the points that lie in each outline; a point on a common border counts once, for the first.

    Parameters
    ----------
    shapes : array_like of shapely geometries, shape (n,)
        Outlines on a plane.
    points : array_like, shape (P, 2)
        Points on the same plane.

    Returns
    -------
    counts : ndarray of int, shape (n,)
        Points in each.
    outside : int
        Points in none.

    Raises
    ------
    InputError
        Points that are not finite or not pairs.

    Examples
    --------
    >>> count_in([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], [[0.5, 0.5], [1.0, 0.5], [7.0, 7.0]])
    (array([2, 0]), 1)
    """
    outline: Shapes = np.asarray(shapes, dtype=object)
    where = checks.matrix("points", points, at_least=0)
    if where.shape[1] != 2:
        raise InputError("points", "have shape (points, 2)", where.shape)
    point, place = shapely.STRtree(outline).query(shapely.points(where), predicate="intersects")
    first = np.full(len(where), len(outline))
    np.minimum.at(first, point, place)
    counts = np.bincount(first, minlength=len(outline) + 1)
    return counts[:-1].astype(np.int64), int(counts[-1])
