"""Cluster bootstrap: how sure a survival curve is when several durations belong to one asset.

Greenwood's variance takes the durations as independent. The gaps of one pipe are
not: a bad pipe has many short ones. So whole pipes are drawn again, with all
their gaps, and the curve is worked out anew for each draw.
Legend: n durations, C clusters, B draws, K distinct times, M given times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import life_table

__all__ = ["Resampled", "cluster_bootstrap"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Resampled:
    """Survival curves of one group, once for each draw of its assets.

    Parameters
    ----------
    time : ndarray, shape (K,)
        Distinct times of the whole sample.
    survival : ndarray, shape (B, K)
        The curve of each draw at these times.
    """

    time: FloatArray
    survival: FloatArray

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return survival at given times, shape (B, M)."""
        when = np.atleast_1d(checks.array("time", time, minimum=0))
        column = np.searchsorted(self.time, when, side="right")
        return np.column_stack([np.ones(len(self.survival)), self.survival])[:, column]

    def band(self, time: npt.ArrayLike, *, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the percentile band at given times, each end of shape (M,)."""
        low, high = np.quantile(self.at(time), _tails(level), axis=0)
        return low, high

    def quantile(self, share: float) -> FloatArray:
        """Return, for each draw, the first time by which `share` have ended, shape (B,); inf: not reached."""
        reached = self.survival <= 1 - checks.fraction("share", share) + 1e-12
        first = np.where(reached.any(axis=1), reached.argmax(axis=1), len(self.time))
        return np.append(self.time, np.inf)[first]

    def quantile_interval(self, share: float, *, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of the quantile; an end is inf where too few draws reach it."""
        low, high = np.quantile(self.quantile(share), _tails(level), method="closest_observation")
        return float(low), float(high)


def cluster_bootstrap(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    generator: np.random.Generator,
    draws: int = 500,
) -> Resampled:
    """Estimate one group's survival curve anew for each draw, with replacement, of whole clusters.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    event : array_like of bool, shape (n,)
        True: it ended.
    cluster : array_like of str, shape (n,)
        Asset that each duration belongs to.
    generator : numpy.random.Generator
        From `citylib.seeds.generator`.
    draws : int, default 500
        Number of draws B, at least 100.

    Returns
    -------
    Resampled

    Raises
    ------
    InputError
        Fewer than two clusters; durations negative or missing; lengths that differ.

    References
    ----------
    Field, C. A. and Welsh, A. H. (2007). Bootstrapping clustered data. Journal of the Royal
    Statistical Society B 69(3), 369-390.

    Examples
    --------
    >>> from citylib import seeds
    >>> drawn = cluster_bootstrap([1.0, 2.0, 3.0, 4.0], [True] * 4, ["a", "a", "b", "c"], generator=seeds.generator(0))
    >>> drawn.survival.shape
    (500, 4)
    """
    t_n = checks.array("duration", duration, ndim=1, at_least=1, minimum=0)
    e_n = checks.binary("event", event)
    checks.same_length(duration=t_n, event=e_n)
    names, code_n = life_table.codes("cluster", cluster, len(t_n))
    draws = checks.integer("draws", draws, minimum=100)
    if len(names) < 2:
        raise InputError("cluster", "hold at least two clusters", len(names))
    row = np.argsort(t_n, kind="stable")
    t_n, e_n, code_n = t_n[row], e_n[row], code_n[row]
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weight_Bn = drawn[:, code_n].astype(np.float64)
    opens = np.flatnonzero(np.append(True, t_n[1:] != t_n[:-1]))
    at_risk_BK = np.cumsum(weight_Bn[:, ::-1], axis=1)[:, ::-1][:, opens]
    events_BK = np.add.reduceat(weight_Bn * e_n, opens, axis=1)
    hazard_BK = np.divide(events_BK, at_risk_BK, out=np.zeros_like(events_BK), where=at_risk_BK > 0)
    return Resampled(t_n[opens], np.cumprod(1 - hazard_BK, axis=1))


def _tails(level: float) -> list[float]:
    level = checks.fraction("level", level)
    return [(1 - level) / 2, (1 + level) / 2]
