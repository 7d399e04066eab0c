"""How long watching lasts: the censoring distribution, and the weights that stand in for those who went out of sight.

With late entries it is the probability W(t) of being under watch at t that stands for it. Of all, S(t) W(t) are still
there and watched, so W is the number under watch over the survival curve; how many there were in all is not known, so W
is known but for a factor, which falls out of what is made with it.

Legend: n durations, K distinct times, M given times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import counting, life_table

__all__ = ["Censoring", "fit"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Censoring:
    """The probability G of still being watched, or with late entries W of being under watch.

    Parameters
    ----------
    time : ndarray, shape (K,)
        Distinct times.
    watched : ndarray, shape (K,)
        Probability of being watched longer than each.
    first : float, default 1
        Probability of it before the first of them; 0 with late entries.
    """

    time: FloatArray
    watched: FloatArray
    first: float = 1.0

    def at(self, time: npt.ArrayLike) -> FloatArray:
        """Return G(t), the probability of being watched longer than given times, shape (M,)."""
        return self._read(time, "right")

    def before(self, time: npt.ArrayLike) -> FloatArray:
        """Return G(t-), the probability of being watched up to given times at least, shape (M,)."""
        return self._read(time, "left")

    def _read(self, time: npt.ArrayLike, side: Literal["left", "right"]) -> FloatArray:
        when = checks.array("time", time, minimum=0)
        return np.asarray(np.append(self.first, self.watched)[np.searchsorted(self.time, when, side=side)])

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


def fit(duration: npt.ArrayLike, event: npt.ArrayLike, *, entry: npt.ArrayLike | None = None) -> Censoring:
    """Estimate by Kaplan and Meier how long watching lasts, with what ended as the censored ones.

    At one time endings come before goings out of sight, so that those who ended at it are no longer
    at risk of going out of sight.

    Parameters
    ----------
    duration, event : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`. Watching is taken to begin and to end independently of how
        long things last.

    Returns
    -------
    Censoring

    Raises
    ------
    InputError
        As `citylib.survival.life_table.durations` does; with late entries, all under watch ended while others were
        still to come.

    References
    ----------
    Wang, M.-C. (1991). Nonparametric estimation from cross-sectional survival data. Journal of the American Statistical
    Association 86(413), 130-143.

    Examples
    --------
    >>> fit([1.0, 2.0, 2.0, 3.0], [True, False, True, True]).watched.tolist()
    [1.0, 0.5, 0.5]
    """
    data = life_table.durations(duration, event, entry=entry)
    sets = life_table.count(data)
    stays = sets.at_risk - sets.events
    gone = sets.ended - sets.events
    if entry is not None:
        survival, _ = counting.product_limit(sets.bounds, sets.at_risk, sets.events)
        done = np.flatnonzero(survival <= 0)
        if len(done) and done[0] < len(survival) - 1:
            told = f"all ended at {sets.time[done[0]]:g}, others go on to {sets.time[-1]:g}"
            hint = "leave out the times before, of which too little is known"
            raise InputError("entry", "not leave a time at which all under watch ended before others came", told, hint)
        there = np.divide(sets.after, survival, out=np.zeros(len(survival)), where=survival > 0)
        return Censoring(sets.time, there / len(data.exit), 0.0)
    return Censoring(sets.time, np.cumprod(1 - np.divide(gone, stays, out=np.zeros(len(gone)), where=stays > 0)))
