"""What makes the runs of a plan a comparison of places: `compare` in a plan, read and checked.

::

    [run.compare]
    by = "place"                       # the parameter that differs from run to run
    name = "districts"                 # of its page; default: what `by` says
    title = "The districts compared"
    what = "district"                  # what a place is called
    about = "Counters of a district are averaged."   # a paragraph at the head of the page, in Markdown
    rank = "mean"                      # the record that places are put in order by
    best = "low"                       # which end of it is good: low | high | none
    curves = "usual"                   # the table drawn for every place: its first column along, the others up
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from citylib.batch import names
from citylib.errors import nearest

__all__ = ["BEST", "KEYS", "Comparison", "read"]

BEST = ("low", "high", "none")
KEYS = ("name", "title", "by", "what", "about", "rank", "best", "curves")


@dataclass(frozen=True)
class Comparison:
    """A part of the book that holds the runs of one block of a plan against each other.

    Parameters
    ----------
    name : str
        Names its pages, unique in a plan.
    title : str
        What a reader calls it.
    by : str
        The parameter that differs from run to run: which place.
    what : str
        What a place is called, such as ``"district"``.
    about : str
        A paragraph at the head of its page, in Markdown; may be empty.
    rank : str, optional
        The record that places are put in order by; none: they are not.
    best : {"low", "high", "none"}
        Which end of `rank` is good.
    curves : str, optional
        The table that is drawn for every place on common axes.
    """

    name: str
    title: str
    by: str
    what: str = "place"
    about: str = ""
    rank: str | None = None
    best: str = "none"
    curves: str | None = None


def read(given: Any, varied: Collection[str], title: Any = None) -> tuple[Comparison | None, list[str]]:
    """Read `compare` of a block of a plan.

    Parameters
    ----------
    given : object
        What the plan has.
    varied : collection of str
        The parameters that the block's `grid` and `each` vary.
    title : object, optional
        The block's own title, which stands in for one that `given` lacks.

    Returns
    -------
    comparison : Comparison or None
        None where anything is wrong.
    faults : list of str
        All that is wrong, a line each.

    Examples
    --------
    >>> read({"by": "sensor", "bset": "low"}, ["sensor"])[1]
    ["compare key must be one of: name, title, by, what, about, rank, best, curves, got 'bset'; did you mean 'best'?"]
    """
    if not isinstance(given, dict):
        return None, [f"compare must be a table, got {given!r}"]
    faults = []
    for key in given:
        if key not in KEYS:
            close = nearest(key, KEYS)
            hint = f"; did you mean {close!r}?" if close else ""
            faults.append(f"compare key must be one of: {', '.join(KEYS)}, got {key!r}{hint}")
        elif not isinstance(given[key], str) or not given[key].strip():
            faults.append(f"compare.{key} must be text, got {given[key]!r}")
    if not faults:
        faults = [*_of_by(given.get("by"), varied), *_of_others(given)]
    if faults:
        return None, faults
    by = given["by"]
    name = given.get("name", names.slug(by))
    plain = re.sub(r"[-_]+", " ", name).capitalize()
    named = title if isinstance(title, str) and "{" not in title else plain
    return Comparison(**{"name": name, "title": named, **given}), []


def _of_by(by: Any, varied: Collection[str]) -> list[str]:
    if by is None:
        return ["compare.by must name the parameter that differs from run to run"]
    if by not in varied:
        close = nearest(by, varied)
        hint = f"; did you mean {close!r}?" if close else ""
        return [f"compare.by must be a parameter that grid or each varies, got {by!r}{hint}"]
    others = sorted(set(varied) - {by})
    if others:
        return [f"compare.by must be all that varies, so that a place has one run; {', '.join(others)} varies too"]
    return []


def _of_others(given: dict[str, str]) -> list[str]:
    faults = []
    if "name" in given and not names.good(given["name"]):
        faults.append(f"compare.name must be letters a to z, digits, - and _, got {given['name']!r}")
    if given.get("best", "none") not in BEST:
        close = nearest(given["best"], BEST)
        hint = f"; did you mean {close!r}?" if close else ""
        faults.append(f"compare.best must be one of: {', '.join(BEST)}, got {given['best']!r}{hint}")
    if given.get("best", "none") in BEST[:2] and "rank" not in given:
        faults.append(f"compare.best must come with rank, got {given['best']!r} alone")
    for key in ("rank", "curves"):
        if key in given and not re.fullmatch(r"[a-z][a-z0-9_]{0,79}", given[key]):
            faults.append(f"compare.{key} must be snake_case, as a notebook names its results, got {given[key]!r}")
    return faults
