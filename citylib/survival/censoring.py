"""How long watching lasts: the censoring distribution, and the weights that stand in for those who went out of sight.

Legend: n durations, K distinct times, M given times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import life_table

__all__ = ["Censoring", "fit"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Censoring:
    """The probability G of still being watched.

    Parameters
    ----------
    time : ndarray, shape (K,)
        Distinct times.
    watched : ndarray, shape (K,)
        Probability of being watched longer than each.
    """

    time: FloatArray
    watched: FloatArray

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return G(t), the probability of being watched longer than given times, shape (M,)."""
        return self._read(time, "right")

    def before(self, time: npt.ArrayLike) -> FloatArray:
        """Return G(t-), the probability of being watched up to given times at least, shape (M,)."""
        return self._read(time, "left")

    def _read(self, time: npt.ArrayLike, side: Literal["left", "right"]) -> FloatArray:
        when = checks.array("time", time, minimum=0)
        return np.asarray(np.append(1.0, self.watched)[np.searchsorted(self.time, when, side=side)])

    def weights(self, duration: FloatArray, event: npt.NDArray[np.bool_]) -> FloatArray:
        """Return 1 / G(t-) of those that ended and 0 of the others, shape (n,).

        Raises
        ------
        InputError
            Something ended at a time to which, by G, nobody is watched.
        """
        out = np.zeros(len(duration))
        seen = self.before(duration[event])
        if (seen <= 0).any():
            at = float(duration[event][seen <= 0].min())
            raise InputError("duration", "end where somebody can still be watched", at, "give an earlier `until`")
        out[event] = 1 / seen
        return out


def fit(duration: npt.ArrayLike, event: npt.ArrayLike) -> Censoring:
    """Estimate by Kaplan and Meier how long watching lasts, with what ended as the censored ones.

    At one time endings come before goings out of sight, so that those who ended at it are no longer
    at risk of going out of sight.

    Parameters
    ----------
    duration, event : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.

    Returns
    -------
    Censoring

    Raises
    ------
    InputError
        As `citylib.survival.life_table.durations` does.

    Examples
    --------
    >>> fit([1.0, 2.0, 2.0, 3.0], [True, False, True, True]).watched.tolist()
    [1.0, 0.5, 0.5]
    """
    sets = life_table.count(life_table.durations(duration, event))
    stays = sets.at_risk - sets.events
    gone = sets.ended - sets.events
    return Censoring(sets.time, np.cumprod(1 - np.divide(gone, stays, out=np.zeros(len(gone)), where=stays > 0)))
