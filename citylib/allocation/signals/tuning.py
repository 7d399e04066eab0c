"""The same budget for every controller: twenty candidates, each on the five choice seeds; ten guesses, then ten nearby.

The first ten are spread over the ranges (or are what training came by); each of the other ten is drawn around the best
so far. Test seeds are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from citylib import checks, seeds
from citylib.allocation.signals.controllers.catalogue import PACE, TUNED, USUAL, Range
from citylib.errors import InputError

__all__ = ["CANDIDATES", "CHOICE", "GUESSES", "TEST", "guesses", "nearby", "worth"]

FloatArray = npt.NDArray[np.float64]
CANDIDATES, GUESSES = 20, 10
CHOICE, TEST = tuple(range(1, 6)), tuple(range(11, 31))  # seeds


def guesses(name: str, *, seed: int = 0) -> list[dict[str, float]]:
    """Return ten candidates: the usual setting, and nine spread over the ranges of the parameters (Sobol's points).

    Parameters
    ----------
    name : str
        A name of `TUNED`.
    seed : int, default 0
        Of the points.

    Returns
    -------
    list of dict

    Raises
    ------
    UnknownNameError
        A controller whose parameters have no ranges.

    Examples
    --------
    >>> sorted(guesses("actuated")[0])
    ['gap', 'least', 'left_most', 'through_most']
    """
    ranges = TUNED[checks.one_of("name", name, TUNED)]
    points = qmc.Sobol(len(ranges), seed=seeds.generator(seed, "guesses", name)).random(16)
    spread = [_inside(ranges, point) for point in points[: GUESSES - 1]]
    return [dict(USUAL[name]), *spread]


def nearby(tried: Sequence[Mapping[str, Any]], scores: Sequence[float], name: str, *, seed: int = 0) -> dict[str, Any]:
    """Return the next candidate: drawn around the best so far.

    Parameters
    ----------
    tried : sequence of mapping
        Candidates so far.
    scores : sequence of float
        The score of each; the smallest is the best.
    name : str
        The controller.
    seed : int, default 0
        Of the draws.

    Returns
    -------
    dict
        A candidate that hasn't been tried.

    Raises
    ------
    InputError
        Nothing tried yet, as many scores as candidates are missing.
    """
    if not tried or len(tried) != len(scores):
        raise InputError("scores", f"be of the {len(tried)} candidates, at least one", len(scores))
    best = tried[int(np.argmin(scores))]
    draw = seeds.generator(seed, "nearby", name, len(tried))
    width = 0.15 if len(tried) < (CANDIDATES + GUESSES) // 2 else 0.08
    if name not in TUNED:
        weights = np.asarray(best["weights"], dtype=np.float64)
        moved = weights + 2 * width * np.sqrt((weights**2).mean()) * draw.standard_normal(len(weights))
        now = {"interval": 5, "least": 0} | dict(best)
        pace = np.array([(now[key] - r.low) / (r.high - r.low) for key, r in PACE.items()])
        near = _inside(PACE, np.clip(pace + width * draw.standard_normal(len(pace)), 0, 1))
        return {"weights": [round(float(w), 6) for w in moved]} | near
    ranges = TUNED[name]
    at = np.array([(best[key] - r.low) / (r.high - r.low) for key, r in ranges.items()])
    for _ in range(1000):
        found = _inside(ranges, np.clip(at + width * draw.standard_normal(len(at)), 0, 1))
        if found not in list(tried):
            return found
    raise InputError("tried", "leave something to try", len(tried))


def worth(runs: Sequence[Mapping[str, Any]]) -> float:
    """Return the score of a candidate: its mean delay; infinite if a vehicle was moved by force or did not arrive.

    Parameters
    ----------
    runs : sequence of mapping
        What `citylib.allocation.signals.worker.simulate` returned, one a choice seed.

    Returns
    -------
    float
        Seconds.

    Examples
    --------
    >>> worth([{"mean": 50.0, "teleports": 0, "unfinished": 0, "undeparted": 0}])
    50.0
    """
    broken = any(run["teleports"] + run["unfinished"] + run["undeparted"] for run in runs)
    return float("inf") if broken else float(np.mean([run["mean"] for run in runs]))


def _inside(ranges: Mapping[str, Range], point: FloatArray) -> dict[str, float]:
    """Return a point of the unit cube as parameters, on their grids."""
    found: dict[str, float] = {}
    for (key, r), u in zip(ranges.items(), point, strict=True):
        value = r.low + float(u) * (r.high - r.low)
        found[key] = int(r.low + round((value - r.low) / r.step) * r.step) if r.step else round(value, 3)
    return found
