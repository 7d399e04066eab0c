"""Intervals that learn from their own misses: adaptive conformal correction of a backtest.

Legend: O origins, H steps ahead.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.evaluate.backtest import Backtest

__all__ = ["adaptive"]

FloatArray = npt.NDArray[np.float64]


def adaptive(found: Backtest, *, rate: float = 0.02, window: int = 250) -> Backtest:
    """Widen or narrow the intervals of a backtest by what came before each origin, step ahead by step ahead.

    The score of a reading is its distance from the centre, in half widths of its interval. At each origin the half
    width is stretched to the quantile of the last scores that asks for the coverage claimed; after each reading
    outside the level asked for is raised, after each one inside lowered a little (Gibbs and Candès, 2021). A reading
    h steps ahead counts from h steps after its origin on, not before. As long as too few scores are known for
    the quantile to be one of them, an interval stays as it is; where the level asked for passes what the scores can
    tell, the largest of them is used in place of an infinite one.

    Parameters
    ----------
    found : Backtest
        With intervals that are symmetric about their centres (work on the scale of the model, transform afterwards).
    rate : float, default 0.02
        How far a reading outside moves the level asked for, between 0 and 1; 0 leaves only the rolling quantile.
    window : int, default 250
        Most recent scores that count at each step ahead.

    Returns
    -------
    Backtest
        With the same centres.

    Raises
    ------
    InputError
        Intervals that are not symmetric or have no width, a window too short for the level.

    References
    ----------
    Gibbs, I. and Candès, E. (2021). Adaptive conformal inference under distribution shift. Advances in Neural
    Information Processing Systems 34.

    Examples
    --------
    >>> actual = np.random.default_rng(0).standard_normal((400, 1)) * 3
    >>> zero = np.zeros((400, 1))
    >>> claimed = Backtest(np.arange(10, 410), zero, zero - 1.96, zero + 1.96, actual, 0.95, (10,))
    >>> better = adaptive(claimed)
    >>> inside = (better.lower <= actual) & (actual <= better.upper)
    >>> bool(abs(inside[100:].mean() - 0.95) < 0.02)
    True
    """
    rate = checks.number("rate", rate, minimum=0.0, maximum=1.0)
    missed = 1 - checks.fraction("level", found.level)
    fewest = math.ceil(1 / missed - 1e-9) - 1
    window = checks.integer("window", window, minimum=fewest)
    half_OH = (found.upper - found.lower) / 2
    lopsided = np.abs(found.centre - (found.upper + found.lower) / 2)
    if not (half_OH > 0).all() or (lopsided > 1e-6 * half_OH).any():
        rule = "lie at equal distances below and above the centre, more than zero"
        raise InputError("found.lower, found.upper", rule, f"{int((lopsided > 1e-6 * half_OH).sum())} that do not")
    stretch_OH = np.empty_like(half_OH)
    for h in range(half_OH.shape[1]):
        score_O = np.abs(found.actual[:, h] - found.centre[:, h]) / half_OH[:, h]
        stretch_OH[:, h] = _stretched(score_O, found.origins, h + 1, missed, rate, window, fewest)
    half_OH = half_OH * stretch_OH
    return replace(found, lower=found.centre - half_OH, upper=found.centre + half_OH)


def _stretched(
    score_O: FloatArray,
    origins_O: npt.NDArray[np.int64],
    ahead: int,
    missed: float,
    rate: float,
    window: int,
    fewest: int,
) -> FloatArray:
    """Return by what the half widths are multiplied at one step ahead."""
    ordered: list[float] = []
    recent: deque[float] = deque()
    out = np.ones(len(score_O))
    asked = missed
    told = 0  # origins whose reading is known
    for i, origin in enumerate(origins_O):
        while told < i and origins_O[told] + ahead <= origin:
            score = float(score_O[told])
            if not math.isnan(score):
                asked = min(max(asked + rate * (missed - (score > out[told])), 0.0), 1.0)
                insort(ordered, score)
                recent.append(score)
                if len(recent) > window:
                    ordered.pop(bisect_left(ordered, recent.popleft()))
            told += 1
        if len(ordered) >= fewest:
            rank = math.ceil((len(ordered) + 1) * (1 - asked) - 1e-9)
            out[i] = ordered[min(max(rank, 1), len(ordered)) - 1]
    return out
