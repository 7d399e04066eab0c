"""Brier score of survival forecasts, with those who went out of sight stood in for by weights.

Legend: n durations, M times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError
from citylib.survival import censoring as censored
from citylib.survival import life_table
from citylib.survival.censoring import Censoring

__all__ = ["Brier", "brier"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Brier:
    """Brier scores at given times.

    Parameters
    ----------
    time : ndarray, shape (M,)
        The times.
    contribution : ndarray, shape (n, M)
        What each row adds: its weighted squared error. Means over clusters or differences between two
        models are taken from these.
    """

    time: FloatArray
    contribution: FloatArray

    @property
    def score(self) -> FloatArray:
        """Mean squared error of the forecast probability at each time, shape (M,); 0 is perfect."""
        return np.asarray(self.contribution.mean(axis=0))

    @property
    def error(self) -> FloatArray:
        """Standard error of each score with the weights taken as known, shape (M,)."""
        return np.asarray(self.contribution.std(axis=0, ddof=1) / math.sqrt(len(self.contribution)))

    @property
    def integrated_contribution(self) -> FloatArray:
        """What each row adds to the integrated score, shape (n,)."""
        if len(self.time) < 2:
            raise InputError("time", "hold at least two times to integrate over", len(self.time))
        area = np.trapezoid(self.contribution, self.time, axis=1)
        return np.asarray(area / (self.time[-1] - self.time[0]))

    @property
    def integrated(self) -> tuple[float, float]:
        """Mean of the score over the stretch of times, by trapezia, and its standard error."""
        each = self.integrated_contribution
        return float(each.mean()), float(each.std(ddof=1) / math.sqrt(len(each)))


def brier(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    survival: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    censoring: Censoring | None = None,
) -> Brier:
    """Return Graf's Brier score: squared errors of forecast survival, weighted for censoring.

    Who ended by t weighs 1 / G(T-), who lasted longer 1 / G(t), who went out of sight before t nothing. With late
    entries W, the probability of being under watch, stands for G, who comes after t and lasts longer weighs nothing,
    and the score is the weighted mean; forecasts are those of things just begun, not of those that lasted to their
    entry.

    Parameters
    ----------
    duration : array_like, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`; at least two rows.
    event : array_like of bool, shape (n,)
        As in `citylib.survival.kaplan_meier.kaplan_meier`; at least two rows.
    survival : array_like, shape (n, M)
        Forecast probability of each row to last longer than each time.
    time : array_like, shape (M,)
        Times, rising, to which somebody is watched.
    entry : array_like, shape (n,), optional
        As in `citylib.survival.kaplan_meier.kaplan_meier`.
    censoring : Censoring, optional
        From `citylib.survival.censoring.fit` on the training rows; by default of these rows.

    Returns
    -------
    Brier

    Raises
    ------
    InputError
        Forecasts outside 0 to 1 or of another shape; a time to which nobody is watched.

    References
    ----------
    Graf, E., Schmoor, C., Sauerbrei, W. and Schumacher, M. (1999). Assessment and comparison of
    prognostic classification schemes for survival data. Statistics in Medicine 18(17-18), 2529-2545.

    Examples
    --------
    >>> found = brier([1.0, 2.0, 3.0], [1, 0, 1], [[0.2], [0.9], [0.8]], [1.5])
    >>> found.score.round(4).tolist()
    [0.03]
    """
    data = life_table.durations(duration, event, entry=entry)
    n = len(data.exit)
    if n < 2:
        raise InputError("duration", "have at least 2 rows", n)
    when = checks.increasing("time", checks.array("time", time, ndim=1, at_least=1, minimum=0))
    forecast = checks.array("survival", survival, ndim=2, minimum=0)
    if forecast.shape != (n, len(when)):
        raise InputError("survival", f"have the shape {(n, len(when))} of rows and times", forecast.shape)
    if forecast.max() > 1:
        raise InputError("survival", "be at most 1", float(forecast.max()))
    seen = censored.fit(data.exit, data.event, entry=data.entry) if censoring is None else censoring
    watched = watched_at(seen, when)
    ended = data.event[:, None] & (data.exit[:, None] <= when)
    lasted = data.exit[:, None] > when
    weight = seen.weights(data.exit, ended[:, -1])
    if data.entry is None:
        return Brier(when, np.where(ended, weight[:, None] * forecast**2, lasted * (1 - forecast) ** 2 / watched))
    lasted &= data.entry[:, None] <= when
    each = np.where(ended, weight[:, None], lasted / watched)
    squares = np.where(ended, forecast, 1 - forecast) ** 2
    score = (each * squares).sum(axis=0) / each.sum(axis=0)
    # what each row adds to a weighted mean, so that the mean of it is the score and its spread the error
    return Brier(when, score + each * (squares - score) / each.mean(axis=0))


def watched_at(seen: Censoring, time: FloatArray) -> FloatArray:
    """Return G(t) at given times, shape (M,), or say which of them nobody is watched to.

    Parameters
    ----------
    seen : Censoring
        The censoring distribution.
    time : ndarray, shape (M,)
        Times.

    Returns
    -------
    ndarray, shape (M,)

    Raises
    ------
    InputError
        G is 0 at one of them.
    """
    watched = seen.at(time)
    if (watched <= 0).any():
        raise InputError("time", "lie where somebody is still watched", float(time[watched <= 0][0]))
    return watched
