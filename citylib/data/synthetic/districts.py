"""The ground the city stands on: districts as four-cornered areas, with people in them.

The districts tile the city as a warped chessboard. A place is a district and two
coordinates (u, v) in the unit square, taken to metres by the bilinear map of its four
corners; so whatever is placed in a district lies inside its polygon, on any machine.
Metres are counted from the south-west corner; the city lies in the open Atlantic, where
no city is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.data.synthetic.arithmetic import rounded

if TYPE_CHECKING:
    import geopandas

__all__ = ["LAYOUTS", "NAMES", "DistrictsTruth", "Ground", "areas", "ground", "table"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

NAMES = (
    "North Harbour",
    "Lantern Hill",
    "Orchard Rise",
    "Kiln Yard",
    "Old Quay",
    "Market Cross",
    "Glassworks",
    "Signal Park",
    "South Harbour",
    "Mill Bank",
    "Saltmarsh",
    "Ferry Point",
)
LAYOUTS = {4: (2, 2), 6: (2, 3), 9: (3, 3), 12: (3, 4)}  # number of districts: rows, columns

SOUTH, WEST = 45.0, -30.0  # degrees
METRES_PER_DEGREE = 111_320.0
COSINE = 0.7071067811865476  # of 45 degrees


@dataclass(frozen=True)
class DistrictsTruth:
    """What districts are drawn with.

    Parameters
    ----------
    cell_m : float
        Side of a district before its corners are moved [m].
    warp : float
        Largest shift of a corner, as a share of the side.
    density_centre : float
        Median population density at the city's centre [1/km²].
    density_decay_km : float
        Distance from the centre over which density falls by the factor e [km].
    density_spread : float
        Standard deviation of the logarithm of density around that law.
    """

    cell_m: float = 1600.0
    warp: float = 0.12
    density_centre: float = 7000.0
    density_decay_km: float = 3.0
    density_spread: float = 0.25

    def __post_init__(self) -> None:
        for name in ("cell_m", "density_centre", "density_decay_km"):
            checks.number(name, getattr(self, name), above=0.0)
        checks.number("density_spread", self.density_spread, minimum=0.0)
        checks.number("warp", self.warp, minimum=0.0, maximum=0.2)  # beyond, a district might not be convex


@dataclass(frozen=True, eq=False)
class Ground:
    """The districts of a city, as drawn.

    Parameters
    ----------
    rows, columns : int
        Layout; district d lies in row d // columns, column d % columns, from the south-west.
    corners : ndarray, shape (rows + 1, columns + 1, 2)
        x and y of the corners [m].
    names : tuple of str
        Names of the districts.
    population : ndarray of int, shape (D,)
        People living in each.
    area_km2 : ndarray, shape (D,)
        Area of each.
    """

    rows: int
    columns: int
    corners: FloatArray
    names: tuple[str, ...]
    population: IntArray
    area_km2: FloatArray

    def __len__(self) -> int:
        return len(self.names)

    def quads(self) -> FloatArray:
        """Return the corners of each district, anticlockwise from the south-west, shape (D, 4, 2)."""
        c = self.corners
        quads = np.stack([c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]], axis=2)
        return quads.reshape(-1, 4, 2)

    def metres(self, district: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Return x and y [m] of the places (u, v) of the given districts, shape (n, 2)."""
        q = self.quads()[district]
        u, v = u[:, None], v[:, None]
        return np.asarray((1 - u) * (1 - v) * q[:, 0] + u * (1 - v) * q[:, 1] + u * v * q[:, 2] + (1 - u) * v * q[:, 3])

    def scatter(self, rng: np.random.Generator, district: IntArray) -> FloatArray:
        """Return one random place in each of the given districts, latitude and longitude, shape (n, 2)."""
        u, v = rng.uniform(0.01, 0.99, (2, len(district)))
        return degrees(self.metres(district, u, v))


def degrees(xy: FloatArray) -> FloatArray:
    """Return latitude and longitude, to 1e-6 degrees, of places in metres, shape (..., 2)."""
    latitude = SOUTH + xy[..., 1] / METRES_PER_DEGREE
    longitude = WEST + xy[..., 0] / (METRES_PER_DEGREE * COSINE)
    return rounded(np.stack([latitude, longitude], axis=-1), 6)


def ground(seed: int, districts: int, truth: DistrictsTruth | None = None) -> Ground:
    """Return the ground of a city with 4, 6, 9 or 12 districts.

    Parameters
    ----------
    seed : int
        The city's seed.
    districts : int
        Their number.
    truth : DistrictsTruth, optional
        What they are drawn with.

    Raises
    ------
    InputError
        A number that fits no layout.
    """
    truth = truth or DistrictsTruth()
    checks.one_of("districts", districts, LAYOUTS)
    rows, columns = LAYOUTS[districts]
    rng = seeds.generator(seed, "synthetic", "districts")
    shift = rng.uniform(-truth.warp, truth.warp, (rows + 1, columns + 1, 2))
    row, column = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float64)
    corners = (np.stack([column, row], axis=-1) + shift) * truth.cell_m
    bare = Ground(rows, columns, corners, NAMES[:districts], np.zeros(0, np.int64), np.zeros(0))
    quads = bare.quads()
    area = _shoelace(quads) / 1e6
    middle = (quads[:, 0] + quads[:, 1] + quads[:, 2] + quads[:, 3]) / 4
    centre = np.array([columns / 2, rows / 2]) * truth.cell_m
    off = middle - centre
    distance_km = np.sqrt(off[:, 0] * off[:, 0] + off[:, 1] * off[:, 1]) / 1000
    spread = truth.density_spread * rng.standard_normal(districts)
    density = truth.density_centre * np.exp(-distance_km / truth.density_decay_km + spread)
    population = np.rint(density * area / 10).astype(np.int64) * 10
    return Ground(rows, columns, corners, NAMES[:districts], population, rounded(area, 4))


def table(place: Ground) -> pd.DataFrame:
    """Return the districts as a table: district, population, area_km2, density_per_km2, latitude, longitude."""
    middle = degrees(place.quads().sum(axis=1) / 4)
    return pd.DataFrame(
        {
            "district": list(place.names),
            "population": place.population,
            "area_km2": place.area_km2,
            "density_per_km2": rounded(place.population / place.area_km2, 1),
            "latitude": middle[:, 0],
            "longitude": middle[:, 1],
        }
    )


def areas(place: Ground) -> geopandas.GeoDataFrame:
    """Return the districts as polygons in WGS84: area (its name), population, area_km2, density_per_km2."""
    import geopandas
    from shapely.geometry import Polygon

    corners = degrees(place.quads())[..., ::-1]  # longitude first, as GeoJSON has it
    shapes = [Polygon(c.tolist()) for c in corners]
    frame = table(place)[["district", "population", "area_km2", "density_per_km2"]]
    frame = frame.rename(columns={"district": "area"})  # as the areas of real sources call it
    return geopandas.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def _shoelace(quads: FloatArray) -> FloatArray:
    total = np.zeros(len(quads))
    for k in range(4):
        a, b = quads[:, k], quads[:, (k + 1) % 4]
        total += a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
    return total / 2
