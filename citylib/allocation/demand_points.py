"""Many calls put together to few demand points, and what is lost by it told later on the calls themselves.

Legend: n calls, P demand points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["DemandPoints", "aggregate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
KM = 111.195  # of a degree of latitude


@dataclass(frozen=True, eq=False)
class DemandPoints:
    """Demand points, and which of them stands for which call.

    Parameters
    ----------
    places : ndarray, shape (P, 2)
        Latitude and longitude: of the call that lies nearest to the mean of those it stands for.
    weight : ndarray, shape (P,)
        Calls that it stands for, weighted.
    member : ndarray of int, shape (n,)
        The point that stands for each call.
    stands : ndarray of int, shape (P,)
        The call whose place the point has.
    side_km : float
        Side of the squares that calls were put together by; 0: one point a place.
    """

    places: FloatArray
    weight: FloatArray
    member: IntArray
    stands: IntArray
    side_km: float


def aggregate(places: npt.ArrayLike, weight: npt.ArrayLike | None = None, *, most: int = 400) -> DemandPoints:
    """Put calls together to `most` points at most, by the smallest squares that come to so few.

    Calls at one place are one point. If that leaves too many, squares are laid over the city, and their side is
    searched for by halving. Every point lies at the place of a call, so that it is on the network where calls are.

    Parameters
    ----------
    places : array_like, shape (n, 2)
        Latitude and longitude [degrees].
    weight : array_like, shape (n,), optional
        Of each call, 0 or more; by default 1.
    most : int, default 400
        Points at most.

    Returns
    -------
    DemandPoints

    Raises
    ------
    InputError
        Missing coordinates, negative weights or none above 0, fewer than one point.

    Examples
    --------
    >>> found = aggregate([[45.0, -73.0], [45.0, -73.0], [45.1, -73.0]])
    >>> found.weight.tolist(), found.member.tolist()
    ([2.0, 1.0], [0, 0, 1])
    """
    where = checks.matrix("places", places)
    if where.shape[1] != 2:
        raise InputError("places", "have two columns, latitude and longitude", where.shape)
    few = checks.integer("most", most, minimum=1)
    load = np.ones(len(where)) if weight is None else checks.array("weight", weight, ndim=1, minimum=0)
    checks.same_length(places=where, weight=load)
    if not load.sum() > 0:
        raise InputError("weight", "be above 0 somewhere", 0)
    _, member = np.unique(where, axis=0, return_inverse=True)
    member, side = member.ravel(), 0.0
    stretch = np.array([1.0, math.cos(math.radians(float(where[:, 0].mean())))]) * KM
    if member.max() >= few:
        flat = (where - where.min(axis=0)) * stretch
        low, high = 0.0, float(np.ptp(flat, axis=0).max()) + 1.0
        while high - low > 1e-3:  # a metre
            middle = (low + high) / 2
            low, high = (middle, high) if len(_cells(flat, middle)[0]) > few else (low, middle)
        side = high
        member = _cells(flat, side)[1]
    total = np.bincount(member, load).astype(np.float64)
    used = np.maximum(total, 1e-300)
    centre = np.column_stack([np.bincount(member, load * where[:, k]) / used for k in (0, 1)])
    away = (((where - centre[member]) * stretch) ** 2).sum(axis=1)
    order = np.lexsort((away, member))
    first = np.searchsorted(member[order], np.arange(len(total)))
    stands = order[first]
    return DemandPoints(where[stands], total, member.astype(np.int64), stands.astype(np.int64), side)


def _cells(flat: FloatArray, side: float) -> tuple[IntArray, IntArray]:
    row_column = np.floor(flat / max(side, 1e-9)).astype(np.int64)
    key, member = np.unique(row_column[:, 0] * 10_000_019 + row_column[:, 1], return_inverse=True)
    return key, np.asarray(member).ravel()
