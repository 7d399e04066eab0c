"""Calls planted on a street graph that has none, by a law that is stated, and called planted wherever they are shown.

Legend: n nodes, D districts.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from citylib import checks, seeds
from citylib.errors import InputError

__all__ = ["EVERYWHERE", "planted_calls"]

EVERYWHERE = 0.1  # share of the calls that may come from any crossing
SPREAD = 0.6  # standard deviation of the logarithm of a district's weight
FADE_KM = 5.0  # over which calls a crossing become fewer by the factor e, from the middle outwards
KM = 111.195  # of a degree of latitude


def planted_calls(
    latitude: npt.ArrayLike,
    longitude: npt.ArrayLike,
    district: npt.ArrayLike,
    *,
    per_year: float,
    years: tuple[int, int],
    seed: int,
) -> pd.DataFrame:
    """Return calls at crossings, by a mixture over districts (`calls-v1`).

    One call in ten comes from any crossing; the others from the districts' mixture: a district weighs as many as it has
    crossings, times exp(0.6 e - d / 5 km), with e standard normal, drawn once, and d its distance from the middle of
    all crossings; within it all crossings are alike. Their number a year is Poisson, their days are even.

    Parameters
    ----------
    latitude, longitude : array_like, shape (n,)
        Of the crossings [degrees].
    district : array_like, shape (n,)
        Name of the district of each.
    per_year : float
        Calls a year, above 0.
    years : (int, int)
        First and last.
    seed : int
        Of `citylib.seeds.generator`.

    Returns
    -------
    pandas.DataFrame
        opened [day], node (position of the crossing), latitude, longitude, district; sorted by day.

    Raises
    ------
    InputError
        Missing coordinates, no crossings, a rate of 0 or less, years the wrong way round.

    Examples
    --------
    >>> found = planted_calls([45.0, 45.1], [-73.0, -73.0], ["a", "b"], per_year=50, years=(2020, 2021), seed=0)
    >>> sorted(found["district"].unique()), int(found["opened"].dt.year.min())
    (['a', 'b'], 2020)
    """
    at = np.column_stack([checks.series("latitude", latitude), checks.series("longitude", longitude)])
    names, where = np.unique(np.asarray(district, dtype=str), return_inverse=True)
    checks.same_length(latitude=at, district=where)
    rate = checks.number("per_year", per_year, above=0)
    first, last = (checks.integer("years", y) for y in years)
    if first > last:
        raise InputError("years", "be a first and a last one", years)
    middle = at.mean(axis=0)
    stretch = np.array([1.0, math.cos(math.radians(float(middle[0])))]) * KM
    count = np.bincount(where)
    centre = np.column_stack([np.bincount(where, at[:, k]) / count for k in (0, 1)])
    away = np.sqrt((((centre - middle) * stretch) ** 2).sum(axis=1))
    law = seeds.generator(seed, "planted calls", "districts").standard_normal(len(names))
    weight = count * np.exp(SPREAD * law - away / FADE_KM)
    each = (1 - EVERYWHERE) * (weight / weight.sum() / count)[where] + EVERYWHERE / len(at)
    draw = seeds.generator(seed, "planted calls", "calls")
    days, nodes = [], []
    for year in range(first, last + 1):
        start, end = np.datetime64(f"{year}-01-01"), np.datetime64(f"{year + 1}-01-01")
        many = int(draw.poisson(rate))
        days.append(start + draw.integers(0, int((end - start).astype(int)), many).astype("timedelta64[D]"))
        nodes.append(draw.choice(len(at), many, p=each / each.sum()))
    day, node = np.concatenate(days), np.concatenate(nodes)
    order = np.argsort(day, kind="stable")
    day, node = day[order], node[order]
    frame = pd.DataFrame({"opened": pd.to_datetime(day).astype("datetime64[ns]"), "node": node})
    return frame.assign(latitude=at[node, 0], longitude=at[node, 1], district=names[where[node]])
