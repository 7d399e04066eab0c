"""Places in the order of one record, and how sure that order is.

Each place's own interval says how sure its value is, not how sure its rank is: of many intervals of 95 % some are
wrong, and a place that comes first may do so by luck. So intervals are widened until they hold for all places at once
(Bonferroni: with P places each is given the level 1 - 0.05 / P). A place whose widened interval lies wholly below
another's is below it. The ranks that this leaves open to each place form a joint confidence set for the whole order
(Klein, Wright and Wieczorek, 2020).

An interval from few blocks of days does not know its own width well, and so far out that matters most: it is widened
as Student's t asks, with one degree of freedom less than it has blocks (`blocks` of `citylib.results.record`).
Nothing is known of an interval without them; it is taken to rest on `ASSUMED` blocks. A notebook that finds an interval
too narrow says so by a record `<name of the record>_too_narrow`; such places are counted, not mended.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from citylib.errors import InputError, UnknownNameError

__all__ = ["ASSUMED", "Place", "Ranking", "rank"]

ASSUMED = 10  # blocks, where a notebook does not say: few enough to be careful, as most have more


@dataclass(frozen=True)
class Place:
    """A place in its rank.

    Attributes
    ----------
    name : str
        Which.
    value : float
        What it is ranked by.
    interval : (low, high) or None
        Its own interval.
    joint : (low, high) or None
        Widened, so that those of all places hold at once.
    baseline : float or None
        The same record of the baseline.
    ranks : (first, last) or None
        The ranks that it may have, from 1.
    blocks : int or None
        Blocks that its interval rests on; None where the notebook does not say.
    too_narrow : bool
        Whether the notebook found its own interval too narrow.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    joint: tuple[float, float] | None
    baseline: float | None
    ranks: tuple[int, int] | None
    blocks: int | None
    too_narrow: bool


@dataclass(frozen=True)
class Ranking:
    """Places in order.

    Attributes
    ----------
    record : str
        What they are ranked by.
    unit : str
        Of it.
    level : float or None
        That the intervals claim; None where a place has none, so that nothing is known of how sure the order is.
    places : tuple of Place
        First to last.
    told_apart : int
        Pairs of neighbours in rank whose widened intervals do not overlap.
    """

    record: str
    unit: str
    level: float | None
    places: tuple[Place, ...]
    told_apart: int


def rank(record: str, found: Mapping[str, Sequence[Mapping[str, Any]]], *, ascending: bool) -> Ranking | None:
    """Put places in the order of a record.

    Parameters
    ----------
    record : str
        Its name.
    found : mapping of str to sequence of mapping
        The records of each place, as `citylib.results.record` hands them back. Places without this one are left out.
    ascending : bool
        Whether the lowest comes first.

    Returns
    -------
    Ranking or None
        None where there are no places.

    Raises
    ------
    UnknownNameError
        No place has such a record; the nearest is offered.
    InputError
        Its values are no numbers, or of different units or levels.

    Examples
    --------
    >>> one = {"name": "mae", "value": 2.0, "unit": "MW", "interval": [1.5, 2.5], "level": 0.95}
    >>> made = rank("mae", {"a": [one], "b": [one | {"value": 9.0, "interval": [8.0, 10.0]}]}, ascending=True)
    >>> [(p.name, p.ranks) for p in made.places], made.told_apart
    ([('a', (1, 1)), ('b', (2, 2))], 1)
    """
    if not found:
        return None
    with_it = {place: r for place, records in found.items() for r in records if r["name"] == record}
    if not with_it:
        raise UnknownNameError("compare.rank", record, {str(r["name"]) for rs in found.values() for r in rs})
    for place, r in with_it.items():
        if isinstance(r["value"], (bool, str)):
            raise InputError("compare.rank", "name a record of numbers", f"{record} of {place}: {r['value']!r}")
    units = sorted({str(r.get("unit", "")) for r in with_it.values()})
    levels = sorted({float(r["level"]) for r in with_it.values() if r.get("interval")})
    for what, several in (("unit", units), ("level", levels)):
        if len(several) > 1:
            raise InputError("compare.rank", f"name a record of one {what} at all places", f"{record}: {several}")
    order = sorted(with_it, key=lambda p: (with_it[p]["value"] * (1 if ascending else -1), p))
    sure = all(r.get("interval") for r in with_it.values())
    joint = {p: _widened(r, len(with_it)) if r.get("interval") else None for p, r in with_it.items()}
    narrow = {p for p, records in found.items() for r in records if r["name"] == f"{record}_too_narrow" and r["value"]}
    places = tuple(
        Place(
            p,
            float(with_it[p]["value"]),
            _ends(with_it[p]),
            joint[p],
            with_it[p].get("baseline"),
            _ranks(p, joint, ascending) if sure else None,
            with_it[p].get("blocks"),
            p in narrow,
        )
        for p in order
    )
    told = sum(_apart(joint[a], joint[b]) for a, b in itertools.pairwise(order))
    return Ranking(record, units[0], levels[0] if sure else None, places, told)


def _ends(record: Mapping[str, Any]) -> tuple[float, float] | None:
    low, high = record.get("interval") or (None, None)
    return None if low is None or high is None else (float(low), float(high))


def _widened(record: Mapping[str, Any], places: int) -> tuple[float, float]:
    """Return the interval at the level at which `places` of them hold at once, each side as that of Student's t."""
    from scipy import stats

    level, value = float(record["level"]), float(record["value"])
    low, high = record["interval"]
    degrees = max(1, int(record.get("blocks") or ASSUMED) - 1)
    beyond = (1 - level) / 2
    by = float(stats.t.isf(beyond / places, degrees) / stats.t.isf(beyond, degrees))
    return min(low, value - by * (value - low)), max(high, value + by * (high - value))


def _ranks(place: str, joint: Mapping[str, tuple[float, float] | None], ascending: bool) -> tuple[int, int]:
    low, high = joint[place] or (0.0, 0.0)
    below = sum(other[1] < low for p, other in joint.items() if p != place and other)
    above = sum(other[0] > high for p, other in joint.items() if p != place and other)
    before, after = (below, above) if ascending else (above, below)
    return 1 + before, len(joint) - after


def _apart(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    return bool(one and other and (one[1] < other[0] or other[1] < one[0]))
