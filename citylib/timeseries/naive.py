"""The baselines to beat: repeat the last reading, or the one a season ago.

Legend: T time steps, O origins, H steps ahead, m steps in a season.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.errors import InputError

__all__ = ["SeasonalNaive"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class SeasonalNaive:
    """Forecast by the last reading of the same phase of the season; with a season of 1, persistence.

    Its intervals are the quantiles of its own errors in what it was fitted to, step by step. Where
    the reading a season ago is missing, the one a season before it stands in.

    Parameters
    ----------
    period : int
        Steps in a season m; 1 repeats the last reading.

    Attributes
    ----------
    errors_ : list of ndarray
        Sorted errors over 1, 2, ... seasons in what it was fitted to.

    References
    ----------
    Hyndman, R. J. and Athanasopoulos, G. (2021). Forecasting: Principles and Practice, 3rd ed.,
    OTexts, section 5.2.

    Examples
    --------
    >>> week = SeasonalNaive(2).fit(np.array([1.0, 5.0, 1.0, 5.0, 2.0, 5.0]))
    >>> centre, _, _ = week.forecast(np.array([1.0, 5.0, 2.0]), origins=np.array([3]), horizon=3, level=0.9)
    >>> centre.tolist()
    [[5.0, 2.0, 5.0]]
    """

    def __init__(self, period: int) -> None:
        self.period = checks.integer("period", period, minimum=1)

    def fit(self, y_T: npt.ArrayLike, /) -> Self:
        """Remember the readings from which the errors are worked out.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings; NaN where one is missing.

        Raises
        ------
        InputError
            Less than two seasons.
        """
        self.known_ = checks.series("y_T", y_T, missing=True, at_least=2 * self.period)
        self.errors_: dict[int, FloatArray] = {}
        return self

    def forecast(
        self, y_T: npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends from each origin.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings up to the last origin at least; NaN where one is missing.
        origins : array_like of int, shape (O,)
            Steps known at each origin, at least a season.
        horizon : int
            Steps ahead H.
        level : float, default 0.95
            Coverage asked of the intervals.

        Returns
        -------
        (centre, lower, upper) : ndarray
            Each of shape (O, H).

        Raises
        ------
        InputError
            No reading of some phase before an origin.
        """
        filled_T = self._filled(checks.series("y_T", y_T, missing=True))
        origins_O = np.asarray(origins, dtype=np.int64)
        horizon = checks.integer("horizon", horizon, minimum=1)
        level = checks.fraction("level", level)
        if origins_O.min() < self.period or origins_O.max() > len(filled_T):
            rule = f"lie between one season ({self.period}) and the readings given ({len(filled_T)})"
            raise InputError("origins", rule, (int(origins_O.min()), int(origins_O.max())))
        step_H = np.arange(1, horizon + 1)
        seasons_H = -(-step_H // self.period)
        centre = filled_T[origins_O[:, None] - 1 + step_H - seasons_H * self.period]
        if np.isnan(centre).any():
            raise InputError("y_T", "hold a reading of each phase of the season before an origin", "none for some")
        ends = np.array([self._quantiles(int(k), level) for k in seasons_H])
        return centre, centre + ends[:, 0], centre + ends[:, 1]

    def _quantiles(self, seasons: int, level: float) -> FloatArray:
        if seasons not in self.errors_:
            lag = min(seasons * self.period, len(self.known_) - 1)
            error = self.known_[lag:] - self._filled(self.known_)[:-lag]
            self.errors_[seasons] = np.sort(error[~np.isnan(error)])
        error = self.errors_[seasons]
        if not len(error):
            raise InputError("y_T", f"hold two readings {seasons} seasons apart", "none")
        return np.quantile(error, [(1 - level) / 2, (1 + level) / 2])

    def _filled(self, y_T: FloatArray) -> FloatArray:
        """Put in the place of a missing reading the last one of its phase."""
        rows = -(-len(y_T) // self.period)
        padded = np.append(y_T, np.full(rows * self.period - len(y_T), np.nan))
        grid = padded.reshape(rows, self.period)
        last = np.maximum.accumulate(np.where(np.isnan(grid), -1, np.arange(rows)[:, None]), axis=0)
        filled = np.where(last >= 0, np.take_along_axis(grid, last.clip(min=0), axis=0), np.nan)
        return np.asarray(filled.ravel()[: len(y_T)])
