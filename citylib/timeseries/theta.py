"""The Theta method: the season taken off, a smoothed level, and half the slope of a straight line.

Legend: T time steps, O origins, H steps ahead, m steps in a season.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

from citylib import checks
from citylib.timeseries.decompose import classical_season
from citylib.timeseries.smoothing import Smoother, fitted, with_ends

__all__ = ["Theta"]

FloatArray = npt.NDArray[np.float64]


class Theta(Smoother):
    """The Theta method: season taken off, then simple exponential smoothing with half the slope of a straight line.

    Assimakopoulos and Nikolopoulos' method with theta 2, in the form of Hyndman and Billah. The season is additive,
    from a classical decomposition of what it was fitted to, and stays as it is.

    Parameters
    ----------
    period : int
        Steps in a season m; 1: no season.
    window : int, optional
        Most recent steps that a fit uses; by default all.

    Attributes
    ----------
    parameters_ : Smoothing
        Of which only alpha is in use.
    slope_ : float
        Of the straight line, per step.
    sigma_ : float
        Standard deviation of the one-step errors.
    level_, season_ : float, ndarray of shape (m,)
        Before the first step of the fit.

    References
    ----------
    Assimakopoulos, V. and Nikolopoulos, K. (2000). The theta model: a decomposition approach to forecasting.
    International Journal of Forecasting 16(4), 521-530.
    Hyndman, R. J. and Billah, B. (2003). Unmasking the Theta method. International Journal of Forecasting 19(2),
    287-290.

    Examples
    --------
    >>> y = np.tile([1.0, 5.0], 30) + 0.1 * np.arange(60)
    >>> centre, _, _ = Theta(2).fit(y).forecast(y, origins=[60], horizon=2)
    >>> bool(centre[0, 1] > centre[0, 0] + 3)
    True
    """

    def __init__(self, period: int, *, window: int | None = None) -> None:
        super().__init__(period, window)

    def fit(self, y_T: npt.ArrayLike, /) -> Self:
        """Fit to the most recent `window` readings.

        Parameters
        ----------
        y_T : array_like, shape (T,)
            Readings from step 0 on; NaN where one is missing.

        Raises
        ------
        InputError
            Less than three seasons, too few readings, all equal, or none of some phase.
        """
        part = self.part(y_T)
        self.season_ = classical_season(part, self.period) if self.period > 1 else np.zeros(1)
        rest = part - self.season_[np.arange(len(part)) % self.period]
        read = np.flatnonzero(~np.isnan(rest))
        centred = read - read.mean()
        self.slope_ = float(centred @ rest[read] / (centred @ centred))
        self.level_ = float(rest[read[: max(3, self.period)]].mean())
        _, self.parameters_, self.sigma_ = fitted(
            part, self.level_, self.season_, "none", self.period, self.scale_, fixed=True
        )
        return self

    def forecast(
        self, y_T: npt.ArrayLike, /, *, origins: npt.ArrayLike, horizon: int, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return centre, lower and upper ends from each origin; see `ExponentialSmoothing.forecast`."""
        levels, _, seasons = self.states(y_T, origins)
        step_H = np.arange(checks.integer("horizon", horizon, minimum=1))
        alpha = self.parameters_.alpha
        past_O = checks.steps("origins", origins) - self.start_
        lag_O = -np.expm1(past_O * np.log1p(-min(alpha, 1 - 1e-12))) / alpha  # how far smoothing lags a slope
        centre = levels[:, None] + 0.5 * self.slope_ * (step_H + lag_O[:, None]) + seasons[:, step_H % self.period]
        return with_ends(centre, np.full(len(step_H), alpha), self.sigma_, level)
