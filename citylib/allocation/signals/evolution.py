"""Weights by evolution strategies: try small changes in pairs, on the model of queues or elsewhere, go where they help.

The lights are a choice of the largest, so there is no gradient; the score of weights that are drawn around a point has
one, and it is estimated from pairs of opposite draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from citylib import checks, seeds
from citylib.allocation.signals import demand as demands
from citylib.allocation.signals.point_queue import PointQueue, arrivals
from citylib.allocation.signals.state import Controller, drive
from citylib.errors import InputError

__all__ = ["TRAINING", "Search", "evolve"]

FloatArray = npt.NDArray[np.float64]
TRAINING = range(1000, 2000)  # seeds


@dataclass(frozen=True, eq=False)
class Search:
    """What a search came by.

    Parameters
    ----------
    weights_GF : ndarray, shape (G + 1, F)
        The point before the first generation, and after each.
    delay_G : ndarray, shape (G,)
        Mean delay of a generation's draws [s], each on seeds of its own.
    """

    weights_GF: FloatArray
    delay_G: FloatArray

    def snapshots(self, count: int) -> FloatArray:
        """Return points at equal distances along the way, the last one among them.

        Parameters
        ----------
        count : int
            How many.

        Returns
        -------
        ndarray, shape (count, F)
        """
        last = len(self.weights_GF) - 1
        at = np.linspace(last / count, last, count).round().astype(np.int64)
        found: FloatArray = self.weights_GF[at]
        return found


def evolve(
    rule: Callable[[FloatArray], Controller],
    start: npt.ArrayLike,
    *,
    seed: int,
    generations: int,
    pairs: int = 8,
    runs: int = 2,
    width: float = 0.1,
    rate: float = 0.05,
    pool: Sequence[int] = TRAINING,
    limit: int = 2700,
    score: Callable[[FloatArray, list[int]], FloatArray] | None = None,
) -> Search:
    """Search weights whose mean delay is small: on the model of queues, or by a score of one's own.

    Parameters
    ----------
    rule : callable
        From weights, shape (C, F), to a controller of C candidates.
    start : array_like, shape (F,)
        Where it begins.
    seed : int
        Of the draws, 0 or more.
    generations, pairs : int
        Steps, and pairs of opposite draws in each.
    runs : int, default 2
        Seeds that all draws of a generation are scored on.
    width : float, default 0.1
        Standard deviation of the draws.
    rate : float, default 0.05
        Of Adam's steps.
    pool : sequence of int, optional
        Seeds to train on; by default 1000 to 1999.
    limit : int, default 2700
        Seconds of a run of the model.
    score : callable, optional
        From weights, shape (C, F), and seeds to a delay for each of the C, such as by a simulator; `rule` and `limit`
        are not used then.

    Returns
    -------
    Search

    Raises
    ------
    InputError
        Numbers that break a rule, a score of another shape.

    References
    ----------
    Salimans, T. et al. (2017). Evolution strategies as a scalable alternative to reinforcement learning.
    arXiv:1703.03864.
    """
    point = checks.array("start", start, ndim=1).copy()
    steps, half = checks.integer("generations", generations, minimum=1), checks.integer("pairs", pairs, minimum=1)
    each = checks.integer("runs", runs, minimum=1, maximum=len(pool))
    spread, pace = checks.number("width", width, above=0), checks.number("rate", rate, above=0)
    draw = seeds.generator(seed, "evolution")
    slope, square = np.zeros_like(point), np.zeros_like(point)
    points, delays = [point.copy()], []
    for step in range(1, steps + 1):
        moves = draw.standard_normal((half, len(point)))
        tried = point + spread * np.concatenate([moves, -moves])
        chosen = draw.choice(np.array(pool), each, replace=False)
        given = [int(s) for s in chosen]
        delay = _delays(rule(tried), given, 2 * half, limit) if score is None else np.asarray(score(tried, given))
        if delay.shape != (2 * half,):
            raise InputError("score", f"give {2 * half} delays", delay.shape)
        rank = delay.argsort().argsort() / (2 * half - 1) - 0.5  # ranks, so that one jam does not decide
        gradient = ((rank[:half] - rank[half:])[:, None] * moves).mean(axis=0)
        slope, square = 0.9 * slope + 0.1 * gradient, 0.99 * square + 0.01 * gradient**2
        point = point - pace * slope / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
        points.append(point.copy())
        delays.append(float(delay.mean()))
    return Search(np.array(points), np.array(delays))


def _delays(rule: Controller, chosen: list[int], candidates: int, limit: int) -> FloatArray:
    """Return each candidate's mean delay; all see the same vehicles."""
    known = arrivals(chosen, demands.DEMANDS["grid4-v1"])
    with torch.no_grad():
        model = PointQueue(known.repeat(candidates, 1, 1, 1, 1), limit=limit)
        drive(model, rule)
    found: FloatArray = model.delay_B().double().reshape(candidates, len(chosen)).mean(dim=1).numpy()
    return found
