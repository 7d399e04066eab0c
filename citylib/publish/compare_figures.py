"""The figures of a comparison: its order, its map, its curves, each from what the runs handed back, or why not.

A run that hands back a table ``place`` (part, latitude, longitude: `citylib.data.places.outline`) is on the map.
"""

from __future__ import annotations

import re

from citylib.errors import InputError
from citylib.publish import markdown
from citylib.publish.compare import Compared
from citylib.publish.ranking import Place, Ranking

__all__ = ["PLACE", "curves", "order", "where"]

PLACE = "place"  # the table that says where a place lies


def order(compared: Compared, ranking: Ranking) -> str:
    """Return the figure of places in their order.

    Parameters
    ----------
    compared : Compared
        The runs.
    ranking : Ranking
        Their order.

    Returns
    -------
    str
        HTML.
    """
    import numpy as np

    from citylib.plots import comparison as figures

    nothing = (np.nan, np.nan)
    return figures.ranking(
        "ranking",
        [p.name for p in ranking.places],
        [p.value for p in ranking.places],
        label=_label(ranking),
        intervals=[p.interval or nothing for p in ranking.places],
        joint=[p.joint or nothing for p in ranking.places],
        baselines=[np.nan if p.baseline is None else p.baseline for p in ranking.places],
        level=ranking.level or 0.95,
        caption=_without(compared, "in this order"),
    )


def where(compared: Compared, ranking: Ranking | None) -> str:
    """Return the map of a comparison.

    Parameters
    ----------
    compared : Compared
        The runs.
    ranking : Ranking or None
        What the places are coloured by, if anything.

    Returns
    -------
    str
        HTML; empty where no run says where its place lies.
    """
    known = {place: table for place, table in compared.table(PLACE).items() if len(table)}
    if not known:
        return ""
    from citylib.plots import maps

    places = {p.name: p for p in ranking.places} if ranking else {}
    of_them = (
        f"{len(known)} of {compared.count} {compared.noun} have coordinates. " if len(known) < compared.count else ""
    )
    return maps.map_of_places(
        "map",
        known,
        label=_label(ranking) if ranking else "",
        values={name: place.value for name, place in places.items()},
        texts={name: _said(ranking, place) for name, place in places.items()} if ranking else None,
        caption=f"{of_them}Point at a place to read {'its value' if ranking else 'its name'}.",
    )


def curves(compared: Compared) -> tuple[str, str]:
    """Return the small figures of a comparison.

    Parameters
    ----------
    compared : Compared
        The runs.

    Returns
    -------
    markup : str
        HTML; empty where there is none.
    reason : str
        Why there is none, in words; empty where there is.

    Raises
    ------
    InputError
        No run handed back such a table, though some ended well.
    """
    name = compared.comparison.curves
    if name is None or not compared.runs:
        return "", ""
    from citylib.plots import comparison as figures

    tables = compared.table(name)
    if not tables:
        known = sorted({str(e["name"]) for run in compared.runs for e in run.results.get("tables", ())})
        raise InputError("compare.curves", f"name a table of the runs: {', '.join(known) or 'they have none'}", name)
    captions = sorted(compared.captions(name))
    if len(captions) > 1:
        return "", f"the tables {name} are not of one kind: {'; '.join(captions)}"
    try:
        drawn = figures.curves("curves", tables, label=axis_label(captions[0]), caption=_caption(compared, captions[0]))
    except InputError as fault:
        return "", str(fault)
    return drawn, ""


def axis_label(caption: str) -> str:
    """Return what a table's caption says its numbers are: what stands before the unit ends, or before "by".

    Examples
    --------
    >>> axis_label("flow [veh/h] by hour of the day: mean and 95 % interval"), axis_label("Share by age")
    ('flow [veh/h]', 'Share')
    """
    unit = re.match(r"[^\]]*\]", caption)
    return unit[0] if unit else re.split(r" by |: ", caption)[0]


def _caption(compared: Compared, caption: str) -> str:
    from citylib.plots.comparison import MOST_CURVES

    left = len(compared.runs) - MOST_CURVES
    more = f" The first {MOST_CURVES} are drawn; {left} more are in the table." if left > 0 else ""
    return f"{caption}.{more} {_without(compared, 'drawn')}".strip()


def _label(ranking: Ranking) -> str:
    return f"{markdown.name(ranking.record)} [{ranking.unit}]" if ranking.unit else markdown.name(ranking.record)


def _said(ranking: Ranking, place: Place) -> str:
    words = f"{place.name}: {markdown.number(place.value, 3)} {ranking.unit}".rstrip()
    if place.interval:
        words += f" ({markdown.number(place.interval[0], 3)} to {markdown.number(place.interval[1], 3)})"
    if place.ranks:
        first, last = place.ranks
        words += f"<br>rank {first}" + (f" to {last}" if last > first else "") + f" of {len(ranking.places)}"
    return words


def _without(compared: Compared, how: str) -> str:
    if not compared.failed:
        return ""
    names = ", ".join(bad.place for bad in compared.failed[:5]) + (", …" if len(compared.failed) > 5 else "")
    return f"Not {how}, for their runs {compared.lack}: {names}."
